"""Write the pages that follow from tables: `python docs/generate.py`. A test holds that they are up to date."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from hardwire.core.gates import COEFFICIENTS, GATES, expression
from hardwire.core.settings import Settings
from hardwire.crossbar.settings import CrossbarSettings
from hardwire.logic.settings import LogicSettings
from hardwire.passes import LEVELS, PASSES
from hardwire.report.summary import duration, four_digits, minus, percent, points, si, whole
from hardwire.spiking.settings import SpikingSettings

HERE = Path(__file__).parent
MET = {True: "met", False: "**not met**", None: "a survey without a threshold"}
#: Figures of a benchmark, by name.
Figures: TypeAlias = Mapping[str, Any]


def gap_points(fraction: float) -> str:
    """A difference of fractions in percentage points."""
    return points(round(fraction, 12) + 0.0)


def signed(value: float) -> str:
    """Percentage points with a sign."""
    return minus(f"{value:+.2f}")


def spread(fraction: float) -> str:
    """A standard deviation of fractions in percentage points."""
    return f"{100 * fraction:.2f}"


def milliseconds(value: float) -> str:
    """A time that is given in milliseconds."""
    return duration(value / 1000) if value else "–"


def plural(count: int, noun: str) -> str:
    """A count and its noun."""
    return f"{count} {noun}{'s' * (count != 1)}"


def rate(value: float) -> str:
    """How many a second."""
    return f"{si(value, '').strip()}/s"


def polynomial(coefficients: Iterable[float]) -> str:
    """The gate's relaxation as a polynomial in a and b."""
    terms = [f"{c:+g} {name}".strip() for c, name in zip(coefficients, ("", "a", "b", "ab")) if c]
    text = " ".join(t.replace("+1 ", "+ ").replace("-1 ", "- ") for t in terms) or "0"
    return text.removeprefix("+ ").removeprefix("+")


def cell(table: int) -> str:
    """The gate's expression; a bar would end the table's cell."""
    return expression(table, "a", "b", true="1", false="0").replace("|", "\\|")


def gates() -> str:
    """The gate table."""
    rows = [f"| {g.table} | `{g.table:04b}` | {g.name} | ${polynomial(c)}$ | `{cell(g.table)}` |"
            for g, c in zip(GATES, COEFFICIENTS)]
    return "\n".join([
        "# The sixteen gates", "",
        "Generated from `src/hardwire/core/gates.py`; the table is read least significant bit first: "
        "bit `a + 2b` is the value at",
        "`a`, `b`. The polynomial agrees with the gate on 0 and 1 and is what training differentiates.", "",
        "| id | table | name | relaxed | expression |", "|---|---|---|---|---|", *rows, ""])


#: What the pass that is in no level gives.
DONT_CARES = (
    "## Don't-cares of the encoder", "",
    "`dont-care-simplification` is in no level; `hardwire.passes.optimize(circuit, passes=[...])` runs it. It",
    "finds what ordered thresholds rule out at any distance, where `functional-reduction` ends at 14",
    "leaves. After `-O2` it freed no gate of trained circuits of digits, pendigits, letter and adult, and",
    "3 of 8,731 of satimage's, in 2 to 7 seconds; up to three exclusive ors became AND kinds.", "",
)
#: What `hardwire optimize --budget` does, which is no pass.
INEXACT = (
    "## Simplification on samples", "",
    "`hardwire optimize RUN --budget X` also replaces nodes by earlier nets, inverses and constants where the",
    "training samples allow it, and then runs the passes again. The circuit is another function afterwards. With",
    "`X = 0` no training sample changes its class; else `X` is the share of the validation samples that may be",
    "lost: right classes first keep a lead of 8 counts, then 4, 2, 1 and none, then decisions may be lost for",
    "gates, more and more, and the smallest circuit inside the budget is kept. The effect on every training",
    "sample is computed exactly. The record says what was given up under `inexact`; `hardwire verify` proves the",
    "circuit equal to `simplified.net`, which the last passes started from, and reports the check against the",
    "trained network as skipped, with the number of decisions that changed. The head is built anew. A circuit",
    "without a run needs `--data DATASET`.",
)


