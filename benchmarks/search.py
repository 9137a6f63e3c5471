"""How fast a search ranks: microseconds a candidate pair, and what a second thread brings.

A pair is one net of the pool beside one of the operands that a proposal pairs it with, on a window of all 54,000
samples; the time is that of a whole proposal, differences, ranking and the exact evaluation of the best ones included.
"""

import time

import numpy as np

from hardwire import load_dataset
from hardwire.logic.search.engine import ROUND, Search, SearchOptions
from hardwire.logic.search.kernels.area import wake_prices
from hardwire.logic.search.kernels.ranking import propose
from hardwire.logic.search.kernels.tidy import pool_of
from hardwire.logic.search.prices import PRICES
from hardwire.logic.search.samples import SearchSamples

from .framework import Figures, RefusedError, Say

#: Operands that a proposal pairs every net with: two of the node, its old function, and the three best alone.
PARTNERS = 6


def figures(say: Say, *, rounds: int = 150, repeats: int = 5) -> Figures:
    """Grow a network for some rounds, then time proposals and rounds; RefusedError if threads change the result."""
    data = load_dataset("mnist", seed=0)
    samples = SearchSamples.of(data.train.x >= 128, np.eye(10)[data.train.y], "classify")
    options = SearchOptions(budget=3000.0, window=len(data.train.y))
    search, two = (Search(samples, PRICES["ge"], options, threads=t) for t in (1, 2))
    for i in range(rounds):
        search.round(i / rounds)
    arrays, values = search.state()
    two.restore(arrays, values)
    per_pair = _per_pair(search, say)
    each = {1: [], 2: []}
    for _ in range(repeats):
        for threads, one in ((1, search), (2, two)):
            start = time.perf_counter()
            for _ in range(20):
                one.round(1.0)
            each[threads].append((time.perf_counter() - start) / 20)
            say(f"{threads} thread(s): {each[threads][-1] * 1e3:.1f} ms a round")
    if search.graph() != two.graph():
        raise RefusedError("one thread and two do not search alike")
    ratios = [a / b for a, b in zip(each[1], each[2])]
    return {"us_a_pair": per_pair, "two_threads": float(np.max(ratios)), "two_threads_median": float(np.median(ratios)),
            "round_ms": {f"{t} threads": float(np.min(s) * 1e3) for t, s in each.items()}, "samples": samples.samples,
            "proposals_a_round": ROUND}


def _per_pair(search: Search, say: Say) -> dict[str, float]:
    net, pool = search.net, search._pool[: pool_of(search.net, search.active, search._pool)]
    wake_prices(net, search.price, search._wake)
    seconds, number, chosen = [], np.zeros(3), np.zeros(4, np.int64)
    for root in search._roots()[::7].tolist():
        start = time.thread_time()
        propose(net, search.state_loss, search.price, search.jobs[0], root, pool, search._wake, 0, search.window,
                search.dither[: search.window * 64], search.rate, number, chosen)
        seconds.append((time.thread_time() - start) / (PARTNERS * len(pool)) * 1e6)
    say(f"{len(seconds)} proposals over {len(pool)} nets: {np.median(seconds):.3f} us a pair")
    return {"median": float(np.median(seconds)), "min": float(np.min(seconds)), "pool": len(pool)}
