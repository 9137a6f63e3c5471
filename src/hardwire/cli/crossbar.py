"""The verb ``crossbar``: training in analog memory, and the fit of a device to a measured curve."""

import math
from pathlib import Path
from typing import Any

import rich_click as click

from ..core.errors import InputError
from ..crossbar.settings import ABLATIONS, PRESETS, VARIANTS, CrossbarSettings, preset
from .output import Output
from .training import check_place, train_and_report
from .verbs import (
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
hardwire crossbar mnist --out runs/crossbar
hardwire crossbar mnist --out runs/ablations --ablations --seed 1
hardwire crossbar cifar10 --features net.safetensors --out runs/head
hardwire crossbar fit --curve pulses.csv --kind pcm --out my_pcm.toml
"""


@verb(EXAMPLES)
@click.argument("what", metavar="DATASET", type=click.Choice([*PRESETS, "fit"]),
                help=f"{', '.join(PRESETS)}; or fit, see --curve.")
@out_option("Run directory; of fit the .toml file.", required=False)
@click.option("--config", metavar="FILE", help="A .toml file of settings, as config.toml of a run.")
@click.option("--ablations", is_flag=True, help="Train without polarity inversion and with 2 PCM alone, too.")
@resume_option
@overwrite_option
@data_dir_option
@click.option("--curve", metavar="FILE",
              help="Of fit: CSV with columns pulse, conductance (uS), and optionally device, direction.")
@click.option("--kind", default="linear-step", metavar="KIND",
              help="Of fit: linear-step, soft-bounds, capacitor or pcm (default: linear-step).")
@set_option
@settings_options(CrossbarSettings, "features", "seed", "epochs", "samples", "variants")
def crossbar(  # noqa: PLR0913 - one for each option
    output: Output, *, what: str, out: str | None, config: str | None, ablations: bool, resume: bool,
    overwrite: bool, data_dir: Path | None, curve: str | None, kind: str, assignments: tuple[str, ...],
    given: dict[str, Any],
) -> int:
    """Train a network in analog memory into a run directory, or fit a device.

    Settings are those of the data set's preset, of --config, or of the run that is resumed, with the options below in
    place of some.
    """
    if what == "fit":
        return fit(output, curve, kind, out)
    if not out:
        raise InputError("a run needs --out DIR; see `hardwire crossbar --help`")
    stored = Path(out) / "config.toml"
    check_place(out, resume=resume, overwrite=overwrite)
    file = config or (stored if resume and stored.is_file() else None)
    settings = CrossbarSettings.load(file) if file else preset(what)
    if ablations:
        chosen = given.get("variants", settings.variants)
        given["variants"] = [*chosen, *(a for a in ABLATIONS if a not in chosen)]
    settings = with_assignments(settings.changed(**{"dataset": what} | given), assignments)

    output.say(f"reading {settings.dataset} ...")  # at once: what follows imports kernels
    from ..crossbar.record import CROSSBAR

    return train_and_report(output, CROSSBAR, settings, out, data_dir=data_dir, resume=resume, overwrite=overwrite,
                            names=VARIANTS)


def fit(output: Output, curve: str | None, kind: str, out: str | None) -> int:
    """Fit a device to a measured curve and write it as TOML."""
    from ..devices.fitting import fit
    from ..devices.presets import save_device

    if not curve:
        raise InputError("fit needs --curve FILE, a CSV with the columns pulse and conductance")
    fitted = fit(curve, kind)
    shown = {k: v for k, v in vars(fitted.device).items() if isinstance(v, float | str) and v}
    lines = [f"{k:<18} {v}" for k, v in shown.items()] + [f"{fitted.steps} steps, explained variance {fitted.r2:.4f}"]
    if out:
        lines.append(str(save_device(out, fitted.device)))
    finite = {k: v for k, v in shown.items() if not isinstance(v, float) or math.isfinite(v)}
    output.answer({"device": finite, "r2": fitted.r2, "steps": fitted.steps, "file": out}, "\n".join(lines))
    return 0