def passes() -> str:
    """Passes and levels."""
    rows = [f"| `{name}` | {p.doc} |" for name, p in PASSES.items()]
    levels = [f"| `-{name}` | {', '.join(f'`{p}`' for p in steps) or 'nothing'} |" for name, steps in LEVELS.items()]
    return "\n".join([
        "# Passes", "",
        "Generated from `src/hardwire/passes`. A pass maps a circuit to a circuit and keeps the function of its "
        "outputs and of every",
        "net that a macro names; `hardwire verify` proves the result equal to the raw circuit. `hardwire optimize "
        "--prove-each` proves each pass",
        "against its input, macros included; a pass that is wrong or not decided is named, nothing is written, and the "
        "exit code is 1.", "",
        "| pass | what it does |", "|---|---|", *rows, "", "| level | passes, in order |", "|---|---|", *levels, "",
        *DONT_CARES, *INEXACT, ""])


#: Name of a figure -> its head in a table and how it is written.
COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "hard": ("hard", percent), "test_hard": ("hard", percent), "relaxed": ("relaxed", percent),
    "gap": ("relaxed minus hard, points", gap_points), "validation": ("validation", percent),
    "best_step": ("step selected", whole), "train_s": ("training", duration), "gates": ("gates", whole),
    "nodes_raw": ("nodes as trained", whole), "gates_raw": ("gates among them", whole),
    "gates_optimized": ("gates after the passes", whole), "depth": ("depth", whole),
    "min_s": ("minimum", duration), "median_s": ("median", duration), "step_ms": ("a step", milliseconds),
    "min_ms": ("minimum", milliseconds), "median_ms": ("median", milliseconds),
    "transfer_ms": ("transfer", milliseconds),
    "runs": ("runs", whole), "gates_before": ("gates before", whole), "gates_after": ("after", whole),
    "depth_before": ("depth before", whole), "depth_after": ("after", whole), "seconds": ("time", duration),
    "prune": ("pruned", percent), "test": ("by assigned classes", percent), "test_sd": ("deviation, points", spread),
    "test_bayes": ("by the evidence of spikes", percent), "test_linear": ("by a linear read-out", percent),
    "updates_saved": ("updates saved", percent), "seeds": ("seeds", whole), "points": ("change, points", signed),
}  # fmt: skip
VARIANTS = {"hybrid": "2 PCM + 3T1C", "float": "float", "no-inversion": "no polarity inversion", "2pcm": "2 PCM alone"}
VERSIONS = ("python", "numpy", "torch", "numba")
ACCURACY = "hard relaxed gap validation best_step train_s"
TIMES = "min_s median_s runs"
#: Of more runs than this the lowest and the highest figures are shown.
MANY = 5


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Lines of a Markdown table, columns of figures to the right, and a blank line."""
    heads, cells = list(heads), [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    right = [bool(cells) and all(cell[0] in "0123456789+−–" for cell in column) for column in zip(*cells)]
    rule = ["---:" if figures else "---" for figures in right]
    return [*(f"| {' | '.join(line)} |" for line in (heads, rule, *cells)), ""]


def grid(what: str, rows: Mapping[str, Mapping[str, Any]], names: str) -> list[str]:
    """A table with a line for each of ``rows`` and the columns ``names`` that one of them has."""
    used = [name for name in names.split() if any(row.get(name) is not None for row in rows.values())]
    cells = [[key, *("–" if row.get(n) is None else COLUMNS[n][1](row[n]) for n in used)] for key, row in rows.items()]
    return table([what, *(COLUMNS[name][0] for name in used)], cells)


def accuracy(figures: Figures) -> list[str]:
    """Runs of one network: their mean, and each or the lowest and the highest."""
    runs = [{"gap": run["relaxed"] - run["hard"], **run} for run in figures["runs"]]
    rows: dict[str, Figures] = {f"seed {run['seed']}": run for run in runs}
    if len(runs) > MANY:
        rows = {f"{name} of {len(runs)}": {k: pick(run[k] for run in runs) for k in ACCURACY.split()}
                for name, pick in (("lowest", min), ("highest", max))}
    if len(runs) > 1:
        rows = {"mean": figures.get("mean") or figures, **rows}
    size = [f"{whole(runs[0][key])} {what}" for key, what in
            (("nodes_raw", "nodes as trained"), ("weights", "weights"), ("steps", "steps")) if key in runs[0]]
    settings = figures.get("settings") or {}
    moved = settings.get("augment")
    told = {"learned wires": settings.get("learned_layers"), "a teacher": figures.get("teacher"),
            f"samples moved by {moved}": moved}
    size += [what for what, there in told.items() if there]
    return [f"{', '.join(size)}.", "", *grid("run", rows, f"{ACCURACY} gates_optimized")]


def stages(figures: Figures) -> list[str]:
    """Nodes as trained of encoder, network and head, and the gates before and after the passes."""
    return grid("stage", figures["counts"], "nodes_raw gates_raw gates_optimized depth")


def mnist(figures: Figures) -> list[str]:
    """The one run, and its circuit."""
    return [*grid("run", {f"seed {figures['seed']}": figures}, ACCURACY), *stages(figures)]


def parametrisations(figures: Figures) -> list[str]:
    """Ways to write a gate as weights, and ways to train it."""
    return grid("parametrisation, forward pass", figures, "test_hard gap validation step_ms gates")


def train_step(figures: Figures) -> list[str]:
    """Steps, their ratios, memory."""
    steps = {name.replace("_", " "): value for name, value in figures.items()
             if isinstance(value, dict) and "min_s" in value}
    ratios = [(name.replace("_", " "), f"{value:.2f} x") for name, value in figures.items() if name.startswith("ratio")]
    memory = [(f"memory above import, {name.removesuffix('_mb').replace('_', ' ')}", f"{value:.0f} MB")
              for name, value in figures["memory"].items() if name.endswith("_mb")]
    return [*grid("step", steps, TIMES), *table(("figure", "value"), [*ratios, *memory])]


def packed(figures: Figures) -> list[str]:
    """Parts of a call, and rates."""
    parts = {name.replace("_", " "): value for name, value in figures.items() if isinstance(value, dict)}
    rows = [(what, rate(figures[key]), rate(figures[f"{key}_median"])) for what, key in
            (("images", "images_per_s"), ("live gate evaluations", "gate_evaluations_per_s"))]
    first = "load_to_first_answer_s"
    rows.append(("fresh process to first answer", duration(figures[first]), duration(figures[f"{first}_median"])))
    size = f"{whole(figures['network_gates_live'])} live gates, {whole(figures['samples'])} samples, one thread; "
    return [f"{size}{figures['note']}.", "", *grid("part of a call", parts, TIMES),
            *table(("rate", "best", "median"), rows)]


def passes_run(figures: Figures) -> list[str]:
    """What the passes removed, how long they and the proof took."""
    steps = {f"{i} {step['name']}": step for i, step in enumerate(figures["passes"], 1)}
    rows = [("optimisation", duration(figures["optimize_s"])),
            (f"proof, {figures['method']}", duration(figures["prove_s"])),
            ("gates of the network removed", percent(figures["removed"])),
            ("nodes of the network that are no gate afterwards", percent(figures["removed_nodes"]))]
    return [*table(("figure", "value"), rows), *stages(figures),
            *grid("pass", steps, "gates_before gates_after depth_before depth_after seconds")]


def crossbar_mnist(figures: Figures) -> list[str]:
    """Variants side by side, and what they did."""
    seeds = [f"seed {run['seed']}" for run in figures["runs"]]
    to_float, deviation = figures["points_to_float"], figures["deviation"]
    rows = [(VARIANTS[v], percent(mean), signed(to_float[v]) if v in to_float else "–", spread(deviation[v]),
             *(percent(run[v]) for run in figures["runs"]), duration(figures["seconds_an_example"][v]))
            for v, mean in figures["mean"].items()]
    counters = figures["counters"]
    events = [(event.replace("_", " "), *(whole(counters[v][event]) for v in counters)) for event in counters["hybrid"]]
    size = f"{whole(figures['synapses'])} synapses, {figures['settings']['epochs']} epochs, sample by sample."
    return [size, "",
            *table(("variant", "mean", "points to float", "deviation, points", *seeds, "an example"), rows),
            *table(("events while training", *(VARIANTS[v] for v in counters)), events)]


def crossbar_transfer(figures: Figures) -> list[str]:
    """Heads on features of another data set."""
    rows = [(name, whole(f["synapses"]), f["settings"]["epochs"], percent(f["runs"][0]["hybrid"]),
             percent(f["runs"][0]["float"]), signed(f["points_to_float"])) for name, f in figures.items()]
    return table(("data set", "synapses", "epochs", VARIANTS["hybrid"], "float", "points to float"), rows)


def crossbar_step(figures: Figures) -> list[str]:
    """Times of a training step of one sample."""
    names = {"hybrid": VARIANTS["hybrid"], "torch": "torch's SGD", "module": f"{VARIANTS['hybrid']} as a torch module"}
    rows = {f"{said}, {inputs}": figures[name][key] for name, said in names.items()
            for key, inputs in (("sparse", "150 inputs on"), ("dense", "all inputs on"))}
    rows |= {VARIANTS.get(name, name): value for name, value in figures["others"].items()}
    ratio = f"{whole(figures['synapses'])} synapses; {figures['ratio_to_torch']:.2f} x torch's SGD with 150 inputs on."
    return [ratio, "", *grid("one sample", rows, "min_ms median_ms transfer_ms step_ms")]


def spiking_pruning(figures: Figures) -> list[str]:
    """Ways to prune, each a mean over seeds."""
    rows = {row["method"] + (f", {row['prune']:.0%}" if row["prune"] else ""): row
            for row in figures.values() if isinstance(row, dict)}
    return [f"Mean of {figures['seeds']} seeds.", "",
            *grid("pruned", rows, "test test_sd test_bayes test_linear updates_saved")]


def survey(figures: Figures) -> list[str]:
    """Settings and what each reaches on the validation split."""
    return grid("setting", {k: v for k, v in figures.items() if isinstance(v, dict)}, "validation points seeds")


def spiking_diehl_cook(figures: Figures) -> list[str]:
    """Read-outs of one network."""
    rows = [(name, percent(figures[f"{key} test"]), percent(figures[f"{key} validation"])) for name, key in
            (("assigned classes", "assigned"), ("evidence of spikes", "bayes"), ("linear read-out", "linear"))]
    size = f"{figures['outputs']} outputs, {figures['epochs']} epoch, {duration(figures['train_s'])} of training."
    return [size, "", *table(("read-out", "test", "validation"), rows)]


def spiking_speed(figures: Figures) -> list[str]:
    """Training samples in a second, beside others measured before."""
    rows = [("best", rate(figures["samples_per_s_best"])), ("median", rate(figures["samples_per_s_median"])),
            ("three epochs at the median", duration(figures["three_epochs_s_at_median"]))]
    rows += [(name.removesuffix(", samples/s"), rate(value)) for name, value in figures.items() if "samples/s" in name]
    size = (f"{figures['inputs']} inputs, {figures['outputs']} outputs, {figures['steps']} steps a sample, "
            f"{figures['cells']} cells.")
    return [size, "", *table(("training samples", "rate"), rows)]


def flat(figures: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Names and values of nested figures, numbers with four digits."""
    items = figures.items() if isinstance(figures, dict) else enumerate(figures) if isinstance(figures, list) else ()
    for name, value in items:
        if isinstance(value, dict | list):
            yield from flat(value, f"{prefix}{name}, ")
        else:
            yield f"{prefix}{name}", four_digits(value) if isinstance(value, float) and value else value


