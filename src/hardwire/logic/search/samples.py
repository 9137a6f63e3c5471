"""What a search learns from: bit planes of the encoded samples, their targets, and how images are moved."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...core.bits import pack
from ...core.threads import aligned
from .arrays import BITS, WORDS

Kind = Literal["classify", "multilabel", "regress"]
#: Task -> ``Loss.kind`` of the kernels.
KINDS: dict[Kind, int] = {"classify": 0, "multilabel": 1, "regress": 2}


def zeros(dtype: type[Any], *shape: int) -> NDArray[Any]:
    """Return zeros whose rows begin with a line of the cache where their length allows it."""
    array = aligned(dtype, int(np.prod(shape))).reshape(shape)
    array[:] = 0
    return array


def planes_of(bits: NDArray[Any], words: int) -> NDArray[np.uint64]:
    """Return bits (samples, rows) as planes (rows, words), samples beyond the last one 0."""
    packed = pack(bits).words
    planes = zeros(np.uint64, bits.shape[1], words)
    planes[:, : packed.shape[1]] = packed
    return planes


@dataclass
class Moves:
    """Displacements and mirroring of images, drawn anew for each epoch.

    Attributes
    ----------
    shape
        (channels, height, width); planes are whole multiples of it.
    pad
        Pixels that an image is displaced by at most in each direction.
    flip
        Whether half of the images are mirrored.
    """

    shape: tuple[int, int, int]
    pad: int = 1
    flip: bool = False

    def __call__(self, planes: NDArray[np.uint64], rng: np.random.Generator) -> NDArray[np.uint64]:
        """Return the planes (inputs, words) of all samples, each moved at random; zeros come in at the border."""
        _, height, width = self.shape
        words, pad = planes.shape[1], self.pad
        samples = words * BITS
        source = planes.reshape(-1, height, width, words)
        if self.flip:
            mask = planes_of((rng.random(samples) < 0.5)[:, None], words)[0]
            source = source ^ ((source ^ source[:, :, ::-1]) & mask)
        dy, dx = rng.integers(-pad, pad + 1, (2, samples))
        result = zeros(np.uint64, *source.shape)
        for a in range(-pad, pad + 1):
            for b in range(-pad, pad + 1):
                mask = planes_of(((dy == a) & (dx == b))[:, None], words)[0]
                seen = source[:, max(0, a) : height + min(0, a), max(0, b) : width + min(0, b)]
                result[:, max(0, -a) : height + min(0, -a), max(0, -b) : width + min(0, -b)] |= seen & mask
        return result.reshape(planes.shape)


@dataclass
class SearchSamples:
    """Training samples of a search, copied and shuffled.

    Attributes
    ----------
    planes : (inputs, words) uint64
        Encoded bits; bit ``i`` of word ``w`` is sample ``64 w + i``.
    targets : (groups, samples) float32
        Target probabilities of classes or labels, or standardised target values; 0 where words are padded.
    task
        What the targets mean.
    samples
        How many samples there are, copies among them.
    level, gain
        (groups,) a label's threshold; or bias and scale of a target, so that ``level + gain count`` is its value.
    moves
        Of images; None for other samples.
    vary
        Epoch -> the bits (samples, inputs) varied anew, in the order in which ``of`` got them; None where bits stay.
    order
        Where ``of`` got each sample.
    """

    planes: NDArray[np.uint64]
    targets: NDArray[np.float32]
    task: Kind
    samples: int
    level: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    gain: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    moves: Moves | None = None
    vary: Callable[[int], NDArray[np.bool_]] | None = None
    order: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(cls, bits: NDArray[np.bool_], targets: NDArray[Any], task: Kind, *, seed: int = 0,
           moves: Moves | None = None, **more: Any) -> "SearchSamples":
        """Return samples of bits (samples, inputs) and targets (samples, groups), copies among them, shuffled."""
        order = np.random.default_rng([seed, 7]).permutation(len(bits))
        words = -(-len(order) // (BITS * WORDS)) * WORDS
        placed = zeros(np.float32, targets.shape[1], words * BITS)
        placed[:, : len(order)] = targets[order].T
        return cls(planes_of(bits[order], words), placed, task, len(order), moves=moves, order=order, **more)

    def drawn(self, seed: int, epoch: int) -> NDArray[np.uint64]:
        """Return the planes as the search sees them in an epoch: varied anew after the first, moved, or as they are."""
        planes = self.planes
        if self.vary is not None and epoch:
            planes = planes_of(self.vary(epoch)[self.order], planes.shape[1])
        return planes if self.moves is None else self.moves(planes, np.random.default_rng([seed, 8, epoch]))
