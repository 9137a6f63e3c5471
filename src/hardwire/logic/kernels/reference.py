"""Naive reference of each operation, readable beside its equation.

The fast spellings in ``cpu`` and ``gpu`` are compared with these. 

Shapes: activations are sample-major ``(samples, features)`` here, coefficients ``(gates, 4)`` in the order 1, a, b, ab.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.nn import functional as F


class Soft(NamedTuple):
    """A teacher's logits (samples, classes), their share ``weight`` in a loss, and their ``temperature``."""

    logits: torch.Tensor
    weight: float
    temperature: float


def cross_entropy(scores: torch.Tensor, y: torch.Tensor, soft: Soft | None = None) -> torch.Tensor:
    """``(1 - a) CE(scores, y) + a T^2 KL(softmax(teacher / T) || softmax(scores / T))``, mean over the samples.

    scores (samples, classes), y (samples,) int64; without ``soft`` a is 0. The factor T^2 keeps the gradient's size
    where T changes (Hinton, Vinyals and Dean, 2015, arXiv 1503.02531).
    """
    loss = F.cross_entropy(scores, y)
    if soft is None:
        return loss
    logits, a, t = soft
    student, teacher = F.log_softmax(scores / t, 1), F.log_softmax(logits.to(scores) / t, 1)
    return (1 - a) * loss + a * t * t * F.kl_div(student, teacher, reduction="batchmean", log_target=True)


