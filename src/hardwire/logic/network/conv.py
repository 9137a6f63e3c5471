"""Convolutions of logic: trees of gates slid over an image, and OR pooling."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from ...core.errors import InputError
from ..kernels.ops import kernels_for
from .layers import Nodes, check_input
from .wiring import tree_leaves

Shape = tuple[int, int, int]


class LogicConv2d(Nodes):
    """Kernels that are trees of two-input gates over a receptive field, then OR pooling; weights shared over positions.

    Shapes: (samples, channels * height * width) -> (samples, kernels * rows * columns), both flattened as (channel,
    row, column); ``out_shape`` is (kernels, rows, columns). A tree of depth d has ``2^d`` leaves and ``2^d - 1`` gates.
    Outside the image is 0. Pooling takes the largest of ``pool`` x ``pool`` positions, which on 0 and 1 is OR; its
    gradient goes to the first largest alone. Tree and pool are one kernel that keeps the pooled outputs and the winners
    only.

    Parameters
    ----------
    in_shape
        (channels, height, width).
    kernels
        Output channels.
    receptive_field
        Side of the square that a tree's leaves are drawn from.
    depth
        Of a tree.
    padding, pool
        Border of zeros; side of the pooling window, 1 for none.
    groups
        Input channels and kernels are split into so many groups without cross-links.
    channels_per_tree
        Input channels that one tree sees.
    wiring
        ``random`` or ``structured`` leaves, see ``tree_leaves``.
    leaves
        (kernels, 2^depth, 3) int: channel, row, column of each leaf; default drawn from ``seed``.
    **others
        See ``Nodes``.

    References
    ----------
    Petersen et al., 2024 (arXiv 2411.04732).
    """

    leaves: torch.Tensor

    def __init__(  # noqa: PLR0913
        self, in_shape: Sequence[int], kernels: int, *, receptive_field: int = 3, depth: int = 3, padding: int = 0,
        pool: int = 2, groups: int = 1, channels_per_tree: int = 2, wiring: str = "random",
        leaves: ArrayLike | None = None, parametrisation_name: str = "table", init: str = "residual",
        strength: float | None = None, noise: float = 0.0, estimator: str = "relaxed", temperature: float = 1.0,
        seed: int = 0,
    ) -> None:
        channels, height, width = (int(n) for n in in_shape)
        positive = channels, height, width, kernels, receptive_field, depth, pool, groups, channels_per_tree
        if min(positive) < 1 or padding < 0:
            raise InputError(f"a LogicConv2d of {kernels} kernels of {receptive_field} x {receptive_field} and depth "
                             f"{depth} over {channels} x {height} x {width} needs positive sizes")
        if pool > 15 or depth > 8:
            raise InputError(f"pool = {pool} and depth = {depth}: pools reach to 15, trees to depth 8")
        rows, columns = ((n + 2 * padding - receptive_field + 1) // pool for n in (height, width))
        if min(rows, columns) < 1:
            raise InputError(f"a receptive field of {receptive_field} and pools of {pool} leave nothing of "
                             f"{height} x {width}; add padding or pool less")
        rng = np.random.default_rng([seed, channels, kernels, receptive_field])
        if leaves is None:
            leaves = tree_leaves(channels, kernels, receptive_field, 2**depth, rng, groups=groups,
                                 channels_per_tree=channels_per_tree, wiring=wiring)
        places = _inside(leaves, kernels, depth, channels, receptive_field)
        super().__init__(kernels * (2**depth - 1), 2, parametrisation_name=parametrisation_name, init=init,
                         strength=strength, noise=noise, estimator=estimator, temperature=temperature, rng=rng)
        self.in_shape, self.kernels, self.depth = (channels, height, width), kernels, depth
        self.receptive_field, self.padding, self.pool = receptive_field, padding, pool
        self.out_shape: Shape = (kernels, rows, columns)
        self.in_features, self.out_features = math.prod(self.in_shape), math.prod(self.out_shape)
        self.register_buffer("leaves", torch.from_numpy(places))

    @property
    def gates(self) -> int:
        """Nodes of the frozen layer: trees at all positions, and the ORs of the pools."""
        positions = self.pool**2
        return self.out_features * (positions * int(2**self.depth) - 1)

    def forward(self, x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Outputs (samples, out_features) of inputs (samples, in_features)."""
        x = check_input(x, self.in_features, self.weight, "LogicConv2d")
        return kernels_for(x.device).tree(x, self.values(generator), self.leaves, self.in_shape, self.out_shape,
                                          self.padding, self.pool, self.efd)

    def extra_repr(self) -> str:
        """What is printed of the layer."""
        return (f"{self.in_shape} -> {self.out_shape}, receptive_field={self.receptive_field}, depth={self.depth}, "
                f"padding={self.padding}, pool={self.pool}, {self.parametrisation}")


def _inside(leaves: ArrayLike, kernels: int, depth: int, channels: int, field: int) -> NDArray[np.int32]:
    """A copy of ``leaves``; InputError unless each kernel has all its leaves inside the receptive field."""
    given: NDArray[np.generic] = np.asarray(leaves)
    limit = np.array([channels, field, field])
    fits = given.dtype.kind in "ui" and given.shape == (kernels, 2**depth, 3)
    if not fits or given.min() < 0 or bool((given >= limit).any()):
        raise InputError(f"leaves of shape {given.shape} do not give {kernels} kernels {2**depth} leaves inside "
                         f"{channels} channels of {field} x {field}")
    return np.array(given, dtype=np.int32, order="C")


class OrPool2d(nn.Module):
    """The largest of every ``pool`` x ``pool`` window, which on 0 and 1 is OR; what does not fit whole is dropped.

    Shapes: (samples, channels * height * width) -> (samples, channels * (height // pool) * (width // pool)).
    """

    def __init__(self, in_shape: Sequence[int], pool: int = 2) -> None:
        super().__init__()
        channels, height, width = (int(n) for n in in_shape)
        if pool < 1 or min(height, width) < pool:
            raise InputError(f"a pool of {pool} does not fit {height} x {width}")
        self.in_shape: Shape = (channels, height, width)
        self.pool, self.out_shape = pool, (channels, height // pool, width // pool)
        self.in_features, self.out_features = math.prod(self.in_shape), math.prod(self.out_shape)

    @property
    def gates(self) -> int:
        """ORs of all windows."""
        return self.out_features * (self.pool**2 - 1)

    def stacks(self) -> bool:
        """Whether the layer can be a part of one fused stack: never."""
        return False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (samples, out_features) of inputs (samples, in_features)."""
        if x.ndim != 2 or x.shape[1] != self.in_features:
            raise InputError(f"OrPool2d reads (samples, {self.in_features}), but was given {tuple(x.shape)}")
        return nn.functional.max_pool2d(x.reshape(len(x), *self.in_shape), self.pool).flatten(1)

    def extra_repr(self) -> str:
        """What is printed of the layer."""
        return f"{self.in_shape} -> {self.out_shape}"
