"""The rules: numbers of the data and an effort to settings, one function for each group of settings.

Each returns the settings of its group and a sentence that says why. The constants were fitted on the named tables and
image sets and checked on others, see ``docs/choosing.md``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .features import DataFeatures

Effort = Literal["fast", "normal", "best"]
#: Settings of a group, and why.
Rule = tuple[dict[str, Any], str]


@dataclass(frozen=True)
class Scale:
    """What an effort allows.

    Attributes
    ----------
    group
        Nodes of each class or label.
    nodes
        Nodes of the network at the most.
    work
        Operands read in all steps, candidates included: ``steps * batch * nodes * fan_in * candidates``. A core of 2024
        reads about 2e9 a second.
    steps
        Steps at the most.
    bits
        Bits of a sample at the most.
    """

    group: int
    nodes: int
    work: float
    steps: int
    bits: int


SCALES: Mapping[Effort, Scale] = {
    "fast": Scale(group=100, nodes=2600, work=4e10, steps=1000, bits=4000),
    "normal": Scale(group=300, nodes=5200, work=2e11, steps=4000, bits=8000),
    "best": Scale(group=300, nodes=5200, work=5e11, steps=8000, bits=8000),
}
#: Inputs of a node, candidates of each, samples of a step.
FAN_IN, CANDIDATES, BATCH = 6, 16, 128
#: Nodes for each sample of a table, and for each image; groups of a regression's output in those of a class; least of
#: any group.
SAMPLE_NODES, IMAGE_NODES, OUTPUT_GROUP, LEAST_GROUP = 1 / 16, 1 / 10, 2, 12
#: Factors of the square root of a group's nodes: the least and the largest temperature; samples that need no more than
#: the least one, and how fast it falls towards it.
COLD, WARM, ENOUGH, COOLING = 0.35, 1.0, 14_000, 0.6
#: The same factor for images at the least, and the share of the steps after which their wires are fixed.
IMAGE_WARM, IMAGE_FIXED = 0.8, 0.4
#: How often an image must be seen for moved ones to be worth it: shorter trainings do not learn it by heart.
OFTEN = 20
#: Thresholds at the most of a table's feature, of a pixel, of a colour.
TABLE_LEVELS, PIXEL_LEVELS, COLOUR_LEVELS = 31, 7, 3
#: Times that each sample is seen, and steps at the least.
EPOCHS, LEAST_STEPS = 40, 300
#: Evaluations of a training, and those without a gain after which it ends.
EVALUATIONS, PATIENCE = 20, 8
#: How often the commonest class must be the rarest one for rare ones to be seen more often, and how far.
BALANCE: Mapping[float, float] = {100.0: 0.5, 10.0: 0.25}


def encoder(data: DataFeatures, scale: Scale) -> Rule:
    """Thresholds: as many as the feature of the most values can use, the limit of its kind, and the bits allow."""
    what, kind = "feature", TABLE_LEVELS
    if data.is_image and data.shape is not None:
        what, kind = "pixel", PIXEL_LEVELS if data.shape[0] == 1 else COLOUR_LEVELS
    # A feature has no more thresholds than it can use.
    few = data.shape is None and (data.values - 1) * data.features <= scale.bits
    room = kind if few else max(1, scale.bits // max(1, data.features))
    least = 1 if data.features > 1 else 2  # a gate reads two bits
    levels = max(least, min(kind, room, data.most_values - 1))
    why = (f"no {what} has more than {data.most_values} values" if levels == data.most_values - 1 else
           f"{data.features} of them in {scale.bits} bits" if levels == room < kind else "it has more values than that")
    return {"encoder": "quantile", "levels": levels}, f"up to {levels} thresholds a {what}, at quantiles: {why}"


def network(data: DataFeatures, scale: Scale) -> Rule:
    """One layer of six-input tables whose wires are learned, trained as they will be frozen."""
    per_sample = IMAGE_NODES if data.is_image else SAMPLE_NODES
    group = max(scale.group, int(per_sample * data.samples / data.outputs))
    group *= OUTPUT_GROUP if data.task == "regress" else 1
    group = max(LEAST_GROUP, min(group, scale.nodes // data.outputs))
    settings = {"widths": [group * data.outputs], "fan_in": FAN_IN, "learned_layers": 1, "candidates": CANDIDATES,
                "wiring": "structured" if data.is_image else "random", "init": "random", "noise": 0.5,
                "estimator": "hard", "routing": "hard"} | ({"fix_wiring_at": IMAGE_FIXED} if data.is_image else {})
    where = "near each other" if data.is_image else "anywhere"
    return settings, (f"{group * data.outputs} tables of {FAN_IN} inputs in one layer, {group} for each of "
                      f"{data.outputs} outputs; each input is chosen among {CANDIDATES} bits {where}; trained as "
                      f"frozen, so that nothing is lost when it freezes")


def temperature(data: DataFeatures, group: float) -> Rule | None:
    """The head's divisor: higher where samples are few, so that they are not learned by heart."""
    if data.task == "regress":
        return None
    factor = max(IMAGE_WARM if data.is_image else 0.0, min(WARM, COLD * (ENOUGH / data.samples) ** COOLING))
    if factor <= COLD:
        return None
    few = "images are" if factor == IMAGE_WARM else f"{data.samples} samples are few, and"
    return {"tau": round(factor * math.sqrt(group), 3)}, (
        f"temperature {factor:.2f} sqrt(nodes of an output), above the usual {COLD}: {few} soon learned by heart")


def training(data: DataFeatures, scale: Scale, reads: float) -> Rule:
    """Steps: so that each sample is seen ``EPOCHS`` times, within what the effort allows.

    ``reads`` are the operands that the network reads for a sample, candidates included.
    """
    batch = min(BATCH, data.samples)
    wanted = math.ceil(EPOCHS * data.samples / batch)
    affordable = int(scale.work / (batch * reads))
    steps = max(LEAST_STEPS, min(wanted, affordable, scale.steps))
    every = max(1, steps // EVALUATIONS)
    seen = f"{steps * batch / data.samples:.3g} times"
    return ({"steps": steps, "batch": batch, "evaluate_every": every, "patience": PATIENCE},
            f"{steps} steps of {batch} samples, each sample {seen}; ends early after {PATIENCE} of {EVALUATIONS} "
            f"evaluations without a gain")


def balance(data: DataFeatures) -> Rule | None:
    """Rare classes are seen more often where they are much rarer than others."""
    if data.task != "classify" or not data.rarest:
        return None
    ratio = data.commonest / data.rarest
    share = next((value for least, value in BALANCE.items() if ratio >= least), 0.0)
    return None if not share else ({"class_balance": share},
                                   f"rare classes are seen more often: the commonest is {ratio:.0f} times the rarest")


def augmentation(data: DataFeatures, seen: float) -> Rule | None:
    """Images are mirrored where a mirrored one keeps its class, and moved where each is ``seen`` often enough."""
    if not data.is_image or not data.alike or data.shape is None:
        return None
    flips, crops = data.mirrors, min(data.shape[1:]) >= 16 and seen >= OFTEN
    if not (flips or crops):
        return None
    settings: dict[str, Any] = {"augment": "+".join(["flip"] * flips + ["crop"] * crops)}
    if crops:
        settings["crop_pad"] = 1
    parts = ["mirrored, since mirrored ones look like their class"] * flips + ["moved by up to a pixel"] * crops
    return settings, "training images are " + " and ".join(parts)
