"""Technology mapping: a cover by look-up tables of up to six inputs."""

import numpy as np
from numpy.typing import NDArray

from ..circuit import Circuit
from ..core.errors import InputError
from ..core.truth_tables import compose, projection
from .netlist import HEAD, Netlist, from_circuit, kept_nets, to_circuit, two_input_netlist

ROUNDS = 7  #: of area recovery, after a first one for depth


def map_to_luts(circuit: Circuit, *, k: int = 6, depth: bool = False) -> Circuit:
    """Cover the gates by few tables of at most ``k`` inputs (3 to 6), with ``depth`` by few on the longest path.

    Parameters
    ----------
    circuit
        The circuit to cover.
    k
        Inputs of a table.
    depth
        Let no round exceed the least depth, which the first one finds.

    Raises
    ------
    InputError
        For another ``k``.

    Notes
    -----
    A table stays inside one stage. Outputs and macros' nets remain nets. Priority cuts are chosen by area flow, in
    rounds that learn from the cover before. A head that is built of tables already, none of them above ``k`` inputs,
    stays as it is: gates of parallel counters would be covered by more tables.
    """
    if k not in (3, 4, 5, 6):
        raise InputError(f"tables of {k} inputs cannot be mapped to; choose k from 3 to 6")
    netlist, literal = from_circuit(circuit, share=True)
    kept = sorted(kept_nets(circuit))
    ends = [literal[n] for n in kept]
    tables = _head_tables(netlist, ends, k)
    own = {net for net, _, _ in tables}
    outside = sorted({2 * f for _, _, fanin in tables for f in fanin} | {x & ~1 for x in ends})
    outside = [x for x in outside if x >> 1 not in own]
    moved = {2 * net: 2 * net for net in range(netlist.first)}
    gates, roots = two_input_netlist(netlist, outside)
    mapped, covered = _map(gates, roots, k, depth)
    moved |= dict(zip(outside, covered, strict=True))
    for net, table, fanin in tables:
        moved[2 * net] = mapped.add(table, [moved[2 * f] for f in fanin], HEAD)
    return to_circuit(mapped, circuit, {n: moved[x & ~1] ^ (x & 1) for n, x in zip(kept, ends, strict=True)})


def _head_tables(netlist: Netlist, ends: list[int], k: int) -> list[tuple[int, int, tuple[int, ...]]]:
    """The nodes of a head that is built of tables, as rows; none where it is built of gates or a table is too wide."""
    rows = netlist.rows(net for net in netlist.live(ends) if netlist.stage[net - netlist.first] == HEAD)
    widest = max((len(fanin) for _, _, fanin in rows), default=0)
    return rows if 2 < widest <= k else []


def _map(netlist: Netlist, roots: list[int], k: int, depth: bool) -> tuple[Netlist, list[int]]:
    """A cover of the gates by tables, and what became of the literals ``roots``."""
    leaves, sizes, readers = _cover(netlist, roots, k, depth)
    mapped, moved = Netlist(netlist.first), list(range(0, 2 * netlist.first, 2))
    moved += [0] * len(netlist.table)
    for net in range(netlist.first, len(moved)):
        if readers[net]:
            cut = leaves[net, : sizes[net]].tolist()
            table = cone_table(netlist, net, cut)
            moved[net] = mapped.add(table, [moved[f] for f in cut], netlist.stage[net - netlist.first])
    return mapped, [moved[x >> 1] ^ (x & 1) for x in roots]


def _cover(netlist: Netlist, roots: list[int], k: int,
           depth: bool) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """The cut of each net (n, k), its size (n,), and the readers of each net in the cover (n,)."""
    from .kernels.priority_cuts import NEVER, cover, select  # Numba stays out of whoever does not map

    first, n = netlist.first, netlist.first + len(netlist.table)
    fanin = np.zeros((n, 2), np.int32)
    fanin[first:] = np.array(netlist.fanin, dtype=np.int32).reshape(-1, 2)
    stage = np.array([255] * first + netlist.stage, dtype=np.uint8)
    ends = np.array([x >> 1 for x in roots], dtype=np.int64)
    estimate = np.bincount(np.concatenate([fanin[first:].ravel(), ends]), minlength=n).astype(np.float64)
    required, leaves, sizes = np.full(n, NEVER, np.int32), np.zeros((n, k), np.int32), np.zeros(n, np.int32)
    readers = sizes
    for turn in range(1 + ROUNDS):
        arrival = select(first, fanin, stage, estimate, required, turn == 0, leaves, sizes)
        readers, latest = cover(first, ends, leaves, sizes, arrival)
        required = latest if depth else required
        estimate = (estimate + readers) / 2
    return leaves, sizes, readers


def cone_table(netlist: Netlist, root: int, leaves: list[int]) -> int:
    """The truth table of ``root`` over at most six nets ``leaves`` that cut it off."""
    k = len(leaves)
    value = {0: 0, **{leaf: projection(i, k) for i, leaf in enumerate(leaves)}}
    stack = [root]
    while stack:
        net = stack[-1]
        if net in value:
            stack.pop()
            continue
        fanin = netlist.fanin[net - netlist.first]
        missing = [f for f in fanin if f not in value]
        stack += missing
        if not missing:
            value[net] = compose(netlist.table[net - netlist.first], [value[f] for f in fanin], k)
    return value[root]
