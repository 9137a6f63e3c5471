"""WebAssembly's binary format: numbers, sections, and an assembler for flat text.

The text is WebAssembly's own with one difference: it is flat, a sequence of instructions and their immediates. A memory
access may have ``offset=N``. Source of every number here: the WebAssembly core specification, version 2.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

ValueType = Literal["i32", "i64", "v128"]
VALUE_TYPES: dict[ValueType, int] = {"i32": 0x7F, "i64": 0x7E, "v128": 0x7B}
MAGIC = b"\0asm\1\0\0\0"
PAGE = 1 << 16
#: The custom section that says what wrote the module.
CUSTOM = "hardwire"
#: Instructions without immediates, and those of one index or number.
PLAIN = {
    "end": 0x0B, "select": 0x1B, "i32.eqz": 0x45, "i32.lt_u": 0x49, "i32.add": 0x6A, "i32.sub": 0x6B, "i32.shl": 0x74,
    "i32.shr_u": 0x76, "i64.lt_u": 0x54, "i64.ge_u": 0x5A, "i64.add": 0x7C, "i64.and": 0x83, "i64.or": 0x84,
    "i64.xor": 0x85, "i64.shl": 0x86, "i64.shr_u": 0x88, "i64.extend_i32_u": 0xAD,
}
INDEXED = {"br_if": 0x0D, "call": 0x10, "local.get": 0x20, "local.set": 0x21, "local.tee": 0x22}
CONSTANTS = {"i32.const": 0x41, "i64.const": 0x42}
BLOCKS = {"block": 0x02, "loop": 0x03}
#: Memory accesses: code, and the logarithm of the natural alignment.
ACCESSES = {
    "i32.load": (0x28, 2), "i64.load": (0x29, 3), "i64.load8_u": (0x31, 0), "i64.load16_u": (0x33, 1),
    "i64.load32_u": (0x35, 2), "i64.store": (0x37, 3), "i64.store8": (0x3C, 0), "i64.store16": (0x3D, 1),
    "i64.store32": (0x3E, 2),
}
#: Instructions after the prefix 0xFD. ``v128.const`` is followed by 32 hexadecimal digits, a shuffle by 16 numbers.
PREFIX = 0xFD
VECTOR_ACCESSES = {"v128.load": (0, 4), "v128.store": (11, 4)}
VECTOR_CONST, SHUFFLE = 12, 13
VECTOR = {
    "i8x16.ge_u": 44, "i16x8.ge_u": 54, "i32x4.ge_u": 64, "i64x2.ge_s": 219, "v128.not": 77, "v128.and": 78,
    "v128.andnot": 79, "v128.or": 80, "v128.xor": 81, "v128.bitselect": 82, "i8x16.add": 110, "i8x16.sub": 113,
    "i16x8.add": 142, "i16x8.sub": 145, "i32x4.add": 174, "i32x4.sub": 177, "i64x2.add": 206, "i64x2.sub": 209,
}


def unsigned(number: int) -> bytes:
    """LEB128 of a number that is not negative."""
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number])


def signed(number: int) -> bytes:
    """LEB128 of a number in two's complement."""
    octets = bytearray()
    while not -0x40 <= number < 0x40:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number & 0x7F])


def sized(content: bytes) -> bytes:
    """Bytes behind their number."""
    return unsigned(len(content)) + content


def vector(items: Iterable[bytes]) -> bytes:
    """Encoded items behind their number."""
    items = list(items)
    return unsigned(len(items)) + b"".join(items)


@dataclass(frozen=True)
class Function:
    """A function: its name, the types of its parameters, of its other locals, and its instructions without ``end``."""

    name: str
    parameters: tuple[ValueType, ...] = ()
    locals: tuple[tuple[int, ValueType], ...] = ()
    code: bytes = b""

    @property
    def body(self) -> bytes:
        """The function as the code section has it."""
        groups = vector(unsigned(count) + bytes([VALUE_TYPES[kind]]) for count, kind in self.locals if count)
        return sized(groups + self.code + bytes([PLAIN["end"]]))


