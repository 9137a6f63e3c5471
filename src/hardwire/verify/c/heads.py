"""Counts, arg-maxes and comparisons of the text as gates, in the shapes that the circuit's own have."""

from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...circuit import FALSE, FIRST, Circuit, Macro
from ...circuit.aig import Aig
from ...circuit.arithmetic.shapes import STYLES, macro_circuit, shape_of
from ...circuit.structure import MacroKind
from ...core.bits import codes_to_bits
from ...core.truth_tables import ones, projection
from ..equivalence import near_shape
from ..vectors import vectors

#: Vectors whose outputs tell nets apart.
PATTERNS = 2048
#: Bits of the longest word whose values are all tried.
EXHAUSTED = 12

#: The words of an arg-max as signatures, without zeros on top.
Key: TypeAlias = tuple[tuple[int, ...], ...]


class Heads:
    """Gates for what a helper function computes, added to the graph that holds the circuit.

    A count is the same in any order of its operands and in any shape. To make a proof short, a count takes the order
    and the shape of that count of the circuit whose operands it shares, told by simulation. What it is does not depend
    on this choice.
    """

    def __init__(self, circuit: Circuit, aig: Aig, net: list[int], seed: int = 0) -> None:
        self.circuit, self.aig, self.net, self.seed = circuit, aig, net, seed
        self._plain, self._scratch = aig.copy(), aig.copy()
        self._style: dict[Macro, str] = {}
        columns = np.packbits(_patterns(circuit, seed), axis=0).T
        self._rows = [0, *(int.from_bytes(column.tobytes(), "big") for column in columns)]
        self._ones = (1 << 8 * columns.shape[1]) - 1 if len(columns) else 1
        self._counts: dict[int, list[Macro]] = {}
        self._indices: dict[Key, Macro] = {}
        self._comparisons: dict[tuple[tuple[int, ...], int], int] = {}
        for macro in circuit.macros:
            if macro.kind == "ge":
                key = _above_zeros([net[n] for n in macro.inputs], macro.value)
                self._comparisons.setdefault(key, net[macro.outputs[0]])
                continue
            signatures = [self._signature(net[n]) for n in macro.inputs]
            if macro.kind == "popcount":
                for signature in set(signatures):
                    self._counts.setdefault(signature, []).append(macro)
            elif macro.kind == "argmax":
                width = len(signatures) // macro.value
                self._indices[_key([signatures[i : i + width] for i in range(0, len(signatures), width)])] = macro

    def _signature(self, literal: int) -> int:
        """The values of a literal on the patterns."""
        rows, aig = self._rows, self.aig
        for a, b in zip(aig.left[len(rows) - 1 - aig.n_inputs :], aig.right[len(rows) - 1 - aig.n_inputs :]):
            rows.append((rows[a >> 1] ^ -(a & 1) & self._ones) & (rows[b >> 1] ^ -(b & 1) & self._ones))
        return rows[literal >> 1] ^ -(literal & 1) & self._ones

    def _shape(self, macro: Macro) -> str:
        if macro not in self._style:
            self._style[macro] = (shape_of(self._scratch, self.net, macro)
                                  or near_shape(self.circuit, self._plain, self.net, macro, self.seed))
        return self._style[macro]

    def _gates(self, kind: MacroKind, operands: Sequence[int], value: int, style: str) -> list[int]:
        reference = macro_circuit(Macro(kind, tuple(range(len(operands))), (), value), style)
        literals = self.aig.embed(reference, list(operands))
        return [literals[n] for n in reference.output_nets.tolist()]

    def at_least(self, word: Sequence[int], value: int) -> int:
        """``word >= value`` for an unsigned word, LSB first, and ``value`` of 1 to ``2^len(word) - 1``.

        The circuit's own net of the same comparison is taken where the values of the word, all of them, show it.
        """
        bits, least = _above_zeros(word, value)
        own = self._comparisons.get((bits, least))
        if own is not None and len(bits) <= EXHAUSTED and self._is_comparison(own, bits, least):
            return own
        return self._gates("ge", bits, least, STYLES["ge"][0])[0]

    def _is_comparison(self, literal: int, word: Sequence[int], value: int) -> bool:
        """Whether a literal is ``word >= value`` for every value of a word of distinct inputs."""
        k, first = len(word), 1 + self.aig.n_inputs
        tables = {x >> 1: projection(i, k) ^ ones(k) * (x & 1) for i, x in enumerate(word)} | {0: 0}
        if len(tables) != k + 1 or any(not 0 < x >> 1 < first for x in word):
            return False
        stack = [literal >> 1]
        while stack:
            v = stack[-1]
            if v in tables:
                stack.pop()
                continue
            if v < first:
                return False
            a, b = self.aig.left[v - first], self.aig.right[v - first]
            waiting = [x >> 1 for x in (a, b) if x >> 1 not in tables]
            if waiting:
                stack += waiting
            else:
                tables[v] = (tables[a >> 1] ^ ones(k) * (a & 1)) & (tables[b >> 1] ^ ones(k) * (b & 1))
        return tables[literal >> 1] ^ ones(k) * (literal & 1) == ones(k) ^ ((1 << value) - 1)

    def popcount(self, operands: Sequence[int]) -> list[int]:
        """How many operands are true, ``len(operands).bit_length()`` bits, LSB first."""
        signatures = [self._signature(x) for x in operands]
        votes = Counter(macro for s in signatures for macro in self._counts.get(s, ()))
        nearest = max(votes, key=lambda macro: (votes[macro], -abs(len(macro.inputs) - len(operands))), default=None)
        if nearest is None:
            count = self._gates("popcount", operands, 0, STYLES["popcount"][0])
        else:
            count = self._gates("popcount", self._ordered(operands, nearest), 0, self._shape(nearest))
        return count[: len(operands).bit_length()]

    def _ordered(self, operands: Sequence[int], macro: Macro) -> list[int]:
        """The operands in the order of those of ``macro``; a zero where one is missing."""
        ends = [self.net[n] for n in macro.inputs]
        order: list[int | None] = [None] * len(ends)
        free = set(range(len(operands)))
        for key in (int, self._signature):  # the same literal first
            places: dict[int, list[int]] = {}
            for place in sorted(free, reverse=True):
                places.setdefault(key(operands[place]), []).append(place)
            for i, end in enumerate(ends):
                if order[i] is None and (end != FALSE or key is int) and places.get(key(end)):
                    order[i] = places[key(end)].pop()
            free -= set(order)
        rest = sorted(free, reverse=True)
        for i, end in enumerate(ends):
            if order[i] is None and end != FALSE and rest:
                order[i] = rest.pop()
        return [FALSE if place is None else operands[place] for place in (*order, *rest)]

    def argmax(self, words: Sequence[Sequence[int]]) -> list[int]:
        """Index of the largest of unsigned words, the lowest wins a tie; LSB first, enough bits for the number."""
        nearest = self._indices.get(_key([[self._signature(x) for x in word] for word in words]))
        width = max(len(word) for word in words)
        if nearest is not None:
            width = max(width, len(nearest.inputs) // nearest.value)
        style = STYLES["argmax"][0] if nearest is None else self._shape(nearest)
        operands = [x for word in words for x in (*word, *[FALSE] * (width - len(word)))]
        return self._gates("argmax", operands, len(words), style)


def _patterns(circuit: Circuit, seed: int) -> NDArray[np.bool_]:
    """Input bits; half of the rows have one word at a threshold of the circuit or next to it."""
    bits = codes_to_bits(vectors(circuit, PATTERNS, seed), circuit.input_widths)
    thresholds = [m for m in circuit.macros if m.kind == "ge" and m.value > 0 and max(m.inputs) < circuit.first_node
                  and min(m.inputs) >= FIRST]
    for row, macro in zip(range(PATTERNS // 2, PATTERNS), cycle(thresholds)):
        code = macro.value - (row & 1)
        bits[row, np.array(macro.inputs) - FIRST] = [code >> j & 1 for j in range(len(macro.inputs))]
    return bits


def _above_zeros(word: Sequence[int], value: int) -> tuple[tuple[int, ...], int]:
    """The same comparison without the bits below the lowest one of the threshold."""
    zeros = (value & -value).bit_length() - 1 if value > 0 else 0
    return tuple(word[zeros:]), value >> zeros


def _key(words: Sequence[Sequence[int]]) -> Key:
    return tuple(tuple(word[: max((j + 1 for j, s in enumerate(word) if s), default=0)]) for word in words)
