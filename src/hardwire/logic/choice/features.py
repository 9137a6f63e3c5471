"""What the rules of a choice look at: a few numbers of the training split."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from ...data import Dataset
from ...data.samples import Shape, Task

#: Samples that values are counted in; images that a linear model is fitted on, and pixels that it sees at most.
COUNTED, FITTED, PIXELS = 20_000, 6000, 1024
#: Values of a feature that are told apart.
MOST_VALUES = 256


@dataclass(frozen=True)
class DataFeatures:
    """Numbers of the training split that the rules depend on, and on nothing else.

    Attributes
    ----------
    samples
        Training samples.
    features
        Features that vary in the training split, and how many do not.
    constant
        See ``features``.
    values
        Different values of the features that vary: the mean over them, of at most ``MOST_VALUES`` each.
    most_values
        The largest number of values of a feature, at most ``MOST_VALUES``.
    outputs
        Classes, targets or labels.
    task
        What is predicted.
    shape
        (channels, height, width) of images.
    rarest, commonest
        Share of the training samples that the class of the fewest and of the most samples has; 0 where nothing is
        classified.
    alike
        Whether all features share their thresholds, as the bytes of images do.
    mirrors
        Whether a linear model that never saw mirrored images tells them apart nearly as well as others.
    """

    samples: int
    features: int
    constant: int
    values: float
    most_values: int
    outputs: int
    task: Task
    shape: Shape | None = None
    rarest: float = 0.0
    commonest: float = 0.0
    alike: bool = False
    mirrors: bool = False

    @property
    def is_image(self) -> bool:
        """Whether the samples are images of a size that neighbours mean something in."""
        return self.shape is not None and min(self.shape[1:]) >= 5


def features_of(dataset: Dataset, task: Task = "classify") -> DataFeatures:
    """Return the numbers of a data set that the rules depend on; neither validation nor test split is looked at.

    Raises
    ------
    InputError
        Where the training split is empty.
    """
    x, y = dataset.train.x, dataset.train.y
    if not x.size:
        raise InputError(f"the data set {dataset.name!r} has a training split of shape {x.shape}; give samples")
    some = x[:: -(-len(x) // COUNTED)]
    values = _values(some, alike=dataset.shape is not None)
    vary = values > 1
    share = np.bincount(y, minlength=len(dataset.classes)) / len(y) if task == "classify" else np.zeros(1)
    return DataFeatures(
        samples=len(x), features=int(vary.sum()), constant=int((~vary).sum()),
        values=float(values[vary].mean()) if vary.any() else 1.0, most_values=int(values.max()),
        outputs=len(dataset.classes), task=task, shape=dataset.shape,
        rarest=float(share[share > 0].min()) if task == "classify" else 0.0, commonest=float(share.max()),
        alike=dataset.shape is not None and x.dtype == np.uint8,
        mirrors=task == "classify" and dataset.shape is not None and _mirrors(x, y, dataset.shape))


def _values(x: NDArray[np.generic], *, alike: bool) -> NDArray[np.int64]:
    """Different values of each feature, at most ``MOST_VALUES``; of pixels, which are alike, of some of the samples."""
    some = x[:: -(-len(x) // 500)] if alike else x
    ordered = np.sort(some, axis=0)
    changes: NDArray[np.int64] = (ordered[1:] != ordered[:-1]).sum(axis=0)
    return np.minimum(1 + changes, MOST_VALUES)


def _mirrors(x: NDArray[np.generic], y: NDArray[np.int64], shape: Shape) -> bool:
    """Whether mirrored images keep their class, as a linear model of the others sees it.

    The model is a ridge regression on the classes; half of the samples fit it, the other half is classified as it is
    and mirrored. Letters and digits lose most of their accuracy, things and creatures little.
    """
    some = slice(None, None, -(-len(x) // FITTED))
    images, labels = x[some].astype(np.float32).reshape(-1, *shape), y[some]
    while np.prod(images.shape[1:]) > PIXELS:  # halves of rows and columns
        images = images[:, :, ::2, ::2]
    images = images - images.mean(axis=0)
    images /= max(float(images.std()), 1e-6)
    flat, mirrored = images.reshape(len(images), -1), images[..., ::-1].reshape(len(images), -1)
    fitted, tried = slice(0, None, 2), slice(1, None, 2)
    if len(flat[tried]) < 50:
        return False
    targets = np.eye(int(y.max()) + 1, dtype=np.float32)[labels[fitted]]
    gram = flat[fitted].T @ flat[fitted]
    ridge = 0.1 * len(targets) * np.eye(len(gram), dtype=np.float32)
    weights = np.linalg.solve(gram + ridge, flat[fitted].T @ (targets - targets.mean(axis=0)))
    bias = targets.mean(axis=0)
    plain, turned = (float(((v[tried] @ weights + bias).argmax(axis=1) == labels[tried]).mean())
                     for v in (flat, mirrored))
    chance = float(np.bincount(labels).max() / len(labels))
    return plain - chance > 0 and (turned - chance) >= 0.7 * (plain - chance)
