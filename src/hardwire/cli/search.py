"""The verb ``search``: an exact search for the cheapest circuit, from a run or from nothing, into a run directory."""

from pathlib import Path
from typing import Any

import rich_click as click

from ..core.errors import InputError
from ..logic.settings import LogicSettings, search_preset
from ..runs.directory import RunDirectory
from ..runs.experiment import found_settings
from ..runs.paths import same_value
from .output import Output
from .train import train_into
from .training import check_place, own_folder
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
def search(
    output: Output, *, source: str, out: str, resume: bool, overwrite: bool, data_dir: Path | None,
    assignments: tuple[str, ...], search: dict[str, Any], given: dict[str, Any],
) -> int:
    """Search for the cheapest circuit, by exact changes of the training loss and the price.

    RUN gives the network to begin with; a data set alone begins with nothing. The network that does best on the
    validation split within the budget is kept. With --search-rounds a seed gives the same circuit on any machine.
    """
    folder, run = Path(out), Path(source)
    check_place(folder, resume=resume, overwrite=overwrite)
    if overwrite and folder.resolve() == run.resolve():
        raise InputError(f"--overwrite would remove {source}, which the search begins with; choose another --out")
    begins = run if (run / "config.toml").is_file() else None
    if resume and (folder / "config.toml").is_file():
        settings = LogicSettings.load(folder / "config.toml")
        if not begins or begins.resolve() != folder.resolve():  # beside the settings, the source must be the same
            own = {"start": str(begins.resolve())} if begins else {"start": "nothing", "dataset": own_folder(source)}
            settings = settings.changed(**{k: v for k, v in own.items() if not same_value(getattr(settings, k), v)})
    elif begins:
        directory = RunDirectory(run)
        begun = found_settings(LogicSettings, directory.read_model("logic"), directory)
        settings = begun.changed(**{"start": str(run.resolve())} | search)
    else:
        settings = search_preset(own_folder(source), search["budget"], search["unit"]).changed(start="nothing")
    settings = with_assignments(settings.changed(**search | given), assignments)
    return train_into(output, settings, folder, data_dir=data_dir, resume=resume, overwrite=overwrite)
