"""``functional.mixed``: gates whose operands are mixtures of candidate inputs, and sums through an inverse wiring."""

import torch
import triton
import triton.language as tl

from ..cache import as_array, kept
from . import common
from .common import cut, launch, load_rows, rows_of, store_rows, tile
from .inverse import Inverse, inverse, on


@triton.jit
def _operands(x, candidates, weights, g, real, x_pitch, s, inside, k_all, BG: tl.constexpr, BS: tl.constexpr):
    """``a_g = sum_k w[g, 0, k] x[candidates[g, 0, k]]``, ``b`` alike."""
    a = tl.zeros([BG, BS], tl.float32)
    b = tl.zeros([BG, BS], tl.float32)
    for k in range(k_all):
        at = g * (2 * k_all) + k
        wa = tl.load(weights + at, mask=real, other=0.0)[:, None]
        wb = tl.load(weights + at + k_all, mask=real, other=0.0)[:, None]
        a += wa * load_rows(x, tl.load(candidates + at, mask=real, other=0), x_pitch, s, inside)
        b += wb * load_rows(x, tl.load(candidates + at + k_all, mask=real, other=0), x_pitch, s, inside)
    return a, b


@triton.jit
def _mixed(x, candidates, weights, c, y, x_pitch, y_pitch, gates, samples, k_all, BG: tl.constexpr, BS: tl.constexpr):
    g = tl.program_id(0) * BG + tl.arange(0, BG)
    s = tl.program_id(1) * BS + tl.arange(0, BS)
    real = g < gates
    inside = real[:, None] & (s < samples)[None, :]
    a, b = _operands(x, candidates, weights, g, real, x_pitch, s, inside, k_all, BG, BS)
    c0 = tl.load(c + 4 * g, mask=real, other=0.0)[:, None]
    c1 = tl.load(c + 4 * g + 1, mask=real, other=0.0)[:, None]
    c2 = tl.load(c + 4 * g + 2, mask=real, other=0.0)[:, None]
    c3 = tl.load(c + 4 * g + 3, mask=real, other=0.0)[:, None]
    store_rows(y, g, y_pitch, s, c0 + c1 * a + (c2 + c3 * a) * b, inside)


@triton.jit
def _mixed_backward(x, grad, candidates, weights, slopes, d, dc, dw, x_pitch, grad_pitch, d_pitch, gates, samples, span,
                    k_all, KEEP: tl.constexpr, KP: tl.constexpr, BG: tl.constexpr, BS: tl.constexpr):
    """One part of the samples: sums for ``dc`` and ``dw``; rows ``2g``, ``2g + 1`` of ``d``: the operands' gradients.

    ``dw[g, 0, k] = sum_s a'_g x[candidates[g, 0, k]]``, with ``a' = y'(s1 + s3 b)``.
    """
    g = tl.program_id(0) * BG + tl.arange(0, BG)
    part = tl.program_id(1)
    real = g < gates
    s1 = tl.load(slopes + 4 * g + 1, mask=real, other=0.0)[:, None]
    s2 = tl.load(slopes + 4 * g + 2, mask=real, other=0.0)[:, None]
    s3 = tl.load(slopes + 4 * g + 3, mask=real, other=0.0)[:, None]
    column = tl.arange(0, KP)[None, :]
    d0 = tl.zeros([BG], tl.float32)
    d1 = tl.zeros([BG], tl.float32)
    d2 = tl.zeros([BG], tl.float32)
    d3 = tl.zeros([BG], tl.float32)
    dwa = tl.zeros([BG, KP], tl.float32)
    dwb = tl.zeros([BG, KP], tl.float32)
    for first in range(part * span, tl.minimum(part * span + span, samples), BS):
        s = first + tl.arange(0, BS)
        inside = real[:, None] & (s < samples)[None, :]
        a, b = _operands(x, candidates, weights, g, real, x_pitch, s, inside, k_all, BG, BS)
        y = load_rows(grad, g, grad_pitch, s, inside)
        d0 += tl.sum(y, 1)
        d1 += tl.sum(y * a, 1)
        d2 += tl.sum(y * b, 1)
        d3 += tl.sum(y * a * b, 1)
        da = y * (s1 + s3 * b)
        db = y * (s2 + s3 * a)
        if KEEP:
            store_rows(d, 2 * g, d_pitch, s, da, inside)
            store_rows(d, 2 * g + 1, d_pitch, s, db, inside)
        for k in range(k_all):
            at = g * (2 * k_all) + k
            xa = load_rows(x, tl.load(candidates + at, mask=real, other=0), x_pitch, s, inside)
            xb = load_rows(x, tl.load(candidates + at + k_all, mask=real, other=0), x_pitch, s, inside)
            dwa += tl.where(column == k, tl.sum(da * xa, 1)[:, None], 0.0)
            dwb += tl.where(column == k, tl.sum(db * xb, 1)[:, None], 0.0)
    at = (part.to(tl.int64) * gates + g) * 4
    tl.store(dc + at, d0, mask=real)
    tl.store(dc + at + 1, d1, mask=real)
    tl.store(dc + at + 2, d2, mask=real)
    tl.store(dc + at + 3, d3, mask=real)
    at = (part.to(tl.int64) * gates + g)[:, None] * (2 * k_all) + column
    there = real[:, None] & (column < k_all)
    tl.store(dw + at, dwa, mask=there)
    tl.store(dw + at + k_all, dwb, mask=there)


