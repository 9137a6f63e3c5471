"""Training steps on crossbars, one thread, 784-256-128-10, one example a step, beside torch in the same run.

``hybrid``   the full 2PCM+3T1C cell, every noise source on: converters with noise, read noise, drift, leak, spreads,
             cycle noise; a step's share of a transfer of all synapses every 8,000 examples is in ``step_ms``
``sparse``   150 of 784 inputs are on, as in MNIST; ``dense``: all of them
``module``   the same through torch modules and ``CrossbarSGD``
``torch``    the same network of ``nn.Linear`` with ``torch.optim.SGD``
``others``   the comparison algorithms, sparse inputs

Refused when a kernel differs from its naive reference, or ideal devices from float backpropagation.
"""

import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from hardwire.crossbar import (
    CrossbarSGD,
    Hybrid,
    MixedPrecision,
    Network,
    PcmPair,
    Periphery,
    Single,
    TikiTaka,
    convert,
)
from hardwire.crossbar.record import self_check
from hardwire.crossbar.settings import CrossbarSettings

from .framework import Figures, RefusedError, Say, repeat

SIZES = (784, 256, 128, 10)
ON = 150
#: Examples of one timed call.
EXAMPLES = 20
LEARNING_RATE = 0.01
#: Every source of noise that the converters know, sizes as in the presets.
NOISY = Periphery(input_bits=7, input_noise=0.01, output_bits=9, output_noise=0.1, output_bound=20.0)


def samples(dense: bool, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.random((EXAMPLES, SIZES[0]))
    if not dense:
        x *= rng.random(x.shape).argsort(1) < ON
    return x.astype(np.float32), rng.integers(0, SIZES[-1], EXAMPLES)


def perceptron() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(784, 256), nn.Sigmoid(), nn.Linear(256, 128), nn.Sigmoid(), nn.Linear(128, 10))


def loop(model: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor) -> Callable[[], None]:
    """A function that learns the samples one by one."""

    def call() -> None:
        for sample, label in zip(x, y):
            optimizer.zero_grad()
            cross_entropy(model(sample[None]), label[None]).backward()
            optimizer.step()

    return call


def transfer_ms(network: Network) -> float:
    """Milliseconds that one example bears of a transfer of every layer, the drift since the last one included."""
    started = time.perf_counter()
    for layer in network.layers:
        layer.wait(layer.cell.transfer_every * layer.cell.example_time)
        layer.transfer()
    return 1e3 * (time.perf_counter() - started) / network.layers[0].cell.transfer_every


def timed(times: Figures, share: float = 0.0) -> Figures:
    """Turn seconds of a call into milliseconds of one example."""
    each = {f"{k.removesuffix('_s')}_ms": 1e3 * v / EXAMPLES for k, v in times.items() if k.endswith("_s")}
    return each | {"transfer_ms": share, "step_ms": each["median_ms"] + share, "runs": times["runs"]}


def check() -> None:
    """Compare kernels of every kind of cell with their references."""
    for variant in ("hybrid", "2pcm", "tiki-taka-2", "mixed-precision"):
        for name, verdict in self_check(CrossbarSettings(), variant).items():
            if not str(verdict).startswith("simulated"):
                raise RefusedError(f"{variant}: {name}: {verdict}")


def figures(say: Say, *, runs: int = 60) -> Figures:
    """Measure everything on one thread; RefusedError where a kernel is wrong."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        say("check kernels against their references")
        check()
        return measured(say, runs)
    finally:
        torch.set_num_threads(before)


def measured(say: Say, runs: int) -> Figures:
    """Time every cell."""
    result: Figures = {"hybrid": {}, "torch": {}, "module": {}, "others": {}, "threads": 1, "examples_a_call": EXAMPLES}
    for kind in ("sparse", "dense"):
        say(f"time {kind} inputs")
        x, y = samples(kind == "dense")
        network, model = Network(SIZES, Hybrid(), ahead=NOISY), perceptron()
        analog = convert(perceptron(), Hybrid(), ahead=NOISY)
        tx, ty = torch.from_numpy(x), torch.from_numpy(y)
        one, two, three = repeat(lambda n=network, x=x, y=y: n.train(x, y, LEARNING_RATE),
                                 loop(model, torch.optim.SGD(model.parameters(), lr=LEARNING_RATE), tx, ty),
                                 loop(analog, CrossbarSGD(analog, LEARNING_RATE), tx, ty), runs=runs)
        share = min(transfer_ms(network) for _ in range(3))
        result["hybrid"][kind], result["torch"][kind] = timed(one, share), timed(two)
        result["module"][kind] = timed(three, share)
    x, y = samples(False)
    for name, cell in {"2pcm": PcmPair(), "single": Single(), "tiki-taka-1": TikiTaka(version=1),
                       "tiki-taka-2": TikiTaka(), "mixed-precision": MixedPrecision()}.items():
        say(f"time {name}")
        network = Network(SIZES, cell, ahead=NOISY)
        result["others"][name] = timed(repeat(lambda n=network: n.train(x, y, LEARNING_RATE), runs=runs)[0])
    result["ratio_to_torch"] = result["hybrid"]["sparse"]["step_ms"] / result["torch"]["sparse"]["median_ms"]
    result["synapses"] = sum((n + 1) * m for n, m in pairwise(SIZES))
    return result
