"""The straight-line C of a circuit's two entry points: 64 samples with one bit of each, and one sample."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from ...circuit import FALSE, FIRST, TRUE, Circuit, Macro
from ...circuit.schedule import Node, schedule
from ...core.bits import unsigned
from ..common import lut
from .plan import Plan, Slots, plan

#: Of a net: the input word's index or the macro's outputs, the bit's place in it, and its width.
Origin = tuple[int | tuple[int, ...], int, int]


@dataclass
class Code:
    """The code of one entry point: functions of gates, statements of the entry point itself, sizes of its arrays."""

    prefix: str
    parameters: dict[str, str]
    functions: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    index: list[int] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    slots: int = 0
    scratch: int = 0
    numbers: int = 0
    number: np.dtype[np.unsignedinteger[Any]] = field(default_factory=lambda: np.dtype(np.uint8))

    def function(self, lines: list[str]) -> None:
        """Close a function over ``lines`` and call it; it takes the parameters that its text mentions."""
        if not lines:
            return
        body = "\n".join(f"    {line}" for line in lines)
        used = [p for p in self.parameters if re.search(rf"\b{p}\b", body)]
        name = f"{self.prefix}_part{len(self.functions)}"
        signature = ", ".join(self.parameters[p] + p for p in used) or "void"
        self.functions.append(f"APART static void {name}({signature})\n{{\n{body}\n}}\n")
        self.calls.append(f"{name}({', '.join(used)});")

    def table(self, numbers: Sequence[int]) -> str:
        """Append to the index table; the place of the first one as C text."""
        self.index += numbers
        return f"{self.prefix}_index + {len(self.index) - len(numbers)}"


def _definition(p: Plan, net: int, kind: str, value: str, slot: Callable[[int], int]) -> list[str]:
    """Statements that define a net: a local variable, a slot, or both."""
    if net not in p.far:
        return [f"{kind} n{net} = {value};"]
    if net not in p.near:
        return [f"s[{slot(net)}] = {value};"]
    return [f"{kind} n{net} = {value};", f"s[{slot(net)}] = n{net};"]


# ------------------------------------------------------------------------------------------ 64 samples, one bit of each


class Wide:
    """Constants, then input planes, are the first slots, these nets their own slot. Counts and arg-max are calls."""

    def __init__(self, circuit: Circuit) -> None:
        outputs = circuit.output_nets.tolist()
        items = schedule(circuit, macros=("popcount", "argmax"))
        self.plan = plan(items, outputs, apart=True)
        self.code = Code("wide", {"s": "uint64_t *"})
        self.slots = Slots(circuit.first_node)
        self.place = {net: net for net in range(circuit.first_node)}
        self.local: set[int] = set()
        for net in range(FIRST, circuit.first_node):
            if net not in self.plan.last:
                self.slots.give(net)
        for _, group in groupby(range(len(items)), self.plan.chunk.__getitem__):
            self.local = set()
            lines = [line for i in group for line in self._item(i)]
            self.code.function(lines)
        self._outputs(circuit, [self.place[net] for net in outputs])
        self.code.slots = self.slots.count

    def _item(self, i: int) -> list[str]:
        item = self.plan.items[i]
        if isinstance(item, Macro):
            self._macro(i, item)
            return []
        value = lut(item.table, [self._bit(net) for net in item.inputs], false="UINT64_C(0)", true="~UINT64_C(0)")
        self._free(i)
        lines = _definition(self.plan, item.net, "const uint64_t", value, self._take)
        self.local |= {item.net} & self.plan.near
        return lines

    def _bit(self, net: int) -> str:
        return f"n{net}" if net in self.local else f"s[{self.place[net]}]"

    def _take(self, net: int) -> int:
        self.place[net] = self.slots.take()
        return self.place[net]

    def _free(self, i: int) -> None:
        for net in self.plan.dying.get(i, ()):
            if net > TRUE and net in self.place:
                self.slots.give(self.place[net])

    def _macro(self, i: int, macro: Macro) -> None:
        code, n, bits = self.code, len(macro.inputs), len(macro.outputs)
        begin = code.table([self.place[net] for net in macro.inputs])
        self._free(i)
        end = code.table([self._take(net) for net in macro.outputs])
        for net in macro.outputs:
            if net not in self.plan.last:
                self.slots.give(self.place[net])
        code.calls.append(f"gather(s, {begin}, {n}, x);")
        if macro.kind == "popcount":
            code.calls += [f"popcount(x, {n});", f"scatter(x, {end}, {bits}, s);"]
            code.scratch = max(code.scratch, n)
        else:
            width = n // macro.value
            code.calls += [f"argmax(x, {macro.value}, {width}, x + {n}, {bits});",
                           f"scatter(x + {n}, {end}, {bits}, s);"]
            code.scratch = max(code.scratch, n + bits)
        code.helpers += [macro.kind, "scatter"]

    def _outputs(self, circuit: Circuit, slots: list[int]) -> None:
        code, words = self.code, len(circuit.outputs)
        code.helpers += ["transpose8", "gather", "store"]
        code.scratch = max(code.scratch, *circuit.output_widths)
        place = first = 0
        for width, group in groupby(circuit.output_widths):
            count = len(list(group))
            begin = code.table(slots[place : place + width * count])
            code.calls += [f"for (w = 0; w < {count}; w++) {{", f"    gather(s, {begin} + {width} * w, {width}, x);",
                           f"    store(x, {width}, n, out + {first} + w, {words});", "}"]
            place, first = place + width * count, first + count


# ----------------------------------------------------------------------------------------------------------- one sample


class Single:
    """Bit 0 of a variable is the net's value, higher bits mean nothing; counts and indices are numbers in ``c``."""

    def __init__(self, circuit: Circuit) -> None:
        fitting = tuple(m for m in circuit.macros if m.kind != "argmax" or len(m.inputs) <= 64 * m.value)
        items = schedule(circuit.with_(macros=fitting))
        self.counted, self.home = _counted(items)
        self.plan = plan(items, circuit.output_nets.tolist(), reads=self._reads)
        self.code = Code("single", {"in": "const code_in *", "s": "uint8_t *", "c": "number *"})
        self.slots, self.numbers = Slots(), Slots()
        self.place: dict[int, int] = {}
        self.cell: dict[tuple[int, ...], int] = {}
        self.origin = _origins(circuit, items)
        self.local: set[int] = set()
        self.lines: list[str] = []
        self.expires = _expiring(self.plan, items)
        for _, group in groupby(range(len(items)), self.plan.chunk.__getitem__):
            for i in group:
                self._item(i)
            self.code.function(self.lines)
            self.lines, self.local = [], set()
        self._outputs(circuit)
        self.code.slots, self.code.numbers, self.code.number = self.slots.count, self.numbers.count, _number(items)

    def _outputs(self, circuit: Circuit) -> None:
        place = 0
        for o, width in enumerate(circuit.output_widths):
            value = self._integer(circuit.output_nets[place : place + width].tolist())
            self.code.calls.append(f"out[{o}] = (code_out)({value});")
            place += width

    def _reads(self, item: Node | Macro) -> Collection[int]:
        """A counted bit is added where it is defined, so that it need not be kept until its macro."""
        if isinstance(item, Macro) and item.kind == "popcount":
            return [net for net in item.inputs if net not in self.home]
        return item.inputs

    def _item(self, i: int) -> None:
        item = self.plan.items[i]
        if isinstance(item, Node):
            value = lut(item.table, [self._bit(net) for net in item.inputs], false="0", true="1")
            self._free(i)
            self._define(item.net, value)
        elif item.kind == "ge":
            value = f"{self._integer(item.inputs)} >= {_literal(item.value)}"
            self._free(i)
            self._define(item.outputs[0], value)
        else:
            self._popcount(item) if item.kind == "popcount" else self._argmax(item)
            self._free(i)

    def _define(self, net: int, value: str) -> None:
        adds = self.counted.get(net, ())
        counted_only = bool(adds) and net not in self.plan.last
        if counted_only and len(adds) == 1:
            self._add(adds[0], f"(({value}) & 1)")
            return
        self.lines += _definition(self.plan, net, "const bit", f"(bit)({value})", self._take)
        if adds and net in self.plan.far and net not in self.plan.near:
            text = f"s[{self.place[net]}]"
        else:
            text = f"n{net}"
            self.local.add(net)
        for macro in adds:
            self._add(macro, f"({text} & 1)")

    def _add(self, macro: Macro, value: str) -> None:
        begun = macro.outputs in self.cell
        cell = self._cell(macro)
        self.lines.append(f"c[{cell}] {'+=' if begun else '='} {value};")

    def _cell(self, macro: Macro) -> int:
        if macro.outputs not in self.cell:
            self.cell[macro.outputs] = self.numbers.take()
        return self.cell[macro.outputs]

    def _popcount(self, macro: Macro) -> None:
        for net in macro.inputs:
            if net == TRUE:
                self._add(macro, "1")
            elif net not in self.home:
                self._add(macro, f"({self._bit(net)} & 1)")

    def _argmax(self, macro: Macro) -> None:
        width = len(macro.inputs) // macro.value
        words = [self._integer(macro.inputs[k : k + width]) for k in range(0, len(macro.inputs), width)]
        x = f"x{self._cell(macro)}_{macro.outputs[0]}"
        self.lines.append(f"number {x}[{macro.value}];")
        self.lines += [f"{x}[{k}] = (number)({word});" for k, word in enumerate(words)]
        self.lines.append(f"c[{self._cell(macro)}] = (number)largest({x}, {macro.value});")
        self.code.helpers.append("largest")

    def _take(self, net: int) -> int:
        self.place[net] = self.slots.take()
        return self.place[net]

    def _free(self, i: int) -> None:
        for net in self.plan.dying.get(i, ()):
            if net in self.place:
                self.slots.give(self.place[net])
        for outputs in self.expires.get(i, ()):
            self.numbers.give(self.cell[outputs])

    def _bit(self, net: int) -> str:
        if net <= TRUE:
            return str(net)
        if net in self.origin:
            base, shift, _ = self._origin(net)
            return f"({base} >> {shift})" if shift else base
        return f"n{net}" if net in self.local else f"s[{self.place[net]}]"

    def _origin(self, net: int) -> tuple[str, int, int]:
        """The number that holds a net, at which bit, and the number's width."""
        base, shift, width = self.origin[net]
        return (f"c[{self.cell[base]}]" if isinstance(base, tuple) else f"in[{base}]"), shift, width

    def _integer(self, nets: Iterable[int]) -> str:
        """An unsigned word, LSB first: the number that holds it where there is one, else put together bit by bit."""
        nets = list(nets)
        while nets and nets[-1] == FALSE:
            nets.pop()
        if nets and all(net in self.origin for net in nets):
            base, shift, width = self.origin[nets[0]]
            if [self.origin[net] for net in nets] == [(base, j, width) for j in range(shift, width)]:
                return self._bit(nets[0])
        kind = "unsigned" if len(nets) <= 8 else "uint32_t" if len(nets) <= 32 else "uint64_t"
        return "(" + (" | ".join(self._place_bit(kind, net, j) for j, net in enumerate(nets)) or "0") + ")"

    def _place_bit(self, kind: str, net: int, j: int) -> str:
        return f"({kind})({self._bit(net)} & 1) << {j}" if j else f"({kind})({self._bit(net)} & 1)"


