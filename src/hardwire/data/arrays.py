"""Arrays of NumPy files, .npy and .npz: sizes are compared with the file before memory is taken; nothing is unpickled.

A .npy file is a magic number, its version, the length of the header, the header, which is a Python dictionary of
``descr``, ``fortran_order`` and ``shape``, and the values. A .npz file is a zip archive of those.
"""

import ast
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Collection, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FormatError, InputError

MAGIC = b"\x93NUMPY"
MOST_HEADER = 10_000
#: An archive may unpack to so many bytes, or to so many times its own length.
UNPACKED, RATIO = 1 << 26, 64
#: What a damaged archive makes ``zipfile`` raise; an unknown version or method is not implemented, a locked one runs.
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, RuntimeError,
              OverflowError, KeyError, IndexError)


def read_npy(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Return the array of a .npy file, as a read-only view of the file.

    Raises
    ------
    InputError
        The file cannot be read.
    FormatError
        It is no .npy file of plain values, or is cut short.
    """
    try:
        content = np.memmap(path, np.uint8, "r") if os.path.getsize(path) else np.zeros(0, np.uint8)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); give a .npy file") from None
    try:
        return _array(content)
    except ValueError as error:
        raise FormatError(f"{path} is no .npy array: {error}; write it with numpy.save") from None


def read_npz(source: str | os.PathLike[str] | BinaryIO, required: Sequence[str], optional: Sequence[str] = (),
             what: str = "") -> dict[str, NDArray[Any]]:
    """Return the arrays of an archive that are asked for.

    Parameters
    ----------
    source
        The file's path, or the file.
    required, optional
        Names of arrays that it must hold, and may hold.
    what
        The archive in errors, by default its path.

    Raises
    ------
    InputError
        The file cannot be read, or lacks an array.
    FormatError
        It is no archive, or one of the arrays is none of plain values, is cut short, or unpacks to far more than the
        file's length.
    """
    if isinstance(source, str | os.PathLike):
        try:
            with open(source, "rb") as file:
                return read_npz(file, required, optional, str(source))
        except OSError as error:
            raise InputError(f"cannot read {source}: {error.strerror or error}; check the path") from None
    length = source.seek(0, os.SEEK_END)
    try:
        with zipfile.ZipFile(source) as archive:
            members = {info.filename: info for info in archive.infolist()}
            _check_members(members, required, what)
            infos = {name: info for name in (*required, *optional) if (info := members.get(f"{name}.npy"))}
            unpacked = sum(info.file_size for info in infos.values())
            if unpacked > max(UNPACKED, RATIO * length):
                raise FormatError(f"{what} unpacks to {unpacked:,} bytes, more than {RATIO} times its length; write it "
                                  "with numpy.savez, which packs nothing")
            return {name: _member(archive, info, what) for name, info in infos.items()}
    except ZIP_ERRORS:
        raise FormatError(f"{what} is no archive of arrays {' and '.join(required)}, or none of plain arrays; write it "
                          "with numpy.savez") from None


def _check_members(members: Collection[str], required: Sequence[str], what: str) -> None:
    missing = [name for name in required if f"{name}.npy" not in members]
    if missing:
        present = ", ".join(name.removesuffix(".npy") for name in members)
        raise InputError(f"{what} lacks the array {missing[0]!r} and has {present[:200] or 'none'}; give "
                         f"{' and '.join(required)}")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, what: str) -> NDArray[Any]:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("a method of packing that NumPy does not write")
    content = np.frombuffer(archive.read(info), np.uint8)
    try:
        return _array(content)
    except ValueError as error:
        name = info.filename.removesuffix(".npy")
        raise FormatError(f"{what} holds other than plain arrays: {name} is none, {error}; write it with "
                          "numpy.savez") from None


def _array(content: NDArray[np.uint8]) -> NDArray[Any]:
    """Return the array in the bytes of a .npy file; ValueError where there is none."""
    dtype, fortran, shape, start = _header(content[: 12 + MOST_HEADER].tobytes())
    needed = math.prod(shape) * dtype.itemsize
    if needed > len(content) - start:
        raise ValueError(f"its header asks for {needed:,} bytes, it has {len(content) - start:,}")
    values = np.asarray(content[start : start + needed]).view(dtype).reshape(shape, order="F" if fortran else "C")
    if dtype.kind == "b":
        return np.asarray(values.view(np.uint8) != 0)
    if dtype.kind == "U":
        codes = np.ascontiguousarray(values).reshape(-1).view(np.dtype(np.uint32).newbyteorder(dtype.byteorder))
        if np.any(codes > 0x10FFFF) or np.any((codes >= 0xD800) & (codes < 0xE000)):
            raise ValueError("it holds numbers that are no characters")
    return values


def _header(head: bytes) -> tuple[np.dtype[Any], bool, tuple[int, ...], int]:
    """Return type, order and shape, and where the values begin."""
    if head[:6] != MAGIC or len(head) < 12 or head[6] not in (1, 2):
        raise ValueError("it does not begin as version 1 or 2 of the format does")
    size, start = (struct.unpack_from("<H", head, 8)[0], 10) if head[6] == 1 else (
        struct.unpack_from("<I", head, 8)[0], 12)
    if size > min(MOST_HEADER, len(head) - start):
        raise ValueError(f"its header of {size:,} bytes is cut short or too long")
    try:
        entries = ast.literal_eval(head[start : start + size].decode("latin1").strip())
        descr, fortran, shape = entries["descr"], entries["fortran_order"], entries["shape"]
        dtype = np.dtype(descr) if isinstance(descr, str) else None
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise ValueError("its header cannot be read") from None
    if dtype is None or dtype.kind not in "biufcSUmM" or not dtype.itemsize or dtype.shape:
        raise ValueError(f"values of type {str(descr)[:60]} are no plain numbers or texts")
    if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n < 1 << 62 for n in shape) or len(shape) > 32:
        raise ValueError(f"shape {str(shape)[:60]} is none")
    return dtype, bool(fortran), shape, start + size
