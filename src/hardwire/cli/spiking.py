"""The verb ``spiking``: unsupervised spiking networks on an array of memory cells."""

from pathlib import Path
from typing import Any

import rich_click as click

from ..core.errors import InputError
from ..spiking.settings import SpikingSettings, preset
from .output import Output
from .training import check_place, own_folder, train_and_report
from .verbs import (
    DATASET,
    data_dir_option,
    out_option,
    overwrite_option,
    resume_option,
    set_option,
    settings_options,
    verb,
    with_assignments,
)

EXAMPLES = """
hardwire spiking mnist --out runs/spiking
hardwire spiking mnist --prune 0.75 --method soft --out runs/pruned
hardwire spiking mnist --compare 0.4,0.75 --seeds 3 --out runs/contenders
hardwire spiking mnist --rule triplet --out runs/diehl-cook
"""


@verb(EXAMPLES)
@click.argument("dataset", metavar="DATASET", help=DATASET)
@out_option()
@click.option("--config", metavar="FILE", help="A .toml file of settings, as config.toml of a run.")
@click.option("--compare", metavar="SHARES",
              help="Train every method at these shares too, with commas between, as 0.4,0.75.")
@click.option("--seeds", type=int, default=3, metavar="N", help="Of --compare: runs of each (default: 3).")
@resume_option
@overwrite_option
@data_dir_option
@set_option
@settings_options(SpikingSettings, "rule", "prune", "method", "cells", "outputs", "epochs", "seed")
def spiking(  # noqa: PLR0913 - one for each option
    output: Output, *, dataset: str, out: str, config: str | None, compare: str | None, seeds: int, resume: bool,
    overwrite: bool, data_dir: Path | None, assignments: tuple[str, ...], given: dict[str, Any],
) -> int:
    """Train a spiking network without labels on an array of memory cells into a run directory.

    With --prune it is pruned while it learns (--method soft, unless another is given); --compare trains every way to
    prune. Settings are those of the rule's preset, of --config, or of the run that is resumed, with the options below
    in place of some.
    """
    if seeds < 1:
        raise InputError(f"--seeds {seeds}: use at least 1")
    shares = shares_of(compare)
    stored = Path(out) / "config.toml"
    check_place(out, resume=resume, overwrite=overwrite)
    file = config or (stored if resume and stored.is_file() else None)
    settings = settings_of(own_folder(dataset), file, given)
    settings = with_assignments(settings, assignments)

    output.say(f"reading {settings.dataset} ...")  # at once: what follows imports kernels
    from ..spiking.contenders import run_contenders
    from ..spiking.record import SPIKING

    def compare_with(data: Any) -> None:
        if shares:
            run_contenders(settings, data, out, shares=shares, seeds=seeds,
                           progress=lambda row: output.say(_contender(row)))

    return train_and_report(output, SPIKING, settings, out, data_dir=data_dir, resume=resume, overwrite=overwrite,
                            after=compare_with)


def settings_of(dataset: str, file: Path | str | None, given: dict[str, Any]) -> SpikingSettings:
    """Return the settings of a file or of the rule's preset, with what is given in place of some."""
    rule = given.pop("rule", None)
    base = SpikingSettings.load(file) if file else preset(dataset, rule or "one-sided")
    if given.get("prune") and "method" not in given and base.method == "none":
        given["method"] = "soft"
    settings = base.changed(**{"dataset": dataset} | given)
    if rule and settings.rule != rule:
        raise InputError(f"{file} has rule {settings.rule}, not {rule}; leave --rule out")
    return settings


def shares_of(compare: str | None) -> list[float]:
    """Return the shares of ``--compare``; none without it."""
    try:
        shares = [float(part) for part in compare.split(",")] if compare else []
    except ValueError:
        raise InputError(f"--compare {compare!r} is no list of shares; write for example 0.4,0.75") from None
    if any(not 0 < share <= 1 for share in shares):
        raise InputError(f"--compare {compare}: shares are above 0 and at most 1")
    return shares


def _contender(row: dict[str, Any]) -> str:
    """Say what a contender reached."""
    run = f"{row['method']:<10} {row['prune']:.2f}  seed {row['seed']}"
    return f"{run}  test {100 * row['test']:.2f} %  {row['seconds']:.0f} s"
