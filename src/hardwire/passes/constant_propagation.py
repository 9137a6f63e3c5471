"""Constant propagation: constants, wires and inverters are absorbed by the tables that read them."""

from ..circuit import Circuit
from .netlist import from_circuit, to_circuit


def propagate_constants(circuit: Circuit) -> Circuit:
    """Reduce every table to the operands it depends on; equal, complementary and constant operands vanish.

    A gate over a gate of the same two nets becomes one gate. An inverter remains only where outputs and macros need
    a net in both polarities, or an input inverted.
    """
    netlist, literal = from_circuit(circuit, share=False)
    return to_circuit(netlist, circuit, literal)
