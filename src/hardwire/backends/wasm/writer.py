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

from collections.abc import Iterable, Sequence
from itertools import count

import numpy as np

from ...circuit import FIRST, Circuit, Macro
from ...circuit.formats.words import generated_by
from ...circuit.packing import pack_in_chunks, split_sources
from ...circuit.schedule import schedule
from ...circuit.structure import MacroKind
from ...core.errors import InputError
from .binary import Function, Module, assemble
from .code import SCALAR, SIMD, Counting, Home, Lanes, Straight
from .count import BLOCK, SUMS, popcount
from .gates import Gates, gates_of, grow
from .transpose import WORK, pack, predict, unpack

#: Beside memory, in this order.
EXPORTS = ("run", "predict")
#: Macros that are loops, where they are long; the others are the circuit's gates.
LOOPS: tuple[MacroKind, ...] = ("popcount",)
#: The shortest population count that is a loop.
COUNTED = 48


def module(circuit: Circuit, *, simd: bool = True, counted: int = COUNTED) -> bytes:
    """The bytes of a module that computes ``circuit``; the same on every call.

    Parameters
    ----------
    circuit
        What to compute.
    simd
        Whether the engine has vectors of 128 bits; without them 64 samples are computed at once.
    counted
        The shortest population count that is a loop and not gates.

    Raises
    ------
    InputError
        Where the circuit has no outputs.
    """
    if not circuit.outputs:
        raise InputError(f"circuit {circuit.name!r} has no outputs; add one before emitting WebAssembly")
    return _Writer(circuit, SIMD if simd else SCALAR, counted).module().encode()


class _Writer:
    """Addresses of a module's planes, and its functions."""

    def __init__(self, circuit: Circuit, lanes: Lanes, counted: int) -> None:
        self.circuit, self.lanes = circuit, lanes
        counts = tuple(m for m in circuit.macros if m.kind != "popcount"
                       or (len(m.inputs) >= counted and len(m.outputs) > len(SUMS)))
        self.items, packed = split_sources(circuit.with_(macros=counts), macros=LOOPS)
        self.counts = [item for item in self.items if isinstance(item, Macro)]
        size = circuit.input_dtype.itemsize
        self.packing = pack_in_chunks(circuit, packed, 16 // size if lanes is SIMD else 1)
        self.inputs = WORK
        self.outputs = self._behind(self.inputs, circuit.n_input_bits)
        self.planes = self._behind(self.outputs, len(circuit.output_nets))
        self.numbers = self._behind(self.planes, self.packing.mask.size)
        self.area = self._behind(self.numbers, sum(len(m.outputs) for m in self.counts))
        longest = max((len(m.inputs) for m in self.counts), default=0)
        self.handed = self._behind(self.area, -(-longest // BLOCK) * BLOCK)

    def _behind(self, address: int, planes: int) -> int:
        return address + self.lanes.size * planes

    def module(self) -> Module:
        """The module."""
        circuit, module, calls = self.circuit, Module(exports=EXPORTS), dict[str, int]()
        counting = None
        if self.counts:
            counting = Counting(self.area, module.add(popcount(self.lanes, area=self.area)), BLOCK)
        body, encoder = self._body(counting), self._encoder()
        table = -(-max(body.end, encoder.end) // 16) * 16
        entries = self._table()
        calls |= {f.name: module.add(f) for f in (*self._packing(table), *encoder.functions, *body.functions)}
        calls["body"] = module.add(assemble("body", {}, {}, _calls(body.functions), calls))
        module.add(assemble("run", {}, {}, f"{_calls(encoder.functions)} call body", calls))
        module.add(predict(self.lanes, circuit, calls["pack"], calls["body"], calls["unpack"]))
        heap = table + -(-len(entries) // 16) * 16
        module.constants = {"inputs": self.inputs, "outputs": self.outputs, "block": 8 * self.lanes.size, "heap": heap}
        module.memory, module.data = heap + 16, [(table, entries)] if entries else []
        module.origin = generated_by(circuit)
        return module

    def _body(self, counting: Counting | None) -> Straight:
        """From the planes of packing to those of the outputs."""
        place = {net: self._behind(self.planes, row) for net, row in self.packing.row.items()}
        number = count(self.numbers, self.lanes.size)
        numbers = {net: next(number) for macro in self.counts for net in macro.outputs}
        gates = gates_of(self.items, place, self.circuit.n_nets)
        nets = zip(count(self.outputs, self.lanes.size), self.circuit.output_nets.tolist())
        return self._straight(gates, place | numbers, nets, "part", counting)

    def _encoder(self) -> Straight:
        """From the planes of input bits to those of packing."""
        circuit, first = self.circuit, self.circuit.first_node
        place = {net: self._behind(self.inputs, net - FIRST) for net in range(FIRST, first)}
        packed = sorted((row, net) for net, row in self.packing.row.items())
        nets = np.array([net for _, net in packed], dtype=np.int32)
        gates = gates_of(schedule(circuit.with_(output_nets=nets), macros=()), place, circuit.n_nets)
        return self._straight(gates, place, [(self._behind(self.planes, row), net) for row, net in packed], "encoder")

    def _straight(self, gates: Gates, place: dict[int, int], results: Iterable[tuple[int, int]], name: str,
                  counting: Counting | None = None) -> Straight:
        """The functions of gates that store nets at addresses."""
        homes: dict[int, list[Home]] = {}
        for address, net in results:
            literal = gates.literal[net]
            homes.setdefault(literal >> 1, []).append((address, bool(literal & 1)))
        return Straight(self.lanes, grow(gates.items, homes), place, homes, self.handed, name, counting=counting)

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
        return [pack(self.lanes, self.circuit, len(self.packing.word), table=table, planes=self.planes),
                unpack(self.lanes, self.circuit, planes=self.outputs)]


def _calls(functions: Sequence[Function]) -> str:
    return " ".join(f"call {f.name}" for f in functions)
