"""``functional.stack``: layers of two-input gates and a group sum."""

import numpy as np
import torch
import triton
import triton.language as tl

from ....core.errors import InputError
from . import common
from .coefficients import as_coefficients, value_gradients
from .common import cut, feature_major, launch, load_rows, rows_of, store_rows, tile
from .inverse import as_array, inverse, kept, on

#: Rows that one program of a group sum adds up, before the sums are added in turn.
SHARE = 256


@triton.jit
def _gates(x, pairs, c, y, x_pitch, y_pitch, gates, samples, BG: tl.constexpr, BS: tl.constexpr):
    """``y_g = c0 + c1 a + c2 b + c3 a b``."""
    g = tl.program_id(0) * BG + tl.arange(0, BG)
    s = tl.program_id(1) * BS + tl.arange(0, BS)
    real = g < gates
    inside = real[:, None] & (s < samples)[None, :]
    a = load_rows(x, tl.load(pairs + 2 * g, mask=real, other=0), x_pitch, s, inside)
    b = load_rows(x, tl.load(pairs + 2 * g + 1, mask=real, other=0), x_pitch, s, inside)
    c0 = tl.load(c + 4 * g, mask=real, other=0.0)[:, None]
    c1 = tl.load(c + 4 * g + 1, mask=real, other=0.0)[:, None]
    c2 = tl.load(c + 4 * g + 2, mask=real, other=0.0)[:, None]
    c3 = tl.load(c + 4 * g + 3, mask=real, other=0.0)[:, None]
    store_rows(y, g, y_pitch, s, c0 + c1 * a + (c2 + c3 * a) * b, inside)


