"""``functional.lut``: look-up tables of 2 to 6 inputs as their multilinear extensions.

A table is folded like a tree whose leaves are its ``2^k`` values: level ``l`` interpolates on operand ``l``, and node
``2^k + g`` stands over nodes ``2g`` and ``2g + 1``. So the values of all nodes are one tuple in the order of their
numbers.
"""



import torch
import triton
import triton.language as tl

from . import common
from .common import chunks, cut, launch, load_row, rows_of, store_row, strip
from .mix import add_parts, gather

LARGEST = 6


@triton.jit
def _inputs(x, inputs, t, pitch, s, inside, K: tl.constexpr):
    """The operands of table ``t``."""
    u = ()
    for k in tl.static_range(K):
        u = u + (load_row(x, tl.load(inputs + t * K + k), pitch, s, inside),)
    return u


@triton.jit
def _values(p, t, K: tl.constexpr):
    v = ()
    for m in tl.static_range(1 << K):
        v = v + (tl.load(p + (t << K) + m),)
    return v


@triton.jit
def _fold(v, u, K: tl.constexpr):
    """All nodes' values from the table's values ``v`` and the operands ``u``; the last one is the result."""
    for k in tl.static_range(K):
        for j in tl.static_range(1 << (K - 1 - k)):
            low = v[2 * ((1 << K) - (1 << (K - k)) + j)]
            high = v[2 * ((1 << K) - (1 << (K - k)) + j) + 1]
            v = v + (low + u[k] * (high - low),)
    return v


@triton.jit
def _unfold(u, y, K: tl.constexpr):
    """Gradients of all nodes, from the result's ``y`` down: that of node ``n`` is entry ``2^(k+1) - 2 - n``."""
    d = (y,)
    for i in tl.static_range(K):
        for j in tl.static_range(1 << i):
            upper = d[(1 << i) - 1 + j]
            high = upper * u[K - 1 - i]
            d = d + (high, upper - high)
    return d


@triton.jit
def _slope(v, d, k: tl.constexpr, K: tl.constexpr):
    """Gradient of operand ``k``: over the nodes of its level, their gradient times what they interpolate between."""
    total = d[0] * 0.0
    for j in tl.static_range(1 << (K - 1 - k)):
        low = v[2 * ((1 << K) - (1 << (K - k)) + j)]
        high = v[2 * ((1 << K) - (1 << (K - k)) + j) + 1]
        total += d[(1 << (K - k)) - 2 - j] * (high - low)
    return total


@triton.jit
def _blurred(u, K: tl.constexpr):
    found = ()
    for k in tl.static_range(K):
        found = found + (0.25 + 0.5 * u[k],)
    return found


@triton.jit
def _lut(x, inputs, p, y, x_pitch, y_pitch, samples, K: tl.constexpr, BS: tl.constexpr):
    t = tl.program_id(0)
    s = tl.program_id(1) * BS + tl.arange(0, BS)
    inside = s < samples
    v = _fold(_values(p, t, K), _inputs(x, inputs, t, x_pitch, s, inside, K), K)
    store_row(y, t, y_pitch, s, v[2 * (1 << K) - 2], inside)


@triton.jit
def _lut_backward(x, grad, inputs, p, d, dp, x_pitch, grad_pitch, d_pitch, tables, samples, span, K: tl.constexpr,
                  KEEP: tl.constexpr, EFD: tl.constexpr, BS: tl.constexpr):
    """One part of the samples: sums for ``dp``; row ``t K + k`` of ``d``: the gradient of operand ``k`` of table ``t``.

    With EFD that is half the derivative at operands blurred to ``1/4 + u/2``.
    """
    t = tl.program_id(0)
    part = tl.program_id(1)
    table = _values(p, t, K)
    sums = ()
    for _ in tl.static_range(1 << K):
        sums = sums + (tl.zeros([BS], tl.float32),)
    for first in range(part * span, tl.minimum(part * span + span, samples), BS):
        s = first + tl.arange(0, BS)
        inside = s < samples
        u = _inputs(x, inputs, t, x_pitch, s, inside, K)
        y = load_row(grad, t, grad_pitch, s, inside)
        down = _unfold(u, y, K)
        more = ()
        for m in tl.static_range(1 << K):
            more = more + (sums[m] + down[2 * (1 << K) - 2 - m],)
        sums = more
        if KEEP:
            scale = 1.0
            if EFD:
                u = _blurred(u, K)
                down = _unfold(u, y, K)
                scale = 0.5
            v = _fold(table, u, K)
            for k in tl.static_range(K):
                store_row(d, t * K + k, d_pitch, s, scale * _slope(v, down, k, K), inside)
    at = (part.to(tl.int64) * tables + t) << K
    for m in tl.static_range(1 << K):
        tl.store(dp + at + m, tl.sum(sums[m], 0))


def forward(x, inputs, p) -> torch.Tensor:
    """``x`` (features, samples), inputs (tables, k) int32, p (tables, 2^k) float32 -> (tables, samples)."""
    tables, k = inputs.shape
    y = rows_of(tables, x.shape[1], x.dtype, x.device)
    wide, warps = strip(x.shape[1], 512 if k < 5 else 256)
    grid = tables, triton.cdiv(x.shape[1], wide)
    launch(_lut, grid, x, inputs, p, y, x.stride(0), y.stride(0), x.shape[1], K=k, BS=wide, num_warps=warps)
    return y


def backward(x, grad, inputs, p, back, efd, want_dx):
    """Gradients of ``forward``: tables (tables, 2^k), and inputs or None; chunk after chunk of samples."""
    tables, k = inputs.shape
    samples = x.shape[1]
    dx = rows_of(*x.shape, x.dtype, x.device) if want_dx else None
    spans = chunks(samples, tables * k * x.element_size() if want_dx else 0)
    found = [_chunk(x[:, c], grad[:, c], inputs, p, back, efd, dx[:, c] if want_dx else None) for c in spans]
    return add_parts(torch.cat(found)), dx


def _chunk(x, grad, inputs, p, back, efd, dx) -> torch.Tensor:
    """Backward for some samples: into ``dx`` if there is one; parts of the tables' gradient."""
    tables, k = inputs.shape
    samples = x.shape[1]
    wide, warps = strip(samples, 128)
    parts, span = cut(samples, wide, tables)
    d = rows_of(1 if dx is None else tables * k, samples, x.dtype, x.device)
    dp = common.fresh(parts, tables, 1 << k, dtype=torch.float32, device=x.device)
    launch(_lut_backward, (tables, parts), x, grad, inputs, p, d, dp, x.stride(0), grad.stride(0), d.stride(0), tables,
           samples, span, K=k, KEEP=dx is not None, EFD=bool(efd), BS=wide, num_warps=warps)
    if dx is not None:
        gather(d, back, dx)
    return dp
