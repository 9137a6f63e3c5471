"""One array of synapses as an object: what a layer, an experiment or a test does with it."""

import numpy as np

from ..core.errors import InputError
from .cells import Cell
from .kernels import programming as program
from .kernels import tile, update
from .kernels.noise import stream
from .kernels.state import COUNTERS, HYBRID, PAIR
from .kernels.tile import Chip, Periphery


class Crossbar:
    """``rows`` x ``columns`` synapses of one kind of cell. All randomness comes from ``seed``.

    cell       how a weight is made, see ``cell``
    ahead, back   periphery of the forward and of the backward pass
    chip       where its blocks are taken from; InputError when it has too few
    state      the arrays, see ``State``; the kernels change them in place
    """

    def __init__(self, rows: int, columns: int, cell: Cell, *, ahead: Periphery, back: Periphery, seed: int, chip: Chip | None = None,
                 name: str = "crossbar"):
        chip = Chip() if chip is None else chip
        chip.place(name, rows, columns)
        self.cell, self.name, self.shape = cell, name, (rows, columns)
        devices, block = np.random.default_rng([seed, 1]), (chip.rows, chip.columns)
        self.state = cell.state(rows, columns, devices, stream(seed, 2), ahead, back, block)

    def _vector(self, v, size: int, what: str) -> np.ndarray:
        v = np.ascontiguousarray(v, np.float32)
        if v.shape[-1:] != (size,) or v.ndim > 2:
            raise InputError(f"{self.name}: {what} of shape {v.shape} for {self.shape[0]} rows and {self.shape[1]} columns; give "
                             f"({size},) or (samples, {size})")
        return np.atleast_2d(v)

    def forward(self, x, rng: np.ndarray | None = None) -> np.ndarray:
        """``x`` (rows,) or (samples, rows) -> as many outputs, float32; ``rng`` another stream of noise than the array's own."""
        rows = self._vector(x, self.shape[0], "inputs")
        y = np.empty((len(rows), self.shape[1]), np.float32)
        _forward_all(self.state, rows, y, self.state.rng if rng is None else rng)
        return y.reshape(*np.shape(x)[:-1], self.shape[1])

    def backward(self, d) -> np.ndarray:
        """``d`` (columns,) or (samples, columns) -> gradients of the inputs, float32."""
        rows = self._vector(d, self.shape[1], "gradients")
        y = np.empty((len(rows), self.shape[0]), np.float32)
        _backward_all(self.state, rows, y)
        return y.reshape(*np.shape(d)[:-1], self.shape[0])

    def update(self, x, d, lr: float) -> None:
        """``W -= lr x d^T`` for each sample in turn, by pulses."""
        if not 0 <= lr < float("inf"):
            raise InputError(f"{self.name}: learning rate {lr}; give a finite number of 0 or more")
        _update_all(self.state, self._vector(x, self.shape[0], "inputs"), self._vector(d, self.shape[1], "gradients"), float(lr))

    def pulses(self, counts) -> None:
        """``counts`` (rows, columns) whole numbers of update pulses; positive ones raise the weight."""
        counts = np.ascontiguousarray(counts, np.int64)
        if counts.shape != self.shape:
            raise InputError(f"{self.name}: pulses of shape {counts.shape}, the array is {self.shape}")
        program.apply_pulses(self.state, counts, self.state.rng)

    def transfer(self) -> None:
        """What the end of an interval brings: see ``program.transfer`` and ``program.refresh``."""
        work = {HYBRID: program.transfer, PAIR: program.refresh}.get(int(self.state.settings["kind"][0]))
        if work is None:
            raise InputError(f"{self.name}: cell {type(self.cell).__name__} has nothing to transfer; take Hybrid or PcmPair")
        work(self.state, self.state.rng)

    def leak(self, examples: float) -> None:
        """What ``examples`` examples of leakage do."""
        if len(self.state.leaks):
            program.leak(self.state, float(examples))

    def wait(self, seconds: float) -> None:
        """Drift of the PCM devices over ``seconds``."""
        if not seconds >= 0:
            raise InputError(f"{self.name}: cannot wait {seconds} s; give seconds of 0 or more")
        if self.state.settings["kind"][0] in (HYBRID, PAIR):
            program.wait(self.state, float(seconds))

    @property
    def weights(self) -> np.ndarray:
        """The weights without noise, (rows, columns) float64."""
        s = self.state
        gain = s.settings["gamma"][0] * s.control["sign"][0]
        return (s.rest + gain * s.g.astype(np.float64)) / s.settings["unit"][0]

    @weights.setter
    def weights(self, w) -> None:
        w = np.ascontiguousarray(w, np.float64)
        if w.shape != self.shape or not np.isfinite(w).all():
            raise InputError(f"{self.name}: weights of shape {w.shape} for an array of {self.shape}; give finite ones of its shape")
        program.program(self.state, w, self.state.rng)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that changes or tells devices apart, by name; records and words as int64, to be written to a file. Views."""
        found = {name: array for name, array in self.state._asdict().items() if len(array)}
        return {name: a if a.dtype == np.float32 else a.view(np.int64) for name, a in found.items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over what ``arrays`` of a like array gave; InputError when it was of another shape or cell."""
        own = self.arrays()
        for name, value in arrays.items():
            if own[name].shape != value.shape or own[name].dtype != value.dtype:
                raise InputError(f"{self.name}: stored {name} is {value.shape} {value.dtype}, this array's {own[name].shape} "
                                 f"{own[name].dtype}; build the network as it was when it was stored")
            if name in ("settings", "ahead", "back") and not np.array_equal(own[name], value):
                what = "cells" if name == "settings" else "converters"
                raise InputError(f"{self.name}: stored with other {what}; build the network as it was when it was stored")
        for name, value in arrays.items():
            own[name][...] = value

    @property
    def counters(self) -> dict[str, int]:
        """Pulses, transfers, reads and conversions so far."""
        return {name: int(self.state.control[name][0]) for name in COUNTERS}


@tile.jit
def _forward_all(s, x, y, rng):
    for i in range(len(x)):
        tile.forward(s, x[i], y[i], rng)


@tile.jit
def _backward_all(s, d, y):
    for i in range(len(d)):
        tile.backward(s, d[i], y[i], s.rng)


@tile.jit
def _update_all(s, x, d, lr):
    for i in range(len(x)):
        update.update(s, x[i], d[i], lr, s.rng)
