"""Given samples beside the ranges of a network's input words: values that were scaled since are refused.

A word ``(width, offset, step)`` holds ``offset`` to ``offset + step (2^width - 1)``. It is *whole* where its step is 1
and its offset an integer: every training value of that feature was then an integer. Other words are *real*.

Values that are normalised (x / 255, min-max, standardised) fall into a few codes, so that a network answers, and
answers badly. Five facts tell them from honest data. Only floats are judged, and of those only values other than -1, 0
and 1, which say nothing (an empty image, a bit, the end of a range):

1. *Fractions, all small.* In whole words of at least ``WIDE`` bits, ``FEW`` values or more are no integers, and these
   are a quarter of the values, while 99 % of the values are at most 1 in size, or a hundredth of the range.
2. *Fractions below 0.* In whole words of at least ``WIDE`` bits that begin at 0 or above, half of the values are no
   integers, a tenth is below 0, and 90 % are at most 4 in size, or a tenth of the range; ``FEW`` values or more.
3. *Real values, all tiny.* In real words whose range reaches 10 or more in size, every one of ``MANY`` values or more
   is at most 1 in size, and a hundredth of the largest number of its range.
4. *Real values, small and outside.* In the same words a quarter of the values lie outside the range while 95 % are at
   most 6 in size, and a tenth of the largest number of their range; ``SOME`` values or more.
5. *Real columns, all of one scale.* Of ``SOME`` samples or more a quarter of the values in real words lies outside the
   range, and the columns that vary, two or more, all have means of at most 0.35 and deviations of 0.5 to 2, or all lie
   in -0.1 to 1.1 and fill half of it.

So integers of any type, floats that are whole numbers (0.0 and 1.0 too), features that lie in 0 to 1 in training, and
values that left the range at the same scale (a new year, a sensor that drifts) are never refused. A false refusal needs
real data whose every feature has a tail a hundred times its usual size; ``as_is`` is for them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError

#: Bits of a whole word that is judged; values that the rules ask for.
WIDE, FEW, SOME, MANY = 4, 8, 30, 100
#: Values that are looked at together.
BLOCK = 1 << 20


class InputWord(Protocol):
    """What is known of an input word, for example a circuit's."""

    @property
    def name(self) -> str:
        """Name of the feature."""

    @property
    def width(self) -> int:
        """Bits of the code."""

    @property
    def offset(self) -> float:
        """Value where code 0 begins."""

    @property
    def step(self) -> float:
        """Value of one code."""


class WordRange(NamedTuple):
    """An input word of a network without a circuit."""

    name: str
    width: int
    offset: float = 0.0
    step: float = 1.0


@dataclass(frozen=True)
class Outside:
    """Values that lie outside the range of their word, where a code saturates.

    Attributes
    ----------
    values
        How many.
    samples
        How many samples have one.
    total
        Samples looked at.
    worst
        Name of the word that has most of them.
    range, seen
        Lowest and highest value that this word holds, and that it was given.
    """

    values: int
    samples: int
    total: int
    worst: str = ""
    range: tuple[float, float] = (0.0, 0.0)
    seen: tuple[float, float] = (0.0, 0.0)

    def __str__(self) -> str:
        if not self.values:
            return ""
        low, high = self.range
        return (f"{counted(self.values, 'value')} in {self.samples:,} of {self.total:,} samples outside the trained "
                f"range taken as its ends; most in {self.worst!r}, trained on {low:g} to {high:g}, where these are "
                f"{self.seen[0]:g} to {self.seen[1]:g}")


def outside_ranges(x: NDArray[Any], words: Sequence[InputWord]) -> Outside:
    """Count the values of ``x`` (samples, words) that lie outside the ranges of ``words``.

    A real value may lie one step beyond: the largest one of training does.
    """
    return _measure(x, _Ranges.of(words)).outside


