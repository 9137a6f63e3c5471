"""DAG-aware cut rewriting on and/xor gates, compiled: the inner loop of ``rewrite``.

The nodes are and-gates and exclusive ors of literals (``2 net + complement``). Nodes are visited in order. For each
one and each of its cuts of at most four leaves, the gates that would die with the node (its fan-out-free cone above
the leaves) are counted, and against them the gates of the shortest chain that are not there yet. Where the chain wins,
it is built and the node's readers read it. Method: Mishchenko, Chatterjee, Brayton, "DAG-aware AIG rewriting",
DAC 2006; with exact chains in which an exclusive or is one gate.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from .cuts import union
from .rewriting import AND, HEAD, LEAF, XOR

CUTS = 12  #: kept for each node, the trivial one included
CUT_SIZE = 4


class State(NamedTuple):
    kind: np.ndarray  # (n,) uint8
    a: np.ndarray  # (n,) int64 literals; for a leaf 0
    b: np.ndarray
    refs: np.ndarray  # (n,) int32 live readers
    alive: np.ndarray  # (n,) bool; a dead node holds no reference to its operands
    stage: np.ndarray  # (n,) uint8
    become: np.ndarray  # (n,) int64 the literal that stands for the node
    order: np.ndarray  # (n,) int32 nodes in topological order
    count: np.ndarray  # [nodes, ordered nodes]
    stack: np.ndarray
    slot: np.ndarray  # hash table of nodes, -1 where free
    leaf: np.ndarray  # (n, CUTS, 4) int32, ascending
    size: np.ndarray  # (n, CUTS) uint8
    tt: np.ndarray  # (n, CUTS) uint16, over the leaves, repeated over those that are missing
    cuts: np.ndarray  # (n,) uint8
    length: np.ndarray  # shortest chains, see chains.py
    chain: np.ndarray


def state(kind, a, b, stage, refs, leaves: int, length, chain) -> State:
    """The nodes with room for half as many new ones; nets below ``leaves`` are the constant and the inputs."""
    n, room = len(kind), 3 * len(kind) // 2 + 64
    grown = lambda x, dtype: np.concatenate([x, np.zeros(room - n)]).astype(dtype)  # noqa: E731
    s = State(
        kind=grown(kind, np.uint8), a=grown(a, np.int64), b=grown(b, np.int64), refs=grown(refs, np.int32),
        alive=np.ones(room, bool), stage=grown(stage, np.uint8), become=2 * np.arange(room),
        order=np.zeros(room, np.int32), count=np.array([n, 0]),
        stack=np.zeros(room, np.int32), slot=np.full(1 << (4 * room).bit_length(), -1, np.int32),
        leaf=np.zeros((room, CUTS, CUT_SIZE), np.int32), size=np.zeros((room, CUTS), np.uint8),
        tt=np.zeros((room, CUTS), np.uint16), cuts=np.zeros(room, np.uint8), length=length, chain=chain,
    )
    for net in range(leaves):
        _trivial_cut(s, net)
    return s


@njit(cache=True)
def rewrite_all(s, first, last):
    """Visit nodes ``first`` to ``last - 1``; how many gates were saved."""
    saved = 0
    values = np.empty(4 + 7, np.int64)
    for net in range(first, last):
        if s.refs[net] == 0:
            continue
        a, b = _resolve(s, s.a[net]), _resolve(s, s.b[net])
        s.a[net], s.b[net] = min(a, b), max(a, b)
        x = simplified(s, s.kind[net], a, b)
        if x >= 0 and s.stage[x >> 1] <= s.stage[net]:
            saved += _replace(s, net, _revived(s, x))
        elif s.kind[net] == XOR and (a | b) & 1:
            saved += _replace(s, net, _make(s, XOR, a, b, s.stage[net])) - 1
        elif s.stage[net] == HEAD:
            enumerate_cuts(s, net)
            _insert(s, net)
        else:
            enumerate_cuts(s, net)
            gain, cut = _best(s, net, values)
            if cut >= 0 and s.count[0] + 7 + last - net < len(s.kind):
                saved += gain
                _hold(s, net, cut)
                _replace(s, net, _build(s, net, cut, values))
                _release(s, net, cut)
            else:
                _insert(s, net)
    return saved


@njit(cache=True)
def _resolve(s, literal):
    return s.become[literal >> 1] ^ (literal & 1)


@njit(cache=True)
def _replace(s, net, x):
    """Every reader of ``net`` reads the live literal ``x``; how many nodes die of it."""
    s.refs[x >> 1] += s.refs[net]
    s.refs[net], s.alive[net], s.become[net] = 0, False, x
    return 1 + _drop(s, s.a[net] >> 1) + _drop(s, s.b[net] >> 1)


@njit(cache=True)
def _best(s, net, values):
    best, cut = 0, -1
    for i in range(s.cuts[net] - 1):
        gain = _gain(s, net, i, values)
        if gain > best:
            best, cut = gain, i
    return best, cut


@njit(cache=True)
def simplified(s, kind, a, b):
    """The literal of an and or exclusive or of two literals where a constant, an operand or a node has it, else -1."""
    if kind == AND:
        if a == b or b == 1:
            return a
        if a == 1:
            return b
        if a == b ^ 1 or a == 0 or b == 0:
            return 0
        return _lookup(s, kind, min(a, b), max(a, b))
    flip = (a ^ b) & 1
    a, b = a & ~1, b & ~1
    if a == b:
        return flip
    if a == 0 or b == 0:
        return (a | b) ^ flip
    x = _lookup(s, kind, min(a, b), max(a, b))
    return x ^ flip if x >= 0 else x


@njit(cache=True)
def _home(s, kind, a, b):
    return (a * 0x9E3779B1 + b * 0x85EBCA77 + kind * 0x27D4EB2F >> 13) % len(s.slot)


@njit(cache=True)
def _lookup(s, kind, a, b):
    i = _home(s, kind, a, b)
    while s.slot[i] >= 0:
        net = s.slot[i]
        if s.kind[net] == kind and s.a[net] == a and s.b[net] == b:
            return 2 * net
        i = (i + 1) % len(s.slot)
    return -1


@njit(cache=True)
def _insert(s, net):
    i = _home(s, s.kind[net], s.a[net], s.b[net])
    while s.slot[i] >= 0:
        i = (i + 1) % len(s.slot)
    s.slot[i] = net
    s.order[s.count[1]] = net
    s.count[1] += 1


@njit(cache=True)
def _drop(s, net):
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


@njit(cache=True)
def _take(s, net):
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


@njit(cache=True)
def _revived(s, x):
    net = x >> 1
    if not s.alive[net]:
        s.alive[net] = True
        _take(s, s.a[net] >> 1)
        _take(s, s.b[net] >> 1)
    return x


@njit(cache=True)
def _hold(s, net, cut):
    for j in range(s.size[net, cut]):
        s.refs[s.leaf[net, cut, j]] += 1


@njit(cache=True)
def _release(s, net, cut):
    for j in range(s.size[net, cut]):
        _drop(s, s.leaf[net, cut, j])


@njit(cache=True)
def _gain(s, net, cut, values):
    """Gates that die with ``net`` above the cut's leaves, less the gates that its chain adds."""
    _hold(s, net, cut)
    freed = 1 + _drop(s, s.a[net] >> 1) + _drop(s, s.b[net] >> 1)
    added = _added(s, net, cut, values, freed)
    _take(s, s.a[net] >> 1)
    _take(s, s.b[net] >> 1)
    _release(s, net, cut)
    return freed - added


