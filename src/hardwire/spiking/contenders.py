"""Contenders: the same network pruned in every way, at several shares, over several seeds."""

import copy
import dataclasses
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import numpy as np
from pydantic import Field

from ..core.errors import FormatError
from ..core.files import read_text, write_text
from ..core.reading import parse_json
from ..core.settings import Share
from ..data import Dataset
from ..runs.directory import RunDirectory
from ..runs.values import Place, Values
from .kernels.cells import PULSES
from .network import OneSidedNetwork
from .readout import fit_readout
from .settings import Method, SpikingSettings
from .training import Model, train

Row = dict[str, Any]

#: How often something happened, a mean maybe.
Count = Annotated[float, Field(ge=0, le=2**62)]
Figures = dict[str, Share]


class TestFigures(Values):
    """Accuracies on the test split that a summary names."""

    bayes: Share
    linear: Share


class Readouts(Values):
    """Accuracies by read-out; the validation split may be empty."""

    validation: Figures = {}  # noqa: RUF012 - a record of its own copies it
    test: TestFigures


class Result(Values):
    """A line of results, as ``run_contenders`` keeps it."""

    method: Method
    prune: Share
    seed: Place
    validation: Share | None
    test: Share
    readouts: Readouts
    updates: Count
    pulses: Count


RESULTS = "contenders.jsonl"
METHODS = get_args(Method)


def run_contenders(settings: SpikingSettings, dataset: Dataset, out: str | Path, *, shares: Iterable[float], seeds: int,
                   methods: Iterable[str] = METHODS, progress: Callable[[Row], object] | None = None) -> list[Row]:
    """Train every method at every share with seeds ``settings.seed ...``; results in ``out`` are not repeated.

    A result has method, prune, seed, validation, test (by assigned classes), readouts (both, by every read-out),
    updates, pulses, pruned (share of all synapses).
    """
    path = Path(out) / RESULTS
    rows, whole = read_results(path), dict[int, Model]()
    for job in jobs(settings, shares, seeds, methods):
        if any(all(row[k] == v for k, v in job.items()) for row in rows):
            continue
        row = job | figures(contender(settings.changed(**job), dataset, whole), dataset)
        with RunDirectory(out).noting():  # another process may have added rows
            rows = [*read_results(path), row]
            write_text(path, "".join(json.dumps(row) + "\n" for row in rows))
        if progress:
            progress(rows[-1])
    return rows


def jobs(settings: SpikingSettings, shares: Iterable[float], seeds: int, methods: Iterable[str]) -> list[Row]:
    """Return {method, prune, seed} of every run; without pruning there is one share."""
    shares = list(shares)
    pairs = [(m, p) for m in methods for p in ([0.0] if m == "none" else shares)]
    return [{"method": m, "prune": float(p), "seed": settings.seed + i} for i in range(seeds) for m, p in pairs]


def read_results(path: Path) -> list[Row]:
    """Return what an earlier call kept at ``path``."""
    if not path.exists():
        return []
    try:
        rows = [parse_json(line, constants=True) for line in read_text(path).splitlines()]
    except ValueError as error:
        raise FormatError(f"{path} is no list of results ({error}); remove it") from None
    for number, row in enumerate(rows, 1):
        Result.of(row, f"line {number} of {path}", "remove it")
    return rows


def contender(settings: SpikingSettings, dataset: Dataset, whole: dict[int, Model]) -> Model:
    """Return the trained model of one job; ``whole`` keeps the unpruned network by seed, for pruning after training."""
    if settings.method not in ("none", "zero-after"):
        return train(settings, dataset)
    if settings.seed not in whole:
        whole.clear()  # jobs come seed by seed
        whole[settings.seed] = train(settings.changed(method="none", prune=0.0), dataset)
    model = whole[settings.seed]
    if settings.method == "none":
        return model
    network = copy.deepcopy(model.network)
    network.settings = settings
    network.finish()
    counts = network.respond(model.encoder(dataset.train.x))
    readout = fit_readout(counts, dataset.train.y, len(dataset.classes))
    return dataclasses.replace(model, settings=settings, network=network, readout=readout)


def figures(model: Model, dataset: Dataset) -> Row:
    """Return what is kept of a contender."""
    network = cast(OneSidedNetwork, model.network)  # the only rule that prunes
    accuracy: dict[str, dict[str, float]] = {}
    for name in ("validation", "test"):
        split = getattr(dataset, name)
        accuracy[name] = model.readout.accuracy(model.respond(split.x), split.y) if len(split.y) else {}
    kept: Row = {name: each.get("assigned") for name, each in accuracy.items()}
    return kept | {"readouts": accuracy, "updates": int(network.outputs.updates.sum()),
                   "pulses": int(network.tally[PULSES]),
                   "pruned": float(network.outputs.frozen.mean()), "seconds": model.seconds}


def summarise(rows: list[Row]) -> list[Row]:
    """Return one row for each method and share: mean and deviation over seeds, and what training spent.

    {method, prune, seeds, test, test_sd, validation, test_bayes, test_linear, updates, updates_saved, pulses,
    pulses_saved}; shares saved are null where the unpruned network was not trained.
    """
    groups: dict[tuple[str, float], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["method"], row["prune"]), []).append(row)
    whole = groups.get(("none", 0.0))
    return [_summary(method, prune, group, whole) for (method, prune), group in groups.items()]


def _summary(method: str, prune: float, group: list[Row], whole: list[Row] | None) -> Row:
    def mean(rows: list[Row], key: str) -> float | None:
        values = [r[key] for r in rows]
        return None if None in values else float(np.mean(values))

    deviation = float(np.std([r["test"] for r in group], ddof=1)) if len(group) > 1 else 0.0
    row: Row = {"method": method, "prune": prune, "seeds": len(group), "test": mean(group, "test"),
                "validation": mean(group, "validation"), "test_sd": deviation}
    for name in ("bayes", "linear"):
        row[f"test_{name}"] = mean([r["readouts"]["test"] for r in group], name)
    for key in ("updates", "pulses"):
        row[key] = mean(group, key)
        unpruned = mean(whole, key) if whole else None
        row[f"{key}_saved"] = 1 - row[key] / unpruned if unpruned else None
    return row

