"""What the page of a logic run carries so that a browser runs the circuit: the circuit, samples, what they mean."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ..core.gates import GATES
from ..runs.record import STAGES

Integers = NDArray[np.integer[Any]]

#: Bytes of the page's payload at most, as text; the rest of a page is under 700 kB.
LIMIT = 4_200_000
#: Scripts in the order in which they need each other.
SCRIPTS = ("inflate", "payload", "engine", "graph", "wasm", "canvas", "lamps", "cone", "pen", "inputs", "main")
_FOLDER = Path(__file__).with_name("page")


@dataclass(frozen=True, eq=False)
class Graph:
    """A circuit as arrays: nets 0 and 1 are constants, then the input words' bits, then one net for each node.

    Attributes
    ----------
    inputs
        (name, width, offset, step) of each input word.
    outputs
        (name, width) of each output word.
    arity, table, stage : arrays (nodes,)
    operands : array (sum of arities,)
        Nets, the operands of each node behind each other.
    output_nets
        Nets of the output words' bits.
    votes : array (classes, bits)
        Nets of each class's count; without rows where they are not known.
    level : array (nets,)
        0 of inputs and constants, else one more than the highest operand's.
    """

    inputs: Sequence[tuple[str, int, float, float]]
    outputs: Sequence[tuple[str, int]]
    arity: Integers
    table: NDArray[np.uint64]
    stage: Integers
    operands: Integers
    output_nets: Integers
    votes: Integers
    level: Integers

    @cached_property
    def first_node(self) -> int:
        """The net of node 0."""
        return 2 + sum(word[1] for word in self.inputs)

    @cached_property
    def begin(self) -> NDArray[np.int64]:
        """Where each node's operands begin, and the end."""
        return np.concatenate([[0], np.cumsum(self.arity, dtype=np.int64)])

    @cached_property
    def live(self) -> NDArray[np.bool_]:
        """Which nets an output depends on."""
        live = np.zeros(self.first_node + len(self.arity), dtype=bool)
        live[self.output_nets] = True
        begin, operands = self.begin.tolist(), self.operands
        for node in range(len(self.arity) - 1, -1, -1):
            if live[self.first_node + node]:
                live[operands[begin[node] : begin[node + 1]]] = True
        return live

    @cached_property
    def fan_out(self) -> NDArray[np.int64]:
        """How many live nodes and output bits read each net."""
        reading = np.repeat(self.live[self.first_node :], self.arity)
        count = np.bincount(self.operands[reading], minlength=len(self.live))
        return count + np.bincount(self.output_nets, minlength=len(self.live))

    def input_reads(self) -> NDArray[np.int64]:
        """How often live gates of network and head read each input word, through the encoder or its bits themselves."""
        word = np.repeat(np.arange(len(self.inputs)), [width for _, width, *_ in self.inputs]).tolist()
        support: dict[int, frozenset[int]] = {net: frozenset([w]) for net, w in enumerate(word, start=2)}
        reads = np.zeros(len(self.inputs), np.int64)
        begin, operands, encoder = self.begin.tolist(), self.operands.tolist(), STAGES.index("encoder")
        for node in np.flatnonzero(self.live[self.first_node :]).tolist():
            read = [support.get(net, frozenset()) for net in operands[begin[node] : begin[node + 1]]]
            if self.stage[node] == encoder:
                support[self.first_node + node] = frozenset().union(*read)
            else:
                for words in read:
                    reads[list(words)] += 1
        return reads

    def net_name(self, net: int) -> str:
        """``n17`` of a node; the word and bit of an input."""
        if net < 2 or net >= self.first_node:
            return f"constant {net}" if net < 2 else f"n{net}"
        ends = np.cumsum([width for _, width, *_ in self.inputs])
        word = int(np.searchsorted(ends, net - 2, side="right"))
        name, width, *_ = self.inputs[word]
        return name if width == 1 else f"{name}[{net - 2 - int(ends[word]) + width}]"

    def gate_name(self, net: int) -> str:
        """The gate's name; of a wider table its number of operands."""
        if net < self.first_node:
            return "input"
        k, table = int(self.arity[net - self.first_node]), int(self.table[net - self.first_node])
        return GATES[table if k == 2 else table * 5 & 15].name if k <= 2 else f"table of {k}"

    def stage_name(self, net: int) -> str:
        """The stage that the node belongs to."""
        return "" if net < self.first_node else STAGES[self.stage[net - self.first_node]]

    def critical_path(self) -> list[int]:
        """Nets of a longest path, from an input bit to an output."""
        if not len(self.output_nets):
            return []
        net = int(self.output_nets[np.argmax(self.level[self.output_nets])])
        path = [net]
        while net >= self.first_node:
            node = net - self.first_node
            below = self.operands[self.begin[node] : self.begin[node + 1]]
            net = int(below[np.argmax(self.level[below])])
            path.append(net)
        return path[::-1]


