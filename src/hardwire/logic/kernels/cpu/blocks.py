"""Blocks of samples: how a batch is cut, how a block is filled, and how blocks are dealt to parts and threads."""

import functools
from contextlib import contextmanager

import numpy as np
import torch
from numba import literally, njit

from ....core.simd import splat
from ....core.threads import run_jobs

WIDE, NARROW = 32, 16
PARTS = 8
#: Coefficient gradients of all parts together take at most so many bytes; a large network gets fewer parts.
PART_BYTES = 1 << 28
TILE = 16
_threads: int | None = None
jit = njit(nogil=True, cache=True, error_model="numpy")
#: For functions of vectors: a call would pass them through memory.
inlined = njit(nogil=True, cache=True, error_model="numpy", forceinline=True)


@jit
def to_block(x, start, block, lanes):
    """Columns ``start ..`` of feature-major ``x`` into a zero-padded block, in tiles that suit either order of ``x`` in memory."""
    literally(lanes)
    features, samples = x.shape
    n = min(lanes, samples - start)
    if n < lanes:
        block[: features * lanes] = 0
    for tile in range(0, features, TILE):
        for s in range(n):
            for f in range(tile, min(tile + TILE, features)):
                block[f * lanes + s] = x[f, start + s]


@jit
def from_block(block, first, out, start, lanes):
    """A block's rows from ``first`` on into columns ``start ..`` of feature-major ``out``."""
    literally(lanes)
    features, samples = out.shape
    for f in range(features):
        for s in range(min(lanes, samples - start)):
            out[f, start + s] = block[(first + f) * lanes + s]


@jit
def add_parts(parts):
    """``parts[0]`` becomes the sum of all parts, added in order."""
    flat = parts.reshape(len(parts), -1)
    for p in range(1, len(flat)):
        for i in range(flat.shape[1]):
            flat[0, i] += flat[p, i]


@inlined
def gate(a, b, c, g, lanes):
    """Gate ``g`` of coefficients ``c`` on vectors ``a`` and ``b``: ``c0 + c1 a + (c2 + c3 a) b``."""
    literally(lanes)
    low = splat(c[g, 0], lanes) + splat(c[g, 1], lanes) * a
    return low + (splat(c[g, 2], lanes) + splat(c[g, 3], lanes) * a) * b


@contextmanager
def own_threads():
    """Inside, the kernels keep torch's number of threads and torch itself works with one.

    Its own operations here are small, and its threads wait for each other by spinning: beside any other program on the
    machine a step then takes ten times as long.
    """
    global _threads
    before, _threads = _threads, torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(_threads)
        _threads = before


@functools.lru_cache(64)
def cut(samples: int, part_bytes: int = 1) -> list[np.ndarray]:
    """Block starts of each part; depends on the batch and on the bytes of a part alone."""
    starts = np.arange(0, samples, WIDE)
    parts = min(PARTS, len(starts), max(2, PART_BYTES // max(1, part_bytes)))
    return np.array_split(starts, max(1, parts))


def cut_sums(samples: int, part_bytes: int) -> list[np.ndarray]:
    """``cut`` for sums over blocks that are added in order: with one thread, parts of one block are one part, to the same bits."""
    parts = cut(samples, part_bytes)
    alone = threads() == 1 and all(len(part) == 1 for part in parts)
    return [np.concatenate(parts)] if alone else parts


def threads() -> int:
    """Threads that the kernels may take."""
    return _threads or torch.get_num_threads()


def run_parts(work, parts: int) -> None:
    """``work(part)`` for every part, over the kernels' threads."""
    run_jobs(work, parts, threads())
