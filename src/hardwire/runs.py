"""What the verbs do to a run directory: train, lower, optimise, emit, verify, report. One function each; all return plain data."""

import dataclasses
import json
import time
from pathlib import Path

import numpy as np

from .circuit import STAGES, Circuit, load_circuit, save_circuit
from .circuit.files import read_text, write_text
from .errors import InputError
from .gates import GATES

RAW, OPTIMIZED, STEPS = "circuit.net", "optimized.net", "steps.json"


def note(run, step: str, facts: dict) -> None:
    """Keep what a verb did to a run directory, for the report."""
    path = Path(run) / STEPS
    steps = json.loads(read_text(path)) if path.exists() else {}
    write_text(path, json.dumps(steps | {step: facts}, indent=1) + "\n")


def train_run(config, out, *, data_dir=None, resume: bool = False, progress=None) -> None:
    """Train ``config`` into run directory ``out``."""
    from .data import load_dataset
    from .nn import train

    dataset = load_dataset(config.dataset, seed=config.seed, data_dir=data_dir, label=config.label or None)
    train(config, dataset, out=out, resume=resume, progress=progress)


def lower_run(run) -> Circuit:
    """Freeze the run's network into ``circuit.net``."""
    from .lower import lower
    from .nn import load_model

    started = time.perf_counter()
    model = load_model(run)
    names = model.dataset["features"]
    circuit = lower(model.network, model.encoder, name=identifier(model.dataset["name"]), labels=model.dataset["classes"],
                    features=names)
    save_circuit(circuit, Path(run) / RAW)
    (Path(run) / OPTIMIZED).unlink(missing_ok=True)
    (Path(run) / STEPS).unlink(missing_ok=True)
    note(run, "lower", {"seconds": time.perf_counter() - started})
    return circuit


def optimize_run(run, *, level: str = "O2", progress=None) -> Circuit:
    """Optimise the run's raw circuit into ``optimized.net``."""
    from .passes import optimize

    started = time.perf_counter()
    circuit, statistics = optimize(load_circuit(Path(run) / RAW), level=level, progress=progress)
    save_circuit(circuit, Path(run) / OPTIMIZED)
    note(run, "optimize", {"level": level, "seconds": time.perf_counter() - started,
                           "passes": [dataclasses.asdict(s) for s in statistics]})
    return circuit


def emit_circuit(circuit: Circuit, target: str, out, *, pipeline: int = 0) -> list[Path]:
    """Write ``circuit`` for ``target`` (a back end, ``aiger`` or ``blif``) into folder ``out``."""
    from .backends import BACKENDS
    from .circuit.aiger import write_aiger
    from .circuit.blif import write_blif

    out = Path(out)
    if target == "aiger":
        return [write_aiger(circuit, out / f"{circuit.name}.aig")]
    if target == "blif":
        return [write_blif(circuit, out / f"{circuit.name}.blif")]
    options = {"pipeline": pipeline or None} if target == "verilog" else {}
    return BACKENDS[target].emit(circuit, out, **options)


def verify_run(run, *, data_dir=None, progress=None) -> dict:
    """Prove the run's optimised circuit equal to the raw one and check every back end; ``{name: Verdict}``."""
    run = Path(run)
    raw, dataset = load_circuit(run / RAW), run_dataset(run, data_dir)
    best = circuit_of(run)
    started = time.perf_counter()
    verdicts = verify_circuit(best, against=raw, samples=run_codes(run, dataset.test.x), work=run, progress=progress)
    note(run, "verify", {"seconds": time.perf_counter() - started, "verdicts": {k: str(v) for k, v in verdicts.items()}})
    return verdicts


def run_dataset(run, data_dir=None):
    """The data set a run was trained on, split as it was."""
    from .data import load_dataset
    from .nn.config import Config

    config = Config.load(Path(run) / "config.toml")
    return load_dataset(config.dataset, seed=config.seed, data_dir=data_dir, label=config.label or None)


def run_codes(run, x: np.ndarray) -> np.ndarray:
    """Samples in physical values as codes of the run's encoder."""
    from .nn import load_model

    return load_model(run).encoder.codes(x)


def report_run(run, *, data_dir=None) -> dict:
    """Gather the run's record, write ``report.json`` and ``report.html``, and return it."""
    from .circuit.packed import PackedEngine
    from .nn import load_model
    from .nn.train import Samples, accuracy
    from .report import environment, save_record, write_html

    run = Path(run)
    model, dataset = load_model(run), run_dataset(run, data_dir)
    raw, best = load_circuit(run / RAW), circuit_of(run)
    steps = json.loads(read_text(run / STEPS)) if (run / STEPS).exists() else {}
    codes = model.encoder.codes(dataset.test.x)
    found = PackedEngine(best)(codes)[:, 0]
    test = Samples(model.encoder.encode(dataset.test.x), dataset.test.y)
    at_best = next((m for m in model.metrics if m["step"] == model.best_step), {})
    verified = steps.get("verify", {}).get("verdicts", {"all": "skipped: `hardwire verify` has not run"})
    record = {
        "hardware": "logic", "dataset": dataset.name, "seed": model.config.seed, "classes": list(dataset.classes),
        "accuracy": {"test_hard": float((found == dataset.test.y).mean()),
                     "test_relaxed": accuracy(model.network, test, hard=False), "validation": at_best.get("hard")},
        "counts": stage_counts(raw, best), "verified": verified,
        "time": {"train_s": model.seconds, **{f"{k}_s": v["seconds"] for k, v in steps.items()}, **measure(best, codes)},
        "energy": _energy(best), "environment": environment(),
        "confusion": _confusion(dataset.test.y, found, len(dataset.classes)), "curve": model.metrics,
        "gate_kinds": {"raw": gate_kinds(raw), "optimized": gate_kinds(best)},
        "passes": steps.get("optimize", {}).get("passes", []), "digest": best.digest,
        "model": {k: v for k, v in dataclasses.asdict(model.config).items() if k not in ("dataset", "seed")},
        "source": dataset.source,
    }
    save_record(record, run)
    write_html(record, run / "report.html")
    return record


