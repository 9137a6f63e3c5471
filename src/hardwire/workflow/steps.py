"""What the verbs do to a run directory: train, lower, optimise, emit, verify, report. One function each."""

import dataclasses
import json
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ..circuit import Circuit, load_circuit, save_circuit
from ..core.errors import FormatError, InputError, MissingToolError, ToolError
from ..core.files import read_text, write_text
from ..core.names import identifier
from ..cost import gate_kinds, stage_counts, total_gates

RAW, OPTIMIZED, STEPS = "circuit.net", "optimized.net", "steps.json"
#: Levels of logic between the registers of the pipeline that `hardwire verify` checks.
PIPELINE = 4
#: Task -> what ``report.json`` calls its figure of merit.
METRICS = {"classify": "accuracy", "regress": "r2", "multilabel": "label accuracy"}


def note(run, step: str, facts: dict, *, forget=()) -> None:
    """Keep what a verb did to a run directory, for the report; ``forget`` names steps that it made void."""
    steps = {k: v for k, v in notes(run).items() if k not in forget}
    write_text(Path(run) / STEPS, json.dumps(steps | {step: facts}, indent=1) + "\n")


def notes(run) -> dict:
    """What ``note`` kept."""
    path = Path(run) / STEPS
    try:
        steps = json.loads(read_text(path)) if path.exists() else {}
    except ValueError as error:
        raise FormatError(f"{path} is not JSON ({error}); remove it and repeat `hardwire optimize`") from None
    if not isinstance(steps, dict) or not all(isinstance(facts, dict) and "seconds" in facts for facts in steps.values()):
        raise FormatError(f"{path} does not hold the steps of a run; remove it and repeat `hardwire optimize`")
    return steps


def run_folder(run) -> Path:
    """``run`` as a path, if it is a folder."""
    run = Path(run)
    if not run.is_dir():
        what = "is a file" if run.exists() else "does not exist"
        raise InputError(f"{run} {what}; give the run directory that `hardwire train` wrote")
    return run


def raw_circuit(run) -> Circuit:
    """The circuit that `hardwire lower` left in a run directory."""
    run = run_folder(run)
    if not (run / RAW).is_file():
        raise InputError(f"{run} holds no {RAW}; run `hardwire lower {run}` first")
    return load_circuit(run / RAW)


def dataset_of(config, data_dir=None):
    """The data set of a run's configuration, always split alike."""
    from ..data import load_dataset

    return load_dataset(config.dataset, seed=config.seed, data_dir=data_dir, label=config.label or None, task=config.task)


def train_run(config, out, *, dataset=None, data_dir=None, resume: bool = False, progress=None) -> None:
    """Train ``config`` into run directory ``out``; ``dataset`` is its data set, when it is loaded already."""
    from ..logic import train

    train(config, dataset or dataset_of(config, data_dir), out=out, resume=resume, progress=progress)


def best_of(run) -> dict:
    """The evaluation whose weights were kept: the best frozen figure of merit on validation, of equals the latest."""
    lines = read_text(Path(run) / "metrics.jsonl").splitlines()
    try:
        return max(map(json.loads, lines), key=lambda m: (m["hard"], m["step"]))
    except (ValueError, TypeError, KeyError) as error:
        raise FormatError(f"{run}/metrics.jsonl is no list of evaluations ({error}); train anew") from None


def lower_run(run) -> Circuit:
    """Freeze the run's network into ``circuit.net``."""
    from ..logic import load_model
    from ..logic.lowering import lower

    run, started = run_folder(run), time.perf_counter()
    model = load_model(run)
    labels = model.dataset["classes"] if model.config.task == "classify" else ()
    circuit = lower(model.network, model.encoder, name=identifier(model.dataset["name"], prefix="n"), labels=labels,
                    features=model.dataset["features"])
    for old in (OPTIMIZED, STEPS):
        (run / old).unlink(missing_ok=True)
    save_circuit(circuit, run / RAW)
    note(run, "lower", {"seconds": time.perf_counter() - started, "outputs": outputs_of(model)})
    return circuit


def outputs_of(model) -> list[dict]:
    """What the circuit's output words mean, beside a class index: ``name`` of the target or label, ``word``, and of a target
    ``bias`` and ``scale``: ``value = bias + scale * word``."""
    names, head = model.dataset["classes"], model.network.head.to_dict()
    if head["task"] == "regress":
        return [{"name": name, "word": f"value{i}", "bias": bias, "scale": scale}
                for i, (name, bias, scale) in enumerate(zip(names, head["bias"], head["scale"]))]
    return [{"name": name, "word": f"label{i}"} for i, name in enumerate(names)] if head["task"] == "multilabel" else []


