"""Accuracy of trained networks, each experiment with its goal: train, select on validation, freeze, test once.

    python benchmarks/accuracy.py NAME RUNS [--teacher FILE.npy] [--threads N] [--seeds 0 1 2]

RUNS keeps a run directory for each seed; a seed that is finished there is not trained again. The split is that of seed 0 for all
(of the small tables each seed's own); seeds differ in wiring, weights and order of samples. Test accuracy is the frozen circuit's,
by the packed engine.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import torch
from common import refuse, report

from hardwire import PackedEngine, load_dataset
from hardwire.cli.app import show_progress
from hardwire.logic import load_model, preset
from hardwire.logic.settings import LogicSettings
from hardwire.logic.training.loop import Samples, accuracy
from hardwire.logic.zoo import published
from hardwire.workflow import steps as runs


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Settings, the mean hard test accuracy to reach, seconds that one run may take on two cores, and seeds to average.

    resplit  each seed splits validation off anew
    """

    config: LogicSettings
    goal: float
    limit_s: float = 1800.0
    seeds: tuple[int, ...] = (0, 1, 2)
    resplit: bool = False


def small_mnist() -> LogicSettings:
    """Two layers of gates with learned wiring, at most 8,000 gates."""
    return LogicSettings(dataset="mnist", levels=3, widths=[4000, 4000], learned_layers=2, candidates=16, init="random", noise=0.5,
                  sharpen=3.0, tau=9.0, steps=6000, evaluate_every=1000, teacher_weight=0.5, teacher_temperature=1.0)


def wide_mnist() -> LogicSettings:
    """Two layers of gates with learned wiring, about half of the 147,000 gates of LogicTreeNet-S."""
    return small_mnist().changed(widths=[24_000, 48_000], candidates=8, tau=31.0, steps=10_000, evaluate_every=2000,
                               fix_wiring_at=0.5, augment="crop", crop_pad=1)


def dense_cifar() -> LogicSettings:
    """2 x 128,000 gates on seven thresholds."""
    return LogicSettings(dataset="cifar10", levels=7, widths=[128_000, 128_000], init="random", noise=1.0, augment="flip+crop",
                  crop_pad=2, sharpen=5.0, steps=10_000, evaluate_every=1000)


def deep(layers: int) -> LogicSettings:
    """The default settings for MNIST, 10,000 steps, with so many layers."""
    return preset("mnist").changed(layers=layers, steps=10_000)


EXPERIMENTS = {
    "mnist_8000": Experiment(small_mnist(), 0.984),
    "mnist_72000": Experiment(wide_mnist(), 0.988),
    "mnist_logictreenet_s": Experiment(published("logictreenet-s", "mnist").changed(augment="crop", crop_pad=1, tau=14.0, sharpen=3.0, steps=12_000, teacher_weight=0.5,
        teacher_temperature=1.0), 0.988, seeds=(0, 1)),
    "cifar10_dense": Experiment(dense_cifar(), 0.60, 7200.0, (0,)),
    "cifar10_logictreenet_s": Experiment(published("logictreenet-s", "cifar10").changed(augment="flip+crop", crop_pad=3, tau=16.0, sharpen=3.0, freeze_at=0.6,
        steps=44_000, evaluate_every=2000, teacher_weight=0.9, teacher_temperature=1.0), 0.604, 7200.0, (0,)),
    "mnist_6_layers": Experiment(deep(6), 0.0, seeds=(0,)),
    "mnist_12_layers": Experiment(deep(12), 0.0, seeds=(0,)),
    **{f"uci_{name.replace('-', '_')}": Experiment(published("dlgn-uci", name), 0.0, seeds=tuple(range(10)), resplit=True)
       for name in ("monk1", "monk2", "monk3", "adult", "breast-cancer")},
}


def figures_of(run: Path, data) -> dict:
    """One finished run, frozen and tested."""
    model = load_model(run)
    codes = model.encoder.codes(data.test.x)
    bits = model.encoder.encode(data.test.x[:500])
    circuit = runs.lower_run(run)
    found = PackedEngine(circuit)(codes)[:, 0]
    with torch.no_grad():
        network = model.network(torch.from_numpy(bits).float()).argmax(1).numpy()
    if not np.array_equal(found[:500], network):
        refuse(f"{run}: the circuit differs from the frozen network")
    hard = float((found == data.test.y).mean())
    relaxed = accuracy(model.network, Samples(model.encoder.encode(data.test.x), data.test.y), hard=False)
    best = max(model.metrics, key=lambda m: (m["hard"], m["step"]))
    return {"seed": model.config.seed, "hard": hard, "relaxed": relaxed, "gap": relaxed - hard, "validation": best["hard"],
            "validation_gap_last": model.metrics[-1]["relaxed"] - model.metrics[-1]["hard"], "best_step": model.best_step,
            "train_s": model.seconds, "gates_raw": model.network.gates, "weights": sum(p.numel() for p in model.network.parameters()),
            "steps": model.config.steps}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=EXPERIMENTS)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--teacher", default="")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seeds", type=int, nargs="*")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    experiment = EXPERIMENTS[args.name]
    split = lambda seed: seed if experiment.resplit else 0  # noqa: E731
    data = {s: load_dataset(experiment.config.dataset, seed=s) for s in {split(seed) for seed in experiment.seeds}}
    done = {s: args.runs / f"{args.name}-{s}" for s in experiment.seeds}
    for seed in experiment.seeds if args.seeds is None else args.seeds:
        config = experiment.config.changed(seed=seed, teacher=args.teacher)
        if not (done[seed] / "model.safetensors").exists():
            runs.train_run(config, done[seed], dataset=data[split(seed)], resume=(done[seed] / "checkpoint.safetensors").exists(),
                           progress=show_progress)
    if not all((run / "model.safetensors").exists() for run in done.values()):
        return
    each = [figures_of(run, data[split(seed)]) for seed, run in done.items()]
    mean = {k: float(np.mean([e[k] for e in each])) for k in ("hard", "relaxed", "gap", "validation", "train_s")}
    report(args.name, f"mean hard test accuracy >= {experiment.goal}, a run <= {experiment.limit_s:g} s",
           mean["hard"] >= experiment.goal and max(e["train_s"] for e in each) <= experiment.limit_s,
           {"mean": mean, "runs": each, "threads": args.threads, "teacher": bool(args.teacher),
            "settings": {k: v for k, v in experiment.config.model_dump().items() if v != getattr(LogicSettings(), k)}})


if __name__ == "__main__":
    main()
