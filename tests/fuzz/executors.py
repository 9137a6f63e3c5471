"""Do packed engine, interpreter and compiled C agree on a circuit?"""

import ctypes

import numpy as np
from helpers import _macro_value, _number

from hardwire.backends.c.backend import emit
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.simulate import simulate_bits
from hardwire.core import programs
from hardwire.core.bits import bits_to_codes
from hardwire.verify import prove_macros

#: Inputs up to so many bits are tried exhaustively, and macros over them decided by that.
FEW = 9


def with_true_macros(circuit, bits):
    """The circuit without its false macros, and the values of its outputs on ``bits``.

    Whether a macro is true is another question: the circuit's own nodes define it.
    """
    values = simulate_bits(circuit, bits, np.arange(circuit.n_nets))
    true = tuple(m for m in circuit.macros if _holds(m, values))
    circuit = circuit.with_(macros=true)
    decided = circuit.n_input_bits <= FEW and all(len(m.inputs) <= 62 for m in true)
    if true and not decided and prove_macros(circuit, timeout=5).status != "proved":
        circuit = circuit.with_(macros=())
    return circuit, bits_to_codes(values[:, circuit.output_nets], circuit.output_widths)


def _holds(macro, values):
    if macro.kind != "popcount" and len(macro.inputs) // (macro.value if macro.kind == "argmax" else 1) > 62:
        return True  # wider than what is computed here; `prove_macros` decides
    return np.array_equal(_number(values[:, list(macro.outputs)]), _macro_value(macro, values[:, list(macro.inputs)]))


def bits_of(circuit):
    """Every input where there are few, else zeros, ones and random ones; an odd number of samples."""
    n = circuit.n_input_bits
    if n <= FEW:
        return np.resize(np.arange(1 << n), max(67, 1 << n))[:, None] >> np.arange(n) & 1 == 1
    rng = np.random.default_rng(n)
    return np.vstack([np.zeros(n, dtype=bool), np.ones(n, dtype=bool), rng.random((65, n)) < 0.5])


class Agreement:
    """Checks circuits by the packed engine at once, and keeps every ``every``-th one for C."""

    def __init__(self, every=1):
        self.every, self.seen, self.kept = every, 0, []

    def __call__(self, circuit):
        bits = bits_of(circuit)
        circuit, expected = with_true_macros(circuit, bits)
        codes = bits_to_codes(bits, circuit.input_widths)
        assert np.array_equal(PackedEngine(circuit)(codes), expected), f"packed engine:\n{circuit.text()}"
        values = np.array([-1e308, -1.5, 0.0, 5e-324, 0.7, 3.0, 1e19, 1e308])
        assert len(circuit.codes(np.repeat(values[:, None], len(circuit.inputs), axis=1))) == len(values)
        if circuit.outputs and self.seen % self.every == 0:
            self.kept.append((circuit, codes, expected))
        self.seen += 1

    def compile(self, folder, batch=50):
        """Compile what is kept, ``batch`` circuits in a library, and compare both entries."""
        for start in range(0, len(self.kept), batch):
            part = self.kept[start : start + batch]
            files = [emit(circuit, folder, name=f"c{start + i}")[0] for i, (circuit, _, _) in enumerate(part)]
            library = folder / f"{start}.so"
            programs.run(programs.CC, ["-std=c99", "-shared", "-fPIC", "-O0", "-w", "-o", library, *files], produces=[library])
            functions = ctypes.CDLL(str(library))
            for i, (circuit, codes, expected) in enumerate(part):
                self._compare(functions, f"c{start + i}", circuit, codes, expected)
        return len(self.kept)

    @staticmethod
    def _compare(functions, name, circuit, codes, expected):
        codes = np.ascontiguousarray(codes, dtype=circuit.input_dtype)
        out = np.zeros((len(codes), len(circuit.outputs)), dtype=circuit.output_dtype)
        getattr(functions, f"{name}_batch")(ctypes.c_void_p(codes.ctypes.data), ctypes.c_void_p(out.ctypes.data),
                                            ctypes.c_size_t(len(codes)))
        assert np.array_equal(out, expected), f"C, batch:\n{circuit.text()}"
        one = getattr(functions, f"{name}_one")
        for row, result in zip(codes, expected):
            got = np.zeros(len(circuit.outputs), dtype=circuit.output_dtype)
            one(ctypes.c_void_p(np.ascontiguousarray(row).ctypes.data), ctypes.c_void_p(got.ctypes.data))
            assert np.array_equal(got, result), f"C, one sample:\n{circuit.text()}"
