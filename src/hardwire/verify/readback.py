"""Emitted Verilog, read back through Yosys as a circuit, so that the text itself can be proved.

Yosys flattens the design, maps it to an and-inverter graph and writes AIGER with a symbol for each port bit; bits are
matched by name, never by order.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..backends.verilog import backend as verilog
from ..backends.verilog.ports import ENABLE, PRIMITIVES, Bus, Ports, ports_of
from ..circuit import Circuit
from ..circuit.formats.aiger import AigerFile, aig_circuit, parse_aiger
from ..circuit.formats.words import Interface
from ..circuit.structure import bit_names
from ..core import programs as tools
from ..core.errors import FormatError, InputError
from ..core.names import IDENTIFIER

#: A register without reset or enable as a wire, and one whose enable is active high.
WIRE = """(* techmap_celltype = "$dff" *)
module wire_of_dff (CLK, D, Q);
parameter WIDTH = 1;
parameter CLK_POLARITY = 1;
input CLK;
input [WIDTH-1:0] D;
output [WIDTH-1:0] Q;
assign Q = D;
endmodule
"""
ENABLED_WIRE = """(* techmap_celltype = "$dffe" *)
module wire_of_dffe (CLK, EN, D, Q);
parameter WIDTH = 1;
parameter CLK_POLARITY = 1;
parameter EN_POLARITY = 1;
input CLK, EN;
input [WIDTH-1:0] D;
output [WIDTH-1:0] Q;
assign Q = D;
endmodule
"""

#: Carries that ripple, as `circuit.arithmetic` spells them: a proof meets the same inner points, which Yosys' own
#: look-ahead carries would not have. The name puts it before Yosys' template.
RIPPLE = """(* techmap_celltype = "$lcu" *)
module _80_ripple_lcu (P, G, CI, CO);
parameter WIDTH = 2;
input [WIDTH-1:0] P, G;
input CI;
output [WIDTH-1:0] CO;
genvar i;
generate for (i = 0; i < WIDTH; i = i + 1) begin : place
  if (i == 0) assign CO[0] = G[0] | (P[0] & CI);
  else assign CO[i] = G[i] | (P[i] & CO[i-1]);
