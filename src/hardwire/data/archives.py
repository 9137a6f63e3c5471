"""Samples in arrays: NumPy archives (.npz) and arrays that are given; images of any layout."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from .arrays import read_npz as read_npz_arrays
from .samples import Samples, Shape, Task, identifiers, index_labels, pixel_names

#: Numbers of channels that tell images whose channels come last.
CHANNELS = (1, 3, 4)

def read_npz(path: str | os.PathLike[str], *, task: Task = "classify") -> Samples:
    """Read an archive of arrays: ``x``, ``y`` and, if wanted, ``x_test``, ``y_test`` and ``classes``.

    ``x`` is (n, ...): (n, h, w), (n, c, h, w) and (n, h, w, c) are images, see ``features_of``; every ``x`` is
    flattened.
    ``y`` (n,) holds integers or texts; with ``classes``, the names of the classes in order, integers from 0. For task
    ``regress`` it holds numbers, for ``multilabel`` 0 and 1, (n,) or (n, outputs), and ``classes`` names the outputs.

    Raises
    ------
    InputError
        Where an array is missing or cannot be used.
    FormatError
        Where the file is no archive of plain arrays.
    """
    path = Path(path)
    arrays = read_npz_arrays(path, ("x", "y"), ("x_test", "y_test", "classes"))
    return samples_of_arrays(path, arrays, task=task, source=f"archive {path.name}")


def samples_of_arrays(path: str | Path, arrays: Mapping[str, NDArray[Any]], *, task: Task, source: str,
                      features: Sequence[str] = ()) -> Samples:
    """Turn arrays named as in an archive into samples.

    Parameters
    ----------
    path
        Names them in errors.
    arrays
        See ``read_npz``.
    task, source
        See ``Samples``.
    features
        Names of the features of samples that are no images.

    Raises
    ------
    InputError
        An array cannot be used.
    """
    if ("x_test" in arrays) != ("y_test" in arrays):
        raise InputError(f"{path} has only one of x_test and y_test; give both or none")
    x, shape = features_of(path, "x", arrays["x"])
    if features and len(features) != x.shape[1]:
        raise InputError(f"{path}: {len(features)} names for {x.shape[1]} features; give one for each")
    names = identifiers(map(str, features)) if features else (
        pixel_names(shape) if shape else tuple(f"x{i}" for i in range(x.shape[1])))
    read = _labels if task == "classify" else _targets
    y = read(path, "y", arrays["y"], len(x), task)
    test_x, test_y = None, y[:0]
    if "x_test" in arrays:
        test_x, _ = features_of(path, "x_test", arrays["x_test"])
        test_y = read(path, "y_test", arrays["y_test"], len(test_x), task)
        if arrays["x"].shape[1:] != arrays["x_test"].shape[1:] or x.dtype != test_x.dtype:
            raise InputError(f"{path}: x is {arrays['x'].shape} {x.dtype} and x_test is {arrays['x_test'].shape} "
                             f"{test_x.dtype}; give both the same features")
    index, classes = (_classes if task == "classify" else _named)(path, y, test_y, arrays.get("classes"))
    test = None if test_x is None else (test_x, index[len(y):])
    return Samples(x, index[: len(y)], classes, names, shape, source, test)


def features_of(path: str | Path, name: str, x: NDArray[Any]) -> tuple[NDArray[Any], Shape | None]:
    """Return flattened features in uint8, int64 or float64, and the shape of images: channel by channel, row by row.

    (n, h, w) and (n, c, h, w) are images, and (n, h, w, c) where c is one of ``CHANNELS`` and h is more than 4.

    Raises
    ------
    InputError
        There are none, or they are no finite numbers.
    """
    if x.ndim < 2 or 0 in x.shape:
        raise InputError(f"{path}: {name} has shape {x.shape}; give (samples, features) or images, none of them empty")
    if x.ndim == 4 and x.shape[3] in CHANNELS and x.shape[1] > max(CHANNELS):
        x = x.transpose(0, 3, 1, 2)
    shape: Shape | None = {3: (1, *x.shape[1:]), 4: x.shape[1:]}.get(x.ndim)
    flat = np.ascontiguousarray(x).reshape(len(x), -1)
    if flat.dtype in (np.bool_, np.uint8):
        return flat.astype(np.uint8), shape
    if flat.dtype.kind in "ui" and flat.dtype != np.uint64:
        return flat.astype(np.int64), shape
    if flat.dtype.kind not in "uif":
        raise InputError(f"{path}: {name} has type {x.dtype}; give real numbers")
    if not np.isfinite(flat).all():
        row, column = np.argwhere(~np.isfinite(flat))[0]
        raise InputError(f"{path}: {name} has {flat[row, column]} at sample {row}, feature {column}; remove or fill it")
    return flat.astype(np.float64), shape


def _labels(path: str | Path, name: str, y: NDArray[Any], samples: int, task: Task) -> NDArray[Any]:
    if y.ndim != 1:
        more = ", or set task to 'regress' or 'multilabel'" if y.ndim == 2 else ""
        raise InputError(f"{path}: {name} has shape {y.shape}; give one label for each sample, ({samples},){more}")
    if len(y) != samples:
        raise InputError(f"{path}: {name} has {len(y)} labels for {samples} samples; give one for each")
    return y


def _targets(path: str | Path, name: str, y: NDArray[Any], samples: int, task: Task) -> NDArray[np.float64]:
    """Targets or labels (samples, outputs) float64."""
    y = y[:, None] if y.ndim == 1 else y
    if y.ndim != 2 or len(y) != samples or not y.shape[1]:
        raise InputError(
            f"{path}: {name} has shape {y.shape} for {samples} samples; give ({samples},) or ({samples}, outputs)")
    if y.dtype.kind not in "buif":
        raise InputError(f"{path}: {name} has type {y.dtype}; give numbers for task {task!r}")
    right = np.isfinite(y) if task == "regress" else (y == 0) | (y == 1)
    if not right.all():
        row, column = np.argwhere(~right)[0]
        remedy = "remove or fill it" if task == "regress" else "give 0 or 1 for each label"
        raise InputError(f"{path}: {name} has {y[row, column]} at sample {row}, output {column}; {remedy}")
    return y.astype(np.float64)


def _named(
    path: str | Path, y: NDArray[Any], y_test: NDArray[Any], names: NDArray[Any] | None,
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Targets or labels of both splits together, and their names."""
    outputs = y.shape[1]
    if y_test.shape[1] != outputs:
        raise InputError(f"{path}: y has {outputs} outputs and y_test {y_test.shape[1]}; give both the same")
    if names is None:
        return np.concatenate([y, y_test]), ("y",) if outputs == 1 else tuple(f"y{i}" for i in range(outputs))
    if names.shape != (outputs,):
        raise InputError(f"{path}: classes has shape {names.shape} and names the outputs of y, which has {outputs}; "
                         f"give a name for each or leave classes out")
    return np.concatenate([y, y_test]), tuple(" ".join(str(name).split()) for name in names.tolist())


def _classes(
    path: str | Path, y: NDArray[Any], y_test: NDArray[Any], names: NDArray[Any] | None,
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Class indices of both splits together, and the names of the classes."""
    if (y.dtype.kind == "U") != (y_test.dtype.kind == "U"):
        raise InputError(f"{path}: y has type {y.dtype} and y_test {y_test.dtype}; give both the same labels")
    index, classes = index_labels(np.concatenate([y, y_test]), str(path))
    if names is None:
        return index, classes
    values = np.array([int(c) if re.fullmatch("[0-9]{1,18}", c) else -1 for c in classes])
    if names.ndim != 1 or values.min() < 0 or values.max() >= len(names):
        raise InputError(f"{path}: y is not 0 to {names.size - 1} as its {names.size} classes ask; mend y or classes")
    return values[index], tuple(map(str, names.tolist()))