def optimize_run(run, *, level: str = "O2", progress=None) -> Circuit:
    """Optimise the run's raw circuit into ``optimized.net``."""
    from ..passes import optimize

    started = time.perf_counter()
    circuit, statistics = optimize(raw_circuit(run), level=level, progress=progress)
    save_circuit(circuit, Path(run) / OPTIMIZED)
    facts = {"level": level, "seconds": time.perf_counter() - started, "passes": [dataclasses.asdict(s) for s in statistics]}
    note(run, "optimize", facts, forget=["verify"])
    return circuit


def emit_circuit(circuit: Circuit, target: str, out, *, pipeline: int = 0) -> list[Path]:
    """Write ``circuit`` for ``target`` (a back end, ``aiger`` or ``blif``) into folder ``out``."""
    from ..backends import BACKENDS
    from ..circuit.formats.aiger import write_aiger
    from ..circuit.formats.blif import write_blif

    out = Path(out)
    if pipeline and not (target in BACKENDS and BACKENDS[target].pipeline):
        raise InputError(f"{target} has no registers; leave the pipeline out, or choose verilog")
    if target == "aiger":
        return [write_aiger(circuit, out / f"{circuit.name}.aig")]
    if target == "blif":
        return [write_blif(circuit, out / f"{circuit.name}.blif")]
    return BACKENDS[target].emit(circuit, out, **({"pipeline": pipeline} if pipeline else {}))


def verify_run(run, *, data_dir=None, progress=None) -> dict:
    """Prove the run's optimised circuit equal to the raw one and check every back end; ``{name: Verdict}``."""
    from ..logic import load_model

    run = run_folder(run)
    raw, best = raw_circuit(run), circuit_of(run)
    model = load_model(run)
    dataset = dataset_of(model.config, data_dir)
    started = time.perf_counter()
    verdicts = verify_circuit(best, against=raw if (run / OPTIMIZED).is_file() else None, network=hard_outputs(model),
                              samples=model.encoder.codes(dataset.test.x), progress=progress)
    note(run, "verify", {"seconds": time.perf_counter() - started, "digest": best.digest,
                         "verdicts": {k: str(v) for k, v in verdicts.items()}})
    return verdicts


def hard_outputs(model):
    """``codes -> output words`` (samples, words) as the circuit's, by the trained network's own frozen forward pass.

    They are the class index, the counts of the targets, or the labels.
    """
    from ..logic import GroupSum, LogicNetwork
    from ..logic.training.loop import Samples, scores_of

    task, network = model.config.task, model.network
    if task == "regress":  # scores with tau = 1 are the counts
        network = LogicNetwork(network.layers, GroupSum(network.head.groups)).eval()
    decide = {"classify": lambda s: s.argmax(1)[:, None], "regress": lambda s: s.astype(np.int64), "multilabel": lambda s: s >= 0}

    def outputs(codes):
        samples = Samples(model.encoder.encode_codes(codes), np.zeros(len(codes)))
        return decide[task](scores_of(network, samples, (False,), np.arange(len(samples)))[0])

    return outputs


def report_run(run, *, data_dir=None) -> dict:
    """Gather the run's record, write ``report.json`` and ``report.html``, and return it."""
    from ..circuit.engine.packed import PackedEngine
    from ..logic import load_model
    from ..report import environment, save_record, write_html

    run = run_folder(run)
    if (record := _rendered(run)) is not None:
        return record
    model = load_model(run)
    dataset = dataset_of(model.config, data_dir)
    raw, best, steps = raw_circuit(run), circuit_of(run), notes(run)
    codes = model.encoder.codes(dataset.test.x)
    record = {
        "hardware": "logic", "dataset": dataset.name, "seed": model.config.seed,
        **_results(model, dataset, PackedEngine(best)(codes)), "counts": stage_counts(raw, best),
        "verified": _verified(steps.get("verify"), best),
        "time": {"train_s": model.seconds, **{f"{k}_s": v["seconds"] for k, v in steps.items()}, **measure(best, codes)},
        "energy": _energy(best), "environment": environment(),
        "curve": model.metrics, "gate_kinds": {"raw": gate_kinds(raw), "optimized": gate_kinds(best)},
        "passes": steps.get("optimize", {}).get("passes", []), "digest": best.digest,
        "model": {k: v for k, v in dataclasses.asdict(model.config).items() if k not in ("dataset", "seed")},
        "source": dataset.source,
    }
    save_record(record, run)
    write_html(record, run / "report.html")
    return record


