"""Everything needed to repeat a spiking run, as one flat record that is a TOML file on disk."""

import dataclasses
import math
from dataclasses import dataclass

from ..core.errors import InputError
from ..core.settings import FlatConfig
from ..devices.models import BinaryCell, LinearStep, load_device
from .names import CELLS, METHODS, RULES
from .synapses import CODES, EVEN

NEURONS = ("wta", "lif")
IMPORTANCE = ("weight", "magnitude")
MATURITY = ("spikes", "samples")


@dataclass(frozen=True)
class Settings(FlatConfig):
    """A spiking network, the array that holds its weights, its training and its pruning.

    rule          ``one-sided``, the STDP of Shi et al. 2018, which all but the last group of settings belong to; ``triplet``, the
                  network of Diehl and Cook 2015
    inputs, bias  pixels that are inputs, at most, see ``select_pixels``; one more input that always fires
    outputs       output neurons
    epochs        passes over the training split
    steps, step_ms   length of a sample in steps, and of a step
    settle        steps at a sample's beginning in which no output fires: the inputs' window fills
    max_hz        rate of an input of full density
    neuron        ``wta`` (soft winner-take-all) or ``lif``, see ``neurons``
    gain, gain_end   sharpness of the soft winner-take-all at the beginning and the end of training and beyond; geometric between
    threshold, membrane_ms, inhibition   of ``lif``: threshold, membrane's time constant, steps of lateral inhibition
    theta_step, theta_end    rise of an output's threshold with each of its spikes in training; its factor at the end of training,
                  geometric from 1 on
    window_ms     of STDP, and of the soft winner-take-all's potential
    ltp, ltp_decay, ltd   a, b and c of the rule, see ``learning``
    rate_end      factor of a and c at the end of training; geometric from 1 on
    scaling, horizon      homeostasis by update scaling: its exponent, 0: none; output spikes per output that it averages over
    w_low, w_high         weights are drawn evenly between these at the beginning

    cells         ``digital``, ``analog`` or ``ideal``, see ``array``
    arrays        arrays of 524,288 cells
    bits          cells a weight of ``digital``; 0: as many as the arrays hold, 8 at most
    code          of ``digital``: ``gray`` or ``binary``
    write_failure ... attempts    of ``digital``, see ``BinaryCell`` of ``crossbar.devices``
    levels        of ``analog``, distinguishable ones; 0: continuous
    analog_device of ``analog``: a preset of ``crossbar.devices`` by name or a .toml file of `hardwire crossbar fit`, of which shape
                  and spread of the steps are taken; none: steps as the rule wants them
    step_spread ... bound_spread    of ``analog``, see ``LinearStep``; where they are not 0, in place of the device's own

    method        ``soft``: the unimportant weights of a mature output get a constant and are never updated again; ``zero``: the same
                  with 0 (a synapse that is taken out); ``zero-after``: that after training; ``random``: a random share is frozen as
                  it stands; ``none``
    prune         share of each output's synapses
    constant      of ``soft``; on ``digital`` cells the nearest level
    importance    ``weight``: the lowest weights are unimportant; ``magnitude``: those nearest to 0
    mature_by, mature_at   an output is mature after ``mature_at`` of its own ``spikes``, or of training ``samples``; 0: half of
                  training
    check_every   samples between looks at maturity

    intensity_hz, theta_plus, norm   of ``triplet``: rate of an input of full density, rise of a threshold in mV, sum of weights
    label_samples        training samples that assign outputs to classes while training; in the end all do
    evaluate_every       samples between evaluations on the validation split; 0: each epoch
    validation           share of the training samples kept for that split; 0: all are trained, and nothing is evaluated but the test
    """

    dataset: str = "mnist"
    seed: int = 0
    rule: str = "one-sided"
    inputs: int = 397
    bias: bool = True
    outputs: int = 500
    epochs: int = 3
    steps: int = 40
    step_ms: float = 1.0
    settle: int = 10
    max_hz: float = 200.0
    neuron: str = "wta"
    gain: float = 1.0
    gain_end: float = 4.0
    threshold: float = 0.0
    membrane_ms: float = 10.0
    inhibition: int = 0
    theta_step: float = 0.03
    theta_end: float = 1.0
    window_ms: float = 10.0
    ltp: float = 0.06
    ltp_decay: float = 3.0
    ltd: float = 0.006
    rate_end: float = 0.03
    scaling: float = 0.0
    horizon: float = 20.0
    w_low: float = -0.2
    w_high: float = 0.2
    cells: str = "analog"
    arrays: int = 1
    bits: int = 0
    code: str = "gray"
    write_failure: float = 0.0
    failure_spread: float = 0.0
    endurance: float = 0.0
    endurance_spread: float = 0.0
    stuck: float = 0.0
    attempts: int = 1
    levels: int = 0
    analog_device: str = ""
    step_spread: float = 0.0
    asymmetry_spread: float = 0.0
    cycle_noise: float = 0.0
    bound_spread: float = 0.0
    method: str = "none"
    prune: float = 0.0
    constant: float = -1.0
    importance: str = "weight"
    mature_by: str = "samples"
    mature_at: int = 0
    check_every: int = 500
    intensity_hz: float = 63.75
    theta_plus: float = 0.05
    norm: float = 78.0
    label_samples: int = 10_000
    evaluate_every: int = 0
    validation: float = 0.1

    @property
    def device(self):
        """The cell that these settings describe; None where the weights are ideal."""
        if self.cells == "digital":
            return BinaryCell(**{name: getattr(self, name) for name in BINARY})
        return analog_device(self.analog_device, {name: getattr(self, name) for name in ANALOG}) if self.cells == "analog" else None

    def check(self) -> None:
        _check(self)


