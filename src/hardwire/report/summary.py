"""What every rendering of a record says: totals, groups and figures in words.

Reads the record as the mapping that ``report.json`` holds.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..runs.record import STAGES

#: The record of a run as ``report.json`` holds it.
RecordData: TypeAlias = Mapping[str, Any]

ENERGY_NOTE = "model estimate: a count times a cited constant, not a measurement"
STAGE_NOTE = ("gates are two-input gates, inverters among them; wires and constants of the raw circuit cost nothing "
              "and are counted apart; depth is what the stage adds to the longest path")
OLD_STAGE_NOTE = ("gates are two-input gates; the raw ones of this older record have wires and constants among them, "
                  "which `hardwire report` counts apart; depth is what the stage adds to the longest path")
#: First word of a verification status -> its sign, in the order of what a reader must not miss.
SIGNS = {"refuted": "✗", "unknown": "?", "proved": "✓", "simulated": "≈", "skipped": "–"}
#: Where an energy constant is from -> what that means.
MARKS = {
    "read": "read in the source",
    "second-hand": "read in a work that quotes the source",
    "derived": "this project's arithmetic on such figures, and no paper's figure",
}
_TIMES = {
    "train_s": "training", "compile_s": "compiling the kernels before it", "samples_per_s": "inference",
    "samples_per_s_median": "inference, median", "training_samples_per_s": "rate of training", "lower_s": "freezing",
    "optimize_s": "optimisation", "verify_s": "verification",
}  # fmt: skip
#: Figure of merit -> its name on a page and what it is.
METRICS = {
    "accuracy": ("accuracy", "share of samples classified rightly"),
    "label accuracy": ("label accuracy", "share of labels that are right"),
    "r2": ("R²", "share of the targets' variance that is explained"),
}
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_PREFIXES = {12: "T", 9: "G", 6: "M", 3: "k", 0: "", -3: "m", -6: "µ", -9: "n", -12: "p", -15: "f", -18: "a"}


@dataclass(frozen=True)
class Count:
    """Two-input gates of a stage, before and after the passes, its depth, and what is no gate before the passes.

    Wires, constants and nodes are None in a record that does not count them apart; nodes are then ``raw``.
    """

    stage: str
    raw: int
    optimized: int
    depth: int
    wires: int | None = None
    constants: int | None = None
    nodes: int | None = None

    @property
    def removed(self) -> str:
        """Share of the gates that the passes removed."""
        return percent((self.raw - self.optimized) / self.raw, 1) if self.raw else "–"


@dataclass(frozen=True)
class ClassFigures:
    """A class on the test split: samples of it, precision, recall, and the class that it is most often taken for."""

    name: str
    samples: int
    precision: float | None
    recall: float | None
    taken_for: str

    @property
    def words(self) -> tuple[str, ...]:
        """As a row of a table."""
        return self.name, whole(self.samples), percent(self.precision), percent(self.recall), self.taken_for


@dataclass(frozen=True)
class EnergyGroup:
    """The lines of one ledger, which are summed."""

    name: str
    per: str
    comparison: bool
    lines: tuple[Mapping[str, Any], ...]

    @property
    def total(self) -> float:
        """Sum of the lines in joules."""
        return float(sum(line["total_j"] for line in self.lines))


def plain(text: object) -> str:
    """Text on one line without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(str(text).split()))


def number(value: object) -> float | None:
    """The value when it is a number of a usual size, else None."""
    usual = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e30
    return value if usual else None  # type: ignore[return-value]


def minus(text: str) -> str:
    """The text with typographic minus signs."""
    return text.replace("-", "−")


def percent(fraction: float | None, digits: int = 2) -> str:
    """A fraction in per cent, or a dash."""
    return "–" if fraction is None else f"{100 * fraction:.{digits}f} %"


def points(difference: float) -> str:
    """A difference of two fractions in percentage points, with its sign."""
    return minus(f"{100 * difference:+.2f}")


def metric(record: RecordData) -> str:
    """The key of ``METRICS`` that the record's accuracies are of."""
    return str(record["accuracy"].get("metric") or "accuracy")


def merit(value: float | None, metric: str) -> str:
    """A figure of merit in words: R2 as a number, a share in per cent."""
    if metric != "r2" or value is None:
        return percent(value)
    return minus(f"{value:.4f}") if value > -1000 else four_digits(value)


def four_digits(value: float) -> str:
    """Four significant digits, the thousands set apart; of very large and very small numbers a power of ten."""
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e12:
        return _power_of_ten(value)
    rounded = float(f"{value:.3e}")
    return minus(f"{rounded:,.{max(0, 3 - math.floor(math.log10(abs(rounded))))}f}")


