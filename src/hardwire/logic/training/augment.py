"""Data augmentation on encoded bits: an image that moves takes its thermometer planes along.

Nothing is encoded anew. With bit ``t F + f`` (threshold ``t``, feature ``f = (channel H + y) W + x``), for a sample's
displacement ``(dy, dx)`` and flip::

    new[t, c, y, x] = old[t, c, y + dy, x' + dx],   x' = W - 1 - x where flipped, else x

Places outside the image take the bits of the raw value 0. This is what encoding the moved image gives whenever all
pixels of a channel share their thresholds; ``Augmentation`` tries it on training samples and refuses encoders that do
not.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from ...core.jit import inner, jit
from ...data.encoders import Encoder
from ..kernels.cpu.blocks import run_parts, threads

AUGMENTATIONS = ("none", "flip", "crop", "flip+crop")


def default_pad(side: int) -> int:
    """Pixels by which a crop may move an image of that side: 4 from 32 pixels on, 2 from 16, else 1."""
    return 4 if side >= 32 else 2 if side >= 16 else 1


@inner
def _copy(source: NDArray[Any], target: NDArray[Any]) -> None:
    for i in range(len(target)):
        target[i] = source[i]


@inner
def _mirror(source: NDArray[Any], target: NDArray[Any]) -> None:
    for i in range(np.uint64(len(target))):
        target[i] = source[len(target) - 1 - i]


@jit
def _move(  # noqa: PLR0917 - Numba compiles positional calls
    bits: NDArray[Any],
    height: int,
    width: int,
    dy: NDArray[np.int64],
    dx: NDArray[np.int64],
    flip: NDArray[np.bool_],
    background: NDArray[Any],
    out: NDArray[Any],
    first: int,
    last: int,
) -> None:
    """Move samples ``first .. last`` of ``bits`` (samples, planes H W) into ``out``."""
    for s in range(first, last):
        low, high = max(0, -dx[s]), min(width, width - dx[s])  # x' that lie inside
        begin, end = (width - high, width - low) if flip[s] else (low, high)
        for row in range(bits.shape[1] // width):
            at = row * width
            if not 0 <= row % height + dy[s] < height:
                _copy(background[at : at + width], out[s, at : at + width])
                continue
            source = bits[s, at + dy[s] * width + dx[s] + low : at + dy[s] * width + dx[s] + high]
            _copy(background[at : at + begin], out[s, at : at + begin])
            _copy(background[at + end : at + width], out[s, at + end : at + width])
            if flip[s]:
                _mirror(source, out[s, at + begin : at + end])
            else:
                _copy(source, out[s, at + begin : at + end])


def move(
    bits: NDArray[Any],
    shape: Sequence[int],
    dy: NDArray[np.int64],
    dx: NDArray[np.int64],
    flip: NDArray[np.bool_],
    background: NDArray[Any],
) -> NDArray[Any]:
    """Return images, each moved by its own displacement and flip.

    Parameters
    ----------
    bits
        (samples, n), n a multiple of the pixels of an image.
    shape
        Of an image: channels, height, width.
    dy, dx, flip
        (samples,) each.
    background
        (n,), what comes in from outside the image.
    """
    out = np.empty_like(bits)
    jobs = 1 if threads() == 1 else max(1, min(8, len(bits) // 16))
    edges = [len(bits) * i // jobs for i in range(jobs + 1)]
    _, height, width = shape
    run_parts(lambda i: _move(bits, height, width, dy, dx, flip, background, out, edges[i], edges[i + 1]), jobs)
    return out


class Augmentation:
    """Random moves of a batch, a function of seed and step alone.

    Parameters
    ----------
    kind
        ``flip``: mirrored with probability 1/2; ``crop``: displaced by -pad .. pad rows and columns; ``flip+crop``.
    shape
        Of an image: channels, height, width.
    encoder, x_train
        What gave the bits, and samples of the training split on which it is tried.
    pad
        Pixels; 0: ``default_pad`` of the shorter side.
    seed
        Of the moves.

    Raises
    ------
    InputError
        The samples are no images, the crops leave nothing of them, or a channel's pixels have thresholds of their own.
    """

    def __init__(
        self,
        kind: str,
        shape: Sequence[int] | None,
        encoder: Encoder,
        x_train: NDArray[Any],
        *,
        pad: int = 0,
        seed: int = 0,
    ) -> None:
        if shape is None:
            raise InputError(f"augment = {kind!r} needs images, but the samples have no shape; use augment = 'none'")
        self.shape, self.seed, self.n_bits = tuple(shape), seed, encoder.n_bits
        self.flips, self.crops = "flip" in kind, "crop" in kind
        self.pad = pad or default_pad(min(self.shape[1:]))
        if self.crops and self.pad >= min(self.shape[1:]):
            raise InputError(f"crop_pad = {self.pad} moves images of {self.shape[1]} x {self.shape[2]} pixels out of "
                             "sight; lower it")
        self.background = encoder.encode(np.zeros((1, x_train.shape[1]), x_train.dtype))[0].astype(np.uint8)
        self._check(kind, encoder, x_train[:64])

    def draw(self, step: int, samples: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Draw ``dy, dx, flip`` of each sample of the batch at ``step``."""
        rng = np.random.default_rng([self.seed, 4, step])
        crop = self.crops
        dy, dx = rng.integers(-self.pad, self.pad + 1, (2, samples)) if crop else np.zeros((2, samples), np.int64)
        return dy, dx, rng.random(samples) < 0.5 if self.flips else np.zeros(samples, np.bool_)

    def __call__(self, packed: NDArray[np.uint8], moves: Sequence[NDArray[Any]]) -> NDArray[np.uint8]:
        """Return packed bits (samples, bytes), moved by ``dy, dx, flip``."""
        dy, dx, flip = moves
        bits = np.unpackbits(packed, axis=1, count=self.n_bits)
        return np.packbits(move(bits, self.shape, dy, dx, flip, self.background), axis=1)

    def _check(self, kind: str, encoder: Encoder, x: NDArray[Any]) -> None:
        if self.n_bits % int(np.prod(self.shape)):
            raise InputError(f"augment = {kind!r} moves planes of bits, but {self.n_bits} bits are no planes of "
                             f"{self.shape} pixels; use augment = 'none'")
        flip = np.full(len(x), self.flips)
        for dy, dx in [(self.pad, -self.pad), (-self.pad, self.pad)] if self.crops else [(0, 0)]:
            moves = np.full(len(x), dy), np.full(len(x), dx), flip
            raw = move(x, self.shape, *moves, np.zeros(x.shape[1], x.dtype))
            bits = move(encoder.encode(x).astype(np.uint8), self.shape, *moves, self.background)
            if not np.array_equal(encoder.encode(raw), bits):
                raise InputError(f"augment = {kind!r} needs the same thresholds for all pixels of a channel, but this "
                                 "encoder has others at each; give uint8 images, or use augment = 'none'")
