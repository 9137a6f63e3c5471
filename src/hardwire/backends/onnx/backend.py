"""ONNX, opset 18: the circuit as bitwise operators over bytes that hold eight samples.

The model reads ``x`` (samples, input words) and gives ``y`` (samples, output words), codes both. It packs each input
bit of eight samples into a byte, computes a level of gates in a few operators whatever its size, and unpacks the
outputs. Metadata carry the words, their offsets and steps, the classes and the digest of the circuit.
"""

import tempfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ... import __version__
from ...circuit import Circuit
from ...circuit.formats.words import describe_words, generated_by
from ...core.bits import Codes
from ...core.errors import InputError
from ...core.extras import require
from ...core.files import write_bytes
from ..common import choose_name
from .program import Level, Program, program_of

OPSET, IR_VERSION, LANES = 18, 8, 8
#: A bank of rows is copied without its dead ones when they are more than this share of it.
DEAD = 0.3


def emit(circuit: Circuit, out_dir: str | PathLike[str], *, name: str | None = None) -> list[Path]:
    """Write ``NAME.onnx`` and return its path; ``name`` is the circuit's unless given.

    Raises
    ------
    InputError
        Where ``out_dir`` cannot be written, or the circuit has no inputs or no outputs.
    MissingToolError
        Without the package onnx.
    """
    name = choose_name(circuit, name)
    return [write_bytes(Path(out_dir) / f"{name}.onnx", to_onnx(circuit, name).SerializeToString(deterministic=True))]


def run(circuit: Circuit, codes: ArrayLike, *, main: str | PathLike[str] | None = None) -> Codes:
    """Codes or physical values ``(samples, words)`` through onnxruntime to codes ``(samples, output words)``.

    ``main`` is a ``NAME.onnx`` of this circuit that was emitted before; without it one is emitted.

    Raises
    ------
    MissingToolError
        Without onnxruntime.
    """
    codes, runtime = circuit.codes(codes), require("onnxruntime", "running ONNX")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = emit(circuit, folder, name="circuit")[0] if main is None else Path(main)
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    out: Codes = session.run(["y"], {"x": codes})[0]
    return out


def to_onnx(circuit: Circuit, name: str) -> Any:
    """The model, an ``onnx.ModelProto``."""
    if not circuit.outputs or not circuit.inputs:
        raise InputError(f"circuit {circuit.name!r} has no {'outputs' if circuit.inputs else 'inputs'}; add one before "
                         f"emitting ONNX")
    onnx = require("onnx", "writing ONNX")
    program = program_of(circuit)
    graph = _Graph(onnx)
    bank = _Bank(graph, program)
    bank.add(graph.op("Expand", graph.constant(np.zeros((1, 1), np.uint8)), _row_shape(graph)), 1)
    if program.bits:
        bank.add(_packed(graph, circuit, program), len(program.bits))
    for index, level in enumerate(program.levels):
        bank.level(index, level)
    _unpacked(graph, circuit, bank.gather(program.outputs))
    kinds = onnx.helper.np_dtype_to_tensor_dtype
    ends = [onnx.helper.make_tensor_value_info(end, kinds(dtype), ["samples", len(words)])
            for end, dtype, words in (("x", circuit.input_dtype, circuit.inputs),
                                      ("y", circuit.output_dtype, circuit.outputs))]
    made = onnx.helper.make_graph(graph.nodes, name, ends[:1], ends[1:], graph.constants)
    model = onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                                   producer_name="hardwire", producer_version=__version__,
                                   doc_string=generated_by(circuit))
    onnx.helper.set_model_props(model, {"hardwire": describe_words(circuit), "digest": circuit.digest})
    onnx.checker.check_model(model)
    return model


