"""Training steps (forward, backward, Adam) on one thread, against a torch perceptron in the same run, and their memory.

``logic_...``   784 -> 6 x 8,000 gates at batch 100, by parametrisation, beside the perceptron 784-512-512-10 with
                torch's default Adam and with its fused one; the goal is judged against the faster of the two
``learned``     the same with a first layer that chooses its wires among 8 candidates an operand
``torchlogix``  the same network in that package, where it can be imported
``logictreenet_s``  the small convolutional network of Petersen et al., 2024, on 28 x 28 at batch 128
``memory``      peak above import of a fresh process that makes 20 steps, its kernels compiled before
"""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from hardwire.core.errors import ToolError
from hardwire.logic import LogicNetwork, LogicSettings
from hardwire.logic.kernels import reference as naive
from hardwire.logic.network.build import build_network
from hardwire.logic.network.conv import LogicConv2d
from hardwire.logic.network.nodes import PARAMETRISATIONS, coefficients

from .framework import Figures, RefusedError, Say, repeat

CLASSES = 10
DENSE = LogicSettings(layers=6, width=8000, wiring="random", noise=1.0, tau=10.0, batch=100)
LEARNED = DENSE.changed(learned_layers=1, candidates=8)
TREE = LogicSettings(channels=[16, 48, 144], receptive_fields=[5, 3, 3], paddings=[0, 1, 1], channel_groups=[1, 2, 6],
              widths=[20480, 10240, 5120], batch=128)
MEMORY_STEPS = 20
#: Largest difference of an output or a gradient from the naive reference, as a share of the largest entry.
TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-9}


def figures(say: Say, *, runs: int = 60) -> Figures:
    """Measure everything; RefusedError where a gradient is wrong."""
    with one_thread():
        say("check gradients against the naive reference")
        for config in (*dense_configs().values(), LEARNED):
            check(build(config), *batch(20))
        x, y = batch(4)
        check(build(TREE).double(), x.double(), y)  # in float32 rounding decides which of a pool wins
        say("time 784 -> 6 x 8,000 gates and the perceptron")
        dense = time_dense(runs)
        say("time LogicTreeNet-S")
        tree, = repeat(stepper(build(TREE), *batch(TREE.batch)), runs=runs)
    say("measure memory in fresh processes")
    memory = {f"{name}_mb": peak_above_import(name) for name in MEASURED}
    return dense | {"logictreenet_s": tree, "memory": memory | {"steps": MEMORY_STEPS}, "threads": 1}


@contextmanager
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def dense_configs() -> dict[str, LogicSettings]:
    return {name: DENSE.changed(parametrisation=name) for name in PARAMETRISATIONS}


def batch(samples: int, seed: int = 0):
    """Random bits (samples, 784) and classes (samples,)."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 2, (samples, 784), generator=generator).float()
    return x, torch.randint(0, CLASSES, (samples,), generator=generator)


def build(config: LogicSettings) -> LogicNetwork:
    """The configured network on 28 x 28 random bits."""
    return build_network(config, batch(1000)[0].numpy() > 0.5, classes=CLASSES, shape=(1, 28, 28))


def perceptron() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, CLASSES))


def torchlogix():
    """The dense network in torchlogix, or why there is none."""
    try:
        from torchlogix.layers import GroupSum, LogicDense
    except ImportError as error:
        return f"skipped: torchlogix cannot be imported ({error})"
    except SyntaxError:  # release 0.2.2 says that Python 3.10 will do, and is written for 3.12
        return "skipped: torchlogix needs a newer Python"
    torch.manual_seed(0)
    sizes = [784, *DENSE.widths_for(CLASSES)]
    return nn.Sequential(*(LogicDense(a, b) for a, b in pairwise(sizes)), GroupSum(CLASSES, DENSE.tau))


def stepper(model: nn.Module, x, y, *, fused: bool = True):
    """A function that makes one training step; of a logic network, as ``hardwire.logic.training.loop`` makes it."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=fused)

    def step():
        optimizer.zero_grad()
        loss = model.cross_entropy(x, y) if isinstance(model, LogicNetwork) else cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()

    return step


