"""Registration of kernels as operations of torch, so that ``torch.compile`` takes them into a graph whole."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.autograd.function import once_differentiable


@functools.cache
def _library(space: str) -> Any:
    """The operations of a namespace, kept: a registration ends when its library is collected."""
    return torch.library.Library(space, "FRAGMENT")


def operation(space: str, schema: str, kernel: Callable[..., Any], *, fake: Callable[..., Any],
              gradients: Callable[..., Sequence[torch.Tensor]] | None = None, saved: int = 0) -> Any:
    """Register one operation and return it.

    Parameters
    ----------
    space
        Namespace of the operation.
    schema
        ``name(Tensor x, ...) -> Tensor`` in torch's notation. Of several results, the first alone has a gradient.
    kernel
        Computes it, on tensors of any device, without recording for backward.
    fake
        Gives tensors of the results' shapes, types and strides, without reading any values.
    gradients
        ``gradients(grad, *saved arguments, *further results, *other arguments, wanted)`` gives the gradients of the
        first arguments; ``wanted`` says which of the arguments need one. It is an operation itself, or made of torch's
        own. Without it, there is no gradient.
    saved
        How many of the arguments, which are tensors, are kept for ``gradients``.

    Notes
    -----
    ``torch.library.custom_op`` would do the same; its wrappers take 0.15 ms of Python in each training step, these take
    none.
    """
    library = _library(space)
    name = schema.partition("(")[0]
    library.define(schema, tags=(torch.Tag.pt2_compliant_tag,))
    library.impl(name, kernel, "CompositeExplicitAutograd")
    torch.library.register_fake(f"{space}::{name}", fake, lib=library)
    registered = getattr(getattr(torch.ops, space), name).default
    if gradients is not None:
        function = _differentiable(registered, gradients, saved)
        apply: Any = function.apply
        library.impl(name, lambda *arguments: apply(*arguments), "Autograd")
    return registered


def _differentiable(forward_operation: Any, gradients: Callable[..., Sequence[torch.Tensor]],
                    saved: int) -> type[torch.autograd.Function]:
    """The function that records an operation for backward."""

    class Differentiable(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *arguments: Any) -> Any:
            with torch._C._AutoDispatchBelowAutograd():
                results = forward_operation(*arguments)
            rest = [] if isinstance(results, torch.Tensor) else list(results[1:])
            ctx.set_materialize_grads(False)
            ctx.mark_non_differentiable(*rest)
            ctx.save_for_backward(*arguments[:saved], *rest)
            ctx.others = arguments[saved:]
            return results if isinstance(results, torch.Tensor) else tuple(results)

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, grad: torch.Tensor | None, *_: None) -> tuple[torch.Tensor | None, ...]:
            wanted = list(ctx.needs_input_grad)
            results = [] if grad is None else gradients(grad, *ctx.saved_tensors, *ctx.others, wanted)
            used = [g if want else None for g, want in zip(results, wanted, strict=False)]
            return *used, *[None] * (len(wanted) - len(used))

    return Differentiable
