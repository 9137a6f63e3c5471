"""The state of one array of synapses as the kernels see it: plain arrays in a named tuple.

``n`` rows are inputs (the bias among them), ``m`` columns outputs. A weight reads as ``(rest + gamma sign g) / unit``.
"""

from typing import NamedTuple

import numpy as np

#: Kinds of cells: what pulses hit and what beside it is read.
SINGLE, HYBRID, PAIR, TIKI, MIXED = range(5)
#: Rules of the update.
EXACT, STOCHASTIC, COUNTS = range(3)

PERIPHERY = np.dtype([
    ("input_step", "f8"), ("input_noise", "f8"), ("output_step", "f8"), ("output_noise", "f8"), ("output_bound", "f8"),
    ("manage_noise", "i8"), ("manage_bound", "i8"),
])

SETTINGS = np.dtype([
    ("kind", "i8"), ("unit", "f8"), ("block_rows", "i8"), ("block_columns", "i8"),
    # update
    ("rule", "i8"), ("longest", "i8"), ("manage_length", "i8"), ("manage_scale", "i8"), ("nearest", "i8"), ("step", "f8"),
    # fast device
    ("fast_noise", "f8"), ("fast_slope_up", "f8"), ("fast_slope_down", "f8"), ("leak_every", "i8"),
    # PCM pair and its programming
    ("factor", "f8"), ("inversion", "i8"), ("transfer_every", "i8"), ("tolerance", "f8"), ("most_pulses", "i8"),
    ("refresh_level", "f8"), ("least_share", "f8"), ("readings", "i8"), ("example_time", "f8"),
    ("pcm_step", "f8"), ("pcm_shape", "f8"), ("pcm_decay", "f8"), ("pcm_noise", "f8"), ("pcm_add", "f8"), ("pcm_slope", "f8"),
    ("pcm_reset", "f8"), ("pcm_reset_noise", "f8"), ("pcm_drift", "f8"), ("pcm_t0", "f8"), ("pcm_read", "f8"), ("pcm_top", "f8"),
    # Tiki-Taka and mixed precision
    ("gamma", "f8"), ("slow_rate", "f8"), ("slow_noise", "f8"), ("slow_slope_up", "f8"), ("slow_slope_down", "f8"),
    ("slow_step", "f8"), ("momentum", "f8"), ("version", "i8"),
])

#: What changes while training; the counters, from ``pulses_up`` on, feed the ledger.
CONTROL = np.dtype([
    ("examples", "i8"), ("sign", "i8"), ("row", "i8"),
    ("pulses_up", "i8"), ("pulses_down", "i8"), ("slow_pulses", "i8"), ("set_pulses", "i8"), ("resets", "i8"), ("transfers", "i8"),
    ("cell_reads", "i8"), ("unsettled", "i8"), ("clipped", "i8"), ("forward_reads", "i8"), ("backward_reads", "i8"),
    ("input_conversions", "i8"), ("output_conversions", "i8"), ("digital_updates", "i8"),
])
COUNTERS = CONTROL.names[CONTROL.names.index("pulses_up"):]


class State(NamedTuple):
    """Arrays of one array of synapses; those that its kind of cell lacks have no rows.

    g         (n, m) float32      conductance that update pulses hit, uS from its reference
    rest      (n, m) float32      what else is read, uS
    fast      (n, m, 4) float32   constants of g's devices, see ``LinearStep.sample``
    leaks     (n, m, 2) float32   constants of their leak
    stored    (n, m, 2) float32   G+ and G- of a PCM pair; the slow device's conductance of Tiki-Taka in the first
    slow      (n, m, 8) float32   constants of the stored devices, see ``Pcm.sample``; (n, m, 4) of a bidirectional one
    digital   (n, m) float32      accumulator of Tiki-Taka v2 and of mixed precision
    noise     (n, m) float32      variance of a reading of ``rest``, uS^2
    rng       (1,) uint64         stream of random numbers
    control   (1,) CONTROL        counters and where the schedule is
    settings  (1,) SETTINGS
    ahead, back   (1,) PERIPHERY  of the forward and of the backward pass
    """

    g: np.ndarray
    rest: np.ndarray
    fast: np.ndarray
    leaks: np.ndarray
    stored: np.ndarray
    slow: np.ndarray
    digital: np.ndarray
    noise: np.ndarray
    rng: np.ndarray
    control: np.ndarray
    settings: np.ndarray
    ahead: np.ndarray
    back: np.ndarray
