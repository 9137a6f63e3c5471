"""The command line: thin, one function a verb. A mistake ends with one sentence and exit code 2, a refuted proof with 1."""

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path

from .. import __doc__ as DESCRIPTION
from .. import __version__
from ..core.errors import HardwireError, InputError
from . import crossbar as crossbar_command
from . import spiking as spiking_command

EXAMPLES = {
    "demo": "hardwire demo --out demo-out",
    "train": "hardwire train mnist --out runs/mnist --seed 1\n  hardwire train my.csv --label species --out runs/mine\n"
             "  hardwire train house.csv --set task=regress --label price --out runs/house\n"
             "  hardwire train tags.csv --set task=multilabel --label rain,wind --out runs/tags",
    "lower": "hardwire lower runs/mnist",
    "optimize": "hardwire optimize runs/mnist -O2\n  hardwire optimize adder.aig --out adder.net",
    "show": "hardwire show runs/mnist\n  hardwire show xor.net --full",
    "emit": "hardwire emit runs/mnist --to c --out firmware\n  hardwire emit runs/mnist --to verilog --pipeline 4 --out rtl",
    "verify": "hardwire verify runs/mnist\n  hardwire verify a.net --against b.blif\n"
              "  hardwire verify runs/mnist --against rtl/mnist.v",
    "run": "hardwire run runs/mnist --input images.npy --output classes.npy\n"
           "  hardwire run xor.net --input bits.npy --backend verilog --json",
    "report": "hardwire report runs/mnist",
    "sweep": "hardwire sweep digits --space space.toml --out sweeps/digits --sampler tpe --trials 50\n"
             "  hardwire sweep --show sweeps/digits\nspace.toml:\n  width = [1000, 2000]\n  seed = [0, 1, 2]\n  steps = 1000\n"
             "  learning_rate = {low = 0.01, high = 0.2, log = true}",
    "bench": "hardwire bench\n  hardwire bench train --json",
    "crossbar": crossbar_command.EXAMPLE,
    "spiking": spiking_command.EXAMPLE,
}


#: Of the processes that ``torchrun`` started, the first one speaks.
FIRST = os.environ.get("RANK", "0") == "0"


def say(text: str) -> None:
    """Progress goes to standard error, so that standard output stays the answer."""
    if FIRST:
        print(text, file=sys.stderr, flush=True)


def show_progress(m: dict, task: str = "classify") -> None:
    minutes, seconds = divmod(round(m["seconds_left"]), 60)
    say(f"step {m['step']:>6}/{m['steps']}  loss {m['loss']:.4f}  validation relaxed {figure(m['relaxed'], task)}  "
        f"hard {figure(m['hard'], task)}  {m['seconds']:.0f} s, {minutes}:{seconds:02} left")


def figure(value: float, task: str) -> str:
    """A figure of merit in words."""
    return f"R2 {value:.4f}" if task == "regress" else f"{100 * value:.2f} %"


def answer(args, data: dict, text: str) -> None:
    """The one thing that goes to standard output."""
    if FIRST:
        print(json.dumps(data, indent=1, default=plain) if args.json else text.rstrip("\n"), flush=True)


