"""Every benchmark by name. One joins by a row: its module, what is measured, its goals."""

import importlib
import inspect
import json
from collections.abc import Iterable
from typing import Any

from hardwire.core.errors import InputError

from .framework import Benchmark, Goal, RefusedError, Say, format_result, judge, keep

__all__ = ["BENCHMARKS", "RefusedError", "format_result", "keep", "run"]


def _accuracy(what: str, hard: float, *, limit_s: float = 1800.0, experiment: str) -> Benchmark:
    goals = (Goal("mean / hard", hard, "mean hard test accuracy", at_least=True),
             Goal("slowest_s", limit_s, "seconds of the longest training"))
    return Benchmark("accuracy", what, goals if hard else goals[1:], fixed={"experiment": experiment})


def _uci(table: str) -> Benchmark:
    return _accuracy(f"{table} with the gates of the 2022 paper, ten splits", 0.0, experiment=f"uci_{table}")


def _lut6(width: int, hard: float, most: int) -> Benchmark:
    return Benchmark("lut6", f"MNIST, one layer of {width} six-input tables, whole circuit", (
        Goal("hard", hard, "mean hard test accuracy", at_least=True),
        Goal("tables", most, "six-input tables of encoder, network and head"),
    ), fixed={"model": f"lut6-{width}"})


def _cheapest(point: str, hard: float, most: float, unit: str = "NAND2 equivalents by the open board's script",
              limit_s: float = 7200.0) -> Benchmark:
    return Benchmark("cheapest", f"{point}: whole circuit by exact search", (
        Goal("hard", hard, "mean hard test accuracy", at_least=True), Goal("price", most, unit),
        Goal("slowest_s", limit_s, "seconds of the longest search"),
    ), fixed={"point": point})


def _cheaper(name: str, validation: float, most: float) -> Benchmark:
    return Benchmark("cheapest", f"{name}: whole circuit by exact search against a third of the baseline's price", (
        Goal("validation", validation, "validation accuracy of the baseline", at_least=True),
        Goal("price", most, "a third of the baseline's NAND2 equivalents, by the open board's script"),
    ), fixed={"point": name})


_LUTS = "six-input tables of encoder, network and head"

