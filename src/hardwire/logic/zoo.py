"""Published architectures by name, with two recipes each: the paper's hyperparameters, and ours; and a few of our own.

``lut6-...`` are ours: one layer of so many six-input tables with learned wires on one threshold that is a wire, so
that the whole circuit is the tables and the head. Their sizes are 31, 63 and 127 tables a class, the most that a
count of five, six or seven bits holds. ``dlgn-...`` are the dense networks of Petersen et al., 2022 (arXiv
2210.08277), named by their gates; ``logictreenet-...`` the convolutional ones of Petersen et al., 2024 (arXiv
2411.04732). Our recipe is selected on validation. The paper's learning rates stay constant, and its number of steps
is given for 2022 only. Two points are read as follows: the 2024 text doubles "the last dense gates" of some networks,
here the last layer; MNIST inputs of 2022 are cropped to 20 x 20 for the small network, here 28 x 28.
"""

from typing import Any, Literal, get_args

from ..core.errors import InputError
from .settings import TABLE_PRESET, LogicSettings

#: What the 2022 paper's code trains with: softmax over sixteen gates, Gaussian start, random wiring, Adam.
_PAPER_2022: dict[str, Any] = {
    "parametrisation": "softmax", "init": "random", "noise": 1.0, "wiring": "random", "learning_rate": 0.01,
    "schedule": "constant", "batch": 100, "steps": 200_000, "evaluate_every": 2000, "gate_penalty": 0.0,
}
#: What the 2024 paper says: residual start with logit 5, AdamW.
_PAPER_2024: dict[str, Any] = {
    "parametrisation": "softmax", "init": "residual", "strength": 5.0, "tree_strength": 5.0, "noise": 0.0,
    "tree_noise": 0.0, "wiring": "random", "learning_rate": 0.02, "schedule": "constant", "weight_decay": 0.002,
    "batch": 128, "steps": 200_000, "evaluate_every": 2000, "gate_penalty": 0.0,
}
#: Ours: table logits, a weak start, one cycle of a high learning rate, the last steps on the frozen network.
_OURS: dict[str, Any] = {
    "parametrisation": "table", "init": "residual", "strength": 1.0, "noise": 0.5, "learning_rate": 0.1,
    "schedule": "one-cycle", "batch": 128, "steps": 30_000, "evaluate_every": 1000,
}
#: Of trees: they start as pass-through, the dense layers after them at random, and are frozen layer by layer.
_OUR_TREES: dict[str, Any] = {
    "init": "random", "noise": 1.0, "tree_strength": 2.0, "tree_noise": 0.25, "freeze_at": 0.5, "steps": 8000,
    "evaluate_every": 500,
}
#: Of single layers of tables with learned wires: hard in forward, so that what is trained is what is frozen.
_OUR_TABLES: dict[str, Any] = {
    "init": "random", "estimator": "hard", "routing": "hard", "wiring": "random", "augment": "crop", "crop_pad": 1,
    "steps": 16_000,
}


def _tables(width: int) -> dict[str, Any]:
    return {"widths": [width], "fan_in": 6, "learned_layers": 1, "candidates": 32, "levels": 1}


def _dense(layers: int, width: int, tau: float, levels: int) -> dict[str, Any]:
    return {"layers": layers, "width": width, "tau": tau, "levels": levels}


