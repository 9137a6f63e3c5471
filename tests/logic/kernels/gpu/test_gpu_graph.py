"""A training step as a CUDA graph is the step that it replaces; and the kernels compile without a GPU."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from hardwire.core.errors import InputError
from hardwire.logic.kernels import gpu
from hardwire.logic.kernels.gpu import ops

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")


class Net(torch.nn.Module):
    """Two layers of gates and a group sum."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        self.register_buffer("first", torch.from_numpy(rng.integers(0, 20, (30, 2)).astype(np.int32)))
        self.register_buffer("second", torch.from_numpy(rng.integers(0, 30, (40, 2)).astype(np.int32)))
        self.weight = torch.nn.Parameter(torch.randn(70, 4, generator=torch.Generator().manual_seed(0)))

    def forward(self, x):
        return ops.stack(x, torch.sigmoid(self.weight), [self.first, self.second], 4)


def adam(network, **more):
    return torch.optim.Adam(network.parameters(), **{"lr": 0.01, "capturable": True} | more)


def batches(n, device="cuda"):
    g = torch.Generator().manual_seed(1)
    return [(torch.rand(64, 20, generator=g).to(device), torch.randint(0, 4, (64,), generator=g).to(device)) for _ in range(n)]


@needs_gpu
def test_graphed_steps_are_ordinary_steps():
    network = Net().cuda()
    plain = copy.deepcopy(network)
    optimizer, other = adam(network, lr=torch.tensor(0.01, device="cuda")), adam(plain)
    data = batches(6)
    step = gpu.graphed_step(network, optimizer, cross_entropy, *data[0])
    for i, (x, y) in enumerate(data):
        optimizer.param_groups[0]["lr"] = other.param_groups[0]["lr"] = 0.01 / (1 + i)
        loss = step(x, y)
        other.zero_grad()
        expected = cross_entropy(plain(x), y)
        expected.backward()
        other.step()
        torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(network.weight, plain.weight)


@needs_gpu
def test_a_batch_of_another_size_or_a_fixed_rate_changed():
    network = Net().cuda()
    optimizer = adam(network)
    (x, y), = batches(1)
    step = gpu.graphed_step(network, optimizer, cross_entropy, x, y)
    with pytest.raises(InputError, match="takes batches of"):
        step(x[:5], y[:5])
    optimizer.param_groups[0]["lr"] = 0.5
    with pytest.raises(InputError, match="make lr a tensor on the GPU"):
        step(x, y)


@needs_gpu
def test_an_optimizer_that_cannot_be_captured():
    network = Net().cuda()
    with pytest.raises(InputError, match="capturable=True"):
        gpu.graphed_step(network, adam(network, capturable=False), cross_entropy, *batches(1)[0])


def test_samples_on_the_cpu():
    network = Net()
    with pytest.raises(InputError, match="needs a CUDA GPU, but the samples are on cpu"):
        gpu.graphed_step(network, adam(network, capturable=False), cross_entropy, *batches(1, "cpu")[0])


def test_warm_up_leaves_no_trace():
    """What the warm-up steps did to weights and optimizer is taken back, also to an optimizer that had no state yet."""
    from hardwire.logic.kernels.gpu import graph

    network = Net()
    optimizer = adam(network, capturable=False)
    first = network.weight.detach().clone()
    for steps in (0, 2):
        for _ in range(steps):
            network.weight.grad = torch.ones_like(network.weight)
            optimizer.step()
        weights, state = network.weight.detach().clone(), copy.deepcopy(optimizer.state_dict()["state"])
        before = graph._snapshot(network, optimizer)
        network.weight.grad = torch.ones_like(network.weight)
        optimizer.step()
        assert not torch.equal(network.weight, weights)
        graph._restore(optimizer, before)
        assert torch.equal(network.weight, weights)
        now = optimizer.state_dict()["state"][0]
        for name, value in now.items():
            assert torch.equal(value, state[0][name] if state else torch.zeros_like(value)), name
    assert not torch.equal(network.weight, first)


@pytest.mark.slow
def test_every_kernel_compiles_for_a_hopper_gpu(tmp_path):
    """In a process without the interpreter; the machine needs no GPU for it."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | {"TRITON_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, Path(__file__).with_name("compile_all.py")], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "_add_parts _coefficient_sums _coefficients _gates _gather _group_sum _image_gradient _input_gradient _lut _lut_backward " \
           "_mixed _mixed_backward _tree _tree_backward _value_gradients" in done.stdout
