"""An equivalence checker that shares nothing with ours: ABC's ``cec`` on AIGER files."""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from hardwire.circuit import Circuit
from hardwire.circuit.formats.aiger import write_aiger

#: What ``cec`` prints at the end, and what it means. Its exit code says nothing.
ANSWERS = {"Networks are equivalent": True, "Networks are NOT EQUIVALENT": False, "Networks are UNDECIDED": None}


def abc() -> str | None:
    """ABC as the wheel of pyosys brings it, else from PATH, or None."""
    spec = importlib.util.find_spec("pyosys")
    beside = [str(Path(spec.origin).with_name("yosys-abc"))] if spec and spec.origin else []
    return next((path for name in (*beside, "yosys-abc", "berkeley-abc", "abc") if (path := shutil.which(name))), None)


def equal(a: Circuit, b: Circuit, *, timeout: float = 600) -> bool | None:
    """Whether the circuits are one function, bits matched by position; None where ABC does not decide it.

    A test that asks is skipped where there is no ABC.
    """
    program = abc()
    if program is None:
        pytest.skip("ABC is not installed (pyosys)")
    if [w.width for w in a.inputs] != [w.width for w in b.inputs] or a.output_widths != b.output_widths:
        return False
    with tempfile.TemporaryDirectory(prefix="hardwire-") as folder:
        write_aiger(a, Path(folder, "a.aig"))
        write_aiger(b, Path(folder, "b.aig"))
        # -n: match by order; ABC would match the names of words otherwise
        command = [program, "-c", "cec -n a.aig b.aig"]
        try:
            said = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout).stdout
        except subprocess.TimeoutExpired:
            return None
    found = {answer for text, answer in ANSWERS.items() if re.search(rf"^{text}", said, re.MULTILINE)}
    assert len(found) == 1, f"ABC gave no verdict: {said}"
    return found.pop()