def cheapest(figures: Figures) -> list[str]:
    """Each seed's circuit: accuracy, price and where it is, and how it was proved."""
    rows = []
    for run in figures["runs"]:
        tables = run.get("luts_by_stage", run.get("tables"))
        stages = tables or {name: stage["gates"] for name, stage in run["stages"].items()}
        where = " + ".join(whole(stages[name]) for name in ("encoder", "network", "head"))
        price = f"{whole(sum(stages.values()))} tables" if tables else f"{whole(round(run['ge']))} GE"
        rows.append((run["seed"], percent(run["test"]), percent(run["validation"]), price, where,
                     duration(sum(run.get("searches_s", [run["search_s"]]))), run["rounds"]))
    parts = f"encoder + network + head, {'tables' if tables else 'gates'}"
    heads = ("seed", "test", "validation", "price", parts, "search", "best round")
    checks = ", ".join(f"{name}: {verdict}" for name, verdict in (run["verified"] | run.get("mapped", {})).items())
    tool = run.get("tool", "own cover").split(" (")[0]
    return [*table(heads, rows), f"Checked ({tool}): {checks}.", ""]


def silicon(figures: Figures) -> list[str]:
    """Circuits placed and routed, and heads of 8,000 bits."""
    rows = []
    for name in ("routed", "small"):
        run, flow = figures[name], figures[name]["flow"]
        reached = ", ".join(f"{mhz:.1f}" for mhz in run["reached_mhz_by_seed"].values())
        rows.append((name, percent(run["hard"]), f"{whole(run['tables'])}, {run['levels']} levels", flow["device"],
                     ", ".join(f"{whole(count)} {kind}" for kind, count in flow["cells"].items() if count), reached,
                     f"{run['latency_clocks']} clocks, {run['latency_ns']:.1f} ns", flow["verified"]))
    heads = ("circuit", "test", "six-input tables", "device", "cells", "MHz by seed", "latency", "netlist")
    goals = [(goal, head["levels"], f"{whole(head['nodes'])} of up to {head['node_inputs']} inputs")
             for goal, head in figures["head_8000"].items()]
    return [*table(heads, rows), *table(("head of 8,000 bits", "levels", "nodes"), goals)]


