"""WebAssembly's binary format, as far as emitted modules use it; anything else is refused."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ...backends.wasm import binary
from ...core.errors import FormatError

Item = TypeVar("Item")
#: A name of an instruction, and its immediate: an index, a number, an offset or bytes.
Instruction: TypeAlias = tuple[str, Any]

TYPES = {code: name for name, code in binary.VALUE_TYPES.items()}
PLAIN = {code: name for name, code in binary.PLAIN.items()}
INDEXED = {code: name for name, code in binary.INDEXED.items()}
CONSTANTS = {code: name for name, code in binary.CONSTANTS.items()}
BLOCKS = {code: name for name, code in binary.BLOCKS.items()}
ACCESSES = {code: (name, alignment) for name, (code, alignment) in binary.ACCESSES.items()}
VECTOR = {code: name for name, code in binary.VECTOR.items()}
VECTOR_ACCESSES = {code: (name, alignment) for name, (code, alignment) in binary.VECTOR_ACCESSES.items()}
#: Sections in the order in which they come; 0 is a custom one.
SECTIONS = (1, 3, 5, 6, 7, 10, 11)


class Body(NamedTuple):
    """A function: the types of its parameters and of its other locals, its instructions, its bytes in the section."""

    parameters: tuple[str, ...]
    locals: tuple[str, ...]
    code: list[Instruction]
    content: bytes


class Decoded(NamedTuple):
    """A module.

    Attributes
    ----------
    functions
        In the order of their indices.
    exports
        Index of each exported function.
    constants
        Value of each exported global.
    data
        Address and bytes of what memory holds at the start.
    memory
        Bytes that memory has at least.
    """

    functions: list[Body]
    exports: dict[str, int]
    constants: dict[str, int]
    data: list[tuple[int, bytes]]
    memory: int


class Stream:
    """Bytes read in order; what ends too soon or is none of the format is refused with its place."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content, self.at = name, content, 0

    def error(self, why: str) -> FormatError:
        """The refusal at this place."""
        return FormatError(f"{self.name}, byte {self.at}: {why}; emit the WebAssembly again")

    def require(self, condition: object, why: str) -> None:
        """Refuse where a condition does not hold."""
        if not condition:
            raise self.error(why)

    def take(self, count: int) -> bytes:
        """The next bytes."""
        self.require(self.at + count <= len(self.content), "the file ends too soon")
        self.at += count
        return self.content[self.at - count : self.at]

    def octet(self) -> int:
        """The next byte."""
        return self.take(1)[0]

    def unsigned(self) -> int:
        """LEB128."""
        number = shift = 0
        while True:
            octet = self.octet()
            number |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:
                break
            self.require(shift < 35, "a number is too long")
        self.require(number < 1 << 32, "a number is too large")
        return number

    def signed(self, bits: int) -> int:
        """LEB128 of a number of so many bits in two's complement."""
        number = shift = 0
        while True:
            octet = self.octet()
            number |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:
                break
            self.require(shift < bits, "a number is too long")
        number -= (octet >> 6 & 1) << shift
        self.require(-1 << (bits - 1) <= number < 1 << (bits - 1), "a number is too large")
        return number

    def expect(self, content: bytes, why: str) -> None:
        """Take these bytes."""
        self.require(self.take(len(content)) == content, why)

    def vector(self, item: Callable[[], Item]) -> list[Item]:
        """Items behind their number."""
        return [item() for _ in range(self.unsigned())]

    def text(self) -> str:
        """A name."""
        return self.take(self.unsigned()).decode("utf-8", "replace")


def decode(name: str, content: bytes) -> Decoded:
    """Decode a module; ``name`` is its file's, for messages."""
    return _Decoder(Stream(name, content)).module()


