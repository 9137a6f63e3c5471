"""Small calls of every operation, for the tests of their registration; ``ops`` are the CPU's or the GPU's."""

import warnings
from collections.abc import Callable

import torch

from hardwire.logic.kernels.ops import Kernels
from hardwire.logic.kernels.reference import Soft


def tensor(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype).requires_grad_()


def wires(high: int, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, high, shape, generator=torch.Generator().manual_seed(seed)).int()


def calls(ops: Kernels, dtype: torch.dtype = torch.float32) -> dict[str, tuple[Callable[..., torch.Tensor], tuple]]:
    """Name -> the function and its arguments."""
    pairs = [wires(6, 8, 2), wires(8, 10, 2)]
    leaves = wires(2, 3, 4, 3)
    x, values = tensor(5, 6, dtype=dtype), tensor(18, 4, seed=1, dtype=dtype)
    y, soft = torch.arange(5) % 2, Soft(tensor(5, 2, seed=4, dtype=dtype).detach(), 0.3, 2.0)
    image = tensor(5, 2 * 4 * 4, seed=2, dtype=dtype)
    return {
        "stack": (ops.stack, (x, values, pairs, 0, False)),
        "stack with a group sum": (ops.stack, (x, values, pairs, 2, False)),
        "stack, extended finite differences": (ops.stack, (x, values, pairs, 2, True)),
        "stack without input gradient": (ops.stack, (x.detach(), values, pairs, 2, False)),
        "stack_loss": (ops.stack_loss, (x, values, pairs, 2, False, 0.5, y, None)),
        "stack_loss with a teacher": (ops.stack_loss, (x, values, pairs, 2, False, 0.5, y, soft)),
        "mixed": (ops.mixed, (x, tensor(7, 2, 4, dtype=dtype), tensor(7, 4, seed=1, dtype=dtype), wires(6, 7, 2, 4), False)),
        "mixed_lut": (ops.mixed_lut, (x, tensor(7, 3, 4, dtype=dtype), tensor(7, 8, seed=1, dtype=dtype), wires(6, 7, 3, 4), False)),
        "routed": (ops.routed, (x, tensor(7, 3, 4, dtype=dtype), tensor(7, 8, seed=1, dtype=dtype),
                                tensor(7, 3, 4, seed=2, dtype=dtype).detach(), wires(6, 7, 3, 4), False)),
        "lut": (ops.lut, (x, tensor(7, 8, seed=1, dtype=dtype), wires(6, 7, 3), False)),
        "graph": (ops.graph, (x, tensor(14, seed=1, dtype=dtype), torch.tensor([[0, 5, 0], [6, 2, 1], [3, 0, 0]]).int(),
                              torch.tensor([2, 3, 1], dtype=torch.uint8), torch.tensor([7, 8, 0, 7]).int(), False)),
        "tree": (ops.tree, (image, tensor(9, 4, seed=1, dtype=dtype), leaves, (2, 4, 4), (3, 1, 1), 0, 2, False)),
        "tree without a pool": (ops.tree, (image, tensor(9, 4, seed=1, dtype=dtype), leaves, (2, 4, 4), (3, 4, 4), 1, 1, True)),
        "interaction": (ops.interaction, (tensor(9, 4, seed=1, dtype=dtype),)),
    }


def recorded(function: Callable[..., torch.Tensor], arguments: tuple) -> list[tuple[torch._ops.OpOverload, tuple]]:
    """The registered operations that a call and its backward make, with their arguments."""
    found: list[tuple[torch._ops.OpOverload, tuple]] = []

    class Recorder(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            if operation.namespace.startswith("hardwire"):
                found.append((operation, args))
            return operation(*args, **(kwargs or {}))

    with Recorder():
        function(*arguments).sum().backward()
    return found


def opcheck(function: Callable[..., torch.Tensor], arguments: tuple) -> None:
    """Torch's own checks of schema, autograd, fake tensors and compiled graphs, for forward and backward."""
    used = recorded(function, arguments)
    assert used
    for operation, args in used:
        given = [a.detach().requires_grad_(a.requires_grad) if isinstance(a, torch.Tensor) and a.is_leaf else a for a in args]
        if operation._name.endswith("_backward"):
            checks = ("test_schema", "test_faketensor")
            given = [a.detach() if isinstance(a, torch.Tensor) else a for a in args]
        else:
            checks = ("test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_dynamic")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.library.opcheck(operation, tuple(given), test_utils=checks)