def gates(x: torch.Tensor, pairs: torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    """One layer of relaxed gates: ``y_g = c0 + c1 a + c2 b + c3 a b`` with ``a, b = x[pairs_g]``.

    x (samples, inputs), pairs (gates, 2) integer, coefficients (gates, 4); returns (samples, gates). On inputs of 0 and
    1, and with the coefficients of a Boolean gate, this is that gate (Petersen et al., 2022).
    """
    a, b = x[:, pairs[:, 0]], x[:, pairs[:, 1]]
    c0, c1, c2, c3 = coefficients.T
    y: torch.Tensor = c0 + c1 * a + c2 * b + c3 * a * b
    return y


def group_sum(x: torch.Tensor, classes: int) -> torch.Tensor:
    """``s_c`` = sum of the ``c``-th of equal, contiguous groups: (samples, features) -> (samples, classes)."""
    return x.reshape(x.shape[0], classes, -1).sum(-1)


def stack(x: torch.Tensor, pairs: torch.Tensor, coefficients: torch.Tensor, sizes: Sequence[int],
          classes: int = 0) -> torch.Tensor:
    """Layers of ``sizes`` gates, pairs and coefficients of all in one, then ``group_sum`` if ``classes``."""
    for p, c in zip(torch.split(pairs, list(sizes)), torch.split(coefficients, list(sizes)), strict=True):
        x = gates(x, p.long(), c)
    return group_sum(x, classes) if classes else x


def mixed(x: torch.Tensor, candidates: torch.Tensor, weights: torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    """Gates whose operands are mixtures: ``a_g = sum_k w[g, 0, k] x[candidates[g, 0, k]]``, ``b`` alike.

    x (samples, inputs), candidates (gates, 2, K) integer, weights (gates, 2, K), coefficients (gates, 4); returns
    (samples, gates). With one-hot weights this is ``gates`` (Mommen et al., 2025; LILogicNet, 2025).
    """
    a, b = (x[:, candidates] * weights).sum(-1).unbind(-1)
    c0, c1, c2, c3 = coefficients.T
    y: torch.Tensor = c0 + c1 * a + c2 * b + c3 * a * b
    return y


def lut(x: torch.Tensor, inputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Look-up tables of ``k`` inputs, relaxed: ``y_g = sum_m p[g, m] prod_l (x_l if bit l of m else 1 - x_l)``.

    x (samples, features), inputs (tables, k) integer, values (tables, 2^k) with operand 0 the least significant address
    bit; returns (samples, tables). It is the multilinear extension of the table.
    """
    p = values.expand(len(x), -1, -1)
    for operand in inputs.long().unbind(1):
        u = x[:, operand, None]
        p = p[..., 0::2] * (1 - u) + p[..., 1::2] * u
    return p[..., 0]


def graph(x: torch.Tensor, values: torch.Tensor, fanin: torch.Tensor, arity: torch.Tensor,
          outputs: torch.Tensor) -> torch.Tensor:
    """A network without layers, its nodes as in ``lut``, one after the other.

    Parameters
    ----------
    x
        (samples, inputs).
    values
        (sum of 2^arity,) table values, nodes of one arity together, arities ascending.
    fanin
        (nodes, k) integer; number i below ``inputs`` is an input, ``inputs + j`` node j.
    arity
        (nodes,) how many places of each row of ``fanin`` are operands.
    outputs
        (m,) numbers of inputs or nodes.

    Returns
    -------
    torch.Tensor
        (samples, m).
    """
    order = torch.argsort(arity, stable=True)
    sizes = 2 ** arity[order].long()
    table = dict(zip(order.tolist(), torch.split(values, sizes.tolist())))
    columns = [*x.unbind(1)]
    for j, (operands, k) in enumerate(zip(fanin.tolist(), arity.tolist())):
        own = torch.stack([columns[i] for i in operands[:k]], 1)
        columns.append(lut(own, torch.arange(k)[None], table[j][None])[:, 0])
    return torch.stack([columns[i] for i in outputs.tolist()], 1)


def mixed_lut(x: torch.Tensor, candidates: torch.Tensor, weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Look-up tables of mixtures: operand ``i`` of table ``g`` is ``sum_c w[g, i, c] x[candidates[g, i, c]]``.

    x (samples, inputs), candidates (tables, k, K) integer, weights (tables, k, K), values (tables, 2^k); returns
    (samples, tables). With one-hot weights this is ``lut``, for k = 2 it is ``mixed``.
    """
    operands = (x[:, candidates] * weights).sum(-1)
    places = torch.arange(operands.shape[1] * operands.shape[2], device=x.device).view(operands.shape[1:])
    return lut(operands.flatten(1), places, values)


def routed(x: torch.Tensor, candidates: torch.Tensor, shares: torch.Tensor, values: torch.Tensor,
           choice: torch.Tensor) -> torch.Tensor:
    """``lut`` whose operands read the candidate of the largest ``choice``, with gradients of all (straight-through).

    Shapes as in ``mixed_lut``; choice (tables, k, K), the first of equal ones counts. The gradient of
    ``shares[g, i, c]`` is that of operand ``i`` times ``x[candidates[g, i, c]]``; inputs get one from the operands that
    read them.
    """
    hard = torch.zeros_like(shares).scatter_(-1, choice.argmax(-1, keepdim=True), 1.0)
    return mixed_lut(x, candidates, hard + (shares - shares.detach()), values)


def tree(x: torch.Tensor, shape: Sequence[int], leaves: torch.Tensor, coefficients: torch.Tensor, *, padding: int = 0,
         pool: int = 1) -> torch.Tensor:
    """Trees of gates slid over an image, then the largest of every ``pool`` x ``pool`` window: a relaxed OR.

    Parameters
    ----------
    x
        (samples, channels * height * width).
    shape
        (channels, height, width).
    leaves
        (kernels, 2^d, 3) integer: channel, row and column of each leaf in the receptive field; the leaf of output
        position (i, j) reads ``x[channel, i + row - padding, j + column - padding]``, 0 outside the image. The
        receptive field is ``1 + max row`` by ``1 + max column``.
    coefficients
        (kernels, 2^d - 1, 4), gates level by level from the leaves; gate j of a level reads 2j and 2j + 1 of the one
        below.
    padding, pool
        Border of zeros; side of the pooling window.

    Returns
    -------
    torch.Tensor
        (samples, kernels * rows * columns) after pooling; windows that do not fit whole are dropped.

    References
    ----------
    Petersen et al., 2024 (arXiv 2411.04732).
    """
    kernels = len(leaves)
    image = torch.nn.functional.pad(x.reshape(-1, *shape), (padding,) * 4)
    rows, columns = (image.shape[2 + i] - int(leaves[..., 1 + i].max()) for i in range(2))
    level = torch.stack([
        torch.stack([image[:, c, r : r + rows, s : s + columns] for c, r, s in kernel]) for kernel in leaves.tolist()])
    first = 0
    while level.shape[1] > 1:
        c = coefficients[:, first : first + level.shape[1] // 2].reshape(kernels, -1, 1, 1, 1, 4)
        a, b = level[:, 0::2], level[:, 1::2]
        level = c[..., 0] + c[..., 1] * a + c[..., 2] * b + c[..., 3] * a * b
        first += level.shape[1]
    return torch.nn.functional.max_pool2d(level[:, 0].transpose(0, 1), pool).flatten(1)
