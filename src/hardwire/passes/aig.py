"""Circuit <-> and-inverter graph of aigverse (Python bindings of mockturtle)."""

from collections.abc import Iterable, Sequence
from functools import partial

from aigverse.networks import Aig, AigSignal

from ..circuit import Circuit
from ..core.errors import InputError
from ..core.gates import TABLE
from ..core.truth_tables import decompose
from .netlist import Netlist


def to_aig(circuit: Circuit, roots: Sequence[int] | None = None) -> Aig:
    """The graph of ``circuit``: one primary input an input bit, one primary output a net of ``roots`` (the outputs).

    An exclusive or costs three AND nodes, a wider table those of its decomposition into gates.

    Raises
    ------
    InputError
        Where ``roots`` names a net that the circuit does not have.
    """
    nets = [int(net) for net in (circuit.output_nets if roots is None else roots)]
    if nets and not 0 <= min(nets) <= max(nets) < circuit.n_nets:
        raise InputError(f"roots {min(nets)} to {max(nets)} leave circuit {circuit.name!r}; "
                         f"it has {circuit.n_nets} nets")
    aig, signal = _inputs(circuit.n_input_bits)
    fanin = [row[:k] for row, k in zip(circuit.fanin.tolist(), circuit.arity.tolist(), strict=True)]
    _grow(aig, signal, zip(range(circuit.first_node, circuit.n_nets), circuit.table.tolist(), fanin, strict=True))
    for net in nets:
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

    Raises
    ------
    InputError
        Where ``inputs`` are not as many as the graph's.
    """
    if len(inputs) != aig.num_pis:
        raise InputError(f"the graph has {aig.num_pis} primary inputs, not {len(inputs)}; give one literal for each")
    literal = {0: 0, **dict(zip(aig.pis(), inputs, strict=True))}
    for node in aig.gates():
        a, b = aig.fanins(node)
        operands = (literal[a.index] ^ a.complement, literal[b.index] ^ b.complement)
        literal[node] = netlist.add(TABLE["AND"], operands, stage)
    return [literal[s.index] ^ s.complement for s in aig.pos()]


def _inputs(n: int) -> tuple[Aig, dict[int, AigSignal]]:
    aig = Aig()
    false = aig.get_constant(False)
    return aig, {0: false, 1: ~false, **{2 + i: aig.create_pi() for i in range(n)}}


def _grow(aig: Aig, signal: dict[int, AigSignal], rows: Iterable[tuple[int, int, Sequence[int]]]) -> None:
    for net, table, fanin in rows:
        signal[net] = decompose(table, [signal[f] for f in fanin], partial(_gate, aig))


def _gate(aig: Aig, table: int, a: AigSignal, b: AigSignal) -> AigSignal:
    """A gate that ``decompose`` asks for: both operands matter but for constants and inverters."""
    if table in (TABLE["FALSE"], TABLE["TRUE"]):
        return aig.get_constant(table == TABLE["TRUE"])
    if table == TABLE["NOT_A"]:
        return ~a
    if table in (TABLE["XOR"], TABLE["XNOR"]):
        return aig.create_xor(a, b) ^ (table == TABLE["XNOR"])
    inverted = table.bit_count() == 3
    one = (table ^ 0b1111 * inverted).bit_length() - 1  # the address of the only 1, of a conjunction of literals
    return aig.create_and(a ^ (not one & 1), b ^ (not one & 2)) ^ inverted
