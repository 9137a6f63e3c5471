"""DAG-aware cut rewriting on and/xor gates: the inner loop of ``rewrite``.

The nodes are and-gates and exclusive ors of literals (``2 net + complement``). Nodes are visited in order. For each
one and each of its cuts of at most four leaves, the gates that would die with the node (its maximum fanout-free cone
above the leaves) are counted by dereferencing it, and against them the gates of the shortest chain that are not there
yet. Where the chain wins, it is built and substituted for the node.

References
----------
Mishchenko, Chatterjee, Brayton, "DAG-aware AIG rewriting", DAC 2006; here with exact chains in which an exclusive or
is one gate.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.jit import inner, jit
from ..netlist import HEAD
from ..xag import AND, LEAF, XOR, Xag
from .chains import LONGEST
from .cuts import union

CUTS = 12  #: kept for each node, the trivial one included
CUT_SIZE = 4
REFUSED = 99  #: gates of a chain that is not to be built


class Network(NamedTuple):
    """A graph that is rewritten in place, with room for half as many new nodes.

    Parameters
    ----------
    kind, a, b, stage
        As in ``Xag``, shape (n,).
    refs
        Live readers of each node, shape (n,).
    alive
        Shape (n,); a dead node holds no reference to its operands.
    substitute
        The literal that stands for each node, shape (n,).
    order
        Nodes in topological order, shape (n,).
    count
        Nodes, and nodes in ``order``.
    stack
        Scratch.
    values
        Literals of the leaves and gates of a chain.
    slot
        Hash table of nodes, -1 where free; its length is a power of two.
    leaf, size, table, cuts
        Leaves of each node's cuts, ascending (n, CUTS, 4); how many (n, CUTS); the function over the leaves, repeated
        over those that are missing (n, CUTS); how many cuts (n,).
    length, chain
        Shortest chains, see `chains.py`.
    """

    kind: NDArray[np.uint8]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    stage: NDArray[np.uint8]
    refs: NDArray[np.int32]
    alive: NDArray[np.bool_]
    substitute: NDArray[np.int64]
    order: NDArray[np.int32]
    count: NDArray[np.int64]
    stack: NDArray[np.int32]
    values: NDArray[np.int64]
    slot: NDArray[np.int32]
    leaf: NDArray[np.int32]
    size: NDArray[np.uint8]
    table: NDArray[np.uint16]
    cuts: NDArray[np.uint8]
    length: NDArray[np.int8]
    chain: NDArray[np.int8]


def network(xag: Xag, refs: NDArray[np.int64], length: NDArray[np.int8], chain: NDArray[np.int8]) -> Network:
    """The graph with the readers ``refs`` of each node, ready for ``rewrite_nodes``."""
    n, room = len(xag.kind), 3 * len(xag.kind) // 2 + 64

    def grown(x: NDArray[np.int64], dtype: type) -> NDArray[Any]:
        return np.concatenate([x, np.zeros(room - n)]).astype(dtype)

    return Network(
        kind=grown(xag.kind, np.uint8), a=grown(xag.a, np.int64), b=grown(xag.b, np.int64),
        stage=grown(xag.stage, np.uint8), refs=grown(refs, np.int32), alive=np.ones(room, bool),
        substitute=2 * np.arange(room), order=np.zeros(room, np.int32), count=np.array([n, 0]),
        stack=np.zeros(room, np.int32), values=np.zeros(CUT_SIZE + LONGEST, np.int64),
        slot=np.full(1 << (4 * room).bit_length(), -1, np.int32), leaf=np.zeros((room, CUTS, CUT_SIZE), np.int32),
        size=np.zeros((room, CUTS), np.uint8), table=np.zeros((room, CUTS), np.uint16), cuts=np.zeros(room, np.uint8),
        length=length, chain=chain,
    )


@jit
def rewrite_nodes(s: Network, first: int, last: int) -> int:
    """Visit nodes ``first`` to ``last - 1``, those before ``first`` being leaves; how many gates were saved."""
    saved = 0
    for net in range(first):
        _add_trivial_cut(s, net)
    for net in range(first, last):
        if s.refs[net] == 0:
            continue
        kind, stage = np.int64(s.kind[net]), s.stage[net]
        a, b = _representative(s, s.a[net]), _representative(s, s.b[net])
        s.a[net], s.b[net] = min(a, b), max(a, b)
        x = simplified(s, kind, a, b)
        if x >= 0 and s.stage[x >> 1] <= stage:
            saved += _substitute(s, net, _revive(s, x))
        elif kind == XOR and (a | b) & 1:
            saved += _substitute(s, net, _create(s, kind, a, b, stage)) - 1
        else:
            enumerate_cuts(s, net)
            gain, cut = _best(s, net) if stage != HEAD else (0, -1)
            if cut >= 0 and s.count[0] + LONGEST + last - net < len(s.kind):
                saved += gain
                _reference_leaves(s, net, cut)
                _substitute(s, net, _build(s, net, cut))
                _dereference_leaves(s, net, cut)
            else:
                _insert(s, net)
    return saved


@inner
def _representative(s, literal):
    return s.substitute[literal >> 1] ^ (literal & 1)


@inner
def _substitute(s, net, x):
    """Let every reader of ``net`` read the live literal ``x``; how many nodes die of it."""
    s.refs[x >> 1] += s.refs[net]
    s.refs[net], s.alive[net], s.substitute[net] = 0, False, x
    return 1 + _dereference(s, s.a[net] >> 1) + _dereference(s, s.b[net] >> 1)


@inner
def _best(s, net):
    best, cut = 0, -1
    for i in range(s.cuts[net] - 1):
        gain = _gain(s, net, i)
        if gain > best:
            best, cut = gain, i
    return best, cut


@inner
def simplified(s, kind, a, b):
    """The literal of an and or exclusive or of two literals where a constant, an operand or a node has it, else -1."""
    flip = 0
    if kind == AND:
        if a == b or b == 1:
            return a
        if a == 1:
            return b
        if a == b ^ 1 or a == 0 or b == 0:
            return 0
    else:
        flip = (a ^ b) & 1
        a, b = a & ~1, b & ~1
        if a == b:
            return flip
        if a == 0 or b == 0:
            return (a | b) ^ flip
    x = _lookup(s, kind, min(a, b), max(a, b))
    return x ^ flip if x >= 0 else x


@inner
def _hash(s, kind, a, b):
    return (a * 0x9E3779B1 + b * 0x85EBCA77 + kind * 0x27D4EB2F >> 13) & (len(s.slot) - 1)


@inner
def _lookup(s, kind, a, b):
    i = _hash(s, kind, a, b)
    while s.slot[i] >= 0:
        net = np.int64(s.slot[i])
        if s.kind[net] == kind and s.a[net] == a and s.b[net] == b:
            return 2 * net
        i = (i + 1) & (len(s.slot) - 1)
    return -1


@inner
def _insert(s, net):
    i = _hash(s, np.int64(s.kind[net]), s.a[net], s.b[net])
    while s.slot[i] >= 0:
        i = (i + 1) & (len(s.slot) - 1)
    s.slot[i] = net
    s.order[s.count[1]] = net
    s.count[1] += 1


@inner
def _dereference(s, net):
    """One reader less; how many nodes die of it."""
    s.stack[0], top, dead = net, 1, 0
    while top:
        top -= 1
        net = s.stack[top]
        s.refs[net] -= 1
        if s.refs[net] == 0 and s.kind[net] != LEAF:
            s.alive[net] = False
            dead += 1
            s.stack[top], s.stack[top + 1] = s.a[net] >> 1, s.b[net] >> 1
            top += 2
    return dead


@inner
def _reference(s, net):
    """One reader more; a dead node comes back with all that it reads."""
    s.stack[0], top = net, 1
    while top:
        top -= 1
        net = s.stack[top]
        s.refs[net] += 1
        if not s.alive[net]:
            s.alive[net] = True
            s.stack[top], s.stack[top + 1] = s.a[net] >> 1, s.b[net] >> 1
            top += 2


@inner
def _revive(s, x):
    """Bring the node of literal ``x`` back where it is dead, without a reader; the literal."""
    net = x >> 1
    if not s.alive[net]:
        s.alive[net] = True
        _reference(s, s.a[net] >> 1)
        _reference(s, s.b[net] >> 1)
    return x


@inner
def _reference_leaves(s, net, cut):
    for j in range(s.size[net, cut]):
        s.refs[s.leaf[net, cut, j]] += 1


@inner
def _dereference_leaves(s, net, cut):
    for j in range(s.size[net, cut]):
        _dereference(s, np.int64(s.leaf[net, cut, j]))


@inner
def _gain(s, net, cut):
    """Gates of the maximum fanout-free cone of ``net`` above the cut's leaves, less those that its chain adds."""
    _reference_leaves(s, net, cut)
    freed = 1 + _dereference(s, s.a[net] >> 1) + _dereference(s, s.b[net] >> 1)
    added = _added(s, net, cut, freed)
    _reference(s, s.a[net] >> 1)
    _reference(s, s.b[net] >> 1)
    _dereference_leaves(s, net, cut)
    return freed - added


