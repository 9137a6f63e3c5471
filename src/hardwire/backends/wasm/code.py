"""Straight-line code: trees in functions of bounded size, over planes that lie in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..c.plan import Slots
from . import binary
from .binary import Function, ValueType, access, unsigned
from .gates import Tree

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


class Straight:
    """The functions of trees, in order.

    Parameters
    ----------
    lanes
        What a plane is.
    trees
        What they compute, operands first.
    place
        The address of each plane that is there before; grows by those that functions hand on.
    homes
        Addresses where a tree's net is to be stored, and whether inverted.
    base
        Address of the planes that functions hand on.
    name
        Of the functions, which are numbered.
    """

    def __init__(self, lanes: Lanes, trees: Sequence[Tree], place: dict[int, int],
                 homes: Mapping[int, Sequence[tuple[int, bool]]], base: int, name: str, *, chunk: int = CHUNK) -> None:
        self.lanes, self.trees, self.place, self.homes, self.base = lanes, trees, place, homes, base
        self.slots, self.functions = Slots(), list[Function]()
        self._slot: dict[int, int] = {}
        self._last = {net: i for i, tree in enumerate(trees) for net in tree.inputs}
        for number, (begin, end) in enumerate(_cut(trees, chunk)):
            self.functions.append(self._function(f"{name}{number}", begin, end))

    @property
    def end(self) -> int:
        """The address behind the planes that functions hand on."""
        return self.base + self.lanes.size * self.slots.count

    def _function(self, name: str, begin: int, end: int) -> Function:
        code, self._uses, self._local, self._locals = bytearray(), Counter[int](), dict[int, int](), Slots()
        for tree in self.trees[begin:end]:
            self._uses.update(tree.inputs)
        for i in range(begin, end):
            tree = self.trees[i]
            value = b"".join(self._read(x) if isinstance(x, int) else self.lanes.operations[x] for x in tree.program)
            for net in set(tree.inputs):
                if self._last[net] == i and net in self._slot:
                    self.slots.give(self._slot.pop(net))
            code += self._store(tree.net, value, handed_on=self._last.get(tree.net, -1) >= end)
        return Function(name, locals=((self._locals.count, self.lanes.kind),), code=bytes(code))

    def _read(self, net: int) -> bytes:
        """Push a plane; one that this function reads again is kept in a local variable."""
        self._uses[net] -= 1
        local = self._local.get(net)
        if local is not None:
            if not self._uses[net]:
                self._locals.give(self._local.pop(net))
            return GET + unsigned(local)
        load = ZERO + access(f"{self.lanes.kind}.load", self.place[net])
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


def stored(lanes: Lanes, value: bytes, address: int) -> bytes:
    """Code that stores the plane that ``value`` pushes."""
    return ZERO + value + access(f"{lanes.kind}.store", address)


def loaded(lanes: Lanes, address: int) -> bytes:
    """Code that pushes a plane."""
    return ZERO + access(f"{lanes.kind}.load", address)


def _cut(trees: Sequence[Tree], chunk: int) -> list[tuple[int, int]]:
    """Begin and end of the trees of each function."""
    cuts, size = [0], 0
    for i, tree in enumerate(trees):
        cost = len(tree.program) // 2
        if size and size + cost > chunk:
            cuts.append(i)
            size = 0
        size += cost
    return list(zip(cuts, [*cuts[1:], len(trees)])) if trees else []
