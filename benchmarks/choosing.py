"""Settings chosen from the data, beside boosted trees with scikit-learn's defaults on the same splits.

Every set is given as a stranger's file: tables as text, images as an anonymous ``.npz``. Training is ``hardwire train
FILE --effort EFFORT`` with no other option; the frozen circuit is selected on validation and reads the test split once.
The trees are fitted on the training split, too, and those with early stopping hold a part of it out themselves. ``out``
keeps the run directories and the files; a run that is finished there is not trained again. ``tables`` is the folder of
PMLB's tables as they are published, ``NAME.tsv``.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from hardwire import PackedEngine, load_dataset, lower
from hardwire.data import Dataset
from hardwire.data.sources import read_source
from hardwire.logic import choice_of, features_of
from hardwire.logic.choice import Effort
from hardwire.logic.record import LOGIC
from hardwire.logic.training.batches import EncodedSamples
from hardwire.logic.training.evaluation import accuracy
from hardwire.runs.experiment import train

from .framework import Figures, RefusedError, Say, listener

#: Sets that the rules were fitted on, and those that they were only checked on.
FITTED, CHECKED = ("letter", "satimage", "dna", "krkopt", "connect-4", "fashion-mnist"), (
    "pendigits", "optdigits", "mushroom", "shuttle", "cifar10")
TABLES = ("pendigits", "letter", "satimage", "dna", "krkopt", "connect-4", "mushroom", "shuttle", "optdigits")
IMAGES = ("fashion-mnist", "cifar10")


def figures(say: Say, *, out: str, tables: str, names: list[str] | None = None, effort: Effort = "normal",
            threads: int = 2) -> Figures:
    """Train what is missing in ``out``, and test each; RefusedError where a circuit is not its network."""
    torch.set_num_threads(threads)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    sets = {name: one(as_file(name, folder, Path(tables)), folder / f"{name}-{effort}", effort, say)
            for name in names or (*TABLES, *IMAGES)}
    plain = [result for name, result in sets.items() if name in TABLES]
    result: Figures = {
        "effort": effort, "threads": threads, "fitted": [*FITTED], "checked": [*CHECKED], "sets": sets,
        "worst_gap": max(r["gap"] for r in sets.values()), "slowest_s": max(r["train_s"] for r in sets.values())}
    if plain:
        result |= {"tables": float(np.mean([r["hard"] for r in plain])),
                   "trees": float(np.mean([r["trees"] for r in plain]))}
        result["behind_trees"] = result["trees"] - result["tables"]
    return result


def one(path: Path, run: Path, effort: Effort, say: Say) -> Figures:
    """Choose, train, freeze and test one set; beside a table boosted trees."""
    data = load_dataset(path)
    choice = choice_of(features_of(data), effort, {"dataset": str(path)})
    for reason in choice.reasons:
        say(f"{data.name}: {reason}")
    model = train(LOGIC, choice.settings, run, data=data, resume=run.exists(), listen=listener(say))
    codes, bits = model.encoder.codes(data.test.x), model.encoder.encode(data.test.x)
    words = PackedEngine(lower(model.network, model.encoder))(codes)[:, 0]
    with torch.no_grad():
        network = model.network.eval()(torch.from_numpy(bits[:500]).float()).argmax(1).numpy()
    if not np.array_equal(words[:500], network):
        raise RefusedError(f"{run}: the circuit differs from the frozen network")
    relaxed = accuracy(model.network, EncodedSamples(bits, data.test.y), hard=False)
    hard = float((words == data.test.y).mean())
    plain = type(model.settings)().model_dump()
    result: Figures = {
        "samples": len(data.train.y), "features": data.train.x.shape[1], "classes": len(data.classes), "hard": hard,
        "relaxed": relaxed, "gap": relaxed - hard, "validation": model.best["hard"], "best_step": model.best_step,
        "steps": model.metrics[-1]["step"], "train_s": model.seconds, "nodes": model.network.gates,
        "bits": model.encoder.n_bits, "reasons": [*choice.reasons],
        "settings": {k: v for k, v in model.settings.model_dump().items() if v != plain[k] and k != "dataset"}}
    if data.shape is None:
        result |= boosted(data)
    say(f"{data.name}: {result}")
    return result


def boosted(data: Dataset) -> dict[str, Any]:
    """Accuracy of boosted trees with their defaults on the test split, and seconds to fit."""
    started = time.perf_counter()
    model = HistGradientBoostingClassifier(random_state=0).fit(data.train.x, data.train.y)
    return {"trees": float(model.score(data.test.x, data.test.y)), "trees_s": time.perf_counter() - started}


def as_file(name: str, folder: Path, tables: Path) -> Path:
    """Write a named set as a file that says nothing of where it is from."""
    path = folder / f"{name}.{'npz' if name in IMAGES else 'csv'}"
    if path.exists():
        return path
    if name not in IMAGES:
        path.write_text((tables / f"{name}.tsv").read_text(encoding="utf-8").replace("\t", ","), encoding="utf-8")
        return path
    source = read_source(name)
    if source.test is None or source.shape is None:
        raise RefusedError(f"{name} has no official test split of images")
    shape = source.shape if source.shape[0] > 1 else source.shape[1:]
    np.savez(path, x=source.x.reshape(-1, *shape), y=source.y, x_test=source.test[0].reshape(-1, *shape),
             y_test=source.test[1])
    return path
