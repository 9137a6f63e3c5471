"""Substitution of nodes under the eyes of samples: the inner loop of ``passes.substitution``."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.jit import inner, jit

WIRE, INVERTER = 0b1010, 0b0101
#: Gates of a full adder: what a constant bit saves in a population count.
ADDER = 5


class State(NamedTuple):
    """A network of two-input nodes over leaves, and what it decides for each sample.

    Nets are the leaves, ``0 .. first - 1`` with net 0 constant false, then the nodes.

    Attributes
    ----------
    a, b, table : array (nets,)
        Operands and table of each node.
    weight : array (nets,)
        Gates that are saved where a net is needed no more.
    refs : array (nets,)
        Nodes and output bits that read a net and are needed themselves.
    values : array (nets, words) of uint64
        Each net's bit of every sample, packed.
    start, group, sign : array (nets + 1,), (bits,), (bits,)
        The output bits that net ``n`` gives are ``start[n] .. start[n + 1] - 1``: the class that each counts for, and
        1, or -1 where its inverse counts.
    counts : array (samples, classes)
        Bits of each class that are true.
    target : array (samples,)
        The class that is right.
    lead : array (samples,)
        By how much the right class's count must exceed every other's, for a decision to be kept; 0: it must win.
    """

    first: int
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    table: NDArray[np.uint8]
    weight: NDArray[np.int32]
    refs: NDArray[np.int32]
    values: NDArray[np.uint64]
    start: NDArray[np.int32]
    group: NDArray[np.int32]
    sign: NDArray[np.int32]
    counts: NDArray[np.int32]
    target: NDArray[np.int64]
    lead: NDArray[np.int32]


@inner
def _gate(table: int, a: np.uint64, b: np.uint64) -> np.uint64:
    result = np.uint64(0)
    if table & 1:
        result |= ~a & ~b
    if table & 2:
        result |= a & ~b
    if table & 4:
        result |= ~a & b
    if table & 8:
        result |= a & b
    return result


@inner
def _ones(x: np.uint64) -> int:
    x -= (x >> np.uint64(1)) & np.uint64(0x5555555555555555)
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@inner
def _cone(s: Any, net: int, mark: NDArray[np.bool_], cone: NDArray[np.int32]) -> int:
    """The needed nodes that ``net`` reaches, ascending, itself first; marks them and returns how many they are."""
    mark[net], cone[0], size = True, net, 1
    for m in range(net + 1, len(s.table)):
        if s.refs[m] > 0 and m >= s.first and (mark[s.a[m]] or mark[s.b[m]]):
            mark[m], cone[size] = True, m
            size += 1
    return size


@inner
def _flip(s: Any, w: int, cone: NDArray[np.int32], size: int, mark: NDArray[np.bool_],
          flipped: NDArray[np.uint64]) -> None:
    """The values of the cone in word ``w`` where its first net is given in ``flipped``."""
    for i in range(1, size):
        m = cone[i]
        a, b = s.a[m], s.b[m]
        x = flipped[a] if mark[a] else s.values[a, w]
        y = flipped[b] if mark[b] else s.values[b, w]
        flipped[m] = _gate(s.table[m], x, y)


@inner
def _counted(s: Any, cone: NDArray[np.int32], size: int, ends: NDArray[np.int32]) -> int:
    """Write the nets of the cone that are counted to ``ends``; how many they are."""
    count = 0
    for i in range(size):
        if s.start[cone[i]] < s.start[cone[i] + 1]:
            ends[count] = cone[i]
            count += 1
    return count


@inner
def _recount(s: Any, sample: int, ends: NDArray[np.int32], w: int, flipped: NDArray[np.uint64],
             counts: NDArray[np.int32]) -> None:
    """Write the counts of a sample under the values in ``flipped`` to ``counts``."""
    bit = np.uint64(sample % 64)
    for c in range(len(counts)):
        counts[c] = s.counts[sample, c]
    for m in ends:
        now, old = flipped[m] >> bit & np.uint64(1), s.values[m, w] >> bit & np.uint64(1)
        if now != old:
            for o in range(s.start[m], s.start[m + 1]):
                counts[s.group[o]] += s.sign[o] if now else -s.sign[o]


@inner
def _right(counts: NDArray[np.int32], target: int, lead: int) -> bool:
    """Whether the target's count leads by as much as it must; of equal counts the lowest class wins."""
    least = counts[target] - lead
    for c in range(len(counts)):
        if c != target and (counts[c] > least or (lead == 0 and counts[c] == least and c < target)):
            return False
    return True