def tables_baseline(figures: Figures) -> list[str]:
    """Whole circuits of tables, by set."""
    sets = {name: each for name, each in figures.items() if isinstance(each, dict) and "runs" in each}
    return table(("data set", "validation", "test", "gates", "GE"), [
        (name, percent(each["validation"]), percent(each["test"]), *(whole(round(each[k])) for k in ("gates", "ge")))
        for name, each in sets.items()])


def choosing(figures: Figures) -> list[str]:
    """Chosen settings beside boosted trees, by set."""
    rows = []
    for name, each in figures["sets"].items():
        trees = percent(each["trees"]) if "trees" in each else "–"
        rows.append((name, "fitted" if name in figures["fitted"] else "checked", whole(each["samples"]),
                     each["features"], each["classes"], percent(each["hard"]), trees, gap_points(each["gap"]),
                     whole(each["nodes"]), each["steps"], duration(each["train_s"])))
    mean = []
    if "trees" in figures:
        mean = [f"Mean of the tables: {percent(figures['tables'])}, boosted trees {percent(figures['trees'])}.", ""]
    return [*table(("data set", "rules", "samples", "features", "classes", "test", "boosted trees", "gap", "nodes",
                    "steps", "training"), rows), *mean]


CHEAPEST = ("mnist_1400", "mnist_2600", "mnist_4200", "mnist_7500", "mnist_15000", "mnist_700_luts", "mnist_1400_luts",
            "mnist_2800_luts", "digits", "fashion", "letter", "satimage", "pendigits", "adult", "connect_4")
