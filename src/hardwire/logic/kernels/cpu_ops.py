"""The operations of a logic network on a CPU, by the Numba kernels, as ``ops.Kernels`` describes them.

Between forward and backward nothing is kept but the arguments: backward computes a block's activations anew.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...core.errors import InputError
from .cache import as_array, kept
from .cpu import graph as graph_kernel
from .cpu import loss as loss_kernel
from .cpu import lut as lut_kernel
from .cpu import mixed as mixed_kernel
from .cpu import mixed_lut as mixed_lut_kernel
from .cpu import routed as routed_kernel
from .cpu import stack as stack_kernel
from .cpu import tree as tree_kernel
from .cpu.coefficients import coefficients
from .cpu.coefficients import interaction as mean_interaction
from .reference import Soft
from .registration import operation

SPACE = "hardwire_cpu"


def _rows(x: torch.Tensor) -> NDArray[Any]:
    """Sample-major ``x`` as (features, samples), without a copy."""
    return x.detach().t().numpy()


def _plain(x: torch.Tensor) -> NDArray[Any]:
    return x.detach().contiguous().numpy()


def _back(rows: NDArray[Any]) -> torch.Tensor:
    """(features, samples) as a sample-major tensor, without a copy."""
    return torch.from_numpy(rows).t()


def _fake(x: torch.Tensor, features: Any) -> torch.Tensor:
    """What ``_back`` gives, without values."""
    return x.new_empty(features, x.shape[0]).t()


def _fake_gradients(x: torch.Tensor, wanted: list[bool], *others: torch.Tensor) -> list[torch.Tensor]:
    """What the gradients of ``x`` and of other tensors look like."""
    return [_fake(x, x.shape[1] if wanted[0] else 0), *(t.new_empty(t.shape) for t in others)]


# ----------------------------------------------------------------------------------------------------- gates, group sum


def _joined(pairs: Sequence[torch.Tensor]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Wiring of all layers in one, and where each layer ends."""
    table = as_array(pairs[0]) if len(pairs) == 1 else kept(pairs, "joined",
                                                            lambda: np.concatenate([as_array(p) for p in pairs]))
    return table, np.cumsum([len(p) for p in pairs])


def _stack_forward(x: torch.Tensor, values: torch.Tensor, pairs: list[torch.Tensor], classes: int,
                   efd: bool) -> torch.Tensor:
    table, ends = _joined(pairs)
    c, _ = coefficients(_plain(values), efd)
    return _back(stack_kernel.forward(_rows(x), ends, table, c, classes))


def _stack_backward(grad: torch.Tensor, x: torch.Tensor, values: torch.Tensor, pairs: list[torch.Tensor], classes: int,
                    efd: bool, wanted: list[bool]) -> list[torch.Tensor]:
    table, ends = _joined(pairs)
    c, slopes = coefficients(_plain(values), efd)
    dp, dx = stack_kernel.backward(_rows(x), _rows(grad), ends, table, c, slopes, classes, wanted[0])
    return [_back(dx), torch.from_numpy(dp)]


_stack_gradients = operation(
    SPACE, "stack_backward(Tensor grad, Tensor x, Tensor values, Tensor[] pairs, int classes, bool efd, "
           "bool[] wanted) -> Tensor[]", _stack_backward,
    fake=lambda grad, x, values, *rest: _fake_gradients(x, rest[-1], values))
_stack = operation(
    SPACE, "stack(Tensor x, Tensor values, Tensor[] pairs, int classes, bool efd) -> Tensor", _stack_forward,
    fake=lambda x, values, pairs, classes, efd: _fake(x, classes or pairs[-1].shape[0]), gradients=_stack_gradients,
    saved=2)


def stack(x: torch.Tensor, values: torch.Tensor, pairs: Sequence[torch.Tensor], classes: int = 0,
          efd: bool = False) -> torch.Tensor:
    """Layers of two-input gates and a group sum; see ``ops.Kernels.stack``."""
    y: torch.Tensor = _stack(x, values, list(pairs), classes, efd)
    return y


# -------------------------------------------------------------------------------- gates, group sum and loss in one pass


