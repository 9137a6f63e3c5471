"""The record of a run: one typed value for every hardware, ``report.json`` on disk, checked on the way out and in."""

import json
import os
from collections import Counter
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, model_validator

from ..core.cards import card
from ..core.errors import FormatError, InputError
from ..core.files import write_text
from ..core.reading import parse_json
from ..core.verdict import Verdict

NAME = "report.json"
#: Levels of objects and lists within each other.
MOST_DEPTH = 32
Stage = Literal["encoder", "network", "head"]
STAGES: tuple[Stage, ...] = ("encoder", "network", "head")
Metric = Literal["accuracy", "label accuracy", "r2"]

Amount = Annotated[float, Field(ge=0, le=1e30)]
Count = Annotated[int, Field(ge=0, le=10**30)]
Merit = Annotated[float, Field(ge=-1e300, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


def _verdict(value: object) -> Verdict:
    if isinstance(value, Verdict):
        return value
    if not isinstance(value, str):
        raise ValueError("is no verdict; give proved, simulated N, skipped: why, unknown: why or refuted")
    try:
        return Verdict.parse(value)
    except (FormatError, InputError) as error:
        raise ValueError(str(error)) from None


RecordedVerdict = Annotated[Verdict, BeforeValidator(_verdict), PlainSerializer(str, return_type=str)]


class Part(BaseModel):
    """Base of the record and its parts: keys that are not declared are kept."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Accuracy(Part):
    """Figures of merit: of the frozen network on the test split, of the relaxed one, and on the validation split.

    A fraction from 0 to 1; of ``r2``, ``1 - sum (y - value)^2 / sum (y - mean)^2``, which may be negative. Null where a
    hardware has no such figure.
    """

    metric: Metric = "accuracy"
    test_hard: Merit
    test_relaxed: Merit | None
    validation: Merit | None
    test_exact: Share | None = None
    """Of ``label accuracy``: share of the samples with all labels right."""
    test_rmse: list[Amount] | None = None
    """Of ``r2``: root mean square error of each target in its unit."""


class StageCounts(Part):
    """Two-input gates of a stage of the circuit, before and after the passes, and its depth.

    Wires and constants are no gates and are counted apart; older records lack these keys, and their ``gates_raw`` is
    what ``nodes_raw`` is now.
    """

    gates_raw: Count
    gates_optimized: Count
    depth: Count
    nodes_raw: Count | None = None
    """Nodes as trained, wires and constants among them."""
    wires_raw: Count | None = None
    constants_raw: Count | None = None
    wires_optimized: Count | None = None
    constants_optimized: Count | None = None


class EnergyLine(Part):
    """A line of a ledger: joules, by which model, from which source."""

    item: Text
    total_j: Amount
    model: Text
    source: Text


class Environment(Part):
    """Where the run ran; ``commit`` is null outside a checkout."""

    versions: dict[str, Any]
    machine: dict[str, Any]
    commit: str | None
    date: str | None = None


class Output(Part):
    """A target or a label: the circuit's word for it and its figure of merit; a target is ``bias + scale * word``."""

    name: Text
    word: Text
    test_hard: Merit
    bias: float | None = None
    scale: float | None = None


class CurvePoint(Part):
    """An evaluation of a logic network."""

    step: Count
    relaxed: Merit | None = None
    hard: Merit | None = None


class PassLine(Part):
    """What one pass did to the circuit; wires and constants are no gates."""

    name: Text
    gates_before: Count
    gates_after: Count
    wires_before: Count | None = None
    wires_after: Count | None = None
    constants_before: Count | None = None
    constants_after: Count | None = None
    depth_before: Count | None = None
    depth_after: Count | None = None
    seconds: Amount | None = None


class Peer(Part):
    """Another run, or a published point, to draw beside this one."""

    name: Text
    accuracy: Share
    gates: Amount
    source: Text


class Clock(Part):
    """Frequencies in megahertz: the one that the last run was asked for, and the one after routing."""

    asked: Amount | None = None
    reached: Amount | None = None


class Latency(Part):
    """From registered inputs to registered outputs, in clocks and, at the reached frequency, in nanoseconds."""

    cycles: Count | None = None
    ns: Amount | None = None


class Arc(Part):
    """A part of a critical path between two cells, with the nanoseconds that logic and routing take."""

    from_: Annotated[str, Field(alias="from")]
    to: str
    stage: str | None = None
    logic_ns: Amount | None = None
    routing_ns: Amount | None = None


class Flow(Part):
    """What outside tools made of the circuit for one target; what is not known is null.

    A target of an FPGA has ``device`` and what follows it, a cell library ``library`` and what follows that.
    """

    target: Text
    status: Annotated[str, Field(pattern=r"^(routed|placed|mapped|too large|failed: .*\S.*)$")]
    tools: dict[str, str]
    """Name -> version."""
    verified: RecordedVerdict
    seconds: Amount
    files: dict[str, Any]
    """What it is -> path, relative to the run directory where it lies there."""
    digest: Text | None = None
    """Of the circuit."""
    device: str | None = None
    package: str | None = None
    cells: dict[str, Count] | None = None
    capacity: dict[str, Count] | None = None
    stages: dict[str, Count] | None = None
    """Tables of encoder, network, head and wrapper."""
    flip_flops: Count | None = None
    clock_mhz: Clock | None = None
    latency: Latency | None = None
    throughput_per_s: Amount | None = None
    critical_path: list[Arc] | None = None
    library: str | None = None
    ge: Amount | None = None
    area_um2: Amount | None = None
    delay_ps: dict[str, Amount | None] | None = None
    """By who timed the netlist: own, abc, opensta."""
    energy_pj: dict[str, Amount | None] | None = None
    """Of one inference, by model."""
    activity: dict[str, Any] | None = None
    leakage_w: Amount | None = None
    opensta: dict[str, Any] | None = None

    @classmethod
    def of(cls, values: object) -> Self:
        """Check what JSON gave; a ValueError is one sentence that names the first key that is wrong."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ValueError(_sentence(error)) from None


def _merit(value: float | None, metric: Metric) -> str:
    """Word a figure of merit."""
    return "none" if value is None else f"{value:.4f}" if metric == "r2" else f"{value:.2%}"


class Record(Part):
    """What a run is remembered by. Any other key, such as a hardware's own section, is kept."""

    hardware: Text
    dataset: Text
    seed: int
    accuracy: Accuracy
    counts: dict[str, StageCounts]
    """Of ``encoder``, ``network`` and ``head``; all three for logic."""
    verified: dict[str, RecordedVerdict]
    time: dict[str, Amount]
    """Seconds (``train_s``) and samples in a second (``samples_per_s``)."""
    energy: list[EnergyLine]
    """Lines of one ``ledger`` are summed."""
    environment: Environment
    classes: list[str] | None = None
    confusion: list[list[Count]] | None = None
    """Counts on the test split, rows the true class."""
    curve: list[CurvePoint] | None = None
    gate_kinds: dict[str, dict[str, Count]] | None = None
    passes: list[PassLine] | None = None
    outputs: list[Output] | None = None
    peers: list[Peer] | None = None
    model: dict[str, Any] | None = None
    files: dict[str, Any] | None = None
    digest: str | None = None
    fingerprint: dict[str, str | int] | None = None
    """Of the data: a digest of each part, and the number of samples."""
    flows: dict[str, Flow] | None = None
    """Target -> what outside tools made of the circuit."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_stages()
        self._check_merits()
        self._check_outputs()
        self._check_confusion()
        return self

    def _check_stages(self) -> None:
        missing = [stage for stage in STAGES if stage not in self.counts]
        if self.hardware == "logic" and missing:
            raise ValueError(f"counts.{missing[0]} is missing; give gates_raw, gates_optimized and depth")

    def _check_merits(self) -> None:
        """Only R2 may be negative."""
        if self.accuracy.metric == "r2":
            return
        merits = {f"accuracy.{k}": getattr(self.accuracy, k) for k in ("test_hard", "test_relaxed", "validation")}
        merits |= {f"outputs[{i}].test_hard": o.test_hard for i, o in enumerate(self.outputs or [])}
        for i, point in enumerate(self.curve or []):
            merits |= {f"curve[{i}].relaxed": point.relaxed, f"curve[{i}].hard": point.hard}
        for place, value in merits.items():
            if value is not None and value < 0:
                raise ValueError(f"{place} is {value}; give a fraction from 0 to 1")

    def _check_outputs(self) -> None:
        errors, outputs = self.accuracy.test_rmse or [], self.outputs or []
        if errors and outputs and len(errors) != len(outputs):
            raise ValueError(f"accuracy.test_rmse has {len(errors)} errors for {len(outputs)} outputs; give one for "
                             "each")

    def _check_confusion(self) -> None:
        if self.confusion is None:
            return
        size = len(self.classes or self.confusion)
        if not size or len(self.confusion) != size or any(len(row) != size for row in self.confusion):
            raise ValueError(f"confusion is no matrix of {size} by {size}; give one row and one column for each class")

    @classmethod
    def of(cls, values: object, *, name: str = "record") -> Self:
        """Check ``values``, JSON's plain ones.

        Parameters
        ----------
        values
            A mapping; NumPy's scalars and arrays, tuples and paths are taken as JSON would write them.
        name
            What the error calls it.

        Raises
        ------
        FormatError
            A key is missing or wrong; one sentence names the first.
        """
        if not isinstance(values, Mapping):
            raise FormatError(f"{name}: the record is not an object; give {{key: value}}")
        try:
            plain = json.loads(json.dumps(dict(values), default=_plain))
            _finite(plain, "")
            return cls.model_validate(plain)
        except ValidationError as error:
            raise FormatError(f"{name}: {_sentence(error)}") from None
        except FormatError as error:
            raise FormatError(f"{name}: {error}") from None
        except (TypeError, ValueError, RecursionError) as error:
            raise FormatError(f"{name} cannot be written as JSON ({error}); give plain values") from None

    def __repr__(self) -> str:
        counts = Counter(verdict.status for verdict in self.verified.values())
        checks = ", ".join(f"{number} {status}" for status, number in counts.items()) or "nothing verified"
        hard = _merit(self.accuracy.test_hard, self.accuracy.metric)
        return f"<Record {self.hardware} on {self.dataset}, seed {self.seed}: {self.accuracy.metric} {hard}; {checks}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        metric = self.accuracy.metric
        rows = [(f"{metric}, {name}", _merit(getattr(self.accuracy, field), metric)) for name, field in
                (("test", "test_hard"), ("test, relaxed", "test_relaxed"), ("validation", "validation"))]
        rows += [(stage, f"{c.gates_optimized:,} gates of {c.gates_raw:,}, depth {c.depth}")
                 for stage, c in self.counts.items()]
        rows += [(name, str(verdict)) for name, verdict in self.verified.items()]
        return card(f"{self.hardware} on {self.dataset}, seed {self.seed}", rows)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values: the keys that were given."""
        return self.model_dump(mode="json", exclude_unset=True, by_alias=True)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the record at ``path``, a run directory or the file itself."""
        path = _file(path)
        try:
            values = parse_json(path.read_text(encoding="utf-8"), constants=True)  # named below
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}; give a run directory that holds {NAME}") from None
        except ValueError as error:
            raise FormatError(f"{path} is not JSON ({error}); write it anew by repeating the run") from None
        return cls.of(values, name=str(path))

    def save(self, path: str | Path) -> Path:
        """Write the record to ``path``, a run directory or a file, aside and renamed; return the file's path."""
        return write_text(_file(path), json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n")


def _file(path: str | Path) -> Path:
    path = Path(path)
    return path / NAME if path.is_dir() else path


def _plain(value: object) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Verdict):
        return str(value)
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_unset=True)
    raise TypeError(f"a {type(value).__name__} is no JSON value")


def _finite(value: object, where: str, depth: int = 0) -> None:
    """Refuse what JSON has no number for, in keys that are not declared too, and what no report can be so deep."""
    if depth > MOST_DEPTH:
        raise FormatError(f"{where[:80]} is nested more than {MOST_DEPTH} levels deep; leave it out")
    if isinstance(value, float) and not isfinite(value):
        raise FormatError(f"{where} is {value}; give a finite number, or null where there is none")
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in pairs:
            _finite(child, f"{where}.{key}" if where else str(key), depth + 1)


_FRACTIONS = ("test_hard", "test_relaxed", "test_exact", "validation", "relaxed", "hard")
_WANTED = {
    "string_type": "text", "string_too_short": "text", "string_pattern_mismatch": "text", "dict_type": "an object",
    "model_type": "an object", "list_type": "a list", "int_type": "a whole number", "float_type": "a number",
    "finite_number": "a finite number",
}


def _sentence(error: ValidationError) -> str:
    """Name the first key that is wrong, its value, and what it should be."""
    first = error.errors()[0]
    kind, value = first["type"], first["input"]
    place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in first["loc"]).removeprefix(".")
    if kind == "value_error":
        said = str(first["ctx"]["error"])
        return f"{place} is {_short(value)}: {said}" if place else said
    if kind == "missing":
        return f"{place} is missing; write the record anew"
    if kind == "literal_error":
        return f"{place} is {_short(value)}; give {first['ctx']['expected']}"
    if kind in ("greater_than_equal", "less_than_equal"):
        fraction = place.endswith(_FRACTIONS) or place.startswith("peers")
        wanted = "a fraction from 0 to 1" if fraction else "a number that is not negative"
        return f"{place} is {_short(value)}; give {wanted}"
    return f"{place} is {_short(value)}; give {_WANTED.get(kind, first['msg'])}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:37] + "..."
