"""One array of synapses as an object: what a layer, an experiment or a test does with it."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.errors import InputError
from ..core.rng import jit
from ..devices.models import AGE
from .cells import Cell, update
from .kernels import tile
from .kernels.noise import stream
from .kernels.reference import Reference
from .kernels.state import CONTROL, EVENTS, Floats, Stream, Tile, fields_of
from .periphery import Chip, Periphery


class Crossbar:
    """``rows`` x ``columns`` synapses of one kind of cell.

    Parameters
    ----------
    cell
        How a weight is made.
    ahead, back
        Periphery of the forward and of the backward pass.
    seed
        Where all randomness comes from.
    chip
        Where its blocks are taken from; InputError when it has too few.
    name
        Of the array in errors.

    Attributes
    ----------
    state
        The arrays, a record of the cell's ``state_type``; the kernels change them in place.
    """

    def __init__(self, rows: int, columns: int, cell: Cell, *, ahead: Periphery, back: Periphery, seed: int,
                 chip: Chip | None = None, name: str = "crossbar") -> None:
        chip = Chip() if chip is None else chip
        chip.place(name, rows, columns)
        self.cell, self.name, self.shape = cell, name, (rows, columns)
        around = Tile(stream(seed, 2), np.zeros(1, CONTROL), float(cell.unit), chip.rows, chip.columns,
                      ahead.converters(),
                      back.converters())
        self.state: Any = cell.state(around, rows, columns, np.random.default_rng([seed, 1]))

    @property
    def rng(self) -> Stream:
        """The array's own stream of random numbers."""
        return self.state.tile.rng  # type: ignore[no-any-return]

    def _vector(self, v: ArrayLike, size: int, what: str) -> Floats:
        v = np.ascontiguousarray(v, np.float32)
        if v.shape[-1:] != (size,) or v.ndim > 2:
            raise InputError(f"{self.name}: {what} of shape {v.shape} for {self.shape[0]} rows and {self.shape[1]} "
                             "columns; give "
                             f"({size},) or (samples, {size})")
        return np.atleast_2d(v)

    def forward(self, x: ArrayLike, rng: Stream | None = None) -> Floats:
        """Read the array forward.

        Parameters
        ----------
        x
            (rows,) or (samples, rows).
        rng
            Another stream of noise than the array's own.

        Returns
        -------
        (columns,) or (samples, columns) float32.
        """
        rows = self._vector(x, self.shape[0], "inputs")
        y = np.empty((len(rows), self.shape[1]), np.float32)
        _forward_all(self.state.tile, self.state.reading, rows, y, self.rng if rng is None else rng)
        return y.reshape(*np.shape(x)[:-1], self.shape[1])

    def backward(self, d: ArrayLike) -> Floats:
        """Read the array backward: ``d`` (columns,) or (samples, columns) -> gradients of the inputs, float32."""
        rows = self._vector(d, self.shape[1], "gradients")
        y = np.empty((len(rows), self.shape[0]), np.float32)
        _backward_all(self.state.tile, self.state.reading, rows, y, self.rng)
        return y.reshape(*np.shape(d)[:-1], self.shape[0])

    def update(self, x: ArrayLike, d: ArrayLike, lr: float) -> None:
        """``W -= lr x d^T`` for each sample in turn, by pulses."""
        if not 0 <= lr < float("inf"):
            raise InputError(f"{self.name}: learning rate {lr}; give a finite number of 0 or more")
        inputs, gradients = self._vector(x, self.shape[0], "inputs"), self._vector(d, self.shape[1], "gradients")
        _update_all(self.state, inputs, gradients, float(lr), self.rng)

    def pulses(self, counts: ArrayLike) -> None:
        """Give update pulses: ``counts`` (rows, columns) whole numbers; positive ones raise the weight."""
        counts = np.ascontiguousarray(counts, np.int64)
        if counts.shape != self.shape:
            raise InputError(f"{self.name}: pulses of shape {counts.shape}, the array is {self.shape}")
        self.cell.kernels.pulse(self.state, counts, self.rng)

    def transfer(self) -> None:
        """Do what the end of an interval brings: transfer into the pairs, or their refresh."""
        if self.cell.kernels.transfer is None:
            raise InputError(f"{self.name}: cell {type(self.cell).__name__} has nothing to transfer; take Hybrid or "
                             "PcmPair")
        self.cell.kernels.transfer(self.state, self.rng)

    def leak(self, examples: float) -> None:
        """Do what ``examples`` examples of leakage do."""
        if self.cell.kernels.leak:
            self.cell.kernels.leak(self.state, float(examples))

    def wait(self, seconds: float) -> None:
        """Let the PCM devices drift for ``seconds``."""
        if not seconds >= 0:
            raise InputError(f"{self.name}: cannot wait {seconds} s; give seconds of 0 or more")
        if self.cell.kernels.wait:
            self.cell.kernels.wait(self.state, float(seconds))

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weights without noise, (rows, columns) float64."""
        g, rest, _, gain = self.state.reading
        return np.asarray((rest + gain[0] * g.astype(np.float64)) / self.cell.unit)

    @weights.setter
    def weights(self, w: ArrayLike) -> None:
        w = np.ascontiguousarray(w, np.float64)
        if w.shape != self.shape or not np.isfinite(w).all():
            raise InputError(f"{self.name}: weights of shape {w.shape} for an array of {self.shape}; give finite ones "
                             "of its shape")
        self.cell.kernels.program(self.state, w, self.rng)

    def reference(self) -> Reference:
        """Return the slow reference of the array, on a copy of its state."""
        return self.cell.reference(self.state)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything that changes or tells devices apart, by name, to be written to a file.

        Arrays are views, words and records as int64; the numbers of the cell and of its converters stand in two more.
        """
        stored: dict[str, NDArray[Any]] = {}
        numbers: dict[str, list[float]] = {"cell": [], "converters": []}
        for name, value in fields_of(self.state):
            if not isinstance(value, np.ndarray):
                numbers["converters" if name.startswith(("tile.ahead", "tile.back")) else "cell"].append(float(value))
            elif len(value):
                stored[name] = value if value.dtype == np.float32 else value.view(np.int64)
        return stored | {name: np.array(values) for name, values in numbers.items()}

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Restore what ``arrays`` of a like array gave; InputError when it was of another shape or cell."""
        own = self.arrays()
        for name, value in arrays.items():
            if own[name].shape != value.shape or own[name].dtype != value.dtype:
                raise InputError(f"{self.name}: stored {name} is {value.shape} {value.dtype}, this array's "
                                 f"{own[name].shape} "
                                 f"{own[name].dtype}; build the network as it was when it was stored")
            if name in ("cell", "converters") and not np.array_equal(own[name], value):
                raise InputError(f"{self.name}: stored with other {name.removesuffix('s')}s; build the network as it "
                                 "was when it "
                                 "was stored")
        check_devices(self.name, own, arrays, float(getattr(self.state, "step", 1.0)))
        for name, value in arrays.items():
            own[name][...] = value

    @property
    def counters(self) -> dict[str, int]:
        """Pulses, transfers, reads and conversions so far."""
        return {name: int(self.state.tile.control[name][0]) for name in EVENTS}


@jit
def _forward_all(around: Tile, reading: Any, x: Floats, y: Floats, rng: Stream) -> None:
    for i in range(len(x)):
        tile.forward(around, reading, x[i], y[i], rng)


@jit
def _backward_all(around: Tile, reading: Any, d: Floats, y: Floats, rng: Stream) -> None:
    for i in range(len(d)):
        tile.backward(around, reading, d[i], y[i], rng)


@jit
def _update_all(state: Any, x: Floats, d: Floats, lr: float, rng: Stream) -> None:
    for i in range(len(x)):
        update(state, x[i], d[i], lr, rng)


#: How many times the largest fresh number a device's stored ones may be, and how many pulses an accumulator may hold.
FAR, WAITING = 100.0, 1000.0


def check_devices(what: str, own: dict[str, NDArray[Any]], stored: dict[str, NDArray[Any]], step: float) -> None:
    """Refuse stored devices that no training leaves: the kernels count pulses and rows by them.

    Parameters
    ----------
    what
        Name of the array in errors.
    own, stored
        As ``Crossbar.arrays`` gives them, of a fresh array and of the stored one.
    step
        Change of a weight by a pulse.
    """
    fresh = [np.abs(a[np.isfinite(a)]).max(initial=1.0) for a in own.values() if a.dtype == np.float32]
    largest = FAR * float(max(fresh, default=1.0))
    for name, value in stored.items():
        if name in ("cell", "converters", "tile.rng"):
            continue
        if name == "reading.gain":
            value = value.view(np.float64)
        if value.dtype == np.int64:
            limit = own["reading.rest"].shape[0] - 1 if name == "row" else 1 << 62
            right = bool(((value >= 0) & (value <= limit)).all())
        elif name == "accumulator":
            pulse = 1.0 if "row" in own else step  # Tiki-Taka's are in pulses, others in weights
            right = bool((np.abs(value) <= WAITING * pulse).all())
        elif name == "pair.constants":  # the last is seconds since the last pulse
            right = bool((np.abs(value[..., :AGE]) <= largest).all()) and bool((value[..., AGE] >= 0).all())
        else:
            right = bool((np.abs(value) <= largest).all())
        if not right or not np.isfinite(value).all():
            raise InputError(f"{what}: stored {name} holds what no training leaves; train the network anew")
