"""Files of samples run through a circuit: read, computed by a chosen executor, named, written."""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backends import BACKENDS
from ..circuit import Circuit
from ..circuit.engine.packed import PackedEngine
from ..circuit.simulate import simulate
from ..core.errors import FormatError, InputError
from ..core.files import write_bytes
from ..data.arrays import read_npy
from ..data.ranges import check_ranges

Codes = NDArray[np.uint64]


def named_rows(circuit: Circuit, out: Codes, outputs: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Return each sample's ``{output word: code}``, with the ``label`` of its class where the circuit has labels.

    Parameters
    ----------
    circuit
        What the samples ran through.
    out
        Output words (samples, words).
    outputs
        As ``outputs_of`` gives them: adds the ``values``, {name: value} of targets, {name: 0 or 1} of labels.
    """
    unknown = next((o["word"] for o in outputs if o["word"] not in {w.name for w in circuit.outputs}), None)
    if unknown is not None:
        raise FormatError(f"the run's notes name an output {unknown!r} that the circuit has not; lower the run anew")
    rows: list[dict[str, Any]] = [dict(zip((w.name for w in circuit.outputs), row)) for row in out.tolist()]
    for row in rows if outputs else ():
        row["values"] = {o["name"]: o["bias"] + o["scale"] * row[o["word"]] if "scale" in o else row[o["word"]]
                         for o in outputs}
    if circuit.labels and circuit.outputs[0].name == "class_index":
        for row in rows:
            index = row["class_index"]
            row["label"] = circuit.labels[index] if index < len(circuit.labels) else str(index)
    return rows


def executor(backend: str) -> Callable[[Circuit], Callable[[Codes], Codes]]:
    """Return ``circuit -> (codes -> codes)`` by name."""
    if backend == "packed":
        return PackedEngine
    if backend == "interpreter":
        return lambda circuit: lambda x: simulate(circuit, x)
    run = BACKENDS[backend].run
    if run is None:
        raise InputError(f"what back end {backend} writes cannot be run here; choose packed or interpreter")
    return lambda circuit: partial(run, circuit)


def load_samples(path: str | Path, circuit: Circuit) -> NDArray[Any]:
    """Read samples (samples, words) from a .npy file; images are flattened, a single sample is a batch of one."""
    if not Path(path).exists():
        raise InputError(f"{path} does not exist; give a .npy file")
    x = read_npy(path)
    if x.ndim > 2:
        return x.reshape(len(x), math.prod(x.shape[1:]))
    return x[None] if x.ndim == 1 and len(x) == len(circuit.inputs) else x


def codes_of_samples(circuit: Circuit, x: NDArray[Any], *, as_is: bool = False,
                     progress: Callable[[str], None] = lambda text: None) -> Codes:
    """Turn samples in physical values (samples, words) into the circuit's input codes.

    ``progress`` is told of values outside the trained range. Unless ``as_is``, values that were scaled since training
    are refused, see ``data.ranges``.
    """
    remarks = check_ranges(x, circuit.inputs, as_is=as_is, override="--as-is")
    codes = circuit.codes_of_values(x)
    for remark in remarks:
        progress(remark)
    return codes


def save_array(path: str | Path, array: NDArray[Any]) -> None:
    """Write a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    write_bytes(path, buffer.getvalue())
