"""What both renderings of a record say: totals, groups and figures in words."""

import math
import unicodedata
from dataclasses import dataclass

from ..runs.record import STAGES

ENERGY_NOTE = "model estimate: a count times a cited constant, not a measurement"
STAGE_NOTE = "gates are two-input gates; depth is what the stage adds to the longest path"
#: First word of a verification status -> its sign, in the order of what a reader must not miss.
SIGNS = {"refuted": "✗", "proved": "✓", "simulated": "≈", "skipped": "–", "unknown": "?"}
_TIMES = {"train_s": "training", "samples_per_s": "inference", "lower_s": "freezing", "optimize_s": "optimisation",
          "verify_s": "verification"}
#: Figure of merit -> its name on a page and what it is.
METRICS = {
    "accuracy": ("accuracy", "share of samples classified rightly"),
    "label accuracy": ("label accuracy", "share of labels that are right"),
    "r2": ("R²", "share of the targets' variance that is explained"),
}
_PREFIXES = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"),
             (1e-12, "p"), (1e-15, "f"), (1e-18, "a")]


@dataclass(frozen=True)
class Count:
    """Two-input gates of a stage, before and after the passes, and its depth."""

    stage: str
    raw: int
    optimized: int
    depth: int

    @property
    def removed(self) -> str:
        return f"{(self.raw - self.optimized) / self.raw:.1%}".replace("%", " %") if self.raw else "–"


@dataclass(frozen=True)
class EnergyGroup:
    """The lines of one ledger, which are summed."""

    name: str
    per: str
    comparison: bool
    lines: tuple[dict, ...]

    @property
    def total(self) -> float:
        return sum(line["total_j"] for line in self.lines)


def plain(text) -> str:
    """Text on one line without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(str(text).split()))


def columns(text: str) -> int:
    """Terminal columns that ``text`` takes: two for a wide character, none for a combining one."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def number(value) -> float | None:
    """The value when it is a number, else None."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e30 else None


def percent(fraction) -> str:
    return "–" if fraction is None else f"{100 * fraction:.2f} %"


def metric(record: dict) -> str:
    """The key of ``METRICS`` that the record's accuracies are of."""
    return record["accuracy"].get("metric", "accuracy")


def merit(value, metric: str) -> str:
    """A figure of merit in words: R2 as a number, a share in per cent."""
    if metric != "r2" or value is None:
        return percent(value)
    return (f"{value:.4f}" if value > -1000 else f"{value:.2e}").replace("-", "−")


def four_digits(value: float) -> str:
    """Four significant digits, of usual numbers without an exponent."""
    if not 1e-3 <= abs(value) < 1e12:
        return f"{value:.4g}"
    rounded = float(f"{value:.3e}")
    return f"{rounded:,.{max(0, 3 - math.floor(math.log10(abs(rounded))))}f}"


def whole(value) -> str:
    return "–" if number(value) is None else f"{value:,.0f}"


def si(value: float, unit: str) -> str:
    """Three significant digits with an SI prefix: ``si(2.24e-10, "J") == "224 pJ"``."""
    if value == 0:
        return f"0 {unit}"
    size, prefix = next((p for p in _PREFIXES if abs(value) >= 0.9995 * p[0]), _PREFIXES[-1])
    scaled = value / size
    digits = max(0, 2 - len(str(int(abs(scaled) * 1.0005))) + 1)
    return f"{scaled:.{digits}f} {prefix}{unit}"


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 1 or seconds == 0 else si(seconds, "s")
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def gap(accuracy: dict) -> str | None:
    """Relaxed minus hard accuracy on the test split, in percentage points; of R2 the difference."""
    if accuracy.get("test_relaxed") is None:
        return None
    difference = accuracy["test_relaxed"] - accuracy["test_hard"]
    if accuracy.get("metric") == "r2":
        return f"{difference:+.4f}".replace("-", "−")
    return f"{100 * difference:+.2f} points".replace("-", "−")


