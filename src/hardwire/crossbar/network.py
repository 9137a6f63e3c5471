"""A fully connected network of crossbars that learns example by example inside one kernel: no Python between layers.

The module path (``layers``) computes the same with torch around the same kernels; a test holds the two together.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import exp, log, tanh
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.cards import card
from ..core.errors import InputError
from ..core.memory import check_memory
from ..core.rng import inner, jit
from .cells import Cell, update
from .crossbar import Crossbar
from .kernels.noise import stream
from .kernels.state import Floats, Reading, Stream, Tile
from .kernels.tile import backward, forward
from .periphery import PERIPHERIES, Chip, Periphery

SIGMOID, TANH, RELU = range(3)
ACTIVATIONS = {"sigmoid": SIGMOID, "tanh": TANH, "relu": RELU}
#: Bytes of a synapse's devices at least.
SYNAPSE = 32
#: One array a layer.
Layered = tuple[Floats, ...]


@inner
def _activate(kind: int, y: Floats, out: Floats) -> None:
    """Write ``f(y)`` into ``out[:len(y)]``; the digital periphery computes it without noise."""
    for j in range(len(y)):
        v = float(y[j])
        if kind == SIGMOID:
            out[j] = 1 / (1 + exp(-v))
        elif kind == TANH:
            out[j] = tanh(v)
        else:
            out[j] = max(v, 0.0)


@inner
def _slope(kind: int, a: Any) -> Any:
    """Return ``f'(y)`` from ``a = f(y)``."""
    if kind == SIGMOID:
        return a * (1 - a)
    if kind == TANH:
        return 1 - a * a
    return np.float32(1.0) if a > 0 else np.float32(0.0)


@inner
def _propagate(tiles: tuple[Tile, ...], readings: tuple[Reading, ...], kind: int, x: Floats, values: Layered,
               outputs: Layered,
               rngs: tuple[Stream, ...]) -> None:
    """Forward pass of one example; ``values[l]`` is what layer l reads, its bias 1 last."""
    values[0][: len(x)] = x
    for k in range(len(tiles)):
        forward(tiles[k], readings[k], values[k], outputs[k], rngs[k])
        if k + 1 < len(tiles):
            _activate(kind, outputs[k], values[k + 1])


@inner
def _softmax_delta(y: Floats, label: int, d: Floats) -> float:
    """Write ``d = softmax(y) - onehot(label)``; return the cross entropy."""
    top = y[0]
    for j in range(1, len(y)):
        top = max(top, y[j])
    total = 0.0
    for j in range(len(y)):
        total += exp(float(y[j] - top))
    for j in range(len(y)):
        d[j] = exp(float(y[j] - top)) / total
    d[label] -= np.float32(1.0)
    return log(total) - float(y[label] - top)


@jit
def _train(layers: tuple[Any, ...], tiles: tuple[Tile, ...],
           readings: tuple[Reading, ...], kind: int, x: Floats, labels: NDArray[np.int64], order: NDArray[np.int64],
           lr: float, values: Layered, outputs: Layered, deltas: Layered, inputs: Layered,
           rngs: tuple[Stream, ...]) -> tuple[float, int]:
    """One pass over ``order``; summed loss and right answers (of the network as it was at each example)."""
    loss, right = 0.0, 0
    last = len(layers) - 1
    for sample in order:
        _propagate(tiles, readings, kind, x[sample], values, outputs, rngs)
        right += np.argmax(outputs[last]) == labels[sample]
        loss += _softmax_delta(outputs[last], labels[sample], deltas[last])
        for k in range(last, 0, -1):
            backward(tiles[k], readings[k], deltas[k], inputs[k], rngs[k])
            for i in range(len(deltas[k - 1])):
                deltas[k - 1][i] = inputs[k][i] * _slope(kind, values[k][i])
        for k in range(last + 1):
            update(layers[k], values[k], deltas[k], lr, rngs[k])
    return loss, right


@jit
def _scores(tiles: tuple[Tile, ...], readings: tuple[Reading, ...],
            kind: int, x: Floats, values: Layered, outputs: Layered, rngs: tuple[Stream, ...], out: Floats) -> None:
    for sample in range(len(x)):
        _propagate(tiles, readings, kind, x[sample], values, outputs, rngs)
        out[sample] = outputs[len(tiles) - 1]