def crossbar_run(config, out, *, data_dir=None, resume: bool = False, progress=None, say=lambda text: None) -> dict:
    """Train a network on crossbars into run directory ``out``; write its report and return the record."""
    from ..crossbar import training as experiment
    from ..crossbar.record import record_of
    from ..report import environment, save_record, write_html

    data = experiment.read_data(config, data_dir=data_dir, say=say)
    networks, metrics, seconds = experiment.train(config, data, out, resume=resume, progress=progress)
    record = record_of(config, data, networks, metrics, seconds, environment())
    save_record(record, out)
    write_html(record, Path(out) / "report.html")
    return record


def spiking_run(settings, out, *, data_dir=None, resume: bool = False, shares=(), seeds: int = 3, progress=None,
                contender_progress=None) -> dict:
    """Train a spiking network into run directory ``out``, with contenders where ``shares`` are given; the record, with its report."""
    from ..report import environment, save_record, write_html
    from ..spiking import export_nir, load_model, train
    from ..spiking.contenders import RESULTS, read_results, run_contenders
    from ..spiking.record import record_of
    from ..spiking.training import read_data

    out = Path(out)
    dataset = read_data(settings, data_dir)
    if not (resume and (out / "model.safetensors").exists()):
        train(settings, dataset, out=out, resume=resume, progress=progress)
    found = read_results(out / RESULTS)
    if shares:
        found = run_contenders(settings, dataset, out, shares=shares, seeds=seeds, progress=contender_progress)
    model = load_model(out)
    record = record_of(model, dataset, environment(), found)
    if settings.rule == "one-sided" and find_spec("nir"):
        record["files"] = {"network in NIR": export_nir(model, out / "network.nir").name}
    save_record(record, out)
    write_html(record, out / "report.html")
    return record


def _rendered(run: Path) -> dict | None:
    """The record of a run on other hardware than logic, its page written anew; None where there is none."""
    from ..report import load_record, write_html

    if (run / RAW).exists() or not (run / "report.json").is_file():
        return None
    record = load_record(run)
    if record["hardware"] == "logic":
        return None
    write_html(record, run / "report.html")
    return record


def _results(model, dataset, found: np.ndarray) -> dict:
    """The record's ``accuracy``, and what belongs to the task: ``classes`` and ``confusion``, or ``outputs``.

    found  the circuit's output words of the test samples (samples, words)
    """
    from ..data.datasets import confusion
    from ..logic.training.loop import Samples, scores_of
    from ..logic.training.tasks import TASKS

    kind, y, names = model.config.task, dataset.test.y, list(dataset.classes)
    task = TASKS[kind](len(names), dataset.train.y)
    test = Samples(model.encoder.encode(dataset.test.x), task.targets(y))
    relaxed = scores_of(model.network, test, (True,), np.arange(len(test)))[0]
    hard = circuit_scores(model, found)
    merits = task.merit(hard, y)
    at_best = next((m for m in model.metrics if m["step"] == model.best_step), {})
    accuracy = {"metric": METRICS[kind], "test_hard": merits.pop(""), "test_relaxed": task.merit(relaxed, y)[""],
                "validation": at_best.get("hard"), **{f"test_{name}": value for name, value in merits.items()}}
    if kind == "classify":
        return {"accuracy": accuracy, "classes": names, "confusion": confusion(y, found[:, 0], len(names))}
    if kind == "regress":
        accuracy["test_rmse"] = np.sqrt(((hard - y) ** 2).mean(axis=0)).tolist()
    each = [task.merit(hard[:, [i]], y[:, [i]])[""] for i in range(len(names))]
    return {"accuracy": accuracy, "outputs": [row | {"test_hard": merit} for row, merit in zip(outputs_of(model), each)]}


def circuit_scores(model, found: np.ndarray) -> np.ndarray:
    """The circuit's output words (samples, words) as scores that the task judges, (samples, outputs).

    Of a class 1 and of the others 0; the values of targets; of a label 1/2 where it is on, else -1/2.
    """
    if model.config.task == "classify":
        return np.eye(model.network.head.groups)[found[:, 0]]
    return model.network.head.values(found) if model.config.task == "regress" else found - 0.5


def _verified(found: dict | None, circuit: Circuit) -> dict:
    """Verdicts that were found for this very circuit."""
    if found is None:
        return {"all": "skipped: `hardwire verify` has not run"}
    if found.get("digest") != circuit.digest:
        return {"all": "skipped: the circuit has changed since `hardwire verify` ran"}
    return found["verdicts"]


