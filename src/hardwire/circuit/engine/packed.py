"""The fast engine: 512 samples at a time, one bit each, with no compile step for a circuit.

Gates are put in an order in which long runs of equal gates follow each other; a run is one tight loop over wide words.
Rows of memory are reused as soon as their value is dead. Comparisons of an input word with a constant happen while the
input is packed; population counts and the arg-max have kernels of their own (the circuit's macros say where they are).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.bits import Codes
from ...core.errors import InputError
from ...core.threads import run_jobs, workspace
from ..circuit import Circuit
from . import kernels
from .program import compile_program

LANES = kernels.LANES


class PackedEngine:
    """Runs a circuit on many samples: ``engine(x)`` for codes of any batch size and memory layout.

    Parameters
    ----------
    circuit
        What to run.
    threads
        How many share the blocks; the answer does not depend on it.
    """

    def __init__(self, circuit: Circuit, *, threads: int = 1) -> None:
        if threads < 1:
            raise InputError(f"threads is {threads}; use at least 1")
        self.circuit, self.threads = circuit, threads
        self.program = compile_program(circuit)

    def __repr__(self) -> str:
        return f"<PackedEngine of {self.circuit!r}, threads {self.threads}>"

    def __call__(self, x: ArrayLike) -> Codes:
        """Codes or physical values ``(samples, input words)`` to codes ``(samples, output words)``, as ``simulate``."""
        x = self.circuit.codes(x)
        out = np.empty((len(x), len(self.circuit.outputs)), self.circuit.output_dtype)
        starts = range(0, len(x), kernels.BLOCK)
        per_job = max(1, -(-len(starts) // (4 * self.threads)))

        def work(job: int) -> None:
            buffers = self._buffers()
            for start in starts[job * per_job : (job + 1) * per_job]:
                self._encode(x, start, buffers)
                self._evaluate(buffers)
                kernels.decode(buffers.memory, self.program.outputs, self.program.first_bit, start, out)

        run_jobs(work, -(-len(starts) // per_job), self.threads)
        return out

    def _buffers(self) -> "Buffers":
        p, dtype = self.program, self.circuit.input_dtype
        memory, best, turned = workspace(np.uint64, p.rows * LANES, p.scratch * LANES, 64)
        for row, value in zip(p.constants, (0, 2**64 - 1)):
            memory[row * LANES : (row + 1) * LANES] = value
        staged = np.empty(64 * (len(self.circuit.inputs) + 63), dtype)
        return Buffers(memory, best, staged, np.empty(8 * 64, np.uint8), turned)

    def _encode(self, x: Codes, start: int, buffers: "Buffers") -> None:
        p, b = self.program, buffers
        kernels.encode(x, start, p.word, p.mask, p.threshold, b.staged, b.octets, b.turned, b.memory)

    def _evaluate(self, buffers: "Buffers") -> None:
        p = self.program
        kernels.evaluate(buffers.memory, p.op, p.begin, p.end, p.a, p.b, p.out, buffers.best)


class Buffers(NamedTuple):
    """One thread's memory: the rows, the arg-max's best word so far, and what packing works with."""

    memory: NDArray[np.uint64]
    best: NDArray[np.uint64]
    staged: NDArray[np.unsignedinteger[Any]]
    octets: NDArray[np.uint8]
    turned: NDArray[np.uint64]
