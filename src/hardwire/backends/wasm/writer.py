"""A circuit as a module of WebAssembly.

What the module exports; every address and number is a global of type i32:

``run()``
    Planes to planes. Bit ``s`` of plane ``k`` at ``inputs`` is input bit ``k`` of sample ``s``: the words' bits in
    order, least significant first. The planes at ``outputs`` are the output bits. A plane has ``block`` bits.
``predict(input, output, samples)``
    Codes to codes, sample after sample, in memory from ``heap`` on. Whole blocks are read: memory must reach to the
    end of the last one and 16 bytes further. Exactly ``samples`` codes of each output word are written.
``memory``, ``inputs``, ``outputs``, ``block``, ``heap``
    The memory, and what is said above.
"""

from collections import defaultdict

import numpy as np

from ...circuit import FIRST, Circuit
from ...circuit.formats.words import generated_by
from ...circuit.packing import pack_in_chunks, split_sources
from ...circuit.schedule import schedule
from ...core.errors import InputError
from .binary import Function, Module, assemble
from .code import SCALAR, SIMD, Lanes, Straight, loaded, stored
from .gates import gates_of, grow
from .transpose import pack_vectors, pack_words, unpack

#: Beside memory, in this order.
EXPORTS = ("run", "predict")
#: Where the planes of the input begin; below is room to work.
START = 256


def module(circuit: Circuit, *, simd: bool = True) -> bytes:
    """The bytes of a module that computes ``circuit``; the same on every call.

    Parameters
    ----------
    circuit
        What to compute.
    simd
        Whether the engine has vectors of 128 bits; without them 64 samples are computed at once.

    Raises
    ------
    InputError
        Where the circuit has no outputs.
    """
    if not circuit.outputs:
        raise InputError(f"circuit {circuit.name!r} has no outputs; add one before emitting WebAssembly")
    return _Writer(circuit, SIMD if simd else SCALAR).module().encode()