def plain(value):
    """NumPy's numbers and arrays as Python's."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def demo(args) -> int:
    """The main job on the embedded digits: train, freeze, optimise, emit C and Verilog, prove, cost, report."""
    from ..logic.settings import preset
    from ..report import format_text
    from ..workflow import steps as runs

    out, config = Path(args.out), with_options(preset("digits"), args)
    clear_demo(out)
    say("1/6 train on the embedded digits")
    runs.train_run(config, out, progress=show_progress)
    say("2/6 freeze into gates")
    runs.lower_run(out)
    say("3/6 optimise")
    runs.optimize_run(out, progress=say)
    say("4/6 emit C and Verilog")
    for target in ("c", "verilog"):
        runs.emit_circuit(runs.circuit_of(out), target, out / target)
    say("5/6 prove and simulate")
    verdicts = runs.verify_run(out, progress=say)
    say("6/6 measure and report")
    record = runs.report_run(out)
    answer(args, record, format_text(record, folder=out))
    return exit_code(verdicts)


def clear_demo(out: Path) -> None:
    """Make the demo's folder, or empty an earlier demo's; a folder with anything else in it is left alone."""
    import shutil

    from ..core.files import write_text

    if out.is_dir() and (out / DEMO).is_file():
        shutil.rmtree(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists and is no earlier demo; choose another folder with --out")
    write_text(out / DEMO, "Written by `hardwire demo`, which empties this folder when it runs again.\n")


DEMO = "demo.txt"

#: Options of `train`: name -> (type, help).
SETTINGS = {
    "seed": (int, "of the split, the wiring, the weights and the order of samples"),
    "steps": (int, "optimizer steps"),
    "layers": (int, "layers of gates"),
    "width": (int, "gates in each layer"),
    "levels": (int, "thresholds for each feature"),
    "edges": (int, "thresholds of the edge detectors of an image in each direction"),
    "batch": (int, "samples in each step"),
    "learning_rate": (float, "of AdamW, at its highest"),
    "gate_penalty": (float, "weight in the loss of gates that cost: larger leaves fewer of them"),
    "parametrisation": (str, "weights of a gate: table, softmax, walsh or covjac"),
    "encoder": (str, "rule of the thresholds: threshold, uniform or quantile"),
    "label": (str, "name of a table's label column (default: the last one); of task regress or multilabel several with commas between"),
}


def with_options(config, args):
    """``config`` with the settings given on the command line."""
    given = {k: getattr(args, k, None) for k in SETTINGS}
    config = dataclasses.replace(config, **{k: v for k, v in given.items() if v is not None})
    return config.with_text("\n".join(getattr(args, "set", None) or ()), "--set")


def settings(args, out: Path):
    """The configuration to train: a run's own when it is resumed, else a file's or the data set's preset, with options."""
    from ..logic.settings import Config

    stored = args.resume and (out / "config.toml").is_file()
    config = Config.load(out / "config.toml") if stored else model_settings(args)
    return with_options(dataclasses.replace(config, dataset=args.dataset), args)


def model_settings(args):
    """The settings that ``--model`` names: a file, a published network, or else the data set's preset."""
    from ..logic.settings import Config, preset
    from ..logic.zoo import published

    if not args.model:
        return preset(args.dataset)
    if args.model.endswith(".toml") or Path(args.model).is_file():
        return Config.load(args.model)
    return published(args.model, args.dataset, args.recipe)


def train(args) -> int:
    """Train a logic network into a run directory."""
    from ..workflow import steps as runs

    out = Path(args.out)
    config = settings(args, out)
    if args.resume and (out / "model.safetensors").exists():
        say(f"{out} is finished already")
    else:
        dataset = runs.dataset_of(config, args.data_dir)
        say(f"train {shape_of(config, len(dataset.classes))} on {len(dataset.train.y)} samples for {config.steps} steps")
        runs.train_run(config, out, dataset=dataset, resume=args.resume, progress=lambda m: show_progress(m, config.task))
    if not FIRST:  # the run directory is the first one's
        return 0
    best = runs.best_of(out)
    said = f"{out}: validation hard {figure(best['hard'], config.task)} at step {best['step']}"
    answer(args, {"run": str(out), "best": best}, said)
    return 0


def shape_of(config, classes: int) -> str:
    """The network's size in words."""
    widths = config.widths_for(classes)
    dense = f"{len(widths)} layers of {widths[0]}" if len(set(widths)) == 1 else " + ".join(map(str, widths))
    return f"{len(config.channels)} convolutions and {dense} gates" if config.channels else f"{dense} gates"


def lower(args) -> int:
    """Freeze a trained run into an exact circuit."""
    from ..workflow import steps as runs

    circuit, target = runs.lower_run(args.run), Path(args.run) / runs.RAW
    answer(args, describe(circuit, target), summary(circuit, target))
    return 0


def optimize(args) -> int:
    """Run the passes of a level; statistics for each."""
    from ..circuit import save_circuit
    from ..passes import optimize
    from ..workflow import steps as runs

    path, level = Path(args.circuit), f"O{args.level}"
    if path.is_dir() and not args.out:
        circuit, target = runs.optimize_run(path, level=level, progress=say), path / runs.OPTIMIZED
        passes = runs.notes(path)["optimize"]["passes"]
    else:
        circuit = runs.raw_circuit(path) if path.is_dir() else runs.circuit_of(path)
        circuit, statistics = optimize(circuit, level=level, progress=say)
        target = save_circuit(circuit, args.out or path.with_suffix(".opt.net"))
        passes = [dataclasses.asdict(s) for s in statistics]
    lines = [f"{p['name']:<12} {p['gates_before']:>8} -> {p['gates_after']:>8} gates  {p['seconds']:.2f} s" for p in passes]
    answer(args, describe(circuit, target) | {"passes": passes}, "\n".join([*lines, summary(circuit, target)]))
    return 0


