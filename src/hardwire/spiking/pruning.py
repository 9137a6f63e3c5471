"""Pruning while training: which outputs are mature, which of their synapses are unimportant, what becomes of those."""

import numpy as np
from numpy.typing import NDArray

from .kernels.cells import AnalogCells, Cells, DigitalCells, write_level
from .kernels.learning import Outputs
from .settings import SpikingSettings
from .synapses import write_conductance

Indices = NDArray[np.int64]

#: Share of training after which an output is mature, where ``mature_at`` is 0.
EARLY = 1 / 2


def maturity(settings: SpikingSettings, training_samples: int) -> int:
    """Return the spikes of an output, or samples, at which it is mature.

    By default what half of training brings an output whose share of the spikes is the average one.
    """
    if settings.mature_at:
        return settings.mature_at
    samples = max(1, round(EARLY * training_samples))
    if settings.mature_by == "samples":
        return samples
    return max(1, samples * (settings.steps - settings.burn_in) // settings.outputs)


def mature_outputs(settings: SpikingSettings, outputs: Outputs, sample: int, at: int) -> Indices:
    """Return the outputs that are to be pruned now: mature, and not pruned yet."""
    mature = outputs.spikes >= at if settings.mature_by == "spikes" else np.full(len(outputs.spikes), sample >= at)
    return np.flatnonzero(mature & ~outputs.frozen.any(axis=0))


def unimportant(w: NDArray[np.float32], share: float, importance: str = "weight") -> Indices:
    """Return the ``share`` of the weights ``w`` (inputs,) that matter least, as sorted places; of equal ones the first.

    Parameters
    ----------
    w, share
        Weights of one output, and which share of them.
    importance
        ``weight``: the lowest, of inputs that were silent when the output fired; ``magnitude``: those nearest to 0.
    """
    key = w if importance == "weight" else np.abs(w)
    return np.sort(np.argsort(key, kind="stable")[: round(share * len(w))])


def prune_output(k: int, settings: SpikingSettings, cells: Cells, outputs: Outputs, state: NDArray[np.uint64],
                 tally: NDArray[np.int64]) -> int:
    """Prune output k by ``settings.method``; return how many synapses it lost.

    The constant of soft pruning is written into the cells. A synapse with constant 0 is taken out: its weight reads 0
    and its cells stay as they are.
    """
    w = cells.w[:, k]
    if settings.method == "random":
        order = np.random.default_rng((settings.seed, 1, k)).permutation(len(w))
        chosen = np.sort(order[: round(settings.prune * len(w))])
    else:
        chosen = unimportant(w, settings.prune, settings.importance)
    if settings.method == "soft":
        for i in chosen:
            _write(cells, i, k, settings.constant, state, tally)
    elif settings.method in ("zero", "zero-after"):
        cells.w[chosen, k] = 0
    outputs.frozen[chosen, k] = True
    return len(chosen)


def _write(cells: Cells, i: int, k: int, value: float, state: NDArray[np.uint64], tally: NDArray[np.int64]) -> None:
    if isinstance(cells, DigitalCells):
        write_level(cells, i, k, np.uint8(np.abs(cells.value - value).argmin()), state, tally)
    elif isinstance(cells, AnalogCells):
        write_conductance(cells, i, k, np.float32(value), tally)
    else:
        cells.w[i, k] = value
