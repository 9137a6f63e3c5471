"""The network of Shi et al. 2018: Poisson inputs, an array of cells, competing outputs, one-sided STDP, pruning."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.cards import card
from ..core.errors import FormatError
from .build import device_of
from .encoding import spike_chance
from .kernels.cells import TALLY
from .kernels.learning import Rule, new_outputs
from .kernels.neurons import LIF, WTA
from .kernels.steps import Neuron, Timing, run_chunk
from .pruning import mature_outputs, maturity, prune_output
from .settings import SpikingSettings
from .synapses import bits_for, check_budget, make_cells

Arrays = dict[str, NDArray[Any]]
Bytes = NDArray[np.uint8]
Counts = NDArray[np.uint16]

#: Streams of samples that are shown without learning begin here, far from those of training.
TEST_STREAM = 1 << 40


#: Bounds of a training's counts and of its potentials and weights.
MOST, LARGEST = 1 << 62, 1e9


def restore_arrays(own: Arrays, stored: Mapping[str, NDArray[Any]], levels: int = 0) -> None:
    """Fill a network's arrays from stored ones; FormatError where those are another network's.

    Digital cells have ``levels`` levels, by which the kernels look up bits and weights.
    """
    for name, array in own.items():
        if name not in stored or stored[name].shape != array.shape or stored[name].dtype != array.dtype:
            raise FormatError(f"array {name} of the stored network does not fit its settings; train anew")
        low: float = -1 if name == "pruned_at" else 0
        high: float = levels - 1 if name == "level" else MOST
        if array.dtype.kind == "f":
            low, high = -LARGEST, LARGEST
        value = stored[name].view(np.uint8) if array.dtype == np.bool_ else stored[name]
        if not ((value >= low) & (value <= (1 if array.dtype == np.bool_ else high))).all():
            raise FormatError(f"array {name} of the stored network holds what no training leaves; train anew")
    for name, array in own.items():
        array[...] = stored[name]


class OneSidedNetwork:
    """State of a network in training; all randomness comes from the settings.

    Attributes
    ----------
    cells, outputs
        See ``kernels.cells`` and ``kernels.learning.Outputs``.
    tally
        (len(TALLY),) int64, what training added up.
    pruned_at
        (outputs,) int64, training spikes of each output when it was pruned, -1: it was not.
    """

    def __init__(self, settings: SpikingSettings, inputs: int, training_samples: int) -> None:
        n, m, s = inputs + settings.bias, settings.outputs, settings
        self.settings, self.training_samples = settings, training_samples
        self.bits = (s.bits or bits_for(n * m, s.arrays)) if s.cells == "digital" else 1
        self.cells_used = check_budget(n * m, self.bits, s.arrays) if s.cells != "ideal" else 0
        rng = np.random.default_rng((s.seed, 0))
        w = rng.uniform(s.w_low, s.w_high, (n, m)).astype(np.float32)
        if s.cells == "digital":  # dithered, so that the mean of what is drawn survives the coarse levels
            spacing = 2 / ((1 << self.bits) - 1)
            w = np.floor((w + 1) / spacing + rng.random(w.shape)).astype(np.float32) * spacing - 1
        self.cells = make_cells(w, s.cells, rng, bits=self.bits, code=s.code, levels=s.levels, device=device_of(s))
        self.outputs = new_outputs(n, m)
        self.tally = np.zeros(len(TALLY), np.int64)
        self.pruned_at = np.full(m, -1, np.int64)
        self.chance = spike_chance(s.max_hz, s.step_ms)
        window = max(1, round(s.window_ms / s.step_ms))
        self.timing = Timing(s.steps, s.burn_in, window)
        self.mature_at = maturity(s, training_samples)

    def __repr__(self) -> str:
        return f"<OneSidedNetwork: {len(self.cells.w)} rows, {self.settings.outputs} outputs>"

    def _repr_html_(self) -> str:
        rows = [("rows", len(self.cells.w)), ("outputs", self.settings.outputs), ("seed", self.settings.seed)]
        return card("Spiking network, rule one-sided", rows)

    def neuron(self, progress: float) -> Neuron:
        """Return the output neurons at a share ``progress`` of training."""
        s, f = self.settings, np.float32
        return Neuron(WTA if s.neuron == "wta" else LIF, f(s.gain * (s.gain_end / s.gain) ** progress), f(s.threshold),
                      f(np.exp(-s.step_ms / s.membrane_ms)), s.inhibition, f(s.theta_step * s.theta_end**progress))

    def rule(self, progress: float) -> Rule:
        """Return the learning rule at a share ``progress`` of training."""
        s, f = self.settings, np.float32
        factor = s.rate_end**progress
        return Rule(f(s.ltp * factor), f(s.ltp_decay), f(s.ltd * factor), s.scaling, s.horizon * s.outputs)

    def learn(self, x: Bytes, first: int) -> Counts:
        """Train on samples ``x``, whose first is sample ``first`` of training, then prune what is mature.

        Output spikes (samples, outputs) uint16. Results depend on where chunks end only through pruning and the
        schedules.
        """
        counts = self._run(x, first, first / self.training_samples, learn=True)
        if self.settings.method in ("soft", "zero", "random"):
            for k in mature_outputs(self.settings, self.outputs, first + len(x), self.mature_at):
                self.prune(k, first + len(x))
        return counts

    def prune(self, k: int, sample: int) -> None:
        """Prune output ``k`` after ``sample`` samples of training."""
        state = np.array([self.settings.seed * 2**20 + sample], np.uint64)
        prune_output(k, self.settings, self.cells, self.outputs, state, self.tally)
        self.pruned_at[k] = self.outputs.spikes[k]

    def finish(self) -> None:
        """After training: prune, where the method does so then."""
        if self.settings.method == "zero-after":
            for k in range(self.settings.outputs):
                self.prune(k, self.training_samples)

    def respond(self, x: Bytes, first: int = 0) -> Counts:
        """Return output spikes (samples, outputs) of samples ``x``; nothing learns, and nothing changes."""
        return self._run(x, TEST_STREAM + first, 1.0, learn=False)

    def _run(self, x: Bytes, first: int, progress: float, *, learn: bool) -> Counts:
        counts = np.zeros((len(x), self.settings.outputs), np.uint16)
        tally = self.tally if learn else np.zeros_like(self.tally)
        run_chunk(x, self.chance, first, np.uint64(self.settings.seed), self.cells, self.outputs, self.timing,
                  self.neuron(progress), self.rule(progress), learn, counts, tally)
        return counts

    def arrays(self) -> Arrays:
        """Return what training changes, by name."""
        changed = {name: a for name, a in self.cells._asdict().items() if name in ("w", "level", "wear")}
        return changed | {"tally": self.tally, "pruned_at": self.pruned_at, **self.outputs._asdict()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Restore what ``arrays`` gave; FormatError where it is another network's."""
        restore_arrays(self.arrays(), arrays, 1 << self.bits)

    def checks(self) -> dict[str, bool]:
        """Return what must hold of the counts after training; of ideal weights no pulse and no wear is counted."""
        o, t = self.outputs, dict(zip(TALLY, self.tally.tolist()))
        n, after = o.frozen.shape[0], np.where(self.pruned_at < 0, 0, o.spikes - self.pruned_at)
        expected = o.spikes * n - after * o.frozen.sum(axis=0)
        return {"updates = spikes x synapses - later spikes x pruned synapses": bool((o.updates == expected).all()),
                "LTP + LTD = updates": t["ltp"] + t["ltd"] == int(o.updates.sum()),
                "pulses = wear of all cells": t["pulses"] == int(self.arrays().get("wear", np.zeros(1)).sum())}
