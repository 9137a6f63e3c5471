"""The verb ``sweep``: a search over settings."""

from pathlib import Path
from typing import Any, Literal

import rich_click as click

from ..core.errors import InputError
from ..core.settings import parse_assignments
from ..logic.settings import LogicSettings
from ..workflow.hardwares import HARDWARES, hardware_named
from .output import Output
from .progress import watching
from .verbs import DATASET, data_dir_option, set_option, settings_options, threads_option, verb

EXAMPLES = """
hardwire sweep digits --space space.toml --out sweeps/digits --sampler tpe --trials 50
hardwire sweep mnist --hardware spiking --set epochs=1 --space space.toml --out sweeps/spiking
hardwire sweep --show sweeps/digits
"""


@verb(EXAMPLES)
@click.argument("dataset", metavar="[DATASET]", required=False, help=DATASET)
@click.option("--hardware", type=click.Choice(list(HARDWARES)), help="What is trained (default: logic).")
@click.option("--space", metavar="FILE",
              help="TOML: lists are choices, {low, high, log, step} ranges, single values fixed.")
@click.option("--out", metavar="DIR", help="Folder of the sweep; the same again shares its work or goes on with it.")
@click.option("--show", metavar="DIR", help="Only write and print the front of a sweep as it stands.")
@click.option("--trials", type=int, metavar="N",
              help="Trials over all calls (default: the whole grid, 30 of a search).")
@click.option("--sampler", type=click.Choice(["grid", "random", "tpe", "nsga2"]),
              help="Default: the grid if the space has lists and stepped ranges only, else tpe.")
@click.option("--storage", metavar="URL", help="Database that processes share (default: a journal in the folder).")
@click.option("--name", default="sweep", metavar="NAME", help="Of the study in the storage (default: sweep).")
@click.option("--timeout", type=float, metavar="S", help="Begin no trial after S seconds.")
@click.option("--optimized", is_flag=True, help="Of logic: count gates after the passes, not as trained.")
@data_dir_option
@threads_option
@set_option
@settings_options(LogicSettings)
def sweep(  # noqa: PLR0913 - one for each option
    output: Output, *, dataset: str | None, hardware: str | None, space: str | None, out: str | None, show: str | None,
    trials: int | None, sampler: Literal["grid", "random", "tpe", "nsga2"] | None, storage: str | None, name: str,
    timeout: float | None, optimized: bool, data_dir: Path | None, assignments: tuple[str, ...], given: dict[str, Any],
) -> int:
    """Run a grid or a search over settings; the front of validation accuracy against cost.

    The cost is the gates of a logic network, the synapses of a crossbar's, the synapses of a spiking one that are not
    pruned. A space.toml says, line by line, what is tried: width = [1000, 2000], seed = [0, 1, 2], steps = 1000,
    learning_rate = {low = 0.01, high = 0.2, log = true}. --set adds a line to it. A setting of logic that is given as
    an option is the same in every trial.
    """
    from .. import tuning
    from ..report.front import format_front

    if show:
        if dataset or hardware or space or out or given or assignments:
            raise InputError("--show DIR stands alone; leave the data set, --hardware, --space, --out and settings out")
        front = tuning.show(show, storage=storage)
    elif not (dataset and space and out):
        raise InputError("sweep needs a data set, --space and --out, or --show DIR; see `hardwire sweep --help`")
    else:
        if given and hardware not in (None, "logic"):
            option = "--" + next(iter(given)).replace("_", "-")
            raise InputError(f"{option} is a setting of logic; give settings of {hardware} in {space} or as "
                             f"--set NAME=VALUE")
        settings = hardware_named(hardware or "logic").settings
        points = tuning.read_space(space, settings)
        if given or assignments:
            added = parse_assignments("\n".join(assignments), "--set")
            points = tuning.parse_space(points.given | given | added, settings)
        with watching(output) as listener:
            front = tuning.sweep(dataset, points, out, trials=trials, storage=storage, name=name, sampler=sampler,
                                 timeout=timeout, optimized=optimized, data_dir=data_dir, say=output.say,
                                 progress=listener, hardware=hardware or "logic")
    output.answer(front, f"{format_front(front)}\n{Path(show or out or '') / 'front.html'}")
    return 0
