"""Structural hashing."""

from ..circuit import Circuit
from .netlist import read, write


def share(circuit: Circuit) -> Circuit:
    """One node for each function of the same nets, in any order and up to complement; folds on the way.

    A node shared by several stages belongs to the earliest of them.
    """
    netlist, literal = read(circuit, share=True)
    return write(netlist, circuit, literal)
