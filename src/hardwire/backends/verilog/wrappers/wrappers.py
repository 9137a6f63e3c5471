"""Top modules that join a hand-written wrapper and a core with packed buses.

A wrapper knows of its core the numbers of bits and the latency in clocks. The first word of an image is in the lowest
bits of ``x``, and so is the first word of the result in ``y``.
"""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal, TypeAlias

from numpy.typing import ArrayLike

from ....circuit import Circuit
from ....core.errors import InputError
from ....core.files import write_text
from ....core.names import IDENTIFIER
from ...common import source
from ..backend import design_of, emit, emit_design
from ..ports import KEYWORDS, Bus, bit_range

#: What a core can be wrapped in.
Kind: TypeAlias = Literal["registered", "stream", "axis", "spi", "uart", "shift"]
#: Data bits of an AXI4-Stream, and clocks in a bit of a UART (12 MHz and 115,200 baud), where nothing else is said.
BUS_WIDTH, DIVIDER = 32, 104
#: Largest latency that is no mistake.
MOST_LATENCY = 1 << 16


@dataclass(frozen=True)
class Wrapper:
    """A row of the table of wrappers.

    Attributes
    ----------
    title
        What it is, in print.
    modules
        Its hand-written modules, one file each, the outermost first.
    ports
        ``(direction, width, name)`` of the top module; a width is 1, or one of ``x``, ``y``, ``w`` and ``w/8``.
    parameters
        Of the outermost module.
    clock
        The port that is the core's clock.
    enable
        The core's clock enable.
    """

    title: str
    modules: tuple[str, ...]
    ports: tuple[tuple[Literal["input", "output"], int | str, str], ...]
    parameters: tuple[str, ...]
    clock: str = "clk"
    enable: str = "1'b1"


#: Kind -> wrapper.
WRAPPERS: dict[str, Wrapper] = {
    "registered": Wrapper(
        "registers before and after the core, and a valid bit", ("registered_wrapper",),
        (("input", 1, "clk"), ("input", 1, "rst"), ("input", 1, "ce"), ("input", 1, "in_valid"), ("input", "x", "x"),
         ("output", 1, "out_valid"), ("output", "y", "y")),
        ("X", "Y", "LATENCY"), enable="ce"),
    "stream": Wrapper(
        "valid and ready at both ends", ("stream_wrapper", "result_queue", "flagged_counter"),
        (("input", 1, "clk"), ("input", 1, "rst"), ("input", 1, "in_valid"), ("output", 1, "in_ready"),
         ("input", "x", "x"), ("output", 1, "out_valid"), ("input", 1, "out_ready"), ("output", "y", "y")),
        ("X", "Y", "LATENCY", "ADDRESS")),
    "axis": Wrapper(
        "AXI4-Stream at both ends", ("axis_wrapper", "axis_input", "result_queue", "flagged_counter", "axis_output"),
        (("input", 1, "aclk"), ("input", 1, "aresetn"),
         ("input", 1, "s_axis_tvalid"), ("output", 1, "s_axis_tready"), ("input", "w", "s_axis_tdata"),
         ("input", "w/8", "s_axis_tkeep"), ("input", 1, "s_axis_tlast"),
         ("output", 1, "m_axis_tvalid"), ("input", 1, "m_axis_tready"), ("output", "w", "m_axis_tdata"),
         ("output", "w/8", "m_axis_tkeep"), ("output", 1, "m_axis_tlast"),
         ("output", 1, "short_packet"), ("output", 1, "long_packet")),
        ("X", "Y", "LATENCY", "W", "ADDRESS"), clock="aclk"),
    "spi": Wrapper(
        "SPI slave, mode 0", ("spi_wrapper",),
        (("input", 1, "clk"), ("input", 1, "rst"), ("input", 1, "sclk"), ("input", 1, "cs_n"), ("input", 1, "mosi"),
         ("output", 1, "miso")),
        ("X", "Y", "LATENCY")),
    "uart": Wrapper(
        "UART, 8N1", ("uart_wrapper",),
        (("input", 1, "clk"), ("input", 1, "rst"), ("input", 1, "rx"), ("output", 1, "tx"), ("output", 1, "dropped")),
        ("X", "Y", "LATENCY", "DIVIDER")),
    "shift": Wrapper(
        "one shift register", ("shift_wrapper",),
        (("input", 1, "clk"), ("input", 1, "shift"), ("input", 1, "din"), ("output", 1, "dout")),
        ("X", "Y")),
}