#: Name -> benchmark.
BENCHMARKS = {
    "train": Benchmark("train_step", "training steps on one thread, and their memory", (
        Goal("ratio_min", 1.0, "logic_table / the faster perceptron"),
        Goal("logictreenet_s / min_s", 0.15, "seconds of a LogicTreeNet-S step on 28 x 28, batch 128"),
        Goal("memory / logic_table_mb", 150.0, "megabytes above import at the peak of 20 steps of logic_table"),
        Goal("memory / logictreenet_s_mb", 150.0, "the same of LogicTreeNet-S"),
    ), result="train_step"),
    "packed": Benchmark("packed", "the packed engine on a network of 48,000 gates, one core", (
        Goal("gate_evaluations_per_s", 2e11, "live gate evaluations a second", at_least=True),
        Goal("images_per_s", 3e6, "images a second from uint8 pixels", at_least=True),
        Goal("load_to_first_answer_s", 1.0, "seconds from a fresh process to the first answer"),
    )),
    "wasm": Benchmark("wasm", "an emitted WebAssembly module beside the packed engine, one thread", (
        Goal("speed_ratio", 0.25, "speed in wasmtime / speed of the packed engine", at_least=True),
    )),
    "optimize": Benchmark("optimize", "optimising a trained network and proving the result", (
        Goal("optimize_and_prove_s", 120.0, "seconds to optimise and prove"),
        Goal("removed_nodes", 0.6, "share of the network's trained nodes that are no gate afterwards", at_least=True),
    )),
    "crossbar_step": Benchmark("crossbar_step", "training steps on crossbars, beside torch's SGD", (
        Goal("hybrid / sparse / step_ms", 0.8, "milliseconds a step of 2PCM+3T1C with every noise, 150 inputs on"),
        Goal("hybrid / dense / step_ms", 2.5, "milliseconds a step of 2PCM+3T1C with every noise, all inputs on"),
    )),
    "spiking_speed": Benchmark("spiking", "unsupervised training of the spiking network, one thread", (
        Goal("samples_per_s_median", 2000.0, "training samples a second", at_least=True),
        Goal("three_epochs_s_at_median", 120.0, "seconds of three epochs of 60,000 samples"),
    ), fixed={"part": "speed"}),
    "gpu": Benchmark("gpu", "every GPU kernel, beside a copy of the same bytes", (
        Goal("least_share_of_copy", 0.5, "share of the copy bandwidth of the gates, both ways", at_least=True),
    )),
    "digits": Benchmark("digits", "digits at the default settings, seeds 0 to 4", (
        Goal("hard", 0.965, "mean hard test accuracy", at_least=True),
        Goal("gap", 0.005, "mean relaxed minus hard accuracy"),
        Goal("nodes_raw", 6000, "nodes of the network as trained"),
    )),
    "mnist": Benchmark("mnist", "MNIST, 6 x 8,000 gates at the default settings", (
        Goal("hard", 0.977, "hard test accuracy", at_least=True),
        Goal("train_s", 600.0, "seconds of training"),
    )),
    "mnist_8000": _accuracy("MNIST, 8,000 gates with learned wiring", 0.984, experiment="mnist_8000"),
    "mnist_72000": _accuracy("MNIST, 72,000 gates with learned wiring", 0.988, experiment="mnist_72000"),
    "mnist_logictreenet_s": _accuracy("MNIST, LogicTreeNet-S", 0.988, experiment="mnist_logictreenet_s"),
    "mnist_lut6_310": _lut6(310, 0.970, 700),
    "mnist_lut6_630": _lut6(630, 0.978, 1400),
    "mnist_lut6_1270": _lut6(1270, 0.984, 2800),
    "cifar10_dense": _accuracy("CIFAR-10, 2 x 128,000 gates", 0.60, limit_s=7200, experiment="cifar10_dense"),
    "cifar10_logictreenet_s": _accuracy("CIFAR-10, LogicTreeNet-S", 0.604, limit_s=7200,
                                        experiment="cifar10_logictreenet_s"),
    "mnist_6_layers": _accuracy("MNIST, 6 layers, 10,000 steps", 0.0, experiment="mnist_6_layers"),
    "mnist_12_layers": _accuracy("MNIST, 12 layers, 10,000 steps", 0.0, experiment="mnist_12_layers"),
    **{f"uci_{table}": _uci(table) for table in ("monk1", "monk2", "monk3", "adult", "breast_cancer")},
    "tables": Benchmark("tables", "whole circuits of five tables and of digits, at their presets"),
    "choosing": Benchmark("choosing", "settings chosen from the data, beside boosted trees on the same splits", (
        Goal("worst_gap", 0.005, "largest relaxed minus hard test accuracy"),
        Goal("sets / fashion-mnist / hard", 0.88, "hard test accuracy of Fashion-MNIST", at_least=True),
        Goal("sets / letter / hard", 0.93, "hard test accuracy of letter", at_least=True),
        Goal("behind_trees", 0.010, "mean test accuracy of boosted trees above the circuits', nine tables"),
        Goal("slowest_s", 600.0, "seconds of the longest training on two cores"),
    )),
    "parametrisations": Benchmark("parametrisations", "which parametrisation and estimator, on digits"),
    "crossbar_mnist": Benchmark("crossbar_mnist", "MNIST on crossbars beside float training, and ablations", (
        Goal("points_to_float / hybrid", -0.3, "points of 2 PCM + 3T1C above float", at_least=True),
        Goal("points_above_ablations", 0.001, "points above no inversion and 2 PCM alone", at_least=True),
        Goal("epochs", 10, "epochs", at_least=True),
        Goal("seeds", 3, "seeds", at_least=True),
        Goal("samples_left_out", 0, "training samples left out"),
    )),
    "crossbar_transfer": Benchmark("crossbar_transfer", "heads on crossbars on features of another image set", (
        Goal("cifar10 / points_to_float", -1.0, "points above the float head, CIFAR-10", at_least=True),
        Goal("cifar100 / points_to_float", -1.0, "points above the float head, CIFAR-100", at_least=True),
    )),
    "spiking_pruning": Benchmark("spiking", "every way to prune the spiking network", (
        Goal("soft 0.75 / test", 0.93, "test accuracy with 75 % softly pruned, mean of the seeds", at_least=True),
    ), fixed={"part": "pruning"}),
    "spiking_diehl_cook": Benchmark("spiking", "Diehl and Cook's network of 400 neurons, one epoch", (
        Goal("test", 0.85, "test accuracy", at_least=True),
    ), fixed={"part": "diehl_cook"}),
    "spiking_mixture": Benchmark("spiking_mixture", "what the mixture behind the spiking network reaches offline"),
    "spiking_sweep": Benchmark("spiking_sweep", "what each free parameter does to the spiking network"),
    "search": Benchmark("search", "proposals of the exact search on 54,000 images", (
        Goal("us_a_pair / median", 1.0, "microseconds a candidate pair on one core"),
        Goal("two_threads", 1.7, "speed of two threads over one", at_least=True),
    )),
    "cheapest_mnist_1400": _cheapest("mnist_1400ge", 0.935, 1400, limit_s=300),
    "cheapest_mnist_2600": _cheapest("mnist_2600ge", 0.958, 2600, limit_s=300),
    "cheapest_mnist_4200": _cheapest("mnist_4200ge", 0.966, 4200, limit_s=300),
    "cheapest_mnist_7500": _cheapest("mnist_7500ge", 0.975, 7500),
    "cheapest_mnist_15000": _cheapest("mnist_15000ge", 0.980, 15_000),
    "cheapest_mnist_700_luts": _cheapest("mnist_700luts", 0.970, 700, _LUTS),
    "cheapest_mnist_1400_luts": _cheapest("mnist_1400luts", 0.978, 1400, _LUTS),
    "cheapest_mnist_2800_luts": _cheapest("mnist_2800luts", 0.984, 2800, _LUTS),
    "cheapest_digits": _cheapest("digits_3000ge", 0.965, 3000),
    "cheapest_fashion": _cheapest("fashion_15000ge", 0.86, 15_000),
    "cheapest_letter": _cheaper("letter", 0.8056, 5469),
    "cheapest_satimage": _cheaper("satimage", 0.9106, 5990),
    "cheapest_pendigits": _cheaper("pendigits", 0.9863, 5237),
    "cheapest_adult": _cheaper("adult", 0.8498, 4311),
    "cheapest_connect_4": _cheaper("connect-4", 0.7766, 5135),
    "asic": Benchmark("asic", "whole circuits in standard cells, beside OpenSTA", (
        Goal("delay_apart", 0.05, "largest distance of our delay from OpenSTA's, as a share"),
        Goal("largest_apart", 0.10, "the same of any term of power, at uniform activity and by OpenSTA's conventions"),
    )),
    "silicon_mnist": Benchmark("silicon", "MNIST placed and routed on ECP5-25, a register at every level of tables", (
        Goal("routed / hard", 0.978, "hard test accuracy", at_least=True),
        Goal("routed / reached_mhz", 200.0, "megahertz after routing", at_least=True),
        Goal("routed / latency_ns", 80.0, "nanoseconds from the input registers to the answer"),
        Goal("routed / tables", 1800, _LUTS),
        Goal("small / hard", 0.970, "hard test accuracy of the small circuit", at_least=True),
        Goal("small / tables", 1000, f"the small circuit's {_LUTS}"),
        Goal("head_8000 / lut-depth / levels", 29, "levels of six-input tables of a head of 8,000 bits"),
    )),
    "tables_baseline": Benchmark("tables", "the same before heads, encoders and search knew the price of a gate; kept",
                                 result="tables_baseline"),
}


