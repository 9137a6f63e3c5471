"""Encoders: features -> codes (the sensor's word) -> bits (a code against a threshold or against another code).

    code[s, f]              = clip(floor((x[s, f] - offset[f]) / step[f]), 0, 2^width[f] - 1)
    bit[s, t F + f]         = code[s, f] >= thresholds[t, f]                   t < T thresholds, f < F features
    bit[s, (T + e) F + f]   = code[s, plus] >= code[s, minus] + threshold  for (plus, minus, threshold) = edges[e F + f]

Bits lie in planes of F: all features at the lowest threshold first, then the edge detectors of images
(``data/edges.py``), so that bit ``p F + f`` of an image is plane ``p`` of pixel ``f``. Where ``distinct`` is set, a
threshold that a feature repeats gives no bit: the order stays, but the planes have gaps. A circuit computes the same
lines from ``Word(width, offset, step)``, ``arithmetic.at_least`` and ``arithmetic.at_least_more``, so that the encoder
is part of the proved hardware.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.bits import unsigned
from ..core.errors import FormatError, InputError
from .edges import Place, edge_bits, edge_detectors
from .samples import Shape

MAX_CODE_BITS = 16
MAX_LEVELS = 1024


@dataclass(frozen=True, eq=False)
class Encoder:
    """A fitted encoder of ``F`` features and ``T`` thresholds each.

    Attributes
    ----------
    kind : str
        The rule in ``ENCODERS`` that placed the thresholds.
    offset : array (F,) of float64
        The physical value where code 0 begins.
    step : array (F,) of float64
        The physical value of one code, above 0.
    width : array (F,) of int64
        Bits of each code, 1 to 16.
    thresholds : array (T, F) of int64
        In codes, each from 1 to ``2^width - 1``, ascending in T; equal ones give equal bits.
    edges : array (E F, 3) of int64
        The edge detectors (plus, minus, threshold): two features and the codes, 1 or more, by which the first must
        exceed the second; a feature beside itself gives a constant 0.
    distinct : bool
        Leave out the thresholds that a feature repeats; not together with edges.
    """

    kind: str
    offset: NDArray[np.float64]
    step: NDArray[np.float64]
    width: NDArray[np.int64]
    thresholds: NDArray[np.int64]
    edges: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), dtype=np.int64))
    distinct: bool = False

    def __post_init__(self) -> None:
        _check(self)

    @property
    def n_features(self) -> int:
        """Number of features, F."""
        return int(self.thresholds.shape[1])

    @property
    def threshold_levels(self) -> int:
        """Thresholds of each feature, T."""
        return int(self.thresholds.shape[0])

    @property
    def levels(self) -> int:
        """Planes of F bits: thresholds and edge detectors, T + E."""
        return self.threshold_levels + len(self.edges) // self.n_features

    @cached_property
    def used(self) -> NDArray[np.bool_]:
        """Which thresholds give a bit, (T, F)."""
        used = np.ones(self.thresholds.shape, dtype=bool)
        if self.distinct:
            used[1:] = np.diff(self.thresholds, axis=0) > 0
        return used

    @property
    def n_bits(self) -> int:
        """Number of bits that a sample becomes."""
        return int(self.used.sum()) + len(self.edges)

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The smallest unsigned dtype that holds every code."""
        return unsigned(int(self.width.max()))

    def codes(self, x: ArrayLike) -> NDArray[np.unsignedinteger]:
        """Quantise features.

        Parameters
        ----------
        x : array (samples, F)
            Physical values, in any memory layout. Values outside the range seen in training saturate.

        Returns
        -------
        array (samples, F) of ``dtype``

        Raises
        ------
        InputError
            Where ``x`` has NaN, infinity or a wrong shape.
        """
        matrix = _matrix(x)
        if matrix.shape[1] != self.n_features:
            raise InputError(f"x has {matrix.shape[1]} features, but the encoder was fitted on {self.n_features}; "
                             f"give the same columns")
        return _quantise(matrix, self.offset, self.step, self.width)

    def encode_codes(self, codes: ArrayLike) -> NDArray[np.bool_]:
        """Compare codes (samples, F) with the thresholds: bits (samples, n_bits)."""
        given: NDArray[Any] = np.asarray(codes)
        if given.ndim != 2 or given.shape[1] != self.n_features or given.dtype.kind not in "ui":
            raise InputError(f"codes have shape {given.shape} and dtype {given.dtype}; "
                             f"give integers (samples, {self.n_features}) as `codes` returns them")
        thresholds = self.thresholds.astype(self.dtype if given.dtype == self.dtype else np.int64)
        if self.distinct:
            return np.asarray(given[:, np.nonzero(self.used)[1]] >= thresholds[self.used])
        bits = np.empty((len(given), self.n_bits), dtype=bool)
        planes = bits[:, : thresholds.size].reshape(len(given), *thresholds.shape)
        np.greater_equal(given[:, None, :], thresholds, out=planes)
        edge_bits(given, self.edges, out=bits[:, thresholds.size :])
        return bits

    def encode(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Turn features (samples, F) in physical values into bits (samples, n_bits)."""
        return self.encode_codes(self.codes(x))

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers that JSON keeps exactly."""
        content: dict[str, Any] = {
            "kind": self.kind, "offset": self.offset.tolist(), "step": self.step.tolist(),
            "width": self.width.tolist(), "thresholds": self.thresholds.tolist()}
        options: dict[str, Any] = {"edges": self.edges.tolist()} if len(self.edges) else {}
        return content | options | ({"distinct": True} if self.distinct else {})

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Encoder":
        """Invert ``to_dict``.

        Raises
        ------
        FormatError
            Where the content is no encoder.
        """
        try:
            offset, step = (np.array(content[key], dtype=np.float64) for key in ("offset", "step"))
            width, thresholds = (_whole(content[key], key) for key in ("width", "thresholds"))
            edges = _whole(content["edges"], "edges") if content.get("edges") else np.zeros((0, 3), dtype=np.int64)
            return cls(content["kind"], offset, step, width, thresholds, edges, content.get("distinct", False))
        except KeyError as error:
            raise FormatError(f"the stored encoder lacks {error}; lower or train the network anew") from None
        except (AttributeError, TypeError, ValueError, OverflowError, InputError) as error:
            raise FormatError(f"the stored encoder is damaged ({error}); lower or train the network anew") from None


def fit_encoder(
    kind: str, x_train: ArrayLike, *, levels: int = 1, code_bits: int = 12, clip: float = 0.0,
    common: bool | None = None, edges: int = 0, shape: Shape | None = None, distinct: bool = False,
) -> Encoder:
    """Fit an encoder on training features.

    Parameters
    ----------
    kind : str
        ``threshold``: one bit, the middle of the range; ``uniform``: ``levels`` equally spaced thresholds;
        ``quantile``: ``levels`` thresholds that share the training samples out evenly.
    x_train : array (samples, F)
        Physical values of the training samples.
    levels : int
        Thresholds of each feature. A feature with fewer values repeats thresholds; a constant one gives constant bits.
    code_bits : int
        Width of the code of a real-valued feature, 1 to 16: ``2^code_bits`` equal steps over its range. A feature that
        is integer in every training sample keeps its values as codes, if 16 bits hold them.
    clip : float
        Share of a real-valued feature's samples, 0 up to 0.5, to leave out at each end of its range.
    common : bool, optional
        One range and one set of thresholds for all features. Default: for uint8 (images), so that a border pixel which
        hardly ever changes gets no thresholds inside its noise; other features stand each for itself.
    edges : int
        Thresholds of the edge detectors of an image in each of four directions and two signs: ``8 edges`` planes of
        bits follow those of the thresholds. They compare pixels, and so ask for ``shape`` and make ``common`` the
        default.
    shape : (channels, height, width), optional
        In whose order the features of an image lie.
    distinct : bool
        Give each feature only as many bits as it has thresholds; for tables, where no plane must be whole.

    Raises
    ------
    InputError
        Where an option or the features cannot be used.
    """
    _check_options(kind, levels, code_bits, clip)
    x = _matrix(x_train)
    if not x.size:
        raise InputError(f"x_train has shape {x.shape}; give at least one sample and one feature")
    _check_edges(edges, shape, x.shape[1], common, distinct)
    common = x.dtype == np.uint8 or edges > 0 if common is None else bool(common)
    offset, step, width = _words(x, code_bits, clip, common)
    codes = _quantise(x, offset, step, width)
    place = ENCODERS[kind]
    columns = [_fit_thresholds(place, h, levels, int(w)) for h, w in zip(_histograms(codes, common), width)]
    thresholds = np.ascontiguousarray(np.broadcast_to(np.stack(columns, axis=1), (levels, x.shape[1])))
    detectors = np.zeros((0, 3), dtype=np.int64)
    if edges and shape is not None:
        detectors = edge_detectors(codes, shape, edges, int(width[0]), ENCODERS["quantile"])
    return Encoder(kind, offset, step, width, thresholds, detectors, bool(distinct))


def uniform(counts: NDArray[np.int64], levels: int) -> NDArray[np.int64]:
    """Place thresholds at ``ceil(lo + (hi - lo) (t + 1) / (T + 1))``, from lo to hi the codes seen."""
    seen = np.flatnonzero(counts)
    lo, span = int(seen[0]), int(seen[-1] - seen[0])
    return np.array([lo - (-span * (t + 1) // (levels + 1)) for t in range(levels)], dtype=np.int64)


def quantile(counts: NDArray[np.int64], levels: int) -> NDArray[np.int64]:
    """Place thresholds at codes seen in training that share the samples out evenly.

    A share closest to ``(t + 1) / (T + 1)`` of the samples lies below threshold ``t``. Where more than half of the
    samples sit at the lowest code (a dark background), the shares are of the others. Thresholds are distinct while the
    feature has codes enough, so that no two bits agree on all training samples.
    """
    seen = np.flatnonzero(counts)
    if len(seen) == 1:
        return np.full(levels, seen[0], dtype=np.int64)
    mass = counts[seen].astype(np.float64)
    if 2 * mass[0] > mass.sum():
        mass[0] = 0
    below = np.cumsum(mass)[:-1]  # below[k]: samples under seen[k + 1]
    share = np.arange(1, levels + 1) / (levels + 1) * mass.sum()
    rank = np.abs(below - share[:, None]).argmin(axis=1)
    return seen[1:][_spread(rank, len(below))]


#: kind -> how it places ``levels`` thresholds, given the number of training samples at each code.
ENCODERS: dict[str, Place] = {
    "threshold": uniform,
    "uniform": uniform,
    "quantile": quantile,
}


def _spread(rank: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Ascending ranks moved apart as little as needed inside 0 .. n - 1; the lowest repeat when there are too few."""
    t = np.arange(len(rank))
    rank = np.maximum.accumulate(rank - t) + t
    return np.maximum(np.minimum(rank, n - len(rank) + t), 0)


def _fit_thresholds(place: Place, counts: NDArray[np.int64], levels: int, width: int) -> NDArray[np.int64]:
    return np.clip(place(counts, levels), 1, (1 << width) - 1)


def _histograms(codes: NDArray[np.unsignedinteger], common: bool) -> Iterator[NDArray[np.int64]]:
    """Samples at each code: one histogram for each feature, or a single one of all."""
    if common:
        size = int(codes.max()) + 1
        blocks = np.array_split(codes, len(codes) // 4096 + 1)
        yield np.sum([np.bincount(block.ravel(), minlength=size) for block in blocks], axis=0)
    else:
        yield from map(np.bincount, np.ascontiguousarray(codes.T))


def _words(
    x: NDArray[Any], code_bits: int, clip: float, common: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Offset, step and width of each feature's code."""
    lo, hi, whole = x.min(axis=0).astype(np.float64), x.max(axis=0).astype(np.float64), _is_whole(x)
    if common:
        lo[:], hi[:], whole[:] = lo.min(), hi.max(), whole.all()
    with np.errstate(over="ignore"):
        span = hi - lo
    if not np.isfinite(span).all():
        raise InputError(f"feature {np.argmin(np.isfinite(span))} of x_train spans more than float64 holds; rescale it")
    base = np.where((lo < 0) | (hi >= 1 << MAX_CODE_BITS), lo, 0.0)
    exact = (whole & (hi - base < 1 << MAX_CODE_BITS)) | (span == 0)
    base = np.where(exact & ~whole, lo, base)  # a real constant: code 0 begins at it
    low, high = _clipped(x, lo, hi, clip, common) if clip and not exact.all() else (lo, hi)
    fine = np.maximum((high - low) / (1 << code_bits), np.finfo(np.float64).tiny)
    width = np.where(exact, [max(1, int(v).bit_length()) for v in np.where(exact, hi - base, 0)], code_bits)
    return np.where(exact, base, low), np.where(exact, 1.0, fine), width.astype(np.int64)


def _clipped(
    x: NDArray[Any], lo: NDArray[np.float64], hi: NDArray[np.float64], clip: float, common: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The range without a share ``clip`` of samples at each end; the whole range where nothing else would be left."""
    low, high = np.quantile(x, [clip, 1 - clip], axis=None if common else 0)
    return np.where(high > low, low, lo), np.where(high > low, high, hi)


def _is_whole(x: NDArray[Any]) -> NDArray[np.bool_]:
    """Which features are integer in every sample, (F,) bool."""
    return np.ones(x.shape[1], dtype=bool) if x.dtype.kind in "ui" else (x == np.floor(x)).all(axis=0)


def _quantise(
    x: NDArray[Any], offset: NDArray[np.float64], step: NDArray[np.float64], width: NDArray[np.int64],
) -> NDArray[np.unsignedinteger]:
    """``clip(floor((x - offset) / step), 0, 2^width - 1)``, C-contiguous in the smallest unsigned dtype."""
    top = (1 << width) - 1
    if x.dtype.kind in "ui" and not offset.any() and np.all(step == 1):
        top = np.minimum(top, min(np.iinfo(x.dtype).max, int(top.max()))).astype(x.dtype)
        return np.ascontiguousarray(np.clip(x, 0, top), dtype=unsigned(int(width.max())))
    with np.errstate(over="ignore"):  # far values become infinite and saturate
        value = x - offset
        value /= step
    np.floor(value, out=value)
    return np.ascontiguousarray(np.clip(value, 0, top, out=value), dtype=unsigned(int(width.max())))


def _matrix(x: ArrayLike) -> NDArray[Any]:
    """Finite numbers of shape (samples, F) as they are, or InputError."""
    given: NDArray[Any] = np.asarray(x)
    if given.ndim != 2:
        raise InputError(f"x has shape {given.shape}; give a matrix (samples, features)")
    if given.dtype == bool:
        return given.astype(np.uint8)
    if given.dtype.kind not in "uif":
        raise InputError(f"x has dtype {given.dtype}; give real numbers")
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        row, column = np.argwhere(~np.isfinite(given))[0]
        raise InputError(f"sample {row} has {given[row, column]} in feature {column}; remove or fill it")
    return given


def _check_options(kind: str, levels: int, code_bits: int, clip: float) -> None:
    if kind not in ENCODERS:
        raise InputError(f"encoder {kind!r} is unknown; choose from {', '.join(ENCODERS)}")
    if kind == "threshold" and levels != 1:
        raise InputError(f"encoder 'threshold' has one level, not {levels}; take 'uniform' or 'quantile' for more")
    if not _integer(levels) or not 1 <= levels <= MAX_LEVELS:
        raise InputError(f"levels is {levels}; give 1 to {MAX_LEVELS} thresholds for each feature")
    if not _integer(code_bits) or not 1 <= code_bits <= MAX_CODE_BITS:
        raise InputError(f"code_bits is {code_bits}; give 1 to {MAX_CODE_BITS} bits")
    if not 0 <= clip < 0.5:
        raise InputError(f"clip is {clip}; give the share to leave out at each end, 0 up to 0.5")


def _check_edges(edges: int, shape: Shape | None, features: int, common: bool | None, distinct: bool) -> None:
    if not _integer(edges) or not 0 <= edges <= MAX_LEVELS:
        raise InputError(f"edges is {edges}; give 0 to {MAX_LEVELS} thresholds for each direction")
    if not edges:
        return
    if shape is None or len(shape) != 3 or int(np.prod(shape)) != features:
        raise InputError(f"edges = {edges} compare neighbouring pixels, but {features} features have shape {shape}; "
                         f"give the image's (channels, height, width), or no edges")
    if distinct or common is False:
        raise InputError(f"edges = {edges} compare pixels plane by plane; leave distinct and common = False out")


def _integer(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _whole(values: ArrayLike, key: str) -> NDArray[np.int64]:
    array = np.array(values)
    if array.dtype.kind not in "ui":
        raise ValueError(f"{key} holds {array.dtype}, not integers")
    return array.astype(np.int64)


def _check(encoder: Encoder) -> None:
    shape = encoder.thresholds.shape
    if encoder.kind not in ENCODERS:
        raise InputError(f"encoder {encoder.kind!r} is unknown; choose from {', '.join(ENCODERS)}")
    if len(shape) != 2 or not all(shape):
        raise InputError(f"thresholds have shape {shape}; give (levels, features), at least one of each")
    for name in ("offset", "step", "width"):
        given = getattr(encoder, name).shape
        if given != shape[1:]:
            raise InputError(f"{name} has shape {given} for {shape[1]} features; give one for each")
    if not (np.isfinite(encoder.offset).all() and np.isfinite(encoder.step).all() and np.all(encoder.step > 0)):
        raise InputError("an offset or a step of the encoder is not finite or a step is not above 0; mend it")
    if encoder.width.min() < 1 or encoder.width.max() > MAX_CODE_BITS:
        raise InputError(f"a width of the encoder is not 1 to {MAX_CODE_BITS} bits; mend it")
    inside = (encoder.thresholds >= 1) & (encoder.thresholds < 1 << encoder.width)
    if not inside.all() or np.any(np.diff(encoder.thresholds, axis=0) < 0):
        raise InputError("the thresholds of the encoder do not ascend from 1 to 2^width - 1; mend them")
    if encoder.edges.ndim != 2 or encoder.edges.shape[1] != 3 or len(encoder.edges) % shape[1]:
        raise InputError(f"edges have shape {encoder.edges.shape}; give (planes * {shape[1]} features, 3)")
    if not isinstance(encoder.distinct, bool) or (encoder.distinct and len(encoder.edges)):
        raise InputError(
            f"distinct is {encoder.distinct} beside {len(encoder.edges)} edges; give True only without edges")
    _check_detectors(encoder)


def _check_detectors(encoder: Encoder) -> None:
    plus, minus, threshold = encoder.edges.T
    if np.any(encoder.edges < 0) or np.any(encoder.edges[:, :2] >= encoder.n_features):
        raise InputError(f"an edge compares a feature that is not 0 to {encoder.n_features - 1}; mend it")
    if np.any(threshold < 1) or np.any(threshold >= 1 << np.maximum(encoder.width[plus], encoder.width[minus])):
        raise InputError("the threshold of an edge is not 1 to 2^width - 1; mend it")