end endgenerate
endmodule
"""


def read_back(circuit: Circuit, *, pipeline: int | None = None, bus: Bus = "named", register_inputs: bool = False
              ) -> Circuit:
    """Emit Verilog for ``circuit`` and read it again through Yosys.

    Parameters
    ----------
    circuit
        The circuit to emit.
    pipeline, bus, register_inputs
        As ``emit`` has them. The registers are read as wires; without any the text is combinational.
    """
    options: dict[str, Any] = {key: value for key, value in (("bus", bus), ("register_inputs", register_inputs))
                               if value not in ("named", False)}
    with tempfile.TemporaryDirectory(prefix="hardwire-") as folder:
        main, *_ = verilog.emit(circuit, folder, pipeline=pipeline, **options)
        return read_emitted(main, like=circuit, registers=pipeline is not None or register_inputs)


def read_emitted(path: str | Path, *, like: Circuit, registers: bool = True) -> Circuit:
    """Read a Verilog file that ``emit`` wrote, as a circuit with the words of ``like``.

    The module is named as the file, and the primitives lie beside it. Its head tells whether it has one port a word or
    packed buses, and whether it has a clock enable. With ``registers`` those in it are taken for wires, so that latency
    does not count.
    """
    path = Path(path)
    beside = [path.with_name(f"{name}.v") for name in PRIMITIVES]
    ports, enable = ports_in(path, like)
    return read_verilog([path, *filter(Path.is_file, beside)], path.stem, like=like, transparent_registers=registers,
                        ports=ports, enable=enable)


def ports_in(path: Path, like: Circuit) -> tuple[Ports, str | None]:
    """The ports of the module in a file that ``emit`` wrote, and the clock enable that its registers must have.

    What is not a packed core of this circuit is read as one with a port for each word.
    """
    packed = ports_of(like, path.stem, "packed")
    text = path.read_bytes().decode(errors="replace") if path.is_file() else ""
    for clocked in (True, False):
        if packed.head(path.stem, clocked) in text:
            return packed, ENABLE if clocked else None
    return ports_of(like, path.stem, "named"), None


def read_verilog(paths: str | Path | Sequence[str | Path], top: str, *, like: Circuit, ports: Ports | None = None,
                 transparent_registers: bool = False, enable: str | None = None, timeout: float = 600.0) -> Circuit:
    """Read module ``top`` as a circuit with the words of ``like``.

    Parameters
    ----------
    paths
        One file or several.
    top
        The module; it has one port for each word.
    like
        The circuit whose words, offsets and labels are taken over.
    ports
        The ports, where they are not the words. Other ports may exist where nothing depends on them, like a clock.
    transparent_registers
        Take each plain register (no reset, no enable) for a wire: the function of a pipeline, its latency aside.
    enable
        The port that must be the clock enable, active high, of every register.
    timeout
        Seconds for Yosys.

    Raises
    ------
    ToolError
        Where Yosys refuses the text, a register with reset, or an enable where none is known, among it.
    FormatError
        Where ports do not match, registers remain, or one has another enable than ``enable``.
    """
    if not IDENTIFIER.match(top):
        raise InputError(f"{top!r} is no name of a module; name the file by letters, digits and underscores")
    files = [Path(p).resolve() for p in ([paths] if isinstance(paths, (str, Path)) else paths)]
    missing = next((p for p in files if not p.is_file()), None)
    if missing or not files:
        raise InputError(f"cannot read {missing or 'Verilog without a file'}; check the path")
    with tempfile.TemporaryDirectory(prefix="hardwire-") as name:
        folder = Path(name)
        for serial, path in enumerate(files):
            (folder / f"{serial}.v").write_bytes(path.read_bytes())
        (folder / "wire.v").write_text(ENABLED_WIRE if enable else WIRE)
        (folder / "ripple.v").write_text(RIPPLE)
        (folder / "script.ys").write_text(script(len(files), top, transparent_registers, enable))
        tools.run(tools.YOSYS, ["-q", "-s", "script.ys"], cwd=folder, timeout=timeout, produces=[folder / "read.aig"])
        others = (folder / "others.txt").read_text().split() if transparent_registers and enable else []
        if others:
            raise FormatError(f"module {top!r} has a register that port {enable!r} does not enable, {others[0]!r}")
        if int((folder / "read.aig").read_bytes().split(None, 4)[3]):  # latches
            raise FormatError(f"module {top!r} has registers; read it with transparent_registers to prove a pipeline")
        return match_ports(parse_aiger(folder / "read.aig"), like, top, ports)


def script(n_files: int, top: str, transparent_registers: bool, enable: str | None = None) -> str:
    """Yosys commands that turn ``0.v``, ``1.v``... into ``read.aig``; registers must be enabled by port ``enable``."""
    wire = ["opt_expr", "techmap -map wire.v"] if transparent_registers else []  # an enable may be constant
    if wire and enable:
        others = f"t:$dff t:$dffe r:EN_POLARITY=0 %i %u t:$dffe w:{enable} %co1:+$dffe[EN] %d %u"
        wire[1:1] = ["opt_clean", "opt_dff -nosdff", "opt_clean", f"select -write others.txt {others}"]
    return "\n".join([
        *(f"read_verilog {i}.v" for i in range(n_files)), f"hierarchy -check -top {top}", "proc", "flatten",
        "opt_clean", *wire, "techmap -map +/techmap.v -map ripple.v", "aigmap", "scc -expect 0",
        "write_aiger -symbols read.aig",
    ]) + "\n"


def match_ports(file: AigerFile, like: Circuit, top: str, ports: Ports | None = None) -> Circuit:
    """``file`` as a circuit, its inputs and outputs in the order of ``like``, matched by their symbols."""
    names = ports.bits() if ports else (bit_names(like.inputs), bit_names(like.outputs))
    inputs = _places(file.symbols["i"], names[0][: like.n_input_bits], "input", top)
    outputs = _places(file.symbols["o"], names[1], "output", top)
    variable = np.zeros(1 + file.n_inputs + len(file.fanin), dtype=np.int64)
    variable[1 : 1 + file.n_inputs] = -1
    variable[1 + np.array(inputs, dtype=np.int64)] = np.arange(1, 1 + len(inputs))
    variable[1 + file.n_inputs :] = np.arange(1 + len(inputs), 1 + len(inputs) + len(file.fanin))
    foreign = sorted({v - 1 for v in (file.fanin >> 1).ravel().tolist() if variable[v] < 0})
    if foreign:
        raise FormatError(f"module {top!r} depends on its port {file.symbols['i'].get(foreign[0], foreign[0])!r}, "
                          f"which is no input of circuit {like.name!r}")
    fanin, ends = (2 * variable[x >> 1] | x & 1 for x in (file.fanin, file.outputs[outputs]))
    renumbered = AigerFile(len(inputs), fanin, ends)
    return aig_circuit(renumbered, Interface(like.name, like.inputs, like.outputs, like.labels))


def _places(symbols: dict[int, str], names: list[str], kind: str, top: str) -> list[int]:
    """The position of each name among the file's symbols."""
    place = {name: position for position, name in symbols.items()}
    missing = next((name for name in names if name not in place), None)
    if missing is not None:
        raise FormatError(f"module {top!r} has no {kind} port bit {missing!r}; its ports must be the circuit's words")
    return [place[name] for name in names]
