"""What ``hardwire crossbar`` takes: options, the settings they make, progress; and the fit of a device to a measured curve."""

import argparse
import math
import time
from pathlib import Path

from ..core.errors import InputError
from ..crossbar.settings import ABLATIONS, PRESETS, VARIANTS

EXAMPLE = ("hardwire crossbar mnist --out runs/crossbar\n  hardwire crossbar mnist --out runs/ablations --ablations --seed 1\n"
           "  hardwire crossbar cifar10 --features net.safetensors --out runs/head\n"
           "  hardwire crossbar fit --curve pulses.csv --kind pcm --out my_pcm.toml")


def options(p: argparse.ArgumentParser) -> None:
    """The verb's own options."""
    p.add_argument("what", metavar="DATASET", choices=[*PRESETS, "fit"], help=f"{', '.join(PRESETS)}; or fit, see --curve")
    p.add_argument("--out", metavar="DIR", help="run directory; of fit the .toml file")
    p.add_argument("--config", metavar="FILE", help="a .toml file of settings, as config.toml of a run")
    p.add_argument("--features", metavar="FILE", help="of CIFAR: features (.npz), a feature network (.safetensors), "
                   "torchvision:MODEL or timm:MODEL")
    p.add_argument("--seed", type=int, metavar="N", help="of devices, weights, noise and the order of samples")
    p.add_argument("--epochs", type=int, metavar="N", help="passes over the data")
    p.add_argument("--samples", type=int, metavar="N", help="of the training split (default: all)")
    p.add_argument("--variants", metavar="NAMES", help=f"what to train side by side, with commas between: {', '.join(VARIANTS)}")
    p.add_argument("--ablations", action="store_true", help="train without polarity inversion and with 2 PCM alone, too")
    p.add_argument("--set", action="append", metavar="NAME=VALUE", help="any setting of config.toml, as in --set factor=3")
    p.add_argument("--resume", action="store_true", help="go on where a killed run was")
    p.add_argument("--curve", metavar="FILE", help="of fit: CSV with columns pulse, conductance (uS), and optionally device, direction")
    p.add_argument("--kind", default="linear-step", help="of fit: linear-step, soft-bounds, capacitor or pcm (default: linear-step)")


def settings(args):
    """The configuration to train: a run's own when it is resumed, else a file's or the data set's preset, with options."""
    from ..crossbar.settings import CrossbarSettings, preset

    if not args.out:
        raise InputError("a run needs --out DIR; see `hardwire crossbar --help`")
    out = Path(args.out)
    file = out / "config.toml" if args.resume and (out / "config.toml").is_file() else args.config
    config = CrossbarSettings.load(file) if file else preset(args.what)
    given = {k: getattr(args, k) for k in ("features", "seed", "epochs", "samples") if getattr(args, k) is not None}
    if args.variants:
        given["variants"] = args.variants.split(",")
    if args.ablations:
        chosen = given.get("variants", config.variants)
        given["variants"] = [*chosen, *(a for a in ABLATIONS if a not in chosen)]
    return config.changed(**{"dataset": args.what} | given).with_text("\n".join(args.set or ()), "--set")


def fit(args, answer) -> int:
    """Fit a device to a measured curve and write it as TOML."""
    from ..devices.fitting import fit
    from ..devices.models import save_device

    if not args.curve:
        raise InputError("fit needs --curve FILE, a CSV with the columns pulse and conductance")
    found = fit(args.curve, args.kind)
    shown = {k: v for k, v in vars(found.device).items() if isinstance(v, float | str) and v}
    text = "\n".join([f"{k:<18} {v}" for k, v in shown.items()] + [f"{found.steps} steps, explained variance {found.r2:.4f}"])
    if args.out:
        text += f"\n{save_device(args.out, found.device)}"
    finite = {k: v for k, v in shown.items() if not isinstance(v, float) or math.isfinite(v)}
    answer(args, {"device": finite, "r2": found.r2, "steps": found.steps, "file": args.out}, text)
    return 0


def progress(config, say):
    """A function that says where a run is after each epoch of each variant."""
    started, every = time.perf_counter(), len(config.variants)
    first: list[int] = []

    def show(m: dict) -> None:
        done = (m["epoch"] - 1) * every + config.variants.index(m["variant"]) + 1
        first.append(done)  # a resumed run begins in the middle
        here = done - first[0] + 1
        left = (time.perf_counter() - started) / here * (config.epochs * every - done)
        say(f"epoch {m['epoch']:>3}/{config.epochs}  {VARIANTS[m['variant']]:<36} loss {m['loss']:.4f}  {100 * m['shown']:.2f} %  "
            f"{m['seconds']:.0f} s, {left / 60:.0f} min left")

    return show