def describe(circuit, path) -> dict:
    from ..cost import stage_costs

    return {"file": str(path), "name": circuit.name, "digest": circuit.digest, "nodes": circuit.n_nodes,
            "depth": circuit.depth, "counts": stage_costs(circuit), "labels": list(circuit.labels),
            "inputs": [{"name": w.name, "width": w.width, "offset": w.offset, "step": w.step} for w in circuit.inputs],
            "outputs": [{"name": w.name, "width": w.width} for w in circuit.outputs]}


def summary(circuit, path) -> str:
    from ..cost import stage_costs

    counts = stage_costs(circuit)
    parts = ", ".join(f"{stage} {c['gates']:,} gates, depth {c['depth']}" for stage, c in counts.items())
    return f"{path}: {circuit.n_nodes:,} nodes; {parts}; digest {circuit.digest[:16]}"


def show(args) -> int:
    """Print and count a circuit."""
    from ..workflow import steps as runs

    circuit = runs.circuit_of(args.circuit)
    answer(args, describe(circuit, args.circuit), str(circuit) if args.full else summary(circuit, args.circuit))
    return 0


def emit(args) -> int:
    """Write a circuit for a target."""
    from ..workflow import steps as runs

    files = runs.emit_circuit(runs.circuit_of(args.circuit), args.to, args.out, pipeline=args.pipeline)
    answer(args, {"files": [str(f) for f in files]}, "\n".join(map(str, files)))
    return 0


def verify(args) -> int:
    """Prove or refute; a counterexample when refuted."""
    from ..verify import prove
    from ..workflow import steps as runs

    path = Path(args.circuit)
    if args.against:
        mine = runs.circuit_of(path)
        theirs = runs.verilog_circuit(args.against, like=mine) if args.against.endswith(".v") else runs.circuit_of(args.against)
        say(f"verify: {args.circuit} against {args.against}")
        verdicts = {"equivalence": prove(mine, theirs)}
    elif path.is_dir() and (path / "model.safetensors").exists():
        verdicts = runs.verify_run(path, data_dir=args.data_dir, progress=say)
    else:
        verdicts = runs.verify_circuit(runs.circuit_of(path), progress=say)
    data = {name: dataclasses.asdict(v) | {"verdict": str(v)} for name, v in verdicts.items()}
    answer(args, data, "\n".join(line for name, v in verdicts.items() for line in explain(name, v)))
    return exit_code(verdicts)


def explain(name: str, verdict) -> list[str]:
    """A verdict as lines, with the counterexample when there is one."""
    lines = [f"{name:<28} {verdict}" + f": {verdict.detail}" * bool(verdict.status == "refuted" and verdict.detail)]
    if verdict.counterexample is not None:
        ones = ", ".join(f"{word} = {code}" for word, code in verdict.counterexample.items() if code)
        lines.append(f"  counterexample: {ones + ', every other input 0' if ones else 'every input 0'}")
    for side, outputs in zip(("expected", "found"), verdict.outputs or ()):
        lines.append(f"  {side}: " + ", ".join(f"{word} = {code}" for word, code in outputs.items()))
    return lines


def exit_code(verdicts: dict) -> int:
    """1 when anything is refuted or was not decided; what was skipped is said, and is no failure."""
    return int(any(v.status in ("refuted", "unknown") for v in verdicts.values()))


def run(args) -> int:
    """Classify samples from a .npy file."""
    from ..workflow import steps as runs
    from ..workflow.classify import executor, load_samples, named_rows, save_array

    circuit = runs.circuit_of(args.circuit)
    x = circuit.codes(load_samples(args.input, circuit))
    say(f"run {len(x)} samples: {args.backend}")
    out = executor(args.backend)(circuit)(x)
    if args.output:
        save_array(args.output, out)
    outputs = runs.notes(args.circuit).get("lower", {}).get("outputs", []) if Path(args.circuit).is_dir() else []
    rows = named_rows(circuit, out, outputs)
    text = "\n".join(row.get("label") or " ".join(map(short, row.get("values", row).values())) for row in rows)
    answer(args, {"outputs": rows}, f"{len(out)} samples -> {args.output}" if args.output else text)
    return 0


def short(value) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def report(args) -> int:
    """The record as text, JSON and HTML."""
    from ..report import format_text
    from ..workflow import steps as runs

    record = runs.report_run(args.run, data_dir=args.data_dir)
    answer(args, record, format_text(record, folder=Path(args.run)))
    return 0


