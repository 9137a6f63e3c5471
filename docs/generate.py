"""Write the pages that follow from tables in the code: `python docs/generate.py`. A test holds that they are up to date."""

from pathlib import Path

from hardwire.gates import COEFFICIENTS, GATES, expression
from hardwire.passes import LEVELS, PASSES

HERE = Path(__file__).parent


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
        "Generated from `src/hardwire/gates.py`; the table is read least significant bit first: bit `a + 2b` is the value at",
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


PAGES = {"gates.md": gates, "passes.md": passes}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
