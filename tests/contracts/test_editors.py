"""What a type checker, and so an editor, knows of an installed copy: every public name, and what training returns."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hardwire

ROOT = Path(hardwire.__file__).parent
CODE = """
import hardwire
from hardwire import GroupSum, LogicLayer, LogicClassifier, load_circuit, load_dataset, lower, optimize, train
from hardwire.logic import load_model, preset
from torch import nn

digits = load_dataset("digits")
model = train(preset("digits"), digits)
own = hardwire.train(preset("digits"), digits, network=nn.Sequential(), progress=False)
circuit = lower(nn.Sequential(LogicLayer(64, 100), GroupSum(10)))
reveal_type(hardwire.train)
reveal_type(hardwire.logic.train)
reveal_type(model.network)
reveal_type(own.network)
reveal_type(load_model("run").network)
reveal_type(circuit)
reveal_type(circuit.optimize("O1"))
reveal_type(circuit.prove(circuit))
reveal_type(circuit.emit("c", "out"))
reveal_type(circuit([[0]]))
reveal_type(optimize(circuit))
reveal_type(load_circuit("a.net"))
reveal_type(hardwire.from_pretrained("folder"))
"""
EXPECTED = ["LogicSettings", "LogicSettings", "LogicNetwork", "Sequential", "LogicNetwork", "Circuit", "Circuit", "Verdict",
            "list[pathlib.Path]", "ndarray", "tuple[hardwire.circuit.circuit.Circuit", "Circuit", "Any"]


def test_every_public_name_is_declared():
    """Names of parts too: ``hardwire.logic`` is one without an import of its own."""
    stub = ast.parse((ROOT / "__init__.pyi").read_text(encoding="utf-8"))
    names = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert names == set(hardwire.__all__) >= {"logic", "crossbar", "spiking", "train", "save_pretrained"}
    assert all(alias.asname == alias.name for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names)


@pytest.mark.slow
def test_mypy_knows_an_installed_copy(tmp_path):
    """The files that a wheel has, in a folder of packages, and a script that knows nothing of the checkout."""
    pytest.importorskip("mypy")
    site = tmp_path / "site"
    shutil.copytree(ROOT, site / "hardwire", ignore=shutil.ignore_patterns("*.pyc", "__pycache__", "*.so"))
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "script.py").write_text(CODE)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--follow-imports=silent", "--ignore-missing-imports", "--cache-dir", tmp_path / "cache",
         "script.py"], capture_output=True, text=True, cwd=tmp_path / "code",
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"MYPYPATH": str(site)})
    assert done.returncode == 0, done.stdout + done.stderr
    revealed = re.findall(r'Revealed type is "(.*)"', done.stdout)
    assert len(revealed) == len(EXPECTED)
    for text, words in zip(revealed, EXPECTED):
        assert words in text, text
