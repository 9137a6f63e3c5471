"""An emitted module executed symbolically, one literal for a plane: every operation on planes is lane-wise."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np

from ...backends.wasm import module
from ...backends.wasm.binary import Function
from ...backends.wasm.code import SCALAR, SIMD
from ...backends.wasm.count import BLOCK, SUMS, popcount
from ...backends.wasm.transpose import ENTRY, WORD_ENTRY, WORK, pack, predict, unpack
from ...circuit import Circuit
from ...circuit.aig import Aig
from ...core.errors import FormatError, InputError
from ...core.reading import read_bytes
from ..c.heads import Heads
from ..cone import cone
from .decoder import Body, Decoded, decode

#: The exported function: codes to codes, or planes to planes.
Entry = Literal["predict", "run"]
ENTRIES: tuple[Entry, ...] = ("predict", "run")
GLOBALS = ("inputs", "outputs", "block", "heap")
SIGN = 1 << 63


def read_back_wasm(circuit: Circuit, *, entry: Entry = "predict", simd: bool = True) -> Circuit:
    """Write a module for ``circuit`` and read one function of it again; ``read_module`` says how."""
    return read_module(module(circuit, simd=simd), like=circuit, entry=entry, name=f"{circuit.name}.wasm")


def read_wasm(path: str | PathLike[str], *, like: Circuit, entry: Entry = "predict") -> Circuit:
    """Read a ``.wasm`` file that ``emit`` wrote, as ``read_module`` does."""
    return read_module(read_bytes(path), like=like, entry=entry, name=Path(path).name)


def read_module(content: bytes, *, like: Circuit, entry: Entry = "predict", name: str = "module") -> Circuit:
    """Read an emitted module as a circuit with the words of ``like``.

    The whole module is decoded, and one function is executed symbolically with all that it calls. ``predict`` and the
    functions that pack samples into planes, unpack them and count planes are compared byte for byte with what the
    package writes for the addresses that the module has; they stand for what they compute, and tests hold that meaning
    against engines. All else, the table of packing and every instruction of straight-line code, is executed.

    Parameters
    ----------
    content, name
        The module, and its file for messages.
    like
        The circuit whose words are taken over. Its counts give those of the module their order and shape, which a
        proof is short with; what the module computes does not depend on it.
    entry
        ``predict``, codes to codes, or ``run``, planes to planes.

    Raises
    ------
    FormatError
        Where the module is none that ``emit`` writes, has other words, or reads what has no value.
    """
    if entry not in ENTRIES:
        raise InputError(f"entry {entry!r} is none of {', '.join(ENTRIES)}")
    return _Reader(decode(name, content), like, name).read(entry)


class _Reader:
    def __init__(self, decoded: Decoded, like: Circuit, name: str) -> None:
        self.decoded, self.like, self.name = decoded, like, name
        self.aig = Aig(like.n_input_bits)
        self.bits = list(range(2, 2 + 2 * like.n_input_bits, 2))
        self.heads = Heads(like, self.aig, self.aig.embed(like, self.bits))
        self._require(set(decoded.exports) == set(ENTRIES) and set(decoded.constants) == set(GLOBALS),
                      "it exports other things")
        self.lanes = {128: SIMD, 64: SCALAR}.get(decoded.constants["block"], SIMD)
        self._require(decoded.constants["block"] == 8 * self.lanes.size, "a block is neither 128 nor 64 samples")
        self.inputs, self.outputs, self.heap = (decoded.constants[key] for key in ("inputs", "outputs", "heap"))
        self._require(len(decoded.data) <= 1, "there is more than one table")
        self.table, self.entries = decoded.data[0] if decoded.data else (self.heap, b"")
        self._require(0 <= self.table <= self.table + len(self.entries) <= self.heap < decoded.memory,
                      "the table lies outside of its place")
        self.memory: dict[int, int] = {}
        self._open: list[int] = []
        self._counts: set[int] = set()

    def _require(self, condition: object, why: str) -> None:
        if not condition:
            raise self._error(why)

    def _error(self, why: str) -> FormatError:
        return FormatError(f"{self.name}: {why}; emit the WebAssembly again")

    def read(self, entry: Entry) -> Circuit:
        """Execute an exported function on the circuit's inputs."""
        if entry == "run":
            for k, literal in enumerate(self.bits):
                self._write(self.inputs + self.lanes.size * k, literal)
            self._call(self.decoded.exports["run"])
        else:
            packing, body, unpacking = self._predict()
            self._pack(packing)
            self._call(body)
            self._same(unpacking, unpack(self.lanes, self.like, planes=self.outputs))
        ends = range(self.outputs, self.outputs + self.lanes.size * len(self.like.output_nets), self.lanes.size)
        return cone(self.aig, [self._read(address) for address in ends], self.like)

    def _function(self, index: int) -> Body:
        self._require(index < len(self.decoded.functions), f"function {index} does not exist")
        return self.decoded.functions[index]

    def _same(self, index: int, due: Function) -> None:
        found = self._function(index)
        self._require(found.parameters == due.parameters and found.content == due.body,
                      f"function {index} is not the function {due.name} that is emitted")

    def _predict(self) -> tuple[int, int, int]:
        """The functions that ``predict`` calls: packing, the circuit itself, unpacking."""
        index = self.decoded.exports["predict"]
        calls = [number for name, number in self._function(index).code if name == "call"]
        self._require(len(calls) == 3, "predict calls other functions")
        self._same(index, predict(self.lanes, self.like, *calls))
        return calls[0], calls[1], calls[2]

    def _pack(self, index: int) -> None:
        """The planes that packing makes of a block, from the table."""
        count = len(self.entries) // (ENTRY if self.lanes is SIMD else WORD_ENTRY)
        constants = [number for name, number in self._function(index).code if name == "i32.const"]
        planes = constants[1] if len(constants) > 1 else WORK
        self._same(index, pack(self.lanes, self.like, count, table=self.table, planes=planes))
        size = self.like.input_dtype.itemsize
        at = 0
        for place, masks, thresholds in self._entries(count, size):
            self._require(place % size == 0, "the table names no word")
            for lane, (mask, threshold) in enumerate(zip(masks, thresholds, strict=True)):
                literal = self._comparison(place // size + lane, mask, threshold)
                self._write(planes + self.lanes.size * at, literal)
                at += 1

    def _entries(self, count: int, size: int) -> list[tuple[int, list[int], list[int]]]:
        """Place of the first word, masks and thresholds of each entry of the table."""
        if self.lanes is SCALAR:
            self._require(len(self.entries) == count * WORD_ENTRY, "the table has another size")
            rows = np.frombuffer(self.entries, "<u8").reshape(count, 3).tolist()
            return [(place & 0xFFFFFFFF, [mask], [threshold]) for place, mask, threshold in rows]
        self._require(len(self.entries) == count * ENTRY, "the table has another size")
        found = []
        for at in range(0, len(self.entries), ENTRY):
            mask, least = (np.frombuffer(self.entries, f"<u{size}", 16 // size, at + k).tolist() for k in (16, 32))
            found.append((int.from_bytes(self.entries[at : at + 4], "little"), mask,
                          [x ^ SIGN for x in least] if size == 8 else least))
        return found

    def _comparison(self, word: int, mask: int, threshold: int) -> int:
        """The literal of ``(word & mask) >= threshold``; of what is no word, a mask of 0 makes a constant."""
        if not threshold:
            return 1
        if word >= len(self.like.inputs) or mask >> self.like.inputs[word].width:
            self._require(mask == 0, "the table names no bits of a word")
        if mask < threshold:
            return 0
        start = sum(self.like.input_widths[:word])
        own = self.bits[start : start + self.like.inputs[word].width]
        return self.heads.at_least([x if mask >> j & 1 else 0 for j, x in enumerate(own)], threshold)

    # ------------------------------------------------------------------------------------------------ execution

    def _address(self, address: int) -> int:
        end = address + self.lanes.size
        self._require(address % self.lanes.size == 0 and address >= WORK and end <= self.table,
                      f"address {address} is none of a plane")
        return address

    def _write(self, address: int, literal: int) -> None:
        self.memory[self._address(address)] = literal

    def _read(self, address: int) -> int:
        literal = self.memory.get(self._address(address))
        if literal is None:
            raise self._error(f"address {address} is read before it has a value")
        return literal

    def _call(self, index: int) -> None:
        """Execute a function of straight-line code."""
        body, kind = self._function(index), self.lanes.kind
        self._require(not body.parameters and set(body.locals) <= {kind}, f"function {index} is no straight-line code")
        self._require(index not in self._open, f"function {index} calls itself")
        self._open.append(index)
        stack, local = list[int](), [0] * len(body.locals)
        operations: dict[str, Callable[[int, int], int]] = {
            f"{kind}.and": self.aig.and_, f"{kind}.xor": self.aig.xor,
            f"{kind}.or": lambda a, b: self.aig.and_(a ^ 1, b ^ 1) ^ 1,
            f"{kind}.andnot": lambda a, b: self.aig.and_(a, b ^ 1),
        }
        constants = {("v128.const", bytes(16)): 0, ("i64.const", 0): 0, ("i64.const", -1): 1}
        load, store, invert = f"{kind}.load", f"{kind}.store", f"{kind}.not"
        numbers = list[int]()  # addresses and arguments, beneath the planes that are stored
        for instruction in body.code:
            name, immediate = instruction
            try:
                if name == "local.get":
                    stack.append(local[immediate])
                elif name == "local.set":
                    local[immediate] = stack.pop()
                elif name == "local.tee":
                    local[immediate] = stack[-1]
                elif name == "i32.const":
                    numbers.append(immediate)
                elif name == load:
                    stack.append(self._read(numbers.pop() + immediate))
                elif name == store:
                    self._write(numbers.pop() + immediate, stack.pop())
                elif name in operations:
                    b, a = stack.pop(), stack.pop()
                    stack.append(operations[name](a, b))
                elif name == invert:
                    stack[-1] ^= 1
                elif name == "call":
                    self._require(not stack, "a function is called within an expression")
                    numbers = self._called(immediate, numbers)
                elif instruction in constants:
                    stack.append(constants[instruction])
                else:
                    self._require(False, f"{name} is no operation of straight-line code")
            except IndexError:
                raise self._error(f"function {index} is no valid code") from None
        self._require(not stack and not numbers, f"function {index} leaves values")
        self._open.pop()

    def _called(self, index: int, numbers: Sequence[int]) -> list[int]:
        """Execute a call; a function with parameters counts planes. What remains of the numbers."""
        if not self._function(index).parameters:
            self._call(index)
            return list(numbers)
        self._require(len(numbers) >= 3, "a call has too few arguments")
        *rest, end, out, out_end = numbers
        self._count(index, end, out, out_end)
        return rest

    def _count(self, index: int, end: int, out: int, out_end: int) -> None:
        size = self.lanes.size
        area = next((number for name, number in self._function(index).code if name == "i32.const"), 0)
        if index not in self._counts:
            self._same(index, popcount(self.lanes, area=area))
            self._counts.add(index)
        planes, bits = (end - area) // size, (out_end - out) // size
        self._require(planes > 0 and (end - area) % (size * BLOCK) == 0, "a count takes no whole blocks")
        self._require(bits > len(SUMS) and (out_end - out) % size == 0, "a count has too few bits")
        self._require(out_end <= area or end <= out, "a count overwrites its planes")
        operands = [self._read(address) for address in range(area, end, size)]
        number = self.heads.popcount([x for x in operands if x])
        for j, literal in enumerate([*number, *[0] * bits][:bits]):
            self._write(out + size * j, literal)
