"""Adders of a circuit, and Verilog that spells them by the full-adder and half-adder cells of a library.

ABC maps single outputs and so never uses these cells. Population counts, which the circuit's macros name, are built
anew as carry-save columns; other full adders are met by their function, whatever gates spell them: two nets that are
the exclusive-or and the majority of the same three nets.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from ..backends.common import lut
from ..circuit import FALSE, FIRST, STAGES, TRUE, Circuit, CircuitBuilder
from ..circuit.arithmetic import full_adder
from ..circuit.circuit import MacroKind
from ..circuit.schedule import Node, schedule
from ..core.errors import ToolError
from ..core.truth_tables import compose, projection, shrink
from ..cost.liberty import MAJORITY, XOR3, Adder, Cell, Library
from .netlist import Ports, module_text

#: Cuts that are kept of each net, those of fewest leaves.
CUTS = 8
#: The macros that are built anew.
COUNTS: tuple[MacroKind, ...] = ("popcount",)
#: Leaves in ascending order, and the net's table over them.
Cut = tuple[tuple[int, ...], int]


@dataclass(frozen=True)
class AdderNets:
    """Two nets of a circuit that are the sum and the carry of two or three others, each inverted or not."""

    operands: tuple[int, ...]
    sum: int
    carry: int
    sum_inverted: bool = False
    carry_inverted: bool = False


def find_adders(circuit: Circuit) -> list[AdderNets]:
    """The full adders of a circuit by function; no net is an output of two of them.

    Every operand lies before both outputs on all paths, so that all adders together make no circle.
    """
    tables: dict[tuple[int, ...], dict[int, int]] = defaultdict(dict)  # leaves -> table -> the first net that has it
    for net, cuts in enumerate(net_cuts(circuit)):
        for leaves, table in cuts if net >= circuit.first_node else ():
            if len(leaves) == 3:
                tables[leaves].setdefault(table, net)
    taken: set[int] = set()
    adders = []
    for leaves, nets in tables.items():
        sums = [(nets[t], t != XOR3) for t in (XOR3, XOR3 ^ 0xFF) if t in nets and nets[t] not in taken]
        carries = [(nets[t], t != MAJORITY) for t in (MAJORITY, MAJORITY ^ 0xFF) if t in nets and nets[t] not in taken]
        if sums and carries:
            (s, s_inverted), (c, c_inverted) = sums[0], carries[0]
            adders.append(AdderNets(leaves, s, c, s_inverted, c_inverted))
            taken |= {s, c}
    return adders


def with_columns(circuit: Circuit) -> tuple[Circuit, list[AdderNets]]:
    """The circuit with its population counts as carry-save columns, and the adders of these columns.

    Column ``j`` holds bits of weight ``2^j``; full adders take three of them until two are left, which a half adder
    takes, then one is. The count's own gates vanish where nothing else reads them. An adder of a constant true is
    gates, not a cell.

    Raises
    ------
    ToolError
        Where a column does not preserve the weighted sum of its bits, which would be a mistake in this function.
    """
    b = CircuitBuilder(circuit.name, labels=circuit.labels)
    inputs = [net for w in circuit.inputs for net in b.input(w.name, w.width, offset=w.offset, step=w.step)]
    moved = dict(enumerate([FALSE, TRUE, *inputs]))
    adders: list[AdderNets] = []
    for item in schedule(circuit, macros=COUNTS, slim=False):
        if isinstance(item, Node):
            with b.stage(STAGES[circuit.stage[item.net - circuit.first_node]]):
                operands = [moved[net] for net in item.inputs]
                moved[item.net] = b.node(item.table, *operands) if operands else TRUE if item.table else FALSE
        else:
            with b.stage("head"):
                bits = [moved[net] for net in item.inputs if net != FALSE]
                count, columns = _count(b, bits, len(item.outputs))
            if not preserves_sum(bits, columns, count):
                raise ToolError(f"a count of {len(bits)} bits of circuit {circuit.name!r} was built wrong; report this")
            moved |= dict(zip(item.outputs, count))
            adders += [adder for adder in columns if min(adder.operands) > TRUE]
    for word, nets in circuit.output_words():
        b.output(word.name, [moved[net] for net in nets], offset=word.offset, step=word.step)
    return b.build(), adders


def _count(b: CircuitBuilder, bits: Sequence[int], width: int) -> tuple[list[int], list[AdderNets]]:
    """The count of ``bits`` in ``width`` bits, least significant first, and its adders in order."""
    columns: list[dict[int, None]] = [{} for _ in range(width + 1)]

    def put(j: int, net: int) -> None:
        """Count ``net`` at weight ``2^j``; twice at one weight is once at the next."""
        while net in columns[j]:
            del columns[j][net]
            j += 1
        columns[j][net] = None

    for net in bits:
        put(0, net)
    adders = []
    for j, column in enumerate(columns[:width]):
        while len(column) > 1:
            operands = tuple(islice(column, 3))
            for net in operands:
                del column[net]
            if len(operands) == 3:
                total, carry = full_adder(b, *operands)
            else:
                total, carry = b.xor(*operands), b.and_(*operands)
            adders.append(AdderNets(operands, total, carry))
            put(j, total)
            put(j + 1, carry)
    return [next(iter(column), FALSE) for column in columns[:width]], adders


def preserves_sum(bits: Sequence[int], adders: Sequence[AdderNets], count: Sequence[int]) -> bool:
    """Whether adders turn the sum of ``bits`` into the binary number ``count``: an exact proof for every input.

    An adder of operands ``a, b, c`` has ``a + b + c = sum + 2 carry``; so what is left of the weighted sum when each
    adder has taken its operands at their common weight must be the bits of ``count`` at theirs.
    """
    weight = Counter(bits)
    for adder in adders:
        unit = min((weight[net] & -weight[net] for net in adder.operands), default=0)
        if not unit:
            return False
        weight.subtract(dict.fromkeys(adder.operands, unit))
        weight.update({adder.sum: unit, adder.carry: 2 * unit})
    expected: Counter[int] = Counter()
    for j, net in enumerate(count):
        expected[net] += 1 << j
    del expected[FALSE]
    return +weight == expected and min(weight.values(), default=0) >= 0


def net_cuts(circuit: Circuit, size: int = 3) -> list[list[Cut]]:
    """Cuts of at most ``size`` leaves of every net, the net itself first; leaves that do not matter are left out."""
    cuts: list[list[Cut]] = [[((), 0)], [((), 1)]]
    cuts += [[((net,), 0b10)] for net in range(FIRST, circuit.first_node)]
    rows = zip(circuit.fanin.tolist(), circuit.table.tolist(), circuit.arity.tolist())
    for net, (fanin, table, k) in enumerate(rows, circuit.first_node):
        merged: dict[Cut, None] = {((net,), 0b10): None}
        for cut in sorted(set(_merge(table, [cuts[f] for f in fanin[:k]], size)), key=lambda cut: len(cut[0])):
            merged[cut] = None
        cuts.append(list(merged)[:CUTS])
    return cuts


def _merge(table: int, operands: list[list[Cut]], size: int) -> Iterable[Cut]:
    """Every way to put one cut of each operand together."""
    chosen: list[tuple[tuple[int, ...], tuple[Cut, ...]]] = [((), ())]
    for cuts in operands:
        chosen = [(union, (*parts, cut)) for leaves, parts in chosen for cut in cuts
                  if len(union := tuple(sorted({*leaves, *cut[0]}))) <= size]
    for leaves, parts in chosen:
        place = {leaf: i for i, leaf in enumerate(leaves)}
        whole = _composed(table, tuple((t, tuple(place[x] for x in part)) for part, t in parts), len(leaves))
        yield tuple(leaves[i] for i in whole[1]), whole[0]


@lru_cache(maxsize=1 << 16)
def _composed(table: int, parts: tuple[tuple[int, tuple[int, ...]], ...], k: int) -> tuple[int, tuple[int, ...]]:
    """The table of parts with their operands' places among ``k`` leaves, and the leaves that matter."""
    values = [compose(t, [projection(i, k) for i in places], k) if places else -t & (1 << (1 << k)) - 1
              for t, places in parts]
    return shrink(compose(table, values, k), k)


