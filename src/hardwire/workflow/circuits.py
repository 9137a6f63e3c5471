"""Circuits from and to files and run directories."""

from pathlib import Path

from ..backends import BACKENDS
from ..backends.common import choose_name
from ..circuit import Circuit, load_circuit
from ..circuit.formats.aiger import read_aiger, write_aiger
from ..circuit.formats.blif import read_blif, write_blif
from ..core.errors import InputError
from ..runs.directory import OPTIMIZED, RAW

READERS = {".aig": read_aiger, ".aag": read_aiger, ".blif": read_blif}
TARGETS = (*BACKENDS, "blif", "aiger")


def circuit_of(path: str | Path) -> Circuit:
    """Return the circuit at ``path``: a circuit file of any kind that can be read, or a run directory's best one."""
    path = Path(path)
    if path.is_dir():
        files = [path / name for name in (OPTIMIZED, RAW) if (path / name).is_file()]
        if not files:
            raise InputError(f"{path} holds no circuit; run `hardwire lower {path}` first")
        path = files[0]
    return READERS.get(path.suffix, load_circuit)(path)


def emit_circuit(circuit: Circuit, target: str, out: str | Path, *, pipeline: int = 0) -> list[Path]:
    """Write ``circuit`` for ``target``, a back end, ``aiger`` or ``blif``, into folder ``out``; return the files."""
    out = Path(out)
    if pipeline and not (target in BACKENDS and BACKENDS[target].pipeline):
        raise InputError(f"{target} has no registers; leave the pipeline out, or choose verilog")
    if target == "aiger":
        return [write_aiger(circuit, out / f"{choose_name(circuit, None)}.aig")]
    if target == "blif":
        return [write_blif(circuit, out / f"{choose_name(circuit, None)}.blif")]
    return BACKENDS[target].emit(circuit, out, **({"pipeline": pipeline} if pipeline else {}))
