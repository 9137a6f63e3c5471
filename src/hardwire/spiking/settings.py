"""Everything needed to repeat a spiking run, as one flat record that is a TOML file on disk."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ..core.errors import InputError
from ..core.settings import Settings, Share

LearningRule = Literal["one-sided", "triplet"]
Cells = Literal["digital", "analog", "ideal"]
#: In the order in which contenders are trained: pruning after training starts from the network that is not pruned.
Method = Literal["none", "zero-after", "soft", "zero", "random"]
Code = Literal["gray", "binary"]
Number = Annotated[int, Field(ge=1, le=10**9)]
Index = Annotated[int, Field(ge=0, le=2**62)]
Magnitude = Annotated[float, Field(ge=0, le=1e9)]
Scale = Annotated[float, Field(ge=1e-9, le=1e9)]
Weight = Annotated[float, Field(ge=-1, le=1)]


class SpikingSettings(Settings):
    """A spiking network, the array that holds its weights, its training and its pruning.

    The rule ``one-sided`` is the STDP of Shi et al. 2018, which all but ``intensity_hz``, ``theta_plus``, ``norm`` and
    the common settings belong to; ``triplet`` is the network of Diehl and Cook 2015.
    """

    FILES: ClassVar[frozenset[str]] = frozenset({"dataset"})

    dataset: str = "mnist"
    """Name of the data set, or path of a table."""
    seed: Index = 0
    """Seed of the split, the weights, the spikes, the devices and the order of samples."""
    rule: LearningRule = "one-sided"
    """Learning rule: one-sided STDP of Shi et al. 2018, or the triplet rule of Diehl and Cook 2015."""
    inputs: Number = 397
    """Pixels that are inputs: those that fire most."""
    bias: bool = True
    """One more input that always fires."""
    outputs: Number = 500
    """Output neurons."""
    epochs: Number = 3
    """Passes over the training split."""
    steps: Annotated[int, Field(ge=1, le=65_535)] = 40
    """Length of a sample in steps."""
    step_ms: Scale = 1.0
    """Length of a step in ms."""
    burn_in: Annotated[int, Field(ge=0, le=65_534)] = 10
    """Steps at a sample's beginning in which no output fires: the inputs' window fills."""
    max_hz: Scale = 200.0
    """Rate of an input of full density."""
    neuron: Literal["wta", "lif"] = "wta"
    """Output neurons: soft winner-take-all, or leaky integrate-and-fire."""
    gain: Scale = 1.0
    """Sharpness of the soft winner-take-all at the beginning of training."""
    gain_end: Scale = 4.0
    """The same at the end of training and after it; geometric between."""
    threshold: Annotated[float, Field(ge=-1e9, le=1e9)] = 0.0
    """Threshold of lif."""
    membrane_ms: Scale = 10.0
    """Time constant of the membrane of lif."""
    inhibition: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Steps of lateral inhibition of lif."""
    theta_step: Magnitude = 0.03
    """Rise of an output's threshold with each of its spikes in training."""
    theta_end: Scale = 1.0
    """Factor of `theta_step` at the end of training; geometric from 1 on."""
    window_ms: Scale = 10.0
    """Window of STDP, and of the potential of the soft winner-take-all."""
    ltp: Magnitude = 0.06
    """Potentiation: a of the rule a exp(-b (w + 1))."""
    ltp_decay: Scale = 3.0
    """Decay of potentiation with the weight: b of the rule."""
    ltd: Magnitude = 0.006
    """Depression: c of the rule."""
    rate_end: Scale = 0.03
    """Factor of `ltp` and `ltd` at the end of training; geometric from 1 on."""
    scaling: Magnitude = 0.0
    """Exponent of the homeostasis by update scaling; 0: none."""
    horizon: Scale = 20.0
    """Output spikes per output that the homeostasis averages over."""
    w_low: Weight = -0.2
    """Lowest weight at the beginning; weights are drawn evenly."""
    w_high: Weight = 0.2
    """Highest weight at the beginning."""
    cells: Cells = "analog"
    """What holds the weights."""
    arrays: Number = 1
    """Arrays of 524,288 cells."""
    bits: Annotated[int, Field(ge=0, le=8)] = 0
    """Digital cells of a weight; 0: as many as the arrays hold, 8 at most."""
    code: Code = "gray"
    """Code of a weight in digital cells."""
    write_failure: Share = 0.0
    """Of digital cells: probability that a programming pulse leaves a cell as it was."""
    failure_spread: Magnitude = 0.0
    """Of digital cells: standard deviation of the logarithm of `write_failure` from cell to cell."""
    endurance: Magnitude = 0.0
    """Of digital cells: pulses after which a cell keeps its bit for ever, median; 0: unlimited."""
    endurance_spread: Magnitude = 0.0
    """Of digital cells: standard deviation of the logarithm of `endurance` from cell to cell."""
    stuck: Share = 0.0
    """Of digital cells: share that never changes."""
    attempts: Number = 1
    """Of digital cells: pulses at most for a bit, each followed by a check."""
    levels: Annotated[int, Field(ge=0, le=65_536)] = 0
    """Distinguishable levels of analog cells; 0: continuous."""
    analog_device: str = ""
    """Shape and spread of the steps of analog cells: a preset by name, or a .toml file of `hardwire crossbar fit`;
    empty: steps as
    the rule wants them."""
    step_spread: Magnitude = 0.0
    """Of analog cells: spread of the step from cell to cell; 0: the device's own."""
    asymmetry_spread: Magnitude = 0.0
    """Of analog cells: spread of the ratio of steps up and down; 0: the device's own."""
    cycle_noise: Magnitude = 0.0
    """Of analog cells: noise of a step from pulse to pulse; 0: the device's own."""
    bound_spread: Magnitude = 0.0
    """Of analog cells: spread of the bounds from cell to cell; 0: the device's own."""
    method: Method = "none"
    """What becomes of the unimportant weights of a mature output: a constant that is never updated again (soft), 0
    (zero), 0 after
    training (zero-after); or a random share is frozen as it stands (random)."""
    prune: Share = 0.0
    """Share of each output's synapses to prune."""
    constant: Weight = -1.0
    """Constant of the method soft; on digital cells the nearest level."""
    importance: Literal["weight", "magnitude"] = "weight"
    """What is unimportant: the lowest weights, or those nearest to 0."""
    mature_by: Literal["spikes", "samples"] = "samples"
    """What makes an output mature: its own spikes, or training samples."""
    mature_at: Index = 0
    """How many of them; 0: half of training."""
    check_every: Number = 500
    """Samples between looks at maturity."""
    intensity_hz: Scale = 63.75
    """Of the triplet rule: rate of an input of full density."""
    theta_plus: Magnitude = 0.05
    """Of the triplet rule: rise of a threshold in mV."""
    norm: Scale = 78.0
    """Of the triplet rule: sum of an output's weights."""
    label_samples: Number = 10_000
    """Training samples that assign outputs to classes while training; in the end all do."""
    evaluate_every: Index = 0
    """Samples between evaluations on the validation split; 0: each epoch."""
    validation: Annotated[float, Field(ge=0, le=0.9)] = 0.1
    """Share of the training samples kept for that split; 0: all are trained, and nothing is evaluated but the test."""

    def check(self) -> None:
        """Raise InputError where settings, each valid alone, make no sense together."""
        if self.burn_in >= self.steps:
            raise InputError(f"burn_in = {self.burn_in} leaves none of {self.steps} steps for outputs to fire in; "
                             "lower it")
        if self.w_low > self.w_high:
            raise InputError(f"w_low = {self.w_low} is above w_high = {self.w_high}; swap them")
        if self.rule == "triplet" and (self.method != "none" or self.cells != "ideal"):
            raise InputError("rule triplet is a comparison on ideal weights; leave method none and set cells=ideal")


#: Settings of a rule beside the defaults, which are the one-sided rule's.
PRESETS: dict[LearningRule, dict[str, Any]] = {
    "one-sided": {},
    "triplet": {"rule": "triplet", "cells": "ideal", "inputs": 784, "bias": False, "outputs": 400, "epochs": 1},
}


def preset(dataset: str, rule: LearningRule = "one-sided") -> SpikingSettings:
    """Return the default settings of a rule for a data set."""
    if rule not in PRESETS:
        raise InputError(f"rule {rule!r} is none of {', '.join(PRESETS)}")
    return SpikingSettings(dataset=str(dataset), **PRESETS[rule])
