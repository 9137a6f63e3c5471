"""Image sets: the idx files of MNIST, and CIFAR as binary records, Python batches, or arrays."""

import io
import math
import pickle
import pickletools
import struct
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FormatError
from .arrays import read_npz
from .fetch import Open, Source
from .samples import Samples, pixel_names

CIFAR_SHAPE = (3, 32, 32)
CIFAR_PIXELS = math.prod(CIFAR_SHAPE)
Arrays = tuple[NDArray[Any], NDArray[Any]]
#: Content of a file, number of classes and the file's name to pixels (n, 3072) and labels (n,).
Parse = Callable[[bytes, int, str], Arrays]


def read_idx_images(source: Source, open_file: Open) -> Samples:
    """Read MNIST's four idx files: images (n, height, width) and labels (n,) of a training and a test split."""
    (x, y), test = (_idx_split(source, open_file, part) for part in ("train", "t10k"))
    shape = (1, *x.shape[1:])
    return Samples(_flat(x), y, source.classes, pixel_names(shape), shape, source.title, (_flat(test[0]), test[1]))


def parse_idx(content: bytes, what: str) -> NDArray[np.uint8]:
    """Return the array of an idx file.

    The file holds the bytes 0, 0, 8, the number of axes, the axes' lengths (big-endian) and the values.

    Raises
    ------
    FormatError
        Where the content is something else; ``what`` names it.
    """
    axes = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    start = 4 + 4 * axes
    shape = struct.unpack_from(f">{axes}I", content, 4) if axes and len(content) >= start else ()
    if not shape or len(content) - start != math.prod(shape):
        raise FormatError(f"{what} is no idx file of bytes or is cut short; fetch the published file anew")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _idx_split(source: Source, open_file: Open, part: str) -> Arrays:
    files = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
    x, y = (parse_idx(open_file(file), file) for file in files)
    if x.ndim != 3 or y.ndim != 1 or len(x) != len(y) or not x.size or y.max(initial=0) >= len(source.classes):
        raise FormatError(f"{files[0]} {x.shape} and {files[1]} {y.shape} do not belong together; fetch both anew")
    return x, y.astype(np.int64)


def _flat(x: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return x.reshape(len(x), -1)


def cifar_reader(
    parse: Parse, train: tuple[str, ...], test: str, note: str = "",
) -> Callable[[Source, Open], Samples]:
    """Make a reader of CIFAR files, each of which ``parse`` turns into pixels and labels."""

    def read(source: Source, open_file: Open) -> Samples:
        def split(files: Iterable[str]) -> Arrays:
            parts = [parse(open_file(file), len(source.classes), file) for file in files]
            return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts]).astype(np.int64)

        title = source.title + note
        return Samples(*split(train), source.classes, pixel_names(CIFAR_SHAPE), CIFAR_SHAPE, title, split([test]))

    return read


def cifar_records(content: bytes, classes: int, what: str) -> Arrays:
    """Parse records of the binary version.

    A record is the label, in CIFAR-100 after its superclass, a byte each, and the red, green and blue planes.
    """
    labels = 1 if classes == 10 else 2
    if not content or len(content) % (labels + CIFAR_PIXELS):
        raise FormatError(f"{what} has {len(content)} bytes, no whole number of records of {labels + CIFAR_PIXELS}; "
                          f"fetch the published file anew")
    records = np.frombuffer(content, np.uint8).reshape(-1, labels + CIFAR_PIXELS)
    return _cifar(records[:, labels:], records[:, labels - 1], classes, what)


def cifar_batch(content: bytes, classes: int, what: str) -> Arrays:
    """Parse a batch of the Python version: a pickled dictionary of ``data`` and ``labels`` or ``fine_labels``."""
    try:
        _check_pickle(content)
        batch = _ArraysOnly(io.BytesIO(content), encoding="latin1").load()
        return _cifar(batch["data"], np.array(batch["labels" if classes == 10 else "fine_labels"]), classes, what)
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError,
            OverflowError):
        raise FormatError(f"{what} is no batch of the published Python version; fetch it anew") from None


def _check_pickle(content: bytes) -> None:
    """ValueError where a pickle names places of its memory that it has not filled: such a number would be allocated."""
    filled = 0
    for operation, argument, _ in pickletools.genops(content):
        if "PUT" in operation.name or operation.name == "MEMOIZE":
            filled += 1
            if argument is not None and int(argument) > 2 * filled + 1000:
                raise ValueError(f"place {argument} of {filled}")


class _Array:
    """Stands for ``numpy.ndarray`` in a pickle, where it only names a type."""


def _reconstruct(kind: type[_Array], shape: tuple[int, ...], code: object) -> NDArray[np.uint8]:
    """Return an empty array, which a pickle then fills with bytes that it holds."""
    return np.zeros(0, np.uint8)


def _dtype(name: str, *more: object) -> np.dtype[Any]:
    """Return the type of pixels."""
    if name not in ("u1", "|u1", "uint8", "B"):
        raise pickle.UnpicklingError(f"{name} are no pixels")
    return np.dtype(np.uint8)


#: Modules' names changed with the versions of NumPy; these do not.
ARRAY_MAKERS: dict[str, Any] = {"_reconstruct": _reconstruct, "ndarray": _Array, "dtype": _dtype}


class _ArraysOnly(pickle.Unpickler):
    """A pickle may call any function; these may only make arrays of bytes."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".", 1)[0] == "numpy" and name in ARRAY_MAKERS:
            return ARRAY_MAKERS[name]
        raise pickle.UnpicklingError(f"{module}.{name} is no array")


def cifar_arrays(content: bytes, classes: int, what: str) -> Arrays:
    """Parse an archive of arrays ``x`` (n, 32, 32, 3) and ``y`` (n,), with equally many samples of each class."""
    arrays = read_npz(io.BytesIO(content), ("x", "y"), what=what)
    x, y = arrays["x"], arrays["y"]
    if x.shape[1:] != (32, 32, 3):
        raise FormatError(f"{what} has x {x.shape}, not (samples, 32, 32, 3); write it anew")
    x, y = _cifar(x.transpose(0, 3, 1, 2).reshape(len(x), -1), y, classes, what)
    if len(set(np.bincount(y, minlength=classes))) != 1:
        raise FormatError(
            f"{what} has more samples of one class than of another, unlike the published set; write it anew")
    return x, y


def _cifar(x: NDArray[Any], y: NDArray[Any], classes: int, what: str) -> Arrays:
    pixels_right = x.ndim == 2 and x.shape[1] == CIFAR_PIXELS and x.dtype == np.uint8
    if not pixels_right or y.shape != (len(x),) or y.dtype.kind not in "ui":
        raise FormatError(f"{what} has pixels {x.shape} {x.dtype} and labels {y.shape} {y.dtype}, not "
                          f"(n, {CIFAR_PIXELS}) uint8 and (n,) integers; fetch it anew")
    if y.min(initial=0) < 0 or y.max(initial=0) >= classes:
        raise FormatError(f"{what} has labels from {y.min()} to {y.max()}, not 0 to {classes - 1}; fetch it anew")
    return x, y
