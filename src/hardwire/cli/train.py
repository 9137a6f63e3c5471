"""The verb ``train``: a logic network into a run directory."""

from pathlib import Path
from typing import Any

import rich_click as click

from ..logic.settings import LogicSettings, preset
from ..logic.zoo import RECIPES, Recipe, published
from .output import FIRST, Output
from .progress import merit, watching
from .verbs import DATASET, SEARCHED, budget_options, out_option, run_options, settings_options, verb, with_assignments

EXAMPLES = """
hardwire train mnist --out runs/mnist --seed 1
hardwire train mnist --budget 7500ge --time 20m --out runs/cheap
hardwire train mnist --out runs/small --gate-penalty 0.05 --widths 4000,4000
hardwire train my.csv --label species --out runs/species
hardwire train house.csv --task regress --label price --out runs/house
hardwire train tags.csv --task multilabel --label rain,wind --out runs/tags
"""
#: Settings that are used often.
FREQUENT = ("seed", "steps", "layers", "width", "levels", "edges", "batch", "learning_rate", "gate_penalty",
            "parametrisation", "encoder", "label")


@verb(EXAMPLES)
@click.argument("dataset", metavar="DATASET", help=DATASET)
@out_option()
@click.option("--model", metavar="NAME",
              help="A published network such as logictreenet-s or dlgn-48k, or a .toml file of settings, as "
              "config.toml of a run.")
@click.option("--recipe", default="hardwire", type=click.Choice(RECIPES),
              help="Hyperparameters of a published network: ours or the paper's (default: hardwire).")
@budget_options(required=False)
@run_options
@settings_options(LogicSettings, *FREQUENT, without=SEARCHED)
def train(output: Output, *, dataset: str, out: str, model: str | None, recipe: Recipe, resume: bool,
          data_dir: Path | None, assignments: tuple[str, ...], search: dict[str, Any], given: dict[str, Any]) -> int:
    """Train a logic network into a run directory.

    Settings are those of the data set's preset, of --model, or of the run that is resumed, with the options below in
    place of some. With --budget an exact search follows, which brings the whole circuit to that price.
    """
    folder = Path(out)
    dataset = with_slash(dataset)
    stored = resume and (folder / "config.toml").is_file()
    settings = LogicSettings.load(folder / "config.toml") if stored else settings_of(dataset, model, recipe)
    settings = with_assignments(settings.changed(**{"dataset": dataset} | search | given), assignments)

    return train_into(output, settings, folder, data_dir=data_dir, resume=resume)


def with_slash(dataset: str) -> str:
    """Return a bare name that is a folder and no data set as a path, so that the run finds it from elsewhere."""
    if "/" in dataset or not Path(dataset).is_dir():
        return dataset
    from ..data.sources import SOURCES

    return dataset if dataset in SOURCES else f"./{dataset}"


def train_into(output: Output, settings: LogicSettings, folder: Path, *, data_dir: Path | None, resume: bool) -> int:
    """Train, search, or go on with either, and answer with the best evaluation."""
    from ..logic.record import LOGIC
    from ..runs.directory import RunDirectory
    from ..runs.experiment import begun, train

    data = None
    if resume and (folder / "model.safetensors").exists():
        output.say(f"{folder} is finished already")
    else:
        data = LOGIC.data_of(settings, data_dir, begun(RunDirectory(folder)) if resume else None)
        for line in data.columns.notes() if data.columns else ():
            output.say(line)
        output.say(plan_of(settings, len(data.classes), len(data.train.y)))
    with watching(output, task=settings.task) as listener:
        trained = train(LOGIC, settings, folder, data=data, data_dir=data_dir, resume=resume, listen=listener)
    if FIRST:  # the run directory is the first one's
        best = trained.best
        text = f"{folder}: validation hard {merit(best['hard'], settings.task)} at step {best['step']}"
        output.answer({"run": str(folder), "best": best}, text)
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
    dense = f"{len(widths)} layers of {widths[0]}" if len(set(widths)) == 1 else " + ".join(map(str, widths))
    return f"{len(settings.channels)} convolutions and {dense} gates" if settings.channels else f"{dense} gates"
