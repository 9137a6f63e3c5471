"""How samples become planes of bits: which bits a circuit reads, and how neighbouring words are packed together.

A comparison of an input word with a constant costs no more than taking one bit of the word, so that packing makes both.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .circuit import FIRST, MACROS, Circuit, Macro, MacroKind
from .schedule import Node, schedule

Index = NDArray[np.int64]


class Comparison(NamedTuple):
    """A bit that packing makes: ``(input word & mask) >= threshold``."""

    word: int
    mask: int
    threshold: int


class Packing(NamedTuple):
    """How the input is packed: the chunks' first words, masks and thresholds, and the row of each net."""

    word: Index
    mask: NDArray[np.unsignedinteger[Any]]
    threshold: NDArray[np.unsignedinteger[Any]]
    row: dict[int, int]


def split_sources(circuit: Circuit, macros: Collection[MacroKind] = tuple(MACROS)
                  ) -> tuple[list[Node | Macro], dict[int, Comparison]]:
    """Scheduled items, and the nets that packing makes: comparisons of an input word, and single input bits.

    ``macros`` are the kinds that are scheduled; comparisons of input words are packed whether or not ``ge`` is one.
    """
    word_of = np.repeat(np.arange(len(circuit.inputs)), circuit.input_widths)
    first = FIRST + np.concatenate([[0], np.cumsum(circuit.input_widths)]).astype(np.int64)
    kept = tuple(m for m in circuit.macros
                 if _comparison(m, word_of, first) or (m.kind in macros and m.kind != "ge"))
    packed: dict[int, Comparison] = {}
    rest: list[Node | Macro] = []
    used = set(circuit.output_nets.tolist())
    for item in schedule(circuit.with_(macros=kept)):
        comparison = _comparison(item, word_of, first) if isinstance(item, Macro) else None
        if comparison:
            packed[item.outputs[0]] = comparison
        else:
            rest.append(item)
            used.update(item.inputs)
    for net in sorted(n for n in used if FIRST <= n < circuit.first_node):
        word = int(word_of[net - FIRST])
        bit = 1 << (net - int(first[word]))
        packed[net] = Comparison(word, bit, bit)
    return rest, packed


def _comparison(item: Macro, word_of: Index, first: Index) -> Comparison | None:
    """The comparison that a macro is, if it compares the upper bits of one input word."""
    if item.kind != "ge":
        return None
    low, n = item.inputs[0], len(item.inputs)
    if not FIRST <= low < FIRST + len(word_of):
        return None
    word = int(word_of[low - FIRST])
    if item.inputs != tuple(range(low, low + n)) or low + n != first[word + 1]:
        return None
    shift = low - int(first[word])
    return Comparison(word, (1 << n + shift) - 1, item.value << shift)


def pack_in_chunks(circuit: Circuit, packed: dict[int, Comparison], lanes: int) -> Packing:
    """Lay the bits out in chunks of ``lanes`` neighbouring words, the p-th bit of each word in the p-th run of chunks.

    Row ``lanes * c + j`` is the j-th bit of chunk c.
    """
    planes: dict[int, list[tuple[Comparison, int]]] = defaultdict(list)
    count: dict[int, int] = defaultdict(int)
    for net, comparison in packed.items():
        planes[count[comparison.word]].append((comparison, net))
        count[comparison.word] += 1
    first: list[int] = []
    row: dict[int, int] = {}
    for p in sorted(planes):
        end = -1
        for comparison, net in sorted(planes[p]):
            if comparison.word >= end:
                first.append(comparison.word)
                end = comparison.word + lanes
            row[net] = lanes * (len(first) - 1) + comparison.word - first[-1]
    mask = np.zeros((len(first), lanes), circuit.input_dtype)
    threshold = np.ones((len(first), lanes), circuit.input_dtype)
    for net, place in row.items():
        mask.flat[place], threshold.flat[place] = packed[net].mask, packed[net].threshold
    return Packing(np.array(first, dtype=np.int64), mask, threshold, row)