def sweep(args) -> int:
    """Run a grid or a search over settings; the front of validation accuracy against gates."""
    from .. import tuning as sweeps
    from ..report.front import format_front

    if args.show:
        if args.dataset or args.space or args.out:
            raise InputError("--show DIR stands alone; leave the data set, --space and --out out")
        front = sweeps.show(args.show, storage=args.storage)
    elif not (args.dataset and args.space and args.out):
        raise InputError("sweep needs a data set, --space and --out, or --show DIR; see `hardwire sweep --help`")
    else:
        front = sweeps.sweep(args.dataset, sweeps.read_space(args.space), args.out, trials=args.trials, storage=args.storage,
                             name=args.name, sampler=args.sampler, timeout=args.timeout, optimized=args.optimized,
                             data_dir=args.data_dir, say=say, progress=show_progress)
    answer(args, front, f"{format_front(front)}\n{Path(args.show or args.out) / 'front.html'}")
    return 0


def bench(args) -> int:
    """Run a benchmark, or list them with their goals; refused, with exit code 1, when its check of correctness fails."""
    from .. import bench as benchmarks

    if not args.name:
        goals = {name: {"what": b.what, "goals": [str(g) for g in b.goals]} for name, b in benchmarks.BENCHMARKS.items()}
        answer(args, goals, "\n".join(f"{name}: {b['what']}; goals: {'; '.join(b['goals'])}" for name, b in goals.items()))
        return 0
    try:
        result = benchmarks.run(args.name, runs=args.runs, say=say)
    except benchmarks.Refused as refused:
        say(f"hardwire: {refused}")
        return 1
    answer(args, result, benchmarks.format_result(result))
    return 0


def crossbar(args) -> int:
    """Train a network in analog memory into a run directory, or fit a device."""
    if args.what == "fit":
        return crossbar_command.fit(args, answer)
    from ..report import format_text
    from ..workflow import steps as runs

    config = crossbar_command.settings(args)
    record = runs.crossbar_run(config, args.out, data_dir=args.data_dir, resume=args.resume, say=say,
                               progress=crossbar_command.progress(config, say))
    answer(args, record, format_text(record, folder=Path(args.out)))
    return 0


def spiking(args) -> int:
    """Train a spiking network on an array of memory cells into a run directory, without labels; prune it, compare ways to prune."""
    from ..report import format_text
    from ..workflow import steps as runs

    shares = spiking_command.shares(args)
    record = runs.spiking_run(spiking_command.settings(args), args.out, data_dir=args.data_dir, resume=args.resume, shares=shares,
                              seeds=args.seeds, progress=spiking_command.progress(say),
                              contender_progress=spiking_command.contender_progress(say))
    answer(args, record, format_text(record, folder=Path(args.out)))
    return 0


class Parser(argparse.ArgumentParser):
    """Mistakes on the command line are errors like all others."""

    def error(self, message):
        raise InputError(f"{message}; see `{self.prog} --help`")


def parser() -> Parser:
    top = Parser(prog="hardwire", description=DESCRIPTION)
    top.add_argument("--version", action="version", version=__version__)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(function, *places):
        p = verbs.add_parser(function.__name__, help=function.__doc__.splitlines()[0], description=function.__doc__,
                             epilog=f"example:\n  {EXAMPLES[function.__name__]}",
                             formatter_class=argparse.RawDescriptionHelpFormatter)
        for place in places:
            p.add_argument(place, metavar=place.upper(), help=PLACES[place])
        p.add_argument("--json", action="store_true", help="print machine-readable JSON")
        p.add_argument("--debug", action="store_true", help="show the traceback of an error")
        p.set_defaults(function=function)
        return p

    p = verb(demo)
    p.add_argument("--out", default="demo-out", metavar="DIR", help="run directory (default: demo-out)")
    settings_options(p, "seed", "steps")
    p = verb(train, "dataset")
    p.add_argument("--out", required=True, metavar="DIR", help="run directory")
    p.add_argument("--model", metavar="NAME", help="a published network such as logictreenet-s or dlgn-48k, or a .toml file of "
                   "settings, as config.toml of a run")
    p.add_argument("--recipe", default="hardwire", choices=["hardwire", "paper"],
                   help="hyperparameters of a published network: ours or the paper's (default: hardwire)")
    p.add_argument("--set", action="append", metavar="NAME=VALUE", help="any setting of config.toml, as in --set widths=[4000,4000]")
    p.add_argument("--resume", action="store_true", help="go on where a killed run was")
    data_dir(p)
    settings_options(p, *SETTINGS)
    verb(lower, "run")
    p = verb(optimize, "circuit")
    p.add_argument("-O", dest="level", type=int, choices=[0, 1, 2], default=2, help="level (default: 2)")
    p.add_argument("--out", metavar="FILE", help="the optimised .net file (default: beside CIRCUIT, or in the run directory)")
    p = verb(show, "circuit")
    p.add_argument("--full", action="store_true", help="print every net")
    p = verb(emit, "circuit")
    p.add_argument("--to", required=True, choices=["c", "verilog", "blif", "aiger"])
    p.add_argument("--out", required=True, metavar="DIR", help="folder")
    p.add_argument("--pipeline", type=int, default=0, metavar="N", help="Verilog: a register every N levels")
    p = verb(verify, "circuit")
    p.add_argument("--against", metavar="FILE", help="another circuit, run directory, or emitted Verilog file (.v)")
    data_dir(p)
    p = verb(run, "circuit")
    p.add_argument("--input", required=True, metavar="FILE", help=".npy array (samples, input words)")
    p.add_argument("--output", metavar="FILE", help=".npy file for the output codes")
    p.add_argument("--backend", default="packed", choices=["packed", "c", "interpreter", "verilog"],
                   help="what computes (default: packed)")
    p = verb(report, "run")
    data_dir(p)
    sweep_options(verb(sweep))
    p = verb(bench)
    p.add_argument("name", nargs="?", metavar="NAME", help="which one (default: list them)")
    p.add_argument("--runs", type=int, default=60, metavar="N", help="repetitions of everything timed (default: 60)")
    p = verb(crossbar)
    crossbar_command.options(p)
    data_dir(p)
    p = verb(spiking, "dataset")
    spiking_command.options(p)
    data_dir(p)
    return top