@triton.jit
def _coefficient_sums(x, grad, pairs, dc, x_pitch, grad_pitch, gates, per, samples, span, BG: tl.constexpr, BS: tl.constexpr):
    """``dc_g = (sum y', sum y'a, sum y'b, sum y'ab)`` over one part of the samples; row ``g // per`` of ``grad`` is ``y'``."""
    g = tl.program_id(0) * BG + tl.arange(0, BG)
    part = tl.program_id(1)
    real = g < gates
    ia = tl.load(pairs + 2 * g, mask=real, other=0)
    ib = tl.load(pairs + 2 * g + 1, mask=real, other=0)
    d0 = tl.zeros([BG, BS], tl.float32)
    da = tl.zeros([BG, BS], tl.float32)
    db = tl.zeros([BG, BS], tl.float32)
    dab = tl.zeros([BG, BS], tl.float32)
    for first in range(part * span, tl.minimum(part * span + span, samples), BS):
        s = first + tl.arange(0, BS)
        inside = real[:, None] & (s < samples)[None, :]
        a = load_rows(x, ia, x_pitch, s, inside)
        b = load_rows(x, ib, x_pitch, s, inside)
        y = load_rows(grad, g // per, grad_pitch, s, inside)
        d0 += y
        da += y * a
        db += y * b
        dab += y * a * b
    at = (part.to(tl.int64) * gates + g) * 4
    tl.store(dc + at, tl.sum(d0, 1), mask=real)
    tl.store(dc + at + 1, tl.sum(da, 1), mask=real)
    tl.store(dc + at + 2, tl.sum(db, 1), mask=real)
    tl.store(dc + at + 3, tl.sum(dab, 1), mask=real)


@triton.jit
def _input_gradient(x, grad, slopes, starts, slots, others, dx, x_pitch, grad_pitch, dx_pitch, rows, per, samples,
                    BR: tl.constexpr, BS: tl.constexpr):
    """``dx_r`` = sum over the operands that read row ``r`` of ``y'(s1 + s3 b)`` for an ``a``, ``y'(s2 + s3 a)`` for a ``b``."""
    r = tl.program_id(0) * BR + tl.arange(0, BR)
    s = tl.program_id(1) * BS + tl.arange(0, BS)
    real = r < rows
    within = (s < samples)[None, :]
    first = tl.load(starts + r, mask=real, other=0)
    count = tl.load(starts + r + 1, mask=real, other=0) - first
    total = tl.zeros([BR, BS], tl.float32)
    for i in range(tl.max(count, 0)):
        used = i < count
        inside = used[:, None] & within
        slot = tl.load(slots + first + i, mask=used, other=0)
        other = tl.load(others + first + i, mask=used, other=0)
        g = slot // 2
        direct = tl.load(slopes + 4 * g + 1 + slot % 2, mask=used, other=0.0)[:, None]
        joint = tl.load(slopes + 4 * g + 3, mask=used, other=0.0)[:, None]
        y = load_rows(grad, g // per, grad_pitch, s, inside)
        total += y * (direct + joint * load_rows(x, other, x_pitch, s, inside))
    store_rows(dx, r, dx_pitch, s, total, real[:, None] & within)


@triton.jit
def _group_sum(x, y, x_pitch, y_pitch, per, share, parts, samples, BG: tl.constexpr, BS: tl.constexpr):
    """Row ``c parts + q`` of ``y`` = sum of the ``q``-th ``share`` rows of group ``c`` of ``per`` rows."""
    row = tl.program_id(0)
    s = tl.program_id(1) * BS + tl.arange(0, BS)
    group, part = row // parts, row % parts
    end = tl.minimum(part * share + share, per)
    total = tl.zeros([BG, BS], tl.float32)
    for first in range(part * share, end, BG):
        k = first + tl.arange(0, BG)
        inside = (k < end)[:, None] & (s < samples)[None, :]
        total += load_rows(x, group * per + k, x_pitch, s, inside)
    tl.store(y + row.to(tl.int64) * y_pitch + s, tl.sum(total, 0), mask=s < samples)


def group_sum(x: torch.Tensor, classes: int) -> torch.Tensor:
    """Sums of ``classes`` equal contiguous groups: (features, samples) -> (classes, samples) float32.

    Its gradient is never spread out: backward reads row ``g // per`` of the sums' gradient as that of feature ``g``.
    """
    per, samples = len(x) // classes, x.shape[1]
    parts = triton.cdiv(per, SHARE)
    y = rows_of(classes * parts, samples, torch.float32, x.device)
    high, wide = tile(min(per, SHARE), samples)
    grid = classes * parts, triton.cdiv(samples, wide)
    launch(_group_sum, grid, x, y, x.stride(0), y.stride(0), per, SHARE, parts, samples, BG=high, BS=wide)
    return group_sum(y, classes) if parts > 1 else y


def gates(x: torch.Tensor, pairs: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """One layer: ``x`` (inputs, samples), ``pairs`` (gates, 2) int32, ``c`` (gates, 4) -> (gates, samples) in ``x``'s type."""
    y = rows_of(len(pairs), x.shape[1], x.dtype, x.device)
    high, wide = tile(len(pairs), x.shape[1])
    grid = triton.cdiv(len(pairs), high), triton.cdiv(x.shape[1], wide)
    launch(_gates, grid, x, pairs, c, y, x.stride(0), y.stride(0), len(pairs), x.shape[1], BG=high, BS=wide)
    return y


def coefficient_sums(x, grad, pairs, per: int) -> torch.Tensor:
    """Gradients of a layer's coefficients, (parts, gates, 4)."""
    n, samples = len(pairs), x.shape[1]
    high, wide = tile(n, samples, 1024)
    parts, span = cut(samples, wide, triton.cdiv(n, high))
    dc = common.fresh(parts, n, 4, dtype=torch.float32, device=x.device)
    launch(_coefficient_sums, (triton.cdiv(n, high), parts), x, grad, pairs, dc, x.stride(0), grad.stride(0), n, per, samples, span,
           BG=high, BS=wide)
    return dc


def input_gradient(x, grad, slopes, back, per: int) -> torch.Tensor:
    """Gradient of a layer's inputs, like ``x``, through the inverse wiring ``back``."""
    dx = rows_of(*x.shape, x.dtype, x.device)
    high, wide = tile(*x.shape)
    grid = triton.cdiv(len(x), high), triton.cdiv(x.shape[1], wide)
    launch(_input_gradient, grid, x, grad, slopes, back.starts, back.slots, back.others, dx, x.stride(0), grad.stride(0),
           dx.stride(0), len(x), per, x.shape[1], BR=high, BS=wide)
    return dx


def _begins(ends) -> list[int]:
    return [0, *(int(e) for e in ends[:-1])]


def _wirings(pairs, inputs: int, ends, device) -> tuple[torch.Tensor, list]:
    """Pairs on the device and the inverse of each layer's; made once for each wiring."""
    def make():
        table, rows = as_array(pairs), [inputs, *np.diff(ends, prepend=0)[:-1]]
        spans = zip(_begins(ends), ends, rows)
        return on(device, table), [inverse(table[begin:end], int(n), device, pairs=True) for begin, end, n in spans]

    return kept(pairs, ("stack", inputs, tuple(int(e) for e in ends), str(device)), make)


class Stack(torch.autograd.Function):
    """``functional.stack`` as a function of ``x`` (samples, inputs) and the gates' table ``values``, with gradients for both.

    The arguments of ``cpu.Stack``. Activations are stored in ``x``'s type; sums of groups are float32.
    """

    @staticmethod
    def forward(ctx, x, values, pairs, ends, classes, efd=False):
        activations = [feature_major(x)]
        c, slopes = as_coefficients(values, efd)
        ends = [int(e) for e in ends]
        table, inverses = _wirings(pairs, x.shape[1], ends, x.device)
        keep = any(ctx.needs_input_grad[:2])
        for begin, end in zip(_begins(ends), ends):
            activations = activations if keep else activations[-1:]
            activations.append(gates(activations[-1], table[begin:end], c[begin:end]))
        last = activations.pop()
        if classes and len(last) % classes:
            raise InputError(f"{len(last)} outputs cannot be shared evenly by {classes} classes; use a multiple of {classes}")
        ctx.per = len(last) // classes if classes else 1
        ctx.rest = table, inverses, ends, values.dtype
        ctx.save_for_backward(slopes, *activations)
        return (group_sum(last, classes) if classes else last).t()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        slopes, *activations = ctx.saved_tensors
        table, inverses, ends, dtype = ctx.rest
        want_dx, want_dp = ctx.needs_input_grad[:2]
        grad, per = feature_major(grad), ctx.per
        dp = common.fresh(*slopes.shape, dtype=torch.float32, device=grad.device) if want_dp else None
        for k, (begin, end) in reversed(list(enumerate(zip(_begins(ends), ends)))):
            if want_dp:
                value_gradients(coefficient_sums(activations[k], grad, table[begin:end], per), dp[begin:end])
            if k or want_dx:
                grad, per = input_gradient(activations[k], grad, slopes[begin:end], inverses[k], per), 1
        return grad.t() if want_dx else None, dp.to(dtype) if want_dp else None, None, None, None, None
