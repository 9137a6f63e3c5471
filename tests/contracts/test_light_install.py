"""Without any extra: circuits are run, shown, optimised, proved and emitted, and what more is needed is said in one sentence."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import hardwire
from hardwire.circuit import CircuitBuilder, save_circuit
from hardwire.core.extras import EXTRAS, attach, missing, require

ROOT = Path(hardwire.__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: What no package of the base brings.
ABSENT = sorted({*EXTRAS, "scipy", "pandas", "pyarrow", "joblib", "markupsafe", "torchvision"})
BLOCK = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


def names(requirements):
    return {re.split(r"[>=<;\[ ]", text)[0] for text in requirements}


def python(code, cwd):
    return subprocess.run([sys.executable, "-c", BLOCK + code], capture_output=True, text=True, cwd=cwd)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("light")
    b = CircuitBuilder("xor", labels=("equal", "different"))
    x, y = b.input("x"), b.input("y")
    b.output("class_index", b.node(0b0110, x[0], y[0]))
    save_circuit(b.build(), folder / "xor.net")
    np.save(folder / "x.npy", np.array([[0, 1], [1, 1]], np.uint8))
    return folder


def test_circuits_need_no_extra(folder):
    """One process for all verbs, as each start costs a second."""
    said = python("""
from hardwire.cli import main
for line in ("show xor.net", "run xor.net --input x.npy", "emit xor.net --to c --out c", "emit xor.net --to verilog --out v",
             "optimize xor.net --out best.net", "verify best.net --against xor.net", "--version"):
    assert main(line.split()) == 0, line
import hardwire
circuit = hardwire.load_circuit("xor.net")
print(hardwire.PackedEngine(circuit)([[0, 1], [1, 1]])[:, 0], circuit.optimize().prove(circuit), circuit)
""", folder)
    assert said.returncode == 0, said.stderr
    assert "different\nequal" in said.stdout and "equivalence" in said.stdout and "[1 0] proved <Circuit 'xor'" in said.stdout
    assert (folder / "c" / "xor.c").is_file() and [*(folder / "v").glob("*xor*.v")]


@pytest.mark.parametrize("line, package, extra", [
    ("train my.csv --out r", "torch", "train"), ("lower r", "torch", "train"), ("emit xor.net --to onnx --out o", "onnx", "onnx")])
def test_a_verb_names_the_extra(folder, line, package, extra):
    (folder / "my.csv").write_text("a,b,label\n" + "1,2,x\n2,1,y\n" * 20)
    said = python(f"from hardwire.cli import main; sys.exit(main({line.split()!r}))", folder)
    assert said.returncode == 2 and "Traceback" not in said.stderr, said.stderr
    *_, last = said.stderr.splitlines()
    assert re.fullmatch(rf"hardwire: .* needs {package}, which is not installed; run `pip install 'hardwire\[{extra}\]'`, in a checkout `pip install '\.\[{extra}\]'`", last)


def test_a_name_says_its_extra(folder):
    said = python("""
import hardwire, hardwire.report
from hardwire.core.errors import HardwireError
for part, name in ((hardwire, "train"), (hardwire, "LogicClassifier"), (hardwire.report, "write_html")):
    try:
        getattr(part, name)
    except ImportError as error:
        print(isinstance(error, HardwireError), error)
try:
    from hardwire import lower
except ImportError as error:
    print(error)
""", folder)
    assert said.returncode == 0, said.stderr
    assert said.stdout.count("True") == 3 and said.stdout.count("pip install 'hardwire[train]'") == 3
    assert "hardwire.lower needs torch" in said.stdout and "pip install 'hardwire[report]'" in said.stdout


def test_extras_are_those_of_the_project():
    extras, base = PROJECT["optional-dependencies"], names(PROJECT["dependencies"])
    for package, extra in EXTRAS.values():
        assert package in names(extras[extra]) and package not in base
    inside = set(re.search(r"\[(.*)\]", extras["all"][0])[1].split(","))
    assert inside >= {"train", "verify", "report", "onnx"} and inside <= set(extras) and "hardwire[all]" in extras["dev"]


def test_other_failures_of_an_import_stay():
    assert missing(ModuleNotFoundError("no", name="numpy")) is None and missing(ImportError("broken", name="torch")) is None
    with pytest.raises(ModuleNotFoundError, match="No module named 'not_there'"):
        require("not_there", "this")
    get, _, listed = attach("hardwire", hardwire.__file__)
    assert "train" in listed
    with pytest.raises(AttributeError):
        get("not_there")
