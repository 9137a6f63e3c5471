"""``functional.stack``: layers of two-input gates and a group sum."""

import torch
import triton
import triton.language as tl

from ..cache import as_array, kept
from . import common
from .common import cut, launch, load_rows, rows_of, store_rows, tile
from .inverse import Inverse, inverse, on

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
def _coefficient_sums(x, grad, pairs, dc, x_pitch, grad_pitch, gates, per, samples, span, BG: tl.constexpr,
                      BS: tl.constexpr):
    """``dc_g = (sum y', sum y'a, sum y'b, sum y'ab)`` over some samples, ``y'`` row ``g // per`` of ``grad``."""
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
    """``dx_r``: sum over operands that read row ``r``: ``y'(s1 + s3 b)`` of an ``a``, ``y'(s2 + s3 a)`` of a ``b``."""
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
    """A layer: ``x`` (inputs, samples), ``pairs`` (gates, 2) int32, ``c`` (gates, 4) -> (gates, samples) as ``x``."""
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
    launch(_coefficient_sums, (triton.cdiv(n, high), parts), x, grad, pairs, dc, x.stride(0), grad.stride(0), n, per,
           samples, span, BG=high, BS=wide)
    return dc


def input_gradient(x, grad, slopes, back, per: int) -> torch.Tensor:
    """Gradient of a layer's inputs, like ``x``, through the inverse wiring ``back``."""
    dx = rows_of(*x.shape, x.dtype, x.device)
    high, wide = tile(*x.shape)
    grid = triton.cdiv(len(x), high), triton.cdiv(x.shape[1], wide)
    launch(_input_gradient, grid, x, grad, slopes, back.starts, back.slots, back.others, dx, x.stride(0),
           grad.stride(0), dx.stride(0), len(x), per, x.shape[1], BR=high, BS=wide)
    return dx


def wired(pairs: torch.Tensor, inputs: int, device: torch.device) -> tuple[torch.Tensor, Inverse]:
    """A layer's pairs on the device and their inverse; made once for each wiring."""
    def make() -> tuple[torch.Tensor, Inverse]:
        table = as_array(pairs)
        return on(device, table), inverse(table, inputs, device, pairs=True)

    return kept([pairs], ("pairs", inputs, str(device)), make)