def _counted(items: Iterable[Node | Macro]) -> tuple[dict[int, list[Macro]], set[int]]:
    """Net -> the population counts it adds to, once for each time it does; and the nets that are defined as bits."""
    home = {item.outputs[0] for item in items if isinstance(item, Node) or item.kind == "ge"}
    counted: dict[int, list[Macro]] = {}
    for item in items:
        if isinstance(item, Macro) and item.kind == "popcount":
            for net in item.inputs:
                if net in home:
                    counted.setdefault(net, []).append(item)
    return counted, home


def _origins(circuit: Circuit, items: Iterable[Node | Macro]) -> dict[int, Origin]:
    """Where a net lies in a number: the bits of input words, counts and indices."""
    origin: dict[int, Origin] = {}
    net = FIRST
    for w, width in enumerate(circuit.input_widths):
        for j in range(width):
            origin[net] = (w, j, width)
            net += 1
    for item in items:
        if isinstance(item, Macro) and item.kind != "ge":
            for j, net in enumerate(item.outputs):
                origin[net] = (item.outputs, j, len(item.outputs))
    return origin


def _expiring(p: Plan, items: Iterable[Node | Macro]) -> dict[int, list[tuple[int, ...]]]:
    """Index of an item -> the numbers that nothing reads after it, each named by its macro's outputs."""
    expires: dict[int, list[tuple[int, ...]]] = {}
    for i, item in enumerate(items):
        if isinstance(item, Macro) and item.kind != "ge":
            end = max(p.last.get(net, i) for net in item.outputs)
            expires.setdefault(end, []).append(item.outputs)
    return expires


def _number(items: Iterable[Node | Macro]) -> np.dtype[np.unsignedinteger[Any]]:
    """The dtype of every count, index and word to compare."""
    macros = [item for item in items if isinstance(item, Macro) and item.kind != "ge"]
    widths = [len(m.outputs) for m in macros]
    widths += [len(m.inputs) // m.value for m in macros if m.kind == "argmax"]
    return unsigned(max(widths, default=1))


def _literal(value: int) -> str:
    return f"{value}u" if value < 1 << 16 else f"UINT32_C({value})" if value < 1 << 32 else f"UINT64_C({value})"
