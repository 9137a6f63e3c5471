"""Your own table: a CSV file with a label column becomes a circuit that reads the sensor's words.

The table here is scikit-learn's iris data, written to a temporary file; put the path of yours in its place.
"""

import csv
import tempfile
from pathlib import Path

from sklearn.datasets import load_iris

from hardwire import PackedEngine, load_dataset, lower, optimize, train
from hardwire.logic import LogicSettings


def write_iris(path: Path) -> Path:
    iris = load_iris()
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["sepal_length", "sepal_width", "petal_length", "petal_width", "species"])
        rows.writerows([*x, iris.target_names[y]] for x, y in zip(iris.data.tolist(), iris.target))
    return path


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        table = load_dataset(write_iris(Path(folder) / "iris.csv"), label="species")
    config = LogicSettings(encoder="quantile", levels=7, code_bits=8, wiring="random", layers=2, width=300, steps=300, batch=32,
                    learning_rate=0.03)
    run = train(config, table)
    circuit, _ = optimize(lower(run.network, run.encoder, name="iris", labels=table.classes, features=table.features))
    found = PackedEngine(circuit)(table.test.x)[:, 0]  # real values in: each word's offset and step are in the circuit
    print(f"{circuit!r}: test accuracy {100 * (found == table.test.y).mean():.1f} %")
    print([circuit.labels[i] for i in found[:5]])