@njit(cache=True)
def _operands(op, x, y):
    """Kind, literals and output complement of a chain's gate: and, and-not, not-and, exclusive or, or."""
    if op == 3:
        return XOR, x, y, 0
    if op == 4:
        return AND, x ^ 1, y ^ 1, 1
    return AND, x ^ (op == 2), y ^ (op == 1), 0


@njit(cache=True)
def _chain(s, net, cut, values):
    """Place the leaves' literals in ``values``; the index of the chain."""
    for j in range(s.size[net, cut]):
        values[j] = 2 * s.leaf[net, cut, j]
    for j in range(s.size[net, cut], 4):
        values[j] = 0
    tt = np.int64(s.tt[net, cut])
    return (tt ^ (0xFFFF if tt & 1 else 0)) >> 1


@njit(cache=True)
def _added(s, net, cut, values, limit):
    index = _chain(s, net, cut, values)
    added = 0
    for g in range(s.length[index] if index else 0):
        op, x, y = s.chain[index, g]
        x, y = values[x], values[y]
        values[4 + g] = -1
        if x >= 0 and y >= 0:
            kind, x, y, flip = _operands(op, x, y)
            found = simplified(s, kind, x, y)
            if found >= 0:
                if s.stage[found >> 1] > s.stage[net]:
                    return 99
                values[4 + g] = found ^ flip
                added += not s.alive[found >> 1]
                continue
        added += 1
        if added >= limit:
            return 99
    return added


