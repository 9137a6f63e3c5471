"""Accuracy of trained networks: train, select on validation, freeze, test once.

``out`` keeps a run directory for each seed; a seed that is finished there is not trained again. The split is that of
seed 0 for all (of the small tables each seed's own); seeds differ in wiring, weights and order of samples. Test
accuracy is the frozen circuit's, by the packed engine. ``teacher`` is a file of ``python -m benchmarks.teacher``.
"""

import dataclasses
from pathlib import Path

import numpy as np
import torch

from hardwire import PackedEngine, load_dataset
from hardwire.data import Dataset
from hardwire.logic import LogicSettings, load_model, preset
from hardwire.logic.record import LOGIC
from hardwire.logic.training.batches import EncodedSamples
from hardwire.logic.training.evaluation import accuracy
from hardwire.logic.zoo import published
from hardwire.runs.experiment import train
from hardwire.workflow.logic import lower_run

from .framework import Figures, RefusedError, Say, listener


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Settings, seeds to average, and whether each seed splits validation off anew."""

    settings: LogicSettings
    seeds: tuple[int, ...] = (0, 1, 2)
    resplit: bool = False


def small_mnist() -> LogicSettings:
    """Return two layers of gates with learned wiring, at most 8,000 gates."""
    return LogicSettings(dataset="mnist", levels=3, widths=[4000, 4000], learned_layers=2, candidates=16, init="random",
                         noise=0.5, sharpen=3.0, tau=9.0, steps=6000, evaluate_every=1000, teacher_weight=0.5,
                         teacher_temperature=1.0)


def wide_mnist() -> LogicSettings:
    """Return two layers of gates with learned wiring, about half of the 147,000 gates of LogicTreeNet-S."""
    return small_mnist().changed(widths=[24_000, 48_000], candidates=8, tau=31.0, steps=10_000,
                                 evaluate_every=2000, fix_wiring_at=0.5, augment="crop", crop_pad=1)


def dense_cifar() -> LogicSettings:
    """Return 2 x 128,000 gates on seven thresholds."""
    return LogicSettings(dataset="cifar10", levels=7, widths=[128_000, 128_000], init="random", noise=1.0,
                         augment="flip+crop", crop_pad=2, sharpen=5.0, steps=10_000, evaluate_every=1000)


def deep(layers: int) -> LogicSettings:
    """Return the default settings for MNIST, 10,000 steps, with so many layers."""
    return preset("mnist").changed(layers=layers, steps=10_000)


EXPERIMENTS = {
    "mnist_8000": Experiment(small_mnist()),
    "mnist_72000": Experiment(wide_mnist()),
    "mnist_logictreenet_s": Experiment(published("logictreenet-s", "mnist").changed(
        augment="crop", crop_pad=1, tau=14.0, sharpen=3.0, steps=12_000, teacher_weight=0.5, teacher_temperature=1.0,
    ), (0, 1)),
    "cifar10_dense": Experiment(dense_cifar(), (0,)),
    "cifar10_logictreenet_s": Experiment(published("logictreenet-s", "cifar10").changed(
        augment="flip+crop", crop_pad=3, tau=16.0, sharpen=3.0, freeze_at=0.6, steps=44_000, evaluate_every=2000,
        teacher_weight=0.9, teacher_temperature=1.0,
    ), (0,)),
    "mnist_6_layers": Experiment(deep(6), (0,)),
    "mnist_12_layers": Experiment(deep(12), (0,)),
    **{f"uci_{name.replace('-', '_')}": Experiment(published("dlgn-uci", name), tuple(range(10)), resplit=True)
       for name in ("monk1", "monk2", "monk3", "adult", "breast-cancer")},
}


def figures(
    say: Say, *, experiment: str, out: str, teacher: str = "", threads: int = 0, seeds: list[int] | None = None,
) -> Figures:
    """Train what is missing in ``out`` and test every seed; RefusedError where a circuit is not its network."""
    chosen, threads = EXPERIMENTS[experiment], threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    each = []
    for seed in chosen.seeds if seeds is None else seeds:
        data = load_dataset(chosen.settings.dataset, seed=seed if chosen.resplit else 0)
        run = Path(out) / f"{experiment}-{seed}"
        train(LOGIC, chosen.settings.changed(seed=seed, teacher=teacher), run, data=data, resume=run.exists(),
              listen=listener(say))
        each.append(tested(run, data))
    mean = {k: float(np.mean([e[k] for e in each])) for k in ("hard", "relaxed", "gap", "validation", "train_s")}
    plain = LogicSettings().model_dump()
    return {"mean": mean, "slowest_s": max(e["train_s"] for e in each), "runs": each, "threads": threads,
            "teacher": bool(teacher),
            "settings": {k: v for k, v in chosen.settings.model_dump().items() if v != plain[k]}}


def tested(run: Path, data: Dataset) -> Figures:
    """Freeze and test one finished run."""
    model = load_model(run)
    codes = model.encoder.codes(data.test.x)
    bits = model.encoder.encode(data.test.x[:500])
    words = PackedEngine(lower_run(run))(codes)[:, 0]
    with torch.no_grad():
        network = model.network(torch.from_numpy(bits).float()).argmax(1).numpy()
    if not np.array_equal(words[:500], network):
        raise RefusedError(f"{run}: the circuit differs from the frozen network")
    hard = float((words == data.test.y).mean())
    relaxed = accuracy(model.network, EncodedSamples(model.encoder.encode(data.test.x), data.test.y), hard=False)
    best, last = max(model.metrics, key=lambda m: (m["hard"], m["step"])), model.metrics[-1]
    return {"seed": model.settings.seed, "hard": hard, "relaxed": relaxed, "gap": relaxed - hard,
            "validation": best["hard"], "validation_gap_last": last["relaxed"] - last["hard"],
            "best_step": model.best_step, "train_s": model.seconds, "nodes_raw": model.network.gates,
            "weights": sum(p.numel() for p in model.network.parameters()), "steps": model.settings.steps}
