"""Modules executed: in wasmtime, in this process, and through the emitted JavaScript in Node."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...circuit import Circuit
from ...core.bits import Codes
from ...core.errors import MissingToolError
from .binary import PAGE

#: Samples that are in the module's memory at a time.
BATCH = 4096


def in_wasmtime(circuit: Circuit, content: bytes) -> Callable[[ArrayLike], Codes]:
    """Instantiate a module of ``circuit``; the result maps codes ``(samples, words)`` to output codes.

    Raises
    ------
    MissingToolError
        Without the Python package wasmtime.
    """
    store, exports = instance(content)
    heap, block = (exports[name].value(store) for name in ("heap", "block"))
    memory, predict = exports["memory"], exports["predict"]
    words, outputs = len(circuit.inputs), len(circuit.outputs)
    batch = max(block, BATCH // block * block)
    output = heap + -(-batch * words * circuit.input_dtype.itemsize // 16) * 16
    end = output + batch * outputs * circuit.output_dtype.itemsize + 16
    memory.grow(store, max(0, -(-(end - memory.data_len(store)) // PAGE)))

    def execute(x: ArrayLike) -> Codes:
        codes = circuit.codes(x)
        out = np.empty((len(codes), outputs), circuit.output_dtype)
        for start in range(0, len(codes), batch):
            part, result = codes[start : start + batch], out[start : start + batch]
            memory.write(store, part.tobytes(), heap)
            predict(store, heap, output, len(part))
            content = memory.read(store, output, output + result.nbytes)
            result[:] = np.frombuffer(content, circuit.output_dtype).reshape(result.shape)
        return out

    return execute


def instance(content: bytes) -> tuple[Any, Any]:
    """A store of wasmtime, and the exports of a module in it."""
    try:
        wasmtime = import_module("wasmtime")
    except ImportError:
        raise MissingToolError("wasmtime was not found: install the Python package wasmtime") from None
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    return store, wasmtime.Instance(store, wasmtime.Module(engine, content), []).exports(store)
