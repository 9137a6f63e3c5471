"""Numba kernels of the packed engine. A *row* is ``LANES`` 64-bit words: one bit of each of ``BLOCK`` samples.

``memory`` holds rows one after the other; operands and results are row numbers.
"""

import numpy as np
from numba import njit

from ..simd import load, logic, splat, store

LANES = 8
BLOCK = 64 * LANES
OCTETS = BLOCK // 8
_jit = njit(nogil=True, cache=True, error_model="numpy")

#: The gates that remain when operands may be exchanged; NOT reads its one operand twice.
TABLES = (0b0001, 0b0010, 0b0101, 0b0110, 0b0111, 0b1000, 0b1001, 0b1011, 0b1110)
#: Codes of the other steps of a program.
POPCOUNT, ARGMAX = 16, 17


@_jit
def _gates(memory, a, b, out, begin, end, table):
    for g in range(np.uint64(begin), np.uint64(end)):  # unsigned: no test for an index from the end
        store(logic(load(memory, a[g] * LANES, LANES), load(memory, b[g] * LANES, LANES), table), memory, out[g] * LANES)


@_jit
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


@_jit
def _carry(a, b, c):
    return (a & b) | ((a | b) & c)


@_jit
def _four(memory, rows, i, ones, twos):
    """Four more rows into the running ones and twos; the new fours."""
    a, b = load(memory, rows[i] * LANES, LANES), load(memory, rows[i + 1] * LANES, LANES)
    c, d = load(memory, rows[i + 2] * LANES, LANES), load(memory, rows[i + 3] * LANES, LANES)
    twos_a = _carry(ones, a, b)
    ones = ones ^ a ^ b
    twos_b = _carry(ones, c, d)
    ones = ones ^ c ^ d
    return ones, twos ^ twos_a ^ twos_b, _carry(twos, twos_a, twos_b)


@_jit
def _ripple(memory, carry, out, first, end):
    """Add ``carry`` to the counter held in the rows ``out[first .. end]``."""
    for j in range(first, end):
        plane = load(memory, out[j] * LANES, LANES)
        store(plane ^ carry, memory, out[j] * LANES)
        carry = carry & plane


@_jit
def _popcount(memory, rows, out):
    """Rows ``out``, LSB first, become the number of set rows; carry-save adders over sixteen rows at a time.

    Source: Harley and Seal's population count, in Warren, Hacker's Delight.
    """
    zero = splat(np.uint64(0), LANES)
    ones, twos, fours, eights = zero, zero, zero, zero
    width, n = len(out), len(rows)
    for j in range(width):
        store(zero, memory, out[j] * LANES)
    i = 0
    while i + 16 <= n:
        ones, twos, fours_a = _four(memory, rows, i, ones, twos)
        ones, twos, fours_b = _four(memory, rows, i + 4, ones, twos)
        eights_a = _carry(fours, fours_a, fours_b)
        fours = fours ^ fours_a ^ fours_b
        ones, twos, fours_a = _four(memory, rows, i + 8, ones, twos)
        ones, twos, fours_b = _four(memory, rows, i + 12, ones, twos)
        eights_b = _carry(fours, fours_a, fours_b)
        fours = fours ^ fours_a ^ fours_b
        _ripple(memory, _carry(eights, eights_a, eights_b), out, 4, width)
        eights = eights ^ eights_a ^ eights_b
        i += 16
    while i < n:
        _ripple(memory, load(memory, rows[i] * LANES, LANES), out, 0, width)
        i += 1
    _ripple(memory, ones, out, 0, width)
    _ripple(memory, twos, out, 1, width)
    _ripple(memory, fours, out, 2, width)
    _ripple(memory, eights, out, 3, width)


@_jit
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


@_jit
def evaluate(memory, op, begin, end, a, b, out, best):
    """The whole program on one block: steps ``op[k]`` over ``begin[k] .. end[k]`` of the operand lists.

    A gate run reads ``a`` and ``b`` and writes ``out``; a popcount or an arg-max reads the rows ``a[begin .. end]`` and
    writes the ``b[begin]`` rows that ``out`` lists from ``begin`` on; for an arg-max ``b[begin + 1]`` is the number of words.
    """
    for k in range(len(op)):
        first, last = begin[k], end[k]
        if op[k] == POPCOUNT:
            _popcount(memory, a[first:last], out[first : first + b[first]])
        elif op[k] == ARGMAX:
            _argmax(memory, a[first:last], b[first + 1], out[first : first + b[first]], best)
        else:
            _run(memory, op[k], a, b, out, first, last)


@_jit
def encode(x, start, mask, threshold, octets, memory):
    """Samples ``start ..`` of codes ``x`` (samples, words) into rows of bits.

    Row ``p words + w`` holds ``(x[:, w] & mask[p, w]) >= threshold[p, w]``: eight samples make an octet by a loop over words,
    which vectorises, and octets are then laid along each row.
    """
    planes, words = mask.shape
    n = min(BLOCK, len(x) - start)
    groups = -(-n // 8)
    for p in range(planes):
        for k in range(groups):
            line = octets[k]
            line[:] = 0
            for s in range(min(8, n - 8 * k)):
                row = x[start + 8 * k + s]
                bit = np.uint8(1 << s)
                for w in range(words):
                    if (row[w] & mask[p, w]) >= threshold[p, w]:
                        line[w] |= bit
        for w in range(words):
            base = (p * words + w) * OCTETS
            for k in range(groups):
                memory[base + k] = octets[k, w]


@_jit
def decode(memory, rows, first_bit, start, out):
    """Bit rows into codes ``out`` (samples, words); word ``w`` has its bits in ``rows[first_bit[w] : first_bit[w + 1]]``."""
    n = min(BLOCK, len(out) - start)
    one = np.uint64(1)
    for w in range(out.shape[1]):
        for s in range(n):
            code = np.uint64(0)
            for j in range(first_bit[w], first_bit[w + 1]):
                bit = (memory[rows[j] * LANES + (s >> 6)] >> np.uint64(s & 63)) & one
                code |= bit << np.uint64(j - first_bit[w])
            out[start + s, w] = code