def wrap(
    name: str, kind: Kind, *, x: int, y: int, latency: int, bus_width: int = BUS_WIDTH, divider: int = DIVIDER,
) -> dict[str, str]:
    """Write the module ``NAME_KIND``, which holds the core ``NAME`` and its wrapper.

    Parameters
    ----------
    name
        The core's module.
    kind
        The wrapper.
    x, y
        Bits of the core's input and output.
    latency
        Clocks from the core's input to its output; a core of latency 0 is combinational and has no ports ``clk`` and
        ``ce``.
    bus_width
        Bits of the data of an AXI4-Stream.
    divider
        Clocks in a bit of a UART: the clock's frequency divided by the baud rate.

    Returns
    -------
    dict
        ``{file: text}``: the top module's file first, then the wrapper's modules. The core's file is not among them.

    Raises
    ------
    InputError
        Where a number or the name makes no wrapper.
    """
    if kind not in WRAPPERS:
        raise InputError(f"no wrapper is called {kind!r}; choose one of {', '.join(WRAPPERS)}")
    wrapper = WRAPPERS[kind]
    top = f"{name}_{kind}"
    if not IDENTIFIER.match(name) or name in KEYWORDS or {name, top} & set(wrapper.modules):
        raise InputError(f"name {name!r} cannot be the core's in a wrapper; give letters, digits and underscores, and "
                         f"no name of a module of the wrapper ({', '.join(wrapper.modules)})")
    _check(kind, x, y, latency, bus_width, divider)
    widths = {"x": x, "y": y, "w": bus_width, "w/8": bus_width // 8}
    values = {"X": x, "Y": y, "LATENCY": latency, "W": bus_width, "DIVIDER": divider,
              "ADDRESS": address_bits(kind, x=x, y=y, latency=latency, bus_width=bus_width)}
    ports = [f"{direction} wire {bit_range(widths.get(str(width), 1))}{port}"
             for direction, width, port in wrapper.ports]
    ends = [f".{port}({port})" for _, _, port in wrapper.ports] + [".core_x(core_x)", ".core_y(core_y)"]
    parameters = ", ".join(f".{parameter}({values[parameter]})" for parameter in wrapper.parameters)
    core = [f".clk({wrapper.clock})", f".ce({wrapper.enable})"] * bool(latency) + [".x(core_x)", ".y(core_y)"]
    text = f"""// {name} in a wrapper: {wrapper.title}.
// {x} bits in, {y} bits out, a latency of {latency} clocks in the core.
`default_nettype none
module {top} (
  {f",{chr(10)}  ".join(ports)}
);
  wire {bit_range(x)}core_x;
  wire {bit_range(y)}core_y;
  {wrapper.modules[0]} #({parameters}) wrapper (
    {f",{chr(10)}    ".join(ends)}
  );
  {name} core ({", ".join(core)});
endmodule
`default_nettype wire
"""
    return {f"{top}.v": text} | {f"{module}.v": source(f"verilog/wrappers/{module}.v") for module in wrapper.modules}


def address_bits(kind: Kind, *, x: int, y: int, latency: int, bus_width: int) -> int:
    """Address bits of the queue of results that stops no input while results are taken at once.

    An image is accepted every ``beats`` clocks, the larger of the beats of an image and of a result. Its place is free
    again ``latency + 2`` clocks, and the beats of its result, later.
    """
    into, out = (-(-x // bus_width), -(-y // bus_width)) if kind == "axis" else (1, 1)
    places = (latency + out) // max(into, out) + 2
    return max(1, (places - 1).bit_length())


def emit_wrapped(
    circuit: Circuit, out_dir: str | PathLike[str], *, kind: Kind, bus_width: int = BUS_WIDTH, divider: int = DIVIDER,
    name: str | None = None, pipeline: int | None = None, register_inputs: bool = False,
    vectors: ArrayLike | None = None,
) -> list[Path]:
    """Write a circuit as a core with packed buses, and a top module ``NAME_KIND`` with the wrapper around it.

    Parameters
    ----------
    circuit, out_dir
        What to write, and the folder.
    kind, bus_width, divider
        As for ``wrap``.
    name, pipeline, register_inputs, vectors
        As for ``emit`` of the Verilog back end. Every wrapper has a register at the core's inputs.

    Returns
    -------
    list[Path]
        The files: those of the core, ``NAME.v`` first, then the top module and the modules of the wrapper.

    Raises
    ------
    InputError
        As ``emit`` and ``wrap``.
    """
    if not circuit.n_input_bits:
        raise InputError(f"circuit {circuit.name!r} has no inputs; a wrapper has nothing to bring to it")
    design = design_of(circuit, name, pipeline=pipeline, bus="packed", register_inputs=register_inputs)
    texts = wrap(design.name, kind, x=circuit.n_input_bits, y=sum(circuit.output_widths), latency=design.latency,
                 bus_width=bus_width, divider=divider)
    return [*emit_design(circuit, design, out_dir, vectors=vectors),
            *(write_text(Path(out_dir) / file, text) for file, text in texts.items())]


def emit_core_or_wrapped(
    circuit: Circuit, out_dir: str | PathLike[str], *, wrapper: Kind | None = None, bus_width: int | None = None,
    divider: int | None = None, bus: Bus | None = None, name: str | None = None, pipeline: int | None = None,
    register_inputs: bool = False, vectors: ArrayLike | None = None,
) -> list[Path]:
    """Write a core as ``emit`` of the Verilog back end does, or one in a wrapper as ``emit_wrapped``.

    Raises
    ------
    InputError
        As both, and where an option has no meaning for the wrapper or without one.
    """
    for words, value, kind in (("bus width", bus_width, "axis"), ("divider", divider, "uart")):
        if value is not None and wrapper != kind:
            raise InputError(f"{words} {value} is of the wrapper {kind}; leave it out, or choose that wrapper")
    if wrapper is None:
        return emit(circuit, out_dir, name=name, pipeline=pipeline, bus=bus or "named", register_inputs=register_inputs,
                    vectors=vectors)
    if bus == "named":
        raise InputError(f"the wrapper {wrapper} stands around a core with packed buses; leave the bus out")
    return emit_wrapped(circuit, out_dir, kind=wrapper, bus_width=BUS_WIDTH if bus_width is None else bus_width,
                        divider=DIVIDER if divider is None else divider, name=name, pipeline=pipeline,
                        register_inputs=register_inputs, vectors=vectors)


def _check(kind: str, x: int, y: int, latency: int, bus_width: int, divider: int) -> None:
    if min(x, y) < 1:
        raise InputError(f"a core of {x} input and {y} output bits has nothing to wrap; give it one of each or more")
    if not 0 <= latency <= MOST_LATENCY:
        raise InputError(f"latency {latency} is no number of clocks; give 0 to {MOST_LATENCY}")
    if kind == "axis" and (bus_width % 8 or not 8 <= bus_width <= 512):
        raise InputError(f"a bus of {bus_width} bits is none of AXI4-Stream's here; give 8 to 512, a multiple of 8")
    if kind == "uart" and divider < 4:
        raise InputError(f"{divider} clocks are too few for a bit of a UART; give 4 or more")
