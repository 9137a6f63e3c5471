"""The text of a core: wires, gates, instances of primitives, registers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from ...circuit import FALSE, FIRST, STAGES, TRUE, Circuit, Macro
from ...circuit.arithmetic.shapes import shapes
from ...circuit.formats.words import generated_by
from ...circuit.schedule import Node, schedule
from ...core.errors import InputError
from ...core.names import identifier
from ..common import choose_name, description, lut
from .netnames import NetNames
from .pipeline import Pipeline, pipelined
from .ports import CLOCK, ENABLE, INPUT, KEYWORDS, OUTPUT, PRIMITIVES, Bus, Ports, bit_range, places, ports_of

Item = TypeVar("Item", Node, Node | Macro)
#: Inputs of a count in columns that is written as its primitive; an event-driven simulator evaluates a whole bus again
#: for each bit that changes, so that larger ones are written as gates.
COLUMNS = 64
#: The primitive that repeats the shape of a macro's gates.
SHAPED = {("popcount", "tree"): "popcount", ("popcount", "columns"): "popcount_columns",
          ("argmax", "tournament"): "argmax"}


@dataclass(frozen=True)
class Design:
    """A core: its text, its ports, and what it needs.

    Attributes
    ----------
    latency
        Clocks from the inputs to the outputs, 0 without registers.
    flip_flops
        How many there are.
    primitives
        Names of the primitives that it uses, sorted.
    """

    name: str
    text: str
    ports: Ports
    latency: int
    flip_flops: int
    primitives: list[str]

    @property
    def enabled(self) -> bool:
        """Whether it has a clock enable."""
        return self.latency > 0 and self.ports.bus == "packed"


def design_of(circuit: Circuit, name: str | None, *, pipeline: int | None = None, bus: Bus = "named",
              register_inputs: bool = False) -> Design:
    """Write a circuit as one module.

    Raises
    ------
    InputError
        Where the circuit has no outputs or an option makes no sense.
    """
    if not circuit.outputs:
        raise InputError(f"circuit {circuit.name!r} has no outputs; add one before emitting Verilog")
    reserved = {CLOCK, ENABLE, INPUT, OUTPUT} if bus == "packed" else set()
    name = choose_name(circuit, name, avoid=KEYWORDS | set(PRIMITIVES) | reserved)
    ports = ports_of(circuit, name, bus)
    writer = _Writer(circuit, ports)
    if pipeline is None:
        lines = _combinational(circuit, writer, register_inputs)
        latency = int(register_inputs)
        how = "combinational" if not latency else "a register at the inputs; outputs are combinational"
    else:
        registers = pipelined(circuit, pipeline, register_inputs=register_inputs)
        lines = _pipelined(writer, registers, pipeline)
        latency = registers.latency
        how = (f"a register {'at the inputs, ' * register_inputs}after every {pipeline} levels of logic and at the "
               f"outputs{'; inputs are not registered' * (not register_inputs)}")
    lines += _outputs(circuit, ports, writer) + writer.sink(ports)
    text = _text(circuit, name, ports, latency, how, lines)
    return Design(name, text, ports, latency, writer.flip_flops, sorted(writer.primitives))


class _Writer:
    """Names of nets, words put together from them, and which bits of words were read."""

    def __init__(self, circuit: Circuit, ports: Ports) -> None:
        self.names = NetNames(circuit)
        self.enable = ENABLE if ports.bus == "packed" else "1'b1"
        self.primitives: set[str] = set()
        self.flip_flops = 0
        self.bit = {FALSE: "1'b0", TRUE: "1'b1"}
        self.origin: dict[int, tuple[str, int]] = {}
        self.unread: dict[str, dict[int, None]] = {}
        self.width: dict[str, int] = {}
        net = FIRST
        for port in ports.inputs:
            width = min(port.width, circuit.n_input_bits)  # a packed bus of no inputs has a bit
            self.define(port.name, range(net, net + width), port.width, ranged=port.ranged)
            net += width

    def define(self, name: str, nets: Iterable[int], width: int = 0, *, ranged: bool = False) -> None:
        """The word ``name`` holds ``nets``, least significant bit first."""
        nets = tuple(nets)
        self.width[name] = width = width or len(nets)
        ranged = ranged or width > 1
        self.bit.update((net, f"{name}[{j}]" if ranged else name) for j, net in enumerate(nets))
        self.origin.update((net, (name, j)) for j, net in enumerate(nets))
        self.unread[name] = dict.fromkeys(range(width))

    def wire(self, net: int, value: str) -> str:
        """The declaration of a net."""
        self.bit[net] = name = self.names.name(net)
        return f"wire {name} = {value};"

    def read(self, net: int) -> str:
        """A net by its name."""
        if net in self.origin:
            name, j = self.origin[net]
            self.unread[name].pop(j, None)
        return self.bit[net]

    def value(self, nets: Iterable[int]) -> str:
        """A word by its name, as a slice of another, or put together from slices and bits."""
        runs: list[list[int]] = []
        for net in nets:
            name, j = self.origin.get(net, ("", 0))
            if runs and name and self.origin.get(runs[-1][-1]) == (name, j - 1):
                runs[-1].append(net)
            else:
                runs.append([net])
        return concat([self._slice(run) for run in runs])

    def _slice(self, run: list[int]) -> str:
        """Neighbouring bits of one word, or one net."""
        texts = [self.read(net) for net in run]
        name, low = self.origin.get(run[0], ("", 0))
        if len(run) == 1 or len(run) == self.width[name]:
            return texts[0] if len(run) == 1 else name
        return f"{name}[{low + len(run) - 1}:{low}]"

    def sink(self, ports: Ports) -> list[str]:
        """A wire that reads the bits that nothing else does, so that no tool takes them for a mistake."""
        bits = []
        for name, unread in self.unread.items():
            if len(unread) == self.width[name]:
                bits.append(name)
                continue
            for _, run in groupby(enumerate(unread), lambda pair: pair[1] - pair[0]):
                places = [place for _, place in run]
                bits.append(f"{name}[{places[-1]}:{places[0]}]" if len(places) > 1 else f"{name}[{places[0]}]")
        if not bits:
            return []
        name = identifier("unused", avoid={port.name for port in (*ports.inputs, *ports.outputs)})
        return ["", "// bits that no output depends on", f"wire {name} = &{concat([*bits[::-1], _ZERO])};"]


_ZERO = "1'b0"


def concat(bits: list[str]) -> str:
    """A word from the texts of its bits, which are given least significant first."""
    if len(bits) == 1:
        return bits[0]
    bits = bits[::-1]
    rows = [", ".join(bits[i : i + 10]) for i in range(0, len(bits), 10)]
    return "{" + ",\n      ".join(rows) + "}"


def _gate(node: Node, operand: Callable[[int], str]) -> str:
    return lut(node.table, [operand(net) for net in node.inputs], false="1'b0", true="1'b1")


def _primitive(macro: Macro, shape: str | None) -> str | None:
    """The module that a macro becomes an instance of, or None where its gates are written."""
    if shape == "columns" and len(macro.inputs) > COLUMNS:
        return None
    return SHAPED.get((macro.kind, shape or ""))


# ------------------------------------------------------------------------------------------------------- combinational


def _combinational(circuit: Circuit, writer: _Writer, register_inputs: bool) -> list[str]:
    """The circuit's own gates and primitives of their shapes, so that a proof is quick."""
    modules = {macro: _primitive(macro, shape) for macro, shape in shapes(circuit).items()}
    plain = circuit.with_(macros=tuple(m for m in circuit.macros if m.kind == "ge" or modules[m]))
    items = schedule(plain, slim=False)
    lines: list[str] = []
    if register_inputs:
        read = {net for item in items for net in item.inputs} | set(circuit.output_nets.tolist())
        lines += _registers(0, [net for net in range(FIRST, circuit.first_node) if net in read], writer)
    for title, section in _sections(items, writer.names):
        lines += ["", title]
        for item in section:
            if isinstance(item, Node):
                lines.append(writer.wire(item.net, _gate(item, writer.read)))
            elif item.kind == "ge":
                value = f"{writer.value(item.inputs)} >= {len(item.inputs)}'d{item.value}"
                lines.append(writer.wire(item.outputs[0], value))
            else:
                lines += _instance(item, modules[item] or item.kind, writer)
    return lines


