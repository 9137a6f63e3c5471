"""The command line: thin, one function a verb. A user's mistake ends with one sentence and exit code 2, a refuted proof with 1."""

import argparse
import json
import sys
from pathlib import Path

from . import __version__
from .errors import HardwireError, InputError

EXAMPLES = {
    "demo": "hardwire demo --out demo-out",
    "train": "hardwire train mnist --out runs/mnist --seed 1\n  hardwire train my.csv --label species --out runs/mine",
    "lower": "hardwire lower runs/mnist",
    "optimize": "hardwire optimize runs/mnist -O2\n  hardwire optimize adder.aig --out adder.net",
    "show": "hardwire show runs/mnist\n  hardwire show xor.net --full",
    "emit": "hardwire emit runs/mnist --to c --out firmware\n  hardwire emit runs/mnist --to verilog --pipeline 4 --out rtl",
    "verify": "hardwire verify runs/mnist\n  hardwire verify a.net --against b.blif",
    "run": "hardwire run runs/mnist --input images.npy --output classes.npy",
    "report": "hardwire report runs/mnist",
}


def say(text: str) -> None:
    """Progress goes to standard error, so that standard output stays the answer."""
    print(text, file=sys.stderr, flush=True)


def show_progress(m: dict) -> None:
    left = m["seconds_left"]
    say(f"step {m['step']:>6}/{m['steps']}  loss {m['loss']:.4f}  validation relaxed {100 * m['relaxed']:.2f} %  "
        f"hard {100 * m['hard']:.2f} %  {m['seconds']:.0f} s, {left // 60:.0f}:{left % 60:02.0f} left")


def answer(args, data: dict, text: str) -> None:
    print(json.dumps(data, indent=1, default=str) if args.json else text)


def demo(args) -> int:
    """The main job on the embedded digits: train, freeze, optimise, emit C and Verilog, prove, cost, report."""
    from . import runs
    from .nn.config import preset
    from .report import format_text

    out = Path(args.out)
    clear_demo(out)
    say("1/6 train on the embedded digits")
    runs.train_run(with_options(preset("digits"), args), out, progress=show_progress)
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
    """Empty the demo's folder, if it is one; a folder with other things in it is left alone."""
    import shutil

    if not out.exists():
        return
    if not out.is_dir() or (any(out.iterdir()) and not (out / "config.toml").is_file()):
        raise InputError(f"{out} exists and is no earlier demo; choose another folder with --out")
    shutil.rmtree(out)


def with_options(config, args):
    """``config`` with the settings given on the command line."""
    import dataclasses

    given = {k: getattr(args, k, None) for k in SETTINGS}
    return dataclasses.replace(config, **{k: v for k, v in given.items() if v is not None})


SETTINGS = {"seed": int, "steps": int, "layers": int, "width": int, "levels": int, "batch": int, "learning_rate": float,
            "parametrisation": str, "encoder": str, "label": str}


def train(args) -> int:
    """Train a logic network into a run directory."""
    from . import runs
    from .nn.config import Config, preset

    out = Path(args.out)
    if args.resume and (out / "config.toml").is_file():
        config = with_options(Config.load(out / "config.toml"), args)
        if (out / "model.safetensors").exists():
            say(f"{out} is finished already")
            return 0
    elif args.model:
        config = with_options(Config.load(args.model), args)
    else:
        config = preset(args.dataset)
    import dataclasses

    config = with_options(dataclasses.replace(config, dataset=args.dataset), args)
    runs.train_run(config, out, data_dir=args.data_dir, resume=args.resume, progress=show_progress)
    last = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    best = max(last, key=lambda m: (m["hard"], m["step"]))
    answer(args, {"run": str(out), "best": best}, f"{out}: validation hard {100 * best['hard']:.2f} % at step {best['step']}")
    return 0


def lower(args) -> int:
    """Freeze a trained run into an exact circuit."""
    from . import runs

    circuit = runs.lower_run(args.run)
    answer(args, describe(circuit), summary(circuit, Path(args.run) / runs.RAW))
    return 0


