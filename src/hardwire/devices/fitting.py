"""Fit a device to measured pulses: a CSV of pulse number and conductance becomes the parameters of a device model.

Columns ``pulse`` and ``conductance`` (uS), optionally ``device`` (any name) and ``direction`` (``up`` or ``down``;
without it, all are up). Consecutive rows of one device and direction are one series; each of its steps is one
observation.
"""

import csv
import dataclasses
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FormatError, InputError
from ..core.files import read_text
from .models import Device, LinearStep, Pcm
from .presets import KINDS

Reals = NDArray[np.float64]
Points = dict[tuple[str, str], list[tuple[float, float]]]

FITTED = ("linear-step", "soft-bounds", "capacitor", "pcm")
#: Decays of the PCM's step that are tried, in units of 1 / range.
DECAYS = np.concatenate([[0.0], np.geomspace(0.1, 50, 200)])


@dataclass(frozen=True)
class Fit:
    """A device, the share of the measured steps' variance that it explains, and how many steps there were."""

    device: Device
    r2: float
    steps: int


@dataclass(frozen=True)
class Steps:
    """Measured steps, and the lowest and highest conductance.

    Attributes
    ----------
    g, change
        Conductance before a step and its change per pulse, uS.
    pulses
        In a step.
    direction
        1 or -1.
    device
        Number of the device.
    """

    g: Reals
    change: Reals
    pulses: Reals
    direction: NDArray[np.int64]
    device: NDArray[np.int64]
    low: float
    high: float


def fit(path: str | Path, kind: str, *, name: str = "") -> Fit:
    """Fit a device of ``kind`` (linear-step, soft-bounds, capacitor or pcm) to the CSV at ``path``; see the module."""
    if kind not in FITTED:
        raise InputError(f"device kind {kind!r} is none of {', '.join(FITTED)}")
    steps, name = read_steps(path), name or Path(path).stem
    source = f"fit to {Path(path).name}, {len(steps.g)} steps of {len(set(steps.device))} device(s)"
    fitted, predicted = _fit_pcm(steps, name, source) if kind == "pcm" else _fit_linear(steps, kind, name, source)
    rest, total = ((steps.change - predicted) ** 2).sum(), ((steps.change - steps.change.mean()) ** 2).sum()
    r2 = float(1 - rest / total) if total > 1e-12 * (steps.change**2).sum() else 1.0
    return Fit(dataclasses.replace(fitted, fit=f"R^2 {r2:.4f} of the measured steps"), r2, len(steps.g))


def read_steps(path: str | Path) -> Steps:
    """Read the steps of a CSV; FormatError names the row that cannot be used."""
    rows = list(csv.DictReader(io.StringIO(read_text(path))))
    if not rows or not {"pulse", "conductance"} <= set(rows[0]):
        raise FormatError(f"{path} needs a header with the columns pulse and conductance (uS), and rows below it")
    series: Points = {}
    for number, row in enumerate(rows, 2):
        direction = (row.get("direction") or "up").strip().lower()
        try:
            point = float(row["pulse"]), float(row["conductance"])
        except (TypeError, ValueError):
            point = float("nan"), float("nan")
        if not np.isfinite(point).all() or direction not in ("up", "down"):
            raise FormatError(f"{path} row {number}: {str(row)[:200]}; give numbers for pulse and conductance, and up "
                              "or down for a direction")
        series.setdefault((row.get("device") or "", direction), []).append(point)
    return _steps_of(path, series)


def _steps_of(path: str | Path, series: Points) -> Steps:
    names = {device: i for i, device in enumerate(dict.fromkeys(device for device, _ in series))}
    parts = []
    for (device, direction), points in series.items():
        pulse, g = np.array(points).T
        if (np.diff(pulse) <= 0).any():
            raise FormatError(f"{path}: pulse numbers of device {device!r}, {direction}, do not rise; sort its rows, "
                              "and give "
                              "each series a device or a direction of its own")
        n = np.diff(pulse)
        before = g[:-1] + np.diff(g) * (n - 1) / (2 * n)  # where a pulse began, on average over a row's pulses
        parts.append(np.stack([before, np.diff(g) / n, n, np.full(len(n), 1 if direction == "up" else -1),
                               np.full(len(n), names[device])]))
    before, change, pulses, directions, devices = np.concatenate(parts, 1)
    if len(before) < 8:
        raise FormatError(f"{path} holds {len(before)} steps; give eight or more")
    every = np.concatenate([np.array(points)[:, 1] for points in series.values()])
    return Steps(before, change, pulses, directions.astype(int), devices.astype(int), float(every.min()),
                 float(every.max()))


