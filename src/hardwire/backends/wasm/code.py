"""Straight-line code: trees in functions of bounded size, over planes that lie in memory."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from ..c.plan import Slots
from . import binary
from .binary import Function, ValueType, access, unsigned
from .gates import Count, Tree

#: Where a plane is to be stored, and whether inverted.
Home: TypeAlias = tuple[int, bool]
#: Operations of a function. Engines compile longer ones slowly; shorter ones move more planes through memory.
CHUNK = 1000
ZERO = bytes([binary.CONSTANTS["i32.const"], 0])
GET, SET, TEE = (bytes([binary.INDEXED[name]]) for name in ("local.get", "local.set", "local.tee"))


@dataclass(frozen=True)
class Lanes:
    """What a plane is to the machine.

    Attributes
    ----------
    kind
        The type of a plane.
    size
        Its bytes.
    operations
        The code of each operation of trees, of ``not`` and of ``zero``.
    """

    kind: ValueType
    size: int
    operations: Mapping[str, bytes]


def _vector(name: str) -> bytes:
    return bytes([binary.PREFIX]) + unsigned(binary.VECTOR[f"v128.{name}"])


def _scalar(name: str) -> bytes:
    return bytes([binary.PLAIN[f"i64.{name}"]])


#: 128 samples at once, and 64 where an engine has no SIMD.
SIMD = Lanes("v128", 16, {name: _vector(name) for name in ("and", "andnot", "or", "xor", "not")}
             | {"zero": bytes([binary.PREFIX, binary.VECTOR_CONST, *bytes(16)])})
_NOT = bytes([binary.CONSTANTS["i64.const"]]) + binary.signed(-1) + _scalar("xor")
SCALAR = Lanes("i64", 8, {name: _scalar(name) for name in ("and", "or", "xor")}
               | {"not": _NOT, "andnot": _NOT + _scalar("and"), "zero": bytes([binary.CONSTANTS["i64.const"], 0])})


@dataclass(frozen=True)
class Counting:
    """Where population counts find their planes and leave their numbers.

    Attributes
    ----------
    area
        Address of the planes of a count.
    call
        Index of the function that counts.
    block
        It takes a multiple of so many planes.
    """

    area: int
    call: int
    block: int


class Straight:
    """The functions of trees and counts, in order.

    Parameters
    ----------
    lanes
        What a plane is.
    items
        What they compute, operands first.
    place
        The address of each plane that is there before, and of those of counts; grows by those that functions hand on.
    homes
        Addresses where a net is to be stored, and whether inverted.
    base
        Address of the planes that functions hand on.
    name
        Of the functions, which are numbered.
    counting
        For items that are counts.
    """

    def __init__(self, lanes: Lanes, items: Sequence[Tree | Count], place: dict[int, int],
                 homes: Mapping[int, Sequence[Home]], base: int, name: str, *, counting: Counting | None = None,
                 chunk: int = CHUNK) -> None:
        self.lanes, self.items, self.place, self.base, self.counting = lanes, items, place, base, counting
        self.homes = defaultdict(list, {net: [*addresses] for net, addresses in homes.items()})
        self.slots, self.functions = Slots(), list[Function]()
        self._slot: dict[int, int] = {}
        self._copied = self._count_homes()
        self._last = {net: i for i, item in enumerate(items) for net in self._reads(i, item)}
        for number, (begin, end) in enumerate(_cut(items, chunk)):
            self.functions.append(self._function(f"{name}{number}", begin, end))
        copies = self._copies()
        self.functions += [Function(f"{name}_copies", code=copies)] if copies else []

    @property
    def end(self) -> int:
        """The address behind the planes that functions hand on."""
        return self.base + self.lanes.size * self.slots.count

    def _count_homes(self) -> dict[int, list[tuple[int, int]]]:
        """Store what is computed since the count before in the area of the next; the rest is copied before it."""
        copied: dict[int, list[tuple[int, int]]] = {}
        since: set[int] = set()
        for i, item in enumerate(self.items):
            if isinstance(item, Tree):
                since.add(item.net)
            elif self.counting:
                copied[i] = []
                padded = [*item.literals, *[0] * (-len(item.literals) % self.counting.block)]
                for j, literal in enumerate(padded):
                    address = self.counting.area + self.lanes.size * j
                    if literal >> 1 in since:
                        self.homes[literal >> 1].append((address, bool(literal & 1)))
                    else:
                        copied[i].append((address, literal))
                since.clear()
        return copied

    def _reads(self, i: int, item: Tree | Count) -> list[int]:
        return item.inputs if isinstance(item, Tree) else [literal >> 1 for _, literal in self._copied[i]]

    def _function(self, name: str, begin: int, end: int) -> Function:
        code, self._uses, self._local, self._locals = bytearray(), Counter[int](), dict[int, int](), Slots()
        for i in range(begin, end):
            self._uses.update(net for net in self._reads(i, self.items[i]) if net)
        for i in range(begin, end):
            item = self.items[i]
            if isinstance(item, Count):
                code += self._count(i, item)
                self._release(i)
                continue
            value = b"".join([self._read(x) if isinstance(x, int) else self.lanes.operations[x] for x in item.program])
            self._release(i)
            code += self._store(item.net, value, handed_on=self._last.get(item.net, -1) >= end)
        return Function(name, locals=((self._locals.count, self.lanes.kind),), code=bytes(code))

    def _release(self, i: int) -> None:
        for net in set(self._reads(i, self.items[i])):
            if self._last[net] == i and net in self._slot:
                self.slots.give(self._slot.pop(net))

    def _read(self, net: int) -> bytes:
        """Push a plane; one that this function reads again is kept in a local variable."""
        if not net:
            return self.lanes.operations["zero"]
        self._uses[net] -= 1
        local = self._local.get(net)
        if local is not None:
            if not self._uses[net]:
                self._locals.give(self._local.pop(net))
            return GET + unsigned(local)
        load = loaded(self.lanes, self.place[net])
        return load + TEE + unsigned(self._take_local(net)) if self._uses[net] else load

    def _take_local(self, net: int) -> int:
        self._local[net] = self._locals.take()
        return self._local[net]

    def _store(self, net: int, value: bytes, *, handed_on: bool) -> bytes:
        homes = [*self.homes.get(net, ())]
        if handed_on:
            self._slot[net] = self.slots.take()
            self.place[net] = self.base + self.lanes.size * self._slot[net]
            homes.append((self.place[net], False))
        if not self._uses[net] and len(homes) == 1:
            return self._into(value, *homes[0])
        local = self._take_local(net)
        text = value + SET + unsigned(local) + b"".join(self._into(GET + unsigned(local), *home) for home in homes)
        if not self._uses[net]:
            self._locals.give(self._local.pop(net))
        return text

    def _into(self, value: bytes, address: int, inverted: bool) -> bytes:
        return stored(self.lanes, value + self.lanes.operations["not"] * inverted, address)

    def _count(self, i: int, item: Count) -> bytes:
        c, size, out = self.counting, self.lanes.size, self.place[item.outputs[0]]
        if c is None:
            raise ValueError("counts need a place")
        code = b"".join(self._into(self._read(literal >> 1), address, bool(literal & 1))
                        for address, literal in self._copied[i])
        end = c.area + size * -(-len(item.literals) // c.block) * c.block
        for number in (end, out, out + size * len(item.outputs)):
            code += bytes([binary.CONSTANTS["i32.const"]]) + binary.signed(number)
        return code + bytes([binary.INDEXED["call"]]) + unsigned(c.call)

    def _copies(self) -> bytes:
        """Store what no tree computes: constants, and planes that are there before."""
        trees = {item.net for item in self.items if isinstance(item, Tree)}
        code = b""
        for net, addresses in self.homes.items():
            for address, inverted in addresses if net not in trees else ():
                value = loaded(self.lanes, self.place[net]) if net else self.lanes.operations["zero"]
                code += self._into(value, address, inverted)
        return code


def stored(lanes: Lanes, value: bytes, address: int) -> bytes:
    """Code that stores the plane that ``value`` pushes."""
    return ZERO + value + access(f"{lanes.kind}.store", address)


def loaded(lanes: Lanes, address: int) -> bytes:
    """Code that pushes a plane."""
    return ZERO + access(f"{lanes.kind}.load", address)


def _cut(items: Sequence[Tree | Count], chunk: int) -> list[tuple[int, int]]:
    """Begin and end of the items of each function; a count ends one."""
    cuts, size = [0], 0
    for i, item in enumerate(items, 1):
        size += len(item.program) // 2 if isinstance(item, Tree) else chunk
        if size >= chunk:
            cuts.append(i)
            size = 0
    return list(pairwise(cuts if cuts[-1] == len(items) else [*cuts, len(items)]))
