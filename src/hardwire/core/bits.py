"""Samples <-> machine words; the one bit order.

A *code* is an unsigned integer of ``width`` bits, one per sample and word; its bit 0 is the least significant.
A *plane* holds one bit of every sample, packed: sample 0 is bit 0 of word 0. ``Planes`` carries the true number of
samples, so that the odd tail of a batch is never mistaken for data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError

WORD = 64
#: One unsigned integer for each sample and word, shape ``(samples, words)``.
Codes = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class Planes:
    """Bit planes: ``words`` of shape ``(rows, ceil(samples / 64))``, and the true number of ``samples``."""

    words: NDArray[np.uint64]
    samples: int


def pack(bits: ArrayLike) -> Planes:
    """Bits of shape ``(samples, rows)``, any memory layout, to planes of shape ``(rows, ceil(samples / 64))``."""
    bits = np.asarray(bits)
    if bits.ndim != 2:
        raise InputError(f"bits to pack have shape {bits.shape}; give a matrix (samples, rows)")
    samples, rows = bits.shape
    padded = np.zeros((rows, -(-samples // WORD) * WORD), dtype=np.uint8)
    padded[:, :samples] = bits.T != 0
    return Planes(np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64, copy=False), samples)


def unpack(planes: Planes) -> NDArray[np.bool_]:
    """Planes to bits of shape ``(samples, rows)``."""
    octets = np.ascontiguousarray(planes.words).astype("<u8", copy=False).view(np.uint8)
    bits = np.unpackbits(octets.reshape(planes.words.shape[0], -1), axis=1, bitorder="little", count=planes.samples)
    return np.ascontiguousarray(bits.T).astype(bool)


def unsigned(width: int) -> np.dtype[np.unsignedinteger[Any]]:
    """The smallest unsigned dtype that holds ``width`` bits."""
    for size in (8, 16, 32, 64):
        if width <= size:
            return np.dtype(f"u{size // 8}")
    raise InputError(f"a word of {width} bits is wider than 64; split it")


def codes_to_bits(codes: ArrayLike, widths: Sequence[int] | NDArray[np.integer]) -> NDArray[np.bool_]:
    """Codes ``(samples, words)`` to bits ``(samples, sum(widths))``, least significant bit first."""
    widths = np.asarray(widths, dtype=np.int64)
    codes = np.asarray(codes).astype(np.uint64, copy=False)
    shift = np.concatenate([np.arange(w) for w in widths]) if len(widths) else np.zeros(0, dtype=np.int64)
    word = np.repeat(np.arange(len(widths)), widths)
    return (codes[:, word] >> shift.astype(np.uint64) & np.uint64(1)).astype(bool)


def bits_to_codes(bits: ArrayLike, widths: Sequence[int] | NDArray[np.integer]) -> Codes:
    """Bits ``(samples, sum(widths))`` to codes ``(samples, words)`` in the smallest fitting dtype."""
    widths = np.asarray(widths, dtype=np.int64)
    bits = np.asarray(bits)
    codes = np.zeros((bits.shape[0], len(widths)), dtype=unsigned(int(widths.max(initial=1))))
    start = np.concatenate([[0], np.cumsum(widths)[:-1]]) if len(widths) else widths
    for j in range(int(widths.max(initial=0))):
        has = widths > j
        codes[:, has] |= bits[:, start[has] + j].astype(codes.dtype) << codes.dtype.type(j)
    return codes