class Network:
    """Crossbars one after another, each with a row for its bias; softmax and cross entropy at the end.

    Parameters
    ----------
    sizes
        Inputs, hidden units ..., classes; layer l has ``(sizes[l] + 1) x sizes[l + 1]`` synapses.
    cell, ahead, back, seed, chip
        See ``Crossbar``; all layers are on one chip.
    activation
        Between the layers: ``sigmoid``, ``tanh`` or ``relu``.
    weights
        Start from these, one (sizes[l] + 1, sizes[l + 1]) array a layer; by default ``initial_weights(sizes, seed)``.
    """

    def __init__(self, sizes: Sequence[int], cell: Cell, *, ahead: Periphery = PERIPHERIES["default"],
                 back: Periphery | None = None, activation: str = "sigmoid", seed: int = 0, chip: Chip | None = None,
                 weights: Iterable[ArrayLike] | None = None) -> None:
        if activation not in ACTIVATIONS:
            raise InputError(f"activation {activation!r} is none of {', '.join(ACTIVATIONS)}")
        if len(sizes) < 2 or any(isinstance(s, bool) or not isinstance(s, int) or s < 1 for s in sizes):
            raise InputError(f"layer sizes {list(sizes)}; give two or more whole numbers of at least 1")
        self.sizes, self.activation = tuple(sizes), activation
        chip = Chip() if chip is None else chip
        back = ahead if back is None else back
        synapses = sum((n + 1) * m for n, m in pairwise(sizes))
        check_memory(SYNAPSE * synapses, f"{synapses:,} synapses", "lower hidden")
        self.layers = [Crossbar(n + 1, m, cell, ahead=ahead, back=back, seed=seed * 1000 + k, chip=chip,
                                name=f"{k + 1}")
                       for k, (n, m) in enumerate(pairwise(sizes))]
        for layer, w in zip(self.layers, initial_weights(sizes, seed) if weights is None else weights):
            layer.weights = w
        self._values = tuple(np.ones(n + 1, np.float32) for n in sizes[:-1])
        self._outputs = tuple(np.zeros(m, np.float32) for m in sizes[1:])
        self._deltas = tuple(np.zeros(m, np.float32) for m in sizes[1:])
        self._inputs = tuple(np.zeros(n + 1, np.float32) for n in sizes[:-1])

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self.sizes))
        return f"<Network {sizes}, {self.activation}, {sum((n + 1) * m for n, m in pairwise(self.sizes)):,} synapses>"

    def _repr_html_(self) -> str:
        rows = [(i + 1, n + 1, m, (n + 1) * m) for i, (n, m) in enumerate(pairwise(self.sizes))]
        return card(f"Crossbar network, {self.activation}", rows, head=("layer", "rows", "columns", "synapses"))

    @property
    def _around(self) -> tuple[tuple[Tile, ...], tuple[Reading, ...]]:
        return tuple(layer.state.tile for layer in self.layers), tuple(layer.state.reading for layer in self.layers)

    @property
    def synapses(self) -> int:
        """Synapses of all layers."""
        return sum(n * m for n, m in (layer.shape for layer in self.layers))

    def _samples(self, x: ArrayLike) -> Floats:
        x = np.ascontiguousarray(x, np.float32)
        if x.ndim != 2 or x.shape[1] != self.sizes[0]:
            raise InputError(f"samples of shape {x.shape} for a network of {self.sizes[0]} inputs; give (samples, "
                             f"{self.sizes[0]})")
        return x

    def train(self, x: ArrayLike, labels: ArrayLike, lr: float, order: ArrayLike | None = None) -> tuple[float, float]:
        """Learn samples ``order`` (all, in their order) one by one.

        Returns
        -------
        Mean loss and accuracy, each sample's before its update.
        """
        x, labels = self._samples(x), np.ascontiguousarray(labels, np.int64)
        order = np.arange(len(x)) if order is None else np.ascontiguousarray(order, np.int64)
        if len(labels) != len(x) or not len(order):
            raise InputError(f"{len(x)} samples with {len(labels)} labels and {len(order)} to learn; give a label "
                             "each, and one "
                             "sample")
        if labels.min() < 0 or labels.max() >= self.sizes[-1] or order.min() < 0 or order.max() >= len(x):
            raise InputError(f"labels from {labels.min()} to {labels.max()} and rows to {order.max()} for "
                             f"{self.sizes[-1]} "
                             f"classes and {len(x)} samples; give whole numbers from 0 below those")
        if not 0 <= lr < float("inf"):
            raise InputError(f"learning rate {lr}; give a finite number of 0 or more")
        states = tuple(layer.state for layer in self.layers)
        loss, right = _train(states, *self._around, ACTIVATIONS[self.activation], x, labels, order, float(lr),
                             self._values,
                             self._outputs, self._deltas, self._inputs, tuple(layer.rng for layer in self.layers))
        return loss / len(order), right / len(order)

    def scores(self, x: ArrayLike, seed: int | None = None) -> Floats:
        """Return outputs (samples, classes) float32.

        Parameters
        ----------
        x
            Samples (samples, inputs).
        seed
            Of a stream of noise of its own: training then goes on as if nothing had been computed.
        """
        x, (tiles, readings) = self._samples(x), self._around
        rngs = tuple(t.rng if seed is None else stream(seed, k, 3) for k, t in enumerate(tiles))
        before = [t.control.copy() for t in tiles]
        out = np.empty((len(x), self.sizes[-1]), np.float32)
        _scores(tiles, readings, ACTIVATIONS[self.activation], x, self._values, self._outputs, rngs, out)
        if seed is not None:  # what is computed beside training is not in its ledger
            for t, control in zip(tiles, before):
                t.control[:] = control
        return out

    def accuracy(self, x: ArrayLike, labels: ArrayLike, seed: int = 0) -> float:
        """Share of samples whose class has the largest output."""
        return float((self.scores(x, seed).argmax(1) == np.asarray(labels)).mean())

    @property
    def weights(self) -> list[NDArray[np.float64]]:
        """Weights of each layer without noise."""
        return [layer.weights for layer in self.layers]

    @property
    def counters(self) -> dict[str, int]:
        """Sums over the layers."""
        each = [layer.counters for layer in self.layers]
        return {name: sum(c[name] for c in each) for name in each[0]}


def initial_weights(sizes: Sequence[int], seed: int) -> list[NDArray[np.float64]]:
    """Draw weights uniform in +-1 / sqrt(inputs), biases among them: torch's start of a linear layer."""
    rng = np.random.default_rng([seed, 0])
    return [rng.uniform(-1, 1, (n + 1, m)) / np.sqrt(n) for n, m in pairwise(sizes)]