def _stack_loss_forward(x: torch.Tensor, values: torch.Tensor, pairs: list[torch.Tensor], classes: int, efd: bool,
                        scale: float, y: torch.Tensor, teacher: torch.Tensor, weight: float, temperature: float,
                        want_dx: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The loss, and its gradients: inputs, table values."""
    if not 0 <= int(y.min()) <= int(y.max()) < classes:
        raise InputError(f"y does not hold a class below {classes} for each sample; give int64 class numbers")
    table, ends = _joined(pairs)
    c, slopes = coefficients(_plain(values), efd)
    loss, dp, dx = loss_kernel.loss_and_gradients(
        _rows(x), ends, table, c, slopes, classes, y.numpy(), teacher.detach().numpy(), scale=float(scale),
        weight=float(weight),
        temperature=float(temperature), want_dx=want_dx)
    return values.new_tensor(loss), _back(dx), torch.from_numpy(dp)


def _scaled(grad: torch.Tensor, dx: torch.Tensor, dp: torch.Tensor, *_: Any) -> list[torch.Tensor]:
    """The gradients that forward has computed, times that of the loss."""
    if type(grad) is torch.Tensor and grad.item() == 1:  # what is traced for a compiled graph has no numbers
        return [dx, dp]
    return [dx * grad, dp * grad]


_stack_loss = operation(
    SPACE, "stack_loss(Tensor x, Tensor values, Tensor[] pairs, int classes, bool efd, float scale, Tensor y, "
           "Tensor teacher, float weight, float temperature, bool want_dx) -> (Tensor, Tensor, Tensor)",
    _stack_loss_forward, gradients=_scaled,
    fake=lambda x, values, *rest: (values.new_empty(()), *_fake_gradients(x, [rest[-1]], values)))


def stack_loss(x: torch.Tensor, values: torch.Tensor, pairs: Sequence[torch.Tensor], classes: int, efd: bool,
               scale: float, y: torch.Tensor, soft: Soft | None = None) -> torch.Tensor:
    """The loss of ``stack`` and both its gradients, block by block in one pass; see ``ops.Kernels.stack_loss``."""
    logits, weight, temperature = soft or Soft(x.new_empty(0, classes), 0.0, 1.0)
    want_dx = x.requires_grad and torch.is_grad_enabled()
    results = _stack_loss(x, values, list(pairs), classes, efd, scale, y, logits.to(x.dtype), weight, temperature,
                          want_dx)
    loss: torch.Tensor = results[0]
    return loss


# ------------------------------------------------------------------------------------------------------- learned wiring


def _flat(weights: torch.Tensor) -> NDArray[Any]:
    """(gates, 2, K) as (2 gates, K)."""
    return _plain(weights).reshape(-1, weights.shape[-1])


def _mixed_forward(x: torch.Tensor, weights: torch.Tensor, values: torch.Tensor, candidates: torch.Tensor,
                   efd: bool) -> torch.Tensor:
    c, _ = coefficients(_plain(values), efd)
    return _back(mixed_kernel.forward(_rows(x), _flat(candidates), _flat(weights), c))


def _mixed_backward(grad: torch.Tensor, x: torch.Tensor, weights: torch.Tensor, values: torch.Tensor,
                    candidates: torch.Tensor, efd: bool, wanted: list[bool]) -> list[torch.Tensor]:
    c, slopes = coefficients(_plain(values), efd)
    dp, dw, dx = mixed_kernel.backward(_rows(x), _rows(grad), _flat(candidates), _flat(weights), c, slopes, wanted[0])
    return [_back(dx), torch.from_numpy(dw).view(weights.shape), torch.from_numpy(dp)]


_mixed_gradients = operation(
    SPACE, "mixed_backward(Tensor grad, Tensor x, Tensor weights, Tensor values, Tensor candidates, bool efd, "
           "bool[] wanted) -> Tensor[]", _mixed_backward,
    fake=lambda grad, x, weights, values, *rest: _fake_gradients(x, rest[-1], weights, values))
_mixed = operation(
    SPACE, "mixed(Tensor x, Tensor weights, Tensor values, Tensor candidates, bool efd) -> Tensor", _mixed_forward,
    fake=lambda x, weights, values, *rest: _fake(x, values.shape[0]), gradients=_mixed_gradients, saved=4)


def mixed(x: torch.Tensor, weights: torch.Tensor, values: torch.Tensor, candidates: torch.Tensor,
          efd: bool = False) -> torch.Tensor:
    """Gates whose operands are mixtures, K a multiple of 4; see ``ops.Kernels.mixed``."""
    y: torch.Tensor = _mixed(x, weights, values, candidates, efd)
    return y


def _mixed_lut_forward(x: torch.Tensor, weights: torch.Tensor, values: torch.Tensor, candidates: torch.Tensor,
                       efd: bool) -> torch.Tensor:
    return _back(mixed_lut_kernel.forward(_rows(x), _plain(candidates), _plain(weights), _plain(values)))


def _mixed_lut_backward(grad: torch.Tensor, x: torch.Tensor, weights: torch.Tensor, values: torch.Tensor,
                        candidates: torch.Tensor, efd: bool, wanted: list[bool]) -> list[torch.Tensor]:
    dp, dw, dx = mixed_lut_kernel.backward(_rows(x), _rows(grad), _plain(candidates), _plain(weights), _plain(values),
                                           efd, wanted[0])
    return [_back(dx), torch.from_numpy(dw), torch.from_numpy(dp)]


_mixed_lut_gradients = operation(
    SPACE, "mixed_lut_backward(Tensor grad, Tensor x, Tensor weights, Tensor values, Tensor candidates, bool efd, "
           "bool[] wanted) -> Tensor[]", _mixed_lut_backward,
    fake=lambda grad, x, weights, values, *rest: _fake_gradients(x, rest[-1], weights, values))
_mixed_lut = operation(
    SPACE, "mixed_lut(Tensor x, Tensor weights, Tensor values, Tensor candidates, bool efd) -> Tensor",
    _mixed_lut_forward, fake=lambda x, weights, values, *rest: _fake(x, values.shape[0]),
    gradients=_mixed_lut_gradients, saved=4)


def mixed_lut(x: torch.Tensor, weights: torch.Tensor, values: torch.Tensor, candidates: torch.Tensor,
              efd: bool = False) -> torch.Tensor:
    """Look-up tables whose operands are mixtures, K a multiple of 4; see ``ops.Kernels.mixed_lut``."""
    y: torch.Tensor = _mixed_lut(x, weights, values, candidates, efd)
    return y


def _one_hot(choice: torch.Tensor) -> NDArray[Any]:
    """1 for the largest of an operand's candidates, 0 for others."""
    return torch.zeros_like(choice).scatter_(-1, choice.argmax(-1, keepdim=True), 1.0).numpy()


def _routed_forward(x: torch.Tensor, shares: torch.Tensor, values: torch.Tensor, choice: torch.Tensor,
                    candidates: torch.Tensor, efd: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """The outputs, and the inputs that are read."""
    rows, p = routed_kernel.padded(_rows(x)), _plain(values)
    wires = routed_kernel.largest(_plain(choice), _plain(candidates))
    out = (routed_kernel.forward(rows, wires, p, len(x)) if routed_kernel.is_binary(rows)
           else lut_kernel.forward(_rows(x), wires, p))
    return _back(out), torch.from_numpy(wires)


def _routed_backward(grad: torch.Tensor, x: torch.Tensor, shares: torch.Tensor, values: torch.Tensor,
                     choice: torch.Tensor, candidates: torch.Tensor, wires: torch.Tensor, efd: bool,
                     wanted: list[bool]) -> list[torch.Tensor]:
    rows, p, table = routed_kernel.padded(_rows(x)), _plain(values), _plain(candidates)
    if routed_kernel.is_binary(rows):
        dp, dw, dx = routed_kernel.backward(rows, _rows(grad), wires.numpy(), table, p, efd, wanted[0])
    else:
        dp, dw, dx = mixed_lut_kernel.backward(_rows(x), _rows(grad), table, _one_hot(choice.detach()), p, efd,
                                               wanted[0])
    return [_back(dx), torch.from_numpy(dw), torch.from_numpy(dp)]


_routed_gradients = operation(
    SPACE, "routed_backward(Tensor grad, Tensor x, Tensor shares, Tensor values, Tensor choice, Tensor candidates, "
           "Tensor wires, bool efd, bool[] wanted) -> Tensor[]", _routed_backward,
    fake=lambda grad, x, shares, values, *rest: _fake_gradients(x, rest[-1], shares, values))
_routed = operation(
    SPACE, "routed(Tensor x, Tensor shares, Tensor values, Tensor choice, Tensor candidates, bool efd) -> "
           "(Tensor, Tensor)", _routed_forward, gradients=_routed_gradients, saved=5,
    fake=lambda x, shares, values, choice, candidates, efd: (_fake(x, values.shape[0]),
                                                             candidates.new_empty(candidates.shape[:2])))


def routed(x: torch.Tensor, shares: torch.Tensor, values: torch.Tensor, choice: torch.Tensor, candidates: torch.Tensor,
           efd: bool = False) -> torch.Tensor:
    """Look-up tables of one candidate each, K a multiple of 4; faster on bits; see ``ops.Kernels.routed``."""
    y: torch.Tensor = _routed(x, shares, values, choice.detach(), candidates, efd)[0]
    return y


# ------------------------------------------------------------------------------------------------------- look-up tables


def _lut_forward(x: torch.Tensor, values: torch.Tensor, inputs: torch.Tensor, efd: bool) -> torch.Tensor:
    return _back(lut_kernel.forward(_rows(x), inputs.numpy(), _plain(values)))


def _lut_backward(grad: torch.Tensor, x: torch.Tensor, values: torch.Tensor, inputs: torch.Tensor, efd: bool,
                  wanted: list[bool]) -> list[torch.Tensor]:
    dp, dx = lut_kernel.backward(_rows(x), _rows(grad), inputs.numpy(), _plain(values), efd, wanted[0])
    return [_back(dx), torch.from_numpy(dp)]


_lut_gradients = operation(
    SPACE, "lut_backward(Tensor grad, Tensor x, Tensor values, Tensor inputs, bool efd, bool[] wanted) -> Tensor[]",
    _lut_backward,
    fake=lambda grad, x, values, *rest: _fake_gradients(x, rest[-1], values))
_lut = operation(
    SPACE, "lut(Tensor x, Tensor values, Tensor inputs, bool efd) -> Tensor", _lut_forward,
    fake=lambda x, values, *rest: _fake(x, values.shape[0]), gradients=_lut_gradients, saved=3)


def lut(x: torch.Tensor, values: torch.Tensor, inputs: torch.Tensor, efd: bool = False) -> torch.Tensor:
    """Look-up tables; see ``ops.Kernels.lut``."""
    y: torch.Tensor = _lut(x, values, inputs, efd)
    return y


# ---------------------------------------------------------------------------------------------------------------- trees


def geometry(leaves: torch.Tensor, in_shape: Sequence[int], out_shape: Sequence[int], padding: int,
             pool: int) -> tree_kernel.Geometry:
    """Rows that the trees read and write, made once for each wiring."""
    key = "geometry", tuple(in_shape), tuple(out_shape), padding, pool
    return kept([leaves], key,
                lambda: tree_kernel.Geometry.of(in_shape, as_array(leaves), out_shape, padding=padding, pool=pool))


def _tree_coefficients(leaves: torch.Tensor, values: torch.Tensor, efd: bool) -> list[NDArray[Any]]:
    """Coefficients of forward and of the input gradients, (kernels, gates, 4)."""
    return [c.reshape(len(leaves), -1, 4) for c in coefficients(_plain(values), efd)]


def _tree_forward(x: torch.Tensor, values: torch.Tensor, leaves: torch.Tensor, in_shape: list[int],
                  out_shape: list[int], padding: int, pool: int, efd: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs, and the position that won in each window."""
    c, _ = _tree_coefficients(leaves, values, efd)
    out, winner = tree_kernel.forward(_rows(x), geometry(leaves, in_shape, out_shape, padding, pool), c)
    return _back(out), torch.from_numpy(winner)


def _tree_backward(grad: torch.Tensor, x: torch.Tensor, values: torch.Tensor, leaves: torch.Tensor,
                   winner: torch.Tensor, in_shape: list[int], out_shape: list[int], padding: int, pool: int, efd: bool,
                   wanted: list[bool]) -> list[torch.Tensor]:
    c, slopes = _tree_coefficients(leaves, values, efd)
    where = geometry(leaves, in_shape, out_shape, padding, pool)
    dp, dx = tree_kernel.backward(_rows(x), _rows(grad), winner.numpy(), where, c, slopes, wanted[0])
    return [_back(dx), torch.from_numpy(dp)]


def _fake_tree(x: torch.Tensor, values: torch.Tensor, leaves: torch.Tensor, in_shape: list[int], out_shape: list[int],
               *rest: Any) -> tuple[torch.Tensor, torch.Tensor]:
    rows = out_shape[0] * out_shape[1] * out_shape[2]
    return _fake(x, rows), x.new_empty(rows, x.shape[0], dtype=torch.uint8)


_tree_gradients = operation(
    SPACE, "tree_backward(Tensor grad, Tensor x, Tensor values, Tensor leaves, Tensor winner, int[] in_shape, "
           "int[] out_shape, int padding, int pool, bool efd, bool[] wanted) -> Tensor[]", _tree_backward,
    fake=lambda grad, x, values, *rest: _fake_gradients(x, rest[-1], values))
_tree = operation(
    SPACE, "tree(Tensor x, Tensor values, Tensor leaves, int[] in_shape, int[] out_shape, int padding, int pool, "
           "bool efd) -> (Tensor, Tensor)", _tree_forward, fake=_fake_tree, gradients=_tree_gradients, saved=3)


def tree(x: torch.Tensor, values: torch.Tensor, leaves: torch.Tensor, in_shape: Sequence[int], out_shape: Sequence[int],
         padding: int = 0, pool: int = 1, efd: bool = False) -> torch.Tensor:
    """Trees of gates over an image; see ``ops.Kernels.tree``."""
    y: torch.Tensor = _tree(x, values, leaves, list(in_shape), list(out_shape), padding, pool, efd)[0]
    return y


# ------------------------------------------------------------------------------------------------------ without layers


def _plan(inputs: int, fanin: torch.Tensor, arity: torch.Tensor, outputs: torch.Tensor) -> graph_kernel.Plan:
    """What the kernels read of a graph, made once for each."""
    return kept([fanin, arity, outputs], ("graph", inputs),
                lambda: graph_kernel.Plan.of(inputs, as_array(fanin), as_array(arity), as_array(outputs)))


def _graph_forward(x: torch.Tensor, values: torch.Tensor, fanin: torch.Tensor, arity: torch.Tensor,
                   outputs: torch.Tensor, efd: bool) -> torch.Tensor:
    return _back(graph_kernel.forward(_rows(x), _plan(x.shape[1], fanin, arity, outputs), _plain(values)))


def _graph_backward(grad: torch.Tensor, x: torch.Tensor, values: torch.Tensor, fanin: torch.Tensor,
                    arity: torch.Tensor, outputs: torch.Tensor, efd: bool, wanted: list[bool]) -> list[torch.Tensor]:
    plan = _plan(x.shape[1], fanin, arity, outputs)
    dp, dx = graph_kernel.backward(_rows(x), _rows(grad), plan, _plain(values), efd, wanted[0])
    return [_back(dx), torch.from_numpy(dp)]


_graph_gradients = operation(
    SPACE, "graph_backward(Tensor grad, Tensor x, Tensor values, Tensor fanin, Tensor arity, Tensor outputs, bool efd, "
           "bool[] wanted) -> Tensor[]", _graph_backward,
    fake=lambda grad, x, values, *rest: _fake_gradients(x, rest[-1], values))
_graph = operation(
    SPACE, "graph(Tensor x, Tensor values, Tensor fanin, Tensor arity, Tensor outputs, bool efd) -> Tensor",
    _graph_forward, fake=lambda x, values, fanin, arity, outputs, efd: _fake(x, outputs.shape[0]),
    gradients=_graph_gradients, saved=5)


def graph(x: torch.Tensor, values: torch.Tensor, fanin: torch.Tensor, arity: torch.Tensor, outputs: torch.Tensor,
          efd: bool = False) -> torch.Tensor:
    """A network without layers; see ``ops.Kernels.graph``."""
    y: torch.Tensor = _graph(x, values, fanin, arity, outputs, efd)
    return y


# -------------------------------------------------------------------------------------------------- what the gates cost


def _interaction_forward(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean, and its gradient times the number of gates."""
    mean, gradient = mean_interaction(_plain(values))
    return values.new_tensor(mean), torch.from_numpy(gradient)


_interaction = operation(
    SPACE, "interaction(Tensor values) -> (Tensor, Tensor)", _interaction_forward,
    fake=lambda values: (values.new_empty(()), values.new_empty(values.shape)),
    gradients=lambda grad, gradient, *_: [gradient * (grad / gradient.shape[0])])


def interaction(values: torch.Tensor) -> torch.Tensor:
    """Mean interaction of table values (gates, 4); see ``ops.Kernels.interaction``."""
    mean: torch.Tensor = _interaction(values)[0]
    return mean