#: Published whole circuits on the open board of July 2026: name -> (GE, test accuracy in per cent).
BOARD = {
    "boosted trees": ((1577, 81.92), (3027, 88.59), (7711, 93.99), (15449, 96.08), (29776, 96.82), (61304, 97.31)),
    "gradient networks": ((7514, 87.89), (32425, 93.41), (52973, 95.35), (156861, 96.93)),
    "population search": ((2109, 88.21), (4214, 90.17), (7471, 91.37)),
}


def picture() -> str:
    """Accuracy against gate equivalents on MNIST: the kept results beside the board's published points, as SVG."""
    kept = [json.loads(path.read_text())["figures"] for path in
            sorted((HERE.parent / "benchmarks" / "results").glob("cheapest_mnist_*.json"))]
    own = sorted((run["ge"], 100 * run["test"]) for figures in kept for run in figures["runs"] if "ge" in run)
    series = {"Hardwire, exact search": own, **BOARD}
    colours = ("#c0392b", "#2c6fbb", "#6b8e23", "#888888")

    def place(ge: float, accuracy: float) -> tuple[float, float]:
        return 70 + 520 * (math.log10(ge) - 3) / 2.25, 350 - 310 * (accuracy - 80) / 20

    lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" font-family="sans-serif" font-size="13">',
             '<rect width="640" height="400" fill="white"/>']
    for ge in (1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000):
        x, _ = place(ge, 80)
        lines += [f'<line x1="{x:.1f}" y1="40" x2="{x:.1f}" y2="350" stroke="#e4e4e4"/>',
                  f'<text x="{x:.1f}" y="368" text-anchor="middle">{ge:,}</text>']
    for accuracy in range(80, 101, 5):
        _, y = place(1000, accuracy)
        lines += [f'<line x1="70" y1="{y:.1f}" x2="590" y2="{y:.1f}" stroke="#e4e4e4"/>',
                  f'<text x="62" y="{y + 4:.1f}" text-anchor="end">{accuracy}</text>']
    lines += ['<text x="330" y="390" text-anchor="middle">whole circuit, NAND2 equivalents (sky130 hd, the board\'s '
              'script)</text>', '<text x="70" y="26">MNIST, test accuracy in per cent</text>']
    for i, ((name, points_), colour) in enumerate(zip(series.items(), colours)):
        placed = [place(*point) for point in points_]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in placed]
        lines += [f'<circle cx="410" cy="{250 + 22 * i}" r="4" fill="{colour}"/>',
                  f'<text x="422" y="{254 + 22 * i}">{name}</text>']
    return "\n".join([*lines, "</svg>", ""])


