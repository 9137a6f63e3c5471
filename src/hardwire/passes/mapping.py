"""Technology mapping: a cover by look-up tables of up to six inputs."""

import numpy as np
from numpy.typing import NDArray

from ..circuit import Circuit
from ..core.errors import InputError
from ..core.truth_tables import compose, projection
from .netlist import Netlist, from_circuit, kept_nets, to_circuit, two_input_netlist

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
    rounds that learn from the cover before.
    """
    if k not in (3, 4, 5, 6):
        raise InputError(f"tables of {k} inputs cannot be mapped to; choose k from 3 to 6")
    netlist, literal = from_circuit(circuit, share=True)
    kept = sorted(kept_nets(circuit))
    netlist, roots = two_input_netlist(netlist, [literal[n] for n in kept])
    leaves, sizes, readers = _cover(netlist, roots, k, depth)
    mapped, moved = Netlist(netlist.first), list(range(0, 2 * netlist.first, 2))
    moved += [0] * len(netlist.table)
    for net in range(netlist.first, len(moved)):
        if readers[net]:
            cut = leaves[net, : sizes[net]].tolist()
            table = cone_table(netlist, net, cut)
            moved[net] = mapped.add(table, [moved[f] for f in cut], netlist.stage[net - netlist.first])
    return to_circuit(mapped, circuit, {n: moved[x >> 1] ^ (x & 1) for n, x in zip(kept, roots, strict=True)})


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