def optimize(args) -> int:
    """Run the passes of a level; statistics for each."""
    import dataclasses

    from . import runs
    from .circuit import save_circuit
    from .passes import optimize

    path = Path(args.circuit)
    if path.is_dir():
        circuit = runs.optimize_run(path, level=f"O{args.level}", progress=say)
        target, passes = path / runs.OPTIMIZED, json.loads((path / runs.STEPS).read_text())["optimize"]["passes"]
    else:
        circuit, statistics = optimize(runs.circuit_of(path), level=f"O{args.level}", progress=say)
        target, passes = Path(args.out or path.with_suffix(".opt.net")), [dataclasses.asdict(s) for s in statistics]
        save_circuit(circuit, target)
    lines = [f"{p['name']:<10} {p['gates_before']:>8} -> {p['gates_after']:>8} gates  {p['seconds']:.2f} s" for p in passes]
    answer(args, describe(circuit) | {"passes": passes}, "\n".join([*lines, summary(circuit, target)]))
    return 0


def describe(circuit) -> dict:
    return {"name": circuit.name, "nodes": circuit.n_nodes, "depth": circuit.depth, "counts": circuit.counts(),
            "inputs": len(circuit.inputs), "outputs": [w.name for w in circuit.outputs], "digest": circuit.digest}


def summary(circuit, path) -> str:
    counts = circuit.counts()
    parts = ", ".join(f"{stage} {c['gates']:,} gates, depth {c['depth']}" for stage, c in counts.items())
    return f"{path}: {circuit.n_nodes:,} nodes; {parts}; digest {circuit.digest[:16]}"


def show(args) -> int:
    """Print and count a circuit."""
    from . import runs

    circuit = runs.circuit_of(args.circuit)
    answer(args, describe(circuit), str(circuit) if args.full else summary(circuit, args.circuit))
    return 0


def emit(args) -> int:
    """Write a circuit for a target."""
    from . import runs

    files = runs.emit_circuit(runs.circuit_of(args.circuit), args.to, args.out, pipeline=args.pipeline)
    answer(args, {"files": [str(f) for f in files]}, "\n".join(map(str, files)))
    return 0


def verify(args) -> int:
    """Prove or refute; a counterexample when refuted."""
    import tempfile

    from . import runs
    from .verify import prove

    path = Path(args.circuit)
    if args.against:
        verdicts = {"equivalence": prove(runs.circuit_of(path), runs.circuit_of(args.against))}
    elif path.is_dir() and (path / "model.safetensors").exists():
        verdicts = runs.verify_run(path, data_dir=args.data_dir, progress=say)
    else:
        with tempfile.TemporaryDirectory() as work:
            verdicts = runs.verify_circuit(runs.circuit_of(path), work=work, progress=say)
    lines = [f"{name:<20} {verdict}" for name, verdict in verdicts.items()]
    for verdict in verdicts.values():
        if verdict.counterexample:
            lines.append(f"counterexample {verdict.counterexample}: outputs {verdict.outputs}")
    data = {name: {"verdict": str(v), "counterexample": v.counterexample} for name, v in verdicts.items()}
    answer(args, data, "\n".join(lines))
    return exit_code(verdicts)


def exit_code(verdicts: dict) -> int:
    """1 when anything is refuted or was not decided; what was skipped is said, and is no failure."""
    return int(any(v.status in ("refuted", "unknown") for v in verdicts.values()))


def run(args) -> int:
    """Classify samples from a .npy file."""
    import numpy as np

    from . import runs

    circuit = runs.circuit_of(args.circuit)
    out = executor(args.backend)(circuit)(load_samples(args.input, circuit))
    if args.output:
        save_array(args.output, out)
    names = [w.name for w in circuit.outputs]
    rows = [dict(zip(names, row)) for row in out.tolist()] if args.json else []
    if circuit.labels and names[:1] == ["class_index"]:
        lines = [circuit.labels[i] if i < len(circuit.labels) else str(i) for i in out[:, 0].tolist()]
    else:
        lines = [" ".join(map(str, row)) for row in out.tolist()]
    answer(args, {"outputs": rows}, f"{len(np.atleast_1d(out))} samples -> {args.output}" if args.output else "\n".join(lines))
    return 0


def executor(backend: str):
    """``circuit -> (samples -> codes)`` by name."""
    if backend == "packed":
        from .circuit.packed import PackedEngine

        return PackedEngine
    if backend == "interpreter":
        from .circuit.simulate import simulate

        return lambda circuit: lambda x: simulate(circuit, x)
    from .backends import BACKENDS

    return lambda circuit: lambda x: BACKENDS[backend].run(circuit, circuit.codes(x))


