"""The network of Diehl and Cook, Frontiers in Computational Neuroscience 9:99, 2015, and its triplet STDP.

Excitatory neurons are conductance-based, potentials in mV, times in ms::

    100 dv/dt = (-65 - v) + ge (0 - v) + gi (-100 - v)      ge, gi decay with 1 and 2 ms
    spike where v > -52 + theta:  v = -65, refractory for 5 ms, theta += theta_plus; theta decays with 1e7 ms

Triplet rule, traces decaying with 20, 20 and 40 ms, each set to 1 by a spike, weights in [0, 1]::

    input spike    w -= 1e-4 post1
    output spike   w += 1e-2 pre post2, with post2 before this spike

Before each sample every output's weights are scaled to the sum ``norm``. A sample lasts 350 ms in steps of 0.5 ms; one
with fewer than five output spikes is shown again with half the first intensity more. These constants were read in the
authors' published code.

What differs from that code: an inhibitory neuron, which its one excitatory partner always brings to fire, is a delay of
one step; the 150 ms of rest after a sample are the membranes' decay in closed form; there are no axonal delays; the
weight of inhibition is this project's choice.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.rng import inner, jit
from .cells import INPUT_SPIKES, LTD, LTP, OUTPUT_SPIKES
from .noise import bits32, start

STEP_MS, STEPS, REST_MS = 0.5, 700, 150.0
REST, RESET, THRESHOLD, E_INH = (np.float32(v) for v in (-65, -65, -52, -100))
REFRACTORY, LEAST_SPIKES, MOST_SHOWINGS = 10, 5, 20
TAU, TAU_GE, TAU_GI, TAU_PRE, TAU_POST1, TAU_POST2, TAU_THETA = 100.0, 1.0, 2.0, 20.0, 20.0, 40.0, 1e7
RATE_PRE, RATE_POST, INHIBITION = np.float32(1e-4), np.float32(1e-2), np.float32(17)
ONE, ZERO = np.float32(1), np.float32(0)


def decay(tau: float, ms: float = STEP_MS) -> np.float32:
    """Return what is left after ``ms``."""
    return np.float32(np.exp(-ms / tau))


EULER = np.float32(STEP_MS / TAU)
KEEP_GE, KEEP_GI, KEEP_POST1, KEEP_POST2 = decay(TAU_GE), decay(TAU_GI), decay(TAU_POST1), decay(TAU_POST2)
REST_V, REST_POST1, REST_POST2 = decay(TAU, REST_MS), decay(TAU_POST1, REST_MS), decay(TAU_POST2, REST_MS)
KEEP_THETA = decay(TAU_THETA, STEPS * STEP_MS + REST_MS)
#: ``pre`` by the steps since the input's last spike.
PRE = np.exp(-np.arange(STEPS + 1) * STEP_MS / TAU_PRE).astype(np.float32)



class Membranes(NamedTuple):
    """Outputs, (outputs,) each: potential (mV), conductances, traces, adaptive threshold, refractory steps left."""

    v: NDArray[np.float32]
    ge: NDArray[np.float32]
    gi: NDArray[np.float32]
    post1: NDArray[np.float32]
    post2: NDArray[np.float32]
    theta: NDArray[np.float32]
    refractory: NDArray[np.int64]


def new_membranes(m: int) -> Membranes:
    """Return ``m`` outputs at rest."""
    v = np.full(m, REST)
    return Membranes(v, *(np.zeros(m, np.float32) for _ in range(5)), np.zeros(m, np.int64))


@jit
def run_chunk(x, chance, first, seed, w, membranes, theta_plus, norm, learn, counts, tally):
    """Present samples ``x`` (samples, inputs) uint8; output spikes are added to ``counts`` (samples, outputs) uint16.

    ``chance`` as in ``encoding.spike_chance``; ``w`` (inputs, outputs) float32.
    """
    n, m = w.shape
    state, fired = np.zeros(1, np.uint64), np.zeros(m, np.int64)
    last, candidates = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for s in range(len(x)):
        start(state, seed, np.uint64(first + s))
        if learn:
            normalise(w, norm)
        for showing in range(MOST_SHOWINGS):
            counts[s] = 0
            spikes = present(x[s], chance, 2 + showing, w, membranes, theta_plus, learn, counts[s], tally, state, last,
                             candidates,
                             fired)
            rest(membranes, learn)
            if spikes >= LEAST_SPIKES:
                break


@jit
def normalise(w, norm):
    """Scale every output's weights to the sum ``norm``."""
    total = np.zeros(w.shape[1], np.float32)
    for i in range(len(w)):
        row = w[i]
        for k in range(len(total)):
            total[k] += row[k]
    for k in range(len(total)):
        total[k] = norm / total[k]
    for i in range(len(w)):
        row = w[i]
        for k in range(len(total)):
            row[k] *= total[k]


