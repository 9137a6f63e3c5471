"""Proofs of macros that take no search: gates of a known shape, and functions of so few operands that all are tried."""

from collections.abc import Sequence

from ..circuit import FALSE, TRUE, Circuit, Macro
from ..circuit.aig import Aig
from ..circuit.arithmetic.shapes import STYLES, macro_circuit, stated
from ..core.truth_tables import compose, ones, projection

#: Operands of a macro whose table is computed, and nodes between its operands and its outputs.
OPERANDS, NODES = 12, 2000


def plainly_proved(circuit: Circuit) -> list[Macro]:
    """The macros whose gates have one of the shapes in ``circuit.arithmetic``, or give the table that is stated.

    Either holds for any values of the macro's operands, so that it is a proof. Time is linear in the circuit and in the
    macros' operands.
    """
    aig = Aig(circuit.n_input_bits)
    net = aig.embed(circuit, list(range(2, 2 + 2 * circuit.n_input_bits, 2)))
    return [macro for macro in circuit.macros if _has_its_table(circuit, macro) or _has_a_shape(aig, net, macro)]


def _has_a_shape(aig: Aig, net: list[int], macro: Macro) -> bool:
    outputs = [net[n] for n in macro.outputs]
    return any(stated(aig, net, macro, style) == outputs for style in STYLES[macro.kind])


def _has_its_table(circuit: Circuit, macro: Macro) -> bool:
    k = len(macro.inputs)
    if k > OPERANDS:
        return False
    tables = {FALSE: 0, TRUE: ones(k)}
    for i, operand in enumerate(macro.inputs):
        tables.setdefault(operand, projection(i, k))
    operands = [tables[n] for n in macro.inputs]
    found = tables_of(circuit, tables, macro.outputs, k)
    reference = macro_circuit(macro)
    inner = {FALSE: 0, TRUE: ones(k)} | dict(enumerate(operands, 2))
    return found is not None and found == tables_of(reference, inner, reference.output_nets.tolist(), k)


def tables_of(circuit: Circuit, tables: dict[int, int], nets: Sequence[int], k: int) -> list[int] | None:
    """The tables of ``nets`` over ``k`` operands, out of the given tables of other nets, which are added to.

    None where a net depends on an input that has no table, or on too many nodes.
    """
    first, stack, visited = circuit.first_node, list(reversed(nets)), 0
    while stack:
        net = stack[-1]
        if net in tables:
            stack.pop()
            continue
        visited += 1
        if net < first or visited > NODES:
            return None
        row = net - first
        fanin = circuit.fanin[row, : circuit.arity[row]].tolist()
        if waiting := [f for f in fanin if f not in tables]:
            stack += waiting
        else:
            tables[stack.pop()] = compose(int(circuit.table[row]), [tables[f] for f in fanin], k)
    return [tables[n] for n in nets]