class _Writer:
    """Addresses of a module's planes, and its functions."""

    def __init__(self, circuit: Circuit, lanes: Lanes) -> None:
        self.circuit, self.lanes = circuit, lanes
        self.items, packed = split_sources(circuit, macros=())
        size = circuit.input_dtype.itemsize
        self.packing = pack_in_chunks(circuit, packed, 16 // size if lanes is SIMD else 1)
        self.sources = dict(sorted(self.packing.row.items()))
        self.inputs = START
        self.outputs = self.inputs + lanes.size * circuit.n_input_bits
        self.planes = self.outputs + lanes.size * len(circuit.output_nets)
        self.handed = self.planes + lanes.size * self.packing.mask.size

    def module(self) -> Module:
        """The module."""
        lanes, circuit = self.lanes, self.circuit
        body, end = self._body()
        encoder, encoder_end = self._encoder()
        table = -(-max(end, encoder_end) // 16) * 16
        entries = self._table()
        module = Module(exports=EXPORTS, data=[(table, entries)] if entries else [])
        calls = {f.name: module.add(f) for f in (*self._packing(table), *encoder, *body)}
        run = [f"call {f.name}" for f in body]
        calls["body"] = module.add(assemble("body", {}, {}, " ".join(run), calls))
        module.add(assemble("run", {}, {}, " ".join([*(f"call {f.name}" for f in encoder), "call body"]), calls))
        module.add(self._predict(calls))
        heap = table + -(-len(entries) // 16) * 16
        module.constants = {"inputs": self.inputs, "outputs": self.outputs, "block": 8 * lanes.size, "heap": heap}
        module.memory = heap + 16
        module.custom = {"hardwire": generated_by(circuit).encode()}
        return module

    def _body(self) -> tuple[list[Function], int]:
        """From the planes of packing to those of the outputs."""
        place = {net: self.planes + self.lanes.size * row for net, row in self.packing.row.items()}
        gates = gates_of(self.items, self.sources, self.circuit.n_nets)
        homes: dict[int, list[tuple[int, bool]]] = defaultdict(list)
        for i, net in enumerate(self.circuit.output_nets.tolist()):
            literal = gates.literal[net]
            homes[literal >> 1].append((self.outputs + i * self.lanes.size, bool(literal & 1)))
        code = Straight(self.lanes, grow(gates.gates, homes), place, homes, self.handed, "part")
        copies = self._copies("copy", homes, place, self.circuit.n_nets)
        return [*code.functions, *copies], code.end

    def _encoder(self) -> tuple[list[Function], int]:
        """From the planes of input bits to those of packing."""
        circuit, first = self.circuit, self.circuit.first_node
        place = {net: self.inputs + self.lanes.size * (net - FIRST) for net in range(FIRST, first)}
        nets = np.array(list(self.sources), dtype=np.int32)
        items = schedule(circuit.with_(output_nets=nets), macros=())
        gates = gates_of(items, range(FIRST, first), circuit.n_nets)
        homes: dict[int, list[tuple[int, bool]]] = defaultdict(list)
        for net, row in self.sources.items():
            literal = gates.literal[net]
            homes[literal >> 1].append((self.planes + self.lanes.size * row, bool(literal & 1)))
        code = Straight(self.lanes, grow(gates.gates, homes), place, homes, self.handed, "encoder")
        return [*code.functions, *self._copies("encoder_copy", homes, place, circuit.n_nets)], code.end

    def _copies(self, name: str, homes: dict[int, list[tuple[int, bool]]], place: dict[int, int], fresh: int
                ) -> list[Function]:
        """A function that stores what no gate computes: constants and planes that are there before."""
        code = b""
        for net, addresses in homes.items():
            if net >= fresh:
                continue
            for address, inverted in addresses:
                value = loaded(self.lanes, place[net]) if net else self.lanes.operations["zero"]
                code += stored(self.lanes, value + self.lanes.operations["not"] * inverted, address)
        return [Function(name, code=code)] if code else []

    def _table(self) -> bytes:
        p, size = self.packing, self.circuit.input_dtype.itemsize
        if self.lanes is SCALAR:
            rows = np.stack([x.ravel().astype(np.uint64) for x in (p.word * size, p.mask, p.threshold)], 1)
            return rows.astype("<u8").tobytes()
        sign = np.uint64(1 << 63) if size == 8 else p.threshold.dtype.type(0)
        little = p.mask.dtype.newbyteorder("<")
        return b"".join(
            (int(word) * size).to_bytes(16, "little") + mask.astype(little).tobytes() + least.astype(little).tobytes()
            for word, mask, least in zip(p.word, p.mask, p.threshold ^ sign))

    def _packing(self, table: int) -> list[Function]:
        circuit = self.circuit
        words, size, chunks = len(circuit.inputs), circuit.input_dtype.itemsize, len(self.packing.word)
        if not chunks:
            moves = assemble("pack", {"input": "i32"}, {}, "")
        elif self.lanes is SIMD:
            moves = pack_vectors(words, size, chunks, table=table, turn=0, planes=self.planes)
        else:
            moves = pack_words(words, size, chunks, table=table, planes=self.planes)
        return [moves, unpack(self.lanes, circuit.output_widths, circuit.output_dtype.itemsize, planes=self.outputs)]

    def _predict(self, calls: dict[str, int]) -> Function:
        block = 8 * self.lanes.size
        step_in = block * len(self.circuit.inputs) * self.circuit.input_dtype.itemsize
        step_out = block * len(self.circuit.outputs) * self.circuit.output_dtype.itemsize
        return assemble("predict", dict.fromkeys(("input", "output", "samples"), "i32"), {}, f"""
            block
                loop
                    local.get samples i32.eqz br_if 1
                    local.get input call pack
                    call body
                    local.get output
                    local.get samples i32.const {block} local.get samples i32.const {block} i32.lt_u select
                    call unpack
                    local.get samples i32.const {block} i32.lt_u br_if 1
                    local.get input i32.const {step_in} i32.add local.set input
                    local.get output i32.const {step_out} i32.add local.set output
                    local.get samples i32.const {block} i32.sub local.set samples
                    i32.const 1 br_if 0
                end
            end""", calls)
