"""The verdicts of a run that still hold: each belongs to one circuit, and to what that was held against."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..circuit import Circuit
from ..core.verdict import Verdict
from ..runs.directory import EMIT, RAW, RunDirectory


def verified(directory: RunDirectory, raw: Circuit, circuit: Circuit) -> dict[str, Any]:
    """What a record says of the proofs: ``verified``, ``verified_by``, and ``emitted``, the files that were written.

    Parameters
    ----------
    directory
        Its steps hold the verdicts of ``hardwire verify``, and the emitted files.
    raw, circuit
        The circuit as it was trained, and the one whose record this is.
    """
    steps = directory.steps()
    noted, emitted = steps.get("verify"), steps.get(EMIT, {}).get("emitted", [])
    more = {"emitted": emitted} if emitted else {}
    if noted is None:
        return {"verified": {"all": _void("`hardwire verify` has not run")}, **more}
    if noted.get("digest") != circuit.digest:
        return {"verified": {"all": _void("the circuit has changed since `hardwire verify` ran")}, **more}
    verdicts, by = dict(noted["verdicts"]), dict(noted.get("verified_by", {}))
    reference = by.get("optimized gates", {}).get("against", raw.digest)
    if reference != raw.digest and "inexact" not in steps.get("optimize", {}):
        verdicts["optimized gates"] = _void(f"{RAW} has changed since `hardwire verify` ran")
    for emission in emitted:
        verdicts |= _emitted(directory.path, [file["path"] for file in emission["files"]], verdicts, by)
    kept = {name: values for name, values in by.items() if not isinstance(verdicts.get(name), Verdict)}
    return {"verified": verdicts, **({"verified_by": kept} if kept else {}), **more}


def _void(why: str) -> Verdict:
    return Verdict("skipped", detail=why)


def _emitted(folder: Path, paths: Sequence[str], verdicts: Mapping[str, Any],
             by: Mapping[str, Any]) -> dict[str, Verdict]:
    """What takes the place of the verdicts on emitted files, where these are not the ones that they are of.

    Checks have the name of the first file, the main one; each is of that or of another file beside it.
    """
    main = f"emitted {paths[0]}"
    names = [name for name in verdicts if name == main or name.startswith((f"{main} ", f"{main}, "))]
    if not names:
        return {main: _void("it was emitted since `hardwire verify` ran")}
    contents = {_hash(folder / path) for path in paths}
    return {name: _void("the file has changed since `hardwire verify` ran") for name in names
            if by.get(name, {}).get("against", "") not in contents}


def _hash(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
