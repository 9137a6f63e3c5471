"""Named sources: where each one's files are looked for, how they are downloaded and checked, and how they are read.

A source joins by one row of ``SOURCES``. Its files are looked for in the data folder, in ``$HARDWIRE_DATA`` and in the
user's cache, and are downloaded from the source's own address when they are nowhere. A file may stay compressed
(``.gz``, ``.xz``); its checksum is that of its unpacked content, so that it holds wherever the file came from.
"""

import gzip
import hashlib
import http.client
import logging
import lzma
import math
import os
import struct
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import FormatError, InputError
from .samples import Samples, pixel_names

log = logging.getLogger(__name__)

UNPACK = {"": bytes, ".gz": gzip.decompress, ".xz": lzma.decompress}
TIMEOUT_S = 60

#: Gives the unpacked content of the named file of a source.
Open = Callable[[str], bytes]


@dataclass(frozen=True)
class Source:
    """A named data set.

    read     from its files to samples
    title    one line for ``Dataset.source``
    address  folder, with its final slash, that holds each file as FILE.gz
    md5      file name -> MD5 of the unpacked content
    classes  names of the classes
    """

    read: Callable[["Source", Open], Samples]
    title: str
    address: str = ""
    md5: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = tuple("0123456789")


def read_source(name: str, *, data_dir=None, download: bool = True) -> Samples:
    """All samples of the source ``name``; its files are found or downloaded."""
    source = SOURCES[name]
    return source.read(source, lambda file: _content(name, source, file, data_dir, download))


def read_digits(source: Source, _: Open) -> Samples:
    """The digits embedded in scikit-learn: 1,797 images, 8 x 8, values 0 to 16."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    shape = (1, 8, 8)
    return Samples(x.astype(np.uint8), y.astype(np.int64), source.classes, pixel_names(shape), shape, source.title)


def read_idx_images(source: Source, open_file: Open) -> Samples:
    """MNIST's four idx files: images (n, height, width) and labels (n,) of a training and a test split."""
    (x, y), test = (_idx_split(source, open_file, part) for part in ("train", "t10k"))
    shape = (1, *x.shape[1:])
    return Samples(_flat(x), y, source.classes, pixel_names(shape), shape, source.title, (_flat(test[0]), test[1]))


def parse_idx(content: bytes, what: str) -> np.ndarray:
    """The uint8 array of an idx file: bytes 0, 0, 8, the number of axes, the axes' lengths (big-endian), the values."""
    axes = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    start = 4 + 4 * axes
    shape = struct.unpack_from(f">{axes}I", content, 4) if axes and len(content) >= start else ()
    if not shape or len(content) - start != math.prod(shape):
        raise FormatError(f"{what} is no idx file of bytes or is cut short; fetch the published file anew")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _idx_split(source: Source, open_file: Open, part: str) -> tuple[np.ndarray, np.ndarray]:
    files = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
    x, y = (parse_idx(open_file(file), file) for file in files)
    if x.ndim != 3 or y.ndim != 1 or len(x) != len(y) or y.max(initial=0) >= len(source.classes):
        raise FormatError(f"{files[0]} {x.shape} and {files[1]} {y.shape} do not belong together; fetch both anew")
    return x, y.astype(np.int64)


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)


def _folders(name: str, data_dir) -> list[Path]:
    """Where files of ``name`` may lie. A folder that the user names and that is missing is an error, not a fallback."""
    folders = []
    for what, given in (("data folder", data_dir), ("HARDWIRE_DATA", os.environ.get("HARDWIRE_DATA"))):
        if given:
            if not Path(given).is_dir():
                raise InputError(f"{what} {str(given)!r} is no folder; correct it or leave it out")
            folders += [Path(given) / name, Path(given)]
    return [*folders, _cache() / name]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hardwire"


def _content(name: str, source: Source, file: str, data_dir, download: bool) -> bytes:
    """The unpacked and checked content of one file, from the first folder that has it, else from its address."""
    folders = _folders(name, data_dir)
    for folder in folders:
        for suffix in UNPACK:
            path = folder / (file + suffix)
            if path.is_file():
                return _checked(_read(path), suffix, source.md5[file], str(path))
    if not download:
        places = ", ".join(dict.fromkeys(map(str, folders)))
        raise InputError(f"{file} of {name} is in none of {places}; put it there or allow the download")
    return _download(source, file, _cache() / name)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check its permissions") from None


def _checked(packed: bytes, suffix: str, md5: str, what: str) -> bytes:
    try:
        content = UNPACK[suffix](packed)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        raise FormatError(f"{what} is cut short or damaged; fetch the published file anew") from None
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise FormatError(f"{what} has MD5 {found}, not the published {md5}; fetch the published file anew")
    return content


def _download(source: Source, file: str, folder: Path) -> bytes:
    """Fetch FILE.gz, check it, and only then put it in ``folder`` under its name."""
    address = f"{source.address}{file}.gz"
    log.info("downloading %s", address)
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
            packed = answer.read()
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(f"cannot download {address} ({reason}); fetch it yourself and put it in {folder}") from None
    content = _checked(packed, ".gz", source.md5[file], address)
    _keep(packed, folder / f"{file}.gz")
    return content


def _keep(content: bytes, path: Path) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")  # two processes may fetch the same file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; set XDG_CACHE_HOME to a writable folder") from None
    finally:
        if part.is_file():
            part.unlink()


SOURCES: dict[str, Source] = {
    "digits": Source(read_digits, "handwritten digits 8 x 8, the UCI optdigits test set, embedded in scikit-learn"),
    "mnist": Source(
        read_idx_images, "MNIST handwritten digits, LeCun, Cortes, Burges; idx files, official test split",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        {
            "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
            "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
            "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
            "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
        },
    ),
    "fashion-mnist": Source(
        read_idx_images, "Fashion-MNIST, Xiao, Rasul, Vollgraf 2017; idx files, official test split",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        {
            "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
            "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
            "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
        },
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
}
