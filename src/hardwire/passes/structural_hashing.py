"""Structural hashing: equal nodes become one."""

from ..circuit import Circuit
from .netlist import from_circuit, to_circuit


def hash_structurally(circuit: Circuit) -> Circuit:
    """Keep one node for each function of the same nets, in any order and up to complement; constants are propagated.

    A node shared by several stages belongs to the earliest of them.
    """
    netlist, literal = from_circuit(circuit, share=True)
    return to_circuit(netlist, circuit, literal)
