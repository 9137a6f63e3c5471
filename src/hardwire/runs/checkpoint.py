"""One envelope for what every hardware keeps of a run: tensors and plain values in safetensors, with a digest."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..core.errors import FormatError, InputError
from ..core.files import write_bytes

#: Of the envelope; a file of another version is refused.
VERSION = "2"

#: ``features`` is a network that gives a crossbar its inputs.
Kind = Literal["checkpoint", "model", "features"]
#: What to give where there is no such file.
WHERE: dict[Kind, str] = dict.fromkeys(("checkpoint", "model"), "the directory of a finished run")
WHERE["features"] = "the file of a feature network"
Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Stored:
    """The content of a checkpoint or of a finished model.

    Attributes
    ----------
    hardware
        Name of the hardware, as ``logic``.
    settings
        The settings as TOML.
    tensors
        Arrays by name.
    values
        Everything else as JSON values.
    """

    hardware: str
    settings: str
    tensors: Tensors
    values: dict[str, Any]


def write_stored(path: Path, stored: Stored, kind: Kind) -> Path:
    """Write ``stored`` to ``path``, aside and renamed."""
    tensors = {name: np.ascontiguousarray(array) for name, array in stored.tensors.items()}
    text = {"format": "hardwire", "version": VERSION, "kind": kind, "hardware": stored.hardware,
            "settings": stored.settings, "values": json.dumps(stored.values)}
    return write_bytes(path, save(tensors, text | {"digest": digest(tensors, text)}))


def read_stored(path: Path, kind: Kind, hardware: str | None = None) -> Stored:
    """Read what ``write_stored`` wrote.

    Parameters
    ----------
    path
        The file.
    kind, hardware
        What it has to hold; any hardware where none is given.

    Raises
    ------
    InputError
        The file does not exist, or is of another hardware.
    FormatError
        The file is damaged, altered, or of another kind or version.
    """
    try:
        with safe_open(path, "np") as file:
            text = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - the file is no dict
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; give {WHERE[kind]}") from None
    except (OSError, SafetensorError, TypeError, ValueError, AttributeError) as error:  # NumPy has not all of its types
        raise FormatError(f"{path} is damaged or no safetensors file ({error}); train the network anew") from None
    if text.get("format") != "hardwire" or text.get("kind") != kind:
        raise FormatError(f"{path} is no {kind} of this program's version; train the network anew")
    if text.get("version") != VERSION:
        raise FormatError(f"{path} has format version {text.get('version')}, this program reads {VERSION}; train anew")
    if text.get("digest") != digest(tensors, text):
        raise FormatError(f"{path} is altered: its digest does not match; train the network anew")
    try:
        stored = Stored(text["hardware"], text["settings"], tensors, json.loads(text["values"]))
    except (KeyError, ValueError, RecursionError) as error:
        raise FormatError(f"{path} lacks or garbles {error}; train the network anew") from None
    if wrong := _wrong(stored.values):
        raise FormatError(f"{path} garbles {wrong}; train the network anew")
    if hardware not in (None, stored.hardware):
        raise InputError(f"{path} is of hardware {stored.hardware}; give the directory of a {hardware} run")
    return stored


def _wrong(values: object) -> str:
    """Name the first of the values that every hardware has which is not what it must be; empty where all are."""
    if not isinstance(values, dict):
        return "its values, which are no object"
    run = values.get("run", {"metrics": []})
    if not isinstance(run, dict):
        return "run"
    rows = run.get("metrics")
    checks = {
        "fingerprint": _is_object(values.get("fingerprint", {}), (str, int)),
        "files": _is_object(run.get("files", {}), (str,)),
        "metrics": isinstance(rows, list) and all(_is_object(row, (str, int, float, type(None))) for row in rows),
        "data_dir": isinstance(run.get("data_dir", ""), str),
        "unit": isinstance(run.get("unit", ""), str),
        "total": type(run.get("total", 0)) is int,
        "position": type(run.get("position", 0)) is int and run.get("position", 0) >= 0,
        "seconds": type(run.get("seconds", 0)) in (int, float) and 0 <= run.get("seconds", 0) < math.inf,
    }
    return next((name for name, right in checks.items() if not right), "")


def _is_object(value: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, dict) and all(type(v) in kinds for v in value.values())


def digest(tensors: Mapping[str, NDArray[Any]], text: Mapping[str, str]) -> str:
    """Return the SHA-256 of names, shapes, bytes and text: an altered weight is still a valid safetensors file."""
    total = hashlib.sha256(repr(sorted((k, v) for k, v in text.items() if k != "digest")).encode())
    for name, array in sorted(tensors.items()):
        total.update(f"{name} {array.dtype} {array.shape}".encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()


def with_prefix(prefix: str, tensors: Mapping[str, NDArray[Any]]) -> Tensors:
    """Return the tensors with ``prefix`` before each name."""
    return {prefix + name: array for name, array in tensors.items()}


def part(tensors: Mapping[str, NDArray[Any]], prefix: str) -> Tensors:
    """Return the tensors whose names begin with ``prefix``, without it."""
    return {name[len(prefix) :]: array for name, array in tensors.items() if name.startswith(prefix)}
