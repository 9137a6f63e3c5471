"""Yosys and its ABC through the Python package ``pyosys``, each run in a process of its own.

A run is judged by the files that it wrote and by what stands in them, never by its exit code alone. Before the first
run a circuit of two gates is mapped and the answer compared: a Yosys whose ABC stops without a word fails there.
"""

import importlib.util
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..core.errors import MissingToolError, ToolError
from ..core.programs import run_command

TITLE = "Yosys (pyosys)"
PACKAGE = "the extra `hardwire[yosys]`, which brings the Python package pyosys"
#: Runs a script and writes the version that ran it. Temporary files, among them what Yosys keeps of a Liberty file for
#: later runs, stay in the folder: another file under the same name must not be answered from an earlier one.
CHILD = """
import os, pathlib
os.environ["TMPDIR"] = os.getcwd()
from pyosys import libyosys
pathlib.Path("version.txt").write_text(libyosys.yosys_maybe_version())
libyosys.run_pass("script run.ys", libyosys.Design())
"""
SCRIPT = "run.ys"


def installed() -> bool:
    """Whether the Python package ``pyosys`` is there."""
    return importlib.util.find_spec("pyosys") is not None


def run_yosys(
    commands: Iterable[str], folder: str | Path, *, produces: Sequence[str], timeout: float = 1800,
) -> str:
    """Run commands of Yosys in ``folder`` and return what it printed.

    Parameters
    ----------
    commands
        Lines of a script.
    folder
        Where the script is written and run; file names in it are relative to this folder.
    produces
        Names of files that it must write.
    timeout
        Seconds, after which the process and the ABC that it started are ended.

    Raises
    ------
    MissingToolError
        Without ``pyosys``.
    ToolError
        Where the self-test fails, a file is missing or empty, or the time is over.
    """
    self_test()
    return _run(commands, Path(folder), produces, timeout)


def _run(commands: Iterable[str], folder: Path, produces: Sequence[str], timeout: float) -> str:
    if not installed():
        raise MissingToolError(f"pyosys was not found: install {PACKAGE}")
    (folder / SCRIPT).write_text("\n".join(commands) + "\n", encoding="utf-8")
    return run_command(TITLE, [sys.executable, "-u", "-c", CHILD], package=PACKAGE, cwd=folder, timeout=timeout,
                       produces=[folder / name for name in (*produces, "version.txt")])


@lru_cache(maxsize=1)
def self_test() -> str:
    """Map ``y = not (a and b), z = a xor b`` with Yosys and its ABC, compare the answer, and return the version.

    Raises
    ------
    MissingToolError
        Without ``pyosys``.
    ToolError
        Where the answer is not one NAND gate and one XOR gate.
    """
    text = "module top(input a, input b, output y, output z); assign y = ~(a & b); assign z = a ^ b; endmodule\n"
    commands = ["read_verilog top.v", "synth -top top -flatten -noabc", "abc -g NAND,XOR", "opt_clean",
                "write_blif top.blif", *statistics("stat.json")]
    with tempfile.TemporaryDirectory(prefix="hardwire-") as name:
        folder = Path(name)
        (folder / "top.v").write_text(text, encoding="utf-8")
        _run(commands, folder, ["top.blif", "stat.json"], 120)
        cells = read_statistics(folder / "stat.json").get("num_cells_by_type")
        if cells != {"$_NAND_": 1, "$_XOR_": 1}:
            raise ToolError(f"{TITLE} mapped two gates to {cells}; install another version of pyosys")
        return version_of(folder)


def version_of(folder: str | Path) -> str:
    """The version of the Yosys that last ran in ``folder``, such as ``Yosys 0.70 (git sha1 28ba3cb92)``."""
    text = (Path(folder) / "version.txt").read_text(encoding="utf-8").strip()
    version, comma, _ = text.partition(",")  # the build and its compiler's path follow, which say nothing of the result
    return f"{version})" if comma else version


def statistics(file: str, liberty: str | None = None) -> list[str]:
    """Commands that write the statistics of the design to ``file`` as JSON."""
    return [f"tee -q -o {file} stat -json" + (f" -liberty {liberty}" if liberty else "")]


def read_statistics(path: str | Path) -> dict[str, Any]:
    """The whole design's numbers in what ``statistics`` wrote.

    Raises
    ------
    ToolError
        Where the file holds no statistics.
    """
    text = Path(path).read_text(encoding="utf-8")
    match = re.search(r"\{.*\}", text, re.DOTALL)
    try:
        design: dict[str, Any] = json.loads(match[0] if match else "")["design"]
    except (ValueError, KeyError) as error:
        raise ToolError(f"{TITLE} wrote no statistics to {path} ({error!r}); install another version") from None
    return design
