"""Blocks of samples: how a batch is cut into blocks and parts, and how kernels run over them.

A batch (features, samples) is cut into blocks of ``WIDE`` samples, of which the last may be ``NARROW``. Neighbouring blocks form
parts; a part has coefficient gradients of its own, which are added in the parts' order. What a part is depends on the batch and the
network alone, so the result has the same bits for any number of threads.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike

from ....core.simd import row_type
from ....core.threads import run_jobs, workspace

WIDE, NARROW = 32, 16
PARTS = 8
#: Coefficient gradients of all parts together take at most so many bytes; a large network gets fewer parts.
PART_BYTES = 1 << 28
#: Blocks of a batch from which on forward takes its last block wide: a narrow kernel saves less than it costs to compile.
MANY = 4
_threads: int | None = None


@contextmanager
def own_threads() -> Iterator[None]:
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


def threads() -> int:
    """Number of threads that the kernels may take."""
    return _threads or torch.get_num_threads()


@functools.lru_cache(64)
def cut(samples: int, part_bytes: int = 1) -> list[range]:
    """Starts of the blocks of each part; a function of the batch and of the bytes of a part's gradients alone."""
    blocks = -(-samples // WIDE)
    parts = max(1, min(PARTS, blocks, max(2, PART_BYTES // max(1, part_bytes))))
    size, larger = divmod(blocks, parts)  # the first parts are one block larger, as np.array_split has it
    edges = [part * size + min(part, larger) for part in range(parts + 1)]
    return [range(first * WIDE, last * WIDE, WIDE) for first, last in zip(edges, edges[1:])]


def cut_sums(samples: int, part_bytes: int) -> list[range]:
    """``cut`` for sums over blocks that are added in order: with one thread, parts of one block are one part, to the same bits."""
    parts = cut(samples, part_bytes)
    alone = threads() == 1 and all(len(part) == 1 for part in parts)
    return [range(0, samples, WIDE)] if alone else parts


def run_parts(work: Callable[[int], object], parts: int) -> None:
    """Call ``work(part)`` for every part, over the kernels' threads."""
    run_jobs(work, parts, threads())


def run_blocks(kernel: Callable[..., None], arguments: Callable[[int], tuple[Any, ...]], parts: Sequence[range], samples: int,
               buffers: Callable[..., tuple[Any, ...]], rows: Sequence[int], dtype: DTypeLike, *, many: bool = False) -> None:
    """Run a compiled kernel over the blocks of every part, with the parts shared out over the kernels' threads.

    Parameters
    ----------
    kernel
        ``kernel(*arguments(part), buffers, begin, end, fresh)`` works on the blocks that start at ``range(begin, end, WIDE)``;
        ``fresh`` says that these are the first of their part. It is called once for the wide blocks of a part and once for a
        narrow one, and compiled for the widths that occur.
    arguments
        What a part reads and writes.
    parts
        Block starts of each part, by ``cut``.
    samples
        Samples of the batch.
    buffers
        Class of the kernel's workspace, a named tuple of arrays of rows.
    rows
        Number of rows of each buffer; buffers are not initialised, and kept between calls.
    dtype
        Type of the buffers' numbers.
    many
        Take the last block of batches of more than ``MANY`` blocks wide, too.
    """
    dtype = np.dtype(dtype)
    wide_only = many and samples > MANY * WIDE

    def work(part: int) -> None:
        starts = parts[part]
        wide = len(starts) if wide_only else len(starts) - any(samples - start <= NARROW for start in starts[-1:])
        memory = workspace(dtype, *(WIDE * n for n in rows))
        for lanes, blocks in ((WIDE, starts[:wide]), (NARROW, starts[wide:])):
            if len(blocks):
                fitting = (m[: lanes * n].view(row_type(dtype, lanes)) for m, n in zip(memory, rows))
                kernel(*arguments(part), buffers(*fitting), blocks.start, blocks.stop, blocks.start == starts.start)

    run_parts(work, len(parts))