def sweep_options(p) -> None:
    p.add_argument("dataset", nargs="?", metavar="DATASET", help=PLACES["dataset"])
    p.add_argument("--space", metavar="FILE", help="TOML: lists are choices, {low, high, log, step} ranges, single values fixed")
    p.add_argument("--out", metavar="DIR", help="folder of the sweep; the same again shares its work or goes on with it")
    p.add_argument("--show", metavar="DIR", help="only write and print the front of a sweep as it stands")
    p.add_argument("--trials", type=int, metavar="N", help="trials over all calls (default: the whole grid, 30 of a search)")
    p.add_argument("--sampler", choices=["grid", "random", "tpe", "nsga2"],
                   help="default: the grid if the space has lists and stepped ranges only, else tpe")
    p.add_argument("--storage", metavar="URL", help="database that processes share (default: a journal in the folder)")
    p.add_argument("--name", default="sweep", help="of the study in the storage (default: sweep)")
    p.add_argument("--timeout", type=float, metavar="S", help="begin no trial after S seconds")
    p.add_argument("--optimized", action="store_true", help="count gates after the passes, not as trained")
    data_dir(p)
    settings_options(p)


PLACES = {
    "dataset": "a name (digits, mnist, fashion-mnist, cifar10, cifar100, monk1, adult, iris, letter, ...) or a .csv, .tsv or .npz file",
    "run": "run directory of `hardwire train`",
    "circuit": "circuit file (.net, .aig, .aag, .blif) or run directory",
}


def data_dir(p) -> None:
    p.add_argument("--data-dir", metavar="DIR", help="where data sets lie (default: $HARDWIRE_DATA, then the user's cache)")


def settings_options(p, *names) -> None:
    for name in names:
        kind, text = SETTINGS[name]
        p.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=kind.__name__.upper(), help=text)
    p.add_argument("--threads", type=int, metavar="N", help="threads for training (default: all cores); the result is the same")


def main(argv=None) -> int:
    """Run one command; the exit code is 0, 1 when a proof fails, 2 for an error, 130 and 141 when interrupted."""
    args = argparse.Namespace(debug=False, verb="", threads=None)
    try:
        parser().parse_args(argv, args)
        if args.threads is not None:
            set_threads(args.threads)
        return args.function(args)
    except BrokenPipeError:  # the reader has gone, as in `hardwire show ... | head`
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return 141
    except KeyboardInterrupt:
        ways = {"train": "; `--resume` goes on from the last checkpoint", "sweep": "; the same command goes on",
                **dict.fromkeys(("crossbar", "spiking"), "; `--resume` goes on from the last checkpoint")}
        say("hardwire: interrupted" + ways.get(args.verb, ""))
        return 130
    except (HardwireError, OSError, MemoryError) as error:
        if args.debug:
            raise
        print(f"hardwire: {' '.join(str(error).split()) or 'not enough memory'}", file=sys.stderr, flush=True)
        return 2


def set_threads(n: int) -> None:
    if n < 1:
        raise InputError(f"--threads {n}: use at least 1")
    import torch

    torch.set_num_threads(n)


if __name__ == "__main__":
    sys.exit(main())
