"""The verb ``train``: a logic network into a run directory."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ..core.errors import InputError
from ..core.settings import parse_assignments
from ..logic.settings import PRESETS, LogicSettings, preset
from ..logic.zoo import RECIPES, Recipe, published
from ..runs.directory import CHECKPOINT, MODEL
from .output import FIRST, Output
from .progress import merit, watching
from .training import check_place, check_settings, commands, data_folder, own_folder, say_columns
from .verbs import DATASET, SEARCHED, budget_options, out_option, run_options, settings_options, verb, with_assignments

if TYPE_CHECKING:
    from ..data import Dataset
    from ..logic.choice import Effort

EXAMPLES = """
hardwire train mnist --out runs/mnist --seed 1
hardwire train mnist --budget 7500ge --time 20m --out runs/cheap
hardwire train my.csv --effort fast --out runs/first
hardwire train my.csv --effort best --time 1h --out runs/best
hardwire train my.csv --budget 8000gates --out runs/small
hardwire train mnist --out runs/small --gate-penalty 0.05 --widths 4000,4000
hardwire train my.csv --label species --out runs/species
hardwire train house.csv --task regress --label price --out runs/house
hardwire train tags.csv --task multilabel --label rain,wind --out runs/tags
"""
#: The verbs after training, in order.
NEXT = ("lower {run}", "optimize {run}", "verify {run}", "report {run}")
#: Settings that are used often.
FREQUENT = ("seed", "steps", "layers", "width", "levels", "edges", "batch", "learning_rate", "gate_penalty",
            "parametrisation", "encoder", "label")
#: Seconds in which a tuning begins trials, unless told.
TUNING_SECONDS = 900.0


@verb(EXAMPLES)
@click.argument("dataset", metavar="DATASET", help=DATASET)
@out_option()
@click.option("--model", metavar="NAME",
              help="A published network such as logictreenet-s or dlgn-48k, or a .toml file of settings, as "
              "config.toml of a run.")
@click.option("--recipe", default="hardwire", type=click.Choice(RECIPES),
              help="Hyperparameters of a published network: ours or the paper's (default: hardwire).")
@click.option("--effort", type=click.Choice(["fast", "normal", "best"]),
              help="Choose the settings from the data, for seconds, minutes, or with a tuning within --time (default: "
              "normal for a file; a named set has a preset).")
@budget_options(required=False, effort=True)
@run_options
@settings_options(LogicSettings, *FREQUENT, without=SEARCHED)
def train(  # noqa: PLR0913 - one for each option
    output: Output, *, dataset: str, out: str, model: str | None, recipe: Recipe, effort: "Effort | None", resume: bool,
    overwrite: bool, data_dir: Path | None, assignments: tuple[str, ...], search: dict[str, Any], given: dict[str, Any],
) -> int:
    """Train a logic network into a run directory.

    Settings are chosen from the data, a line for each says why; those of a named data set are its preset's unless
    --effort is given. Those of --model, or of the run that is resumed, are taken as they are; the options below stand
    in place of some. With --budget an exact search brings the whole circuit to that price.
    """
    folder = Path(out)
    check_place(folder, resume=resume, overwrite=overwrite)
    named = {"dataset": own_folder(dataset)} | search | given
    if resume and not model and (folder / "config.toml").is_file():
        settings = LogicSettings.load(folder / "config.toml")
    elif effort or not (model or dataset in PRESETS):
        if model:
            raise InputError("--effort chooses what --model gives; leave one of them out")
        own = named | parse_assignments("\n".join(assignments), "--set")
        settings, data = chosen(output, own, effort or "normal", folder, data_dir)
        return train_into(output, settings, folder, data=data, data_dir=data_dir, resume=resume, overwrite=overwrite)
    else:
        settings = settings_of(dataset, model, recipe)
    settings = with_assignments(settings.changed(**named), assignments)

    return train_into(output, settings, folder, data_dir=data_dir, resume=resume, overwrite=overwrite)


def chosen(output: Output, own: dict[str, Any], effort: "Effort", folder: Path,
           data_dir: Path | None) -> "tuple[LogicSettings, Dataset]":
    """Choose what is not the user's ``own``, and say why; with effort ``best`` tune some of it in ``folder``."""
    output.say(f"reading {own['dataset']} ...")
    from ..logic.choice import choice_of, features_of
    from ..logic.record import LOGIC

    data = LOGIC.read_data(LogicSettings(**{k: v for k, v in own.items() if k in LOGIC.data_settings}), data_dir)
    say_columns(output, data)
    choice = choice_of(features_of(data, own.get("task", "classify")), effort,
                       {k: v for k, v in own.items() if k != "search_seconds" or "budget" in own})
    for reason in choice.reasons:
        output.say(reason)
    if effort != "best" or "budget" in own:
        return choice.settings, data
    from ..tuning import tune

    with watching(output, task=choice.settings.task) as listener:
        settings = tune(choice.settings, len(data.classes), folder / "tuning", data_dir=data_dir, say=output.say,
                        seconds=own.get("search_seconds", TUNING_SECONDS), progress=listener)
    changed = [f"{name} = {value}" for name, value in settings.model_dump().items()
               if value != getattr(choice.settings, name)]
    output.say(f"the best trial: {', '.join(changed) or 'settings as chosen'}")
    return settings, data


