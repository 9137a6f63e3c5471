"""The network of Diehl and Cook 2015 as a comparison; equations and constants are those of ``kernels.diehl_cook``."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.cards import card
from .encoding import spike_chance
from .kernels.cells import INPUT_SPIKES, LTD, TALLY
from .kernels.diehl_cook import STEP_MS, Membranes, new_membranes, normalise, run_chunk
from .network import TEST_STREAM, Arrays, Bytes, Counts, restore_arrays
from .settings import SpikingSettings


class DiehlCookNetwork:
    """State of a network in training; the same interface as ``OneSidedNetwork``.

    Attributes
    ----------
    w
        (inputs, outputs) float32, at the beginning uniform in [0, 0.3).
    """

    def __init__(self, settings: SpikingSettings, inputs: int, training_samples: int) -> None:
        self.settings, self.training_samples = settings, training_samples
        rng = np.random.default_rng((settings.seed, 0))
        self.w = (0.3 * (rng.random((inputs, settings.outputs)) + 0.01)).astype(np.float32)
        self.membranes = new_membranes(settings.outputs)
        self.tally = np.zeros(len(TALLY), np.int64)
        self.chance = spike_chance(settings.intensity_hz, STEP_MS)

    def __repr__(self) -> str:
        return f"<DiehlCookNetwork: {len(self.w)} rows, {self.settings.outputs} outputs>"

    def _repr_html_(self) -> str:
        rows = [("rows", len(self.w)), ("outputs", self.settings.outputs), ("seed", self.settings.seed)]
        return card("Spiking network, rule of Diehl and Cook", rows)

    def learn(self, x: Bytes, first: int) -> Counts:
        """Train on samples ``x``, whose first is sample ``first`` of training; return spikes (samples, outputs)."""
        return self._run(x, first, self.membranes, self.tally, learn=True)

    def finish(self) -> None:
        """After training: scale the weights a last time."""
        normalise(self.w, np.float32(self.settings.norm))

    def respond(self, x: Bytes, first: int = 0) -> Counts:
        """Return output spikes (samples, outputs) of samples ``x``; nothing learns, and nothing changes."""
        copies = copy.deepcopy(self.membranes)
        return self._run(x, TEST_STREAM + first, copies, np.zeros_like(self.tally), learn=False)

    def _run(self, x: Bytes, first: int, membranes: Membranes, tally: NDArray[np.int64], *, learn: bool) -> Counts:
        counts, s = np.zeros((len(x), self.settings.outputs), np.uint16), self.settings
        run_chunk(x, self.chance, first, np.uint64(s.seed), self.w, membranes, np.float32(s.theta_plus),
                  np.float32(s.norm), learn,
                  counts, tally)
        return counts

    def arrays(self) -> Arrays:
        """Return what training changes, by name."""
        return {"w": self.w, "tally": self.tally, **self.membranes._asdict()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Restore what ``arrays`` gave; FormatError where it is another network's."""
        restore_arrays(self.arrays(), arrays)

    def checks(self) -> dict[str, bool]:
        """Return what must hold of the counts after training."""
        return {"LTD = input spikes x outputs": int(self.tally[LTD]) == int(self.tally[INPUT_SPIKES]) * self.w.shape[1]}
