"""The record of a run: ``report.json``, read, checked and written.

Required keys
    hardware     "logic", "crossbar" or "spiking"
    dataset      its name
    seed         a whole number
    accuracy     {test_hard, test_relaxed, validation}: fractions from 0 to 1; null where a hardware has no such figure. What
                 they are is its ``metric``: "accuracy" (also where it is missing), "label accuracy", share of right labels, beside
                 it ``test_exact``, the share of samples with all labels right; or "r2", 1 - sum (y - value)^2 / sum (y - mean)^2,
                 which may be negative, beside it ``test_rmse``, a list with the root mean square error of each target in its unit
    counts       {encoder, network, head: {gates_raw, gates_optimized, depth}} in two-input gates; all three for logic
    verified     {name: "proved" | "simulated N" | "skipped: why" | "unknown: why" | "refuted"}
    time         {train_s, samples_per_s, ...}: seconds, and samples in a second
    energy       [{item, total_j, model, source, ...}]: joules; lines of one ``ledger`` are summed
    environment  {versions, machine, commit}

Optional keys, left out where they are missing or null
    classes      names of the classes
    confusion    (C, C) counts on the test split, rows the true class
    curve        [{step, relaxed, hard, loss}]: validation accuracy of the relaxed and of the frozen network
    gate_kinds   {raw: {gate: count}, optimized: {gate: count}}
    passes       [{name, gates_before, gates_after, depth_before, depth_after, seconds}]
    outputs      [{name, word, test_hard, bias, scale}]: targets or labels, the circuit's word for each, its own figure of merit;
                 of a target value = bias + scale * word
    peers        [{name, accuracy, gates, source}]: other runs or published points to draw beside this one
    crossbar     what a run on crossbars adds, see ``crossbar`` beside this module
    spiking      what a spiking run adds, see ``spiking`` beside this module
    model        {name: value};  files {what: path};  digest SHA-256 of the circuit
Any other key is kept and ignored.
"""

import json
import os
import platform
import re
import subprocess
from datetime import datetime, timezone
from importlib import metadata
from math import isfinite
from pathlib import Path

import numpy as np

from ..core.files import write_text
from ..core.errors import FormatError, InputError

NAME = "report.json"
LARGEST = 1e30
HARDWARE = ("logic", "crossbar", "spiking")
STAGES = ("encoder", "network", "head")
METRICS = ("accuracy", "label accuracy", "r2")
STATUS = re.compile(r"proved|simulated \d[\d,]*( .*)?|(skipped|unknown): .+|refuted(: .*)?", re.DOTALL)
REQUIRED = {"hardware": str, "dataset": str, "seed": int, "accuracy": dict, "counts": dict, "verified": dict,
            "time": dict, "energy": list, "environment": dict}
OPTIONAL = {"classes": list, "confusion": list, "curve": list, "gate_kinds": dict, "passes": list, "peers": list,
            "model": dict, "files": dict, "digest": str, "outputs": list, "crossbar": dict, "spiking": dict}
_KIND = {str: "text", int: "a whole number", dict: "an object", list: "a list"}


def load_record(path) -> dict:
    """Read and check the record at ``path``, a run directory or the file itself."""
    path = Path(path)
    path = path / NAME if path.is_dir() else path
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; give a run directory that holds {NAME}") from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is not JSON ({error}); write it anew by repeating the run") from None
    validate(record, name=str(path))
    return record


def save_record(record: dict, path) -> Path:
    """Check ``record`` and write it to ``path`` (a run directory or a file), atomically; the path is returned.

    NumPy scalars and arrays, tuples and paths become their JSON counterparts.
    """
    path = Path(path)
    path = path / NAME if path.is_dir() else path
    try:
        text = json.dumps(record, indent=2, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"record for {path} cannot be written as JSON ({error}); give plain values") from None
    validate(json.loads(text), name=str(path))
    return write_text(path, text + "\n")


def _plain(value):
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"a {type(value).__name__} is no JSON value")


def validate(record, *, name: str = "record") -> None:
    """Raise FormatError with one sentence that names the first key that does not hold; see the module's list."""
    try:
        _check(record)
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from None


