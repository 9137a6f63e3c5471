"""Constants, wires and inverters, folded into the tables that read them."""

from ..circuit import Circuit
from .netlist import read, write


def fold(circuit: Circuit) -> Circuit:
    """Reduce every table to the operands it depends on; equal, complementary and constant operands vanish.

    A gate over a gate of the same two nets becomes one gate. An inverter remains only where outputs and macros need
    a net in both polarities, or an input inverted.
    """
    netlist, literal = read(circuit, share=False)
    return write(netlist, circuit, literal)