#: Settings that are parameters of a device of ``crossbar.devices``.
BINARY = ("write_failure", "failure_spread", "endurance", "endurance_spread", "stuck", "attempts")
ANALOG = ("step_spread", "asymmetry_spread", "cycle_noise", "bound_spread")


def analog_device(given: str, spreads: dict) -> LinearStep:
    """The device of analog cells; InputError where ``given`` is none whose conductance goes up and down."""
    device = load_device(given) if given else EVEN
    if not isinstance(device, LinearStep):
        raise InputError(f"analog_device = {given!r} is a {type(device).__name__}, which cannot go up and down by steps; choose a "
                         "linear-step device")
    return dataclasses.replace(device, **{name: value for name, value in spreads.items() if value})


CHOICES = {"rule": RULES, "neuron": NEURONS, "cells": CELLS, "code": CODES, "method": METHODS, "importance": IMPORTANCE,
           "mature_by": MATURITY}
#: Name -> (least, most) of a number.
RANGES = {
    **dict.fromkeys(("inputs", "outputs", "epochs", "arrays", "attempts", "check_every", "label_samples"), (1, 10**9)),
    "steps": (1, 65_535), "settle": (0, 65_534), "bits": (0, 8), "levels": (0, 65_536), "inhibition": (0, 65_535),
    **dict.fromkeys(("step_ms", "max_hz", "gain", "gain_end", "membrane_ms", "window_ms", "ltp_decay", "rate_end", "theta_end",
                     "horizon", "intensity_hz", "norm"), (1e-9, 1e9)),
    **dict.fromkeys(("seed", "mature_at", "evaluate_every"), (0, 2**62)),
    **dict.fromkeys(("theta_step", "ltp", "ltd", "scaling", "failure_spread", "endurance", "endurance_spread", "step_spread",
                     "asymmetry_spread", "cycle_noise", "bound_spread", "theta_plus"), (0, 1e9)),
    **dict.fromkeys(("write_failure", "stuck", "prune"), (0, 1)), **dict.fromkeys(("constant", "w_low", "w_high"), (-1, 1)),
    "validation": (0, 0.9),
    "threshold": (-1e9, 1e9),
}


def _check(s: Settings) -> None:
    s.choose(CHOICES)
    for name, (least, most) in RANGES.items():
        value = getattr(s, name)
        if not (math.isfinite(value) and least <= value <= most):
            raise InputError(f"{name} = {value} should be {least:g} to {most:g}")
    if s.settle >= s.steps:
        raise InputError(f"settle = {s.settle} leaves none of {s.steps} steps for outputs to fire in; lower it")
    if s.w_low > s.w_high:
        raise InputError(f"w_low = {s.w_low} is above w_high = {s.w_high}; swap them")
    if s.rule == "triplet" and (s.method != "none" or s.cells != "ideal"):
        raise InputError("rule triplet is a comparison on ideal weights; leave method none and set cells=ideal")


#: Settings of a rule beside the defaults, which are the one-sided rule's.
PRESETS = {"one-sided": {}, "triplet": {"rule": "triplet", "cells": "ideal", "inputs": 784, "bias": False, "outputs": 400, "epochs": 1}}


def preset(dataset: str, rule: str = "one-sided") -> Settings:
    """The default settings of a rule for a data set."""
    if rule not in PRESETS:
        raise InputError(f"rule {rule!r} is none of {', '.join(PRESETS)}")
    return Settings(dataset=str(dataset), **PRESETS[rule])
