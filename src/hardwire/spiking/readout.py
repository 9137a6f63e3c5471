"""Read-out: outputs are assigned to classes by labelled samples; or a linear read-out of their spike counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.uint16]
Classes = NDArray[np.int64]

RIDGE = 1.0


@dataclass(frozen=True)
class Readout:
    """What labelled samples say of the outputs.

    Attributes
    ----------
    assigned
        (outputs,), the class to whose samples each output responds most.
    evidence
        (outputs, classes), ln P(class | a spike of the output), smoothed.
    linear
        (outputs + 1, classes), least squares on the root of the counts; the last row is the constant.
    """

    assigned: Classes
    evidence: NDArray[np.float64]
    linear: NDArray[np.float64]

    def scores(self, counts: Counts) -> NDArray[np.float64]:
        """Return the spikes of each class's outputs, (samples, classes)."""
        return np.asarray(counts @ np.eye(self.linear.shape[1])[self.assigned])

    def __repr__(self) -> str:
        return f"<Readout of {self.evidence.shape[0]} outputs to {self.evidence.shape[1]} classes>"

    def votes(self, counts: Counts) -> Classes:
        """Return the class whose outputs fired most together, (samples,) int64."""
        return np.asarray(self.scores(counts).argmax(axis=1))

    def bayes(self, counts: Counts) -> Classes:
        """Return the class of the largest summed evidence of all spikes, (samples,) int64."""
        return np.asarray((counts @ self.evidence).argmax(axis=1))

    def regression(self, counts: Counts) -> Classes:
        """Return the class of the linear read-out, (samples,) int64."""
        return np.asarray((_features(counts) @ self.linear).argmax(axis=1))

    def accuracy(self, counts: Counts, y: Classes) -> dict[str, float]:
        """Return the share of samples classified rightly by each read-out."""
        readouts = {"assigned": self.votes, "bayes": self.bayes, "linear": self.regression}
        return {name: float((classify(counts) == y).mean()) for name, classify in readouts.items()}


def fit_readout(counts: Counts, y: Classes, classes: int) -> Readout:
    """Fit read-outs to ``counts`` (samples, outputs) of labelled samples ``y`` (samples,) of ``classes`` classes."""
    one_hot = np.eye(classes)[y]
    mean = counts.T @ one_hot / np.maximum(one_hot.sum(axis=0), 1)
    smoothed = mean + 1e-3
    a = _features(counts)
    gram = a.T @ a + RIDGE * np.eye(a.shape[1])
    evidence = np.log(smoothed / smoothed.sum(axis=1, keepdims=True))
    linear = np.linalg.solve(gram, a.T @ one_hot).astype(np.float64)
    return Readout(mean.argmax(axis=1), evidence, linear)


def _features(counts: Counts) -> NDArray[np.float64]:
    return np.hstack([np.sqrt(counts, dtype=np.float64), np.ones((len(counts), 1))])
