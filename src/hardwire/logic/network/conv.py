"""Convolutions of logic: trees of gates slid over an image, and OR pooling."""

import numpy as np
import torch
from torch import nn

from ...core.errors import InputError
from ..kernels.cpu.tree import Geometry
from .layers import Nodes, check_input, run
from .wiring import tree_leaves


class LogicConv2d(Nodes):
    """Kernels that are trees of two-input gates over a receptive field, then OR pooling; weights are shared over positions.

    Shapes: (samples, channels * height * width) -> (samples, kernels * rows * columns), both flattened as (channel, row,
    column); ``out_shape`` is (kernels, rows, columns). A tree of depth d has ``2^d`` leaves and ``2^d - 1`` gates. Outside the
    image is 0. Pooling takes the largest of ``pool`` x ``pool`` positions, which on 0 and 1 is OR; its gradient goes to the first
    largest alone. Tree and pool are one kernel that keeps the pooled outputs and the winners only.
    Source: Petersen et al., 2024 (arXiv 2411.04732).

    in_shape         (channels, height, width)
    kernels          output channels
    receptive_field  side of the square that a tree's leaves are drawn from
    depth            of a tree
    padding, pool    border of zeros; side of the pooling window, 1 for none
    groups           input channels and kernels are split into so many groups without cross-links
    channels_per_tree  input channels that one tree sees
    wiring           ``random`` or ``structured`` leaves, see ``tree_leaves``
    leaves           (kernels, 2^depth, 3) int: channel, row, column of each leaf; default drawn from ``seed``
    others           see ``Nodes``
    """

    def __init__(self, in_shape, kernels: int, *, receptive_field: int = 3, depth: int = 3, padding: int = 0, pool: int = 2,
                 groups: int = 1, channels_per_tree: int = 2, wiring: str = "random", leaves=None, parametrisation_name: str = "table",
                 init: str = "residual", strength: float | None = None, noise: float = 0.0, estimator: str = "relaxed",
                 temperature: float = 1.0, seed: int = 0):
        channels, height, width = (int(n) for n in in_shape)
        if min(channels, height, width, kernels, receptive_field, depth, pool, groups, channels_per_tree) < 1 or padding < 0:
            raise InputError(f"a LogicConv2d of {kernels} kernels of {receptive_field} x {receptive_field} and depth {depth} over "
                             f"{channels} x {height} x {width} needs positive sizes")
        if pool > 15 or depth > 8:
            raise InputError(f"pool = {pool} and depth = {depth}: pools reach to 15, trees to depth 8")
        rng = np.random.default_rng([seed, channels, kernels, receptive_field])
        if leaves is None:
            leaves = tree_leaves(channels, kernels, receptive_field, 2**depth, rng, groups=groups, channels_per_tree=channels_per_tree,
                                 wiring=wiring)
        leaves = np.asarray(leaves)
        limit = np.array([channels, receptive_field, receptive_field])
        if leaves.dtype.kind not in "ui" or leaves.shape != (kernels, 2**depth, 3) or leaves.min() < 0 or (leaves >= limit).any():
            raise InputError(f"leaves of shape {leaves.shape} do not give {kernels} kernels {2**depth} leaves inside "
                             f"{channels} channels of {receptive_field} x {receptive_field}")
        super().__init__(kernels * (2**depth - 1), 2, parametrisation_name=parametrisation_name, init=init, strength=strength,
                         noise=noise, estimator=estimator, temperature=temperature, rng=rng)
        self.in_shape, self.kernels, self.depth = (channels, height, width), kernels, depth
        self.receptive_field, self.padding, self.pool = receptive_field, padding, pool
        rows, columns = ((n + 2 * padding - receptive_field + 1) // pool for n in (height, width))
        if min(rows, columns) < 1:
            raise InputError(f"a receptive field of {receptive_field} and pools of {pool} leave nothing of {height} x {width}; "
                             f"add padding or pool less")
        self.out_shape = (kernels, rows, columns)
        self.register_buffer("leaves", torch.from_numpy(np.array(leaves, dtype=np.int32, order="C")))
        self._geometry = None

    @property
    def in_features(self) -> int:
        return int(np.prod(self.in_shape))

    @property
    def out_features(self) -> int:
        return int(np.prod(self.out_shape))

    @property
    def gates(self) -> int:
        """Nodes of the frozen layer: trees at all positions, and the ORs of the pools."""
        positions = self.pool**2
        return self.out_features * (positions * (2**self.depth - 1) + positions - 1)

    def geometry(self) -> Geometry:
        """Rows that the kernels read and write."""
        now = self.leaves, self.leaves._version  # loading a state dict writes the leaves in place, or replaces them
        if self._geometry is None or self._geometry[0] is not now[0] or self._geometry[1] != now[1]:
            place = Geometry.of(self.in_shape, self.leaves.cpu().numpy(), self.out_shape, padding=self.padding, pool=self.pool)
            self._geometry = *now, place
        return self._geometry[2]

    def __getstate__(self) -> dict:
        """A copy counts versions anew."""
        return {**self.__dict__, "_geometry": None}

    def forward(self, x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        x = check_input(x, self.in_features, self.weight, "LogicConv2d")
        return run("Tree", x, self.values(generator), self.geometry(), self.efd)

    def extra_repr(self) -> str:
        return (f"{self.in_shape} -> {self.out_shape}, receptive_field={self.receptive_field}, depth={self.depth}, "
                f"padding={self.padding}, pool={self.pool}, {self.parametrisation}")


class OrPool2d(nn.Module):
    """The largest of every ``pool`` x ``pool`` window, which on 0 and 1 is OR; windows that do not fit whole are dropped.

    Shapes: (samples, channels * height * width) -> (samples, channels * (height // pool) * (width // pool)).
    """

    def __init__(self, in_shape, pool: int = 2):
        super().__init__()
        channels, height, width = (int(n) for n in in_shape)
        if pool < 1 or min(height, width) < pool:
            raise InputError(f"a pool of {pool} does not fit {height} x {width}")
        self.in_shape, self.pool, self.out_shape = (channels, height, width), pool, (channels, height // pool, width // pool)

    in_features = LogicConv2d.in_features
    out_features = LogicConv2d.out_features

    @property
    def gates(self) -> int:
        return self.out_features * (self.pool**2 - 1)

    def stacks(self) -> bool:
        return False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.ndim != 2 or x.shape[1] != self.in_features:
            raise InputError(f"OrPool2d reads (samples, {self.in_features}), but was given {tuple(x.shape)}")
        return nn.functional.max_pool2d(x.unflatten(1, self.in_shape), self.pool).flatten(1)

    def extra_repr(self) -> str:
        return f"{self.in_shape} -> {self.out_shape}"
