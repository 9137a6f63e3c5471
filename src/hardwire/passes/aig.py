"""Circuit <-> and-inverter graph of aigverse (Python bindings of mockturtle)."""

from collections.abc import Iterable, Sequence

from aigverse.networks import Aig

from ..circuit import Circuit
from ..core.errors import InputError
from ..core.gates import TABLE
from ..core.truth_tables import cofactors
from .netlist import Netlist


def to_aig(circuit: Circuit, roots: Sequence[int] | None = None) -> Aig:
    """The graph of ``circuit``: one primary input an input bit, one primary output a net of ``roots`` (the outputs).

    An exclusive or costs three AND nodes, a wider table those of its Shannon expansion.
    """
    roots = [int(net) for net in (circuit.output_nets if roots is None else roots)]
    if roots and not 0 <= min(roots) <= max(roots) < circuit.n_nets:
        raise InputError(f"roots {min(roots)} to {max(roots)} leave circuit {circuit.name!r}; it has {circuit.n_nets} nets")
    aig, signal = _inputs(circuit.n_input_bits)
    fanin = [row[:k] for row, k in zip(circuit.fanin.tolist(), circuit.arity.tolist())]
    _grow(aig, signal, zip(range(circuit.first_node, circuit.n_nets), circuit.table.tolist(), fanin))
    for net in roots:
        aig.create_po(signal[net])
    return aig


def netlist_to_aig(netlist: Netlist, roots: Sequence[int]) -> Aig:
    """The graph of what the literals ``roots`` need, one primary output each."""
    aig, signal = _inputs(netlist.first - 2)
    _grow(aig, signal, netlist.rows(netlist.live(roots)))
    for x in roots:
        aig.create_po(signal[x >> 1] ^ bool(x & 1))
    return aig


def from_aig(aig: Aig, netlist: Netlist, inputs: Sequence[int], stage: int = 1) -> list[int]:
    """Add the graph's nodes to ``netlist`` over the literals ``inputs``; the literal of each primary output.

    The netlist sees a gate of two gates of the same two nets as one gate, so exclusive ors come back whole.
    """
    if len(inputs) != aig.num_pis:
        raise InputError(f"the graph has {aig.num_pis} primary inputs, not {len(inputs)}; give one literal for each")
    literal = {0: 0, **dict(zip(aig.pis(), inputs))}
    for node in aig.gates():
        a, b = aig.fanins(node)
        operands = (literal[a.index] ^ a.complement, literal[b.index] ^ b.complement)
        literal[node] = netlist.add(TABLE["AND"], operands, stage)
    return [literal[s.index] ^ s.complement for s in aig.pos()]


def _inputs(n: int) -> tuple[Aig, dict]:
    aig = Aig()
    false = aig.get_constant(False)
    return aig, {0: false, 1: ~false, **{2 + i: aig.create_pi() for i in range(n)}}


def _grow(aig: Aig, signal: dict, rows: Iterable[tuple[int, int, Sequence[int]]]) -> None:
    for net, table, fanin in rows:
        signal[net] = _signal(aig, table, [signal[f] for f in fanin])


def _signal(aig: Aig, table: int, operands: list):
    """The signal of ``table`` over signals."""
    if len(operands) > 2:
        *rest, top = operands
        low, high = (_signal(aig, half, rest) for half in cofactors(table, len(operands), len(rest)))
        return aig.create_ite(top, high, low)
    if len(operands) == 1:
        table, operands = (table & 1) * 0b0101 | (table >> 1) * 0b1010, operands * 2
    a, b = operands
    if table in (TABLE["XOR"], TABLE["XNOR"]):
        return aig.create_xor(a, b) ^ (table == TABLE["XNOR"])
    ones = [m for m in range(4) if table >> m & 1]
    if len(ones) == 1:
        return _minterm(aig, ones[0], a, b)
    if len(ones) == 3:
        return ~_minterm(aig, next(m for m in range(4) if m not in ones), a, b)
    return {0b0000: aig.get_constant(False), 0b1111: aig.get_constant(True),
            TABLE["A"]: a, TABLE["NOT_A"]: ~a, TABLE["B"]: b, TABLE["NOT_B"]: ~b}[table]


def _minterm(aig: Aig, address: int, a, b):
    return aig.create_and(a ^ (not address & 1), b ^ (not address & 2))
