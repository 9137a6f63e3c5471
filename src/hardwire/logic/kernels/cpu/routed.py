"""``reference.routed`` on inputs of 0 and 1: tables that read one candidate each, with the gradient of all candidates.

On bits the multilinear extension of a table is the addressed entry, and the slope of operand ``i`` at address ``m`` is
``q[m | 2^i] - q[m & ~2^i]``, ``q`` the table values or, for extended finite differences, these blurred: along every
operand, ``q0 = (3 p0 + p1) / 4`` and ``q1 = (p0 + 3 p1) / 4``. Both are looked up, whatever the number of operands.

Arrays of all functions here, ``float`` one type throughout: ``x`` (inputs, pitch) float, as ``padded`` gives it;
``wires`` (tables, k) int32, the inputs that are read; ``candidates`` (tables, k, K) int32, K a multiple of 4; ``p``
(tables, 2^k) float. A table's sums are made by one thread in the order of the samples: the result has the same bits for
any number of threads.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.jit import inner, jit
from ....core.simd import load, splat, store, sums
from .blocks import run_parts, threads

#: Numbers in a vector; rows of samples are padded to a multiple.
LANES = 16
#: Jobs of a batch for each thread; one thread alone takes one.
JOBS = 4


@jit
def _largest(choice, candidates, wires):
    """The candidate of the largest ``choice`` for each operand, the first of several; rows of both are operands."""
    for row in range(len(choice)):
        best, at = choice[row, 0], 0
        for c in range(1, choice.shape[1]):
            if choice[row, c] > best:
                best, at = choice[row, c], c
        wires[row] = candidates[row, at]


@inner
def _addresses(x, wires, address):
    """Address of each sample in the table that reads ``wires``."""
    for s in range(x.shape[1]):
        address[s] = np.int32(x[wires[0], s])
    for i in range(1, len(wires)):
        row = x[wires[i]]
        for s in range(len(row)):
            address[s] |= np.int32(row[s]) << i


@jit
def _forward(x, wires, p, out, first, last):
    address = np.empty(x.shape[1], np.int32)
    for g in range(first, last):
        _addresses(x, wires[g], address)
        table, y = p[g], out[g]
        for s in range(len(y)):
            y[s] = table[address[s]]


@inner
def _slopes(table, efd, q, slopes):
    """Slope of each operand at each address, (k, 2^k)."""
    for m in range(len(table)):
        q[m] = table[m]
    for i in range(len(slopes) if efd else 0):
        bit = 1 << i
        for m in range(len(table)):
            if not m & bit:
                low, high = q[m], q[m | bit]
                q[m] = (3 * low + high) / 4
                q[m | bit] = (low + 3 * high) / 4
    for i in range(len(slopes)):
        bit = 1 << i
        for m in range(len(table)):
            slopes[i, m] = q[m | bit] - q[m & ~bit]


@inner
def _products(x, d, i, candidates, dw, row):
    """``dw[row, c] = sum_s d[i, s] x[candidates[row, c], s]``, four candidates at a time."""
    pitch, first = x.shape[1], i * d.shape[1]
    for c in range(0, candidates.shape[1], 4):
        at0, at1 = pitch * candidates[row, c], pitch * candidates[row, c + 1]
        at2, at3 = pitch * candidates[row, c + 2], pitch * candidates[row, c + 3]
        v0 = splat(d.dtype.type(0), LANES)
        v1, v2, v3 = v0, v0, v0
        for s in range(0, pitch, LANES):
            y = load(d, first + s, LANES)
            v0 = v0 + y * load(x, at0 + s, LANES)
            v1 = v1 + y * load(x, at1 + s, LANES)
            v2 = v2 + y * load(x, at2 + s, LANES)
            v3 = v3 + y * load(x, at3 + s, LANES)
        store(sums(v0, v1, v2, v3), dw, row * candidates.shape[1] + c)


@jit
def _backward(x, grad, wires, candidates, p, efd, dp, dw, d, keep, first, last):
    """Tables ``first .. last``; ``d`` (k tables, pitch) takes the operands' gradients if ``keep``, else (k, pitch)."""
    k, samples, pitch = wires.shape[1], grad.shape[1], x.shape[1]
    address, y = np.empty(pitch, np.int32), np.zeros(pitch, x.dtype)
    q, slopes = np.empty(p.shape[1], x.dtype), np.empty((k, p.shape[1]), x.dtype)
    own = np.empty((k, pitch), x.dtype)
    for g in range(first, last):
        _addresses(x, wires[g], address)
        for s in range(samples):
            y[s] = grad[g, s]
        for m in range(p.shape[1]):
            dp[g, m] = 0
        for s in range(samples):
            dp[g, address[s]] += y[s]
        _slopes(p[g], efd, q, slopes)
        for i in range(k):
            slope, to = slopes[i], own[i]
            for s in range(pitch):
                to[s] = y[s] * slope[address[s]]
            _products(x, own, i, candidates, dw, g * k + i)
            if keep:
                for s in range(pitch):
                    d[g * k + i, s] = to[s]


