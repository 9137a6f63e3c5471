"""The verbs of circuits: ``lower``, ``optimize``, ``show``, ``emit``, ``verify``, ``run``.

What needs a compiled kernel is imported when a verb runs, so that help is shown at once.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ..core.errors import InputError
from .output import Output
from .training import next_of
from .verbs import circuit_argument, data_dir_option, data_option, out_option, run_argument, verb

if TYPE_CHECKING:
    from ..circuit import Circuit
    from ..circuit.arithmetic import HeadGoal
    from ..verify import Verdict
    from ..workflow.emitted import Figures

#: What ``emit`` writes for: those of ``workflow.circuits``, which is imported when a verb runs.
TARGETS = ("c", "verilog", "vhdl", "wasm", "vivado", "quartus", "fusesoc", "litex", "librelane", "openroad",
           "tinytapeout", "blif", "aiger", "onnx")


@verb("hardwire lower runs/mnist\nhardwire lower runs/mnist --head depth")
@run_argument
@click.option("--head", type=click.Choice(["area", "depth", "luts", "lut-depth"]),
              help="What counts and arg-max are to be small in (default: area; of a run with a price in luts, luts).")
@click.option("--overwrite", is_flag=True,
              help="Lower anew where that makes void what later verbs made of another circuit.")
def lower(output: Output, run: str, head: "HeadGoal | None", overwrite: bool) -> int:
    """Freeze a trained run into an exact circuit."""
    from ..runs.directory import RAW
    from ..workflow.logic import lower_run

    circuit, target = lower_run(run, head=head, overwrite=overwrite, progress=output.say), Path(run) / RAW
    output.answer(describe(circuit, target), summary(circuit, target))
    output.say(next_of(run))
    return 0


@verb("hardwire optimize runs/mnist -O2\nhardwire optimize adder.aig --out adder.net\n"
      "hardwire optimize runs/mnist --budget 0.002\nhardwire optimize runs/mnist --prove-each")
@circuit_argument
@click.option("-O", "level", type=click.Choice(["0", "1", "2"]),
              help="Level (default: 2; of a run with a price in luts, 1).")
@click.option("--out", metavar="FILE",
              help="The optimised .net file (default: beside CIRCUIT, or in the run directory).")
@click.option("--budget", type=float, metavar="X",
              help="Simplify on the training samples too, which is inexact: 0 changes no training decision, more is "
              "the share of validation samples that may be lost.")
@click.option("--data", metavar="DATASET", help="The samples for --budget (default: the run's own).")
@click.option("--prove-each", is_flag=True,
              help="Prove each pass against its input; a wrong one is named, and nothing is written.")
@data_dir_option
def optimize(output: Output, *, circuit: str, level: str | None, out: str | None, budget: float | None,
             data: str | None, prove_each: bool, data_dir: Path | None) -> int:
    """Run the passes of a level; statistics for each."""
    from ..circuit import save_circuit
    from ..data import load_dataset
    from ..passes import optimize as run_passes
    from ..runs.directory import OPTIMIZED, RunDirectory
    from ..workflow.circuits import circuit_of, prove_pass, raw_circuit_of

    path, inexact = Path(circuit), None
    level = level and f"O{level}"
    if data and budget is None:
        raise InputError(f"--data {data} are the samples for --budget; give a budget too, or leave them out")
    if path.is_dir() and not out and not data:
        from ..workflow.logic import optimize_run

        result = optimize_run(path, level=level, budget=budget, prove_each=prove_each, data_dir=data_dir,
                              progress=output.say)
        target, noted = path / OPTIMIZED, RunDirectory(path).steps()["optimize"]
        passes, inexact = noted["passes"], noted.get("inexact")
    else:
        raw = (raw_circuit_of if path.is_dir() else circuit_of)(path, progress=output.say)
        if budget is None:
            result, statistics = run_passes(raw, level=level or "O2", prove=prove_pass if prove_each else None,
                                            progress=output.say)
        else:
            if not data:
                raise InputError(f"--budget {budget:g} needs samples; name a data set with --data")
            from ..workflow.logic import simplify

            samples = load_dataset(data, data_dir=data_dir)
            _, result, statistics, report = simplify(raw, samples, budget, level=level or "O2", prove_each=prove_each,
                                                     progress=output.say)
            inexact = dataclasses.asdict(report)
        target = save_circuit(result, out or path.with_suffix(".opt.net"))
        passes = [dataclasses.asdict(s) for s in statistics]
    lines = [f"{p['name']:<20} {p['gates_before']:>8} -> {p['gates_after']:>8} gates  {p['seconds']:.2f} s"
             for p in passes]
    lines += [gates_removed(passes)] if passes else []
    lines += [substitution(inexact)] if inexact else []
    more = {"inexact": inexact} if inexact else {}
    output.answer(describe(result, target) | {"passes": passes} | more, "\n".join([*lines, summary(result, target)]))
    if target == path / OPTIMIZED:
        output.say(next_of(path))
    return 0


@verb("hardwire show runs/mnist\nhardwire show xor.net --full")
@circuit_argument
@click.option("--full", is_flag=True, help="Print every net.")
def show(output: Output, circuit: str, full: bool) -> int:
    """Print and count a circuit."""
    from ..workflow.circuits import circuit_of

    loaded = circuit_of(circuit, macros="stated")
    output.answer(describe(loaded, circuit), loaded.text() if full else summary(loaded, circuit))
    return 0


@verb("hardwire emit runs/mnist --to c --out firmware\nhardwire emit runs/mnist --to verilog --pipeline 4 --out rtl\n"
      "hardwire emit runs/mnist --to verilog --bus packed --pipeline 4 --register-inputs --out rtl\n"
      "hardwire emit runs/mnist --to verilog --pipeline 4 --wrapper axis --bus-width 64 --out rtl\n"
      "hardwire emit runs/mnist --to wasm --out web\n"
      "hardwire emit runs/mnist --to vivado --pipeline 4 --clock 250 --device xc7a35tcpg236-1 --out project\n"
      "hardwire emit runs/mnist --to c --for arduino --chip atmega328p --out library")
@circuit_argument
@click.option("--to", required=True, type=click.Choice(TARGETS), help="The target.")
@out_option("Folder.")
@click.option("--pipeline", type=int, default=0, metavar="N", help="Verilog, VHDL: a register every N levels.")
@click.option("--bus", type=click.Choice(["named", "packed"]),
              help="Verilog: one port for each word (default), or x, y and a clock enable.")
@click.option("--register-inputs", is_flag=True, help="Verilog, VHDL: a register at the inputs too.")
@click.option("--wrapper", type=click.Choice(["registered", "stream", "axis", "spi", "uart", "shift"]),
              help="Verilog: a top module around a packed core.")
@click.option("--bus-width", type=int, metavar="N", help="Verilog: data bits of the wrapper axis (default: 32).")
@click.option("--divider", type=int, metavar="N", help="Verilog: clocks in a bit of the wrapper uart (default: 104).")
@click.option("--clock", type=float, metavar="MHz", help="Projects: the clock to reach (default: 100).")
@click.option("--device", metavar="NAME", help="Projects: the part, as the vendor names it.")
@click.option("--variant", type=click.Choice(["auto", "code", "table"]),
              help="C for a microcontroller: straight-line code, a table with an interpreter, or the smaller of both "
              "(default: auto).")
@click.option("--for", "kit", type=click.Choice(["arduino", "platformio", "zephyr"]),
              help="C: a folder that builds, with an example that says PASS.")
@click.option("--chip", metavar="NAME",
              help="C: the microcontroller that it is to fit, atmega328p say (default: one of each core).")
def emit(output: Output, *, circuit: str, to: str, out: str, chip: str | None, **options: Any) -> int:
    """Write a circuit for a target."""
    from ..workflow.emitted import emit_with_figures
    from ..workflow.microcontrollers import check_chip, footprints

    check_chip(to, chip)
    paths, figures = emit_with_figures(circuit, to, out, progress=output.say, **options)
    taken = footprints(circuit, paths, chip, progress=output.say) if to == "c" else None
    files = [str(f) for f in paths]
    more = (figures._asdict() if figures else {}) | (taken.to_json() if taken else {})
    output.answer({"files": files} | more, "\n".join([*files, *core_lines(figures), *(taken.lines if taken else [])]))
    return 0


@verb("hardwire verify runs/mnist\nhardwire verify a.net --against b.blif\n"
      "hardwire verify runs/mnist --against rtl/mnist.v\nhardwire verify runs/mnist --against firmware/mnist.c")
@circuit_argument
@click.option("--against", metavar="FILE",
              help="Another circuit, run directory, or emitted Verilog (.v), VHDL (.vhd), C (.c, _model.h) or "
                   "WebAssembly (.wasm).")
@data_option
@data_dir_option
def verify(output: Output, circuit: str, against: str | None, data: str | None, data_dir: Path | None) -> int:
    """Prove or refute; a counterexample when refuted."""
    from ..runs.directory import RunDirectory
    from ..verify import prove, verify_circuit
    from ..verify.emitted import read_main
    from ..workflow.circuits import circuit_of
    from ..workflow.emitted import emissions_of

    path = Path(circuit)
    if against:
        one = circuit_of(path, macros="stated")
        others = read_main(against, like=one) or {"": circuit_of(against, macros="stated")}
        output.say(f"verify: {circuit} against {against}")
        verdicts = {f"equivalence{what}": prove(one, other) for what, other in others.items()}
    elif path.is_dir() and (path / "model.safetensors").exists():
        from ..workflow.logic import verify_run

        verdicts = verify_run(path, data_dir=data_dir, data=data, progress=output.say)
    else:
        emitted = emissions_of(RunDirectory(path)) if path.is_dir() else ()
        verdicts = verify_circuit(circuit_of(path, macros="stated"), emitted=emitted, progress=output.say)
    found = {name: dataclasses.asdict(v) | {"verdict": str(v)} for name, v in verdicts.items()}
    output.answer(found, "\n".join(line for name, v in verdicts.items() for line in explain(name, v)))
    if path.is_dir() and not against:
        output.say(next_of(path))
    return exit_code(verdicts)


@verb("hardwire run runs/mnist --input images.npy --output classes.npy\n"
      "hardwire run xor.net --input bits.npy --backend verilog --json")
@circuit_argument
@click.option("--input", "samples", required=True, metavar="FILE", help=".npy array (samples, input words).")
@click.option("--output", "to", metavar="FILE", help=".npy file for the output codes.")
@click.option("--backend", default="packed", type=click.Choice(["packed", "c", "interpreter", "onnx", "verilog"]),
              help="What computes (default: packed).")
@click.option("--as-is", is_flag=True, help="Take values that look scaled since training as they are.")
def run(output: Output, *, circuit: str, samples: str, to: str | None, backend: str, as_is: bool) -> int:
    """Classify samples from a .npy file.

    Values are those of the training data, in the same units.
    """
    from ..runs.directory import RunDirectory
    from ..workflow.circuits import circuit_of
    from ..workflow.classify import codes_of_samples, executor, load_samples, named_rows, save_array

    loaded = circuit_of(circuit, progress=output.say)
    x = codes_of_samples(loaded, load_samples(samples, loaded), as_is=as_is, progress=output.say)
    output.say(f"run {len(x)} samples: {backend}")
    words = executor(backend)(loaded)(x)
    if to:
        save_array(to, words)
    meaning = RunDirectory(circuit).steps().get("lower", {}).get("outputs", []) if Path(circuit).is_dir() else []
    rows = named_rows(loaded, words, meaning)
    text = "\n".join(row.get("label") or " ".join(map(short, row.get("values", row).values())) for row in rows)
    output.answer({"outputs": rows}, f"{len(words)} samples -> {to}" if to else text)
    return 0


def core_lines(figures: "Figures | None") -> list[str]:
    """Word what a core in Verilog takes."""
    if figures is None:
        return []
    tables = ", ".join(f"{stage} {count:,}" for stage, count in figures.tables.items())
    if not figures.latency:
        return [f"combinational; tables of six inputs: {tables}"]
    return [f"latency {figures.latency} clocks, {figures.flip_flops:,} flip-flops; tables of six inputs: {tables}"]


def gates_removed(passes: Sequence[Mapping[str, Any]]) -> str:
    """Word what all passes did: gates, and apart from them wires and constants."""
    first, last = passes[0], passes[-1]
    before, after = first["gates_before"], last["gates_after"]
    free = {what: (first.get(f"{what}_before") or 0, last.get(f"{what}_after") or 0) for what in ("wires", "constants")}
    beside = ", ".join(f"{was:,} -> {now:,} {what}" for what, (was, now) in free.items() if was or now)
    share = f", {(before - after) / before:.1%} removed" if before else ""
    return f"{before:,} -> {after:,} gates{share}" + (f"; apart from gates: {beside}" if beside else "")


def substitution(inexact: Mapping[str, Any]) -> str:
    """Word what simplification on samples did and what it cost, on one line."""
    held = f"{inexact['validation_before']:.2%} -> {inexact['validation_after']:.2%}"
    return (f"inexact: {inexact['gates_before']} -> {inexact['gates_after']} gates, {inexact['changed']} of "
            f"{inexact['samples']} training decisions are others, validation {held}")


def describe(circuit: "Circuit", path: str | Path) -> dict[str, Any]:
    """Return what ``--json`` says of a circuit."""
    from ..cost import stage_costs, stage_nodes

    nodes = stage_nodes(circuit).items()
    return {"file": str(path), "name": circuit.name, "digest": circuit.digest, "nodes": circuit.n_nodes,
            "depth": circuit.depth, "counts": stage_costs(circuit),
            "wires": {stage: each.wires for stage, each in nodes},
            "constants": {stage: each.constants for stage, each in nodes}, "labels": list(circuit.labels),
            "inputs": [{"name": w.name, "width": w.width, "offset": w.offset, "step": w.step} for w in circuit.inputs],
            "outputs": [{"name": w.name, "width": w.width, "offset": w.offset, "step": w.step}
                        for w in circuit.outputs]}


def summary(circuit: "Circuit", path: str | Path) -> str:
    """Word a circuit on one line."""
    from ..cost import stage_costs, stage_nodes

    nodes = stage_nodes(circuit)
    stages = ", ".join(f"{stage} {c['gates']:,} gates, depth {c['depth']}" for stage, c in stage_costs(circuit).items())
    free = ", ".join(f"{count:,} {what}" for what in ("wires", "constants")
                     if (count := sum(getattr(each, what) for each in nodes.values())))
    beside = f"; no gates: {free}" if free else ""
    return f"{path}: {circuit.n_nodes:,} nodes; {stages}{beside}; digest {circuit.digest[:16]}"


def explain(name: str, verdict: "Verdict") -> list[str]:
    """Word a verdict as lines, with the counterexample when there is one."""
    lines = [f"{name:<28} {verdict}" + f": {verdict.detail}" * bool(verdict.status == "refuted" and verdict.detail)]
    if verdict.counterexample is not None:
        ones = ", ".join(f"{word} = {code}" for word, code in verdict.counterexample.items() if code)
        lines.append(f"  counterexample: {ones + ', every other input 0' if ones else 'every input 0'}")
    for side, outputs in zip(("expected", "found"), verdict.outputs or ()):
        lines.append(f"  {side}: " + ", ".join(f"{word} = {code}" for word, code in outputs.items()))
    return lines


def exit_code(verdicts: Mapping[str, "Verdict"]) -> int:
    """Return 1 when anything is refuted or was not decided; what was skipped is said, and is no failure."""
    return int(any(v.status in ("refuted", "unknown") for v in verdicts.values()))


def short(value: float | str) -> str:
    """Word a value with the digits that it has."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