def _power_of_ten(value: float) -> str:
    """As in 2.5 × 10¹³."""
    digits, _, power = f"{value:.3e}".partition("e")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{minus(digits)} × 10{str(int(power)).translate(_RAISED)}"


def human(value: object) -> str:
    """Any plain value as a reader writes it: 4,881,000 or 0.02, yes or no, a list with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(human, value)) or "none"
    if (usual := number(value)) is None:
        return plain(value)
    if isinstance(usual, int):
        return minus(f"{usual:,}")
    text = four_digits(usual)
    return text.rstrip("0").rstrip(".") if "." in text and "×" not in text else text


def whole(value: object) -> str:
    """A number without decimals, its thousands set apart, or a dash."""
    usual = number(value)
    return "–" if usual is None else f"{usual:,.0f}"


def si(value: float, unit: str) -> str:
    """Three significant digits with an SI prefix: ``si(2.24e-10, "J") == "224 pJ"``."""
    if value == 0:
        return f"0 {unit}"
    power = next((p for p in _PREFIXES if abs(value) >= 0.9995 * 10.0**p), -18)
    scaled = value / 10.0**power
    return f"{scaled:.{max(0, 3 - len(str(int(abs(scaled) * 1.0005))))}f} {_PREFIXES[power]}{unit}"


def duration(seconds: float) -> str:
    """A time in the units that a reader expects of its length."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 1 or seconds == 0 else si(seconds, "s")
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def gap(record: RecordData) -> str | None:
    """Test accuracy of the ideal network minus that of the hardware, in percentage points; of R2 the difference."""
    accuracy = record["accuracy"]
    if accuracy.get("test_relaxed") is None:
        return None
    difference = accuracy["test_relaxed"] - accuracy["test_hard"]
    return minus(f"{difference:+.4f}") if metric(record) == "r2" else f"{points(difference)} points"


def gap_name(record: RecordData) -> str:
    """What ``gap`` is the difference of."""
    return "relaxed minus hard" if record["hardware"] == "logic" else "ideal minus modelled hardware"


def accuracies(record: RecordData) -> list[tuple[str, str]]:
    """(what, figure) of the accuracies that there are, what is reported first."""
    accuracy, kind = record["accuracy"], metric(record)
    logic = record["hardware"] == "logic"
    what = "test, frozen circuit (hard)" if logic else "test, on the modelled hardware"
    rows = [(what, merit(accuracy["test_hard"], kind))]
    if accuracy.get("test_exact") is not None:
        rows.append(("test, all labels of a sample right", percent(accuracy["test_exact"])))
    if difference := gap(record):
        what = "test, relaxed network" if logic else "test, ideal network"
        rows += [(what, merit(accuracy["test_relaxed"], kind)), (gap_name(record), difference)]
    if accuracy["validation"] is not None:
        what = "validation, used for selection" if logic else "validation"
        rows.append((what, merit(accuracy["validation"], kind)))
    return rows


def per_class(record: RecordData) -> list[ClassFigures]:
    """Precision and recall of each class on the test split, from the confusion; nothing where there is none."""
    confusion = record.get("confusion") or []
    names = [plain(name) for name in record.get("classes") or []] or [str(i) for i in range(len(confusion))]
    rows = []
    for i, (name, row) in enumerate(zip(names, confusion)):
        given, right = sum(each[i] for each in confusion), row[i]
        wrong = max((count, -j) for j, count in enumerate(row) if j != i) if len(row) > 1 else (0, 0)
        rows.append(ClassFigures(name, sum(row), right / given if given else None,
                                 right / sum(row) if sum(row) else None, names[-wrong[1]] if wrong[0] else "–"))
    return rows


def outputs(record: RecordData) -> list[tuple[str, str, str, str | None]]:
    """(name, figure of merit, how the circuit's words tell it, root mean square error or None) of each output."""
    rows, errors = record.get("outputs") or [], record["accuracy"].get("test_rmse") or []
    result = []
    for i, row in enumerate(rows):
        linear = row.get("scale") is not None
        told = f"{_exact(row['bias'])} + {_exact(row['scale'])} {row['word']}" if linear else row["word"]
        error = four_digits(errors[i]) if errors else None
        result.append((plain(row["name"]), merit(row["test_hard"], metric(record)), plain(told), error))
    return result


