"""Table values or logits of two-input gates to coefficients of 1, a, b, ab, and their gradients back."""

import torch
import triton
import triton.language as tl

from .common import fresh, launch

BLOCK = 256


@triton.jit
def _coefficients(values, c, slopes, gates, LOGITS: tl.constexpr, EFD: tl.constexpr, B: tl.constexpr):
    """``c = p0, p1 - p0, p2 - p0, p3 - p2 - p1 + p0``; ``slopes`` are those of extended finite differences."""
    g = tl.program_id(0) * B + tl.arange(0, B)
    real = g < gates
    p0 = tl.load(values + 4 * g, mask=real, other=0.0)
    p1 = tl.load(values + 4 * g + 1, mask=real, other=0.0)
    p2 = tl.load(values + 4 * g + 2, mask=real, other=0.0)
    p3 = tl.load(values + 4 * g + 3, mask=real, other=0.0)
    if LOGITS:
        p0, p1, p2, p3 = tl.sigmoid(p0), tl.sigmoid(p1), tl.sigmoid(p2), tl.sigmoid(p3)
    c1, c2, c3 = p1 - p0, p2 - p0, p3 - p2 - p1 + p0
    tl.store(c + 4 * g, p0, mask=real)
    tl.store(c + 4 * g + 1, c1, mask=real)
    tl.store(c + 4 * g + 2, c2, mask=real)
    tl.store(c + 4 * g + 3, c3, mask=real)
    if EFD:
        tl.store(slopes + 4 * g, p0, mask=real)
        tl.store(slopes + 4 * g + 1, 0.5 * c1 + 0.125 * c3, mask=real)
        tl.store(slopes + 4 * g + 2, 0.5 * c2 + 0.125 * c3, mask=real)
        tl.store(slopes + 4 * g + 3, 0.25 * c3, mask=real)


@triton.jit
def _logit_slope(values, at, mask):
    p = tl.sigmoid(tl.load(values + at, mask=mask, other=0.0))
    return p * (1.0 - p)


@triton.jit
def _value_gradients(dc, values, dp, gates, parts, LOGITS: tl.constexpr, B: tl.constexpr):
    """The parts (parts, gates, 4) of ``dc``, added in order, as gradients of the table values, or of their logits."""
    g = tl.program_id(0) * B + tl.arange(0, B)
    real = g < gates
    d0 = tl.zeros([B], tl.float32)
    d1 = tl.zeros([B], tl.float32)
    d2 = tl.zeros([B], tl.float32)
    d3 = tl.zeros([B], tl.float32)
    at = g.to(tl.int64) * 4
    for _ in range(parts):
        d0 += tl.load(dc + at, mask=real, other=0.0)
        d1 += tl.load(dc + at + 1, mask=real, other=0.0)
        d2 += tl.load(dc + at + 2, mask=real, other=0.0)
        d3 += tl.load(dc + at + 3, mask=real, other=0.0)
        at += 4 * gates
    d0, d1, d2 = d0 - d1 - d2 + d3, d1 - d3, d2 - d3
    if LOGITS:
        d0 *= _logit_slope(values, 4 * g, real)
        d1 *= _logit_slope(values, 4 * g + 1, real)
        d2 *= _logit_slope(values, 4 * g + 2, real)
        d3 *= _logit_slope(values, 4 * g + 3, real)
    tl.store(dp + 4 * g, d0, mask=real)
    tl.store(dp + 4 * g + 1, d1, mask=real)
    tl.store(dp + 4 * g + 2, d2, mask=real)
    tl.store(dp + 4 * g + 3, d3, mask=real)


def as_coefficients(values: torch.Tensor, efd: bool = False, *,
                    logits: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Table values (gates, 4), or their logits, as the coefficients of forward and of the input gradients, float32."""
    values = values.detach().float().contiguous()
    c = fresh(len(values), 4, dtype=torch.float32, device=values.device)
    slopes = fresh(*c.shape, dtype=torch.float32, device=c.device) if efd else c
    launch(_coefficients, (triton.cdiv(len(c), BLOCK),), values, c, slopes, len(c), LOGITS=logits, EFD=bool(efd),
           B=BLOCK)
    return c, slopes


def value_gradients(dc: torch.Tensor, dp: torch.Tensor, values: torch.Tensor | None = None) -> torch.Tensor:
    """Parts (parts, gates, 4) of coefficient gradients into ``dp`` (gates, 4); ``values``: the logits, if any."""
    logits = values if values is not None else dp
    launch(_value_gradients, (triton.cdiv(len(dp), BLOCK),), dc, logits, dp, len(dp), len(dc),
           LOGITS=values is not None, B=BLOCK)
    return dp


class TableCoefficients(torch.autograd.Function):
    """Table logits (gates, 4) to coefficients (gates, 4) through the sigmoid, in one kernel each way."""

    @staticmethod
    def forward(ctx, logits):
        """Logits to coefficients."""
        ctx.save_for_backward(logits)
        return as_coefficients(logits, logits=True)[0].to(logits.dtype)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        """Gradient of the coefficients to that of the logits."""
        (logits,) = ctx.saved_tensors
        grad = grad.float().contiguous()
        dp = fresh(*grad.shape, dtype=torch.float32, device=grad.device)
        return value_gradients(grad[None], dp, logits.detach().float().contiguous()).to(logits.dtype)