def _line(x: Reals, y: Reals, weight: Reals) -> tuple[float, float]:
    """Fit ``y = a + b x`` by least squares."""
    matrix = np.stack([np.ones_like(x), x], 1) * np.sqrt(weight)[:, None]
    a, b = np.linalg.lstsq(matrix, y * np.sqrt(weight), rcond=None)[0]
    return float(a), float(b)


def _fit_linear(s: Steps, kind: str, name: str, source: str) -> tuple[Device, Reals]:
    """Fit each direction's step as a line in the conductance, counted from the middle of the range."""
    middle = (s.low + s.high) / 2
    x, lines = s.g - middle, {}
    for direction in (1, -1):
        rows = s.direction == direction
        if rows.any():
            lines[direction] = _line(x[rows], s.change[rows], s.pulses[rows])
    for direction in (1, -1):  # one that was not measured mirrors the other
        if direction not in lines:
            lines[direction] = (-lines[-direction][0], lines[-direction][1])
    up, down = lines[1], lines[-1]
    if not (up[0] > 0 > down[0]):
        raise FormatError(f"{source}: steps {up[0]:.3g} up and {down[0]:.3g} down in the middle of the range; up must "
                          "raise the "
                          "conductance, down lower it; check the direction column")
    low, high = _bounds(kind, up, down, s.low - middle, s.high - middle)
    step = (up[0] - down[0]) / 2
    slopes: dict[str, Any] = {} if kind == "soft-bounds" else {"slope_up": float(np.clip(-up[1] * high / up[0], 0, 1)),
                                               "slope_down": float(np.clip(-down[1] * low / down[0], 0, 1))}
    predicted = np.where(s.direction > 0, up[0] + up[1] * x, down[0] + down[1] * x)
    noise, spread = _spreads(s, predicted)
    fitted: type[LinearStep] = KINDS[kind]  # type: ignore[assignment]
    return fitted(name=name, source=source, step=step, low=low, high=high,
                  asymmetry=(up[0] + down[0]) / (up[0] - down[0]),
                  cycle_noise=noise, step_spread=spread, **slopes), predicted


def _bounds(kind: str, up: tuple[float, float], down: tuple[float, float], low: float, high: float) -> tuple[float,
                                                                                                             float]:
    """Return where the fitted steps vanish, of soft bounds; else the measured range."""
    if kind != "soft-bounds":
        return low, high
    if up[1] >= 0 or down[1] >= 0:
        raise FormatError("the measured steps do not shrink towards the bounds; fit linear-step instead of soft-bounds")
    return -down[0] / down[1], -up[0] / up[1]


def _spreads(s: Steps, predicted: Reals) -> tuple[float, float]:
    """Return (cycle-to-cycle noise of one pulse, device-to-device spread of the step), as shares of the step."""
    factor = np.ones(s.device.max() + 1)
    for i in range(len(factor)):
        rows = s.device == i
        factor[i] = (s.change[rows] * predicted[rows]).sum() / (predicted[rows] ** 2).sum()
    rest = (s.change - factor[s.device] * predicted) * np.sqrt(s.pulses)
    noise = float(np.sqrt((rest**2).mean() / (predicted**2).mean()))
    return noise, float(factor.std(ddof=1)) if len(factor) > 1 else 0.0


def _fit_pcm(s: Steps, name: str, source: str) -> tuple[Device, Reals]:
    """Fit ``step (1 + shape exp(-decay G / g_max))`` by least squares at the best of many decays."""
    if (s.direction < 0).any():
        raise FormatError(f"{source}: a PCM device is only ever raised; leave the rows with direction down out")
    g_max, best = s.high, None
    for decay in DECAYS:
        e = np.exp(-decay * s.g / g_max) if decay else np.zeros_like(s.g)
        a, b = (_line(e, s.change, s.pulses) if decay else (float(np.average(s.change, weights=s.pulses)), 0.0))
        predicted = a + b * e
        loss = (s.pulses * (s.change - predicted) ** 2).sum()
        if a > 0 and b >= 0 and (best is None or loss < best[0]):
            best = loss, decay, a, b, predicted
    if best is None:
        raise FormatError(f"{source}: no rising step fits; a PCM device is raised by every pulse")
    _, decay, a, b, predicted = best
    noise, spread = _spreads(s, predicted)
    return Pcm(name=name, source=source, g_max=g_max, step=a, shape=b / a, decay=float(decay), cycle_noise=noise,
               step_spread=spread), predicted