#: Subject -> benchmark -> what it shows of its figures.
SUBJECTS: dict[str, dict[str, Callable[[Figures], list[str]]]] = {
    "Accuracy of logic networks": {
        "digits": accuracy, "mnist": mnist,
        **dict.fromkeys(("mnist_6_layers", "mnist_12_layers", "mnist_8000", "mnist_72000", "mnist_logictreenet_s",
                         "cifar10_dense", "cifar10_logictreenet_s", "uci_monk1", "uci_monk2", "uci_monk3", "uci_adult",
                         "uci_breast_cancer"), accuracy),
        "choosing": choosing, "parametrisations": parametrisations},
    "Speed of logic networks": {"train_step": train_step, "packed": packed},
    "Cheapest whole circuits": {
        **dict.fromkeys((f"cheapest_{name}" for name in CHEAPEST), cheapest), "tables_baseline": tables_baseline},
    "Silicon": {"silicon_mnist": silicon},
    "Passes": {"optimize": passes_run},
    "Crossbars": {
        "crossbar_mnist": crossbar_mnist, "crossbar_transfer": crossbar_transfer, "crossbar_step": crossbar_step},
    "Spiking networks": {
        "spiking_pruning": spiking_pruning, "spiking_sweep": survey, "spiking_mixture": survey,
        "spiking_diehl_cook": spiking_diehl_cook, "spiking_speed": spiking_speed},
}  # fmt: skip