def load_samples(path, circuit):
    """Samples of shape (samples, words) from a .npy file; images are flattened."""
    import numpy as np

    try:
        x = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; give a .npy file") from None
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} is no .npy array ({error}); write it with numpy.save") from None
    if not isinstance(x, np.ndarray):
        raise InputError(f"{path} holds several arrays; give a .npy file with one")
    return x.reshape(len(x), -1) if x.ndim > 2 else x[None] if x.ndim == 1 and len(x) == len(circuit.inputs) else x


def save_array(path, array) -> None:
    import io

    import numpy as np

    from .circuit.files import write_bytes

    buffer = io.BytesIO()
    np.save(buffer, array)
    write_bytes(path, buffer.getvalue())


def report(args) -> int:
    """The record as text, JSON and HTML."""
    from . import runs
    from .report import format_text

    record = runs.report_run(args.run, data_dir=args.data_dir)
    answer(args, record, format_text(record, folder=Path(args.run)))
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="hardwire", description=__doc__.splitlines()[0])
    top.add_argument("--version", action="version", version=__version__)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(function, *places):
        p = verbs.add_parser(function.__name__, help=function.__doc__.splitlines()[0], description=function.__doc__,
                             epilog=f"example:\n  {EXAMPLES[function.__name__]}",
                             formatter_class=argparse.RawDescriptionHelpFormatter)
        for place in places:
            p.add_argument(place)
        p.add_argument("--json", action="store_true", help="print machine-readable JSON")
        p.add_argument("--debug", action="store_true", help="show the traceback of an error")
        p.set_defaults(function=function)
        return p

    p = verb(demo)
    p.add_argument("--out", default="demo-out", help="run directory (default: demo-out)")
    p.add_argument("--seed", type=int)
    p.add_argument("--steps", type=int)
    threads(p)
    p = verb(train, "dataset")
    p.add_argument("--out", required=True, help="run directory")
    p.add_argument("--model", help="a TOML file of settings, as config.toml of a run")
    p.add_argument("--resume", action="store_true", help="go on where a killed run was")
    p.add_argument("--data-dir", help="where data sets lie (default: $HARDWIRE_DATA, then the user's cache)")
    for name, kind in SETTINGS.items():
        p.add_argument(f"--{name.replace('_', '-')}", type=kind)
    threads(p)
    verb(lower, "run")
    p = verb(optimize, "circuit")
    p.add_argument("-O", dest="level", type=int, choices=[0, 1, 2], default=2, help="level (default: 2)")
    p.add_argument("--out", help="the optimised .net file, when CIRCUIT is a file")
    p = verb(show, "circuit")
    p.add_argument("--full", action="store_true", help="print every net")
    p = verb(emit, "circuit")
    p.add_argument("--to", required=True, choices=["c", "verilog", "blif", "aiger"])
    p.add_argument("--out", required=True, help="folder")
    p.add_argument("--pipeline", type=int, default=0, metavar="N", help="Verilog: a register every N levels")
    p = verb(verify, "circuit")
    p.add_argument("--against", help="another circuit (.net, .aig, .blif) or run directory")
    p.add_argument("--data-dir")
    p = verb(run, "circuit")
    p.add_argument("--input", required=True, help=".npy array (samples, input words)")
    p.add_argument("--output", help=".npy file for the output codes")
    p.add_argument("--backend", default="packed", choices=["packed", "c", "interpreter", "verilog"])
    p = verb(report, "run")
    p.add_argument("--data-dir")
    return top


def threads(p) -> None:
    p.add_argument("--threads", type=int, help="threads for training (default: all cores); the result is the same")


def main(argv=None) -> int:
    args = parser().parse_args(argv)
    try:
        if getattr(args, "threads", None) is not None:
            set_threads(args.threads)
        return args.function(args)
    except HardwireError as error:
        if args.debug:
            raise
        print(f"hardwire: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("hardwire: interrupted; a training run goes on with --resume", file=sys.stderr)
        return 130


def set_threads(n: int) -> None:
    import torch

    if n < 1:
        raise InputError(f"--threads {n}: use at least 1")
    torch.set_num_threads(n)


if __name__ == "__main__":
    sys.exit(main())
