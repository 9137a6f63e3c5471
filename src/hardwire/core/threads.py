"""Independent jobs over threads, and memory that a thread keeps; for kernels that release the interpreter's lock.

What a job computes never depends on how many threads there are.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

#: Bytes of a line of the cache, and of the longest vector.
LINE = 64
_T = TypeVar("_T", bound=np.generic)
_local = local()
_pools: dict[int, ThreadPoolExecutor] = {}
if hasattr(os, "register_at_fork"):  # a forked child has the pools but none of their threads
    os.register_at_fork(after_in_child=_pools.clear)


def run_jobs(work: Callable[[int], object], jobs: int, threads: int) -> None:
    """Call ``work(job)`` for every job in ``range(jobs)`` over up to ``threads`` threads, as they get free.

    The first exception of a job is raised.
    """
    threads = min(threads, jobs)
    if threads <= 1:
        for job in range(jobs):
            work(job)
        return
    if threads not in _pools:
        _pools[threads] = ThreadPoolExecutor(threads, thread_name_prefix="hardwire")

    waiting = iter(range(jobs))

    def share() -> None:
        for job in waiting:
            work(job)

    for done in [_pools[threads].submit(share) for _ in range(threads)]:
        done.result()


def workspace(dtype: np.dtype[_T] | type[_T], *sizes: int) -> list[NDArray[_T]]:
    """Return uninitialised buffers of so many elements, which this thread keeps between calls.

    Notes
    -----
    The next call with the same type returns the same memory, so a buffer holds until then. Memory that the system maps
    anew for each call costs more than the work in it.
    """
    kept: dict[tuple[np.dtype[_T] | type[_T], int], NDArray[_T]] = _local.__dict__.setdefault("buffers", {})
    for i, size in enumerate(sizes):
        if (dtype, i) not in kept or kept[dtype, i].size < size:
            kept[dtype, i] = aligned(dtype, size)
    return [kept[dtype, i][:size] for i, size in enumerate(sizes)]


def aligned(dtype: np.dtype[_T] | type[_T], size: int) -> NDArray[_T]:
    """Return an uninitialised array of ``size`` elements that begins with a line of the cache."""
    length = size * np.dtype(dtype).itemsize
    octets = np.empty(length + LINE, np.uint8)
    first = -octets.ctypes.data % LINE
    return octets[first : first + length].view(dtype)
