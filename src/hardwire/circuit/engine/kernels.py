"""Numba kernels of the packed engine. A *row* is ``LANES`` 64-bit words: one bit of each of ``BLOCK`` samples.

``memory`` holds rows one after the other; operands and results are row numbers.
"""

import numpy as np
from numpy.typing import NDArray

from ...core.bits import Codes
from ...core.jit import inner, jit
from ...core.simd import load, logic, splat, store, transpose_octets, where_at_least

LANES = 8
BLOCK = 64 * LANES

#: The gates that remain when operands may be exchanged; NOT reads its one operand twice.
TABLES = (0b0001, 0b0010, 0b0101, 0b0110, 0b0111, 0b1000, 0b1001, 0b1011, 0b1110)
#: Codes of the other steps of a program.
POPCOUNT, ARGMAX = 16, 17


@inner
def _gates(memory, a, b, out, begin, end, table):
    for g in range(np.uint64(begin), np.uint64(end)):  # unsigned: no test for an index from the end
        x, y = load(memory, a[g] * LANES, LANES), load(memory, b[g] * LANES, LANES)
        store(logic(x, y, table), memory, out[g] * LANES)


@inner
def _run(memory, op, a, b, out, begin, end):
    """One run of equal gates; each branch is a loop of its own, compiled for its gate."""
    if op == 0b0001:
        _gates(memory, a, b, out, begin, end, 0b0001)
    elif op == 0b0010:
        _gates(memory, a, b, out, begin, end, 0b0010)
    elif op == 0b0101:
        _gates(memory, a, b, out, begin, end, 0b0101)
    elif op == 0b0110:
        _gates(memory, a, b, out, begin, end, 0b0110)
    elif op == 0b0111:
        _gates(memory, a, b, out, begin, end, 0b0111)
    elif op == 0b1000:
        _gates(memory, a, b, out, begin, end, 0b1000)
    elif op == 0b1001:
        _gates(memory, a, b, out, begin, end, 0b1001)
    elif op == 0b1011:
        _gates(memory, a, b, out, begin, end, 0b1011)
    elif op == 0b1110:
        _gates(memory, a, b, out, begin, end, 0b1110)


@inner
def _carry(a, b, c):
    return (a & b) | ((a | b) & c)


@inner
def _four(memory, rows, i, ones, twos):
    """Four more rows into the running ones and twos; the new fours."""
    a, b = load(memory, rows[i] * LANES, LANES), load(memory, rows[i + 1] * LANES, LANES)
    c, d = load(memory, rows[i + 2] * LANES, LANES), load(memory, rows[i + 3] * LANES, LANES)
    twos_a = _carry(ones, a, b)
    ones = ones ^ a ^ b
    twos_b = _carry(ones, c, d)
    ones = ones ^ c ^ d
    return ones, twos ^ twos_a ^ twos_b, _carry(twos, twos_a, twos_b)


@inner
def _ripple(memory, carry, out, first, end):
    """Add ``carry`` to the counter held in the rows ``out[first .. end]``."""
    for j in range(first, end):
        plane = load(memory, out[j] * LANES, LANES)
        store(plane ^ carry, memory, out[j] * LANES)
        carry = carry & plane


@inner
def _popcount(memory, rows, out):
    """Rows ``out``, LSB first, become the number of set rows; carry-save adders over sixteen rows at a time.

    Source: Harley and Seal's population count, in Warren, Hacker's Delight.
    """
    zero = splat(np.uint64(0), LANES)
    ones, twos, fours, eights = zero, zero, zero, zero
    width, n = len(out), len(rows)
    for j in range(width):
        store(zero, memory, out[j] * LANES)
    i = np.int64(0)  # a literal 0 would compile what it is passed to once more
    while i + 16 <= n:
        ones, twos, fours_a = _four(memory, rows, i, ones, twos)
        ones, twos, fours_b = _four(memory, rows, i + 4, ones, twos)
        eights_a = _carry(fours, fours_a, fours_b)
        fours = fours ^ fours_a ^ fours_b
        ones, twos, fours_a = _four(memory, rows, i + 8, ones, twos)
        ones, twos, fours_b = _four(memory, rows, i + 12, ones, twos)
        eights_b = _carry(fours, fours_a, fours_b)
        fours = fours ^ fours_a ^ fours_b
        _ripple(memory, _carry(eights, eights_a, eights_b), out, np.int64(4), width)
        eights = eights ^ eights_a ^ eights_b
        i += 16
    while i < n:
        _ripple(memory, load(memory, rows[i] * LANES, LANES), out, np.int64(0), width)
        i += 1
    _ripple(memory, ones, out, np.int64(0), width)
    _ripple(memory, twos, out, np.int64(1), width)
    _ripple(memory, fours, out, np.int64(2), width)
    _ripple(memory, eights, out, np.int64(3), width)