def _sections(items: Sequence[Item], names: NetNames) -> Iterator[tuple[str, list[Item]]]:
    """Items by stage, each with a comment; one that reads a later stage's net stands in that stage's section."""
    section: dict[int, int] = {}
    parts: list[list[Item]] = [[] for _ in STAGES]
    for item in items:
        place = max(names.stage[item.outputs[0]], *(section.get(net, 0) for net in item.inputs), 0)
        section.update(dict.fromkeys(item.outputs, place))
        parts[place].append(item)
    for stage, part in zip(STAGES, parts):
        if part:
            yield f"// {stage}: {_levels(part, names)}", part


def _levels(items: Iterable[Node | Macro], names: NetNames) -> str:
    """How many nets there are, and on which levels of their stage, in words."""
    levels = [names.level[net] for item in items for net in item.outputs]
    return f"{len(levels)} nets, levels {min(levels)} to {max(levels)}"


def _instance(macro: Macro, module: str, writer: _Writer) -> list[str]:
    n, m, net = len(macro.inputs), len(macro.outputs), macro.outputs[0]
    word, name = writer.names.name(net, "w"), writer.names.name(net, "m")
    lines = [f"wire {bit_range(m)}{word};"]
    if macro.kind == "popcount":
        head, tail = f"{module} #(.N({n}), .M({m}))", f".count({word})"
        x = writer.value(macro.inputs)
    else:
        width = n // macro.value
        head = f"{module} #(.N({macro.value}), .W({width}), .K({m}))"
        tail = f".best({name}_unused), .index({word})"
        lines.append(f"wire {bit_range(width)}{name}_unused;")
        x = concat([writer.value(macro.inputs[k : k + width]) for k in range(0, n, width)])
    writer.primitives.add(module)
    writer.define(word, macro.outputs)
    return [*lines, f"{head} {name} (.x({x}), {tail});"]


