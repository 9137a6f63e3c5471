"""Write the pages that follow from tables in the code: `python docs/generate.py`. A test holds that they are up to date."""

import json
from pathlib import Path

from hardwire.core.gates import COEFFICIENTS, GATES, expression
from hardwire.core.settings import Settings
from hardwire.crossbar.settings import CrossbarSettings
from hardwire.logic.settings import LogicSettings
from hardwire.passes import LEVELS, PASSES
from hardwire.spiking.settings import SpikingSettings

HERE = Path(__file__).parent
MET = {True: "Met.", False: "Not met.", None: "A survey without a threshold."}


def polynomial(coefficients) -> str:
    terms = [f"{c:+g} {name}".strip() for c, name in zip(coefficients, ("", "a", "b", "ab")) if c]
    text = " ".join(t.replace("+1 ", "+ ").replace("-1 ", "- ") for t in terms) or "0"
    return text.removeprefix("+ ").removeprefix("+")


def cell(table: int) -> str:
    """The gate's expression; a bar would end the table's cell."""
    return expression(table, "a", "b", true="1", false="0").replace("|", "\\|")


def gates() -> str:
    rows = [f"| {g.table} | `{g.table:04b}` | {g.name} | ${polynomial(c)}$ | `{cell(g.table)}` |"
            for g, c in zip(GATES, COEFFICIENTS)]
    return "\n".join([
        "# The sixteen gates", "",
        "Generated from `src/hardwire/core/gates.py`; the table is read least significant bit first: bit `a + 2b` is the value at",
        "`a`, `b`. The polynomial agrees with the gate on 0 and 1 and is what training differentiates.", "",
        "| id | table | name | relaxed | expression |", "|---|---|---|---|---|", *rows, ""])


def passes() -> str:
    rows = [f"| `{name}` | {p.doc} |" for name, p in PASSES.items()]
    levels = [f"| `-{name}` | {', '.join(f'`{p}`' for p in steps) or 'nothing'} |" for name, steps in LEVELS.items()]
    return "\n".join([
        "# Passes", "",
        "Generated from `src/hardwire/passes`. A pass maps a circuit to a circuit and keeps the function of its outputs and of every",
        "net that a macro names; `hardwire verify` proves the result equal to the raw circuit.", "",
        "| pass | what it does |", "|---|---|", *rows, "", "| level | passes, in order |", "|---|---|", *levels, ""])


def results() -> str:
    """Every kept result of a benchmark, whole: goal, figures, machine, commit."""
    lines = ["# Results", "",
             "Generated from `benchmarks/results`; each was written by the script of the same name in `benchmarks`, which refuses",
             "to report when its check of correctness fails. Times are of a shared machine: compare ratios within one run.", ""]
    for path in sorted((HERE.parent / "benchmarks" / "results").glob("*.json")):
        result = json.loads(path.read_text())
        machine, versions = result["environment"]["machine"], result["environment"]["versions"]
        lines += [f"## {result['benchmark']}", "", f"Goal: {result['goal']}. {MET[result['met']]}", "",
                  "| figure | value |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in flat(result["figures"])]
        lines += ["", f"{json.dumps(machine)}, torch {versions.get('torch')}, numba {versions.get('numba')}, "
                  f"commit {result['environment'].get('commit')}", ""]
    return "\n".join(lines)


def flat(figures, prefix: str = ""):
    """Names and values of nested figures, numbers with five digits."""
    items = figures.items() if isinstance(figures, dict) else enumerate(figures)
    for name, value in items:
        if isinstance(value, (dict, list)):
            yield from flat(value, f"{prefix}{name} / ")
        else:
            yield f"{prefix}{name}".replace("|", "\\|"), f"{value:.5g}" if isinstance(value, float) else value


def settings() -> str:
    """Return the settings of the three hardwares, one table each."""
    lines = ["# Settings", "",
             "Generated from `settings.py` of `logic`, `crossbar` and `spiking` in `src/hardwire`. Every setting is a line of a run's",
             "`config.toml` and an option of its verb: `gate_penalty = 0.02` is `--gate-penalty 0.02`, or `--set gate_penalty=0.02`.",
             "Presets of a data set come in place of some defaults.", ""]
    for verb, kind in (("train", LogicSettings), ("crossbar", CrossbarSettings), ("spiking", SpikingSettings)):
        lines += [f"## `hardwire {verb}`", "", "| setting | value | default | what it is |", "|---|---|---|---|"]
        lines += [setting(kind, name) for name in kind.model_fields]
        lines.append("")
    return "\n".join(lines)


def setting(kind: type[Settings], name: str) -> str:
    """Return a row of the table of settings."""
    field, values = kind.model_fields[name], kind.kind_of(name)
    words = ", ".join(f"`{choice}`" for choice in values.choices) or " ".join(filter(None, [values.words, values.bounds]))
    words = f"a list of {words}" if values.is_list and values.choices else words
    text = " ".join((field.description or "").split()).replace("|", "\\|")
    return f"| `{name}` | {words} | `{json.dumps(field.default)}` | {text} |"


PAGES = {"gates.md": gates, "passes.md": passes, "results.md": results, "settings.md": settings}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