def _check(record) -> None:
    _expect(isinstance(record, dict), "the record is not an object; give {key: value}")
    missing = [key for key in REQUIRED if key not in record]
    _expect(not missing, f"{', '.join(missing)} missing; a record has {', '.join(REQUIRED)}")
    for key, kind in (REQUIRED | OPTIONAL).items():
        if key in REQUIRED or record.get(key) is not None:
            right = isinstance(record[key], kind) and not isinstance(record[key], bool)
            _expect(right, f"{key} is {_short(record[key])}; give {_KIND[kind]}")
    _finite(record, "")
    hardware = record["hardware"]
    _expect(hardware in HARDWARE, f"hardware is {_short(hardware)}; give {', '.join(HARDWARE)}")
    _expect(record["dataset"].strip(), "dataset is empty; give its name")
    _accuracy(record["accuracy"])
    _counts(record["counts"], hardware)
    for key, status in record["verified"].items():
        said = isinstance(status, str) and STATUS.fullmatch(status)
        _expect(said, f"verified.{key} is {_short(status)}; give proved, simulated N, skipped: why, unknown: why, or refuted")
    for key in record["time"]:
        if key in ("train_s", "samples_per_s"):
            _number(record["time"], key, "time")
    _rows(record["energy"], "energy", numbers=("total_j",), texts=("item", "model", "source"))
    _environment(record["environment"])
    _optional(record)


def _expect(condition, sentence: str) -> None:
    if not condition:
        raise FormatError(sentence)


def _short(value) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:37] + "..."


def _finite(value, where: str) -> None:
    if isinstance(value, float):
        _expect(isfinite(value), f"{where} is {value}; give a finite number, or null where there is none")
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in pairs:
            _finite(child, f"{where}.{key}" if where else str(key))


def _number(mapping: dict, key: str, where: str, *, top: float | None = None, null: bool = False) -> None:
    value = mapping.get(key)
    if null and key in mapping and value is None:
        return
    right = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    right = right and value <= (LARGEST if top is None else top)
    wanted = "a number that is not negative" if top is None else f"a fraction from 0 to {top:g}"
    found = f"is {_short(value)}" if key in mapping else "is missing"
    _expect(right, f"{where}.{key} {found}; give {wanted}")


def _accuracy(accuracy: dict) -> None:
    metric = accuracy.get("metric", METRICS[0])
    _expect(metric in METRICS, f"accuracy.metric is {_short(metric)}; give {', '.join(METRICS)}")
    _merit(accuracy, "test_hard", "accuracy", metric)
    for key in ("test_relaxed", "validation"):
        _merit(accuracy, key, "accuracy", metric, null=True)
    if accuracy.get("test_exact") is not None:
        _number(accuracy, "test_exact", "accuracy", top=1)
    errors = accuracy.get("test_rmse", [])
    _expect(isinstance(errors, list), f"accuracy.test_rmse is {_short(errors)}; give a list, a number for each target")
    for i in range(len(errors)):
        _number(dict(enumerate(errors)), i, "accuracy.test_rmse")


def _merit(mapping: dict, key: str, where: str, metric: str, *, null: bool = False) -> None:
    """A fraction from 0 to 1; of R2 any number up to 1."""
    value = mapping.get(key)
    if metric == "r2" and isinstance(value, int | float) and -1e300 <= value < 0:
        return
    _number(mapping, key, where, top=1, null=null)


def _counts(counts: dict, hardware: str) -> None:
    for stage in STAGES:
        if stage in counts or hardware == "logic":
            count = counts.get(stage)
            wanted = "give gates_raw, gates_optimized and depth"
            _expect(isinstance(count, dict), f"counts.{stage} is {_short(count)}; {wanted}")
            for key in ("gates_raw", "gates_optimized", "depth"):
                _number(count, key, f"counts.{stage}")


