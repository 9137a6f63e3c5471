"""Train for a moment, save a folder in the layout of the Hugging Face hub, read it back, and run the circuit without torch."""

import tempfile
from pathlib import Path

from hardwire import from_pretrained, load_circuit, load_dataset, lower, train
from hardwire.logic import LogicSettings

digits = load_dataset("digits")
settings = LogicSettings(width=200, layers=2, levels=2, steps=100, evaluate_every=50, batch=64)
model = train(settings, digits, progress=False)
raw = lower(model.network, model.encoder, name="digits", labels=digits.classes, features=digits.features)
circuit = raw.optimize("O1")
print(circuit)
print(raw.prove(circuit))

with tempfile.TemporaryDirectory() as folder:
    saved = model.save_pretrained(Path(folder) / "digits-logic", circuit=circuit)
    print(*sorted(path.name for path in saved.iterdir()))
    again = from_pretrained(saved)
    print(again.dataset["name"], again.network)
    same = load_circuit(saved / "circuit.net")
print(f"test accuracy {100 * (same(digits.test.x)[:, 0] == digits.test.y).mean():.2f} %")
