"""Regression: a table whose label column is a number becomes a circuit that counts, and a line that turns the count into the number.

The table here is scikit-learn's diabetes data, written to a temporary file: the target is a measure of the disease's progress in the
year after. Put the path of your own table in its place.
"""

import csv
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes

from hardwire import PackedEngine, load_dataset, lower, train
from hardwire.logic import LogicSettings


def write_diabetes(path: Path) -> Path:
    data = load_diabetes(scaled=False)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*data.feature_names, "progress"])
        rows.writerows([*x, y] for x, y in zip(data.data.tolist(), data.target.tolist()))
    return path


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        table = load_dataset(write_diabetes(Path(folder) / "diabetes.csv"), label="progress", task="regress")
    config = LogicSettings(task="regress", encoder="quantile", levels=7, wiring="random", layers=2, width=300, steps=600, batch=64,
                    learning_rate=0.05, evaluate_every=50)
    run = train(config, table)
    circuit = lower(run.network, run.encoder, name="diabetes", features=table.features)
    head = run.network.head.to_dict()
    print(f"{circuit!r}: {head['meaning']}, bias {head['bias'][0]:g}, scale {head['scale'][0]:g}")
    counts = PackedEngine(circuit)(table.test.x)
    values = run.network.head.values(counts)
    error = np.sqrt(((values - table.test.y) ** 2).mean())
    print(f"test error {error:.1f} where always answering the mean has {table.test.y.std():.1f}")
    for count, value, truth in zip(counts[:5, 0], values[:5, 0], table.test.y[:5, 0]):
        print(f"count {count:3}  value {value:6.1f}  true {truth:6.1f}")