class _Graph:
    """Nodes and constants so far."""

    def __init__(self, onnx: ModuleType) -> None:
        self.onnx, self.nodes, self.constants = onnx, list[Any](), list[Any]()

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator; the name of its result."""
        name = f"t{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, array: NDArray[Any]) -> str:
        """Add a constant; its name."""
        name = f"c{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def cast(self, value: str, dtype: np.dtype[Any] | type) -> str:
        """Convert a tensor."""
        return self.op("Cast", value, to=self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


class _Bank:
    """The rows that later levels read, as one tensor (rows, bytes)."""

    def __init__(self, graph: _Graph, program: Program) -> None:
        self.graph, self.rows, self.value, self.next = graph, list[int](), "", 0
        self.last: dict[int, int] = dict.fromkeys((literal >> 1 for literal in program.outputs), len(program.levels))
        for index, level in reversed([*enumerate(program.levels)]):
            for pair in (*level.ands, *level.xors):
                for literal in pair:
                    self.last.setdefault(literal >> 1, index)

    def add(self, value: str, count: int) -> None:
        """Append the next ``count`` rows."""
        self.rows += range(self.next, self.next + count)
        self.next += count
        self.value = self.graph.op("Concat", self.value, value, axis=0) if self.value else value

    def gather(self, literals: Sequence[int]) -> str:
        """The values of literals, (literals, bytes)."""
        place = {row: i for i, row in enumerate(self.rows)}
        rows, negated = [place[literal >> 1] for literal in literals], [literal & 1 for literal in literals]
        value = self.graph.op("Gather", self.value, self.graph.constant(np.array(rows, np.int32)), axis=0)
        if not any(negated):
            return value
        if all(negated):
            return self.graph.op("BitwiseNot", value)
        masks = np.array(negated, np.uint8)[:, None] * np.uint8(255)
        return self.graph.op("BitwiseXor", value, self.graph.constant(masks))

    def level(self, index: int, level: Level) -> None:
        """Compute a level and append its rows."""
        live = [i for i, row in enumerate(self.rows) if self.last.get(row, -1) >= index]
        if len(live) < (1 - DEAD) * len(self.rows):
            self.value = self.graph.op("Gather", self.value, self.graph.constant(np.array(live, np.int32)), axis=0)
            self.rows = [self.rows[i] for i in live]
        made = [(self.graph.op(kind, *map(self.gather, zip(*pairs))), len(pairs))
                for kind, pairs in (("BitwiseAnd", level.ands), ("BitwiseXor", level.xors)) if pairs]
        for value, count in made:
            self.add(value, count)


def _padding(graph: _Graph) -> str:
    """How many samples are added, 1 to LANES, so that no batch is empty."""
    count = graph.op("Gather", graph.op("Shape", "x"), graph.constant(np.array([0])), axis=0)
    rest = graph.op("Mod", count, graph.constant(np.array([LANES])))
    return graph.op("Sub", graph.constant(np.array([LANES])), rest)


def _row_shape(graph: _Graph) -> str:
    """The shape of a row: 1, and the bytes of all samples."""
    count = graph.op("Gather", graph.op("Shape", "x"), graph.constant(np.array([0])), axis=0)
    rows = graph.op("Div", graph.op("Add", count, _padding(graph)), graph.constant(np.array([LANES])))
    return graph.op("Concat", graph.constant(np.array([1])), rows, axis=0)


def _packed(graph: _Graph, circuit: Circuit, program: Program) -> str:
    """The input bits that are read, (bits, bytes)."""
    kind = circuit.input_dtype if circuit.input_dtype != np.uint16 else np.dtype(np.uint32)  # runtimes do not shift it
    x = graph.cast("x", kind) if kind != circuit.input_dtype else "x"
    words, shifts = (np.array(column) for column in zip(*program.bits))
    x = graph.op("Gather", x, graph.constant(words.astype(np.int32)), axis=1)
    x = graph.op("BitShift", x, graph.constant(shifts.astype(kind)), direction="RIGHT")
    x = graph.op("BitwiseAnd", x, graph.constant(np.array([1], kind)))
    x = graph.cast(x, np.uint8) if kind != np.uint8 else x
    zeros = graph.constant(np.zeros(2, np.int64))
    pads = graph.op("Concat", zeros, _padding(graph), graph.constant(np.zeros(1, np.int64)), axis=0)
    x = graph.op("Transpose", graph.op("Pad", x, pads), perm=[1, 0])
    x = graph.op("Reshape", x, graph.constant(np.array([len(program.bits), -1, LANES])))
    weights = graph.constant((1 << np.arange(LANES, dtype=np.uint8))[:, None])
    x = graph.op("Squeeze", graph.op("MatMulInteger", x, weights), graph.constant(np.array([2])))
    return graph.cast(x, np.uint8)


def _unpacked(graph: _Graph, circuit: Circuit, bits: str) -> None:
    """The output words, from their bits (bits, bytes)."""
    count = sum(circuit.output_widths)
    y = graph.op("Unsqueeze", bits, graph.constant(np.array([2])))
    y = graph.op("BitShift", y, graph.constant(np.arange(LANES, dtype=np.uint8)), direction="RIGHT")
    y = graph.op("BitwiseAnd", y, graph.constant(np.array([1], np.uint8)))
    y = graph.op("Reshape", y, graph.constant(np.array([count, -1])))
    samples = graph.op("Gather", graph.op("Shape", "x"), graph.constant(np.array([0])), axis=0)
    y = graph.op("Slice", y, graph.constant(np.array([0])), samples, graph.constant(np.array([1])))
    y = graph.cast(graph.op("Transpose", y, perm=[1, 0]), np.uint64)
    weights, first = np.zeros((count, len(circuit.outputs)), np.uint64), 0
    for column, width in enumerate(circuit.output_widths):
        weights[first : first + width, column] = np.uint64(1) << np.arange(width, dtype=np.uint64)
        first += width
    y = graph.op("MatMul", y, graph.constant(weights))
    kind = graph.onnx.helper.np_dtype_to_tensor_dtype(circuit.output_dtype)
    graph.nodes.append(graph.onnx.helper.make_node("Cast", [y], ["y"], to=kind))
