"""Jobs over threads, and the buffers that a thread keeps."""

import multiprocessing
import threading

import numpy as np
import pytest

from hardwire.core import threads as parallel


@pytest.mark.parametrize("jobs, threads", [(0, 2), (1, 2), (5, 1), (5, 2), (7, 3)])
def test_every_job_runs_once(jobs, threads):
    done = []
    parallel.run_jobs(done.append, jobs, threads)
    assert sorted(done) == list(range(jobs))


def _twice_in_a_child(queue):
    done = []
    parallel.run_jobs(done.append, 4, 2)
    queue.put(sorted(done))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_threads_work_again_in_a_forked_process():
    parallel.run_jobs(lambda job: None, 4, 2)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_twice_in_a_child, args=(queue,))
    child.start()
    try:
        assert queue.get(timeout=20) == [0, 1, 2, 3]
    finally:
        child.kill()
        child.join()


def test_a_job_that_fails_is_heard():
    def fail(job):
        raise ValueError(job)

    for threads in (1, 2):
        with pytest.raises(ValueError, match="0"):
            parallel.run_jobs(fail, 3, threads)


def test_buffers_are_apart_kept_and_grow():
    a, b = parallel.workspace(np.dtype(np.int16), 10, 20)
    assert (len(a), len(b)) == (10, 20) and not np.shares_memory(a, b)
    again = parallel.workspace(np.dtype(np.int16), 5, 500)
    assert np.shares_memory(a, again[0]) and not np.shares_memory(b, again[1]) and len(again[1]) == 500
    assert not np.shares_memory(again[0], parallel.workspace(np.dtype(np.uint16), 5)[0])


@pytest.mark.parametrize("size", [1, 100, 1 << 20])
def test_buffers_begin_with_a_line_of_the_cache(size):
    buffers = parallel.workspace(np.dtype(np.complex64), size, size + 1)
    assert [b.size for b in buffers] == [size, size + 1] and all(b.ctypes.data % parallel.LINE == 0 for b in buffers if b.size)
    for value, buffer in enumerate(buffers):
        buffer.fill(value)
    assert all((b == value).all() for value, b in enumerate(buffers))


def test_each_thread_has_buffers_of_its_own():
    own, others = parallel.workspace(np.dtype(np.int16), 10)[0], []
    thread = threading.Thread(target=lambda: others.append(parallel.workspace(np.dtype(np.int16), 10)[0]))
    thread.start()
    thread.join()
    assert not np.shares_memory(own, others[0])