def check_ranges(x: NDArray[Any], words: Sequence[InputWord], *, as_is: bool = False, override: str = "as_is=True",
                 least: float = 0.0) -> list[str]:
    """Compare samples with the ranges of a network's input words, see the module.

    Parameters
    ----------
    x
        Numbers in physical units (samples, words); a shape or type that does not fit is left to those that quantise.
    words
        The input words, in the order of the columns.
    as_is
        Refuse nothing.
    override
        How the caller's user says so, for the error.
    least
        Share of the values that must lie outside the range, or be fractions, before that is said.

    Returns
    -------
    list of str
        What the user should be told: values outside the range, fractions where training had integers.

    Raises
    ------
    InputError
        The values were scaled since training; the sentence says how to undo it.
    """
    if x.ndim != 2 or x.shape[1] != len(words) or not x.size or x.dtype.kind not in "uif":
        return []
    ranges = _Ranges.of(words)
    if x.dtype.kind == "u" and ranges.whole.all() and np.iinfo(x.dtype).max <= ranges.high.min():
        return []
    seen = _measure(x, ranges)
    if not as_is and (why := seen.scaled(ranges)):
        raise InputError(f"{why}, or add {override} where they are right as they are")
    said = {str(seen.outside): seen.outside.values, seen.rounded(): seen.fractions}
    return [text for text, values in said.items() if text and values > least * x.size]