@inner
def _argmax(memory, rows, words, out, best):
    """Rows ``out``, LSB first, become the index of the largest of ``words`` words; the lowest index wins a tie."""
    width = len(rows) // words
    zero = splat(np.uint64(0), LANES)
    for j in range(width):
        store(load(memory, rows[j] * LANES, LANES), best, j * LANES)
    for j in range(len(out)):
        store(zero, memory, out[j] * LANES)
    for w in range(1, words):
        wins = zero
        for j in range(width):
            x, y = load(memory, rows[w * width + j] * LANES, LANES), load(best, j * LANES, LANES)
            wins = (x & ~y) | (wins & ~(x ^ y))
        for j in range(width):
            x, y = load(memory, rows[w * width + j] * LANES, LANES), load(best, j * LANES, LANES)
            store((x & wins) | (y & ~wins), best, j * LANES)
        for j in range(len(out)):
            kept = load(memory, out[j] * LANES, LANES) & ~wins
            store(kept | wins if w >> j & 1 else kept, memory, out[j] * LANES)


@jit
def evaluate(
    memory: NDArray[np.uint64], op: NDArray[np.int64], begin: NDArray[np.int64], end: NDArray[np.int64],
    a: NDArray[np.int64], b: NDArray[np.int64], out: NDArray[np.int64], best: NDArray[np.uint64],
) -> None:
    """The whole program on one block: steps ``op[k]`` over ``begin[k] .. end[k]`` of the operand lists.

    A gate run reads ``a`` and ``b`` and writes ``out``; a popcount or an arg-max reads the rows ``a[begin .. end]`` and
    writes the ``b[begin]`` rows that ``out`` lists from ``begin`` on; for an arg-max ``b[begin + 1]`` is the number of
    words.
    """
    for k in range(len(op)):
        first, last = begin[k], end[k]
        if op[k] == POPCOUNT:
            _popcount(memory, a[first:last], out[first : first + b[first]])
        elif op[k] == ARGMAX:
            _argmax(memory, a[first:last], b[first + 1], out[first : first + b[first]], best)
        else:
            _run(memory, op[k], a, b, out, first, last)


@inner
def _stage(x, start, staged, width):
    """64 samples from ``start`` on, row by row of ``width`` codes; what is beyond the samples or the words is 0."""
    words = x.shape[1]
    whole = words // 64 * 64
    for s in range(64):
        if start + s >= len(x):
            staged[s * width : (s + 1) * width] = 0
            continue
        for w in range(0, whole, 64):
            store(load(x, (start + s) * words + w, 64), staged, s * width + w)
        for w in range(whole, words):
            staged[s * width + w] = x[start + s, w]
        for w in range(words, width):
            staged[s * width + w] = 0


@jit
def encode(
    x: Codes, start: int, word: NDArray[np.int64], mask: Codes, threshold: Codes, staged: Codes,
    octets: NDArray[np.uint8], turned: NDArray[np.uint64], memory: NDArray[np.uint64],
) -> None:
    """Samples ``start ..`` of codes ``x`` (samples, words) into rows of bits.

    Row ``64 c + j`` holds ``(x[:, word[c] + j] & mask[c, j]) >= threshold[c, j]``: chunks of 64 neighbouring words. Of
    64 samples and one chunk, eight samples at a time make eight rows of 64 octets, which are then turned to lie along
    the rows.
    """
    width = len(staged) // 64
    flat_mask, flat_threshold = mask.ravel(), threshold.ravel()
    for group in range(LANES):
        if start + 64 * group >= len(x):
            break
        _stage(x, start + 64 * group, staged, width)
        for c in range(len(word)):
            keep, least = load(flat_mask, 64 * c, 64), load(flat_threshold, 64 * c, 64)
            for octet in range(8):
                bits = where_at_least(load(staged, 8 * octet * width + word[c], 64) & keep, least, np.uint8(1))
                for s in range(1, 8):
                    codes = load(staged, (8 * octet + s) * width + word[c], 64) & keep
                    bits = bits | where_at_least(codes, least, np.uint8(1 << s))
                store(bits, octets, 64 * octet)
            transpose_octets(octets, turned.view(np.uint8))
            for j in range(np.uint64(64)):
                memory[np.uint64((64 * c) * LANES + group) + j * np.uint64(LANES)] = turned[j]


@jit
def decode(
    memory: NDArray[np.uint64], rows: NDArray[np.int64], first_bit: NDArray[np.int64], start: int, out: Codes
) -> None:
    """Bit rows into codes ``out`` (samples, words).

    Word ``w`` has its bits in ``rows[first_bit[w] : first_bit[w + 1]]``.
    """
    n = min(BLOCK, len(out) - start)
    one = np.uint64(1)
    for w in range(out.shape[1]):
        for s in range(n):
            code = np.uint64(0)
            for j in range(first_bit[w], first_bit[w + 1]):
                bit = (memory[rows[j] * LANES + (s >> 6)] >> np.uint64(s & 63)) & one
                code |= bit << np.uint64(j - first_bit[w])
            out[start + s, w] = code
