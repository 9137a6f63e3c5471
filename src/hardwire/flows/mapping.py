"""A circuit mapped to a library by scripts of our own: least area, or least delay.

Area: ABC's ``amap``, which recovers area everywhere, where the board's ``map`` does so off the critical path only.
Where the library has full-adder cells, a second netlist has the circuit's counters and adders in them, which ABC never
does; the smaller netlist is taken. Delay: ABC's ``&nf`` with buffers and gate sizes by the library's delay tables.
"""

import re
import tempfile
import time
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple

from numpy.typing import ArrayLike

from ..circuit import Circuit
from ..core.bits import Codes
from ..core.errors import InputError
from ..core.verdict import Verdict
from ..cost.liberty import Library, read_liberty
from ..verify import prove, prove_macros
from .adders import adder_verilog, find_adders, with_columns
from .board import OPTIMISE
from .netlist import (
    READ_COMMANDS,
    MappedArea,
    Ports,
    check_netlist,
    mapped_area,
    mapping_commands,
    plain_liberty,
    plain_verilog,
    read_netlist,
)
from .yosys import run_yosys, version_of

Objective = Literal["area", "delay"]
#: ABC's scripts, commas for spaces; ``stime`` prints the delay by the library's tables, without wires.
SCRIPTS: dict[Objective, str] = {
    "area": f"{OPTIMISE};amap;topo;stime",
    "delay": "strash;dc2;&get,-n;&nf;&put;buffer,-c;upsize;dnsize;topo;stime",
}
_DELAY = re.compile(r"Delay =\s*([\d.]+) ps")


@dataclass(frozen=True)
class MappedScore(MappedArea):
    """What our mapping gives for a circuit, beside its area.

    Attributes
    ----------
    delay_ps
        The longest path in picoseconds by ABC's ``stime``: the library's tables, no wires. None for a netlist with
        adder cells, whose two outputs ABC does not time.
    method
        The netlist that was taken, a key of ``alternatives``.
    version
        Of Yosys.
    seconds
        Wall time.
    verified
        How the netlist was compared with the circuit.
    alternatives
        Gate equivalents of each netlist that was tried, by method.
    """

    delay_ps: float | None
    method: str
    version: str
    seconds: float
    verified: Verdict
    alternatives: dict[str, float]


class MappedNetlist(NamedTuple):
    """A mapped netlist.

    Attributes
    ----------
    score
        Its figures.
    blif, ports
        Its text as Yosys wrote it, and how the circuit's words appear in it.
    circuit
        What was read back from the text, which ``score.verified`` is about.
    library
        The library.
    log
        What Yosys printed.
    """

    score: MappedScore
    blif: str
    ports: Ports
    circuit: Circuit
    library: Library
    log: str


class _Design(NamedTuple):
    """A text for synthesis, the circuit that it spells, and whether cells of the library stand in it."""

    text: str
    circuit: Circuit
    adders: bool = False


def map_score(circuit: Circuit, liberty: str | PathLike[str] | Library, *, objective: Objective = "area",
              samples: ArrayLike | None = None, timeout: float = 1800, proof_timeout: float = 120) -> MappedScore:
    """Map a circuit to a library and compare the netlist with the circuit.

    Parameters
    ----------
    circuit
        Any combinational circuit.
    liberty
        A Liberty file, also ``.gz`` or ``.xz``, or a library that was read from one.
    objective
        Least area or least delay.
    samples
        Codes or physical values (samples, words) to compare on; without them the netlist is proved equal.
    timeout, proof_timeout
        Seconds for Yosys and for the proof; no proof for 0.

    Raises
    ------
    MissingToolError
        Without ``pyosys``.
    ToolError
        Where Yosys or ABC wrote no netlist, or the netlist differs from the circuit.

    Notes
    -----
    A netlist with counters in adder cells is proved in three steps: the circuit's macros hold (SAT), the columns of
    adders preserve the weighted sum of their bits (exact, `adders.preserves_sum`), and the netlist equals the circuit
    with these columns (SAT). Where the first step does not finish, the circuit is proved equal to the one with columns.
    """
    return map_netlist(circuit, liberty, objective=objective, samples=samples, timeout=timeout,
                       proof_timeout=proof_timeout).score


def map_netlist(circuit: Circuit, liberty: str | PathLike[str] | Library, *, objective: Objective = "area",
                samples: ArrayLike | None = None, timeout: float = 1800, proof_timeout: float = 120) -> MappedNetlist:
    """Map a circuit as `map_score` does, and keep the netlist that was taken."""
    if objective not in SCRIPTS:
        raise InputError(f"objective {objective!r} is unknown; choose area or delay")
    start = time.perf_counter()
    library = liberty if isinstance(liberty, Library) else read_liberty(liberty)
    ports = Ports(circuit)
    designs = _designs(circuit, ports, library, objective)
    areas, delays, netlists, texts = {}, {}, {}, dict[str, tuple[str, str]]()
    with tempfile.TemporaryDirectory(prefix="hardwire-") as name:
        folder = Path(name)
        commands = [*READ_COMMANDS, *mapping_commands(plain_liberty(library, folder), SCRIPTS[objective])]
        for method, design in designs.items():
            (folder / "top.v").write_text(design.text, encoding="utf-8")
            said = run_yosys(commands, folder, timeout=timeout, produces=["mapped.json", "mapped.blif"])
            areas[method], delays[method] = mapped_area(folder / "mapped.json", library), _DELAY.findall(said)
            netlists[method] = read_netlist(folder / "mapped.blif", circuit, ports, library.cells)
            texts[method] = (folder / "mapped.blif").read_text(encoding="utf-8"), said
        version = version_of(folder)
    best = min(areas, key=lambda method: areas[method].area)
    codes = None if samples is None else circuit.codes(samples)
    score = MappedScore(
        **vars(areas[best]), delay_ps=float(delays[best][-1]) if delays[best] and not designs[best].adders else None,
        method=best, version=version, seconds=time.perf_counter() - start,
        verified=_verdict(circuit, designs[best], netlists[best], codes, proof_timeout),
        alternatives={method: area.ge for method, area in areas.items()})
    text, log = texts[best]
    return MappedNetlist(score, text, ports, netlists[best], library, log)


def _designs(circuit: Circuit, ports: Ports, library: Library, objective: Objective) -> dict[str, _Design]:
    """The texts that are tried, by method."""
    plain = _Design(plain_verilog(circuit, ports), circuit)
    if objective == "delay":
        return {"nf, buffer, upsize, dnsize": plain}
    designs = {"amap": plain}
    if library.full_adder:
        columns, adders = with_columns(circuit)
        taken = {net for adder in adders for net in (adder.sum, adder.carry)}
        adders += [adder for adder in find_adders(columns) if not taken & {adder.sum, adder.carry}]
        if adders:
            designs["amap, adder cells"] = _Design(adder_verilog(columns, ports, library, adders), columns, adders=True)
    return designs


def _verdict(circuit: Circuit, design: _Design, netlist: Circuit, codes: Codes | None, timeout: float) -> Verdict:
    if codes is not None or design.circuit is circuit or timeout <= 0:
        return check_netlist(circuit, netlist, codes, timeout=timeout)
    verdict = prove_macros(circuit, timeout=timeout / 2)
    if verdict.status != "proved":  # counters that are such columns already are equal gate by gate
        verdict = prove(circuit, design.circuit, timeout=timeout / 2)
    return check_netlist(design.circuit, netlist, timeout=timeout) if verdict.status == "proved" else verdict