def counted(number: int, noun: str) -> str:
    """Word a number of things."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


class _Ranges(NamedTuple):
    """The words as arrays (words,): lowest and highest value, step, largest size, and which are whole."""

    names: tuple[str, ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    step: NDArray[np.float64]
    size: NDArray[np.float64]
    width: NDArray[np.int64]
    whole: NDArray[np.bool_]

    @classmethod
    def of(cls, words: Sequence[InputWord]) -> "_Ranges":
        low, step = (np.array([getattr(w, name) for w in words], dtype=np.float64) for name in ("offset", "step"))
        width = np.array([w.width for w in words], dtype=np.int64)
        high = low + step * (np.exp2(width) - 1)
        whole = (step == 1) & (low == np.floor(low))
        return cls(tuple(w.name for w in words), low, high, step, np.maximum(np.abs(low), np.abs(high)), width, whole)


@dataclass
class _Seen:
    """Counts over the judged values: of whole words first, then of real ones."""

    outside: Outside
    whole: NDArray[np.int64]
    real: NDArray[np.int64]
    fractions: int
    one_scale: str
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def rounded(self) -> str:
        """Say that fractions were given where training had integers."""
        return (f"{counted(self.fractions, 'fraction')} rounded down, where training had whole numbers only"
                if self.fractions else "")

    def scaled(self, ranges: _Ranges) -> str:
        """Say that the values were scaled, and what to do about it; empty where they were not."""
        n, fraction, small, below, moderate = self.whole.tolist()
        first = fraction >= max(FEW, n / 4) and small >= 0.99 * n
        second = fraction >= max(FEW, n / 2) and below >= n / 10 and moderate >= 0.9 * n
        if first or second:
            return self._sentence(ranges, np.flatnonzero(ranges.whole & (ranges.width >= WIDE)), standard=not first)
        n, tiny, away, near = self.real.tolist()
        if (n >= MANY and tiny == n) or (n >= SOME and away >= n / 4 and near >= 0.95 * n):
            return self._sentence(ranges, np.flatnonzero(~ranges.whole & (ranges.size >= 10)), standard=tiny < n)
        if self.one_scale:
            return self._sentence(ranges, np.flatnonzero(~ranges.whole), standard=self.one_scale == "standard")
        return ""

    def _sentence(self, ranges: _Ranges, judged: NDArray[np.int64], *, standard: bool) -> str:
        widest = judged[np.argmax(ranges.size[judged])]
        low, high = ranges.low[widest], ranges.high[widest]
        bytes_ = bool(np.all(ranges.whole & (ranges.low == 0) & (ranges.width == 8)))
        same = bool(np.all((ranges.low == low) & (ranges.high == high)))
        where = "" if same else f" in {ranges.names[widest]!r}"
        least, most = self.low[judged].min(), self.high[judged].max()
        remedy = ("multiply by 255" if bytes_ and not standard and least >= 0
                  else "give them as they were before they were scaled")
        return (f"the network was trained on values from {low:g} to {high:g}{where}, these lie between {least:.3g} and "
                f"{most:.3g}: {remedy}")


def _measure(x: NDArray[Any], ranges: _Ranges) -> _Seen:
    """Count what the rules ask for, a block of rows at a time."""
    judged = ranges.whole & (ranges.width >= WIDE), ~ranges.whole & (ranges.size >= 10)
    whole, real = np.zeros(5, dtype=np.int64), np.zeros(4, dtype=np.int64)
    outside, samples, fractions = np.zeros(len(ranges.low), dtype=np.int64), 0, 0
    low, high = np.full(len(ranges.low), np.inf), np.full(len(ranges.low), -np.inf)
    total, squares = np.zeros(len(ranges.low)), np.zeros(len(ranges.low))
    for block in _blocks(x):
        away = _away(block, ranges)
        outside += away.sum(axis=0)
        samples += int(away.any(axis=1).sum())
        low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
        if x.dtype.kind == "f":
            fraction = (block != np.floor(block)) & ranges.whole
            fractions += int(fraction.sum())
            whole += _whole_counts(block, fraction, ranges, judged[0])
            real += _real_counts(block, away, ranges, judged[1])
            total += block.sum(axis=0)
            with np.errstate(over="ignore"):
                squares += (block * block).sum(axis=0)
    worst = int(outside.argmax()) if len(outside) else 0
    lost = Outside(int(outside.sum()), samples, len(x), ranges.names[worst], (ranges.low[worst], ranges.high[worst]),
                   (low[worst], high[worst])) if outside.any() else Outside(0, 0, len(x))
    enough = x.dtype.kind == "f" and len(x) >= SOME
    columns: NDArray[np.intp] = np.flatnonzero(~ranges.whole & (high > low) & enough)
    scale = ""
    if len(columns) >= 2 and outside[~ranges.whole].sum() >= len(x) * (~ranges.whole).sum() / 4:
        scale = _one_scale(total[columns] / len(x), squares[columns] / len(x), low[columns], high[columns])
    return _Seen(lost, whole, real, fractions, scale, low, high)


def _one_scale(mean: NDArray[np.float64], square: NDArray[np.float64], low: NDArray[np.float64],
               high: NDArray[np.float64]) -> str:
    """Name the scale that all columns share: ``standard``, ``unit``, or none."""
    variance = square - mean * mean
    if np.all((np.abs(mean) <= 0.35) & (variance >= 0.25) & (variance <= 4)):
        return "standard"
    return "unit" if np.all((low >= -0.1) & (high <= 1.1) & (high - low >= 0.5)) else ""


def _blocks(x: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """Rows of ``x`` as real numbers; NaN and infinity, which those that quantise refuse, become 0."""
    rows = max(1, BLOCK // max(1, x.shape[1]))
    for start in range(0, len(x), rows):
        block = x[start : start + rows].astype(np.float64)
        yield np.where(np.isfinite(block), block, 0.0) if x.dtype.kind == "f" else block


def _away(x: NDArray[np.float64], ranges: _Ranges) -> NDArray[np.bool_]:
    slack = np.where(ranges.whole, 0.0, ranges.step)
    beyond = np.where(ranges.whole, x >= ranges.high + 1, x > ranges.high + 2 * slack)
    return np.asarray((x < ranges.low - slack) | beyond)


def _telling(x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Values other than -1, 0 and 1."""
    return np.asarray((x != 0) & (np.abs(x) != 1))


def _whole_counts(x: NDArray[np.float64], fraction: NDArray[np.bool_], ranges: _Ranges,
                  judged: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Values, fractions, small ones, ones below 0 where training had none, moderate ones."""
    given, size, span = _telling(x) & judged, np.abs(x), ranges.high - ranges.low
    return np.array([given.sum(), (fraction & judged).sum(), (given & (size <= np.maximum(1, span / 100))).sum(),
                     (given & (x < 0) & (ranges.low >= 0)).sum(), (given & (size <= np.maximum(4, span / 10))).sum()])


def _real_counts(x: NDArray[np.float64], away: NDArray[np.bool_], ranges: _Ranges,
                 judged: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Values, tiny ones, ones outside the range, ones that are small beside it."""
    given, size = _telling(x) & judged, np.abs(x)
    return np.array([given.sum(), (given & (size <= np.minimum(1, ranges.size / 100))).sum(), (given & away).sum(),
                     (given & (size <= np.minimum(6, ranges.size / 10))).sum()])