@inner
def _operands(op, x, y):
    """Kind, literals and output complement of a chain's gate: and, and-not, not-and, exclusive or, or."""
    if op == 3:
        return XOR, x, y, 0
    if op == 4:
        return AND, x ^ 1, y ^ 1, 1
    return AND, x ^ (op == 2), y ^ (op == 1), 0


@inner
def _chain_of(s, net, cut):
    """Place the leaves' literals in ``values``; the index of the chain."""
    for j in range(CUT_SIZE):
        s.values[j] = 2 * s.leaf[net, cut, j] if j < s.size[net, cut] else 0
    table = np.int64(s.table[net, cut])
    return (table ^ (0xFFFF if table & 1 else 0)) >> 1


@inner
def _added(s, net, cut, limit):
    """Gates that the cut's chain adds to the network; ``REFUSED`` where they reach ``limit``."""
    index = _chain_of(s, net, cut)
    added = 0
    for g in range(s.length[index] if index else 0):
        x, y = s.values[s.chain[index, g, 1]], s.values[s.chain[index, g, 2]]
        s.values[CUT_SIZE + g] = -1
        if x >= 0 and y >= 0:
            kind, x, y, flip = _operands(np.int64(s.chain[index, g, 0]), x, y)
            present = simplified(s, kind, x, y)
            if present >= 0:
                if s.stage[present >> 1] > s.stage[net]:
                    return REFUSED
                s.values[CUT_SIZE + g] = present ^ flip
                added += not s.alive[present >> 1]
                continue
        added += 1
        if added >= limit:
            return REFUSED
    return added