def results() -> str:
    """The kept results of all benchmarks by subject: an overview, then goal, figures, machine and commit of each."""
    files = sorted((HERE.parent / "benchmarks" / "results").glob("*.json"))
    kept = {path.stem: json.loads(path.read_text()) for path in files}
    known = {name for members in SUBJECTS.values() for name in members}
    unknown = sorted(kept.keys() - known)
    others = {"Others": dict.fromkeys(unknown, lambda figures: table(("figure", "value"), flat(figures)))}
    overview, pages = [], []
    for subject, members in (SUBJECTS | others).items():
        there = {name: show for name, show in members.items() if name in kept}
        pages += [f"## {subject}", ""] if there else []
        for name, show in there.items():
            overview.append((f"[{name}](#{name})", *goal(kept[name])))
            pages += [f"### {name}", "", *reached(kept[name]), *show(kept[name]["figures"]), provenance(kept[name]), ""]
    return "\n".join([
        "# Results", "",
        "Generated from `benchmarks/results`, whose files hold every figure and setting. A script in `benchmarks`",
        "wrote each, and refuses to report when its check of correctness fails. Accuracies are of the test split",
        "unless a column says otherwise. Nodes as trained are gates, wires and constants once they are frozen; wires",
        "and constants are no gates and cost nothing. Times are of a shared machine: compare ratios within one run.",
        "",
        *table(("benchmark", "goal", "met"), overview), *pages])


def goal(result: Mapping[str, Any]) -> tuple[str, str]:
    """What the benchmark is to reach, and whether it did; an accuracy of at least 0 is no goal."""
    stated = str(result["goal"]).replace("mean hard test accuracy >= 0.0, ", "")
    return (stated, MET[result["met"]]) if not stated.startswith("none: ") else ("none", stated.removeprefix("none: "))


def reached(result: Mapping[str, Any]) -> list[str]:
    """The goal and whether it was met; of several goals each."""
    goals = result.get("goals") or []
    if goals:
        return table(("goal", "reached", "met"), [(g["goal"], four_digits(g["value"]), MET[g["met"]]) for g in goals])
    return ["Goal: {}; {}.".format(*goal(result)), ""]


def provenance(result: Mapping[str, Any]) -> str:
    """Machine, threads, versions, commit and date on a line."""
    environment, threads = result["environment"], result["figures"].get("threads")
    machine, versions, commit = environment["machine"], environment["versions"], environment.get("commit")
    parts = [machine["cpu"], plural(machine["cores"], "core"), f"{machine['memory_bytes'] / 2**30:.1f} GiB",
             *([plural(threads, "thread") + " used"] if threads else []),
             *(f"{name} {versions[name]}" for name in VERSIONS if name in versions),
             f"commit {commit[:12]}{'-dirty' * commit.endswith('-dirty')}" if commit else "commit not recorded",
             environment["date"][:10], *([result["note"]] if result.get("note") else [])]
    return f"<small>{', '.join(parts)}</small>"


def settings() -> str:
    """Return the settings of the three hardwares, one table each."""
    lines = ["# Settings", "",
             "Generated from `settings.py` of `logic`, `crossbar` and `spiking` in `src/hardwire`. Every setting is a "
             "line of a run's",
             "`config.toml` and an option of its verb: `gate_penalty = 0.02` is `--gate-penalty 0.02`, or "
             "`--set gate_penalty=0.02`.",
             "Presets of a data set come in place of some defaults.", ""]
    for verb, kind in (("train", LogicSettings), ("crossbar", CrossbarSettings), ("spiking", SpikingSettings)):
        lines += [f"## `hardwire {verb}`", "", "| setting | value | default | what it is |", "|---|---|---|---|"]
        lines += [setting(kind, name) for name in kind.model_fields]
        lines.append("")
    return "\n".join(lines)


def setting(kind: type[Settings], name: str) -> str:
    """Return a row of the table of settings."""
    field, values = kind.model_fields[name], kind.kind_of(name)
    kinds = " ".join(filter(None, [values.words, values.bounds]))
    words = ", ".join(f"`{choice}`" for choice in values.choices) or kinds
    words = f"a list of {words}" if values.is_list and values.choices else words
    text = " ".join((field.description or "").split()).replace("|", "\\|")
    return f"| `{name}` | {words} | `{json.dumps(field.default)}` | {text} |"


PAGES = {"gates.md": gates, "passes.md": passes, "results.md": results, "settings.md": settings,
         "cheapest.svg": picture}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