@inner
def _release(s: Any, net: int, stack: NDArray[np.int32], freed: NDArray[np.int32]) -> int:
    """Take the operands' references from ``net``, which is needed no more; nodes that die follow. How many died."""
    top, count = 1, 0
    stack[0] = net
    while top:
        top -= 1
        n = stack[top]
        freed[count] = n
        count += 1
        for operand in (s.a[n], s.b[n]):
            s.refs[operand] -= 1
            if s.refs[operand] == 0 and operand >= s.first:
                stack[top] = operand
                top += 1
    return count


@inner
def _claim(s: Any, net: int, stack: NDArray[np.int32]) -> None:
    """Give the operands' references back to ``net``, and to the nodes that live again by that."""
    top = 1
    stack[0] = net
    while top:
        top -= 1
        n = stack[top]
        for operand in (s.a[n], s.b[n]):
            if s.refs[operand] == 0 and operand >= s.first:
                stack[top] = operand
                top += 1
            s.refs[operand] += 1


@inner
def _woken(s: Any, net: int, dead: NDArray[np.bool_], stack: NDArray[np.int32], seen: NDArray[np.int32]) -> int:
    """Gates that live again where ``net`` is read: those of its cone that ``dead`` marks."""
    top, count, gates = 1, 0, 0
    stack[0] = net
    while top:
        top -= 1
        n = stack[top]
        if not dead[n]:
            continue
        dead[n] = False
        seen[count] = n
        count += 1
        gates += s.weight[n]
        stack[top], stack[top + 1] = s.a[n], s.b[n]
        top += 2
    for i in range(count):
        dead[seen[i]] = True
    return gates


@jit
def substitute(s: Any, order: NDArray[np.int64], rate: float, replacement: NDArray[np.int64]) -> int:
    """Replace nodes by earlier nets, inverses or constants, one after the other, while that is worth it.

    A replacement differs from the node on some samples; on those the node flips, and which right decisions are lost
    and which are won by a flip was computed exactly. Of all replacements the one with the least ``lost - won - rate *
    gates`` is taken, the one that differs on the fewest samples of equals, where that is at most 0.

    Parameters
    ----------
    s : State
        Changed in place: a replaced node becomes a wire or an inverter.
    order : array
        Nodes to visit.
    rate : float
        Decisions that a gate may cost.
    replacement : array (nets,)
        Gets ``2 net + complement`` of each replaced node; -1 elsewhere.

    Returns
    -------
    int
        How many nodes were replaced.
    """
    nets, words = s.values.shape
    classes = s.counts.shape[1]
    mark, dead = np.zeros(nets, np.bool_), np.zeros(nets, np.bool_)
    cone, stack, freed = np.empty(nets, np.int32), np.empty(2 * nets + 2, np.int32), np.empty(nets, np.int32)
    seen, counted, flipped = np.empty(nets, np.int32), np.empty(nets, np.int32), np.zeros(nets, np.uint64)
    lost, won, counts = np.zeros(words, np.uint64), np.zeros(words, np.uint64), np.zeros(classes, np.int32)
    accepted = 0
    for net in order:
        if s.refs[net] <= 0 or replacement[net] >= 0:
            continue
        size = _cone(s, net, mark, cone)
        ends = counted[: _counted(s, cone, size, counted)]
        _effects(s, net, cone, size, ends, mark, flipped, lost, won, counts)
        died = _release(s, net, stack, freed)
        saved = 0
        for i in range(died):
            saved += s.weight[freed[i]]
            dead[freed[i]] = True
        outputs = s.start[net + 1] - s.start[net]
        best = _best(s, net, rate, saved, outputs, dead, lost, won, stack, seen, replacement)
        for i in range(died):
            dead[freed[i]] = False
        if best >= 0:
            accepted += 1
            replacement[net] = best
            _replace(s, net, best, cone, size, ends, mark, flipped, counts)
        _claim(s, net, stack)
        for i in range(size):
            mark[cone[i]] = False
    return accepted


