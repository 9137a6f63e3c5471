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


class Instance:
    """A module of ``circuit`` in wasmtime, with room for so many samples in its memory.

    Raises
    ------
    MissingToolError
        Without the Python package wasmtime.
    """

    def __init__(self, circuit: Circuit, content: bytes, samples: int) -> None:
        self.circuit = circuit
        self.store, self.exports = instance(content)
        self.heap, block = (self.exports[name].value(self.store) for name in ("heap", "block"))
        self.memory = self.exports["memory"]
        room = -(-max(1, samples) // block) * block
        self.output = self.heap + -(-room * len(circuit.inputs) * circuit.input_dtype.itemsize // 16) * 16
        end = self.output + room * len(circuit.outputs) * circuit.output_dtype.itemsize + 16
        self.memory.grow(self.store, max(0, -(-(end - self.memory.data_len(self.store)) // PAGE)))

    def give(self, codes: Codes) -> None:
        """Copy codes ``(samples, words)`` into the memory."""
        self.memory.write(self.store, codes.tobytes(), self.heap)

    def predict(self, samples: int) -> None:
        """Compute the first samples in the memory."""
        self.exports["predict"](self.store, self.heap, self.output, samples)

    def take(self, samples: int) -> Codes:
        """Copy the output codes ``(samples, output words)`` out of the memory."""
        width, dtype = len(self.circuit.outputs), self.circuit.output_dtype
        content = self.memory.read(self.store, self.output, self.output + samples * width * dtype.itemsize)
        return np.frombuffer(content, dtype).reshape(samples, width)


def in_wasmtime(circuit: Circuit, content: bytes) -> Callable[[ArrayLike], Codes]:
    """Instantiate a module of ``circuit``; the result maps codes ``(samples, words)`` to output codes."""
    machine = Instance(circuit, content, BATCH)

    def execute(x: ArrayLike) -> Codes:
        codes = circuit.codes(x)
        out = np.empty((len(codes), len(circuit.outputs)), circuit.output_dtype)
        for start in range(0, len(codes), BATCH):
            part = codes[start : start + BATCH]
            machine.give(part)
            machine.predict(len(part))
            out[start : start + BATCH] = machine.take(len(part))
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