@dataclass(frozen=True, eq=False)
class Carried:
    """Test samples that the page carries.

    Attributes
    ----------
    codes : array (samples, input words)
    truth : array (samples,) or (samples, outputs)
        True class; or true targets or labels.
    answers : array (samples, output words)
        The packed engine's.
    rows : array (samples,)
        Number of each among the test samples.
    total
        Test samples that there are.
    """

    codes: Integers
    truth: NDArray[Any]
    answers: Integers
    rows: Integers
    total: int

    def first(self, count: int) -> "Carried":
        """So many of the samples, evenly spaced."""
        kept = spread(len(self.rows), count)
        return replace(self, codes=self.codes[kept], truth=self.truth[kept], answers=self.answers[kept],
                       rows=self.rows[kept])


@dataclass(frozen=True, eq=False)
class Instrument:
    """A circuit with samples, and what its words mean.

    Attributes
    ----------
    task
        ``classify``, ``regress`` or ``multilabel``.
    classes
        Names of classes, targets or labels.
    meaning
        Of output words that are no class index: name, word, and of targets bias and scale.
    shape : (channels, height, width), optional
        Of images.
    wasm
        The circuit as a WebAssembly module with 128-bit SIMD, where there is one.
    """

    graph: Graph
    task: str
    classes: Sequence[str]
    meaning: Sequence[Mapping[str, Any]]
    shape: tuple[int, int, int] | None
    samples: Carried
    wasm: bytes = b""


@dataclass(frozen=True)
class Payload:
    """The instrument as text of a page: base64 of zlib data, their size, and what was left out."""

    text: Markup
    size: int
    samples: int
    left_out: tuple[str, ...] = ()


def spread(total: int, count: int) -> NDArray[np.int64]:
    """``count`` of ``total`` numbers from 0, evenly spaced, each once."""
    return np.unique(np.linspace(0, max(0, total - 1), min(count, total)).round().astype(np.int64))


def of_image(instrument: Instrument) -> bool:
    """Whether the circuit reads every pixel of an image, each as one word."""
    return instrument.shape is not None and int(np.prod(instrument.shape)) == len(instrument.graph.inputs)


def packed(instrument: Instrument, limit: int = LIMIT) -> Payload | None:
    """Pack the instrument within ``limit`` bytes: without WebAssembly, then with fewer samples; None where none fit."""
    left_out: list[str] = []
    if instrument.wasm and len(_pack(instrument)[0]) > limit:
        instrument = replace(instrument, wasm=b"")
        left_out.append("the circuit as WebAssembly")
    most = len(instrument.samples.rows)
    for count in (most, most // 2, most // 4, most // 8, most // 16, 0):
        reduced = instrument if count == most else replace(instrument, samples=instrument.samples.first(count))
        text, size = _pack(reduced)
        if len(text) <= limit:
            if count < most:
                left_out.append(f"{most - count:,} of {most:,} chosen samples")
            return Payload(Markup(text), size, count, tuple(left_out))
    return None


def scripts() -> Markup:
    """All scripts of the page as one, whose names no other script sees."""
    texts = "\n".join((_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    return Markup('(() => {\n"use strict";\n' + texts + "\n})();")


def _pack(instrument: Instrument) -> tuple[str, int]:
    """The payload as text, and its size before compression; ``page/payload.js`` reads it."""
    graph, samples = instrument.graph, instrument.samples
    nets = np.repeat(graph.first_node + np.arange(len(graph.arity)), graph.arity)
    high = graph.table >> np.uint64(32)
    arrays = {
        "arity": graph.arity, "stage": graph.stage, "low": graph.table & np.uint64(0xFFFFFFFF),
        "high": high if high.any() else high[:0], "distance": nets - graph.operands, "outputNets": graph.output_nets,
        "voteNets": graph.votes.ravel(), "codes": samples.codes.ravel(), "rows": samples.rows,
        "answers": samples.answers.ravel(),
    }  # fmt: skip
    planes = {name: _planes(values) for name, values in arrays.items()}
    header = {
        "task": instrument.task, "classes": list(instrument.classes), "meaning": list(instrument.meaning),
        "shape": instrument.shape, "inputs": [list(word) for word in graph.inputs],
        "outputs": [list(word) for word in graph.outputs], "votes": len(graph.votes), "total": samples.total,
        "gates": [gate.name for gate in GATES],
        "truth": samples.truth.ravel().tolist(), "wasm": len(instrument.wasm),
        "arrays": [[name, arrays[name].size, len(data) // max(1, arrays[name].size)] for name, data in planes.items()],
    }  # fmt: skip
    text = json.dumps(header, separators=(",", ":")).encode()
    data = len(text).to_bytes(4, "little") + text + b"".join(planes.values()) + instrument.wasm
    return base64.b64encode(zlib.compress(data, 9)).decode(), len(data)


def _planes(values: NDArray[Any]) -> bytes:
    """Lowest bytes of all values, then the next ones, as many as the largest value has."""
    width = (int(values.max(initial=0)).bit_length() + 7) // 8
    return np.ascontiguousarray(values).astype("<u8").view(np.uint8).reshape(-1, 8)[:, :width].T.tobytes()