def adder_verilog(circuit: Circuit, ports: Ports, library: Library, adders: Iterable[AdderNets]) -> str:
    """Module ``top`` with ``adders`` as cells of the library, where it has them, and everything else as plain gates."""
    cells: dict[int, Adder | None] = {3: library.full_adder, 2: library.half_adder}
    driver = {net: adder for adder in adders if cells[len(adder.operands)] for net in (adder.sum, adder.carry)}
    name = ["1'b0", "1'b1", *ports.bits()[0], *(f"n{net}" for net in range(circuit.first_node, circuit.n_nets))]
    live = _needed(circuit, driver)
    lines = [f"wire n{net};" for net in sorted(live)]
    for net in sorted(live):
        adder = driver.get(net)
        if adder is None:
            row = net - circuit.first_node
            operands = [name[f] for f in circuit.fanin[row, : circuit.arity[row]].tolist()]
            lines.append(f"assign n{net} = {lut(int(circuit.table[row]), operands, false=name[0], true=name[1])};")
        elif net == adder.sum:
            lines += _instance(adder, cells[len(adder.operands)], name)
    boxes = "".join(_blackbox(adder.cell) for adder in cells.values() if adder)
    return boxes + module_text(circuit, ports, name, lines)


def _needed(circuit: Circuit, driver: dict[int, AdderNets]) -> set[int]:
    """The nodes to spell: an adder needs its operands alone, and brings both of its outputs."""
    live: set[int] = set()
    stack = circuit.output_nets.tolist()
    while stack:
        net = stack.pop()
        if net <= TRUE or net < circuit.first_node or net in live:
            continue
        live.add(net)
        if net in driver:
            adder = driver[net]
            live |= {adder.sum, adder.carry}
            stack += adder.operands
        else:
            row = net - circuit.first_node
            stack += circuit.fanin[row, : circuit.arity[row]].tolist()
    return live


def _instance(adder: AdderNets, cell: Adder | None, name: list[str]) -> list[str]:
    if cell is None:
        return []
    lines, pins = [], list(zip(cell.cell.inputs, [name[net] for net in adder.operands]))
    for pin, net, inverted in ((cell.sum, adder.sum, adder.sum_inverted),
                               (cell.carry, adder.carry, adder.carry_inverted)):
        if inverted:
            lines.append(f"wire i{net}_; assign {name[net]} = ~i{net}_;")
        pins.append((pin, f"i{net}_" if inverted else name[net]))
    lines.append(f"\\{cell.cell.name} a{adder.sum}_ ({', '.join(f'.{pin}({net})' for pin, net in pins)});")
    return lines


def _blackbox(cell: Cell) -> str:
    pins = [f"input {p}" for p in cell.inputs] + [f"output {p}" for p in cell.outputs]
    return f"(* blackbox *) module \\{cell.name} ({', '.join(pins)}); endmodule\n"
