"""The registration of the GPU's operations, by torch's own checks."""

import pytest
import torch
from gpu_cases import agree
from operations import calls, opcheck, recorded

from hardwire.logic.kernels import cpu_ops
from hardwire.logic.kernels.gpu import ops

CALLS = calls(ops)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CALLS if not name.startswith("interaction")])
def test_torch_accepts_the_registration(name):
    opcheck(*CALLS[name])


def test_every_operation_is_checked():
    used = {operation._name for call in CALLS.values() for operation, _ in recorded(*call)}
    names = ("stack", "stack_backward", "mixed", "mixed_backward", "lut", "lut_backward", "tree", "tree_backward", "graph",
             "graph_backward")
    assert used == {f"hardwire_gpu::{name}" for name in names}


@pytest.mark.parametrize("name", CALLS)
def test_the_same_values_and_gradients_as_on_the_cpu(name):
    found = []
    for function, arguments in (CALLS[name], calls(cpu_ops)[name]):
        leaves = [a for a in arguments if isinstance(a, torch.Tensor) and a.requires_grad]
        y = function(*arguments)
        found.append([y.detach(), *torch.autograd.grad(y.sum(), leaves)])
    agree(*found, 2e-5)
