"""Output neurons: potentials, the soft winner-take-all and the leaky integrate-and-fire neuron, one step each.

Potential of output k while inputs ``i`` are active (fired within the STDP window, the bias always)::

    u_k(t) = sum over active i of w_ik

Soft winner-take-all, a Bayesian draw (Nessler et al., PLoS Computational Biology 9, 2013: with STDP it is online
expectation maximisation): one output fires in each step, ``P(k) = softmax(gain u - theta)_k``.

Leaky integrate-and-fire with adaptive threshold, ``tau dv/dt = -v + tau I``::

    v_k <- v_k exp(-dt / tau) + sum of w_ik over the inputs that fire now

the output with the largest ``v_k - theta_k`` fires when that is above ``threshold``; lateral inhibition then resets
every membrane to 0 and holds it there for ``inhibition`` steps. The threshold adapts: ``theta_k`` grows with each spike
of k.
"""

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from ...core.rng import inlined, jit
from .noise import uniform

_LOG2E, _LN2 = np.float32(1 / math.log(2)), np.float32(math.log(2))
_HALF, _LEAST = np.float32(0.5), np.float32(-80)
_C = tuple(np.float32(1 / math.factorial(n)) for n in range(6))
WTA, LIF = 0, 1
BLOCK = 32


@intrinsic
def _with_bits(typingctx, number):
    """The float32 whose bits are those of an int32."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), codegen


@inlined
def exponential(x):
    """e^x of a float32 of at most 0, to about 4e-7 relative, from -80 down as at -80; the same bits everywhere."""
    y = max(x, _LEAST) * _LOG2E
    n = np.floor(y + _HALF)
    f = (y - n) * _LN2
    p = _C[0] + f * (_C[1] + f * (_C[2] + f * (_C[3] + f * (_C[4] + f * _C[5]))))
    return p * _with_bits(np.int32(np.int32(n) + np.int32(127)) << np.int32(23))


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"nnan", "nsz"})
def largest(values):
    """The largest of float32 numbers that are none of them NaN; the flags let it be computed in vectors."""
    top = values[0]
    for k in range(len(values)):
        top = max(top, values[k])
    return top


@jit
def soft_winner(u, theta, gain, scratch, state):
    """Draw the output that fires from ``softmax(gain u - theta)``; ``u``, ``theta``, ``scratch`` float32 (outputs,).

    Weights are summed in blocks of ``BLOCK``, so that the sums of blocks need not wait for each other; the draw finds
    the block first.
    """
    m = len(u)
    for k in range(m):
        scratch[k] = gain * u[k] - theta[k]
    top = largest(scratch)
    for k in range(m):
        scratch[k] = exponential(scratch[k] - top)
    total = np.float32(0)
    for first in range(0, m, BLOCK):
        total += block_sum(scratch, first)
    drawn, below = uniform(state) * total, np.float32(0)
    for first in range(0, m, BLOCK):
        reached = below + block_sum(scratch, first)
        if reached > drawn:
            return place_in_block(scratch, first, below, drawn)
        below = reached
    return m - 1


@inlined
def block_sum(weights, first):
    """Sum of up to ``BLOCK`` weights from ``first`` on, in order."""
    total = np.float32(0)
    for k in range(first, min(first + BLOCK, len(weights))):
        total += weights[k]
    return total


@inlined
def place_in_block(weights, first, below, drawn):
    """The first place of the block at ``first`` where ``below`` and the weights up to it exceed ``drawn``."""
    total, last = np.float32(0), min(first + BLOCK, len(weights)) - 1
    for k in range(first, last):
        total += weights[k]
        if below + total > drawn:
            return k
    return last


@jit
def lif_winner(v, theta, threshold):
    """The output farthest above its adaptive threshold, or -1 where none is; ``v``, ``theta`` float32 (outputs,)."""
    best, most = -1, threshold
    for k in range(len(v)):
        if v[k] - theta[k] > most:
            best, most = k, v[k] - theta[k]
    return best