def accuracies(record: dict) -> list[tuple[str, str]]:
    """(what, figure) of the accuracies that there are, what is reported first."""
    accuracy, kind = record["accuracy"], metric(record)
    logic = record["hardware"] == "logic"
    what = "test, frozen circuit (hard)" if logic else "test, on the modelled hardware"
    rows = [(what, merit(accuracy["test_hard"], kind))]
    if accuracy.get("test_exact") is not None:
        rows.append(("test, all labels of a sample right", percent(accuracy["test_exact"])))
    if gap(accuracy):
        what = "test, relaxed network" if logic else "test, ideal network"
        rows += [(what, merit(accuracy["test_relaxed"], kind)), ("relaxed minus hard", gap(accuracy))]
    if accuracy["validation"] is not None:
        rows.append(("validation, used for selection", merit(accuracy["validation"], kind)))
    return rows


def outputs(record: dict) -> list[tuple[str, str, str, str | None]]:
    """(name, figure of merit, how the circuit's words tell it, root mean square error or None) of each target or label."""
    rows, errors = record.get("outputs") or [], record["accuracy"].get("test_rmse", [])
    result = []
    for i, row in enumerate(rows):
        told = f"{row['bias']:.10g} + {row['scale']:.6g} {row['word']}" if "scale" in row else row["word"]
        error = four_digits(errors[i]) if errors else None
        result.append((plain(row["name"]), merit(row["test_hard"], metric(record)), plain(told), error))
    return result


def variants(crossbar: dict) -> list[tuple[str, str, str]]:
    """(name, test accuracy, difference to float training in points) of each variant of a run on crossbars."""
    accuracy, base, names = crossbar["accuracy"], crossbar["accuracy"].get("float"), crossbar["names"]
    rows = []
    for variant, value in accuracy.items():
        difference = "" if base is None or variant == "float" else f"{100 * (value - base):+.2f}".replace("-", "−")
        rows.append((plain(names.get(variant, variant)), percent(value), difference))
    return rows


def counts(record: dict) -> list[Count]:
    """One row a stage, then the total; nothing where the record counts no gates."""
    given = record["counts"]
    rows = [Count(stage, *(given[stage][key] for key in ("gates_raw", "gates_optimized", "depth")))
            for stage in STAGES if stage in given]
    if not rows:
        return []
    return [*rows, Count("total", *(sum(getattr(row, key) for row in rows) for key in ("raw", "optimized", "depth")))]


def energy_groups(record: dict) -> list[EnergyGroup]:
    """Ledgers in their order, those of the run before those it is compared with."""
    groups: dict[tuple, list[dict]] = {}
    for line in record["energy"]:
        name = line.get("ledger") or line["item"]
        key = (bool(line.get("comparison")), plain(name), plain(line.get("per") or "inference"))
        groups.setdefault(key, []).append(line)
    made = [EnergyGroup(name, per, compared, tuple(lines)) for (compared, name, per), lines in groups.items()]
    return sorted(made, key=lambda group: group.comparison)


def energy_range(record: dict) -> str | None:
    """The smallest and the largest of the run's own estimates; None when it has none, or of different things."""
    own = [group for group in energy_groups(record) if not group.comparison]
    if not own or len({group.per for group in own}) > 1:
        return None
    low, high = min(g.total for g in own), max(g.total for g in own)
    return si(low, "J") if low == high else f"{si(low, 'J')} – {si(high, 'J')}"


def times(record: dict) -> list[tuple[str, str]]:
    """(what, how long or how many a second) for every number in ``time``."""
    rows = []
    for key, value in record["time"].items():
        if number(value) is None:
            continue
        label = _TIMES.get(key, plain(key).removesuffix("_s").removesuffix("_per").replace("_", " "))
        rows.append((label, _time(key, value)))
    return rows


def _time(key: str, value: float) -> str:
    if key.endswith("_per_s"):
        what = "samples" if key == "samples_per_s" else ""
        return f"{si(value, '').strip()} {what}/s"
    return duration(value) if key.endswith("_s") and value >= 0 else f"{value:,.4g}"


def verdicts(record: dict) -> list[tuple[str, str, str]]:
    """(first word of the status, name, status), refuted first."""
    rows = [(status.partition(" ")[0].rstrip(":"), plain(name), plain(status))
            for name, status in record["verified"].items()]
    return sorted(rows, key=lambda row: row[0] != "refuted")


def verdict(record: dict) -> str:
    """All statuses in a few words: ``3 proved, 1 skipped``."""
    kinds = [kind for kind, _, _ in verdicts(record)]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in SIGNS if kind in kinds) or "nothing verified"


def machine(record: dict) -> list[tuple[str, str]]:
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