@triton.jit
def _gather(d, weights, starts, slots, dx, d_pitch, dx_pitch, rows, samples, share, WEIGHTED: tl.constexpr,
            BR: tl.constexpr, BS: tl.constexpr):
    """``dx_r`` = sum over the slots that read row ``r`` of ``w[slot] d[slot // share]``, ``w`` = 1 unless WEIGHTED."""
    r = tl.program_id(0) * BR + tl.arange(0, BR)
    s = tl.program_id(1) * BS + tl.arange(0, BS)
    real = r < rows
    within = (s < samples)[None, :]
    first = tl.load(starts + r, mask=real, other=0)
    count = tl.load(starts + r + 1, mask=real, other=0) - first
    total = tl.zeros([BR, BS], tl.float32)
    for i in range(tl.max(count, 0)):
        used = i < count
        slot = tl.load(slots + first + i, mask=used, other=0)
        term = load_rows(d, slot // share, d_pitch, s, used[:, None] & within)
        if WEIGHTED:
            term *= tl.load(weights + slot, mask=used, other=0.0)[:, None]
        total += term
    store_rows(dx, r, dx_pitch, s, total, real[:, None] & within)


@triton.jit
def _add_parts(parts, total, size, many, B: tl.constexpr):
    """``total`` = the ``many`` rows of ``parts`` (many, size), added in order."""
    at = tl.program_id(0).to(tl.int64) * B + tl.arange(0, B)
    real = at < size
    found = tl.zeros([B], tl.float32)
    for q in range(many):
        found += tl.load(parts + tl.cast(q, tl.int64) * size + at, mask=real, other=0.0)
    tl.store(total + at, found, mask=real)


def add_parts(parts: torch.Tensor) -> torch.Tensor:
    """Sum over the first dimension, in its order."""
    if len(parts) == 1:
        return parts[0]
    total = common.fresh(*parts.shape[1:], dtype=torch.float32, device=parts.device)
    launch(_add_parts, (triton.cdiv(total.numel(), 1024),), parts, total, total.numel(), len(parts), B=1024)
    return total


def gather(d: torch.Tensor, back: Inverse, dx: torch.Tensor, weights: torch.Tensor | None = None,
           share: int = 1) -> torch.Tensor:
    """Operands' gradients ``d``, ``share`` slots to a row, summed into rows ``dx`` (rows, samples) that they read."""
    high, wide = tile(*dx.shape)
    grid = triton.cdiv(len(dx), high), triton.cdiv(dx.shape[1], wide)
    launch(_gather, grid, d, d if weights is None else weights, back.starts, back.slots, dx, d.stride(0), dx.stride(0),
           len(dx), dx.shape[1], share, WEIGHTED=weights is not None, BR=high, BS=wide)
    return dx


def wiring(inputs, x) -> tuple[torch.Tensor, Inverse]:
    """Rows of sample-major ``x`` that places read, on its device, and their inverse; made once for each wiring."""
    def make():
        table = as_array(inputs)
        return on(x.device, table), inverse(table, x.shape[1], x.device)

    return kept([inputs], ("rows", x.shape[1], str(x.device)), make)


def forward(x, candidates, weights, c) -> torch.Tensor:
    """``x`` (inputs, samples), candidates and weights (gates, 2, K), ``c`` (gates, 4) -> (gates, samples)."""
    n, k, samples = len(c), weights.shape[-1], x.shape[1]
    y = rows_of(n, samples, x.dtype, x.device)
    high, wide = tile(n, samples, 1024)
    grid = triton.cdiv(n, high), triton.cdiv(samples, wide)
    launch(_mixed, grid, x, candidates, weights, c, y, x.stride(0), y.stride(0), n, samples, k, BG=high, BS=wide)
    return y


def backward(x, grad, candidates, weights, slopes, back, want_dx):
    """Gradients of ``forward``: coefficients as parts, weights, and inputs or None."""
    n, k, samples = len(slopes), weights.shape[-1], x.shape[1]
    high, wide = tile(n, samples, 1024)
    parts, span = cut(samples, wide, triton.cdiv(n, high))
    d = rows_of(2 * n if want_dx else 1, samples, x.dtype, x.device)
    dc = common.fresh(parts, n, 4, dtype=torch.float32, device=x.device)
    dw = common.fresh(parts, *weights.shape, dtype=torch.float32, device=x.device)
    launch(_mixed_backward, (triton.cdiv(n, high), parts), x, grad, candidates, weights, slopes, d, dc, dw, x.stride(0),
           grad.stride(0), d.stride(0), n, samples, span, k, KEEP=want_dx, KP=triton.next_power_of_2(k), BG=high,
           BS=wide)
    dx = gather(d, back, rows_of(*x.shape, x.dtype, x.device), weights, k) if want_dx else None
    return dc, add_parts(dw), dx