# ----------------------------------------------------------------------------------------------------------- pipelined


def _pipelined(writer: _Writer, pipeline: Pipeline, levels: int) -> list[str]:
    lines: list[str] = []
    count = len(pipeline.logic)
    for s, nodes in enumerate(pipeline.logic):
        lines += _registers(s, pipeline.registers[s], writer)
        lines += ["", f"// pipeline stage {s + 1} of {count}, levels {s * levels + 1} to {(s + 1) * levels}"]
        for title, section in _sections(nodes, writer.names):
            lines.append(title)
            lines += [writer.wire(node.net, _gate(node, writer.read)) for node in section]
    return lines + _registers(count, pipeline.registers[count], writer)


def _registers(s: int, nets: list[int], writer: _Writer) -> list[str]:
    """The registers in front of a stage, a word for the inputs and for each stage and class of the circuit."""
    parts: dict[str, list[int]] = {}
    for net in nets:
        parts.setdefault(writer.names.place(net), []).append(net)
    lines = ["", f"// register {s}: {len(nets)} flip-flops"] if nets else []
    for place, part in parts.items():
        word, width = f"r{s}_{place}", len(part)
        lines += [f"wire {bit_range(width)}{word};",
                  f"pipeline_register #(.W({width})) m{s}_{place} "
                  f"(.clk({CLOCK}), .ce({writer.enable}), .d({writer.value(part)}), .q({word}));"]
        writer.primitives.add("pipeline_register")
        writer.define(word, part)
    writer.flip_flops += len(nets)
    return lines


# ------------------------------------------------------------------------------------------------------------ the text


def _outputs(circuit: Circuit, ports: Ports, writer: _Writer) -> list[str]:
    nets, widths = circuit.output_nets.tolist(), circuit.output_widths
    lines = ["", "// outputs"]
    for k, (high, low) in enumerate(places(widths)):
        port = ports.outputs[k].name if ports.bus == "named" else _slice(OUTPUT, high, low)
        lines.append(f"assign {port} = {writer.value(nets[low : high + 1])};")
    return lines


def _slice(name: str, high: int, low: int) -> str:
    return f"{name}[{high}:{low}]" if high > low else f"{name}[{low}]"


def _text(circuit: Circuit, name: str, ports: Ports, latency: int, how: str, lines: list[str]) -> str:
    notes = "\n".join(f"// {line}" for line in description(circuit))
    body = "\n".join(f"  {line}".rstrip() for line in lines)
    reset = f"""// No reset: what the registers held at power-up has left after {latency} enabled clocks.
// What surrounds this module resets its own valid bits.
""" if latency else ""
    return f"""// {generated_by(circuit)}.
//
{notes}
//
// {how}; latency {latency} clocks.
{reset}//
// Names of nets: stage, level in the stage, class c where one class alone reads the net, number in the circuit.
`default_nettype none
{ports.head(name, latency > 0)}{body}
endmodule
`default_nettype wire
"""
