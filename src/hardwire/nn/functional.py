"""Naive reference of each operation, readable beside its equation. The fast spellings in ``cpu`` are compared with these.

Shapes: activations are sample-major ``(samples, features)`` here, coefficients ``(gates, 4)`` in the order 1, a, b, ab.
"""

import torch


def gates(x: torch.Tensor, pairs: torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    """One layer of relaxed gates: ``y_g = c0 + c1 a + c2 b + c3 a b`` with ``a, b = x[pairs_g]``.

    x (samples, inputs), pairs (gates, 2) integer, coefficients (gates, 4); returns (samples, gates). On inputs of 0 and 1,
    and with the coefficients of a Boolean gate, this is that gate (Petersen et al., 2022).
    """
    a, b = x[:, pairs[:, 0]], x[:, pairs[:, 1]]
    c0, c1, c2, c3 = coefficients.T
    return c0 + c1 * a + c2 * b + c3 * a * b


def group_sum(x: torch.Tensor, classes: int) -> torch.Tensor:
    """``s_c`` = sum of the ``c``-th of ``classes`` equal, contiguous groups: (samples, features) -> (samples, classes)."""
    return x.reshape(x.shape[0], classes, -1).sum(-1)


def stack(x, pairs, coefficients, sizes, classes=0):
    """Layers of ``sizes`` gates one after the other, then ``group_sum`` if ``classes``; their pairs and coefficients in one."""
    for p, c in zip(pairs.split(sizes), coefficients.split(sizes)):
        x = gates(x, p.long(), c)
    return group_sum(x, classes) if classes else x