def _energy(circuit: Circuit) -> list[dict]:
    """Model estimates for one inference of the whole circuit."""
    from .energy import logic_energy

    gates = sum(stage["gates"] for stage in circuit.counts().values())
    return [line for ledger in logic_energy(gates) for line in ledger.to_json()]


def _confusion(truth: np.ndarray, found: np.ndarray, classes: int) -> list[list[int]]:
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (truth, found), 1)
    return matrix.tolist()


def identifier(text: str) -> str:
    """``text`` as an identifier that C, Verilog and file names accept."""
    safe = "".join(c if c.isalnum() and c.isascii() else "_" for c in text)
    return safe if safe[:1].isalpha() else f"n{safe}"


def circuit_of(path) -> Circuit:
    """The circuit at ``path``: a circuit file of any kind that can be read, or a run directory's best one."""
    path = Path(path)
    if path.is_dir():
        found = [path / name for name in (OPTIMIZED, RAW) if (path / name).is_file()]
        if not found:
            raise InputError(f"{path} holds no circuit; run `hardwire lower {path}` first")
        path = found[0]
    if path.suffix in (".aig", ".aag"):
        from .circuit.aiger import read_aiger

        return read_aiger(path)
    if path.suffix == ".blif":
        from .circuit.blif import read_blif

        return read_blif(path)
    return load_circuit(path)


def gate_kinds(circuit: Circuit) -> dict[str, int]:
    """How many nodes of each gate the network stage has; wider tables by their number of inputs."""
    mine = circuit.stage == STAGES.index("network")
    kinds: dict[str, int] = {}
    for table, k in zip(circuit.table[mine].tolist(), circuit.arity[mine].tolist()):
        name = GATES[table].name if k == 2 else {0: "FALSE", 1: "NOT", 2: "WIRE", 3: "TRUE"}[table] if k == 1 else f"LUT{k}"
        kinds[name] = kinds.get(name, 0) + 1
    return kinds


def stage_counts(raw: Circuit, optimized: Circuit) -> dict:
    """The record's ``counts``: raw gates are the trained ones, wires and constants among them."""
    result = {}
    after = optimized.counts()
    for i, stage in enumerate(STAGES):
        result[stage] = {"gates_raw": int((raw.stage == i).sum()), "gates_optimized": after[stage]["gates"],
                         "depth": after[stage]["depth"]}
    return result


def verify_circuit(circuit: Circuit, *, against: Circuit | None = None, samples: np.ndarray | None = None, work, seed: int = 0,
                   progress=None) -> dict:
    """Every check that applies to ``circuit``, ``{name: Verdict}``.

    against  prove equality with this circuit (the raw one)
    samples  codes to simulate beside random and corner vectors
    work     folder for emitted files
    """
    from .backends import BACKENDS
    from .backends.verilog import port_names
    from .circuit.packed import PackedEngine
    from .errors import MissingToolError
    from .tools import CC, IVERILOG, find
    from .verify import Verdict, check_backend, prove, prove_macros, read_verilog, vectors

    codes = vectors(circuit, 512, seed=seed)
    if samples is not None:
        codes = np.concatenate([circuit.codes(samples), codes])
    checks = {}
    if against is not None:
        checks["optimized gates"] = lambda: prove(against, circuit)
    else:
        checks["macros"] = lambda: prove_macros(circuit)

    def verilog():
        files = BACKENDS["verilog"].emit(circuit, Path(work) / "verilog")
        sources = [f for f in files if f.suffix == ".v" and not f.stem.endswith("_tb")]
        top = sources[0].stem
        return prove(circuit, read_verilog(sources, top, like=circuit, ports=port_names(circuit, top)))

    checks["verilog read back"] = verilog
    checks["packed engine"] = lambda: check_backend(circuit, PackedEngine(circuit), codes)
    if find(CC):
        checks["c"] = lambda: check_backend(circuit, lambda x: BACKENDS["c"].run(circuit, x), codes)
    else:
        checks["c"] = lambda: Verdict("skipped", detail="no C compiler; install the Debian package gcc")
    if find(IVERILOG):
        checks["verilog rtl"] = lambda: check_backend(circuit, lambda x: BACKENDS["verilog"].run(circuit, x), codes[-1024:])
    else:
        checks["verilog rtl"] = lambda: Verdict("skipped", detail="no Icarus Verilog; install the Debian package iverilog")

    verdicts = {}
    for name, check in checks.items():
        if progress:
            progress(f"verify: {name}")
        try:
            verdicts[name] = check()
        except MissingToolError as error:
            verdicts[name] = Verdict("skipped", detail=str(error))
    return verdicts


def measure(circuit: Circuit, samples: np.ndarray) -> dict:
    """Samples per second of the packed engine on one thread, minimum and median of 7 calls on at least 65,536 samples."""
    from .circuit.packed import PackedEngine

    engine = PackedEngine(circuit)
    x = np.tile(samples, (-(-65536 // len(samples)), 1))[:65536]
    engine(x)
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        engine(x)
        seconds.append(time.perf_counter() - start)
    return {"samples_per_s": len(x) / float(np.min(seconds)), "samples_per_s_median": len(x) / float(np.median(seconds))}