@jit
def _gather(d, wires, dx, first, last):
    """Columns ``first .. last`` of ``dx``: the operands' gradients, added in order to the inputs that they read."""
    for f in range(len(dx)):
        for s in range(first, last):
            dx[f, s] = 0
    for row in range(len(wires)):
        f = wires[row]
        for s in range(first, last):
            dx[f, s] += d[row, s]


def _share(work: Callable[[int, int], None], count: int) -> None:
    """Call ``work(first, last)`` for all of ``range(count)``, over the kernels' threads."""
    jobs = 1 if threads() == 1 else JOBS * threads()
    edges = [count * i // jobs for i in range(jobs + 1)]
    run_parts(lambda i: work(edges[i], edges[i + 1]), jobs)


def padded(x: NDArray[Any]) -> NDArray[Any]:
    """``x`` (inputs, samples) C-contiguous, with columns of 0 up to a multiple of ``LANES``; no copy if it is so."""
    pitch = -(-x.shape[1] // LANES) * LANES
    if pitch == x.shape[1] and x.flags.c_contiguous:
        return x
    out = np.zeros((len(x), pitch), x.dtype)
    out[:, : x.shape[1]] = x
    return out


def is_binary(x: NDArray[Any]) -> bool:
    """Whether all of ``x``, as ``padded`` gives it, is 0 or 1."""
    return bool((x * x == x).all())


def largest(choice: NDArray[Any], candidates: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the candidates (tables, k) of the largest ``choice`` (tables, k, K), the first of several."""
    wires = np.empty(choice.shape[:2], np.int32)
    _largest(choice.reshape(-1, choice.shape[2]), candidates.reshape(-1, choice.shape[2]), wires.reshape(-1))
    return wires


def forward(x: NDArray[Any], wires: NDArray[np.int32], p: NDArray[Any], samples: int) -> NDArray[Any]:
    """Return the outputs (tables, samples), C-contiguous."""
    out = np.empty((len(p), samples), p.dtype)
    _share(lambda first, last: _forward(x, wires, p, out, first, last), len(p))
    return out


def backward(
    x: NDArray[Any],
    grad_out: NDArray[Any],
    wires: NDArray[np.int32],
    candidates: NDArray[np.int32],
    p: NDArray[Any],
    efd: bool,
    want_dx: bool,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the gradients of ``forward``; with ``efd`` the operands' are extended finite differences.

    Returns
    -------
    dp : (tables, 2^k), of the table values
    dw : (tables, k, K), of the candidates' shares
    dx : (inputs, samples), or (0, samples) unless ``want_dx``
    """
    samples, k = grad_out.shape[1], wires.shape[1]
    dp, dw = np.empty(p.shape, p.dtype), np.empty(candidates.shape, p.dtype)
    d = np.empty((len(p) * k if want_dx else 0, x.shape[1]), p.dtype)
    flat, rows = candidates.reshape(-1, candidates.shape[-1]), dw.reshape(-1, candidates.shape[-1])
    _share(lambda first, last: _backward(x, grad_out, wires, flat, p, efd, dp, rows, d, want_dx, first, last), len(p))
    dx = np.empty((len(x) if want_dx else 0, samples), p.dtype)
    if want_dx:
        _share(lambda first, last: _gather(d, wires.reshape(-1), dx, first, last), samples)
    return dp, dw, dx
