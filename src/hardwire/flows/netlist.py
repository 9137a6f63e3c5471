"""A circuit as plain Verilog for synthesis, and a mapped netlist back as a circuit, measured and compared."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ..backends.common import lut
from ..backends.verilog.ports import KEYWORDS
from ..circuit import FIRST, Circuit
from ..circuit.engine.packed import PackedEngine
from ..circuit.formats.blif import cover, read_blif
from ..core.bits import Codes
from ..core.errors import InputError, ToolError
from ..core.names import identifier
from ..core.verdict import Verdict
from ..cost.liberty import Cell, Library, liberty_text
from ..verify import prove
from .yosys import read_statistics, statistics

TOP = "top"
#: Commands that read ``top.v`` as far as a mapper wants it.
READ_COMMANDS = ("read_verilog -sv top.v", f"synth -top {TOP} -flatten -noabc", "opt -full")


class Ports:
    """How a circuit's words appear as ports of module ``top``.

    Parameters
    ----------
    circuit
        The circuit.
    joined
        One port for all input words, ``pix``, the first word in its lowest bits, and one for all outputs, ``cls``:
        the open board's contract. Otherwise one port a word.
    """

    def __init__(self, circuit: Circuit, *, joined: bool = False) -> None:
        inputs, outputs = list(zip(_names(circuit), circuit.input_widths + circuit.output_widths)), []
        inputs, outputs = inputs[: len(circuit.inputs)], inputs[len(circuit.inputs) :]
        if joined:
            inputs, outputs = [("pix", circuit.n_input_bits)], [("cls", sum(circuit.output_widths))]
        self.inputs, self.outputs = inputs, outputs

    def bits(self) -> tuple[list[str], list[str]]:
        """A name for each input bit and for each output bit, as Yosys spells them."""
        ins, outs = ([f"{n}[{j}]" if w > 1 else n for n, w in words for j in range(w)]
                     for words in (self.inputs, self.outputs))
        return ins, outs


def _names(circuit: Circuit) -> list[str]:
    """Port names that are no keyword, none twice, and none of the form of an inner net."""
    taken = {*KEYWORDS, TOP}
    names = []
    for word in (*circuit.inputs, *circuit.outputs):
        name = identifier(word.name + "_" * bool(re.fullmatch(r"n\d+", word.name)), avoid=taken)
        names.append(name)
        taken.add(name)
    return names


def plain_verilog(circuit: Circuit, ports: Ports) -> str:
    """Module ``top``: one assignment for each node that an output needs, in the order of the circuit.

    The circuit's own gates and nothing else: macros are not respelled, so that what is measured is what was built.
    """
    name = ["1'b0", "1'b1", *ports.bits()[0], *(f"n{net}" for net in range(circuit.first_node, circuit.n_nets))]
    lines = []
    live = needed(circuit)
    rows = zip(circuit.fanin.tolist(), circuit.table.tolist(), circuit.arity.tolist())
    for net, (fanin, table, k) in enumerate(rows, circuit.first_node):
        if net in live:
            value = lut(table, [name[f] for f in fanin[:k]], false="1'b0", true="1'b1")
            lines.append(f"wire n{net} = {value};")
    return module_text(circuit, ports, name, lines)


def module_text(circuit: Circuit, ports: Ports, names: Sequence[str], lines: Sequence[str]) -> str:
    """Module ``top`` around ``lines``, which define the nets; ``names`` has a name for each net of the circuit."""
    declared = [f"input {_range(w)}{n}" for n, w in ports.inputs] + [f"output {_range(w)}{n}" for n, w in ports.outputs]
    ends = [f"assign {port} = {names[net]};" for port, net in zip(ports.bits()[1], circuit.output_nets.tolist())]
    return "\n".join([f"module {TOP}({', '.join(declared)});", *lines, *ends, "endmodule"]) + "\n"


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def needed(circuit: Circuit) -> set[int]:
    """The nets that the outputs depend on, and the outputs."""
    live = set(circuit.output_nets.tolist())
    for net in range(circuit.n_nets - 1, circuit.first_node - 1, -1):
        if net in live:
            row = net - circuit.first_node
            live.update(circuit.fanin[row, : circuit.arity[row]].tolist())
    return {net for net in live if net >= FIRST}


def read_netlist(path: str | Path, like: Circuit, ports: Ports, cells: Mapping[str, Cell] | None = None) -> Circuit:
    """Read a BLIF netlist that Yosys wrote, cells of a library in it, as a circuit with the words of ``like``.

    Parameters
    ----------
    path
        The netlist.
    like, ports
        The circuit that was mapped, and how its words appear.
    cells
        Cells by name, whose functions take the place of their instances.

    Raises
    ------
    ToolError
        Where the ports differ or a cell has no known function.
    """
    text = Path(path).read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", " ", text).split("\n")
    heads = {key: next((line.split()[1:] for line in lines if line.startswith(key + " ")), [])
             for key in (".inputs", ".outputs")}
    if (heads[".inputs"], heads[".outputs"]) != ports.bits():
        raise ToolError(f"the netlist {path} has other ports than circuit {like.name!r}; "
                        f"report this with the version of the tool")
    with tempfile.TemporaryDirectory(prefix="hardwire-") as folder:
        plain = Path(folder) / "plain.blif"
        plain.write_text("\n".join(_as_tables(line, cells or {}) for line in lines), encoding="utf-8")
        circuit = read_blif(plain)
    return circuit.with_(name=like.name, inputs=like.inputs, outputs=like.outputs, labels=like.labels)


def _as_tables(line: str, cells: Mapping[str, Cell]) -> str:
    """An instance of a cell as one ``.names`` for each output that is connected; any other line as it is."""
    if not line.startswith((".subckt ", ".gate ")):
        return line
    _, kind, *connections = line.split()
    net = dict(connection.split("=", 1) for connection in connections)
    if kind not in cells or not cells[kind].combinational:
        raise ToolError(f"the netlist has a cell {kind!r}, whose function is not known; give the library that has it")
    cell = cells[kind]
    return "\n".join(
        " ".join([".names", *(net[pin] for pin in cell.inputs), net[pin]]) + "\n" + _rows(table, len(cell.inputs))
        for pin, table in cell.tables.items() if pin in net)


@lru_cache(maxsize=1 << 12)
def _rows(table: int, k: int) -> str:
    if k == 0:
        return "1" if table else ""
    return "\n".join(f"{row} 1" for row in cover(table, k))


def plain_liberty(library: Library, folder: Path) -> str:
    """A path of the library's file that Yosys and ABC read: itself, or an unpacked copy in ``folder``."""
    path = Path(library.path).resolve()
    if path.suffix not in (".gz", ".xz") and re.fullmatch(r"[\w./+-]+", str(path)):
        return str(path)
    copy = folder / "library.lib"
    copy.write_text(liberty_text(path), encoding="utf-8")
    return copy.name


