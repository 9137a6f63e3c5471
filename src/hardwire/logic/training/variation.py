"""Varied training samples: images shifted, turned, scaled and bent, and any features with noise.

A search fits whatever it is shown exactly, and gradients do so too in the end, so that on few samples, or with many
gates, training needs more than it was given.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.jit import jit
from ...core.threads import run_jobs
from ..settings import LogicSettings

Shape = tuple[int, ...]
#: Points in each direction whose displacements a bend draws; pixels between follow linearly.
POINTS = 5


@dataclass(frozen=True)
class Variation:
    """How a varied sample differs from the given one; each draw is uniform, but bends and noise are normal.

    Attributes
    ----------
    shift
        Pixels that an image is displaced by at most, in each direction; fractions are interpolated.
    turn
        Degrees that an image is turned by at most.
    scale
        Share that an image grows or shrinks by at most, in height and width apart.
    bend
        Deviation, in pixels, of the displacements of 5 x 5 points, between which an image is stretched: an elastic
        distortion as that of Simard et al., 2003, on a coarse grid.
    noise
        Deviation of the noise as a share of each feature's own. Pixels of the raw value 0 stay as they are.
    """

    shift: float = 0.0
    turn: float = 0.0
    scale: float = 0.0
    bend: float = 0.0
    noise: float = 0.0

    @property
    def warps(self) -> bool:
        """Whether images are warped."""
        return bool(self.shift or self.turn or self.scale or self.bend)

    def __bool__(self) -> bool:
        return self.warps or bool(self.noise)

    def __call__(self, x: NDArray[Any], shape: Shape | None, rng: np.random.Generator, *,
                 threads: int = 1) -> NDArray[Any]:
        """Return varied features (samples, features), in their dtype and range; the same for any ``threads``."""
        given, n = x.dtype, len(x)
        result = np.ascontiguousarray(x, np.float32)
        if shape is not None and self.warps:
            motion = np.zeros((n, 6))  # rows of a matrix and a displacement, from an image's middle
            turn = np.radians(rng.uniform(-self.turn, self.turn, n))
            scale = 1 + rng.uniform(-self.scale, self.scale, (2, n))
            motion[:, 0], motion[:, 1] = np.cos(turn) / scale[0], -np.sin(turn) / scale[0]
            motion[:, 2], motion[:, 3] = np.sin(turn) / scale[1], np.cos(turn) / scale[1]
            motion[:, 4:] = rng.uniform(-self.shift, self.shift, (2, n)).T
            bends = (self.bend * rng.standard_normal((n, 2, POINTS, POINTS), np.float32) if self.bend
                     else np.zeros((n, 2, 0, 0), np.float32))
            images, warped = result.reshape(n, *shape), np.empty((n, *shape), np.float32)
            edges = [n * i // 8 for i in range(9)]
            run_jobs(lambda i: _warp(images, motion, bends, edges[i], edges[i + 1], warped), 8, threads)
            result = warped.reshape(n, -1)
        if self.noise:
            deviation = self.noise * x.std(axis=None if shape is not None else 0, dtype=np.float64)
            drawn = rng.standard_normal(result.shape, dtype=np.float32) * np.asarray(deviation, np.float32)
            result = result + (drawn * (result != 0) if shape is not None else drawn)
        if given.kind in "ui":
            result = np.rint(result)
        low, high = (x.min(), x.max()) if shape is not None else (x.min(axis=0), x.max(axis=0))
        return np.clip(result, low, high).astype(given)


def variation_of(settings: LogicSettings) -> Variation:
    """Return the variation that the settings ask for."""
    return Variation(settings.vary_shift, settings.vary_turn, settings.vary_scale, settings.vary_bend,
                     settings.vary_noise)


@jit
def _warp(images: NDArray[np.float32], motion: NDArray[np.float64], bends: NDArray[np.float32], first: int, last: int,
          out: NDArray[np.float32]) -> None:
    """Sample images ``first .. last`` (channels, height, width) where the motion leads; outside of them is 0."""
    _, channels, height, width = images.shape
    middle_y, middle_x = np.float32((height - 1) / 2), np.float32((width - 1) / 2)
    bent, points = bends.shape[2] > 0, max(bends.shape[2], 2)
    step_y, step_x = np.float32((points - 1) / max(height - 1, 1)), np.float32((points - 1) / max(width - 1, 1))
    for i in range(first, last):
        a, b, c, d = (np.float32(motion[i, 0]), np.float32(motion[i, 1]), np.float32(motion[i, 2]),
                      np.float32(motion[i, 3]))
        for row in range(height):
            y = np.float32(row) - middle_y - np.float32(motion[i, 4])
            above = min(int(np.float32(row) * step_y), points - 2)
            share_y = np.float32(row) * step_y - np.float32(above)
            for column in range(width):
                x = np.float32(column) - middle_x - np.float32(motion[i, 5])
                source_y, source_x = a * y + b * x + middle_y, c * y + d * x + middle_x
                if bent:
                    left = min(int(np.float32(column) * step_x), points - 2)
                    share_x = np.float32(column) * step_x - np.float32(left)
                    for axis in range(2):
                        grid = bends[i, axis]
                        upper = grid[above, left] + share_x * (grid[above, left + 1] - grid[above, left])
                        lower = grid[above + 1, left] + share_x * (grid[above + 1, left + 1] - grid[above + 1, left])
                        bend = upper + share_y * (lower - upper)
                        if axis == 0:
                            source_y += bend
                        else:
                            source_x += bend
                top, left_pixel = math.floor(source_y), math.floor(source_x)
                fy, fx = source_y - np.float32(top), source_x - np.float32(left_pixel)
                for k in range(channels):
                    value = np.float32(0)
                    if 0 <= top < height - 1 and 0 <= left_pixel < width - 1:
                        image = images[i, k]
                        upper = image[top, left_pixel] + fx * (image[top, left_pixel + 1] - image[top, left_pixel])
                        lower = image[top + 1, left_pixel] + fx * (
                            image[top + 1, left_pixel + 1] - image[top + 1, left_pixel])
                        value = upper + fy * (lower - upper)
                    else:
                        for down in range(2):
                            for right in range(2):
                                r, s = top + down, left_pixel + right
                                if 0 <= r < height and 0 <= s < width:
                                    value += (fy if down else np.float32(1) - fy) * (
                                        fx if right else np.float32(1) - fx) * images[i, k, r, s]
                    out[i, k, row, column] = value
