"""Random numbers of the spiking kernels: SplitMix64, a stream of its own for each sample.

The stream of a sample depends on the seed and on the sample's place in the training alone, so that results depend
neither on how samples are cut into chunks nor on where a killed run was resumed. The kernels compile these functions;
plain Python runs them too (``.py_func``), for the reference.
"""

import numpy as np

from ...core.rng import inlined, jit, word

_STEP = np.uint64(0xD1342543DE82EF95)
_S16, _S32, _S40, _S48 = (np.uint64(s) for s in (16, 32, 40, 48))
_LOW16 = np.uint64(0xFFFF)
_FRACTION = np.float32(2.0**-24)
_SPREAD = np.float32(3**0.5 / 65536)
_CENTRE = np.float32(2 * 65535)


@inlined
def bits32(state):
    """The upper 32 of 64 random bits, as uint64."""
    return word(state) >> _S32


@inlined
def uniform(state):
    """A float32 from 0 up to 1, which it never is."""
    return np.float32(word(state) >> _S40) * _FRACTION


@inlined
def normal(state):
    """A float32 of mean 0 and variance 1: the sum of four uniform 16-bit numbers (Irwin-Hall), at most 3.47."""
    z = word(state)
    total = (z & _LOW16) + (z >> _S16 & _LOW16) + (z >> _S32 & _LOW16) + (z >> _S48)
    return (np.float32(total) - _CENTRE) * _SPREAD


@jit
def start(state, seed, index):
    """Set ``state`` to the beginning of the stream of sample ``index`` (uint64) under ``seed`` (uint64)."""
    state[0] = seed
    state[0] = word(state) + index * _STEP
    state[0] = word(state)
