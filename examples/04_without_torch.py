"""Load a circuit from disk and run it. Nothing here imports torch: numpy and Numba suffice.

python examples/04_without_torch.py [CIRCUIT.net]
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from hardwire import CircuitBuilder, PackedEngine, load_circuit, save_circuit
from hardwire.circuit.arithmetic import argmax


def largest_of_four(path: Path) -> Path:
    """A circuit for want of one of yours: which of four bytes is the largest."""
    b = CircuitBuilder("largest")
    b.output("index", argmax(b, [b.input(f"x{i}", 8) for i in range(4)]))
    return save_circuit(b.build(), path)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else largest_of_four(Path(folder) / "largest.net")
        engine = PackedEngine(load_circuit(path))
    largest = [(1 << width) - 1 for width in engine.circuit.input_widths]
    codes = np.random.default_rng(0).integers(0, largest, (5, len(largest)), endpoint=True)
    print(codes, "->", engine(codes)[:, 0])
    print("torch is loaded:", "torch" in sys.modules)