def run(
    name: str, assignments: Iterable[str] = (), *, runs: int | None = None, say: Say = lambda text: None,
) -> dict[str, Any]:
    """Run a benchmark: its figures, its goals and whether they are met, machine and commit.

    Parameters
    ----------
    name : str
        A name in ``BENCHMARKS``.
    assignments : iterable of str
        Parameters as ``NAME=VALUE``; a value that is no JSON is a text.
    runs : int, optional
        Repetitions of everything timed, for benchmarks that repeat.
    say : callable
        Called with each line of progress.

    Raises
    ------
    RefusedError
        Where the check of correctness fails.
    InputError
        Where the name or a parameter is none, or a parameter lacks.
    """
    if name not in BENCHMARKS:
        raise InputError(f"benchmark {name!r} is none of {', '.join(BENCHMARKS)}")
    benchmark = BENCHMARKS[name]
    given = dict(_assignment(text) for text in assignments) | ({} if runs is None else {"runs": runs})
    function = importlib.import_module(f".{benchmark.module}", __package__).figures
    parameters = {n: p for n, p in inspect.signature(function).parameters.items() if p.kind is p.KEYWORD_ONLY}
    free = [n for n in parameters if n not in benchmark.fixed]
    if unknown := sorted(set(given) - set(free)):
        raise InputError(f"benchmark {name} has no parameter {unknown[0]!r}; choose from {', '.join(free) or 'none'}")
    if lacking := [n for n in free if parameters[n].default is inspect.Parameter.empty and n not in given]:
        raise InputError(f"benchmark {name} needs --set {lacking[0]}=...")
    if "runs" in given and (type(given["runs"]) is not int or given["runs"] < 1):
        raise InputError(f"runs = {given['runs']} must be at least 1")
    return judge(name, benchmark, function(say, **benchmark.fixed, **given))


def _assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise InputError(f"--set {text!r} is not NAME=VALUE; write for example --set seeds=[0,1]")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
