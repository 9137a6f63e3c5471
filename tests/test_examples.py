"""Every example runs as it stands, with warnings as errors, and prints what it promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, *arguments) -> str:
    """What the example prints; one thread, since small layers do not gain from more."""
    done = subprocess.run([sys.executable, "-W", "error", EXAMPLES / name, *map(str, arguments)], capture_output=True, text=True,
                          env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_xor():
    said = run("01_xor.py")
    assert "n4 = XOR(x, y)" in said and "[0 1 1 0]" in said and said.endswith("proved\n")


@pytest.mark.slow
def test_digits():
    said = run("02_digits.py")
    assert float(re.search(r"hard test accuracy ([\d.]+) %", said)[1]) >= 95
    before, after = map(int, re.findall(r"'gates': (\d+)", said))
    assert after < before and said.endswith("proved\n")


@pytest.mark.slow
def test_your_csv():
    said = run("03_your_csv.py")
    assert float(re.search(r"test accuracy ([\d.]+) %", said)[1]) >= 85
    assert "'virginica'" in said and "<Circuit 'iris': 4 inputs" in said


def test_without_torch(lowered, tmp_path):
    from hardwire import save_circuit

    said = run("04_without_torch.py")
    assert "[0 0 3 2 3]" in said and "torch is loaded: False" in said
    assert "torch is loaded: False" in run("04_without_torch.py", save_circuit(lowered, tmp_path / "digits.net"))


@pytest.mark.slow
def test_sklearn():
    said = run("05_sklearn.py")
    assert float(re.search(r"accuracy ([\d.]+) %", said)[1]) >= 90 and "<Circuit 'LogicClassifier': 30 inputs" in said
    assert said.endswith("proved\n")


def test_import_difflogic():
    said = run("06_import_difflogic.py")
    assert "n4 = A_AND_NOT_B(x0, x1)" in said and "[1 0] a is larger" in said and "[0 1] b is larger" in said


@pytest.mark.slow
def test_regression():
    said = run("07_regression.py")
    error, spread = map(float, re.search(r"test error ([\d.]+) where always answering the mean has ([\d.]+)", said).groups())
    assert error < 0.85 * spread and "value = bias + scale * count" in said and said.count("true") == 5


@pytest.mark.slow
def test_share_a_model():
    said = run("08_share_a_model.py")
    assert "\nproved\n" in said and "README.md circuit.net config.json model.safetensors" in said
    assert "digits LogicNetwork(LogicLayer(" in said and float(re.search(r"test accuracy ([\d.]+) %", said)[1]) >= 70


def test_every_example_is_tested():
    named = set(re.findall(r'run\("(\w+\.py)"', Path(__file__).read_text(encoding="utf-8")))
    assert named == {p.name for p in EXAMPLES.glob("*.py")}
