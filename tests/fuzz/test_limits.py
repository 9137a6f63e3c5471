"""Files under 1 MB that are made to cost: each reader takes at most 5 s and 1 GB, and ends in a circuit or one sentence."""

import gzip
import hashlib
import json
import lzma
import subprocess
import sys
from pathlib import Path

import pytest


def net(body, end="output y 0\n"):
    body = f"name x\ninput x 1 0.0 1.0\n{body}{end}"
    return f"hardwire-net 1\n{body}digest {hashlib.sha256(body.encode()).hexdigest()}\n"


def words(inputs, labels=(), name="x"):
    return "hardwire " + json.dumps({"name": name, "labels": labels, "inputs": inputs, "outputs": [["y", 1]]}) + "\n"


def blif(body, inputs="a", comment=""):
    return f"{comment}.model x\n.inputs {inputs}\n.outputs y\n{body}.end\n"


def lib(function):
    return (f'library(x) {{ cell(a) {{ area : 1; pin(A) {{ direction : input; }} '
            f'pin(Y) {{ direction : output; function : "{function}"; }} }} }}')


AIG = "aig 1 1 0 1 0\n2\nc\n"
WIRE = ".names a y\n1 1\n"

#: File -> its content, and how what is said of it begins.
SMALL = {
    "nodes.net": (net("nodes -1\n"), "it says that it has -1 nodes"),
    "many.net": (net("nodes 99999999999999\n"), "has room for 1"),
    "operands.net": (net("nodes 1\n1 0 " + " ".join(["2"] * 257) + "\n"), "a node has no 1 to 6 operands"),
    "wide.net": (net("nodes 30001\n1 0 " + " ".join(["2"] * 100_000) + "\n" + "1 0 2\n" * 30_000), "a node has no 1 to 6"),
    "digits.net": (net("nodes 0\nmacro ge " + "9" * 4299 + " 2 : 2\n"), "is no whole number"),
    "width.net": (net("nodes 0\ninput z " + "9" * 4299 + " 0.0 1.0\n"), "is no whole number"),
    "words.net": (net("nodes 0\noutput z" + " 2" * 65 + "\n"), "width 65"),
    "nan.net": (net("input z 1 nan 1.0\nnodes 0\n"), "offset nan"),
    "inf.net": (net("input z 1 0.0 inf\nnodes 0\n"), "step inf"),
    "1e308.net": (net("input z 8 -1e308 1e308\nnodes 0\n"), "a finite end of the range"),
    "escape.net": (net("label \x1b[2J\nnodes 0\n"), "has a control character"),
    "twice.net": (net("name y\nnodes 0\n"), "it has 2 names"),
    "header.aig": ("aig 99999999 99999999 0 0 0\n", "declares 99999999 inputs, more than its 28 bytes can use"),
    "larger.aig": ("aig 9999999999 9999999999 0 0 0\n", "more than its 32 bytes can use"),
    "huge.aig": (f"aig {'9' * 400} 0 0 0 0\n", "is no whole number"),
    "header.aag": ("aag 99999999 99999999 0 0 0\n", "declares more than it holds"),
    "deep.aig": (AIG + 'hardwire {"name":' + "[" * 100_000 + "\n", "more than 64 levels"),
    "surrogate.aig": (AIG + words([["x", 1, 0, 1]], ["\ud800"]), "half of a surrogate pair"),
    "wide.aig": (AIG + words([["x", 10**9, 0, 1], ["z", 1 - 10**9, 0, 1]]), "a word has 1000000000 bits"),
    "float.aig": (AIG + 'hardwire {"name":"x","labels":[],"inputs":[["x",1,' + "9" * 400 + ',1]],"outputs":[]}\n', "too large"),
    "symbol.aig": ("aig 1 1 0 1 0\n2\ni-1 a\n", "names no input"),
    "wide.blif": (blif(WIRE, comment="# " + words([["a", 10**8, 0, 1]])), "a word has 100000000 bits"),
    "deep.blif": (blif(WIRE, comment='# hardwire {"name":' + "[" * 100_000 + "\n"), "more than 64 levels"),
    "float.blif": (blif(WIRE, comment='# hardwire {"name":"x","labels":[],"inputs":[["a",1,' + "9" * 400
                        + ',1]],"outputs":[["y",1]]}\n'), "too large"),
    "nested.lib": (lib("(" * 1000 + "A" + ")" * 1000), "which is none of its inputs"),
    "area.lib": ("library(x) { cell(a) { area : inf; } }", "has the area inf"),
    "nan.lib": ("library(x) { cell(a) { area : nan; } }", "has the area nan"),
    "name.lib": ("library(x) { cell(a; endmodule) { area : 1; } }", "of a cell has other signs"),
    "bomb.lib.gz": (gzip.compress(bytes(40 << 20)), "unpacks to more than"),
}

