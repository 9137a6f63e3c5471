"""What must be emitted, in order: the nodes and macros that the outputs need, operands first.

A back end or an engine that knows a better spelling of a macro names its kind; the nodes that then feed nothing are
left out. Every net that an item reads is a constant, an input or an output of an earlier item; no net has two items.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from ..core.truth_tables import restrict
from .circuit import FALSE, MACROS, TRUE, Circuit, Macro, MacroKind


class Node(NamedTuple):
    """One look-up table; ``inputs`` and ``outputs`` as a macro has them.

    Constant operands and those without influence are folded away, so that nothing is emitted for them: ``table`` has
    ``2^len(inputs)`` bits, and a constant node has no inputs.
    """

    net: int
    table: int
    inputs: tuple[int, ...]

    @property
    def outputs(self) -> tuple[int]:
        """The one net that the node computes."""
        return (self.net,)


def schedule(
    circuit: Circuit, *, macros: Collection[MacroKind] = tuple(MACROS), slim: bool = True
) -> list[Node | Macro]:
    """The items that compute the outputs, in a depth-first order that keeps few nets alive; the same on every call.

    Parameters
    ----------
    circuit
        What to compute.
    macros
        The kinds that the caller can spell.
    slim
        Whether a macro is used without operands that cannot matter; False where an adder tree must keep its shape.

    Notes
    -----
    A macro is used only where that is sound: its outputs are nodes of their own, and no path leads from an output back
    to an input. Others stay gates. Time is linear in nodes and macro operands, once more for each round of macros that
    close a cycle.
    """
    usable = _usable(circuit, macros, slim)
    while True:
        order, cyclic = _order(circuit, usable)
        if not cyclic:
            return order
        usable = [macro for index, macro in enumerate(usable) if index not in cyclic]


def fold(table: int, nets: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """The same function without operands that are constant or have no influence."""
    table, kept = restrict(table, tuple([net if net <= TRUE else None for net in nets]))
    return table, tuple([nets[i] for i in kept])


def _usable(circuit: Circuit, kinds: Collection[MacroKind], slim: bool) -> list[Macro]:
    """The macros of these kinds whose outputs are nodes that no earlier macro has, and that need a node at all."""
    taken: set[int] = set()
    usable = []
    for macro in (_slim(m) if slim else m for m in circuit.macros if m.kind in kinds):
        own = set(macro.outputs)
        nodes = own and min(own) >= circuit.first_node and len(own) == len(macro.outputs)
        trivial = macro.kind == "ge" and not 0 < macro.value < 1 << len(macro.inputs)
        if nodes and not trivial and not own & taken:
            taken |= own
            usable.append(macro)
    return usable


def _slim(macro: Macro) -> Macro:
    """The same without what cannot matter: zeros in a count and its then constant top bits, bits below a threshold."""
    if macro.kind == "popcount":
        inputs = tuple(net for net in macro.inputs if net != FALSE)
        width = len(inputs).bit_length()
        if all(net == FALSE for net in macro.outputs[width:]):
            return Macro("popcount", inputs, macro.outputs[:width])
    if macro.kind == "ge" and macro.value > 0:
        zeros = (macro.value & -macro.value).bit_length() - 1
        return Macro("ge", macro.inputs[zeros:], macro.outputs, macro.value >> zeros)
    return macro


def _order(circuit: Circuit, macros: list[Macro]) -> tuple[list[Node | Macro], set[int]]:
    """Post-order of the cone of the outputs, and the macros that close a cycle: the innermost open one at a back edge.

    An item is a node's net, or ``n_nets`` + the index of a macro; ``~item`` on the stack says that its operands
    are done.
    """
    first, end = circuit.first_node, circuit.n_nets
    table, fanin, arity = circuit.table.tolist(), circuit.fanin.tolist(), circuit.arity.tolist()
    nodes: dict[int, tuple[int, tuple[int, ...]]] = {}  # only of those that are reached; a macro's gates often are not
    maker = list(range(end))
    for index, macro in enumerate(macros, end):
        for net in macro.outputs:
            maker[net] = index
    is_open, is_done = bytearray(end + len(macros)), bytearray(end + len(macros))
    is_done[:first] = b"\1" * first
    order: list[Node | Macro] = []
    open_macros: list[int] = []
    cyclic: set[int] = set()
    stack = [maker[net] for net in reversed(circuit.output_nets.tolist())]
    while stack:
        item = stack.pop()
        if item < 0:
            item = ~item
            is_done[item] = 1
            if item < end:
                order.append(Node(item, *nodes[item]))
            else:
                open_macros.pop()
                order.append(macros[item - end])
        elif is_done[item]:
            continue
        elif is_open[item]:
            cyclic.add(open_macros[-1])
        else:
            is_open[item] = 1
            stack.append(~item)
            if item < end:
                row = item - first
                nodes[item] = fold(table[row], fanin[row][: arity[row]])
                stack += [maker[net] for net in reversed(nodes[item][1]) if net >= first]
            else:
                open_macros.append(item - end)
                stack += [maker[net] for net in reversed(macros[item - end].inputs) if net >= first]
    return order, cyclic
