"""The page's scripts in Node: decompression, the payload, the circuit computed, the graph."""

import json
import shutil
import subprocess
import zlib
from base64 import b64encode

import numpy as np
import pytest
from helpers import random_circuit, trained_like

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.cost import total_gates
from hardwire.report.instrument import _FOLDER, SCRIPTS, Carried, Instrument, packed, spread
from hardwire.verify.vectors import vectors
from hardwire.workflow.page import graph_of

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")


def in_node(program: str, value: object = None, scripts=SCRIPTS[:4]) -> object:
    """What ``program`` returns of ``value`` behind the page's scripts that need no browser."""
    text = "\n".join((_FOLDER / f"{name}.js").read_text() for name in scripts)
    code = f"'use strict';\n{text}\nconst value = JSON.parse(require('fs').readFileSync(0, 'utf8'));\n" \
           f"console.log(JSON.stringify((() => {{ {program} }})()));"
    done = subprocess.run(["node", "-e", code], input=json.dumps(value), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def carried(circuit, codes, **changes) -> Instrument:
    samples = Carried(codes=codes, truth=np.zeros(len(codes), np.int64), answers=PackedEngine(circuit)(codes),
                      rows=np.arange(len(codes)), total=len(codes))
    values = {"task": "classify", "classes": circuit.labels or ["a", "b"], "meaning": [], "shape": None} | changes
    return Instrument(graph_of(circuit), samples=samples, **values)


def test_inflate_reads_every_kind_of_block():
    rng = np.random.default_rng(0)
    texts = [b"", b"a", bytes(300), rng.bytes(70_000), b"abcabcabd" * 999, rng.integers(0, 4, 40_000, np.uint8).tobytes()]
    given = []
    for text in texts:
        for level in (0, 1, 9):
            given.append([b64encode(zlib.compress(text, level)).decode(), len(text)])
        fixed = zlib.compressobj(9, zlib.DEFLATED, 15, 8, zlib.Z_FIXED)
        given.append([b64encode(fixed.compress(text) + fixed.flush()).decode(), len(text)])
    found = in_node("return value.map(([t, n]) => Buffer.from(inflate(Buffer.from(t, 'base64'), n)).toString('base64'));", given)
    assert found == [b64encode(text).decode() for text in texts for _ in range(4)]


@pytest.mark.parametrize("damage", ["short", "size"])
def test_inflate_refuses_damaged_data(damage):
    data = zlib.compress(b"hardwire" * 100, 9)
    given = [b64encode(data[:12] if damage == "short" else data).decode(), 800 if damage == "short" else 801]
    said = in_node("try { inflate(Buffer.from(value[0], 'base64'), value[1]); return ''; } catch (e) { return e.message; }", given)
    assert "compressed data" in said


@pytest.mark.parametrize("seed", range(4))
def test_the_engine_answers_as_the_packed_one(seed):
    rng = np.random.default_rng(seed)
    circuit = (random_circuit(rng, n_inputs=9, width=40, n_outputs=70, max_arity=6) if seed < 2 else
               trained_like(rng, bits=9 if seed == 3 else 4, width=120))
    codes = vectors(circuit, 300 + 71 * seed)
    payload = packed(carried(circuit, codes))
    words = in_node("const p = readPayload(value[0], value[1]); return [Array.from(new Engine(p.circuit).run(p.samples.codes)), "
                    "Array.from(p.samples.codes), Array.from(p.samples.answers)];", [payload.text, payload.size])
    assert words[1] == codes.ravel().tolist()
    assert words[0] == words[2] == PackedEngine(circuit)(codes).ravel().tolist()


def test_wide_words():
    b = CircuitBuilder("wide")
    b.output("y", b.input("x", 40))
    codes = np.array([[0], [1], [2**40 - 1], [2**33 + 5]], np.uint64)
    payload = packed(carried(b.build(), codes % 2**16))
    words = in_node("const p = readPayload(value[0], value[1]); return Array.from(new Engine(p.circuit).run(value[2]));",
                    [payload.text, payload.size, codes.ravel().tolist()])
    assert words == codes.ravel().tolist()


def test_the_graph_is_the_circuits():
    circuit = trained_like(np.random.default_rng(3), width=90)
    instrument = carried(circuit, vectors(circuit, 50), classes=list("abcd"))
    payload, graph = packed(instrument), instrument.graph
    level, path, reads, gates, marks, fanout = in_node(
        "const p = readPayload(value[0], value[1]), g = new Graph(p.circuit, p.gates); let n = 0;"
        "for (let net = 0; net < g.level.length; net++) n += g.isGate(net);"
        "return [Array.from(g.level), g.criticalPath(p.circuit.outputNets).length, Array.from(g.wordReads(g.live)), n,"
        "Array.from(g.live), Array.from(g.readers)];", [payload.text, payload.size])
    assert level == circuit.level.tolist() and gates == total_gates(circuit)
    assert path == len(graph.critical_path()) == circuit.depth + 1
    assert marks == graph.live.astype(int).tolist() and fanout == graph.fan_out.tolist()
    assert reads == graph.input_reads().tolist() and sum(reads) > 0


def test_the_classes_counts_are_those_of_the_head():
    circuit = trained_like(np.random.default_rng(5), width=96, classes=4).with_(labels=tuple("abcd"))
    codes = vectors(circuit, 200)
    payload = packed(carried(circuit, codes))
    rows = in_node("const p = readPayload(value[0], value[1]), e = new Engine(p.circuit), k = p.circuit.inputs.length;"
                   "return Array.from({length: p.samples.count}, (_, i) => {"
                   "const r = e.one(p.samples.codes.subarray(i * k, (i + 1) * k)); return [r.words[0], ...r.votes]; });",
                   [payload.text, payload.size])
    answers, votes = np.array(rows)[:, 0], np.array(rows)[:, 1:]
    assert votes.shape == (len(codes), 4) and votes.max() > 2
    assert (answers == votes.argmax(axis=1)).all() and (answers == PackedEngine(circuit)(codes)[:, 0]).all()


def test_without_proved_macros_no_counts_are_shown():
    circuit = trained_like(np.random.default_rng(5)).with_(labels=tuple("abcd"))
    assert graph_of(circuit).votes.shape == (4, graph_of(circuit).votes.shape[1])
    assert len(graph_of(circuit.with_(macros=())).votes) == 0


def test_codes_of_values_are_the_circuits():
    words = [[8, 0.0, 1.0], [4, -3.5, 0.25], [1, 10.0, 1.0]]
    values = [-1e9, -3.5, -3.26, -1.0, 0.0, 0.3, 5.0, 11.0, 1e9]
    found = in_node("return value[0].map(([width, offset, step]) => value[1].map((v) => codeOf({name: '', width, offset, step}, v)));",
                    [words, values])
    b = CircuitBuilder("codes")
    for i, (width, offset, step) in enumerate(words):
        b.output(f"y{i}", b.input(f"x{i}", width, offset=offset, step=step))
    circuit = b.build()
    assert found == circuit.codes(np.array([values] * 3).T).T.tolist()


def test_a_page_stays_under_its_limit_and_says_what_is_left_out():
    circuit = trained_like(np.random.default_rng(0), width=200)
    instrument = carried(circuit, vectors(circuit, 1000))
    whole = packed(instrument)
    assert whole.samples == len(instrument.samples.rows) and whole.left_out == ()
    less = packed(instrument, len(whole.text) - 1)
    assert 0 < less.samples < whole.samples and "chosen samples" in less.left_out[0] and len(less.text) < len(whole.text)
    assert packed(instrument, 100) is None
    module = np.random.default_rng(1).bytes(4000)
    with_module = Instrument(**{**vars(instrument), "wasm": module})
    assert len(packed(with_module).text) > len(whole.text)
    said = packed(with_module, len(whole.text) + 10)
    assert said.samples == whole.samples and "WebAssembly" in said.left_out[0]


@pytest.mark.parametrize("total, count", [(0, 5), (1, 5), (10, 3), (1797, 1000), (10, 10)])
def test_samples_are_evenly_spaced(total, count):
    rows = spread(total, count)
    assert len(rows) == min(total, count) and (np.diff(rows) >= 1).all()
    if len(rows) > 1:
        assert rows[0] == 0 and rows[-1] == total - 1
