"""Read-out: outputs are assigned to classes by labelled samples; or a linear read-out of their spike counts."""

from dataclasses import dataclass

import numpy as np

RIDGE = 1.0


@dataclass(frozen=True)
class Readout:
    """What labelled samples say of the outputs.

    assigned  (outputs,) int64, the class to whose samples each output responds most
    evidence  (outputs, classes) float64, ln P(class | a spike of the output), smoothed
    linear    (outputs + 1, classes) float64, least squares on the root of the counts; the last row is the constant
    """

    assigned: np.ndarray
    evidence: np.ndarray
    linear: np.ndarray

    def votes(self, counts: np.ndarray) -> np.ndarray:
        """The class whose outputs fired most together, (samples,) int64."""
        return (counts @ np.eye(self.linear.shape[1])[self.assigned]).argmax(axis=1)

    def bayes(self, counts: np.ndarray) -> np.ndarray:
        """The class of the largest summed evidence of all spikes, (samples,) int64."""
        return (counts @ self.evidence).argmax(axis=1)

    def regression(self, counts: np.ndarray) -> np.ndarray:
        """The class of the linear read-out, (samples,) int64."""
        return (_features(counts) @ self.linear).argmax(axis=1)

    def accuracy(self, counts: np.ndarray, y: np.ndarray) -> dict[str, float]:
        """Share of samples classified rightly by each read-out."""
        found = {"assigned": self.votes, "bayes": self.bayes, "linear": self.regression}
        return {name: float((classify(counts) == y).mean()) for name, classify in found.items()}


def fit_readout(counts: np.ndarray, y: np.ndarray, classes: int) -> Readout:
    """Read-outs from ``counts`` (samples, outputs) of labelled samples ``y`` (samples,) of ``classes`` classes."""
    one_hot = np.eye(classes)[y]
    mean = counts.T @ one_hot / np.maximum(one_hot.sum(axis=0), 1)
    smoothed = mean + 1e-3
    a = _features(counts)
    gram = a.T @ a + RIDGE * np.eye(a.shape[1])
    return Readout(mean.argmax(axis=1), np.log(smoothed / smoothed.sum(axis=1, keepdims=True)), np.linalg.solve(gram, a.T @ one_hot))


def _features(counts: np.ndarray) -> np.ndarray:
    return np.hstack([np.sqrt(counts, dtype=np.float64), np.ones((len(counts), 1))])
