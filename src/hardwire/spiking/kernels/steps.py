"""The fused kernel of the one-sided rule: a chunk of samples, one after the other, each step driven by events.

Weights lie input by input, so that an input event adds one contiguous row to all potentials; an output spike touches
one column. In each step: inputs fire, potentials follow, at most one output fires, its synapses learn. ``reference``
has the same steps in NumPy, one line each, and gives the same bits.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.rng import inner, jit
from .cells import INPUT_SPIKES, OUTPUT_SPIKES
from .learning import learn_spike
from .neurons import WTA, lif_winner, soft_winner
from .noise import bits32, start


class Timing(NamedTuple):
    """Steps of a sample, those at its beginning without output spikes, and the window of STDP and potential."""

    steps: int
    burn_in: int
    window: int


class Neuron(NamedTuple):
    """Output neurons.

    Attributes
    ----------
    kind
        WTA or LIF.
    gain
        Of the soft winner-take-all.
    threshold, leak, inhibition
        Of the LIF neuron: threshold, factor of the potential a step, steps of lateral inhibition.
    theta_step
        Rise of an output's threshold with its spike.
    """

    kind: int
    gain: np.float32
    threshold: np.float32
    leak: np.float32
    inhibition: int
    theta_step: np.float32


class Workspace(NamedTuple):
    """Room for one sample.

    Attributes
    ----------
    potential, scratch
        (outputs,) float32.
    active, last
        (inputs,) uint8, whether an input fired within the window; int64, its last spike.
    candidates
        (inputs,) int64, inputs that can fire in this sample.
    """

    potential: NDArray[np.float32]
    scratch: NDArray[np.float32]
    active: NDArray[np.uint8]
    last: NDArray[np.int64]
    candidates: NDArray[np.int64]


@jit
def workspace(n, m):
    """Return room for ``n`` inputs with the bias and ``m`` outputs."""
    return Workspace(np.zeros(m, np.float32), np.zeros(m, np.float32), np.zeros(n, np.uint8), np.zeros(n, np.int64),
                     np.zeros(n, np.int64))


@jit
def run_chunk(x, chance, first, seed, cells, outputs, timing, neuron, rule, learn, counts, tally):
    """Present samples ``x`` (samples, inputs) uint8; output spikes are added to ``counts`` (samples, outputs) uint16.

    chance  (256,) uint64: an input of value v fires in a step when 32 random bits are below ``chance[v]``
    first   place of the first sample in the run, for its stream
    learn   update synapses, thresholds and shares
    """
    state, work = np.zeros(1, np.uint64), workspace(*cells.w.shape)
    for s in range(len(x)):
        start(state, seed, np.uint64(first + s))
        present(x[s], chance, cells, outputs, timing, neuron, rule, learn, counts[s], tally, state, work)


@jit
def present(x, chance, cells, outputs, timing, neuron, rule, learn, counts, tally, state, work):
    """One sample; the last input, beyond those of ``x``, is the bias, always active."""
    potential, scratch, active = work.potential, work.scratch, work.active
    number, inhibited = begin(x, chance, cells.w, neuron.kind, work), 0
    for t in range(timing.steps):
        fire_inputs(x, t, number, chance, cells.w, timing.window, neuron, tally, state, work)
        if t < timing.burn_in:
            continue
        if neuron.kind == WTA:
            k = soft_winner(potential, outputs.theta, neuron.gain, scratch, state)
        else:
            if inhibited > 0:
                potential[:] = 0
                inhibited -= 1
            k = lif_winner(potential, outputs.theta, neuron.threshold)
        if k < 0:
            continue
        counts[k] += 1
        if learn:
            tally[OUTPUT_SPIKES] += 1
            outputs.theta[k] += neuron.theta_step
            u = learn_spike(k, active, cells, outputs, rule, state, tally)
            if neuron.kind == WTA:
                potential[k] = u
        if neuron.kind != WTA:
            potential[:] = 0
            inhibited = neuron.inhibition


@inner
def begin(x, chance, w, kind, work):
    """Clear the room for a sample; how many inputs can fire in it."""
    potential, active, candidates = work.potential, work.active, work.candidates
    bias, number = len(x), 0
    for i in range(bias):
        active[i] = 0
        if chance[x[i]] > 0:
            candidates[number] = i
            number += 1
    potential[:] = 0
    if len(active) > bias:
        active[bias] = 1
        if kind == WTA:
            add_row(potential, w, bias)
    return number


@inner
def fire_inputs(x, t, number, chance, w, window, neuron, tally, state, work):
    """Draw the inputs that fire in step ``t``; the potentials follow: of WTA what is active, of LIF what fires."""
    potential, active, last, candidates = work.potential, work.active, work.last, work.candidates
    if neuron.kind != WTA:
        leak(potential, neuron.leak)
        if len(active) > len(x):
            add_row(potential, w, len(x))
    for j in range(number):
        i = candidates[j]
        if bits32(state) < chance[x[i]]:
            tally[INPUT_SPIKES] += 1
            if neuron.kind != WTA or not active[i]:
                add_row(potential, w, i)
            active[i] = 1
            last[i] = t
        elif active[i] and last[i] == t - window:
            active[i] = 0
            if neuron.kind == WTA:
                subtract_row(potential, w, i)


@inner
def add_row(potential, w, i):
    row = w[i]
    for k in range(len(potential)):
        potential[k] += row[k]


@inner
def subtract_row(potential, w, i):
    row = w[i]
    for k in range(len(potential)):
        potential[k] -= row[k]


@inner
def leak(potential, factor):
    for k in range(len(potential)):
        potential[k] *= factor
