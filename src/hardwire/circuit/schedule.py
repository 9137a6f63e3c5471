"""What must be emitted, in order: the nodes and macros that the outputs need, operands first.

A back end or an engine that knows a better spelling of a macro names its kind; the nodes that then feed nothing are
left out. Every net that an item reads is a constant, an input or an output of an earlier item, and no net has two items.
"""

from functools import lru_cache
from typing import NamedTuple

from .circuit import FALSE, TRUE, Circuit, Macro, cofactors

#: Addresses of a six-input table where operand ``i`` is 0, as a bit mask.
LOW = tuple(sum(1 << m for m in range(64) if not m >> i & 1) for i in range(6))


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
        return (self.net,)


def schedule(circuit: Circuit, *, macros: tuple[str, ...] = ("ge", "popcount", "argmax"),
             slim: bool = True) -> list[Node | Macro]:
    """The items that compute the outputs, in a depth-first order that keeps few nets alive; the same on every call.

    ``macros`` are the kinds that the caller can spell. A macro is used in its slimmest form (see ``_slim``; ``slim=False``
    where an adder tree must keep its shape), and only where that is sound: its outputs are nodes of their own, and no
    path leads from an output back to an input. Others stay gates. Time is linear in nodes and macro operands, once more
    for each round of macros that close a cycle.
    """
    facts = _usable(circuit, macros, slim)
    while True:
        order, cyclic = _order(circuit, facts)
        if not cyclic:
            return order
        facts = [macro for index, macro in enumerate(facts) if index not in cyclic]


def fold(table: int, nets: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """The same function without operands that are constant or have no influence."""
    constant = tuple(net if net in (FALSE, TRUE) else None for net in nets)
    table, kept = _fold(table, constant)
    return table, tuple([nets[i] for i in kept])


@lru_cache(maxsize=1 << 16)
def _fold(table: int, constant: tuple) -> tuple[int, list[int]]:
    kept = list(range(len(constant)))
    for i in reversed(range(len(constant))):
        if constant[i] is not None:
            table = cofactors(table, len(kept), i)[constant[i] == TRUE]
            del kept[i]
    for i in reversed(range(len(kept))):
        if not (table ^ table >> (1 << i)) & LOW[i] & (1 << (1 << len(kept))) - 1:
            table = cofactors(table, len(kept), i)[0]
            del kept[i]
    return table, kept


def _usable(circuit: Circuit, kinds, slim: bool) -> list[Macro]:
    taken: set[int] = set()
    facts = []
    for macro in (_slim(m) if slim else m for m in circuit.macros if m.kind in kinds):
        own = set(macro.outputs)
        nodes = own and min(own) >= circuit.first_node and len(own) == len(macro.outputs)
        trivial = macro.kind == "ge" and not 0 < macro.value < 1 << len(macro.inputs)
        if nodes and not trivial and not own & taken:
            taken |= own
            facts.append(macro)
    return facts


def _slim(macro: Macro) -> Macro:
    """The same fact without what cannot matter: zeros in a count and its then constant top bits, bits below a threshold."""
    if macro.kind == "popcount":
        inputs = tuple(net for net in macro.inputs if net != FALSE)
        width = len(inputs).bit_length()
        if all(net == FALSE for net in macro.outputs[width:]):
            return Macro("popcount", inputs, macro.outputs[:width])
    if macro.kind == "ge" and macro.value > 0:
        zeros = (macro.value & -macro.value).bit_length() - 1
        return Macro("ge", macro.inputs[zeros:], macro.outputs, macro.value >> zeros)
    return macro


def _order(circuit: Circuit, facts: list[Macro]) -> tuple[list[Node | Macro], set[int]]:
    """Post-order of the cone of the outputs, and the facts that close a cycle: the innermost open one at each back edge.

    An item is a node's net, or ``n_nets`` + the index of a fact; ``~item`` on the stack says that its operands are done.
    """
    first, end = circuit.first_node, circuit.n_nets
    table, fanin, arity = circuit.table.tolist(), circuit.fanin.tolist(), circuit.arity.tolist()
    nodes = {}  # only of those that are reached: a macro's own gates often are not
    maker = list(range(end))
    for index, macro in enumerate(facts, end):
        for net in macro.outputs:
            maker[net] = index
    is_open, is_done = bytearray(end + len(facts)), bytearray(end + len(facts))
    is_done[:first] = b"\1" * first
    order, open_facts, cyclic = [], [], set()
    stack = [maker[net] for net in reversed(circuit.output_nets.tolist())]
    while stack:
        item = stack.pop()
        if item < 0:
            item = ~item
            is_done[item] = 1
            if item < end:
                order.append(Node(item, *nodes[item]))
            else:
                open_facts.pop()
                order.append(facts[item - end])
        elif is_done[item]:
            continue
        elif is_open[item]:
            cyclic.add(open_facts[-1])
        else:
            is_open[item] = 1
            stack.append(~item)
            if item < end:
                row = item - first
                nodes[item] = fold(table[row], tuple(fanin[row][: arity[row]]))
                stack += [maker[net] for net in reversed(nodes[item][1]) if net >= first]
            else:
                open_facts.append(item - end)
                stack += [maker[net] for net in reversed(facts[item - end].inputs) if net >= first]
    return order, cyclic
