"""The operations of a logic network by the Triton kernels, as ``kernels.ops.Kernels`` describes them.

They take tensors of a GPU, or in Triton's interpreter those of the CPU. 

Activations between the layers of a stack stay in memory for backward; those of other layers are their neighbours'
inputs and outputs.
"""

import functools
from collections.abc import Sequence
from typing import Any

import torch

from ....core.errors import InputError
from ..cache import kept
from ..cpu_ops import geometry
from ..reference import Soft, cross_entropy
from ..registration import operation
from . import common
from . import levels as level_kernel
from . import lut as lut_kernel
from . import mix as mixed_kernel
from . import stack as stack_kernel
from . import tree as tree_kernel
from .coefficients import as_coefficients, value_gradients
from .common import feature_major

SPACE = "hardwire_gpu"


def _fake_rows(x: torch.Tensor, rows: Any, dtype: torch.dtype | None = None) -> torch.Tensor:
    """What ``common.rows_of`` gives for the samples of ``x``, without values."""
    pitch = (torch.sym_max(x.shape[0], 1) + common.ALIGN - 1) // common.ALIGN * common.ALIGN
    return x.new_empty(rows, pitch, dtype=dtype)[:, : x.shape[0]]


def _fake_gradients(x: torch.Tensor, wanted: list[bool], *others: torch.Tensor) -> list[torch.Tensor]:
    """What the gradients of ``x`` and of other tensors look like."""
    dx = _fake_rows(x, x.shape[1]).t() if wanted[0] else x.new_empty(0)
    return [dx, *(t.new_empty(t.shape) for t in others)]


def _input_gradient(x: torch.Tensor, dx: torch.Tensor | None) -> torch.Tensor:
    return x.new_empty(0) if dx is None else dx.t()


def _floats(like: torch.Tensor) -> torch.Tensor:
    return common.fresh(*like.shape, dtype=torch.float32, device=like.device)