def _energy(circuit: Circuit) -> list[dict]:
    """Model estimates for one inference of the whole circuit."""
    from ..cost.energy import logic_energy

    return [line for ledger in logic_energy(total_gates(circuit)) for line in ledger.to_json()]


def circuit_of(path) -> Circuit:
    """The circuit at ``path``: a circuit file of any kind that can be read, or a run directory's best one."""
    path = Path(path)
    if path.is_dir():
        found = [path / name for name in (OPTIMIZED, RAW) if (path / name).is_file()]
        if not found:
            raise InputError(f"{path} holds no circuit; run `hardwire lower {path}` first")
        path = found[0]
    if path.suffix in (".aig", ".aag"):
        from ..circuit.formats.aiger import read_aiger

        return read_aiger(path)
    if path.suffix == ".blif":
        from ..circuit.formats.blif import read_blif

        return read_blif(path)
    return load_circuit(path)


def verify_circuit(circuit: Circuit, *, against: Circuit | None = None, network=None, samples: np.ndarray | None = None,
                   seed: int = 0, progress=None) -> dict:
    """Every check that applies to ``circuit``, ``{name: Verdict}``; a check that cannot be run says why.

    against  prove equality with this circuit (the raw one)
    network  codes to class indices, as the trained network finds them: simulate the circuit against it
    samples  codes to simulate beside random and corner vectors
    """
    from ..backends import BACKENDS
    from ..circuit.engine.packed import PackedEngine
    from ..verify import check_backend, prove, prove_macros, vectors

    codes = vectors(circuit, 512, seed=seed)
    if samples is not None:
        codes = np.concatenate([circuit.codes(samples), codes])
    c, verilog = BACKENDS["c"].run, BACKENDS["verilog"].run
    checks = {
        "trained network": network and (lambda: check_backend(circuit, network, codes)),
        "optimized gates": against and (lambda: prove(against, circuit)),
        "macros": lambda: prove_macros(circuit),
        "verilog read back": lambda: prove(circuit, read_back(circuit)),
        "verilog pipelined read back": lambda: prove(circuit, read_back(circuit, pipeline=PIPELINE)),
        "packed engine": lambda: check_backend(circuit, PackedEngine(circuit), codes),
        "c": lambda: check_backend(circuit, lambda x: c(circuit, x), codes),
        "verilog rtl": lambda: check_backend(circuit, lambda x: verilog(circuit, x), codes[-1024:]),
        "verilog pipelined rtl": lambda: check_backend(circuit, lambda x: verilog(circuit, x, pipeline=PIPELINE), codes[-128:]),
    }
    verdicts = {}
    for name, check in checks.items():
        if check is None:
            continue
        if progress:
            progress(f"verify: {name}")
        verdicts[name] = _verdict(check)
    return verdicts


def _verdict(check):
    from ..verify import Verdict

    try:
        return check()
    except MissingToolError as error:
        return Verdict("skipped", detail=str(error))
    except ToolError as error:  # what a tool refused is no pass
        return Verdict("unknown", detail=str(error))


def read_back(circuit: Circuit, *, pipeline: int = 0) -> Circuit:
    """The Verilog that is emitted for ``circuit``, read again through Yosys; registers are seen through."""
    with tempfile.TemporaryDirectory() as folder:
        main, *_ = emit_circuit(circuit, "verilog", folder, pipeline=pipeline)
        return verilog_circuit(main, like=circuit, registers=pipeline > 0)


def verilog_circuit(path, *, like: Circuit, registers: bool = True) -> Circuit:
    """An emitted Verilog file as a circuit with the words of ``like``; the primitives lie beside it.

    Its module is named as the file. ``registers`` may be in it; they are taken for wires, so that latency does not count.
    """
    from ..backends.verilog.backend import PRIMITIVES, port_names
    from ..verify import read_verilog

    path = Path(path)
    beside = [path.with_name(f"{name}.v") for name in PRIMITIVES]
    return read_verilog([path, *filter(Path.is_file, beside)], path.stem, like=like, ports=port_names(like, path.stem),
                        transparent_registers=registers)


def measure(circuit: Circuit, samples: np.ndarray) -> dict:
    """Samples per second of the packed engine on one thread, minimum and median of 7 calls on at least 65,536 samples."""
    from ..circuit.engine.packed import PackedEngine

    engine = PackedEngine(circuit)
    x = np.tile(samples, (-(-65536 // len(samples)), 1))[:65536]
    engine(x)
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        engine(x)
        seconds.append(time.perf_counter() - start)
    return {"samples_per_s": len(x) / float(np.min(seconds)), "samples_per_s_median": len(x) / float(np.median(seconds))}
