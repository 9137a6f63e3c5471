"""Exact ranked coordinate descent: rounds of proposals over threads, then substitutions one after the other.

For node ``n`` let ``d_i = loss(sample i | n = 1) - loss(sample i | n = 0)``, exact through the node's whole fan-out.
The loss is linear in the node's bit, so that a replacement ``f`` changes it by exactly ``sum_i d_i (f_i - n_i)``.
Masked population counts over bit planes of the rounded ``d`` give the four sums that rank all sixteen gates of a pair
of operands. A substitution is made only where the exact loss plus ``rate`` times the price of the circuit falls.

Moves: another gate, other operands, a constant or a wire (removal), a gate of the node's old function and any net
(growth), and a new output bit of a group, which begins as a constant one.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from ...core.memory import check_memory
from ...core.threads import run_jobs
from ..graph import Graph
from .arrays import BITS, CHUNK, WORDS, Job, Loss, Net, Price, new_job
from .kernels.area import measure_paths, recount, wake_prices
from .kernels.commit import (
    begin_substitution,
    end_substitution,
    refresh,
    refresh_probabilities,
    substitute,
    update_values,
)
from .kernels.cone import renew_differences
from .kernels.ranking import propose
from .kernels.tables import begin_table_substitution, propose_table, substitute_table
from .kernels.tidy import fold, forget_dead, pool_of
from .prices import Prices
from .samples import KINDS, SearchSamples, zeros
from .stored import check_fit, check_net

#: Proposals of a round: fixed, so that the result does not depend on the number of threads.
ROUND = 8
#: Counts that the softmax's table holds.
POWERS = 1 << 14
#: What a checkpoint keeps of the network; values, counts and probabilities follow from it.
KEPT_ARRAYS = ("fanin", "table", "arity", "order", "place", "refs", "area", "slot_first", "slot_next", "slot_group",
               "level", "height", "size")
COUNTERS = ("began", "rounds", "epoch")
#: Nats a sample that a unit of price may have to save at most.
MOST = 0.02
#: Largest budget: the price of a thousand million gates.
MOST_BUDGET = 1e9
#: Divisor of the counts: this times the root of the output bits of a group, at least of so many.
TAU, FEW_BITS = 0.25, 8
#: True output bits of a group for which it is offered another one.
BITS_AN_OFFER = 16
#: Change of the rate's logarithm over a whole search that is steered in one direction.
GAIN = 120
#: Words that are worth a thread of their own when a substitution is made.
LEAST_WORDS = 256
#: Bits that a node's own number moves the random numbers of its proposal by.
DITHER = 64 * 16


@dataclass(frozen=True)
class SearchOptions:
    """How a search goes.

    Attributes
    ----------
    budget
        Price that the network and its head grow to.
    bits
        Output bits of each group that an empty network begins with.
    depth
        Nodes on the longest path.
    window
        Samples that candidates are ranked on.
    tau
        Divisor of the counts; 0: 0.25 sqrt(bits of a group), of 8 at least, or that of least loss if it is larger.
    floor
        Loss, in nats a sample, that a unit of price must save at least.
    course
        Shares of the search, and shares of the budget that the price is steered to at them, linear between. A search
        that begins with a network begins at its price if that is more.
    pool
        Nets that the proposals of a round choose operands from, drawn anew each round.
    dead
        Dead nodes that stay candidates.
    redraw
        Rounds after which images are moved anew; 0: never.
    seed
        Of everything random.
    """

    budget: float
    bits: int = 4
    depth: int = 24
    window: int = 27_000
    tau: float = 0.0
    floor: float = 7e-6
    course: tuple[tuple[float, ...], tuple[float, ...]] = ((0.0, 0.2, 0.85), (0.5, 2.0, 1.0))
    pool: int = 2000
    dead: int = 600
    redraw: int = 0
    seed: int = 0


class Search:
    """A search on one network.

    Parameters
    ----------
    samples
        What it learns from.
    prices
        Of gates, tables, input bits and output bits.
    options
        How it goes.
    start
        The network to begin with; default an empty one, whose output bits are constants.
    threads
        Of the proposals; the result is the same for any number.
    """

    def __init__(self, samples: SearchSamples, prices: Prices, options: SearchOptions, *, start: Graph | None = None,
                 threads: int = 1) -> None:
        self.samples, self.options, self.threads = samples, options, threads
        self.groups = len(samples.targets)
        self.inputs, self.words = samples.planes.shape
        if start is not None and (start.inputs != self.inputs or len(start.sizes) != self.groups):
            raise InputError(f"a search over {self.inputs} bits and {self.groups} groups cannot start from a graph of "
                             f"{start.inputs} and {len(start.sizes)}; give the encoder and the data of its training")
        self.rng = np.random.default_rng([options.seed, 6])
        self.wide = prices.fan_in > 2
        self.price = Price(*prices.arrays(self.inputs))
        self.rounds = 0
        self.rate, self.progress = 40 * options.floor * samples.samples, 0.0
        self.queue: list[int] = []
        self.epoch = 0
        self._allocate(prices, start)
        if start is not None:
            self._load(start)
        else:
            for group in range(self.groups):
                for _ in range(options.bits):
                    self._add_slot(self._add_node(0, (0, 0)), group)
        self.window = min(self.words, max(WORDS, options.window // (BITS * WORDS) * WORDS))
        self.jobs = [new_job(len(self.net.refs), len(self.net.slot_group), self.words, self.window, wide=self.wide)
                     for _ in range(ROUND)]
        self.dither = np.random.default_rng([options.seed, 9]).random(self.window * BITS + DITHER, dtype=np.float32)
        varies = np.bitwise_count(samples.planes).sum(1)
        rare = samples.samples * 0.001
        self.active = (varies >= rare) & (varies <= samples.samples - rare)
        self._set_tau(options.tau or TAU * math.sqrt(FEW_BITS))
        self._count_all()
        self.began = self.area
        self._draw()

    # what the search stands at

    @property
    def bits(self) -> int:
        """Output bits that are not constant."""
        net = self.net
        return sum(1 for x in self._roots() if net.slot_first[x] >= 0 and not self._is_constant(x))

    def loss(self, tau: float = 0.0) -> float:
        """Return the loss of all samples together, in nats (classes, labels) or half squared deviations (targets).

        ``tau`` takes the place of the present divisor.
        """
        n, loss, q = self.samples.samples, self.state_loss, self.samples.targets[:, : self.samples.samples]
        count = loss.counts[:, :n].astype(np.float64)
        if self.samples.task == "regress":
            error = loss.level[:, None] + loss.gain[:, None] * count - q
            return float(0.5 * (error**2).sum())
        z = (count - loss.level[:, None]) / (tau or self.tau)
        if self.samples.task == "multilabel":
            return float((np.logaddexp(0, z) - q * z).sum())
        top = z.max(0)
        return float((top + np.log(np.exp(z - top).sum(0)) - (q * z).sum(0)).sum())

    def graph(self) -> Graph:
        """Return the present network, folded, without dead nodes and without output bits that are constantly false."""
        net = self.net
        order = net.order[: net.size[0]]
        number = np.zeros(len(net.refs), np.int64)
        number[: self.inputs] = np.arange(self.inputs)
        number[order] = self.inputs + np.arange(len(order))
        slots = sorted((int(net.slot_group[s]), int(number[x])) for x in np.flatnonzero(net.slot_first >= 0).tolist()
                       for s in self._slots_of(x) if not (net.place[x] >= 0 and net.table[x] == 0))
        groups = [g for g, _ in slots]
        used = np.arange(net.fanin.shape[1]) < net.arity[order][:, None]
        return Graph(self.inputs, np.where(used, number[net.fanin[order]], 0), net.table[order], net.arity[order],
                     np.array([x for _, x in slots], np.int32),
                     tuple(groups.count(g) for g in range(self.groups))).folded()

    # one round

    def round(self, progress: float) -> None:
        """Propose for eight nodes and make the substitutions that are still good; ``progress`` is from 0 to 1."""
        self._steer(progress)
        if not self.queue:
            self._tidy()
            self.queue = self.rng.permutation(self._roots()).tolist()
            redraw, tau = self.options.redraw, self.tau
            self._fit_tau()
            if redraw and self.rounds // redraw > self.epoch:
                self.epoch = self.rounds // redraw
                self._draw()
            elif tau != self.tau:
                refresh_probabilities(self.state_loss)
        net, rng = self.net, self.rng
        roots: list[int] = []
        while self.queue and len(roots) < ROUND:
            root = self.queue.pop()
            if net.place[root] >= 0 and net.refs[root] > 0:
                roots.append(root)
        pool = self._pool[: pool_of(net, self.active, self._pool)]
        if len(pool) > self.options.pool:
            pool = np.sort(rng.choice(pool, self.options.pool, replace=False))
        wake_prices(net, self.price, self._wake)
        first = int(rng.integers((self.words - self.window) // WORDS + 1)) * WORDS
        shift = rng.integers(64, size=ROUND) * 16
        numbers, chosen = np.zeros((ROUND, 3)), np.zeros((ROUND, 4), np.int64)
        work: Any = propose_table if self.wide else propose

        def job(k: int) -> None:
            dither = self.dither[shift[k] : shift[k] + self.window * BITS]
            work(net, self.state_loss, self.price, self.jobs[k], roots[k], pool, self._wake, first, self.window, dither,
                 self.rate, numbers[k], chosen[k])

        run_jobs(job, len(roots), self.threads)
        fresh = True
        for k, root in enumerate(roots):
            if numbers[k, 0] < 0 and net.refs[root] > 0 and self._commit(k, root, chosen[k], fresh):
                fresh = False
        self.rounds += 1

    def _commit(self, k: int, root: int, chosen: NDArray[np.int64], fresh: bool) -> bool:
        net = self.net
        u, v = int(chosen[0]), int(chosen[1])
        read = (v, int(chosen[3])) if self.wide else (u, v)
        if any(x >= self.inputs and net.place[x] < 0 for x in read):
            return False
        if not self.free:
            self._tidy()
            self.queue = []
            if not self.free or net.refs[root] <= 0 or any(x >= self.inputs and net.place[x] < 0 for x in read):
                return False
            fresh = False
        spare, job = self.free[-1], self.jobs[k]
        given: tuple[Any, ...] = (root, u, v, read[1] if self.wide else chosen.view(np.uint64)[2])
        begin: Any = begin_table_substitution if self.wide else begin_substitution
        make: Any = substitute_table if self.wide else substitute
        if not begin(net, job, *given):
            return False
        if not fresh:
            self._over_words(lambda memory, *words: renew_differences(net, self.state_loss, job, memory, root, *words))
        change, cost = make(net, self.price, job, *given, *(() if self.wide else (spare,)), self.rate)
        if not change and not cost:
            return False
        self._over_words(lambda memory, *words: update_values(net, self.state_loss, job, memory, self._touched, *words))
        end_substitution(job)
        if net.place[spare] >= 0:
            self.free.pop()
        self.area += cost
        return True

    def _over_words(self, work: Callable[[Job, int, int], object]) -> None:
        """Call ``work(memory, first, last)`` for parts of all words, over threads where there are enough of them."""
        parts = max(1, min(self.threads, self.words // LEAST_WORDS, ROUND))
        edges = [self.words * i // (parts * CHUNK) * CHUNK for i in range(parts)] + [self.words]
        run_jobs(lambda i: work(self.jobs[i], edges[i], edges[i + 1]), parts, parts)

    def _steer(self, progress: float) -> None:
        """Move ``rate`` so that the price follows the ramp to the budget."""
        options = self.options
        places, shares = options.course
        begin = max(shares[0], self.began / options.budget)  # a search that begins with a network keeps it at first
        target = options.budget * float(np.interp(progress, places, (begin, *shares[1:])))
        step = float(np.clip((self.area - target) / (0.02 * options.budget), -1, 1))
        gain = min(max(GAIN * (progress - self.progress), 0.05), 0.7)  # a short search moves it faster
        floor, self.progress = options.floor * self.samples.samples, progress
        self.rate = min(max(self.rate * math.exp(gain * step), floor), MOST * self.samples.samples)

    # its parts

    def _allocate(self, prices: Prices, start: Graph | None) -> None:
        options, f, words = self.options, self.inputs, self.words
        begin = 0 if start is None else start.nodes + len(start.outputs)
        if options.budget > MOST_BUDGET:
            raise InputError(f"budget = {options.budget:g} is more than a search fills; give at most {MOST_BUDGET:g}")
        slots = max(begin, self.groups * options.bits) + int(options.budget / max(prices.slot, 0.5)) + 4 * self.groups
        nodes = begin + int(1.3 * options.budget / prices.smallest) + slots + options.dead + 256
        nets = f + nodes
        check_memory(float(nets) * words * 8, f"a search among {nets:,} nets on {self.samples.samples:,} samples",
                     "lower budget, search_bits or search_copies")
        self.net = Net(
            values=zeros(np.uint64, nets, words), fanin=np.zeros((nets, prices.fan_in), np.int32),
            table=np.zeros(nets, np.uint64), arity=np.zeros(nets, np.uint8), order=np.zeros(nets, np.int32),
            place=np.full(nets, -1, np.int32), refs=np.zeros(nets, np.int32), area=np.zeros(nets, np.float32),
            slot_first=np.full(nets, -1, np.int32), slot_next=np.full(slots, -1, np.int32),
            slot_group=np.zeros(slots, np.int32), level=np.zeros(nets, np.int32), height=np.zeros(nets, np.int32),
            inputs=np.array([f]), size=np.array([0, 0]), limit=np.array([options.depth]))
        samples, groups = self.samples, self.groups
        weight = zeros(np.float32, words * BITS)
        weight[: samples.samples] = 0.5 if samples.task == "regress" else 1
        level, gain = (v if len(v) else np.zeros(groups, np.float32) for v in (samples.level, samples.gain))
        self.state_loss = Loss(
            kind=np.array([KINDS[samples.task]]), counts=np.zeros((groups, words * BITS), np.int16),
            p=zeros(np.float32, groups, words * BITS), q=samples.targets, weight=weight,
            scale=np.zeros(3, np.float32), square=(gain**2).astype(np.float32), level=level.astype(np.float32),
            gain=gain.astype(np.float32), power=np.zeros(POWERS, np.float32))
        self.free = list(range(nets - 1, f - 1, -1))
        self._touched, self._pool = zeros(np.uint64, words), np.zeros(nets, np.int32)
        self._wake = np.zeros(nets, np.float32)

    def _load(self, start: Graph) -> None:
        """Take over a graph; each output bit gets a node of its own, so that it can be replaced alone."""
        wide = start.arity > self.net.fanin.shape[1]
        if wide.any():
            raise InputError(f"the network has nodes of {int(start.arity.max())} operands, but this search changes "
                             f"nodes of {self.net.fanin.shape[1]}; give a budget in luts, unit luts")
        numbers = list(range(self.inputs))
        for table, fanin, k in zip(start.table.tolist(), start.fanin.tolist(), start.arity.tolist()):
            operands = [numbers[i] for i in fanin[:k]]
            if k == 1:  # the kernels know two operands and more
                operands, table = operands * 2, table & 1 | (table >> 1) * 2 | (table & 1) << 2 | (table >> 1) << 3
            numbers.append(self._add_node(table, operands))
        group = np.repeat(np.arange(self.groups), start.sizes)
        for g, x in zip(group.tolist(), start.outputs.tolist()):
            net = numbers[x]
            if net < self.inputs or self.net.slot_first[net] >= 0:
                net = self._add_node(0b1010, (net, net))
            self._add_slot(net, g)

    def _add_node(self, table: int, operands: Any) -> int:
        net, x = self.net, self.free.pop()
        net.table[x], net.arity[x] = table, len(operands)
        net.fanin[x, : len(operands)] = operands
        net.order[net.size[0]], net.place[x] = x, net.size[0]
        net.size[0] += 1
        return x

    def _add_slot(self, x: int, group: int) -> None:
        net, slot = self.net, int(self.net.size[1])
        net.size[1] += 1
        net.slot_group[slot], net.slot_next[slot], net.slot_first[x] = group, net.slot_first[x], slot

    def _slots_of(self, x: int) -> list[int]:
        slots, slot = [], int(self.net.slot_first[x])
        while slot >= 0:
            slots.append(slot)
            slot = int(self.net.slot_next[slot])
        return slots

    def _is_constant(self, x: int) -> bool:
        net = self.net
        return bool(net.place[x] >= 0 and int(net.table[x]) in (0, (1 << (1 << int(net.arity[x]))) - 1))

    def _roots(self) -> NDArray[np.int32]:
        """The live nodes."""
        order = self.net.order[: self.net.size[0]]
        return order[self.net.refs[order] > 0]

    def _set_tau(self, tau: float) -> None:
        """Set the divisor of the counts; the caller computes the probabilities anew."""
        self.tau = tau
        loss = self.state_loss
        inverse = 1 / tau if self.samples.task != "regress" else 1.0
        loss.scale[:] = inverse, math.expm1(inverse), math.expm1(-inverse)
        loss.power[:] = np.exp(-np.arange(POWERS) * inverse)

    def _fit_tau(self) -> None:
        """Follow the number of output bits; on data that counts do not separate the divisor of least loss is larger."""
        if self.options.tau or self.samples.task == "regress":
            return
        rule = TAU * math.sqrt(max(FEW_BITS, self.bits / self.groups))
        tau = rule
        while tau < 16 * rule and self.loss(tau * 2**0.25) < self.loss(tau):
            tau *= 2**0.25
        self._set_tau(tau)

    def _count_all(self) -> None:
        self.area = recount(self.net, self.price)
        measure_paths(self.net)

    def _draw(self) -> None:
        self.net.values[: self.inputs] = self.samples.drawn(self.options.seed, self.epoch)
        refresh(self.net, self.state_loss, self.jobs[0])

    def _tidy(self) -> None:
        """Fold what can be folded, forget some dead nodes, and offer every group new output bits."""
        net = self.net
        if not self.wide:
            fold(net)
        self._count_all()
        order = net.order[: net.size[0]]
        dead = order[net.refs[order] == 0]
        drop = np.zeros(len(net.refs), bool)
        surplus = len(dead) - min(self.options.dead, len(self.free) // 2 + len(dead) // 2)
        if surplus > 0:
            drop[self.rng.permutation(dead)[:surplus]] = True
        drop[dead[net.fanin[dead, 0] == net.fanin[dead, 1]]] = True
        removed = np.zeros(len(net.refs), np.int32)
        count = forget_dead(net, np.zeros(len(net.refs), np.int32), drop, removed)
        self.free += removed[:count].tolist()
        if self.samples.task == "classify":
            self._offer_slots()
        self._count_all()

    def _offer_slots(self) -> None:
        """See to it that every group has a constant bit for each ``BITS_AN_OFFER`` true ones, one at least."""
        net = self.net
        constant, true = [0] * self.groups, [0] * self.groups
        for x in self._roots().tolist():
            bits = constant if self._is_constant(x) else true
            for slot in self._slots_of(x):
                bits[int(net.slot_group[slot])] += 1
        for group in range(self.groups):
            for _ in range(max(1, true[group] // BITS_AN_OFFER) - constant[group]):
                if self.free and net.size[1] < len(net.slot_group):
                    self._add_slot(self._add_node(0, (0, 0)), group)

    # how it is kept

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return what ``restore`` needs, as arrays and as JSON values."""
        net = self.net
        arrays = {name: getattr(net, name).copy() for name in KEPT_ARRAYS}
        arrays |= {"queue": np.array(self.queue, np.int64), "free": np.array(self.free, np.int64)}
        values = {"rng": self.rng.bit_generator.state, "rate": self.rate, "price": self.area, "tau": self.tau,
                  "progress": self.progress} | {name: getattr(self, name) for name in COUNTERS}
        return arrays, values

    def restore(self, arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any]) -> None:
        """Go on from what ``state`` gave of a search of the same samples and options."""
        check_fit({name: getattr(self.net, name) for name in KEPT_ARRAYS}, arrays)
        for name in KEPT_ARRAYS:
            getattr(self.net, name)[:] = arrays[name]
        self.queue, self.free = check_net(self.net, self.groups, arrays)
        self.rng.bit_generator.state = values["rng"]
        self.rate, self.area, self.progress = values["rate"], values["price"], values["progress"]
        for name in COUNTERS:
            setattr(self, name, values[name])
        self._set_tau(values["tau"])
        self._draw()
