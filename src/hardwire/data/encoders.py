"""Encoders: features -> codes (the sensor's word) -> bits (a code against a threshold or against another code).

    code[s, f]              = clip(floor((x[s, f] - offset[f]) / step[f]), 0, 2^width[f] - 1)
    bit[s, t F + f]         = code[s, f] >= thresholds[t, f]                   t < T thresholds, f < F features
    bit[s, (T + e) F + f]   = code[s, plus] >= code[s, minus] + threshold  for (plus, minus, threshold) = edges[e F + f]

Bits lie in planes of F: all features at the lowest threshold first, then the edge detectors of images
(``data/edges.py``), so that bit ``p F + f`` of an image is plane ``p`` of pixel ``f``. Where ``distinct`` is set, a
threshold that a feature repeats gives no bit: the order stays, but the planes have gaps. A circuit computes the same
lines from ``Word(width, offset, step)``, ``comparators.at_least_each`` and ``arithmetic.at_least_more``, so that the
encoder is part of the proved hardware.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.bits import unsigned
from ..core.comparators import comparators
from ..core.errors import FormatError, InputError
from .codes import MAX_CODE_BITS, matrix, quantise, words
from .edges import Place, edge_bits, edge_detectors, edge_gates
from .informative import DEFAULT_PRICE, fit_informative
from .samples import Shape
from .thresholds import quantile, uniform

MAX_LEVELS = 1024


@dataclass(frozen=True, eq=False)
class Encoder:
    """A fitted encoder of ``F`` features and ``T`` thresholds each.

    Attributes
    ----------
    kind : str
        The rule in ``KINDS`` that placed the thresholds.
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

    def __repr__(self) -> str:
        return (f"<Encoder {self.kind!r}: {self.n_features} features, {self.threshold_levels} thresholds, "
                f"{len(self.edges)} edges, {self.n_bits} bits>")

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

    def gates_by_feature(self) -> NDArray[np.int64]:
        """Two-input gates of each feature's comparators as they are lowered, (F,); without edge detectors."""
        columns = zip(self.width.tolist(), self.thresholds.T.tolist(), strict=True)
        return np.array([len(comparators(w, tuple(sorted(set(column)))).steps) for w, column in columns])

    def gates(self) -> int:
        """Two-input gates and inverters of the whole encoder as it is lowered, before any pass."""
        return int(self.gates_by_feature().sum()) + edge_gates(self.edges, self.width)

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
        given = matrix(x)
        if given.shape[1] != self.n_features:
            raise InputError(f"x has {given.shape[1]} features, but the encoder was fitted on {self.n_features}; "
                             f"give the same columns")
        return quantise(given, self.offset, self.step, self.width)

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


def fit_encoder(  # noqa: PLR0913 - options, by name
    kind: str, x_train: ArrayLike, *, levels: int = 1, code_bits: int = 12, clip: float = 0.0,
    common: bool | None = None, edges: int = 0, shape: Shape | None = None, distinct: bool = False,
    y: ArrayLike | None = None, price: float = DEFAULT_PRICE,
) -> Encoder:
    """Fit an encoder on training features.

    Parameters
    ----------
    kind : str
        ``threshold``: one bit, the middle of the range; ``uniform``: ``levels`` equally spaced thresholds;
        ``quantile``: ``levels`` thresholds that share the training samples out evenly; ``entropy``: up to ``levels``
        thresholds that share them out as evenly as the gates of their comparators are worth; ``informative``: up to
        ``levels`` thresholds that tell most about ``y`` for these gates.
    x_train : array (samples, F)
        Physical values of the training samples.
    levels : int
        Thresholds of each feature. A feature with fewer values repeats thresholds; a constant one gives constant bits.
    code_bits : int
        Width of the code of a real-valued feature, 1 to 16: ``2^code_bits`` equal steps over its range. A feature that
        is integer in every training sample keeps its values as codes, if 16 bits hold them. ``entropy`` and
        ``informative`` drop the low bits of a real-valued feature's code that no threshold needs.
    clip : float
        Share of a real-valued feature's samples, 0 up to 0.5, to leave out at each end of its range. ``entropy``
        and ``informative`` choose a share themselves where it is 0.
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
    y : array (samples,) or (samples, outputs), optional
        What ``informative`` thresholds are to tell: classes, targets, or labels that are 0 or 1.
    price : float
        Information, in nats a sample, that each gate of an ``entropy`` or ``informative`` threshold must bring.

    Raises
    ------
    InputError
        Where an option or the features cannot be used.
    """
    _check_options(kind, levels, code_bits, clip, price)
    x = matrix(x_train)
    if not x.size:
        raise InputError(f"x_train has shape {x.shape}; give at least one sample and one feature")
    _check_edges(edges, shape, x.shape[1], common, distinct)
    common = x.dtype == np.uint8 or edges > 0 if common is None else bool(common)
    if kind not in ENCODERS:
        if kind == "informative" and y is None:
            raise InputError("encoder 'informative' needs the classes y of the training samples; give them, or take "
                             "'entropy'")
        offset, step, width, thresholds = fit_informative(
            x, y if kind == "informative" else None, levels=levels, code_bits=code_bits, clip=clip, common=common,
            price=price, narrow=not edges)
    else:
        offset, step, width = words(x, code_bits, clip, common)
        histograms = _histograms(quantise(x, offset, step, width), common)
        columns = [np.clip(ENCODERS[kind](h, levels), 1, (1 << w) - 1) for h, w in zip(histograms, width.tolist())]
        thresholds = np.stack(columns, axis=1)
    thresholds = np.ascontiguousarray(np.broadcast_to(thresholds, (len(thresholds), x.shape[1])))
    detectors = np.zeros((0, 3), dtype=np.int64)
    if edges and shape is not None:
        codes = quantise(x, offset, step, width)
        detectors = edge_detectors(codes, shape, edges, int(width[0]), ENCODERS["quantile"])
    return Encoder(kind, offset, step, width, thresholds, detectors, bool(distinct))


#: kind -> how it places ``levels`` thresholds, given the number of training samples at each code.
ENCODERS: dict[str, Place] = {
    "threshold": uniform,
    "uniform": uniform,
    "quantile": quantile,
}
#: Every kind: priced thresholds need more than a histogram.
KINDS = (*ENCODERS, "entropy", "informative")

def _histograms(codes: NDArray[np.unsignedinteger], common: bool) -> Iterator[NDArray[np.int64]]:
    """Samples at each code: one histogram for each feature, or a single one of all."""
    if common:
        size = int(codes.max()) + 1
        blocks = np.array_split(codes, len(codes) // 4096 + 1)
        yield np.sum([np.bincount(block.ravel(), minlength=size) for block in blocks], axis=0)
    else:
        yield from map(np.bincount, np.ascontiguousarray(codes.T))


def _check_options(kind: str, levels: int, code_bits: int, clip: float, price: float) -> None:
    if kind not in KINDS:
        raise InputError(f"encoder {kind!r} is unknown; choose from {', '.join(KINDS)}")
    if not (np.isfinite(price) and price >= 0):
        raise InputError(f"price is {price}; give the nats a sample that a gate must bring, 0 or more")
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
    if encoder.kind not in KINDS:
        raise InputError(f"encoder {encoder.kind!r} is unknown; choose from {', '.join(KINDS)}")
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