def time_dense(runs: int) -> dict:
    """Steps that take turns, and their ratios."""
    x, y = batch(DENSE.batch)
    steps = {"perceptron": stepper(perceptron(), x, y, fused=False),
             "perceptron_fused_adam": stepper(perceptron(), x, y)}
    steps |= {f"logic_{name}": stepper(build(config), x, y) for name, config in dense_configs().items()}
    steps["logic_learned"] = stepper(build(LEARNED), x, y)
    peer = torchlogix()
    if not isinstance(peer, str):
        steps["torchlogix"] = stepper(peer, x, y)
    times = dict(zip(steps, repeat(*steps.values(), runs=runs)))
    return times | ratios(times) | ({"torchlogix": peer} if isinstance(peer, str) else {})


def ratios(times: Figures) -> Figures:
    """Relate a step of gates to the faster perceptron, and to the one with the default Adam."""
    faster = min(("perceptron", "perceptron_fused_adam"), key=lambda name: times[name]["min_s"])
    result = {}
    for kind in ("min", "median"):
        step = times["logic_table"][f"{kind}_s"]
        result[f"ratio_{kind}"] = step / times[faster][f"{kind}_s"]
        result[f"ratio_{kind}_to_default_adam"] = step / times["perceptron"][f"{kind}_s"]
    return result


def reference(network: LogicNetwork, x: torch.Tensor) -> torch.Tensor:
    """The relaxed network by the naive reference of each layer."""
    for layer in network.layers:
        c = coefficients(layer.values())
        if isinstance(layer, LogicConv2d):
            c = c.reshape(layer.kernels, -1, 4)
            x = naive.tree(x, layer.in_shape, layer.leaves, c, padding=layer.padding, pool=layer.pool)
        elif layer.learned:
            x = naive.mixed(x, layer.candidates.long(), layer.shares(), c)
        else:
            x = naive.gates(x, layer.pairs.long(), c)
    return network.head.outputs(naive.group_sum(x, CLASSES))


def check(network: LogicNetwork, x, y) -> None:
    """Compare outputs, loss and every gradient of the fast kernels, apart and in one pass, with the naive reference."""
    slow = evaluated(network, reference(network, x), y)
    for fast in (evaluated(network, network(x), y), gradients(network, network.cross_entropy(x, y))):
        for name, values in fast.items():
            worst = float((values - slow[name]).abs().max() / slow[name].abs().max())
            if not worst < TOLERANCE[x.dtype]:
                raise RefusedError(f"{name} of {network.layers[0]} ... differs from the naive reference by {worst:.2e} "
                                   f"of its largest entry")


def evaluated(network, scores, y) -> dict[str, torch.Tensor]:
    return {"output": scores.detach()} | gradients(network, cross_entropy(scores, y))


def gradients(network, loss) -> dict[str, torch.Tensor]:
    """The loss, and of every parameter its gradient, by name."""
    network.zero_grad()
    loss.backward()
    return {"loss": loss.detach()} | {f"gradient of {n}": p.grad.clone() for n, p in network.named_parameters()}


#: Networks whose memory is measured.
MEASURED = {"logic_table": DENSE, "logictreenet_s": TREE}


def peak_above_import(name: str) -> float:
    """Megabytes that 20 steps add to the peak of a fresh process. The first of two processes compiles the kernels."""
    return [_child(name) for _ in range(2)][1]


def _child(name: str) -> float:
    command = [sys.executable, "-m", "benchmarks.train_step", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1],
                          env=os.environ | {"OMP_NUM_THREADS": "1"})
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ToolError(f"the process that measures memory failed: {last}")
    return json.loads(done.stdout)


def peak() -> float:
    """Peak of resident memory of this process, in megabytes (10^6 bytes).

    Linux hands ``ru_maxrss`` of the parent on to a child, so the address space's own high-water mark is read where
    there is one.
    """
    try:
        with open("/proc/self/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024 / 1e6
    except (OSError, StopIteration):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def measure(name: str) -> float:
    """What the child process does."""
    with one_thread():
        before = peak()
        step = stepper(build(MEASURED[name]), *batch(MEASURED[name].batch))
        for _ in range(MEMORY_STEPS):
            step()
        return round(peak() - before, 1)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
