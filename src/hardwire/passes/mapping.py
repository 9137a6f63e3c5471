"""Covering by look-up tables of up to six inputs."""

import numpy as np

from ..circuit import Circuit
from ..core.errors import InputError
from .functional_reduction import BASE
from .netlist import Netlist, named_nets, read, write
from .rewriting import in_two_inputs

ROUNDS = 7  #: of area recovery, after a first one for depth


def lut_map(circuit: Circuit, *, k: int = 6, depth: bool = False) -> Circuit:
    """Cover the gates by tables of at most ``k`` inputs (3 to 6), few of them, or with ``depth`` few on the longest path.

    A table stays inside one stage. Outputs and macros' nets remain nets. Priority cuts are chosen by area flow, in
    rounds that learn from the cover before; with ``depth`` none of them exceeds the least depth found first.
    """
    if k not in (3, 4, 5, 6):
        raise InputError(f"tables of {k} inputs cannot be mapped to; choose k from 3 to 6")
    netlist, literal = read(circuit, share=True)
    named = sorted(named_nets(circuit))
    netlist, roots = in_two_inputs(netlist, [literal[n] for n in named])
    leaves, sizes, refs = _choose(netlist, roots, k, depth)
    mapped, moved = Netlist(netlist.first), list(range(0, 2 * netlist.first, 2))
    moved += [0] * len(netlist.table)
    for net in range(netlist.first, len(moved)):
        if refs[net]:
            cut = leaves[net, : sizes[net]].tolist()
            table = cone_table(netlist, net, cut)
            moved[net] = mapped.add(table, [moved[f] for f in cut], netlist.stage[net - netlist.first])
    literal = [0] * circuit.n_nets
    for n, x in zip(named, roots):
        literal[n] = moved[x >> 1] ^ (x & 1)
    return write(mapped, circuit, literal)


def _choose(netlist: Netlist, roots: list[int], k: int, depth: bool):
    """The cut of each net, its size, and the readers of each net in the cover."""
    from .cuts import NEVER, cover, select

    first, n = netlist.first, netlist.first + len(netlist.table)
    fanin = np.zeros((n, 2), np.int32)
    fanin[first:] = np.array(netlist.fanin, dtype=np.int32).reshape(-1, 2)
    stage = np.array([255] * first + netlist.stage, dtype=np.uint8)
    ends = np.array([x >> 1 for x in roots], dtype=np.int64)
    estimate = np.bincount(np.concatenate([fanin[first:].ravel(), ends]), minlength=n).astype(np.float64)
    required, leaves, sizes = np.full(n, NEVER, np.int32), np.zeros((n, k), np.int32), np.zeros(n, np.int32)
    for turn in range(1 + ROUNDS):
        arrival = select(first, fanin, stage, estimate, required, turn == 0, leaves, sizes)
        refs, latest = cover(first, ends, leaves, sizes, arrival)
        required = latest if depth else required
        estimate = (estimate + refs) / 2
    return leaves, sizes, refs


def cone_table(netlist: Netlist, root: int, leaves: list[int]) -> int:
    """The truth table of ``root`` over at most six nets ``leaves`` that cut it off."""
    size = 1 << len(leaves)
    ones = (1 << size) - 1
    value = {0: 0, **{leaf: BASE[i] & ones for i, leaf in enumerate(leaves)}}
    pending = [root]
    while pending:
        net = pending[-1]
        fanin = netlist.fanin[net - netlist.first] if net not in value else ()
        missing = [f for f in fanin if f not in value]
        if missing:
            pending += missing
            continue
        if net not in value:
            a, b = (value[f] for f in fanin)
            table = netlist.table[net - netlist.first]
            terms = ((1, a & ~b), (2, ~a & b), (3, a & b))
            value[net] = sum(term for m, term in terms if table >> m & 1) & ones  # minterms do not overlap
        pending.pop()
    return value[root]