@inner
def _build(s, net, cut):
    """The literal of the cut's function over its leaves, from its chain, whose missing gates are added."""
    index = _chain_of(s, net, cut)
    complement = np.int64(s.table[net, cut] & 1)
    gates = s.length[index] if index else 0
    if not index:
        return complement
    if gates == 0:
        for v in range(CUT_SIZE):
            if (0xAAAA, 0xCCCC, 0xF0F0, 0xFF00)[v] == 2 * index:
                return s.values[v] ^ complement
    for g in range(gates):
        x, y = s.values[s.chain[index, g, 1]], s.values[s.chain[index, g, 2]]
        kind, x, y, flip = _operands(np.int64(s.chain[index, g, 0]), x, y)
        s.values[CUT_SIZE + g] = _create(s, kind, x, y, s.stage[net]) ^ flip
    return s.values[CUT_SIZE - 1 + gates] ^ complement


@inner
def _create(s, kind, a, b, stage):
    """The literal of a gate that is there, or of a new one."""
    present = simplified(s, kind, a, b)
    if present >= 0:
        return _revive(s, present)
    flip = 0
    if kind == XOR:
        flip = (a ^ b) & 1
        a, b = a & ~1, b & ~1
    net = s.count[0]
    s.count[0] += 1
    s.kind[net], s.a[net], s.b[net], s.stage[net] = kind, min(a, b), max(a, b), stage
    s.alive[net], s.refs[net] = True, 0
    _reference(s, a >> 1)
    _reference(s, b >> 1)
    enumerate_cuts(s, net)
    _insert(s, net)
    return 2 * net ^ flip


@inner
def _add_trivial_cut(s, net):
    i = s.cuts[net]
    s.leaf[net, i, 0], s.size[net, i], s.table[net, i] = net, 1, 0xAAAA
    s.cuts[net] = i + 1


@inner
def enumerate_cuts(s, net):
    """Merge the operands' cuts, smallest first; cuts end where another stage begins."""
    a, b = s.a[net] >> 1, s.b[net] >> 1
    s.cuts[net] = 0
    for total in range(2, 2 * CUT_SIZE + 1):
        for i in range(s.cuts[a]):
            if s.stage[a] != s.stage[net] and i < s.cuts[a] - 1:
                continue
            for j in range(s.cuts[b]):
                nx, ny = np.int64(s.size[a, i]), np.int64(s.size[b, j])
                if nx + ny != total or (s.stage[b] != s.stage[net] and j < s.cuts[b] - 1):
                    continue
                n = union(s.leaf[a, i], nx, s.leaf[b, j], ny, s.stack, CUT_SIZE)
                if n < 0 or s.cuts[net] == CUTS - 1 or _dominated(s, net, n):
                    continue
                at = s.cuts[net]
                for k in range(n):
                    s.leaf[net, at, k] = s.stack[k]
                x, y = _expanded(s, s.a[net], i, n), _expanded(s, s.b[net], j, n)
                s.size[net, at], s.table[net, at] = n, x & y if s.kind[net] == AND else x ^ y
                s.cuts[net] += 1
    _add_trivial_cut(s, net)


@inner
def _dominated(s, net, n):
    """Whether a cut of a subset of the ``n`` leaves in ``stack`` is there already."""
    for c in range(s.cuts[net]):
        i = 0
        for j in range(n):
            if i < s.size[net, c] and s.leaf[net, c, i] == s.stack[j]:
                i += 1
        if i == s.size[net, c]:
            return True
    return False


@inner
def _expanded(s, literal, cut, n):
    """A cut's table, and the literal's complement, over the ``n`` leaves in ``stack``."""
    net, place = literal >> 1, 0
    for i in range(s.size[net, cut]):
        for j in range(n):
            if s.stack[j] == s.leaf[net, cut, i]:
                place |= j << 2 * i
    result = 0
    for m in range(1 << CUT_SIZE):
        address = 0
        for i in range(s.size[net, cut]):
            address |= (m >> (place >> 2 * i & 3) & 1) << i
        result |= (np.int64(s.table[net, cut]) >> address & 1) << m
    return result ^ (0xFFFF if literal & 1 else 0)