def train_into(output: Output, settings: LogicSettings, folder: Path, *, data: "Dataset | None" = None,
               data_dir: Path | None, resume: bool, overwrite: bool = False) -> int:
    """Train, search, or go on with either, and answer with the best evaluation."""
    if data is None and not (resume and (folder / MODEL).exists()):
        output.say(f"reading {settings.dataset} ...")  # at once: what follows imports torch
    from ..logic.record import LOGIC
    from ..runs.directory import RunDirectory
    from ..runs.experiment import begun, train

    directory = RunDirectory(folder)
    if resume:
        check_settings(folder, settings)
    if resume and directory.finished:
        output.say(f"{folder} is finished already: {directory.standing()}")
    else:
        if data is None:
            data = LOGIC.data_of(settings, data_dir, begun(directory) if resume else None)
            say_columns(output, data)
        going_on = resume and (folder / CHECKPOINT).exists()
        output.say(f"{folder} goes on: {directory.standing()}" if going_on
                   else plan_of(settings, len(data.classes), len(data.train.y)))
    with watching(output, task=settings.task) as listener:
        trained = train(LOGIC, settings, folder, data=data, data_dir=data_folder(data_dir), resume=resume,
                        overwrite=overwrite, listen=listener)
    if FIRST:  # the run directory is the first one's
        best = trained.best
        text = f"{folder}: validation hard {merit(best['hard'], settings.task)} at step {best['step']}"
        output.answer({"run": str(folder), "best": best}, f"{text}\n{commands(NEXT, folder)}")
    return 0


def settings_of(dataset: str, model: str | None, recipe: Recipe) -> LogicSettings:
    """Return the settings that ``--model`` names: a file, a published network, or else the data set's preset."""
    if not model:
        return preset(dataset)
    if model.endswith(".toml") or Path(model).is_file():
        return LogicSettings.load(model)
    return published(model, dataset, recipe)


def plan_of(settings: LogicSettings, classes: int, samples: int) -> str:
    """Word what will be done."""
    plan = f"train {shape_of(settings, classes)} on {samples} samples for {settings.steps} steps"
    if not settings.budget:
        return plan
    length = (f"{settings.search_rounds} rounds" if settings.search_rounds else f"{settings.search_seconds:g} s")
    begin = {"gradient": f"{plan}, then ", "nothing": ""}.get(settings.start, f"from {settings.start} ")
    return f"{begin}search to {settings.budget:g} {settings.unit} on {samples} samples for {length}"


def shape_of(settings: LogicSettings, classes: int) -> str:
    """Word the network's size."""
    widths = settings.widths_for(classes)
    nodes = "gates" if settings.fan_in == 2 else f"tables of {settings.fan_in} inputs"
    layers = f"{len(widths)} layer{'s' * (len(widths) > 1)}"
    dense = f"{layers} of {widths[0]} {nodes}" if len(set(widths)) == 1 else f"{' + '.join(map(str, widths))} {nodes}"
    return f"{len(settings.channels)} convolutions and {dense}" if settings.channels else dense
