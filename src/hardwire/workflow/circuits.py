"""Circuits from and to files and run directories."""

import warnings
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from ..backends import BACKENDS
from ..backends.common import choose_name
from ..circuit import Circuit
from ..circuit.formats.aiger import read_aiger, write_aiger
from ..circuit.formats.blif import read_blif, write_blif
from ..circuit.formats.net import load_circuit as read_net
from ..core.errors import FormatError, InputError
from ..core.verdict import Verdict
from ..flows.asic.projects import ROWS as LAYOUT
from ..runs.directory import OPTIMIZED, RAW, RunDirectory
from ..verify.equivalence import prove, prove_macros
from ..verify.macros import plainly_proved

READERS = {".aig": read_aiger, ".aag": read_aiger, ".blif": read_blif}
#: Target -> back end, projects of layout tools among them.
EMITTERS = {**BACKENDS, **LAYOUT}
TARGETS = (*EMITTERS, "blif", "aiger")


#: Seconds for the proof of a foreign file's macros.
MACRO_SECONDS = 10.0
#: Operands of macros that are looked at: so many, and so many for each net; and comparisons of an arg-max.
OPERANDS, OPERANDS_OF_A_NET, COMPARISONS = 1 << 15, 4, 1 << 20


def load_circuit(path: str | PathLike[str]) -> Circuit:
    """Read a `.net` file, and prove its macros, which back ends and the packed engine compute with.

    Macros that are not proved in a few seconds are left out, with a warning.

    Raises
    ------
    FormatError
        Where the file is truncated, altered, foreign or of another version, or a macro does not hold.
    """
    return proved_in(RunDirectory(Path(path).parent), read_net(path), path)


def proved_in(directory: RunDirectory, circuit: Circuit, path: str | PathLike[str], *,
              progress: Callable[[str], None] | None = None) -> Circuit:
    """The circuit that was read at ``path`` with proved macros; one that was built for the run is taken as it is."""
    if not circuit.macros or circuit.digest in directory.known_circuits():
        return circuit
    return with_proved_macros(circuit, path, progress=progress)


def with_proved_macros(circuit: Circuit, path: str | PathLike[str], *, seconds: float = MACRO_SECONDS,
                       progress: Callable[[str], None] | None = None) -> Circuit:
    """The circuit that a file from elsewhere holds, with those of its macros that are proved.

    Parameters
    ----------
    circuit, path
        What was read, and where.
    seconds
        For the proof of the macros whose gates do not show that they hold.
    progress
        Told of macros that are left out; without it that is a warning.

    Raises
    ------
    FormatError
        Where a macro is refuted.
    """
    room, kept = OPERANDS + OPERANDS_OF_A_NET * circuit.n_nets, []
    for macro in circuit.macros:
        room -= len(macro.inputs)
        if room >= 0 and (macro.kind != "argmax" or macro.value * len(macro.inputs) <= COMPARISONS):
            kept.append(macro)
    plain = set(plainly_proved(circuit.with_(macros=tuple(kept))))
    rest = tuple(macro for macro in kept if macro not in plain)
    verdict = prove_macros(circuit.with_(macros=rest), timeout=seconds) if rest else Verdict("proved")
    if verdict.status == "refuted":
        what = verdict.detail.partition(", ")[2].replace(", ", " ")
        raise FormatError(f"{path} states what is not so: {what}; write the file anew without that macro")
    sound = tuple(macro for macro in kept if macro in plain or verdict.passed)
    if len(sound) == len(circuit.macros):
        return circuit
    say = progress or (lambda text: warnings.warn(text, stacklevel=3))
    say(f"{path}: {len(circuit.macros) - len(sound)} of {len(circuit.macros)} macros are not proved and left out; "
        f"`hardwire verify` has more time for them")
    return circuit.with_(macros=sound)


def circuit_of(path: str | Path, *, macros: Literal["proved", "stated"] = "proved",
               progress: Callable[[str], None] | None = None) -> Circuit:
    """Return the circuit at ``path``: a circuit file of any kind that can be read, or a run directory's best one.

    Parameters
    ----------
    path
        The file or the run directory.
    macros
        ``proved``: what a file from elsewhere states is proved, or left out and told to ``progress``; a run directory
        knows the circuits that were built in it. ``stated``: they are taken as the file states them.
    """
    path = Path(path)
    directory = RunDirectory(path if path.is_dir() else path.parent)
    if path.is_dir():
        files = [path / name for name in (OPTIMIZED, RAW) if (path / name).is_file()]
        if not files:
            raise InputError(f"{path} holds no circuit; {directory.way_to_circuit()}")
        path = files[0]
    circuit = READERS.get(path.suffix, read_net)(path)
    return circuit if macros == "stated" else proved_in(directory, circuit, path, progress=progress)


def raw_circuit_of(path: str | Path, *, progress: Callable[[str], None] | None = None) -> Circuit:
    """Return the circuit that `hardwire lower` left in a run directory; InputError where there is none."""
    file = Path(path) / RAW
    if not file.is_file():
        raise InputError(f"{path} holds no {RAW}; run `hardwire lower {path}` first")
    return proved_in(RunDirectory(path), read_net(file), file, progress=progress)


def prove_pass(before: Circuit, after: Circuit) -> Verdict:
    """Prove that a pass kept the function, and that the macros which it left hold."""
    return prove(before, after, macros=True)


def emit_circuit(circuit: Circuit, target: str, out: str | Path, **options: Any) -> list[Path]:
    """Write ``circuit`` for ``target``, a back end, ``aiger`` or ``blif``, into folder ``out``; return the files.

    Options are those of the back end's ``emit``; one that is 0, empty or None is not given.
    """
    out = Path(out)
    given = {name: value for name, value in options.items() if value}
    known = EMITTERS[target].options if target in EMITTERS else ()
    if "pipeline" in given and "pipeline" not in known:
        raise InputError(f"{target} has no registers; leave the pipeline out, or choose verilog")
    strange = next((name for name in given if name not in known), None)
    if strange is not None:
        targets = ", ".join(name for name, backend in EMITTERS.items() if strange in backend.options)
        raise InputError(f"{target} knows no {strange.replace('_', ' ')}; leave it out, or choose one of {targets}")
    if target == "aiger":
        return [write_aiger(circuit, out / f"{choose_name(circuit, None)}.aig")]
    if target == "blif":
        return [write_blif(circuit, out / f"{choose_name(circuit, None)}.blif")]
    return EMITTERS[target].emit(circuit, out, **given)
