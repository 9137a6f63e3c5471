"""The open board's figure: gate equivalents of a whole circuit, raw words in and decision out, by its own script.

Notes
-----
The contract of the board: a combinational ``module top(input [6271:0] pix, output [3:0] cls)``, pixel ``p`` in
``pix[8p +: 8]``, mapped to sky130 hd by Yosys and ABC with the script below; one gate equivalent is the area of the
smallest two-input NAND. Accuracy is that of a second netlist of NAND gates, from the same script, on all test samples.

References
----------
github.com/simon-jonas-buehrer/LGN-mnist-benchmark, July 2026.
"""

import tempfile
import time
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..circuit import Circuit
from ..circuit.engine.packed import PackedEngine
from ..core.errors import InputError, ToolError
from ..core.verdict import Verdict
from ..cost.liberty import Library, liberty_text, read_liberty
from .netlist import TOP, Ports, plain_verilog, read_netlist
from .yosys import read_statistics, run_yosys, statistics, version_of

#: ABC's alias ``resyn2`` in full: Yosys's ABC does not know the alias, and goes on without a netlist.
RESYN2 = "balance;rewrite;refactor;balance;rewrite;rewrite,-z;balance;refactor,-z;rewrite,-z;balance"
#: The board's optimisation and mapping, as ABC in Yosys reads it: commas stand for spaces.
OPT = f"strash;{RESYN2};dc2;{RESYN2};resub,-K,8;dc2;{RESYN2};map"


@dataclass(frozen=True)
class BoardScore:
    """What the board's script gives for a circuit.

    Attributes
    ----------
    ge
        Area over the area of the smallest two-input NAND.
    area
        In the library's unit.
    cells
        How many cells of each kind.
    accuracy
        Share of test samples that the NAND netlist classifies right; None without labels.
    version
        Of Yosys.
    seconds
        Wall time.
    verified
        How the NAND netlist (``nand``) and the mapped netlist (``mapped``) were compared with the circuit.
    """

    ge: float
    area: float
    cells: dict[str, int]
    accuracy: float | None
    version: str
    seconds: float
    verified: dict[str, Verdict] = field(default_factory=dict)


def board_commands(liberty: str) -> list[str]:
    """The board's commands for ``top.v``: the area by a Liberty file, then the netlist of NAND gates."""
    return [
        "read_verilog -sv top.v", f"synth -top {TOP} -flatten -noabc", "opt -full", "design -save plain",
        f"abc -liberty {liberty} -script +{OPT}", "opt_clean", *statistics("mapped.json", liberty),
        "write_blif mapped.blif",
        "design -load plain", f"abc -g NAND -script +{OPT}", "opt_clean", *statistics("nand.json"),
        "write_blif nand.blif",
    ]


def board_score(circuit: Circuit, liberty: str | PathLike[str] | Library, x_test: ArrayLike | None = None,
                y_test: ArrayLike | None = None, *, timeout: float = 1800) -> BoardScore:
    """Score a circuit by the board's script.

    Parameters
    ----------
    circuit
        Any combinational circuit; one of 784 words of 8 bits gets the board's ports, another one port a word.
    liberty
        A Liberty file, also ``.gz`` or ``.xz``, or a library that was read from one.
    x_test, y_test
        Test samples, codes or physical values (samples, words), and their classes (samples,).
    timeout
        Seconds for Yosys.

    Raises
    ------
    MissingToolError
        Without ``pyosys``.
    ToolError
        Where Yosys or ABC wrote no netlist, or the netlist differs from the circuit.
    """
    start = time.perf_counter()
    if y_test is not None and x_test is None:
        raise InputError("test classes were given without test samples; give both")
    library = liberty if isinstance(liberty, Library) else read_liberty(liberty)
    ports = Ports(circuit, joined=is_board_shaped(circuit))
    with tempfile.TemporaryDirectory(prefix="hardwire-") as name:
        folder = Path(name)
        file = plain_liberty(library, folder)
        (folder / "top.v").write_text(plain_verilog(circuit, ports), encoding="utf-8")
        run_yosys(board_commands(file), folder, timeout=timeout,
                  produces=["mapped.json", "mapped.blif", "nand.json", "nand.blif"])
        area, cells = mapped_area(folder / "mapped.json", library)
        mapped = read_netlist(folder / "mapped.blif", circuit, ports, library.cells)
        nand = read_netlist(folder / "nand.blif", circuit, ports)
        version = version_of(folder)
    verified: dict[str, Verdict] = {}
    accuracy = None
    if x_test is not None:
        codes = circuit.codes(x_test)
        expected = PackedEngine(circuit)(codes)
        for key, netlist in (("mapped", mapped), ("nand", nand)):
            words = PackedEngine(netlist)(codes)
            verified[key] = compare(expected, words)
        if y_test is not None:
            accuracy = float(np.mean(words[:, 0] == np.asarray(y_test)))
    return BoardScore(library.gate_equivalents(area), area, cells, accuracy, version, time.perf_counter() - start,
                      verified)


def is_board_shaped(circuit: Circuit) -> bool:
    """Whether a circuit reads 784 bytes and gives one class index of four bits, as the board asks."""
    return circuit.input_widths == [8] * 784 and circuit.output_widths == [4]


def plain_liberty(library: Library, folder: Path) -> str:
    """A path of the library's file that Yosys and ABC read: itself, or an unpacked copy in ``folder``."""
    path = Path(library.path).resolve()
    if path.suffix not in (".gz", ".xz") and " " not in str(path):
        return str(path)
    copy = folder / "library.lib"
    copy.write_text(liberty_text(path), encoding="utf-8")
    return copy.name


def mapped_area(path: Path, library: Library) -> tuple[float, dict[str, int]]:
    """The area of a mapped design and its cells by kind, out of Yosys's statistics, checked against the library.

    Raises
    ------
    ToolError
        Where gates are left that are no cells, or the area is not the sum of the cells' areas.
    """
    said: dict[str, Any] = read_statistics(path)
    cells = {kind: int(count) for kind, count in said.get("num_cells_by_type", {}).items()}
    strange = sorted(set(cells) - set(library.cells))
    if strange:
        raise ToolError(f"the mapped netlist has {cells[strange[0]]} cells {strange[0]!r} that library "
                        f"{library.name!r} does not have; the mapping has failed")
    area = float(said.get("area", 0.0))
    own = sum(count * library.cells[kind].area for kind, count in cells.items())
    if abs(area - own) > 1e-4 * max(1.0, own):
        raise ToolError(f"Yosys counts an area of {area:g}, but its cells sum to {own:g}; the library was misread")
    return area, dict(sorted(cells.items()))


def compare(expected: NDArray[Any], words: NDArray[Any]) -> Verdict:
    """Whether a netlist gives what the circuit gives on the same samples (samples, words)."""
    wrong = int((expected != words).any(axis=1).sum())
    if wrong:
        return Verdict("refuted", method="simulation", samples=len(words),
                       detail=f"{wrong} of {len(words)} samples give another output")
    return Verdict("simulated", method="simulation", samples=len(words), detail="samples")