@inner
def present(x, chance, intensity, w, membranes, theta_plus, learn, counts, tally, state, last, candidates, fired):
    """Show one sample at ``intensity`` / 2 of the first rate; the number of output spikes."""
    number, spikes, pending = 0, 0, 0
    for i in range(len(x)):
        last[i] = -1
        if chance[x[i]] > 0:
            candidates[number] = i
            number += 1
    for t in range(STEPS):
        inhibit(membranes.gi, fired, pending)
        for j in range(number):
            i = candidates[j]
            if bits32(state) < chance[x[i]] * np.uint64(intensity) >> np.uint64(1):
                last[i] = t
                tally[INPUT_SPIKES] += learn
                if learn:
                    depress(w[i], membranes.post1)
                    tally[LTD] += len(counts)
                excite(membranes.ge, w[i])
        pending = step_membranes(membranes, fired)
        for f in range(pending):
            k = fired[f]
            counts[k] += 1
            spikes += 1
            if learn:
                tally[OUTPUT_SPIKES] += 1
                membranes.theta[k] += theta_plus
                tally[LTP] += potentiate(k, t, w, membranes.post2[k], last)
            membranes.post1[k] = ONE
            membranes.post2[k] = ONE
    return spikes


@inner
def excite(ge, row):
    for k in range(len(ge)):
        ge[k] += row[k]


@inner
def depress(row, post1):
    for k in range(len(row)):
        row[k] = max(row[k] - RATE_PRE * post1[k], ZERO)


@inner
def potentiate(k, t, w, post2, last):
    """Potentiate the synapses of output k whose input has fired in this sample; how many."""
    updated = 0
    for i in range(len(w)):
        if last[i] >= 0:
            w[i, k] = min(w[i, k] + RATE_POST * PRE[t - last[i]] * post2, ONE)
            updated += 1
    return updated


@inner
def inhibit(gi, fired, number):
    """Each of the ``number`` outputs that fired in the step before inhibits all others."""
    if number == 0:
        return
    for k in range(len(gi)):
        gi[k] += INHIBITION * np.float32(number)
    for f in range(number):
        gi[fired[f]] -= INHIBITION


@inner
def step_membranes(membranes, fired):
    """One step of all outputs; those that fire are listed in ``fired``, and counted."""
    v, ge, gi, post1, post2, theta, refractory = membranes
    for k in range(len(v)):
        moved = v[k] + EULER * (REST - v[k] - ge[k] * v[k] + gi[k] * (E_INH - v[k]))
        v[k] = RESET if refractory[k] > 0 else moved
        ge[k] *= KEEP_GE
        gi[k] *= KEEP_GI
        post1[k] *= KEEP_POST1
        post2[k] *= KEEP_POST2
    number = 0
    for k in range(len(v)):
        if refractory[k] > 0:
            refractory[k] -= 1
        elif v[k] > THRESHOLD + theta[k]:
            v[k] = RESET
            refractory[k] = REFRACTORY
            fired[number] = k
            number += 1
    return number


@inner
def rest(membranes, learn):
    """The pause after a sample: membranes and traces decay, conductances are gone."""
    v, ge, gi, post1, post2, theta, refractory = membranes
    for k in range(len(v)):
        v[k] = REST + (v[k] - REST) * REST_V
        ge[k] = ZERO
        gi[k] = ZERO
        post1[k] *= REST_POST1
        post2[k] *= REST_POST2
        refractory[k] = 0
        if learn:
            theta[k] *= KEEP_THETA