def mapping_commands(liberty: str, script: str) -> list[str]:
    """Commands that map the design to a library by a script of ABC; cells of the library that stand in it are kept.

    They write ``mapped.json``, for `mapped_area`, and ``mapped.blif``, for `read_netlist`.
    """
    return [f"abc -liberty {liberty} -script +{script}", "opt_clean", *statistics("mapped.json", liberty),
            "write_blif mapped.blif"]


@dataclass(frozen=True)
class MappedArea:
    """What a mapped netlist takes.

    Attributes
    ----------
    ge
        Area over the area of the smallest two-input NAND.
    area
        In the library's unit.
    cells
        How many cells of each kind.
    """

    ge: float
    area: float
    cells: dict[str, int]


def mapped_area(path: Path, library: Library) -> MappedArea:
    """The area of a mapped design and its cells by kind, out of Yosys's statistics, checked against the library.

    Raises
    ------
    ToolError
        Where gates are left that are no cells, or the area is not the sum of the cells' areas.
    """
    said = read_statistics(path)
    cells = {kind: int(count) for kind, count in said.get("num_cells_by_type", {}).items()}
    strange = sorted(set(cells) - set(library.cells))
    if strange:
        raise ToolError(f"the mapped netlist has {cells[strange[0]]} cells {strange[0]!r} that library "
                        f"{library.name!r} does not have: the mapping has failed; give a library that ABC reads")
    area = float(said.get("area", 0.0))
    own = sum(count * library.cells[kind].area for kind, count in cells.items())
    if abs(area - own) > 1e-4 * max(1.0, own):
        raise ToolError(f"Yosys counts an area of {area:g}, but its cells sum to {own:g}; the library was misread")
    return MappedArea(library.gate_equivalents(own), own, dict(sorted(cells.items())))


def sample_codes(circuit: Circuit, x_test: ArrayLike | None, y_test: ArrayLike | None) -> Codes | None:
    """The codes of test samples, None without any; InputError where there are classes alone."""
    if y_test is not None and x_test is None:
        raise InputError("test classes were given without test samples; give both")
    return None if x_test is None else circuit.codes(x_test)


def accuracy_of(netlist: Circuit, codes: Codes | None, y_test: ArrayLike | None) -> float | None:
    """Share of test samples that a netlist classifies right; None without samples and classes."""
    if codes is None or y_test is None:
        return None
    return float(np.mean(PackedEngine(netlist)(codes)[:, 0] == np.asarray(y_test)))


def check_netlist(circuit: Circuit, netlist: Circuit, codes: Codes | None = None, *, timeout: float = 120) -> Verdict:
    """Compare a netlist with its circuit: on all samples where ``codes`` (samples, words) are given, else by proof.

    Raises
    ------
    ToolError
        Where they differ.
    """
    if codes is not None:
        wrong = int((PackedEngine(circuit)(codes) != PackedEngine(netlist)(codes)).any(axis=1).sum())
        verdict = Verdict("refuted" if wrong else "simulated", method="simulation", samples=len(codes),
                          detail=f"{wrong} samples give another output" if wrong else "samples")
    elif timeout <= 0:
        verdict = Verdict("skipped", detail="no proof was asked for")
    else:
        verdict = prove(circuit, netlist, timeout=timeout)
    if verdict.status == "refuted":
        raise ToolError(f"the netlist is not circuit {circuit.name!r} ({verdict.method}: {verdict.detail or verdict}); "
                        f"install another version of pyosys")
    return verdict
