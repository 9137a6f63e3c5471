"""What an emitted model takes of a microcontroller, worded."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..backends.c.footprint import CHIPS, CORES, DEFAULT_CHIPS, Footprint, fits, footprint
from ..circuit import Circuit
from ..core.errors import InputError, MissingToolError, ToolError
from .circuits import circuit_of


@dataclass(frozen=True)
class Footprints:
    """What was measured, and the lines that say it: sizes, programs that are missing, chips that are too small."""

    taken: tuple[Footprint, ...]
    lines: tuple[str, ...]
    fits: dict[str, bool]

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {"footprints": [asdict(one) for one in self.taken], "fits": self.fits}


def check_chip(target: str, chip: str | None) -> None:
    """Refuse a chip that is unknown, and one for a target that is no C."""
    if chip is None:
        return
    if target != "c":
        raise InputError(f"{target} is not for microcontrollers; leave --chip out, or choose c")
    if chip not in CHIPS:
        raise InputError(f"chip {chip!r} is none of {', '.join(sorted(CHIPS))}; choose one with like memories")


def footprints(path: str | Path, files: Sequence[Path], chip: str | None = None, *,
               progress: Callable[[str], None] | None = None) -> Footprints:
    """Measure the model's header among ``files``, which were emitted of the circuit at ``path``.

    Parameters
    ----------
    path
        A circuit or a run.
    files
        What ``emit`` wrote.
    chip
        A key of ``CHIPS``; by default one of each core.
    progress
        Called with a line before each compilation.
    """
    header = next(file for file in files if file.name.endswith("_model.h"))
    return footprints_of(circuit_of(path), header, chip, progress=progress)


def footprints_of(circuit: Circuit, header: Path, chip: str | None = None, *,
                  progress: Callable[[str], None] | None = None) -> Footprints:
    """Measure the header of a circuit, as ``footprints`` does."""
    taken, lines, suits = list[Footprint](), list[str](), dict[str, bool]()
    for key in (chip,) if chip else DEFAULT_CHIPS:
        core = CORES[CHIPS[key].core]
        if progress:
            progress(f"emit: size on {core.title}")
        try:
            one = footprint(circuit, header, CHIPS[key].core)
        except (MissingToolError, ToolError, InputError) as error:
            lines.append(f"{core.title}: size unknown: {error}")
            continue
        taken.append(one)
        trouble = fits(one, CHIPS[key])
        suits[key] = not trouble
        lines.append(f"{core.title}: {one.flash:,} bytes of flash, {one.ram:,} of RAM ({one.compiler}, -Os); "
                     f"{trouble or f'fits {CHIPS[key].title}'}")
    return Footprints(tuple(taken), tuple(lines), suits)