def _exact(value: float) -> str:
    """A coefficient with up to ten digits."""
    return f"{value:.10g}" if value == 0 or 1e-4 <= abs(value) < 1e10 else _power_of_ten(value)


def counts(record: RecordData) -> list[Count]:
    """One row a stage, then the total; nothing where the record counts no gates."""
    given = record["counts"]
    keys = ("gates_raw", "gates_optimized", "depth", "wires_raw", "constants_raw", "nodes_raw")
    rows = [[given[stage].get(key) for key in keys] for stage in STAGES if given.get(stage)]
    total = [None if None in column else sum(column) for column in zip(*rows)]
    names = [*(stage for stage in STAGES if given.get(stage)), "total"]
    return [Count(name, *row) for name, row in zip(names, [*rows, total])] if rows else []


def stage_note(record: RecordData) -> str:
    """What the figures of ``counts`` are."""
    return STAGE_NOTE if all(row.wires is not None for row in counts(record)) else OLD_STAGE_NOTE


def energy_groups(record: RecordData) -> list[EnergyGroup]:
    """Ledgers in their order, those of the run before those it is compared with."""
    groups: dict[tuple[bool, str, str], list[Mapping[str, Any]]] = {}
    for line in record["energy"]:
        name = line.get("ledger") or line["item"]
        key = (bool(line.get("comparison")), plain(name), plain(line.get("per") or "inference"))
        groups.setdefault(key, []).append(line)
    made = [EnergyGroup(name, per, compared, tuple(lines)) for (compared, name, per), lines in groups.items()]
    return sorted(made, key=lambda group: group.comparison)


def energy_range(record: RecordData) -> str | None:
    """The smallest and the largest of the run's own estimates; None when it has none, or of different things."""
    own = [group for group in energy_groups(record) if not group.comparison]
    if not own or len({group.per for group in own}) > 1:
        return None
    low, high = min(g.total for g in own), max(g.total for g in own)
    return si(low, "J") if low == high else f"{si(low, 'J')} – {si(high, 'J')}"


def times(record: RecordData) -> list[tuple[str, str]]:
    """(what, how long or how many a second) for every number in ``time``."""
    given = {key: value for key, value in record["time"].items() if number(value) is not None}
    return [(_TIMES.get(key) or _time_name(key), _time(key, value)) for key, value in given.items()]


def _time_name(key: str) -> str:
    return plain(key).removesuffix("_s").removesuffix("_per").replace("_", " ")


def _time(key: str, value: float) -> str:
    if key.endswith("_per_s"):
        what = "samples" if key.endswith("samples_per_s") else ""
        return f"{si(value, '').strip()} {what}/s"
    return duration(value) if key.endswith("_s") and value >= 0 else four_digits(value)


def verdicts(record: RecordData) -> list[tuple[str, str, str]]:
    """(first word of the status, name, status), what was refuted or not decided first."""
    rows = [(status.partition(" ")[0].rstrip(":"), plain(name), _counted(plain(status)))
            for name, status in record["verified"].items()]
    return sorted(rows, key=lambda row: {"refuted": 0, "unknown": 1}.get(row[0], 2))


def _counted(status: str) -> str:
    """A status with the thousands of its samples set apart."""
    return re.sub(r"^simulated (\d+)", lambda m: f"simulated {int(m[1]):,}", status)


def verdict(record: RecordData) -> str:
    """All statuses in a few words, as in ``3 proved, 1 skipped``; it says ``nothing verified`` where that is so."""
    kinds = [kind for kind, _, _ in verdicts(record)]
    verified = {"refuted", "proved", "simulated"} & {*kinds}
    told = SIGNS if verified else ("unknown",)  # what was skipped is no result where there is none
    parts = [f"{kinds.count(kind)} {kind}" for kind in told if kind in kinds]
    return ", ".join(parts if verified else ["nothing verified", *parts])


def machine(record: RecordData) -> list[tuple[str, str]]:
    """(what, value) of the environment."""
    environment = record["environment"]
    machine = environment["machine"]
    memory = number(machine.get("memory_bytes"))
    parts = [machine.get("cpu"), f"{machine['cores']} cores" if machine.get("cores") else None,
             f"{memory / 2**30:.1f} GiB" if memory else None, machine.get("gpu")]
    versions = ", ".join(f"{plain(k)} {plain(v)}" for k, v in environment["versions"].items())
    rows = [("machine", ", ".join(plain(part) for part in parts if part)), ("versions", versions),
            ("commit", plain(environment["commit"] or "not a checkout")),
            ("date", plain(environment.get("date") or ""))]
    return [row for row in rows if row[1]]
