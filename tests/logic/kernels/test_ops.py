"""The operations as torch sees them, and which kernels compute on which device."""

import os
import subprocess
import sys

import pytest
import torch
from operations import calls, opcheck, recorded

from hardwire.core.errors import InputError, MissingToolError
from hardwire.logic.kernels import cpu_ops, ops

CALLS = calls(cpu_ops)


@pytest.mark.parametrize("name", CALLS)
def test_torch_accepts_the_registration(name):
    opcheck(*CALLS[name])


def test_every_operation_is_checked():
    used = {operation._name for call in CALLS.values() for operation, _ in recorded(*call)}
    names = ("stack", "stack_backward", "stack_loss", "mixed", "mixed_backward", "mixed_lut",
             "mixed_lut_backward", "routed", "routed_backward", "lut", "lut_backward", "tree", "tree_backward",
             "interaction", "graph", "graph_backward")
    assert used == {f"hardwire_cpu::{name}" for name in names}


def test_in_inference_mode():
    function, (x, values, pairs, *rest) = CALLS["stack with a group sum"]
    expected = function(x, values, pairs, *rest)
    with torch.inference_mode():
        found = function(x, values, pairs, *rest)
    assert torch.equal(found, expected) and not found.requires_grad


def test_the_loss_is_scaled_by_what_comes_after_it():
    function, arguments = CALLS["stack_loss"]
    x, values = arguments[:2]
    one, two = (torch.autograd.grad(factor * function(*arguments), (x, values)) for factor in (1, -2.5))
    for a, b in zip(one, two):
        torch.testing.assert_close(-2.5 * a, b)


# -------------------------------------------------------------------------------------------------------------- devices


def test_a_cpu_has_the_kernels_of_the_cpu():
    assert ops.use_device("cpu") == torch.device("cpu")
    assert ops.kernels_for("cpu") is ops.kernels_for(torch.device("cpu")) is cpu_ops


@pytest.mark.parametrize("name", ["tpu", "cpu:1", "cuda:x", "triton", ""])
def test_devices_that_are_none(name):
    with pytest.raises(InputError, match="is none of cpu, cuda, cuda:N and triton-interpreter"):
        ops.use_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_not_there():
    with pytest.raises(InputError, match="device 'cuda:1' is not there: torch sees 0 CUDA GPUs; use cpu"):
        ops.use_device("cuda:1")


def test_a_device_without_kernels():
    with pytest.raises(InputError, match="there are no kernels for meta"):
        ops.kernels_for(torch.device("meta"))


def run(program: str, **environment: str) -> str:
    """What a fresh process prints."""
    kept = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | environment
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=kept)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_the_interpreter_is_chosen_before_triton_is_imported():
    pytest.importorskip("triton")
    assert run("import sys, hardwire.logic.kernels.ops, hardwire.logic.network.network; print('triton' in sys.modules)") == "False\n"
    late = run("import triton; from hardwire.logic.kernels.ops import use_device\n"
               "from hardwire.core.errors import InputError\n"
               "try: use_device('triton-interpreter')\n"
               "except InputError as error: print(error)")
    assert "must be chosen before Triton is imported; set TRITON_INTERPRET=1" in late


def test_without_triton(monkeypatch):
    monkeypatch.setitem(sys.modules, "triton", None)
    monkeypatch.setattr(ops, "_loaded", None)
    for module in [m for m in sys.modules if m.startswith("hardwire.logic.kernels.gpu")]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(MissingToolError, match="needs Triton"):
        ops.kernels_for("cuda")
