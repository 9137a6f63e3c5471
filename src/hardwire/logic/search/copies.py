"""Varied copies of training samples: images shifted, turned and scaled, and any features with noise.

A search fits whatever it is shown exactly, so that on few samples, or with many gates, it needs more than it was given.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.jit import jit

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Variation:
    """How copies differ from their samples; each draw is uniform but for the noise, which is normal.

    Attributes
    ----------
    shift
        Pixels that an image is displaced by at most, in each direction; fractions are interpolated.
    turn
        Degrees that an image is turned by at most.
    scale
        Share that an image grows or shrinks by at most.
    noise
        Deviation of the noise as a share of each feature's own. Pixels of the raw value 0 stay as they are.
    """

    shift: float = 0.0
    turn: float = 0.0
    scale: float = 0.0
    noise: float = 0.0

    @property
    def moves(self) -> bool:
        """Whether images are warped."""
        return bool(self.shift or self.turn or self.scale)

    def __call__(self, x: NDArray[Any], shape: Shape | None, rng: np.random.Generator) -> NDArray[Any]:
        """Return a varied copy of features (samples, features), in their dtype and range."""
        given, result = x.dtype, x.astype(np.float32)
        if shape is not None and self.moves:
            n = len(x)
            shift = rng.uniform(-self.shift, self.shift, (2, n))
            turn = np.radians(rng.uniform(-self.turn, self.turn, n))
            scale = 1 + rng.uniform(-self.scale, self.scale, n)
            warped = np.empty_like(result)
            _warp(result.reshape(n, *shape), shift[0], shift[1], np.cos(turn) / scale, np.sin(turn) / scale,
                  warped.reshape(n, *shape))
            result = warped
        if self.noise:
            deviation = self.noise * x.std(axis=None if shape is not None else 0, dtype=np.float64)
            drawn = rng.standard_normal(result.shape, dtype=np.float32) * np.asarray(deviation, np.float32)
            result = result + (drawn * (result != 0) if shape is not None else drawn)
        if given.kind in "ui":
            result = np.rint(result)
        low, high = (x.min(), x.max()) if shape is not None else (x.min(axis=0), x.max(axis=0))
        return np.clip(result, low, high).astype(given)


@jit
def _warp(
    images: NDArray[np.float32], dy: NDArray[np.float64], dx: NDArray[np.float64], cos: NDArray[np.float64],
    sin: NDArray[np.float64], out: NDArray[np.float32],
) -> None:
    """Sample each image (channels, height, width) where the inverse motion leads; zeros come in from outside."""
    samples, channels, height, width = images.shape
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    for i in range(samples):
        for r in range(height):
            for c in range(width):
                y, x = r - middle_y - dy[i], c - middle_x - dx[i]
                sy, sx = cos[i] * y - sin[i] * x + middle_y, sin[i] * y + cos[i] * x + middle_x
                top, left = math.floor(sy), math.floor(sx)
                fy, fx = sy - top, sx - left
                for k in range(channels):
                    value = 0.0
                    for a in range(2):
                        for b in range(2):
                            row, column = top + a, left + b
                            if 0 <= row < height and 0 <= column < width:
                                weight = (fy if a else 1 - fy) * (fx if b else 1 - fx)
                                value += weight * images[i, k, row, column]
                    out[i, k, r, c] = value