def large():
    """Files of nearly 1 MB, and a packed one that unpacks to 40."""
    return {
        "labels.net": (net("label \n" * 140_000 + "nodes 0\n"), None),
        "chain.net": (net("nodes 80000\n1 1 2\n" + "".join(f"1 1 {i}\n" for i in range(3, 80_002))), None),
        "macros.net": (net("nodes 1\n1 1 2\n" + "macro popcount 0 2 : 3\n" * 40_000), None),
        "long.aig": ("aig 1 1 0 40000 0\n" + "2\n" * 39_999 + "0" * 900_000 + "2\n", "is no whole number"),
        "inverted.aig": ("aig 60000 60000 0 120000 0\n" + "".join(f"{2 * i + 3}\n" for i in range(60_000)) * 2, None),
        "equal.aig": ("aig 60000 60000 0 1 0\n2\n" + "".join(f"i{i} a\n" for i in range(60_000)), None),
        "rows.blif": (blif(".names a b c d e f y\n" + "1-0-1- 1\n010101 1\n" * 55_000, "a b c d e f"), None),
        "inputs.blif": (blif("".join(f".names b{i}\n" for i in range(40_000)) + ".names a1 y\n1 1\n",
                             " ".join(f"a{i}" for i in range(60_000))), None),
        "equal.blif": (blif(".names y\n", " ".join(f"a{chr(0xA1 + i % 500)}{chr(0xA1 + i // 500)}" for i in range(150_000))), None),
        "wide.blif": (blif(".names " + "a " * 200_000 + "y\n" + ("1" * 200_000 + " 1\n") * 2), None),
        "chain.blif": (blif("".join(f".names n{i + 1} n{i}\n1 1\n" for i in range(40_000)) + ".names n0 y\n1 1\n.names a n40000\n1 1\n"),
                       None),
        "comments.lib": ("library(x) {" + "/*" * 490_000, "is not closed"),
        "inverters.lib": (lib("!" * 900_000 + "A"), None),
        "sum.lib": (lib("A+" * 400_000 + "A"), None),
        "outputs.lib": ("library(x) { cell(a) { area : 1; pin(A) { direction : input; } " + "".join(
            f'pin(Y{i}) {{ direction : output; function : "A"; }} ' for i in range(16_000)) + "} }", None),
        "groups.lib": ("library(x) { cell(a) { area : 1; } " + "g(){}" * 190_000 + "}", None),
        "levels.lib": ("library(x) { cell(a) { area : 1; } " + "g(){" * 190_000 + "}" * 190_000 + "}", None),
        "arguments.lib": ("library(x) { cell(a) { area : 1; } g(" + '""' * 240_000 + "," * 240_000 + "){} }", None),
        "statements.lib.gz": (gzip.compress(b"library(x) {" + b"g(){}" * 6_000_000), "groups and attributes"),
        "bomb.lib.xz": (lzma.compress(bytes(40 << 20), preset=0), "unpacks to more than"),
    }


def check(folder, cases):
    for name, (content, _) in cases.items():
        content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        assert len(content) < 1 << 20
        (folder / name).write_bytes(content)
    program = Path(__file__).with_name("read_within_limits.py")
    said = subprocess.run([sys.executable, program, *(folder / name for name in cases)], capture_output=True, text=True)
    lines = said.stdout.splitlines()
    assert len(lines) == len(cases), said.stderr
    wrong = {name: line for (name, (_, says)), line in zip(cases.items(), lines)
             if not (line == "ok" if says is None else line.startswith("refused") and says in line)
             or line.startswith("failed") or len(line) > 1000}
    assert not wrong, said.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process as Linux has them")
def test_small_files_that_declare_much(tmp_path):
    check(tmp_path, SMALL)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process as Linux has them")
def test_files_of_nearly_a_megabyte(tmp_path):
    check(tmp_path, large())
