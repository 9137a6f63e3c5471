"""The circuit: the one type between training and hardware.

Samples go in and come out as codes: unsigned integers of shape ``(samples, words)``.

*Macros* state what nets are of others: "these nets are the population count of those". A back end that has a better
spelling of a macro (a comparison in C, a hand-written adder tree in Verilog) may use it and leave out the nodes that
then feed nothing. Since a pass keeps the function of every net that a macro names, macros survive optimisation, and a
proof of the emitted text proves them too.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.bits import Codes
from ..core.cards import card, short
from ..core.errors import InputError
from ..core.provided import provided
from ..core.verdict import Verdict
from .structure import FALSE, FIRST, MACROS, MAX_ARITY, STAGES, TRUE, Macro, MacroKind, Stage, Structure, Word
from .text import canonical_text, format_circuit

__all__ = ["FALSE", "FIRST", "MACROS", "MAX_ARITY", "STAGES", "TRUE", "Circuit", "Macro", "MacroKind", "Stage", "Word"]

#: Optimisation levels, see ``hardwire.passes.LEVELS``.
Level = Literal["O0", "O1", "O2"]


class Operations(Protocol):
    """What the packages above carry out for a circuit: the methods of ``Circuit`` of the same names."""

    def engine(self, circuit: "Circuit") -> Callable[[ArrayLike], Codes]:
        """Return the packed engine of a circuit."""

    def emit(self, circuit: "Circuit", target: str, out: str | PathLike[str], **options: Any) -> list[Path]:
        """Write a circuit for a target."""

    def prove(self, circuit: "Circuit", other: "Circuit", *, timeout: float) -> Verdict:
        """Compare two circuits."""

    def optimize(self, circuit: "Circuit", level: Level) -> "Circuit":
        """Run the passes of a level."""

    def costs(self, circuit: "Circuit") -> dict[str, dict[str, int]]:
        """Count the two-input gates and the depth of each stage."""


def _operations() -> Operations:
    return cast(Operations, provided("circuit"))


class Circuit(Structure):
    """An immutable circuit; ``Structure`` lists its fields.

    ``circuit(x)``, ``optimize``, ``prove`` and ``emit`` are short for ``PackedEngine``, ``hardwire.optimize``,
    ``hardwire.verify.prove`` and ``hardwire emit``, which have more options.
    """

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the circuit's text; equal digests mean identical circuits."""
        return hashlib.sha256(canonical_text(self).encode()).hexdigest()

    def codes(self, x: ArrayLike) -> Codes:
        """Check and convert samples of shape ``(samples, words)`` to this circuit's input codes.

        Unsigned integers are codes. Real values, and signed integers and booleans where a word has an ``offset`` or a
        ``step``, are physical values and saturate at the ends of the range; ``codes_of_values`` takes unsigned integers
        for values too. Any memory layout is accepted.

        Returns
        -------
        Codes
            C-contiguous, in ``input_dtype``.

        Raises
        ------
        InputError
            Where a shape, a type or a value does not fit.
        """
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != len(self.inputs):
            raise InputError(
                f"input has shape {x.shape}, but circuit {self.name!r} reads (samples, {len(self.inputs)}); "
                f"give one column for each input word"
            )
        if x.dtype == bool:
            x = x.astype(np.int8)
        if (x.dtype.kind == "i" and self._scaled) or np.issubdtype(x.dtype, np.floating):
            return self._quantise(x)
        if not np.issubdtype(x.dtype, np.integer):
            raise InputError(f"input has dtype {x.dtype}; give numbers")
        limit = np.array([(1 << w) - 1 for w in self.input_widths], dtype=np.uint64)
        if x.dtype != self.input_dtype or not np.all(limit == np.iinfo(self.input_dtype).max):
            bad = (x < 0) if x.dtype.kind == "i" else np.zeros(x.shape, dtype=bool)
            bad = bad | (x.astype(np.uint64) > limit)
            if bad.any():
                row, column = np.argwhere(bad)[0]
                word = self.inputs[column]
                raise InputError(
                    f"sample {row} has {x[row, column]} in input {word.name!r}, which holds 0 to {limit[column]}"
                )
        return np.ascontiguousarray(x, dtype=self.input_dtype)

    def codes_of_values(self, x: ArrayLike) -> Codes:
        """Convert physical values to codes as ``codes`` does, whatever their type: 1, 1.0 and True are the same."""
        x = np.asarray(x)
        return self.codes(x.astype(np.float64) if x.dtype.kind == "u" and self._scaled else x)

    def values(self, codes: ArrayLike) -> NDArray[np.float64]:
        """The physical values ``offset + step code`` of output codes ``(samples, output words)``."""
        offset, step = (np.array(numbers) for numbers in ([w.offset for w in self.outputs],
                                                          [w.step for w in self.outputs]))
        values: NDArray[np.float64] = offset + step * np.asarray(codes, dtype=np.float64)
        return values

    @cached_property
    def _scaled(self) -> bool:
        """Whether an input word's codes are other numbers than its values."""
        return any(word.scaled for word in self.inputs)

    def _quantise(self, x: NDArray[Any]) -> Codes:
        if not np.isfinite(x).all():
            row, column = np.argwhere(~np.isfinite(x))[0]
            word = self.inputs[column]
            raise InputError(f"sample {row} has {x[row, column]} in input {word.name!r}; remove or fill it")
        offset = np.array([w.offset for w in self.inputs])
        step = np.array([w.step for w in self.inputs])
        top = np.array([(1 << w) - 1 for w in self.input_widths], dtype=np.uint64)
        with np.errstate(over="ignore"):
            value = np.maximum(np.floor((x - offset) / step), 0)
        full = value >= top.astype(np.float64)  # set apart: float64 does not hold 2^64 - 1
        codes = np.where(full, top, np.where(full, 0, value).astype(np.uint64))
        return np.ascontiguousarray(codes, dtype=self.input_dtype)

    def text(self) -> str:
        """Return the whole circuit as text, a line for each net."""
        return format_circuit(self)

    def __repr__(self) -> str:
        return f"<Circuit {self.name!r}: {len(self.inputs)} inputs, {self.n_nodes} nodes, depth {self.depth}>"

    def _repr_html_(self) -> str:
        rows = [("inputs", f"{len(self.inputs):,} words, {self.n_input_bits:,} bits: {_words(self.inputs)}"),
                ("outputs", _words(self.outputs)), ("nodes", self.n_nodes), ("depth", self.depth)]
        rows += [("classes", short(self.labels))] if self.labels else []
        rows += [(stage, f"{cost['gates']:,} two-input gates, depth {cost['depth']}")
                 for stage, cost in _operations().costs(self).items()]
        return card(f"Circuit {self.name}", [*rows, ("digest", self.digest[:16])])

    def __call__(self, x: ArrayLike) -> Codes:
        """Run samples ``(samples, input words)``, codes or physical values, to codes ``(samples, output words)``."""
        return self._engine(x)

    def run(self, x: ArrayLike) -> Codes:
        """Run samples as ``circuit(x)`` does, with the packed engine, which is built on the first call."""
        return self._engine(x)

    @cached_property
    def _engine(self) -> Callable[[ArrayLike], Codes]:
        return _operations().engine(self)

    def optimize(self, level: Level = "O2") -> "Circuit":
        """Return the same function in fewer gates; ``hardwire.optimize`` also says what each pass did."""
        return _operations().optimize(self, level)

    def prove(self, other: "Circuit", *, timeout: float = 120.0) -> Verdict:
        """Compare with another circuit of the same words for every input, within ``timeout`` seconds.

        Returns
        -------
        Verdict
            ``proved``, ``refuted`` with a counterexample, or ``unknown``.
        """
        return _operations().prove(self, other, timeout=timeout)

    def emit(self, target: str, out: str | PathLike[str], **options: Any) -> list[Path]:
        """Write files for ``target`` into folder ``out`` and return them, the main one first.

        Targets and options are those of `hardwire emit`: ``circuit.emit("verilog", "rtl", pipeline=4)``.

        Raises
        ------
        InputError
            For an unknown target or option, or a folder that cannot be written.
        """
        return _operations().emit(self, target, out, **options)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_engine"}

    def with_(self, **changes: Any) -> "Circuit":
        """The same circuit with other values for some of its fields."""
        return replace(self, **changes)


def _words(words: tuple[Word, ...]) -> str:
    return short([f"{word.name}[{word.width}]" for word in words], 6)
