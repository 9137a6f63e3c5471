"""Blocks of samples in compiled code: arrays of rows, a row for each feature or gate, a lane for each sample."""

from ....core.jit import inner, inner_inlined, jit
from ....core.simd import filled, flat, load_row, store_row, width

#: Features that are copied at a time: a tile suits either order of a matrix in memory.
TILE = 16


@inner
def to_block(x, start, block):
    """Copy columns ``start ..`` of ``x`` (features, samples) to rows of ``block``; lanes past the last sample are 0."""
    features, samples = x.shape
    lanes = width(block)
    n = min(lanes, samples - start)
    if n < lanes:
        clear(block, features)
    out = flat(block)
    for tile in range(0, features, TILE):
        for s in range(n):
            for f in range(tile, min(tile + TILE, features)):
                out[f * lanes + s] = x[f, start + s]


@inner
def from_block(block, out, start):
    """Copy the first rows of ``block`` to columns ``start ..`` of ``out`` (features, samples)."""
    features, samples = out.shape
    lanes, numbers = width(block), flat(block)
    for f in range(features):
        for s in range(min(lanes, samples - start)):
            out[f, start + s] = numbers[f * lanes + s]


@inner
def clear(rows, count):
    """Set the first ``count`` rows to 0."""
    for i in range(count):
        store_row(filled(rows, 0), rows, i)


@inner_inlined
def gate(a, b, c, g):
    """Gate ``g`` of coefficients ``c`` (gates, 4) on vectors ``a`` and ``b``: ``c0 + c1 a + (c2 + c3 a) b``."""
    low = c[g, 0] + c[g, 1] * a
    return low + (c[g, 2] + c[g, 3] * a) * b


@inner_inlined
def operands(block, source, pairs, g):
    """The two inputs of gate ``g``; its layer's inputs are the rows of ``block`` from ``source`` on."""
    return load_row(block, source + pairs[g, 0]), load_row(block, source + pairs[g, 1])


@jit
def add_parts(parts):
    """Add ``parts[1], parts[2], ...`` to ``parts[0]``, in order."""
    total = parts[0].reshape(-1)
    for p in range(1, len(parts)):
        part = parts[p].reshape(-1)
        for i in range(len(total)):
            total[i] += part[i]
