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
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from numpy.typing import ArrayLike

from ..circuit import Circuit
from ..core.verdict import Verdict
from ..cost.liberty import Library, read_liberty
from .netlist import (
    READ_COMMANDS,
    MappedArea,
    Ports,
    accuracy_of,
    check_netlist,
    mapped_area,
    mapping_commands,
    plain_liberty,
    plain_verilog,
    read_netlist,
    sample_codes,
)
from .yosys import run_yosys, version_of

#: ABC's alias ``resyn2`` in full: Yosys's ABC does not know the alias, and goes on without a netlist.
RESYN2 = "balance;rewrite;refactor;balance;rewrite;rewrite,-z;balance;refactor,-z;rewrite,-z;balance"
#: The board's optimisation, and the same with its mapping, as ABC in Yosys reads it: commas stand for spaces.
OPTIMISE = f"strash;{RESYN2};dc2;{RESYN2};resub,-K,8;dc2;{RESYN2}"
OPT = f"{OPTIMISE};map"


@dataclass(frozen=True)
class BoardScore(MappedArea):
    """What the board's script gives for a circuit, beside its area.

    Attributes
    ----------
    accuracy
        Share of test samples that the NAND netlist classifies right; None without samples and classes.
    version
        Of Yosys.
    seconds
        Wall time.
    verified
        How the mapped netlist (``mapped``) and, with samples, the NAND netlist (``nand``) were compared with the
        circuit.
    """

    accuracy: float | None
    version: str
    seconds: float
    verified: dict[str, Verdict]


def board_commands(liberty: str, *, nand: bool = True) -> list[str]:
    """The board's commands for ``top.v``: the area by a Liberty file, then, with ``nand``, a netlist of NAND gates."""
    gates = ["design -load plain", f"abc -g NAND -script +{OPT}", "opt_clean", "write_blif nand.blif"]
    return [*READ_COMMANDS, "design -save plain", *mapping_commands(liberty, OPT), *(gates if nand else [])]


def board_score(circuit: Circuit, liberty: str | PathLike[str] | Library, x_test: ArrayLike | None = None,
                y_test: ArrayLike | None = None, *, timeout: float = 1800, proof_timeout: float = 120) -> BoardScore:
    """Score a circuit by the board's script.

    Parameters
    ----------
    circuit
        Any combinational circuit; one of 784 words of 8 bits gets the board's ports, another one port a word.
    liberty
        A Liberty file, also ``.gz`` or ``.xz``, or a library that was read from one.
    x_test, y_test
        Test samples, codes or physical values (samples, words), and their classes (samples,). Both netlists are
        simulated on all samples. Without samples there is no NAND netlist, and the mapped one is proved equal.
    timeout, proof_timeout
        Seconds for Yosys and for the proof; no proof for 0.

    Raises
    ------
    MissingToolError
        Without ``pyosys``.
    ToolError
        Where Yosys or ABC wrote no netlist, or a netlist differs from the circuit.
    """
    start = time.perf_counter()
    codes = sample_codes(circuit, x_test, y_test)
    library = liberty if isinstance(liberty, Library) else read_liberty(liberty)
    ports = Ports(circuit, joined=is_board_shaped(circuit))
    products = ["mapped.json", "mapped.blif"] + ["nand.blif"] * (codes is not None)
    with tempfile.TemporaryDirectory(prefix="hardwire-") as name:
        folder = Path(name)
        (folder / "top.v").write_text(plain_verilog(circuit, ports), encoding="utf-8")
        run_yosys(board_commands(plain_liberty(library, folder), nand=codes is not None), folder, timeout=timeout,
                  produces=products)
        area = mapped_area(folder / "mapped.json", library)
        netlists = {"mapped": read_netlist(folder / "mapped.blif", circuit, ports, library.cells)}
        if codes is not None:
            netlists["nand"] = read_netlist(folder / "nand.blif", circuit, ports)
        version = version_of(folder)
    verified = {key: check_netlist(circuit, netlist, codes, timeout=proof_timeout) for key, netlist in netlists.items()}
    accuracy = accuracy_of(netlists["nand"], codes, y_test) if codes is not None else None
    return BoardScore(**vars(area), accuracy=accuracy, version=version, seconds=time.perf_counter() - start,
                      verified=verified)


def is_board_shaped(circuit: Circuit) -> bool:
    """Whether a circuit reads 784 bytes and gives one class index of four bits, as the board asks."""
    return circuit.input_widths == [8] * 784 and circuit.output_widths == [4]