def _mnist_tree(k: int, tau: float, *, double: bool) -> dict[str, Any]:
    return {"channels": [k, 3 * k, 9 * k], "receptive_fields": [5, 3, 3], "paddings": [0, 1, 1],
            "channel_groups": [1, max(1, k // 8), max(1, 3 * k // 8)],
            "widths": [1280 * k, 640 * k, 320 * k * (2 if double else 1)], "tau": tau, "levels": 3}


def _cifar_tree(k: int, tau: float, levels: int, *, double: bool) -> dict[str, Any]:
    return {"channels": [k, 4 * k, 16 * k, 32 * k], "receptive_fields": [3] * 4, "paddings": [1] * 4,
            "channel_groups": [1, max(1, k // 8), max(1, 4 * k // 8), max(1, 16 * k // 8)],
            "widths": [1280 * k, 640 * k, 320 * k * (2 if double else 1)], "tau": tau, "levels": levels}


#: Model -> data set -> its architecture, temperature and thresholds.
ARCHITECTURES: dict[str, dict[str, dict[str, Any]]] = {
    "dlgn-48k": {"mnist": _dense(6, 8000, 10.0, 1), "cifar10": _dense(4, 12_000, 100.0, 3)},
    "dlgn-384k": {"mnist": _dense(6, 64_000, 30.0, 1)},
    "dlgn-512k": {"cifar10": _dense(4, 128_000, 100.0, 3)},
    "dlgn-1.28m": {"cifar10": _dense(5, 256_000, 100.0, 31)},
    "dlgn-2.56m": {"cifar10": _dense(5, 512_000, 100.0, 31)},
    "dlgn-5.12m": {"cifar10": _dense(5, 1_024_000, 100.0, 31)},
    "dlgn-uci": {"adult": _dense(5, 256, 20.0, 7), "breast-cancer": _dense(5, 128, 20.0, 1),
                 "monk1": _dense(6, 24, 1.0, 1), "monk2": _dense(6, 12, 1.0, 1), "monk3": _dense(6, 12, 1.0, 1)},
    "logictreenet-s": {"mnist": _mnist_tree(16, 6.5, double=True), "cifar10": _cifar_tree(32, 20.0, 3, double=False)},
    "logictreenet-m": {"mnist": _mnist_tree(64, 28.0, double=True), "cifar10": _cifar_tree(256, 40.0, 3, double=False)},
    "logictreenet-b": {"cifar10": _cifar_tree(512, 280.0, 31, double=True)},
    "logictreenet-l": {"mnist": _mnist_tree(1024, 35.0, double=False),
                       "cifar10": _cifar_tree(1024, 340.0, 31, double=True)},
    "lut6-310": {"mnist": _tables(310)},
    "lut6-630": {"mnist": _tables(630)},
    "lut6-1270": {"mnist": _tables(1270)},
    "logictreenet-g": {"cifar10": _cifar_tree(2048, 450.0, 31, double=False)},
}
#: Differences of the paper's recipe for one data set.
_PAPER_EXCEPTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("dlgn-uci", "breast-cancer"): {"learning_rate": 0.001}, ("logictreenet-s", "mnist"): {"batch": 512},
    ("logictreenet-m", "mnist"): {"batch": 256}, ("logictreenet-g", "cifar10"): {"weight_decay": 0.001},
}
#: Of ours. Adult: no gap at the paper's temperature. Breast Cancer: few samples, much noise; a short training learns
#: fewer by heart. MONK 2: 72 gates stay between 0 and 1 unless the last steps train what will be frozen.
_OUR_EXCEPTIONS: dict[tuple[str, str], dict[str, Any]] = {("dlgn-uci", "monk2"): {"harden_at": 0.7},
                   ("dlgn-uci", "adult"): {"tau": 20.0},
                   ("dlgn-uci", "breast-cancer"): {"tau": 20.0, "steps": 1000, "evaluate_every": 250}}
Recipe = Literal["hardwire", "paper"]
RECIPES = get_args(Recipe)


def published(model: str, dataset: str, recipe: Recipe = "hardwire") -> LogicSettings:
    """Return the settings of a published network for a data set it was published for.

    Parameters
    ----------
    model
        A name in ``ARCHITECTURES``.
    dataset
        A data set that the model was published for.
    recipe
        Hyperparameters of training: ours, selected on validation, or the paper's.

    Raises
    ------
    InputError
        Model, recipe or the pair of model and data set is unknown.
    """
    if model not in ARCHITECTURES:
        raise InputError(f"model {model!r} is unknown; choose from {', '.join(ARCHITECTURES)}, or give a .toml file")
    if dataset not in ARCHITECTURES[model]:
        raise InputError(f"{model} was published for {', '.join(ARCHITECTURES[model])}, not for {dataset}; "
                         f"use one of them, or give your own settings with --model FILE.toml")
    if recipe not in RECIPES:
        raise InputError(f"recipe {recipe!r} is none of {', '.join(RECIPES)}")
    return LogicSettings(dataset=dataset, **(_paper if recipe == "paper" else _ours)(model, dataset))


def _paper(model: str, dataset: str) -> dict[str, Any]:
    """Return what the paper trains with; its number of steps is given for 2022 only."""
    architecture = ARCHITECTURES[model][dataset]
    if "fan_in" in architecture:
        raise InputError(f"{model} is no paper's, so that it has no recipe of one; leave --recipe out")
    paper = _PAPER_2024 if "channels" in architecture else _PAPER_2022
    exceptions = _PAPER_EXCEPTIONS.get((model, dataset), {})
    return architecture | paper | exceptions | ({} if dataset in ("mnist", "cifar10") else {"steps": 100_000})


def _ours(model: str, dataset: str) -> dict[str, Any]:
    """Return our recipe for the paper's architecture."""
    architecture = ARCHITECTURES[model][dataset]
    settings = architecture | _OURS | {"tau": 0.0} | (_OUR_TREES if "channels" in architecture else {})
    settings |= _OUR_TABLES if "fan_in" in architecture else {}
    if dataset == "cifar10":
        settings |= {"augment": "flip"}
    if dataset not in ("mnist", "cifar10"):
        encoder = {name: TABLE_PRESET[name] for name in ("encoder", "levels", "wiring")}
        settings |= encoder | {"steps": 4000, "batch": 100}
    return settings | _OUR_EXCEPTIONS.get((model, dataset), {})
