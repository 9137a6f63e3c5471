"""Blocks of samples: how a batch is cut into blocks and parts, and how kernels run over them.

A batch (features, samples) is cut into blocks of ``WIDE`` samples, of which the last may be ``NARROW``. Neighbouring
blocks form parts; a part has coefficient gradients of its own, which are added in the parts' order. What a part is
depends on the batch and the network alone, so the result has the same bits for any number of threads.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray

from ....core.simd import row_type
from ....core.threads import run_jobs, workspace

WIDE, NARROW = 32, 16
PARTS = 8
#: Coefficient gradients of all parts together take at most so many bytes; a large network gets fewer parts.
PART_BYTES = 1 << 28
#: Forward takes the last block wide in batches of more blocks than this: a narrow kernel would save little time there,
#: and evaluation alone would have to compile it.
MANY = 4
#: A buffer of a workspace, an array of rows of one vector each; before there is one, the number of its rows.
Buffer: TypeAlias = int | NDArray[np.void]
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
    size, larger = divmod(blocks, parts)  # so many parts are one block larger than the others
    edges = [WIDE * (part * size + min(part, larger)) for part in range(parts + 1)]
    return [range(first, last, WIDE) for first, last in pairwise(edges)]


def cut_sums(samples: int, part_bytes: int) -> list[range]:
    """``cut`` for sums over blocks in order: with one thread, parts of one block are one part, to the same bits."""
    parts = cut(samples, part_bytes)
    alone = threads() == 1 and all(len(part) == 1 for part in parts)
    return [range(0, samples, WIDE)] if alone else parts


def run_parts(work: Callable[[int], object], parts: int) -> None:
    """Call ``work(part)`` for every part, over the kernels' threads."""
    run_jobs(work, parts, threads())


def run_blocks(
    kernel: Callable[..., None],
    arguments: Callable[[int], tuple[Any, ...]],
    parts: Sequence[range],
    samples: int,
    rows: tuple[Buffer, ...],
    dtype: DTypeLike,
    *,
    forward: bool = False,
) -> None:
    """Run a compiled kernel over the blocks of every part; the kernels' threads share the parts out.

    Parameters
    ----------
    kernel
        ``kernel(*arguments(part), work, begin, end, fresh)`` works on the blocks that start at
        ``range(begin, end, WIDE)``; ``fresh`` says that the first of them is the first of its part. It is called once
        for the wide blocks of a part and once for a narrow one, and compiled for the widths that occur.
    arguments
        What the blocks of a part read and write.
    parts
        Block starts of each part, by ``cut``.
    samples
        Samples of the batch.
    rows
        The kernel's workspace, a named tuple, with the number of rows of each buffer in place of the buffer. ``work``
        is the same tuple with the buffers; they are kept between calls and not initialised.
    dtype
        Type of the buffers' numbers.
    forward
        Whether no sums over samples are made: then the last block of a batch of more than ``MANY`` is wide in any case,
        and one thread takes all blocks as one part.
    """
    number: np.dtype[Any] = np.dtype(dtype)
    make, counts = cast(Any, type(rows)), cast(tuple[int, ...], rows)
    narrow = not (forward and samples > MANY * WIDE)
    if forward and threads() == 1:
        parts = [range(0, samples, WIDE)]

    def run_part(part: int) -> None:
        starts = parts[part]
        wide = len(starts) - any(narrow and samples - start <= NARROW for start in starts[-1:])
        memory = workspace(number, *(WIDE * n for n in counts))
        for lanes, blocks in ((WIDE, starts[:wide]), (NARROW, starts[wide:])):
            if len(blocks):
                buffers = [m[: lanes * n].view(row_type(number, lanes)) for m, n in zip(memory, counts)]
                kernel(*arguments(part), make(*buffers), blocks.start, blocks.stop, blocks.start == starts.start)

    run_parts(run_part, len(parts))
