"""``reference.graph``: a network without layers, level by level, the nodes of one level and arity as look-up tables.

The values of all inputs and nodes are the rows of one buffer, by their numbers, which backward reads again.
"""

from typing import NamedTuple

import numpy as np
import torch

from ..cache import as_array, kept
from ..cpu.graph import Plan
from . import lut
from .common import rows_of
from .inverse import Inverse, inverse, on
from .mix import gather


class Group(NamedTuple):
    """Nodes of one level and arity.

    Attributes
    ----------
    rows : (n,) int64, their rows of the buffer
    places : (n, 2^k) int64, of their table values
    fanin : (n, k) int32, rows of their operands, and their inverse
    """

    rows: torch.Tensor
    places: torch.Tensor
    fanin: torch.Tensor
    back: Inverse


class Levels(NamedTuple):
    """The groups of a graph, level by level; rows of the outputs (m,) int64, and their inverse; rows in all."""

    groups: list[Group]
    outputs: torch.Tensor
    back: Inverse
    rows: int


def levels(inputs, fanin, arity, outputs, device) -> Levels:
    """The live nodes of a graph in groups, made once for each graph and device."""
    return kept([fanin, arity, outputs], ("levels", inputs, str(device)),
                lambda: _levels(inputs, Plan.of(inputs, *(as_array(t) for t in (fanin, arity, outputs))), device))


def _levels(inputs: int, plan: Plan, device) -> Levels:
    rows, level, groups = inputs + len(plan.fanin), plan.levels(inputs)[plan.live], []
    kinds = np.stack([level, plan.arity[plan.live]], 1)
    for kind in np.unique(kinds, axis=0):
        nodes, k = plan.live[(kinds == kind).all(1)], kind[1]
        places = plan.place[nodes][:, None] + np.arange(1 << k)
        table = plan.fanin[nodes, :k]
        groups.append(Group(*(torch.from_numpy(a).to(device) for a in (inputs + nodes, places)), on(device, table),
                            inverse(table, rows, device)))
    ends = torch.from_numpy(plan.outputs.astype(np.int64)).to(device)
    return Levels(groups, ends, inverse(plan.outputs, rows, device), rows)


def forward(x, graph: Levels, p) -> tuple[torch.Tensor, torch.Tensor]:
    """``x`` (inputs, samples), ``p`` (sum of 2^arity,) float32 -> outputs (m, samples) and the buffer."""
    buffer = rows_of(graph.rows, x.shape[1], x.dtype, x.device)
    buffer.zero_()  # rows of dead nodes are read by nothing, but are kept for backward
    buffer[: len(x)] = x
    for group in graph.groups:
        buffer[group.rows] = lut.forward(buffer, group.fanin, p[group.places])
    return buffer[graph.outputs], buffer


def backward(buffer, grad, graph: Levels, p, efd) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradients of ``forward``: of the table values, and of all rows of the buffer, of which the first are inputs."""
    dp = torch.zeros_like(p)
    total = gather(grad, graph.back, rows_of(*buffer.shape, torch.float32, buffer.device))
    for group in reversed(graph.groups):
        own = total[group.rows].contiguous()
        dp[group.places], dx = lut.backward(buffer, own, group.fanin, p[group.places], group.back, efd, True)
        total += dx
    return dp, total