def _table_gradients(dc: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Parts of coefficient gradients as the gradient of table values."""
    return value_gradients(dc, _floats(values)).to(values.dtype)


# ----------------------------------------------------------------------------------------------------- gates, group sum


def _ranges(pairs: Sequence[torch.Tensor]) -> list[slice]:
    """Which gates of the stack are each layer's."""
    begin, result = 0, []
    for p in pairs:
        result.append(slice(begin, begin + len(p)))
        begin += len(p)
    return result


def _stack_forward(x: torch.Tensor, values: torch.Tensor, pairs: list[torch.Tensor], classes: int, efd: bool,
                   keep: bool) -> list[torch.Tensor]:
    """The outputs; if ``keep``, also the coefficients of the input gradients and the activations between layers."""
    if classes and len(pairs[-1]) % classes:
        raise InputError(f"{len(pairs[-1])} outputs cannot be shared evenly by {classes} classes; use a multiple of "
                         f"{classes}")
    c, slopes = as_coefficients(values, efd)
    below, between = feature_major(x), []
    for i, (p, own) in enumerate(zip(pairs, _ranges(pairs), strict=True)):
        if i and keep:
            between.append(below)
        table, _ = stack_kernel.wired(p, len(below), x.device)
        below = stack_kernel.gates(below, table, c[own])
    y = (stack_kernel.group_sum(below, classes) if classes else below).t()
    return [y, slopes, *between] if keep else [y]


def _fake_stack(x: torch.Tensor, values: torch.Tensor, pairs: list[torch.Tensor], classes: int, efd: bool,
                keep: bool) -> list[torch.Tensor]:
    y = _fake_rows(x, classes or pairs[-1].shape[0], torch.float32 if classes else x.dtype).t()
    slopes = values.new_empty(values.shape, dtype=torch.float32)
    return [y, slopes, *(_fake_rows(x, p.shape[0]) for p in pairs[:-1])] if keep else [y]


def _stack_backward(grad: torch.Tensor, x: torch.Tensor, values: torch.Tensor, slopes: torch.Tensor,
                    between: list[torch.Tensor],
                    pairs: list[torch.Tensor], classes: int, wanted: list[bool]) -> list[torch.Tensor]:
    upper, per = feature_major(grad), len(pairs[-1]) // classes if classes else 1
    want_dx, want_dp = wanted[:2]
    dp = _floats(values) if want_dp else slopes.new_empty(0)
    for p, own, below in reversed(list(zip(pairs, _ranges(pairs), [feature_major(x), *between], strict=True))):
        table, back = stack_kernel.wired(p, len(below), x.device)
        if want_dp:
            value_gradients(stack_kernel.coefficient_sums(below, upper, table, per), dp[own])
        if own.start or want_dx:
            upper, per = stack_kernel.input_gradient(below, upper, slopes[own], back, per), 1
    return [_input_gradient(x, upper if want_dx else None), dp.to(values.dtype)]


_stack_gradients = operation(
    SPACE, "stack_backward(Tensor grad, Tensor x, Tensor values, Tensor slopes, Tensor[] between, Tensor[] pairs, "
           "int classes, bool[] wanted) -> Tensor[]", _stack_backward,
    fake=lambda grad, x, values,
    *rest: [*_fake_gradients(x, rest[-1]), values.new_empty(values.shape if rest[-1][1] else 0)])


def _stack_split(grad: torch.Tensor, x: torch.Tensor, values: torch.Tensor, slopes: torch.Tensor, *rest: Any) -> Any:
    """``_stack_gradients`` of what was kept: activations one by one, then the other arguments."""
    *between, pairs, classes, _, _, wanted = rest
    return _stack_gradients(grad, x, values, slopes, between, pairs, classes, wanted)


_stack = operation(
    SPACE, "stack(Tensor x, Tensor values, Tensor[] pairs, int classes, bool efd, bool keep) -> Tensor[]",
    _stack_forward,
    fake=_fake_stack, gradients=_stack_split, saved=2)


def stack(x: torch.Tensor, values: torch.Tensor, pairs: Sequence[torch.Tensor], classes: int = 0,
          efd: bool = False) -> torch.Tensor:
    """Layers of two-input gates and a group sum, whose sums are float32; see ``ops.Kernels.stack``."""
    keep = torch.is_grad_enabled() and (x.requires_grad or values.requires_grad)
    y: torch.Tensor = _stack(x, values, list(pairs), classes, efd, keep)[0]
    return y


def stack_loss(x: torch.Tensor, values: torch.Tensor, pairs: Sequence[torch.Tensor], classes: int, efd: bool,
               scale: float, y: torch.Tensor, soft: Soft | None = None) -> torch.Tensor:
    """The loss of ``stack``; see ``ops.Kernels.stack_loss``."""
    return cross_entropy(scale * stack(x, values, pairs, classes, efd), y, soft)


# ------------------------------------------------------------------------------------------------------- learned wiring


def _mixed_forward(x: torch.Tensor, weights: torch.Tensor, values: torch.Tensor, candidates: torch.Tensor,
                   efd: bool) -> torch.Tensor:
    c, _ = as_coefficients(values, efd)
    table, _ = mixed_kernel.wiring(candidates, x)
    return mixed_kernel.forward(feature_major(x), table, weights.detach().float().contiguous(), c).t()


def _mixed_backward(grad: torch.Tensor, x: torch.Tensor, weights: torch.Tensor, values: torch.Tensor,
                    candidates: torch.Tensor, efd: bool, wanted: list[bool]) -> list[torch.Tensor]:
    _, slopes = as_coefficients(values, efd)
    table, back = mixed_kernel.wiring(candidates, x)
    flat = weights.detach().float().contiguous()
    dc, dw, dx = mixed_kernel.backward(feature_major(x), feature_major(grad), table, flat, slopes, back, wanted[0])
    return [_input_gradient(x, dx), dw.to(weights.dtype), _table_gradients(dc, values)]


_mixed_gradients = operation(
    SPACE, "mixed_backward(Tensor grad, Tensor x, Tensor weights, Tensor values, Tensor candidates, bool efd, "
           "bool[] wanted) -> Tensor[]", _mixed_backward,
    fake=lambda grad, x, weights, values, *rest: _fake_gradients(x, rest[-1], weights, values))
_mixed = operation(
    SPACE, "mixed(Tensor x, Tensor weights, Tensor values, Tensor candidates, bool efd) -> Tensor", _mixed_forward,
    fake=lambda x, weights, values, *rest: _fake_rows(x, values.shape[0]).t(), gradients=_mixed_gradients, saved=4)


def mixed(x: torch.Tensor, weights: torch.Tensor, values: torch.Tensor, candidates: torch.Tensor,
          efd: bool = False) -> torch.Tensor:
    """Gates whose operands are mixtures, of any K; see ``ops.Kernels.mixed``. Memory grows with K as the weights do."""
    y: torch.Tensor = _mixed(x, weights, values, candidates, efd)
    return y


# ------------------------------------------------------------------------------------------------------- look-up tables


def _lut_forward(x: torch.Tensor, values: torch.Tensor, inputs: torch.Tensor, efd: bool) -> torch.Tensor:
    k = inputs.shape[1]
    if not 1 <= k <= lut_kernel.LARGEST or values.shape[1] != 1 << k:
        raise InputError(f"look-up tables have 1 to {lut_kernel.LARGEST} inputs and 2^k values, not {k} inputs and "
                         f"{values.shape[1]} values")
    table, _ = mixed_kernel.wiring(inputs, x)
    return lut_kernel.forward(feature_major(x), table, values.detach().float().contiguous()).t()


def _lut_backward(grad: torch.Tensor, x: torch.Tensor, values: torch.Tensor, inputs: torch.Tensor, efd: bool,
                  wanted: list[bool]) -> list[torch.Tensor]:
    table, back = mixed_kernel.wiring(inputs, x)
    p = values.detach().float().contiguous()
    dp, dx = lut_kernel.backward(feature_major(x), feature_major(grad), table, p, back, efd, wanted[0])
    return [_input_gradient(x, dx), dp.to(values.dtype)]


_lut_gradients = operation(
    SPACE, "lut_backward(Tensor grad, Tensor x, Tensor values, Tensor inputs, bool efd, bool[] wanted) -> Tensor[]",
    _lut_backward,
    fake=lambda grad, x, values, *rest: _fake_gradients(x, rest[-1], values))
_lut = operation(
    SPACE, "lut(Tensor x, Tensor values, Tensor inputs, bool efd) -> Tensor", _lut_forward,
    fake=lambda x, values, *rest: _fake_rows(x, values.shape[0]).t(), gradients=_lut_gradients, saved=3)


def lut(x: torch.Tensor, values: torch.Tensor, inputs: torch.Tensor, efd: bool = False) -> torch.Tensor:
    """Look-up tables of up to six inputs; see ``ops.Kernels.lut``."""
    y: torch.Tensor = _lut(x, values, inputs, efd)
    return y


@functools.cache
def _places(tables: int, k: int) -> torch.Tensor:
    """Operands one after the other, (tables, k)."""
    return torch.arange(tables * k, dtype=torch.int32).view(tables, k)


def mixed_lut(x: torch.Tensor, weights: torch.Tensor, values: torch.Tensor, candidates: torch.Tensor,
              efd: bool = False) -> torch.Tensor:
    """Look-up tables whose operands are mixtures, these by torch's own operations; see ``ops.Kernels.mixed_lut``.

    Notes
    -----
    Memory for backward grows with samples times candidates, unlike that of ``mixed``.
    """
    operands = sum(weights[..., c].to(x.dtype) * x[:, candidates[..., c]] for c in range(candidates.shape[-1]))
    return lut(torch.as_tensor(operands).flatten(1), values, _places(*candidates.shape[:2]), efd)


def routed(x: torch.Tensor, shares: torch.Tensor, values: torch.Tensor, choice: torch.Tensor, candidates: torch.Tensor,
           efd: bool = False) -> torch.Tensor:
    """Look-up tables of one candidate each, as ``mixed_lut`` of shares of 0 and 1; see ``ops.Kernels.routed``."""
    hard = torch.zeros_like(shares).scatter_(-1, choice.detach().argmax(-1, keepdim=True), 1.0)
    return mixed_lut(x, hard + (shares - shares.detach()), values, candidates, efd)


# ---------------------------------------------------------------------------------------------------------------- trees


def _tables(x: torch.Tensor, leaves: torch.Tensor, in_shape: list[int], out_shape: list[int], padding: int,
            pool: int) -> tree_kernel.Tables:
    depth = leaves.shape[1].bit_length() - 1
    if depth > tree_kernel.DEEPEST or pool > tree_kernel.WIDEST:
        raise InputError(f"on the GPU trees reach to depth {tree_kernel.DEEPEST} and pools to {tree_kernel.WIDEST} x "
                         f"{tree_kernel.WIDEST}, not depth {depth} and pool {pool}; train this network on the CPU")
    key = "tables", tuple(in_shape), tuple(out_shape), padding, pool, str(x.device)
    return kept([leaves], key,
                lambda: tree_kernel.Tables.of(geometry(leaves, in_shape, out_shape, padding, pool), x.device))


def _tree_forward(x: torch.Tensor, values: torch.Tensor, leaves: torch.Tensor, in_shape: list[int],
                  out_shape: list[int], padding: int,
               pool: int, efd: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs, and the winner of each window."""
    c, _ = as_coefficients(values, efd)
    out, winner = tree_kernel.forward(feature_major(x), _tables(x, leaves, in_shape, out_shape, padding, pool), c)
    return out.t(), winner


def _tree_backward(grad: torch.Tensor, x: torch.Tensor, values: torch.Tensor, leaves: torch.Tensor,
                   winner: torch.Tensor, in_shape: list[int], out_shape: list[int], padding: int, pool: int, efd: bool,
                   wanted: list[bool]) -> list[torch.Tensor]:
    c, slopes = as_coefficients(values, efd)
    tables = _tables(x, leaves, in_shape, out_shape, padding, pool)
    dc, dx = tree_kernel.backward(feature_major(x), feature_major(grad), winner, tables, c, slopes, wanted[0])
    return [_input_gradient(x, dx), _table_gradients(dc, values)]


def _fake_tree(x: torch.Tensor, values: torch.Tensor, leaves: torch.Tensor, in_shape: list[int], out_shape: list[int],
               padding: int, pool: int, efd: bool) -> tuple[torch.Tensor, torch.Tensor]:
    rows = out_shape[0] * out_shape[1] * out_shape[2]
    return _fake_rows(x, rows).t(), _fake_rows(x, rows if pool > 1 else 0, torch.uint8)


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


def _graph_forward(x: torch.Tensor, values: torch.Tensor, fanin: torch.Tensor, arity: torch.Tensor,
                   outputs: torch.Tensor, efd: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs, and the values of all inputs and nodes."""
    graph = level_kernel.levels(x.shape[1], fanin, arity, outputs, x.device)
    y, buffer = level_kernel.forward(feature_major(x), graph, values.detach().float().contiguous())
    return y.t(), buffer


def _graph_backward(grad: torch.Tensor, x: torch.Tensor, values: torch.Tensor, fanin: torch.Tensor,
                    arity: torch.Tensor, outputs: torch.Tensor, buffer: torch.Tensor, efd: bool,
                    wanted: list[bool]) -> list[torch.Tensor]:
    graph, p = level_kernel.levels(x.shape[1], fanin, arity, outputs, x.device), values.detach().float().contiguous()
    dp, total = level_kernel.backward(buffer, feature_major(grad), graph, p, efd)
    dx = common.rows_of(x.shape[1], x.shape[0], x.dtype, x.device).copy_(total[: x.shape[1]]) if wanted[0] else None
    return [_input_gradient(x, dx), dp.to(values.dtype)]


def _fake_graph_gradients(grad: torch.Tensor, x: torch.Tensor, values: torch.Tensor, *rest: Any) -> list[torch.Tensor]:
    return _fake_gradients(x, rest[-1], values)


_graph_gradients = operation(
    SPACE, "graph_backward(Tensor grad, Tensor x, Tensor values, Tensor fanin, Tensor arity, Tensor outputs, "
           "Tensor buffer, bool efd, bool[] wanted) -> Tensor[]", _graph_backward, fake=_fake_graph_gradients)
_graph = operation(
    SPACE, "graph(Tensor x, Tensor values, Tensor fanin, Tensor arity, Tensor outputs, bool efd) -> (Tensor, Tensor)",
    _graph_forward, gradients=_graph_gradients, saved=5,
    fake=lambda x, values, fanin, arity, outputs, efd: (x.new_empty(outputs.shape[0], x.shape[0]).t(),
                                                        _fake_rows(x, x.shape[1] + fanin.shape[0])))


def graph(x: torch.Tensor, values: torch.Tensor, fanin: torch.Tensor, arity: torch.Tensor, outputs: torch.Tensor,
          efd: bool = False) -> torch.Tensor:
    """A network without layers; see ``ops.Kernels.graph``."""
    y: torch.Tensor = _graph(x, values, fanin, arity, outputs, efd)[0]
    return y


# -------------------------------------------------------------------------------------------------- what the gates cost


def interaction(values: torch.Tensor) -> torch.Tensor:
    """Mean interaction of table values (gates, 4), by torch's own operations; see ``ops.Kernels.interaction``."""
    p0, p1, p2, p3 = values.unbind(-1)
    return (p3 - p2 - p1 + p0).abs().mean()
