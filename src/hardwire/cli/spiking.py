"""What ``hardwire spiking`` takes: options, the settings they make, and progress. Light: the command line imports it."""

import argparse
from pathlib import Path
from typing import get_args

from ..core.errors import InputError
from ..spiking.settings import Cells, LearningRule, Method

EXAMPLE = ("hardwire spiking mnist --out runs/spiking\n  hardwire spiking mnist --prune 0.75 --method soft --out runs/pruned\n"
           "  hardwire spiking mnist --compare 0.4,0.75 --seeds 3 --out runs/contenders\n"
           "  hardwire spiking mnist --rule triplet --out runs/diehl-cook")


def options(p: argparse.ArgumentParser) -> None:
    """The verb's own options."""
    p.add_argument("--out", required=True, metavar="DIR", help="run directory")
    p.add_argument("--rule", choices=get_args(LearningRule), help="learning rule: of Shi et al. 2018, or of Diehl and Cook 2015 "
                   "(default: one-sided)")
    p.add_argument("--prune", type=float, metavar="SHARE", help="share of each output's synapses to prune (default: 0)")
    p.add_argument("--method", choices=get_args(Method), help="what becomes of them (default: soft when --prune is given)")
    p.add_argument("--cells", choices=get_args(Cells), help="what holds the weights (default: analog)")
    p.add_argument("--outputs", type=int, metavar="N", help="output neurons")
    p.add_argument("--epochs", type=int, metavar="N", help="passes over the training split")
    p.add_argument("--seed", type=int, metavar="N", help="of the split, the weights, the spikes, the devices and the order of samples")
    p.add_argument("--config", metavar="FILE", help="a .toml file of settings, as config.toml of a run")
    p.add_argument("--set", action="append", metavar="NAME=VALUE", help="any setting of config.toml, as in --set ltd=0.001")
    p.add_argument("--compare", metavar="SHARES", help="train every method at these shares too, with commas between, as 0.4,0.75")
    p.add_argument("--seeds", type=int, default=3, metavar="N", help="of --compare: runs of each (default: 3)")
    p.add_argument("--resume", action="store_true", help="go on where a killed run was")


SHOWN = {"validation": "validation_assigned", "linear": "validation_linear"}
GIVEN = ("prune", "method", "cells", "outputs", "epochs", "seed")


def settings(args):
    """The settings to train: a run's own when it is resumed, else a file's or the rule's preset, with options."""
    from ..spiking.settings import SpikingSettings, preset

    out = Path(args.out)
    file = out / "config.toml" if args.resume and (out / "config.toml").is_file() else args.config
    base = SpikingSettings.load(file) if file else preset(args.dataset, args.rule or "one-sided")
    given = {name: getattr(args, name) for name in GIVEN if getattr(args, name) is not None}
    if args.prune and not args.method and base.method == "none":
        given["method"] = "soft"
    made = base.changed(dataset=args.dataset, **given)
    if args.rule and made.rule != args.rule:
        raise InputError(f"{file} has rule {made.rule}, not {args.rule}; leave --rule out")
    return made.with_text("\n".join(args.set or ()), "--set")


def shares(args) -> list[float]:
    """The shares of ``--compare``; none without it."""
    if args.seeds < 1:
        raise InputError(f"--seeds {args.seeds}: use at least 1")
    try:
        found = [float(part) for part in args.compare.split(",")] if args.compare else []
    except ValueError:
        raise InputError(f"--compare {args.compare!r} is no list of shares; write for example 0.4,0.75") from None
    if any(not 0 < share <= 1 for share in found):
        raise InputError(f"--compare {args.compare}: shares are above 0 and at most 1")
    return found


def progress(say):
    """A function that says where a run is after each evaluation."""

    def show(m: dict) -> None:
        minutes, seconds = divmod(round(m["seconds_left"]), 60)
        found = "".join(f"{name} {100 * m[key]:.2f} %  " for name, key in SHOWN.items() if key in m)
        say(f"sample {m['samples']:>7}/{m['total']}  {found}pruned {100 * m.get('pruned', 0):.0f} %  {m['seconds']:.0f} s, "
            f"{minutes}:{seconds:02} left")

    return show


def contender_progress(say):
    """A function that says what a contender reached."""

    def show(row: dict) -> None:
        say(f"{row['method']:<10} {row['prune']:.2f}  seed {row['seed']}  test {100 * row['test']:.2f} %  {row['seconds']:.0f} s")

    return show
