"""What the output words of a network's circuit mean, and the same words from the trained network itself."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model import Model
from .network.heads import GroupSum, Regression
from .network.network import LogicNetwork
from .training.batches import EncodedSamples
from .training.evaluation import scores_of

Codes = NDArray[Any]


def outputs_of(model: Model) -> list[dict[str, Any]]:
    """Return what the circuit's output words mean, beside a class index.

    Each has the ``name`` of the target or label and its ``word``; a target also ``bias`` and ``scale``:
    ``value = bias + scale * word``.
    """
    names, head = model.dataset["classes"], model.network.head.to_dict()
    if head["task"] == "regress":
        return [{"name": name, "word": f"value{i}", "bias": bias, "scale": scale}
                for i, (name, bias, scale) in enumerate(zip(names, head["bias"], head["scale"]))]
    return [{"name": name, "word": f"label{i}"} for i, name in enumerate(names)] if head["task"] == "multilabel" else []


def hard_outputs(model: Model) -> Callable[[Codes], Codes]:
    """Return ``codes -> output words`` (samples, words) as the circuit's, by the network's own frozen forward pass.

    They are the class index, the counts of the targets, or the labels.
    """
    task, network = model.settings.task, model.network
    if task == "regress":  # scores with tau = 1 are the counts
        network = LogicNetwork(network.members, GroupSum(network.head.groups, sizes=network.head.sizes)).eval()
    decide: dict[str, Callable[[Codes], Codes]] = {
        "classify": lambda s: s.argmax(1)[:, None], "regress": lambda s: s.astype(np.int64),
        "multilabel": lambda s: s >= 0}

    def outputs(codes: Codes) -> Codes:
        samples = EncodedSamples(model.encoder.encode_codes(codes), np.zeros(len(codes)))
        return decide[task](scores_of(network, samples, (False,), np.arange(len(samples)))[0])

    return outputs


def circuit_scores(model: Model, words: Codes) -> NDArray[Any]:
    """Return the circuit's output words (samples, words) as scores that the task judges, (samples, outputs).

    Of a class 1 and of the others 0; the values of targets; of a label 1/2 where it is on, else -1/2.
    """
    if model.settings.task == "classify":
        return np.eye(model.network.head.groups)[words[:, 0]]
    if isinstance(model.network.head, Regression):
        return model.network.head.values(words)
    return words - 0.5
