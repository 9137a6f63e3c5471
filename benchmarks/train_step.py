"""One training step (forward, backward, Adam) of 784 -> 6 x 8,000 gates at batch 100 on one thread, against a torch perceptron
784-512-512-10 in the same run. Goal: at most 1.5 times the perceptron's step, both with the same Adam.

The perceptron is timed with torch's default Adam and with its fused one; the goal is judged against the faster of the two.
"""

import argparse
from itertools import pairwise

import numpy as np
import torch
from common import refuse, repeat, report
from torch import nn
from torch.nn.functional import cross_entropy

from hardwire.nn import GroupSum, LogicLayer, LogicNetwork
from hardwire.nn import functional as naive
from hardwire.nn.nodes import coefficients

BATCH, CLASSES, WIDTH, LAYERS = 100, 10, 8000, 6


def logic(parametrisation: str) -> LogicNetwork:
    sizes = [784] + [WIDTH] * LAYERS
    layers = [LogicLayer(a, b, parametrisation_name=parametrisation, init="random", seed=i)
              for i, (a, b) in enumerate(pairwise(sizes))]
    return LogicNetwork(layers, GroupSum(CLASSES, 10.0))


def perceptron() -> nn.Sequential:
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def stepper(model: nn.Module, x, y, *, fused: bool):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=fused)

    def step():
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


def check(network: LogicNetwork, x, y) -> None:
    """Loss and gradients of the fused stack against the naive reference."""
    cross_entropy(network(x), y).backward()
    fast = [layer.weight.grad.clone() for layer in network.layers]
    network.zero_grad()
    h = x
    for layer in network.layers:
        h = naive.gates(h, layer.pairs.long(), coefficients(layer.values()))
    cross_entropy(naive.group_sum(h, CLASSES) / network.head.tau, y).backward()
    for g, layer in zip(fast, network.layers):
        worst = (g - layer.weight.grad).abs().max() / layer.weight.grad.abs().max()
        if not worst < 1e-3:
            refuse(f"a gradient differs from the naive reference by {worst:.2e} of its largest entry")


def main() -> None:
    runs = argparse.ArgumentParser(description=__doc__)
    runs.add_argument("--runs", type=int, default=60)
    runs = runs.parse_args().runs
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, y = (torch.rand(BATCH, 784) > 0.5).float(), torch.randint(0, CLASSES, (BATCH,))
    check(logic("table"), x, y)
    names = ["perceptron", "perceptron_fused_adam", "logic_table", "logic_softmax"]
    steps = [stepper(perceptron(), x, y, fused=False), stepper(perceptron(), x, y, fused=True),
             stepper(logic("table"), x, y, fused=True), stepper(logic("softmax"), x, y, fused=True)]
    figures = dict(zip(names, repeat(*steps, runs=runs)))
    faster = min(names[:2], key=lambda n: figures[n]["min_s"])
    for kind in ("min_s", "median_s"):
        figures[f"ratio_{kind[:-2]}"] = figures["logic_table"][kind] / figures[faster][kind]
        figures[f"ratio_{kind[:-2]}_to_default_adam"] = figures["logic_table"][kind] / figures["perceptron"][kind]
    figures["threads"] = 1
    report("train_step", "logic_table / the faster perceptron <= 1.5", np.isfinite(figures["ratio_min"])
           and figures["ratio_min"] <= 1.5, figures)


if __name__ == "__main__":
    main()
