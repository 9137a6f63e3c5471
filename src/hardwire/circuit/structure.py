"""What a circuit is made of: words, macros, and a flat, topologically ordered array of look-up tables.

A *net* is an integer. Net 0 is constant false, net 1 constant true; the bits of the input words follow in order,
least significant first; then one net for each node. A node's table is read least significant bit first, operand 0
being the least significant address bit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core.bits import unsigned

Stage = Literal["encoder", "network", "head"]
MacroKind = Literal["ge", "popcount", "argmax"]

STAGES: tuple[Stage, ...] = ("encoder", "network", "head")
FALSE, TRUE, FIRST = 0, 1, 2
MAX_ARITY, MAX_WIDTH = 6, 64
#: kind -> what the outputs are of the inputs.
MACROS: dict[MacroKind, str] = {
    "ge": "outputs[0] = (inputs as an unsigned word, LSB first) >= value",
    "popcount": "outputs, LSB first = how many inputs are true",
    "argmax": "outputs, LSB first = index of the largest of value equally wide unsigned words; the lowest wins a tie",
}


@dataclass(frozen=True)
class Word:
    """A named word of ``width`` bits (1 to 64).

    For an input, a physical value ``v`` becomes the code ``clip(floor((v - offset) / step), 0, 2^width - 1)``. A code
    of an output means the physical value ``offset + step code``: the targets of a regression have a scale of their own.
    """

    name: str
    width: int
    offset: float = 0.0
    step: float = 1.0

    @property
    def scaled(self) -> bool:
        """Whether codes are other numbers than values."""
        return (self.offset, self.step) != (0, 1)


@dataclass(frozen=True)
class Macro:
    """A statement about nets that the nodes make true; ``MACROS`` lists the kinds.

    The nodes alone define the circuit; a back end that has a better spelling of a macro may use it.
    """

    kind: MacroKind
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    value: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class Structure:
    """Words, nodes and macros of ``n`` nodes, and the sizes that follow from them.

    Attributes
    ----------
    name, inputs, outputs
        The circuit's name and its words.
    fanin
        Shape ``(n, k)``, ``k`` the largest arity; unused places hold net 0.
    table, arity
        Truth tables and their numbers of operands, 1 to 6, shape ``(n,)``.
    stage
        Index into ``STAGES`` of each node, shape ``(n,)``.
    output_nets
        The nets of the output words' bits, shape ``(sum of output widths,)``.
    macros
        Statements about nets, see ``MACROS``.
    labels
        Names of the classes, when the first output word is a class index.
    """

    name: str
    inputs: tuple[Word, ...]
    fanin: NDArray[np.int32]
    table: NDArray[np.uint64]
    arity: NDArray[np.uint8]
    stage: NDArray[np.uint8]
    outputs: tuple[Word, ...]
    output_nets: NDArray[np.int32]
    macros: tuple[Macro, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def n_nodes(self) -> int:
        """How many nodes there are."""
        return len(self.table)

    @cached_property
    def n_input_bits(self) -> int:
        """How many bits the input words have together."""
        return sum(w.width for w in self.inputs)

    @property
    def first_node(self) -> int:
        """The net of node 0."""
        return FIRST + self.n_input_bits

    @property
    def n_nets(self) -> int:
        """How many nets there are, constants and inputs among them."""
        return self.first_node + self.n_nodes

    @property
    def input_widths(self) -> list[int]:
        """The number of bits of each input word."""
        return [w.width for w in self.inputs]

    @property
    def output_widths(self) -> list[int]:
        """The number of bits of each output word."""
        return [w.width for w in self.outputs]

    @property
    def input_dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        """The smallest unsigned dtype that holds every input word."""
        return unsigned(max(self.input_widths, default=1))

    @property
    def output_dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        """The smallest unsigned dtype that holds every output word."""
        return unsigned(max(self.output_widths, default=1))

    @cached_property
    def level(self) -> NDArray[np.int32]:
        """Level of every net: 0 for constants and inputs, else one more than the highest fan-in."""
        level = [0] * self.first_node
        for row, k in zip(self.fanin.tolist(), self.arity.tolist()):
            level.append(1 + max([level[net] for net in row[:k]]))
        return np.array(level, dtype=np.int32)

    @property
    def depth(self) -> int:
        """Tables on the longest path to an output."""
        return int(self.level[self.output_nets].max(initial=0))

    def output_words(self) -> list[tuple[Word, list[int]]]:
        """Each output word with its nets, least significant bit first."""
        nets, ends = self.output_nets.tolist(), accumulate(self.output_widths)
        return [(word, nets[end - word.width : end]) for word, end in zip(self.outputs, ends)]

    def net_names(self) -> list[str]:
        """A readable name for every net: ``0``, ``1``, ``x0[3]``, ``n7``."""
        names = ["0", "1", *bit_names(self.inputs)]
        return names + [f"n{net}" for net in range(self.first_node, self.n_nets)]


def bit_names(words: Iterable[Word]) -> list[str]:
    """One name for each bit: ``x0[3]``, or ``x0`` for a word of one bit."""
    return [w.name if w.width == 1 else f"{w.name}[{j}]" for w in words for j in range(w.width)]