@inner
def _effects(s: Any, net: int, cone: NDArray[np.int32], size: int, ends: NDArray[np.int32], mark: NDArray[np.bool_],
             flipped: NDArray[np.uint64], lost: NDArray[np.uint64], won: NDArray[np.uint64],
             counts: NDArray[np.int32]) -> None:
    """Which right decisions a flip of ``net`` loses, and which it wins, each sample on its own."""
    samples = len(s.target)
    for w in range(len(lost)):
        flipped[net] = ~s.values[net, w]
        _flip(s, w, cone, size, mark, flipped)
        touched = np.uint64(0)
        for m in ends:
            touched |= flipped[m] ^ s.values[m, w]
        lost[w] = won[w] = 0
        for bit in range(min(64, samples - 64 * w)):
            if touched >> np.uint64(bit) & np.uint64(1):
                sample = 64 * w + bit
                before = _right(s.counts[sample], s.target[sample], s.lead[sample])
                _recount(s, sample, ends, w, flipped, counts)
                after = _right(counts, s.target[sample], s.lead[sample])
                if before and not after:
                    lost[w] |= np.uint64(1) << np.uint64(bit)
                elif after and not before:
                    won[w] |= np.uint64(1) << np.uint64(bit)


@inner
def _best(s: Any, net: int, rate: float, saved: int, outputs: int, dead: NDArray[np.bool_], lost: NDArray[np.uint64],
          won: NDArray[np.uint64], stack: NDArray[np.int32], seen: NDArray[np.int32],
          replacement: NDArray[np.int64]) -> int:
    """``2 net + complement`` of the best replacement, -1 where none is worth it."""
    words, samples = len(lost), len(s.target)
    wins = 0
    for w in range(words):
        wins += _ones(won[w])
    best, least, nearest = -1, 0.0, samples + 1
    for r in range(net):
        if r and (replacement[r] >= 0 or (s.refs[r] <= 0 and not dead[r])):
            continue
        gates = saved - (_woken(s, r, dead, stack, seen) if dead[r] else 0) + (ADDER * outputs if r == 0 else 0)
        if gates <= 0:
            continue
        for complement in range(2):
            limit = least + rate * gates + wins
            score = 0
            w = 0
            while w < words and score <= limit:
                differ = s.values[r, w] ^ s.values[net, w]
                if complement:
                    differ = ~differ
                score += _ones(differ & lost[w])
                w += 1
            if w < words:
                continue
            for w in range(words if wins else 0):
                differ = s.values[r, w] ^ s.values[net, w]
                score -= _ones((~differ if complement else differ) & won[w])
            value = score - rate * gates
            if value > least or (best >= 0 and value == least and nearest == 0):
                continue
            distance = 0
            for w in range(words):
                differ = s.values[r, w] ^ s.values[net, w]
                distance += _ones(~differ if complement else differ)
            if best < 0 or value < least or distance < nearest:
                best, least, nearest = 2 * r + complement, value, distance
    return best


@inner
def _replace(s: Any, net: int, literal: int, cone: NDArray[np.int32], size: int, ends: NDArray[np.int32],
             mark: NDArray[np.bool_], flipped: NDArray[np.uint64], counts: NDArray[np.int32]) -> None:
    """Make ``net`` a wire or an inverter of another net; new values, counts and table."""
    source, samples = literal >> 1, len(s.target)
    for w in range(s.values.shape[1]):
        flipped[net] = ~s.values[source, w] if literal & 1 else s.values[source, w]
        _flip(s, w, cone, size, mark, flipped)
        touched = np.uint64(0)
        for m in ends:
            touched |= flipped[m] ^ s.values[m, w]
        for bit in range(min(64, samples - 64 * w)):
            if touched >> np.uint64(bit) & np.uint64(1):
                _recount(s, 64 * w + bit, ends, w, flipped, counts)
                for c in range(len(counts)):
                    s.counts[64 * w + bit, c] = counts[c]
        for i in range(size):
            s.values[cone[i], w] = flipped[cone[i]]
    s.a[net] = s.b[net] = source
    s.table[net] = INVERTER if literal & 1 else WIRE
    s.weight[net] = 0