def _rows(rows: list, where: str, *, numbers=(), texts=(), nulls=()) -> None:
    for i, row in enumerate(rows):
        place = f"{where}[{i}]"
        _expect(isinstance(row, dict), f"{place} is {_short(row)}; give an object")
        for key in numbers:
            _number(row, key, place)
        for key in nulls:
            if key in row:
                _number(row, key, place, null=True)
        for key in texts:
            said = isinstance(row.get(key), str) and row[key].strip()
            _expect(said, f"{place}.{key} is {_short(row.get(key))}; give text")


def _environment(environment: dict) -> None:
    for key, kind in (("versions", dict), ("machine", dict)):
        _expect(isinstance(environment.get(key), kind), f"environment.{key} is missing; take `report.environment()`")
    commit = environment.get("commit", 0)
    _expect(commit is None or isinstance(commit, str), f"environment.commit is {_short(commit)}; give text or null")


def _optional(record: dict) -> None:
    record = {key: value for key, value in record.items() if value is not None}
    metric = record["accuracy"].get("metric", METRICS[0])
    _outputs(record.get("outputs", []), metric, len(record["accuracy"].get("test_rmse", [])))
    _rows(record.get("curve", []), "curve", numbers=("step",))
    for i, row in enumerate(record.get("curve", [])):
        for key in (key for key in ("relaxed", "hard") if key in row):
            _merit(row, key, f"curve[{i}]", metric, null=True)
    _rows(record.get("passes", []), "passes", numbers=("gates_before", "gates_after"), texts=("name",),
          nulls=("depth_before", "depth_after", "seconds"))
    _rows(record.get("peers", []), "peers", numbers=("gates",), texts=("name", "source"))
    for i, peer in enumerate(record.get("peers", [])):
        _number(peer, "accuracy", f"peers[{i}]", top=1)
    for which, kinds in record.get("gate_kinds", {}).items():
        _expect(isinstance(kinds, dict), f"gate_kinds.{which} is {_short(kinds)}; give {{gate: count}}")
        for kind in kinds:
            _number(kinds, kind, f"gate_kinds.{which}")
    classes = record.get("classes", [])
    _expect(all(isinstance(c, str) for c in classes), "classes holds something other than text; give names")
    _confusion(record.get("confusion"), classes)


def _outputs(outputs: list, metric: str, errors: int) -> None:
    _rows(outputs, "outputs", texts=("name", "word"))
    right = not outputs or errors in (0, len(outputs))
    _expect(right, f"accuracy.test_rmse has {errors} errors for {len(outputs)} outputs; give one for each")
    for i, row in enumerate(outputs):
        _merit(row, "test_hard", f"outputs[{i}]", metric)
        for key in (key for key in ("bias", "scale") if key in row):
            right = isinstance(row[key], int | float) and not isinstance(row[key], bool)
            _expect(right, f"outputs[{i}].{key} is {_short(row[key])}; give a number")


def _confusion(confusion, classes: list) -> None:
    if confusion is None:
        return
    size = len(classes) or len(confusion)
    square = len(confusion) == size and all(isinstance(row, list) and len(row) == size for row in confusion)
    _expect(square and size, f"confusion is no matrix of {size} by {size}; give one row and one column for each class")
    for i, row in enumerate(confusion):
        for j, value in enumerate(row):
            right = isinstance(value, int) and not isinstance(value, bool) and value >= 0
            _expect(right, f"confusion[{i}][{j}] is {_short(value)}; give a count")


def environment() -> dict:
    """Versions, machine (CPU model, cores, memory in bytes), commit of the checkout or None, and the date in UTC.

    Versions are read from package metadata, so that nothing is imported for them; a package that is absent is left out.
    """
    versions = {"python": platform.python_version()}
    for package in ("hardwire", "numpy", "torch", "numba", "aigverse", "matplotlib"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {"versions": versions, "machine": _machine(), "commit": _commit(),
            "date": datetime.now(timezone.utc).isoformat(timespec="seconds")}


def _machine() -> dict:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cpu": _cpu(), "cores": cores, "memory_bytes": _memory(), "system": platform.system(),
            "architecture": platform.machine()}


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _commit() -> str | None:
    """The checkout's commit, with ``-dirty`` where files differ; None when the package itself is not tracked there."""
    package = Path(__file__).resolve().parent.parent
    if _git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    return _git(package, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
