"""Spiking learning on MNIST: its speed on one thread, every way to prune it, and Diehl and Cook's network.

``part`` is ``speed``, ``pruning`` or ``diehl_cook``. ``out`` keeps every run; the same command again goes on.
Contenders learn all 60,000 samples: their settings were selected before, on the validation split (``spiking_sweep``).
"""

import statistics
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardwire import load_dataset
from hardwire.core.errors import InputError
from hardwire.runs.experiment import train
from hardwire.spiking import preset
from hardwire.spiking.contenders import run_contenders, summarise
from hardwire.spiking.kernels import reference
from hardwire.spiking.network import OneSidedNetwork
from hardwire.spiking.record import SPIKING
from hardwire.spiking.settings import SpikingSettings
from hardwire.spiking.training import fit_encoder, read_data
from hardwire.workflow.report import report_run

from .framework import Figures, RefusedError, Say, listener

SAMPLES = 2000
#: Methods that can share trainings, and the shares at which they are tried.
GROUPS = ((("none", "zero-after"), [0.4, 0.75]), (("soft",), [0.4, 0.6, 0.75]), (("zero",), [0.4, 0.75]),
          (("random",), [0.75]))
#: Others' speed, measured before on a like machine: see docs/spiking.md.
BESIDE = {"BindsNET 784 x 400 at 250 steps, samples/s": 9, "NumPy loop 784 x 400 at 250 steps, samples/s": 155}


def figures(
    say: Say, *, part: str, out: str = "", seeds: int = 3, settings: str = "",
    only: str = "none,zero-after,soft,zero,random",
) -> Figures:
    """Measure one part; ``settings`` are lines of ``NAME=VALUE``, ``only`` methods with commas between."""
    if part == "speed":
        return speed(say, settings)
    if not out:
        raise InputError(f"benchmark spiking_{part} needs --set out=...")
    if part == "pruning":
        return pruning(say, Path(out), seeds, settings, only.split(","))
    return diehl_cook(say, Path(out), settings)


def speed(say: Say, changes: str) -> Figures:
    """Time training on fresh chunks of one network; refused when the kernel is not its reference on these samples."""
    settings = preset("mnist").with_text(changes, "settings")
    data = load_dataset("mnist", seed=0)
    encoder = fit_encoder(settings, data.train.x)
    x = encoder(data.train.x)
    say("check the kernel against its reference")
    check(settings, x[:20], len(x))
    network = OneSidedNetwork(settings, x.shape[1], settings.epochs * len(x))
    network.learn(x[:100], 0)
    seconds = []
    say(f"time chunks of {SAMPLES} samples")
    for first in range(0, len(x) - SAMPLES + 1, SAMPLES):
        start = time.perf_counter()
        network.learn(x[first : first + SAMPLES], first)
        seconds.append(time.perf_counter() - start)
    best, median = SAMPLES / min(seconds), SAMPLES / statistics.median(seconds)
    return {"samples_per_s_best": best, "samples_per_s_median": median, "three_epochs_s_at_median": 3 * len(x) / median,
            "chunks": len(seconds), "inputs": x.shape[1], "outputs": settings.outputs, "steps": settings.steps,
            "cells": settings.cells, "bits": network.bits, **BESIDE}


def check(settings: SpikingSettings, x: NDArray[np.uint8], total: int) -> None:
    """Compare what the kernel and its reference learn from ``x``."""
    fast, slow = (OneSidedNetwork(settings, x.shape[1], total) for _ in range(2))
    counts = fast.learn(x, 0)
    expected = np.zeros_like(counts)
    with np.errstate(over="ignore"):
        reference.run_chunk(x, slow.chance, 0, np.uint64(settings.seed), slow.cells, slow.outputs, slow.timing,
                        slow.neuron(0.0), slow.rule(0.0), True, expected, slow.tally)
    if not (np.array_equal(counts, expected) and np.array_equal(fast.cells.w, slow.cells.w)):
        raise RefusedError("the kernel differs from its naive reference")


def pruning(say: Say, out: Path, seeds: int, changes: str, only: list[str]) -> Figures:
    """Try every way to prune that the goal names, over the seeds; test accuracy by assigned classes."""
    settings = preset("mnist").changed(validation=0.0).with_text(changes, "settings")
    data, rows = read_data(settings), []
    for methods, shares in GROUPS:
        wanted = [m for m in methods if m in only]
        rows = run_contenders(settings, data, out, shares=shares, seeds=seeds, methods=wanted, progress=lambda r: say(
            f"{r['method']} {r['prune']} seed {r['seed']}: {r['test']:.4f}"))
    return {"settings": changes.splitlines(), "seeds": seeds,
            **{f"{r['method']} {r['prune']:g}": r for r in summarise(rows)}}


def diehl_cook(say: Say, out: Path, changes: str) -> Figures:
    """Train 400 neurons for one epoch."""
    settings = preset("mnist", "triplet").with_text(changes, "settings")
    train(SPIKING, settings, out, resume=out.exists(), listen=listener(say))
    record = report_run(out).to_json()
    return {"test": record["accuracy"]["test_hard"], "validation": record["accuracy"]["validation"],
            "epochs": settings.epochs, "outputs": settings.outputs, "train_s": record["time"]["train_s"],
            **{f"{r['name']} {split}": r[split] for r in record["spiking"]["readouts"]
               for split in ("test", "validation")}}
