"""One check of a circuit: what is run, what the circuit is held against, and the outside program that takes part."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from .. import __version__
from ..core import programs
from ..core.errors import HardwireError, MissingToolError
from ..core.programs import Tool
from ..core.verdict import Verdict

#: What makes a program print its version; others know ``--version``.
VERSION_OPTIONS = {programs.YOSYS: "-V", programs.IVERILOG: "-V"}


@dataclass(frozen=True)
class Check:
    """A row of the table of checks.

    Attributes
    ----------
    run
        Reaches the verdict.
    against
        SHA-256 of the circuit or the file that the circuit is held against; empty where that is made from the circuit.
    tool
        The outside program that takes part.
    """

    run: Callable[[], Verdict]
    against: str = ""
    tool: Tool | None = None


def run_check(check: Callable[[], Verdict]) -> Verdict:
    """Run one check, whose failure is its own verdict."""
    try:
        return check()
    except (Exception, SystemExit) as error:
        return failure(error)


def failure(error: BaseException) -> Verdict:
    """The verdict of a check that failed: a missing tool skips it, any other failure leaves it unknown."""
    if isinstance(error, MissingToolError):
        return Verdict("skipped", detail=_line(error))
    if isinstance(error, HardwireError):
        return Verdict("unknown", detail=_line(error))
    if isinstance(error, MemoryError):
        return Verdict("unknown", detail="the memory did not suffice")
    return Verdict("unknown", detail=f"the check failed with {type(error).__name__}: {_line(error)}")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def bound(verdict: Verdict, check: Check) -> Verdict:
    """``verdict`` with what it was reached against, and by which program of which version."""
    tool, version = "hardwire", __version__
    if check.tool is not None:
        tool, version = check.tool.title, tool_version(check.tool)
    return replace(verdict, against=check.against, tool=tool, version=version)


def tool_version(tool: Tool) -> str:
    """The first line of what a program says of its version; empty where it is not there or does not say."""
    try:
        return _version(tool, programs.require(tool))
    except HardwireError:
        return ""


@lru_cache
def _version(tool: Tool, path: str) -> str:
    option = VERSION_OPTIONS.get(tool, "--version")
    with tempfile.TemporaryDirectory(prefix="hardwire-") as folder:
        said = programs.run_command(tool.title, [path, option], package=tool.package, cwd=folder, timeout=60)
    return "".join(filter(str.isprintable, (said.strip().splitlines() or [""])[0]))[:200]
