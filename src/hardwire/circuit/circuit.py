"""The circuit: the one type between training and hardware.

Samples go in and come out as codes: unsigned integers of shape ``(samples, words)``.

*Macros* state what nets are of others: "these nets are the population count of those". A back end that has a better
spelling of a macro (a comparison in C, a hand-written adder tree in Verilog) may use it and leave out the nodes that
then feed nothing. Since a pass keeps the function of every net that a macro names, macros survive optimisation, and a
proof of the emitted text proves them too.
"""

import hashlib
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.bits import Codes
from ..core.errors import InputError
from .structure import FALSE, FIRST, MACROS, MAX_ARITY, STAGES, TRUE, Macro, MacroKind, Stage, Structure, Word
from .text import canonical_text, format_circuit

__all__ = ["FALSE", "FIRST", "MACROS", "MAX_ARITY", "STAGES", "TRUE", "Circuit", "Macro", "MacroKind", "Stage", "Word"]


class Circuit(Structure):
    """An immutable circuit; ``Structure`` lists its fields."""

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

    def __str__(self) -> str:
        return format_circuit(self)

    def __repr__(self) -> str:
        return f"<Circuit {self.name!r}: {len(self.inputs)} inputs, {self.n_nodes} nodes, depth {self.depth}>"

    def with_(self, **changes: Any) -> "Circuit":
        """The same circuit with other values for some of its fields."""
        return replace(self, **changes)
