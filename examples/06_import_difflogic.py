"""Bring a network that was trained with difflogic: its checkpoint becomes a circuit, which can be optimised, proved and emitted.

Where difflogic is installed, save the state dict together with the wiring, which the state dict lacks:

    wiring = [layer.indices for layer in model if hasattr(layer, "indices")]
    torch.save({"state_dict": model.state_dict(), "wiring": wiring}, "model.pt")

The file here is a stand-in of three gates by difflogic's numbers: 2 is "a and not b", 4 is "b and not a", 9 is "a equals b".
"""

import tempfile
from pathlib import Path

import numpy as np
import torch

from hardwire import PackedEngine, import_difflogic, lower


def stand_in(path: Path) -> Path:
    weights = 5 * torch.nn.functional.one_hot(torch.tensor([2, 4, 9]), 16).float()
    wiring = [(torch.tensor([0, 0, 0]), torch.tensor([1, 1, 1]))]
    torch.save({"state_dict": {"1.weights": weights}, "wiring": wiring}, path)
    return path


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        network = import_difflogic(stand_in(Path(folder) / "model.pt"), inputs=2, classes=3)
    circuit = lower(network, name="compare", labels=["a is larger", "b is larger", "equal"])
    print(circuit.text())
    for bits in np.array([[0, 0], [1, 0], [0, 1], [1, 1]]):
        print(bits, circuit.labels[PackedEngine(circuit)(bits[None])[0, 0]])
