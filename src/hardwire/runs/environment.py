"""Where a run ran: versions, machine and commit."""

import os
import platform
import re
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from ..core.errors import ToolError
from ..core.programs import run_command
from .record import Environment

PACKAGES = ("hardwire", "numpy", "torch", "numba", "aigverse", "matplotlib")


def environment() -> Environment:
    """Return versions, machine, the commit of the checkout or None, and the date in UTC.

    Versions are read from package metadata, so that nothing is imported for them; a package that is absent is left out.
    """
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return Environment(versions=versions, machine=_machine(), commit=_commit(), date=date)


def _machine() -> dict[str, str | int | None]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cpu": _cpu(), "cores": cores, "memory_bytes": _memory(), "system": platform.system(),
            "architecture": platform.machine()}


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    line = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", text, re.MULTILINE)
    return line.group(1).strip() if line else platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _commit() -> str | None:
    """Return the checkout's commit, with ``-dirty`` where files differ; None when the package is not tracked there."""
    package = Path(__file__).resolve().parents[1]
    if _git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    return _git(package, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        said = run_command("Git", ["git", "-C", str(folder), *arguments], package="the Debian package git", timeout=10,
                           errors=False)
    except ToolError:
        return None
    return said.strip() or None
