"""The search on one network: batches of proposals over threads, then substitutions one after the other."""

import math

import numpy as np
from numpy.typing import NDArray

from ..graph import Graph
from ...core.threads import aligned, run_jobs
from .area import measure_paths, recount, wake_prices
from .arrays import BITS, WORDS, Job, Loss, Net, Price, new_job
from .commit import commit, refresh
from .ranking import propose
from .tidy import fold, forget_dead, pool_of

BATCH = 8


def pack(bits, words):
    """(samples, n) bool -> (n, words) uint64."""
    n, f = bits.shape
    padded = np.zeros((f, words * BITS), np.uint8)
    padded[:, :n] = bits.T
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def zeros(dtype, *shape):
    array = aligned(dtype, math.prod(shape)).reshape(shape)
    array[:] = 0
    return array


GE = np.array([0, 1.2, 1.2, 0, 1.2, 0, 2.4, 1.2, 1.2, 2.4, 0, 1.2, 0, 1.2, 1.2, 0], np.float32)


class Engine:
    def __init__(self, bits, y, groups, *, outputs_per_group=0, graph=None, tau=1.0, rate=0.5, slot_price=8.2,
                 gate_price=GE, capacity=4000, dead=600, window=27_000, threads=2, seed=0, active=None, max_slots=0, depth=16):
        self.rng = np.random.default_rng(seed)
        n, f = bits.shape
        self.n = n
        words = -(-n // (BITS * WORDS)) * WORDS
        self.words = words
        self.inputs = f
        self.groups = groups
        nets = f + capacity
        max_slots = max_slots or capacity
        self.net = Net(
            values=zeros(np.uint64, nets, words), fanin=np.zeros((nets, 2), np.int32),
            table=np.zeros(nets, np.uint64), arity=np.zeros(nets, np.uint8), order=np.zeros(nets, np.int32),
            place=np.full(nets, -1, np.int32), refs=np.zeros(nets, np.int32), area=np.zeros(nets, np.float32),
            slot_first=np.full(nets, -1, np.int32), slot_next=np.full(max_slots, -1, np.int32),
            slot_group=np.zeros(max_slots, np.int32), level=np.zeros(nets, np.int32), height=np.zeros(nets, np.int32),
            inputs=np.array([f]), size=np.array([0, 0]), limit=np.array([depth]))
        self.net.values[:f] = pack(bits, words)
        weight = zeros(np.float32, words * BITS)
        weight[:n] = 1
        q = zeros(np.float32, groups, words * BITS)
        q[y, np.arange(n)] = 1
        self.loss = Loss(kind=np.array([0]), count=np.zeros((groups, words * BITS), np.int16),
                         p=zeros(np.float32, groups, words * BITS), q=q, weight=weight,
                         scale=np.zeros(3, np.float32), square=np.zeros(groups, np.float32),
                         level=np.zeros(groups, np.float32), gain=np.zeros(groups, np.float32),
                         power=np.zeros(4096, np.float32))
        self.set_tau(tau)
        self.price = Price(gate=np.asarray(gate_price, np.float32), table=np.zeros(7, np.float32),
                           input=np.zeros(f, np.float32), slot=np.array([slot_price], np.float32))
        self.free = list(range(nets - 1, f - 1, -1))
        self.rate, self.threads, self.dead = rate, threads, dead
        self.window = min(words, max(WORDS, window // (BITS * WORDS) * WORDS))
        self.active = np.ones(f, bool) if active is None else active
        self.jobs = [new_job(nets, max_slots, words, self.window) for _ in range(BATCH)]
        self.touched = np.zeros(words, np.uint64)
        self.dither = self.rng.random(self.window * BITS + 1024, dtype=np.float32)
        self.pool_memory = np.zeros(nets, np.int32)
        self.wake = np.zeros(nets, np.float32)
        self.constant_root = np.full(groups, -1)
        if graph is not None:
            self.load(graph)
        for g in range(groups):
            for _ in range(outputs_per_group):
                self.add_slot(self.add_node(0, 0, 0), g)
        self.area = recount(self.net, self.price)
        measure_paths(self.net)
        refresh(self.net, self.loss, self.jobs[0])
        self.queue = []
        self.tried = self.done = 0

    def load(self, graph):
        number = {}
        of = lambda x: x if x < graph.inputs else number[x - graph.inputs]
        for j in range(len(graph.table)):
            a, b = (of(int(x)) for x in graph.fanin[j, :2])
            number[j] = self.add_node(int(graph.table[j]), a, b)
        start = 0
        for g, size in enumerate(graph.sizes):
            for x in graph.outputs[start:start + size]:
                x = of(int(x))
                if x < self.inputs or self.net.slot_first[x] >= 0:
                    x = self.add_node(0b1010, x, x)
                self.add_slot(x, g)
            start += size

    def graph(self):
        """The present network, without dead nodes."""
        net = self.net
        order = net.order[:net.size[0]]
        number = np.zeros(len(net.refs), np.int64)
        number[:self.inputs] = np.arange(self.inputs)
        number[order] = self.inputs + np.arange(len(order))
        slots = [(int(net.slot_group[s]), int(number[x])) for x in range(len(net.slot_first)) for s in self.slots_of(x)
                 if not self.is_false(x)]
        slots.sort()
        groups = [g for g, _ in slots]
        return Graph(self.inputs, number[net.fanin[order]], net.table[order], net.arity[order],
                     np.array([x for _, x in slots]), tuple(groups.count(g) for g in range(self.groups))).folded()

    def is_false(self, x):
        return x >= self.inputs and self.net.table[x] == 0

    def slots_of(self, x):
        s = self.net.slot_first[x]
        while s >= 0:
            yield s
            s = self.net.slot_next[s]

    def set_tau(self, tau):
        self.tau = tau
        self.loss.scale[:] = 1 / tau, math.expm1(1 / tau), math.expm1(-1 / tau)
        self.loss.power[:] = np.exp(-np.arange(4096) / tau)

    def add_node(self, table, a, b):
        x = self.free.pop()
        self.net.table[x], self.net.arity[x] = table, 2
        self.net.fanin[x] = a, b
        self.net.order[self.net.size[0]], self.net.place[x] = x, self.net.size[0]
        self.net.size[0] += 1
        return x

    def add_slot(self, x, group):
        s = self.net.size[1]
        self.net.size[1] += 1
        self.net.slot_group[s], self.net.slot_next[s], self.net.slot_first[x] = group, self.net.slot_first[x], s

    def total_loss(self):
        c = self.loss.count[:, :self.n].astype(np.float64) / self.tau
        m = c.max(0)
        lse = m + np.log(np.exp(c - m).sum(0))
        return float((self.loss.weight[:self.n] * (lse - (self.loss.q[:, :self.n] * c).sum(0))).sum())

    def accuracy(self, y):
        return float((self.loss.count[:, :self.n].argmax(0) == y).mean())

    def roots(self):
        order = self.net.order[:self.net.size[0]]
        return order[self.net.refs[order] > 0]

    def step(self):
        net, rng = self.net, self.rng
        if not self.queue:
            self.tidy()
            self.queue = rng.permutation(self.roots()).tolist()
        roots = []
        while self.queue and len(roots) < BATCH:
            r = self.queue.pop()
            if net.place[r] >= 0 and net.refs[r] > 0 and r not in roots:
                roots.append(r)
        pool = self.pool_memory[:pool_of(net, self.active, self.pool_memory)]
        wake_prices(net, self.price, self.wake)
        first = int(rng.integers((self.words - self.window) // WORDS + 1)) * WORDS
        shift = rng.integers(64, size=BATCH) * 16
        numbers, nets = np.zeros((BATCH, 3)), np.zeros((BATCH, 3), np.int64)

        def work(k):
            dither = self.dither[shift[k]:shift[k] + self.window * BITS]
            propose(net, self.loss, self.price, self.jobs[k], roots[k], pool, self.wake, first, self.window, dither,
                    self.rate, numbers[k], nets[k])

        run_jobs(work, len(roots), self.threads)
        fresh = True
        for k, root in enumerate(roots):
            self.tried += 1
            if numbers[k, 0] >= 0 or net.refs[root] <= 0 or net.place[root] < 0:
                continue
            u, v, table = (int(x) for x in nets[k])
            if net.place[u] == -1 and u >= self.inputs or net.place[v] == -1 and v >= self.inputs:
                continue
            change, cost = commit(net, self.loss, self.price, self.jobs[k], self.touched, root, u, v, table,
                                  self.free[-1], self.rate, fresh)
            if change or cost:
                fresh = False
                self.area += cost
                self.done += 1
                if net.place[self.free[-1]] >= 0:
                    self.free.pop()

    def tidy(self):
        net = self.net
        fold(net)
        self.area = recount(net, self.price)
        measure_paths(net)
        dead = net.order[:net.size[0]][net.refs[net.order[:net.size[0]]] == 0]
        drop = np.zeros(len(net.refs), bool)
        extra = len(dead) - self.dead
        if extra > 0:
            drop[self.rng.permutation(dead)[:extra]] = True
        wires = [x for x in dead if net.fanin[x, 0] == net.fanin[x, 1]]
        drop[wires] = True
        removed = np.zeros(len(net.refs), np.int32)
        count = forget_dead(net, np.zeros(len(net.refs), np.int32), drop, removed)
        self.free += removed[:count].tolist()
