"""Run independent jobs over threads; for kernels that release the interpreter's lock.

What a job computes never depends on how many threads there are.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import local

import numpy as np

_local = local()
_pools: dict[int, ThreadPoolExecutor] = {}
if hasattr(os, "register_at_fork"):  # a forked child has the pools but none of their threads
    os.register_at_fork(after_in_child=_pools.clear)


def run_jobs(work, jobs: int, threads: int) -> None:
    """``work(job)`` for every job in ``range(jobs)``, dealt in turn to at most ``threads`` threads."""
    threads = min(threads, jobs)
    if threads <= 1:
        for job in range(jobs):
            work(job)
        return
    if threads not in _pools:
        _pools[threads] = ThreadPoolExecutor(threads, thread_name_prefix="hardwire")

    def share(first):
        for job in range(first, jobs, threads):
            work(job)

    for done in [_pools[threads].submit(share, first) for first in range(threads)]:
        done.result()


def workspace(dtype, *sizes) -> list[np.ndarray]:
    """Uninitialised buffers of this thread, kept between calls: a fresh mapping each call costs more than the work in it."""
    kept = _local.__dict__.setdefault("buffers", {})
    for i, size in enumerate(sizes):
        if (dtype, i) not in kept or kept[dtype, i].size < size:
            kept[dtype, i] = np.empty(size, dtype)
    return [kept[dtype, i][:size] for i, size in enumerate(sizes)]
