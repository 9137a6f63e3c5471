"""The verb ``search``: an exact search for the cheapest circuit, from a run or from nothing, into a run directory."""

from pathlib import Path
from typing import Any

import rich_click as click

from ..logic.settings import LogicSettings, search_preset
from ..runs.directory import RunDirectory
from ..runs.experiment import found_settings
from .output import Output
from .train import train_into
from .verbs import DATASET, budget_options, out_option, run_options, settings_options, verb, with_assignments

EXAMPLES = """
hardwire search mnist --budget 1400ge --time 5m --out runs/tiny
hardwire search runs/mnist --budget 7500ge --time 20m --out runs/cheap
hardwire search mnist --budget 700luts --time 10m --out runs/luts
"""
#: Settings that are used often.
FREQUENT = ("seed", "search_rounds", "search_bits", "search_copies", "search_depth", "encoder", "levels", "augment",
            "label")


@verb(EXAMPLES)
@click.argument("source", metavar="RUN|DATASET", help=f"Run directory of `hardwire train`, or a data set: {DATASET}")
@out_option()
@budget_options(required=True)
@run_options
@settings_options(LogicSettings, *FREQUENT, only=True)
def search(output: Output, *, source: str, out: str, resume: bool, data_dir: Path | None, assignments: tuple[str, ...],
           search: dict[str, Any], given: dict[str, Any]) -> int:
    """Search for the cheapest circuit, by exact changes of the training loss and the price.

    RUN gives the network to begin with; a data set alone begins with nothing. The network that does best on the
    validation split within the budget is kept. With --search-rounds a seed gives the same circuit on any machine.
    """
    folder, run = Path(out), Path(source)
    if resume and (folder / "config.toml").is_file():
        settings = LogicSettings.load(folder / "config.toml")
    elif (run / "config.toml").is_file():
        directory = RunDirectory(run)
        begun = found_settings(LogicSettings, directory.read_model("logic"), directory)
        settings = begun.changed(**{"start": str(run.resolve())} | search)
    else:
        settings = search_preset(source, search["budget"], search["unit"]).changed(start="nothing")
    settings = with_assignments(settings.changed(**search | given), assignments)
    return train_into(output, settings, folder, data_dir=data_dir, resume=resume)