def assemble(name: str, parameters: Mapping[str, ValueType], variables: Mapping[str, ValueType], text: str,
             calls: Mapping[str, int] | None = None) -> Function:
    """Assemble a function whose locals and callees have names.

    Parameters
    ----------
    name, parameters, variables
        The function's name, its parameters and its other locals, each with its type.
    text
        Instructions.
    calls
        The index of each function that it calls.
    """
    places = {local: i for i, local in enumerate((*parameters, *variables))}
    tokens, code = text.split(), bytearray()
    at = 0
    while at < len(tokens):
        word, at = tokens[at], at + 1
        if word in PLAIN:
            code.append(PLAIN[word])
        elif word in VECTOR:
            code += bytes([PREFIX]) + unsigned(VECTOR[word])
        elif word in BLOCKS:
            code += bytes([BLOCKS[word], 0x40])
        elif word in ACCESSES or word in VECTOR_ACCESSES:
            given = at < len(tokens) and tokens[at].startswith("offset=")
            code += access(word, int(tokens[at].removeprefix("offset=")) if given else 0)
            at += given
        elif word == "v128.const":
            code += bytes([PREFIX, VECTOR_CONST]) + bytes.fromhex(tokens[at])
            at += 1
        elif word == "i8x16.shuffle":
            code += bytes([PREFIX, SHUFFLE, *map(int, tokens[at : at + 16])])
            at += 16
        elif word in CONSTANTS:
            code += bytes([CONSTANTS[word]]) + signed(int(tokens[at]))
            at += 1
        else:
            operand = tokens[at]
            index = places[operand] if word.startswith("local") else (calls or {})[operand] if word == "call" \
                else int(operand)
            code += bytes([INDEXED[word]]) + unsigned(index)
            at += 1
    groups = tuple((1, kind) for kind in variables.values())
    return Function(name, tuple(parameters.values()), groups, bytes(code))


def access(instruction: str, offset: int) -> bytes:
    """A load or a store at the address on the stack plus ``offset``."""
    if instruction in ACCESSES:
        opcode, alignment = ACCESSES[instruction]
        return bytes([opcode, alignment]) + unsigned(offset)
    opcode, alignment = VECTOR_ACCESSES[instruction]
    return bytes([PREFIX, opcode, alignment]) + unsigned(offset)


@dataclass
class Module:
    """A module of one exported memory; ``encode`` is deterministic.

    Attributes
    ----------
    functions
        In the order of their indices.
    exports
        Names of the functions that are exported.
    constants
        Exported globals of type i32.
    data
        Address and bytes of what memory holds at the start.
    memory
        Bytes that memory has at least.
    origin
        What wrote the module, for its custom section.
    """

    functions: list[Function] = field(default_factory=list)
    exports: Sequence[str] = ()
    constants: Mapping[str, int] = field(default_factory=dict)
    data: Sequence[tuple[int, bytes]] = ()
    memory: int = 0
    origin: str = ""

    def add(self, function: Function) -> int:
        """Add a function; its index."""
        self.functions.append(function)
        return len(self.functions) - 1

    def encode(self) -> bytes:
        """The module's bytes."""
        signatures = list(dict.fromkeys(f.parameters for f in self.functions))
        index = {f.name: i for i, f in enumerate(self.functions)}
        exports = [_name("memory") + b"\2\0"]
        exports += [_name(name) + b"\0" + unsigned(index[name]) for name in self.exports]
        exports += [_name(name) + b"\3" + unsigned(i) for i, name in enumerate(self.constants)]
        sections = {
            1: vector(b"\x60" + vector(bytes([VALUE_TYPES[kind]]) for kind in kinds) + b"\0" for kinds in signatures),
            3: vector(unsigned(signatures.index(f.parameters)) for f in self.functions),
            5: vector([b"\0" + unsigned(-(-self.memory // PAGE))]),
            6: vector(b"\x7f\0\x41" + signed(value) + b"\x0b" for value in self.constants.values()),
            7: vector(exports),
            10: vector(f.body for f in self.functions),
            11: vector(b"\0\x41" + signed(place) + b"\x0b" + sized(content) for place, content in self.data),
        }
        custom = b"\0" + sized(_name(CUSTOM) + self.origin.encode())
        return MAGIC + b"".join(bytes([i]) + sized(content) for i, content in sections.items()) + custom


def _name(text: str) -> bytes:
    return sized(text.encode())
