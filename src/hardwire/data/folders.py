"""Folders of pictures, a sub-folder for each class: ``data/cats/1.png``, or ``data/train/cats`` and ``data/test/cats``.

Pictures that all have one size of at most ``LARGEST`` pixels on a side keep it. All others are resized to
``RESIZED`` x ``RESIZED``, by bilinear interpolation over the pixels that fall into one; proportions are not kept. They
are grey where all are, else red, green and blue; transparency is left out.
"""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FormatError, InputError, MissingToolError
from .columns import Columns, ImageRule
from .samples import Samples, pixel_names

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
LARGEST, RESIZED = 64, 32
#: Pixels of the largest picture that is opened; bytes of all samples.
MOST_PIXELS, MOST_BYTES = 50_000_000, 1 << 31
#: Sub-folders that fix the test split.
SPLITS = "train", "test"
_GREY = ("1", "L", "LA", "I;16", "I;16B", "I;16L")


def read_folder(path: str | os.PathLike[str], *, columns: Columns | None = None) -> Samples:
    """Read a folder of pictures.

    Parameters
    ----------
    path
        Holds a folder for each class, or ``train`` and ``test`` which do.
    columns
        The rule of training, in place of finding one.

    Raises
    ------
    InputError
        There are no classes, or no pictures of one.
    FormatError
        A picture is damaged.
    MissingToolError
        Pillow is not installed.
    """
    path = Path(path)
    parts = [path / name for name in SPLITS if (path / name).is_dir()]
    parts = parts if len(parts) == len(SPLITS) else [path]
    files = [_by_class(part) for part in parts]
    classes = sorted(files[0])
    if not classes:
        raise InputError(f"folder {path} has no sub-folders with pictures; give one for each class, with {_some()}")
    if len(files) > 1 and (other := sorted(set(files[1]) ^ set(classes))):
        raise InputError(f"folder {path} has class {other[0]!r} in one of train and test only; give both the same")
    listed = [[file for name in classes for file in part[name]] for part in files]
    rule = columns.images if columns is not None else None
    rule = rule_of([file for part in listed for file in part]) if rule is None else rule
    shape = (rule.channels, rule.height, rule.width)
    splits = [(read_pictures(part_files, rule), np.repeat(np.arange(len(classes)), [len(part[c]) for c in classes]))
              for part, part_files in zip(files, listed)]
    source = f"folder {path.name} of pictures"
    return Samples(*splits[0], tuple(classes), pixel_names(shape), shape, source,
                   splits[1] if len(splits) > 1 else None, Columns(images=rule))


def pictures_in(path: Path) -> list[Path]:
    """Return the pictures in a folder and its sub-folders, in order; or the one at a path."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and not _hidden(file, path))


def is_picture(path: Path) -> bool:
    """Whether a path is a folder or ends as a picture does."""
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def rule_of(files: Sequence[Path]) -> ImageRule:
    """Return the rule that the sizes and colours of pictures ask for, see the module."""
    looks = [_look(file) for file in files]
    sizes, grey = {size for size, _ in looks}, all(is_grey for _, is_grey in looks)
    width, height = next(iter(sizes))
    kept = len(sizes) == 1 and max(width, height) <= LARGEST
    return ImageRule(height=height if kept else RESIZED, width=width if kept else RESIZED, channels=1 if grey else 3,
                     resized=not kept)


def read_pictures(files: Sequence[Path], rule: ImageRule) -> NDArray[np.uint8]:
    """Return pictures as samples (samples, channels * height * width).

    Raises
    ------
    InputError
        A picture has another size than training's, which were not resized.
    """
    values = rule.channels * rule.height * rule.width
    if len(files) * values > MOST_BYTES:
        raise InputError(f"{len(files):,} pictures of {values:,} values take more than {MOST_BYTES:,} bytes; give "
                         "fewer or smaller ones")
    out = np.empty((len(files), values), np.uint8)
    for row, picture in enumerate(_pixels(files, rule)):
        out[row] = picture.reshape(-1)
    return out


def _by_class(path: Path) -> dict[str, list[Path]]:
    """The pictures of each sub-folder that has some."""
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    files = {folder.name: sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and
                                 not file.name.startswith(".")) for folder in folders}
    return {name: found for name, found in files.items() if found}


def _hidden(file: Path, base: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(base).parts)


def _some() -> str:
    return ", ".join(SUFFIXES[:3]) + " or other pictures"


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise MissingToolError("pictures are read by Pillow, which is not installed: install pillow, or give an .npz "
                               "of arrays x and y") from None
    return Image


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    """Open a picture, turned as its camera was; what its decoder raises becomes a sentence."""
    image = _pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a large picture, which is refused below
            with image.open(file) as picture:
                width, height = picture.size
                if width * height > MOST_PIXELS:
                    raise InputError(f"{file} has {width} x {height} pixels, more than {MOST_PIXELS:,}; make it "
                                     "smaller")
                turned = picture.getexif().get(0x0112, 1)
                turns = {3: image.Transpose.ROTATE_180, 6: image.Transpose.ROTATE_270, 8: image.Transpose.ROTATE_90}
                yield picture.transpose(turns[turned]) if turned in turns else picture
    except InputError:
        raise
    except Exception as error:  # decoders raise many kinds for damaged files
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"cannot read {file}: {error.strerror}; check the path") from None
        raise FormatError(f"{file} is no picture, or damaged ({' '.join(str(error).split())[:100]}); remove it or "
                          "write it anew") from None


def _look(file: Path) -> tuple[tuple[int, int], bool]:
    """Size and whether a picture is grey."""
    with _opened(file) as picture:
        return picture.size, picture.mode in _GREY


def _pixels(files: Sequence[Path], rule: ImageRule) -> Iterator[NDArray[np.uint8]]:
    """Each picture by the rule, (channels, height, width)."""
    image, size = _pillow(), (rule.width, rule.height)
    for file in files:
        with _opened(file) as picture:
            if picture.size != size and not rule.resized:
                raise InputError(f"{file} has {picture.size[0]} x {picture.size[1]} pixels where training had "
                                 f"{rule.width} x {rule.height}; resize it")
            if picture.mode in ("I", "F"):
                raise InputError(f"{file} has pixels of mode {picture.mode}, whose white is not known; write it with 8 "
                                 "bits")
            if picture.mode.startswith("I;16"):
                picture = image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
            picture = picture.convert("L" if rule.channels == 1 else "RGB")
            picture = picture if picture.size == size else picture.resize(size, image.Resampling.BILINEAR)
            pixels = np.asarray(picture, np.uint8)
        yield pixels.reshape(rule.height, rule.width, rule.channels).transpose(2, 0, 1)