class _Decoder:
    def __init__(self, stream: Stream) -> None:
        self.s = stream

    def module(self) -> Decoded:
        s = self.s
        s.expect(binary.MAGIC, "this is no module of WebAssembly")
        readers: dict[int, Callable[[], Any]] = {
            1: lambda: s.vector(self._type), 3: lambda: s.vector(s.unsigned), 5: self._memory,
            6: lambda: s.vector(self._constant), 7: lambda: s.vector(self._export), 10: lambda: s.vector(self._body),
            11: lambda: s.vector(self._data),
        }
        found: dict[int, Any] = {}
        while s.at < len(s.content):
            section, end = s.octet(), s.unsigned()
            end += s.at
            if section == 0:
                s.require(s.text() == binary.CUSTOM and s.at <= end, "a custom section is none of ours")
                s.take(end - s.at)
                continue
            s.require(section in readers and section > max(found, default=0), f"section {section} may not be here")
            found[section] = readers[section]()
            s.require(s.at == end, f"section {section} has another size")
        s.require(set(found) == set(SECTIONS), "a section is missing")
        s.require(len(found[3]) == len(found[10]), "functions have no code")
        s.require(all(kind < len(found[1]) for kind in found[3]), "a function has no type")
        functions = [Body(found[1][kind], *rest) for kind, rest in zip(found[3], found[10], strict=True)]
        exports, constants = dict[str, int](), dict[str, int]()
        for name, kind, index in found[7]:
            s.require(name not in exports and name not in constants, f"{name} is exported twice")
            if kind == 0:
                s.require(index < len(functions), f"{name} is no function")
                exports[name] = index
            elif kind == 3:
                s.require(index < len(found[6]), f"{name} is no global")
                constants[name] = found[6][index]
            else:
                s.require((name, kind, index) == ("memory", 2, 0), f"{name} may not be exported")
        return Decoded(functions, exports, constants, found[11], found[5])

    def _type(self) -> tuple[str, ...]:
        self.s.expect(b"\x60", "a type is none of a function")
        parameters = tuple(self.s.vector(self._value_type))
        self.s.expect(b"\0", "a function has a result")
        return parameters

    def _value_type(self) -> str:
        code = self.s.octet()
        self.s.require(code in TYPES, "a type is none of i32, i64, v128")
        return TYPES[code]

    def _memory(self) -> int:
        self.s.expect(b"\1\0", "there is not one memory without a limit")
        return self.s.unsigned() * binary.PAGE

    def _constant(self) -> int:
        self.s.expect(b"\x7f\0", "a global is no constant of type i32")
        return self._address()

    def _address(self) -> int:
        self.s.expect(bytes([binary.CONSTANTS["i32.const"]]), "this is no constant")
        number = self.s.signed(32)
        self.s.expect(bytes([binary.PLAIN["end"]]), "this is no constant")
        return number

    def _export(self) -> tuple[str, int, int]:
        return self.s.text(), self.s.octet(), self.s.unsigned()

    def _data(self) -> tuple[int, bytes]:
        self.s.expect(b"\0", "data are none of memory 0")
        return self._address(), self.s.take(self.s.unsigned())

    def _body(self) -> tuple[tuple[str, ...], list[Instruction], bytes]:
        s, start = self.s, self.s.at
        end = s.unsigned()
        end += s.at
        groups = s.vector(lambda: (s.unsigned(), self._value_type()))
        s.require(sum(count for count, _ in groups) <= 50_000, "a function has too many locals")
        code: list[Instruction] = []
        depth = 1
        while depth:
            code.append(self._instruction())
            depth += (code[-1][0] in binary.BLOCKS) - (code[-1][0] == "end")
        s.require(s.at == end, "a function has another size")
        return tuple(kind for count, kind in groups for _ in range(count)), code[:-1], s.content[start:end]

    def _instruction(self) -> Instruction:
        s = self.s
        code = s.octet()
        if code == binary.PREFIX:
            return self._vector_instruction()
        if code in PLAIN:
            return PLAIN[code], None
        if code in INDEXED:
            return INDEXED[code], s.unsigned()
        if code in CONSTANTS:
            return CONSTANTS[code], s.signed(int(CONSTANTS[code][1:3]))
        if code in ACCESSES:
            return self._access(*ACCESSES[code])
        s.require(code in BLOCKS, f"instruction {code:#x} is none that is emitted")
        s.expect(b"\x40", "a block has a result")
        return BLOCKS[code], None

    def _vector_instruction(self) -> Instruction:
        s = self.s
        code = s.unsigned()
        if code in VECTOR_ACCESSES:
            return self._access(*VECTOR_ACCESSES[code])
        if code == binary.VECTOR_CONST:
            return "v128.const", s.take(16)
        if code == binary.SHUFFLE:
            return "i8x16.shuffle", s.take(16)
        s.require(code in VECTOR, f"vector instruction {code} is none that is emitted")
        return VECTOR[code], None

    def _access(self, name: str, alignment: int) -> Instruction:
        self.s.require(self.s.octet() == alignment, "an access has another alignment")
        return name, self.s.unsigned()
