"""Table values of two-input gates as multilinear coefficients, and gradients the other way.

A gate of table values ``p`` is ``c0 + c1 a + c2 b + c3 a b`` with ``c = (p0, p1 - p0, p2 - p0, p3 - p2 - p1 + p0)``.
"""

import numpy as np
from numpy.typing import NDArray

from ....core.jit import jit
from ....core.simd import load, store


def coefficients(p: NDArray[np.floating], efd: bool) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the coefficients that forward uses and those that the gradients of the operands use.

    Parameters
    ----------
    p : (gates, 4) table values, C-contiguous
    efd : whether the operands' gradients are extended finite differences

    Returns
    -------
    c, slopes : (gates, 4) each, of the dtype of ``p``; the same array unless ``efd``
    """
    c = np.empty_like(p)
    _coefficients(p, c)
    if not efd:
        return c, c
    slopes = np.empty_like(c)
    _blurred(c, slopes)
    return c, slopes


@jit
def _coefficients(p, c):
    for g in range(len(p)):
        c[g, 0] = p[g, 0]
        c[g, 1] = p[g, 1] - p[g, 0]
        c[g, 2] = p[g, 2] - p[g, 0]
        c[g, 3] = p[g, 3] - p[g, 2] - p[g, 1] + p[g, 0]


@jit
def _blurred(c, slopes):
    """Coefficients whose derivative is the extended finite difference: half the one taken at inputs ``1/4 + x/2``."""
    for g in range(len(c)):
        slopes[g, 0] = c[g, 0]
        slopes[g, 1] = 0.5 * c[g, 1] + 0.125 * c[g, 3]
        slopes[g, 2] = 0.5 * c[g, 2] + 0.125 * c[g, 3]
        slopes[g, 3] = 0.25 * c[g, 3]


def value_gradients(dc: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the gradients (gates, 4) of the table values from those of the coefficients, (parts, gates, 4)."""
    dp = np.empty(dc.shape[1:], dc.dtype)
    _value_gradients(dc, dp)
    return dp


@jit
def _value_gradients(parts, dp):
    for g in range(len(dp)):
        total = load(parts, g * 4, 4)
        for part in range(1, len(parts)):
            total = total + load(parts, (part * len(dp) + g) * 4, 4)
        store(total, dp, g * 4)
        d0, d1, d2, d3 = dp[g, 0], dp[g, 1], dp[g, 2], dp[g, 3]
        dp[g, 0] = d0 - d1 - d2 + d3
        dp[g, 1] = d1 - d3
        dp[g, 2] = d2 - d3


def interaction(p: NDArray[np.floating]) -> tuple[float, NDArray[np.floating]]:
    """Mean of ``|c3|``, the coefficient of ``a b``, over the gates of table values ``p`` (gates, 4).

    Returns
    -------
    mean : float
    signs : (gates, 4), the gradient of the sum of ``|c3|``: ``len(p)`` times that of the mean
    """
    signs = np.empty_like(p)
    return _interaction(p, signs) / len(p), signs


@jit
def _interaction(p, signs):
    total = 0.0
    for g in range(len(p)):
        c3 = p[g, 3] - p[g, 2] - p[g, 1] + p[g, 0]
        sign = np.sign(c3)
        total += abs(c3)
        signs[g, 0], signs[g, 1], signs[g, 2], signs[g, 3] = sign, -sign, -sign, sign
    return total