@njit(cache=True)
def _build(s, net, cut, values):
    """The literal of the cut's function over its leaves, from its chain, whose missing gates are added."""
    index = _chain(s, net, cut, values)
    complement = s.tt[net, cut] & 1
    gates = s.length[index] if index else 0
    if not index:
        return np.int64(complement)
    if gates == 0:
        for v in range(4):
            if (0xAAAA, 0xCCCC, 0xF0F0, 0xFF00)[v] == 2 * index:
                return values[v] ^ complement
    for g in range(gates):
        op, x, y = s.chain[index, g]
        kind, x, y, flip = _operands(op, values[x], values[y])
        values[4 + g] = _make(s, kind, x, y, s.stage[net]) ^ flip
    return values[3 + gates] ^ complement


@njit(cache=True)
def _make(s, kind, a, b, stage):
    found = simplified(s, kind, a, b)
    if found >= 0:
        return _revived(s, found)
    flip = 0
    if kind == XOR:
        flip = (a ^ b) & 1
        a, b = a & ~1, b & ~1
    net = s.count[0]
    s.count[0] += 1
    s.kind[net], s.a[net], s.b[net], s.stage[net] = kind, min(a, b), max(a, b), stage
    s.alive[net], s.refs[net] = True, 0
    _take(s, a >> 1)
    _take(s, b >> 1)
    enumerate_cuts(s, net)
    _insert(s, net)
    return np.int64(2 * net) ^ flip


@njit(cache=True)
def _trivial_cut(s, net):
    i = s.cuts[net]
    s.leaf[net, i, 0], s.size[net, i], s.tt[net, i] = net, 1, 0xAAAA
    s.cuts[net] = i + 1


@njit(cache=True)
def enumerate_cuts(s, net):
    """Merge the operands' cuts, smallest first; cuts end where another stage begins."""
    a, b = s.a[net] >> 1, s.b[net] >> 1
    s.cuts[net] = 0
    merged = np.empty(4, np.int32)
    for total in range(2, 9):
        for i in range(s.cuts[a]):
            if s.stage[a] != s.stage[net] and i < s.cuts[a] - 1:
                continue
            for j in range(s.cuts[b]):
                if s.size[a, i] + s.size[b, j] != total or (s.stage[b] != s.stage[net] and j < s.cuts[b] - 1):
                    continue
                n = union(s.leaf[a, i], s.size[a, i], s.leaf[b, j], s.size[b, j], merged)
                if n < 0 or s.cuts[net] == CUTS - 1 or _known(s, net, merged, n):
                    continue
                at = s.cuts[net]
                s.leaf[net, at, :n], s.size[net, at] = merged[:n], n
                s.tt[net, at] = _table(s, net, i, j, merged, n)
                s.cuts[net] += 1
    _trivial_cut(s, net)


@njit(cache=True)
def _known(s, net, leaves, n):
    """Is a cut of a subset of ``leaves`` there already?"""
    for c in range(s.cuts[net]):
        i = 0
        for j in range(n):
            if i < s.size[net, c] and s.leaf[net, c, i] == leaves[j]:
                i += 1
        if i == s.size[net, c]:
            return True
    return False


@njit(cache=True)
def _table(s, net, i, j, leaves, n):
    x = _spread(s, s.a[net], i, leaves, n)
    y = _spread(s, s.b[net], j, leaves, n)
    return x & y if s.kind[net] == AND else x ^ y


@njit(cache=True)
def _spread(s, literal, cut, leaves, n):
    """A cut's table, and the literal's complement, over more leaves."""
    net = literal >> 1
    place = np.zeros(4, np.int64)
    for i in range(s.size[net, cut]):
        for j in range(n):
            if leaves[j] == s.leaf[net, cut, i]:
                place[i] = j
    result = 0
    for m in range(16):
        address = 0
        for i in range(s.size[net, cut]):
            address |= (m >> place[i] & 1) << i
        result |= (np.int64(s.tt[net, cut]) >> address & 1) << m
    return result ^ (0xFFFF if literal & 1 else 0)
