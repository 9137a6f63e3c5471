import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from circuits import CIRCUITS, classifier, samples

from hardwire.backends import BACKENDS
from hardwire.backends.wasm import backend, module
from hardwire.backends.wasm.engines import in_wasmtime, instance
from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax, popcount
from hardwire.circuit.simulate import simulate, simulate_bits
from hardwire.core import programs as tools
from hardwire.core.bits import codes_to_bits
from hardwire.core.errors import InputError, MissingToolError

pytest.importorskip("wasmtime", reason="no wasmtime: install the Python package wasmtime")


@pytest.mark.parametrize("simd", [True, False])
@pytest.mark.parametrize("name", CIRCUITS)
def test_equals_the_interpreter(name, simd):
    circuit = CIRCUITS[name]()
    execute = in_wasmtime(circuit, module(circuit, simd=simd))
    codes = samples(circuit, 300)
    expected = simulate(circuit, codes)
    for n in (0, 1, 63, 64, 65, 127, 128, 129, 300):
        got = execute(codes[:n])
        assert got.dtype == circuit.output_dtype
        np.testing.assert_array_equal(got, expected[:n])


@pytest.mark.parametrize("simd", [True, False])
@pytest.mark.parametrize("width, classes", [(5, 1), (95, 5), (96, 2), (230, 4), (600, 3)])
def test_counts_as_loops(width, classes, simd):
    """Of every length about a multiple of sixteen, beside counts as gates."""
    circuit = classifier(width=width, classes=classes, layers=3, seed=width)
    codes = samples(circuit, 129)
    expected = simulate(circuit, codes)
    sizes = set()
    for counted in (1, 1 << 30):
        content = module(circuit, simd=simd, counted=counted)
        sizes.add(len(content))
        np.testing.assert_array_equal(in_wasmtime(circuit, content)(codes), expected)
    assert len(sizes) == 1 + (width // classes >= 16)


def test_a_net_counted_twice_and_counts_of_counts():
    b = CircuitBuilder()
    x, y = b.input("x", 40), b.input("y", 20)
    nets = [b.xor(x[i], x[i + 1]) for i in range(39)]
    first = popcount(b, [*nets, nets[0], nets[0], x[3], 1, 0, b.not_(x[4])])
    second = popcount(b, [*nets[:20], *first, *y, b.not_(nets[1]), b.not_(nets[1])])
    b.output("a", first)
    b.output("b", [*second, second[0], 1, 0, b.not_(second[1])])
    b.output("class", argmax(b, [first, second]))
    circuit = b.build()
    codes = samples(circuit, 300)
    for simd in (True, False):
        execute = in_wasmtime(circuit, module(circuit, simd=simd, counted=1))
        np.testing.assert_array_equal(execute(codes), simulate(circuit, codes))


@pytest.mark.parametrize("simd", [True, False])
@pytest.mark.parametrize("name", CIRCUITS)
def test_planes_to_planes(name, simd):
    """``run`` on the bits of a block, without packing."""
    circuit = CIRCUITS[name]()
    store, exports = instance(module(circuit, simd=simd))
    block, inputs, outputs = (exports[n].value(store) for n in ("block", "inputs", "outputs"))
    assert block == (128 if simd else 64)
    bits = codes_to_bits(samples(circuit, block, seed=3), circuit.input_widths)
    exports["memory"].write(store, np.packbits(bits.T, axis=1, bitorder="little").tobytes(), inputs)
    exports["run"](store)
    size = len(circuit.output_nets) * block // 8
    got = np.frombuffer(exports["memory"].read(store, outputs, outputs + size), np.uint8).reshape(-1, block // 8)
    np.testing.assert_array_equal(np.unpackbits(got, axis=1, bitorder="little").T, simulate_bits(circuit, bits))


@pytest.mark.parametrize("simd", [True, False])
def test_the_same_bytes_and_a_valid_module(tmp_path, simd):
    circuit = classifier()
    content = module(circuit, simd=simd)
    assert content == module(classifier(), simd=simd) and circuit.digest.encode() in content
    if not shutil.which("wasm-validate"):
        pytest.skip("no wasm-validate: install the Debian package wabt")
    path = tmp_path / "m.wasm"
    path.write_bytes(content)
    subprocess.run(["wasm-validate", path], check=True)
    text = subprocess.run(["wasm-objdump", "-d", path], capture_output=True, text=True, check=True).stdout
    assert ("v128" in text) == simd


def test_a_circuit_without_outputs_is_refused():
    with pytest.raises(InputError, match="no outputs"):
        module(classifier().with_(outputs=(), output_nets=np.zeros(0, np.int32)))


# --------------------------------------------------------------------------------------------------- the folder for npm

node = pytest.mark.skipif(tools.find(tools.NODE) is None, reason="no node: install the Debian package nodejs")


def in_node(folder, script):
    """What a script prints, which runs in a folder."""
    (folder / "script.mjs").write_text(script)
    done = subprocess.run([tools.find(tools.NODE), "script.mjs"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@node
@pytest.mark.parametrize("name", ["every_gate", "wide_words", "no_inputs", "eight_bit"])
def test_node_equals_the_interpreter(name):
    circuit = CIRCUITS[name]()
    codes = samples(circuit, 150)
    for simd in (True, False):
        got = BACKENDS["wasm"].run(circuit, codes, engine="node", simd=simd)
        assert got.dtype == circuit.output_dtype
        np.testing.assert_array_equal(got, simulate(circuit, codes))


@node
@pytest.mark.parametrize("name", ["classifier", "wide_words", "no_inputs"])
def test_the_self_test_says_pass_and_finds_a_fault(name, tmp_path):
    paths = BACKENDS["wasm"].emit(CIRCUITS[name](), tmp_path / "p", name="net")
    assert [p.name for p in paths] == ["net.wasm", "net_i64.wasm", "net.js", "net.d.ts", "package.json", "README.md",
                                       "test.mjs"]
    command = [tools.find(tools.NODE), "test.mjs"]
    done = subprocess.run(command, cwd=tmp_path / "p", capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("PASS"), done.stdout + done.stderr
    assert subprocess.run(command, cwd=tmp_path / "p", capture_output=True, text=True).stdout == done.stdout
    other = CIRCUITS[name]()
    turned = other.with_(output_nets=np.r_[other.output_nets[1:], 1 - other.output_nets[:1].clip(0, 1)])
    paths[1].write_bytes(module(turned, simd=False))
    done = subprocess.run(command, cwd=tmp_path / "p", capture_output=True, text=True)
    assert done.returncode == 1 and "FAIL: net_i64.wasm" in done.stdout and "FAIL: net.wasm" not in done.stdout


@node
def test_raw_numbers_to_codes_and_values_in_their_unit(tmp_path):
    b = CircuitBuilder('odd "name"\u2028 </script> \\ */')
    x = [b.input("length", 4, offset=-1.5, step=0.25), b.input("constructor", 8), b.input("w", 40, step=0.5)]
    for i, word in enumerate(x):
        b.output(f"y{i}", word, offset=10.0 * i, step=0.125)
    circuit = b.build()
    BACKENDS["wasm"].emit(circuit, tmp_path, name="net")
    values = np.random.default_rng(0).normal(0, 20, (200, 3)) * [0.1, 10, 1e11]
    codes = circuit.codes(values)
    expected = np.array([0, 10, 20]) + 0.125 * codes
    out = json.loads(in_node(tmp_path, f"""
        import {{ readFile }} from "node:fs/promises";
        import * as net from "./net.js";
        const model = await net.load(), rows = {json.dumps(values.tolist())};
        const named = rows.map((row) => Object.fromEntries(net.inputs.map((word, i) => [word.name, row[i]])));
        const refused = [];
        for (const bad of [[[1, 2]], [[1, NaN, 2]], [{{ length: 1 }}]]) {{
          try {{ model.predict(bad); }} catch (error) {{ refused.push(error.message); }}
        }}
        console.log(JSON.stringify({{
          codes: Array.from(net.encode(rows), String), rows: model.predict(rows), named: model.predict(named),
          typed: model.predict(rows.map((row) => Float64Array.from(row))), name: net.name, refused,
          again: (await net.load(new Response(await readFile("net.wasm")))).block,
        }}));"""))
    assert out["name"] == circuit.name and out["again"] == 128
    assert np.array_equal(np.array(out["codes"], dtype=np.uint64).reshape(-1, 3), codes)
    for key in ("rows", "named", "typed"):
        assert [list(row) for row in out[key]] == [["y0", "y1", "y2"]] * 200
        np.testing.assert_array_equal([list(row.values()) for row in out[key]], expected)
    assert [m.split(";")[0] for m in out["refused"]] == [
        "sample 0 has 2 numbers", 'sample 0 has NaN in input "constructor"',
        'sample 0 has function Object() { [native code] } in input "constructor"']


@node
def test_classes_have_their_labels(tmp_path):
    b = CircuitBuilder("c", labels=("cat", 'd"o"g', "cat"))
    b.output("class_index", b.input("x", 2))
    circuit = b.build()
    BACKENDS["wasm"].emit(circuit, tmp_path)
    out = in_node(tmp_path, """import { load, labels } from "./c.js";
        console.log(JSON.stringify([(await load()).predict([[0], [1], [2], [3]]), labels]));""")
    assert json.loads(out) == [["cat", 'd"o"g', "cat", "3"], list(circuit.labels)]
    types = (tmp_path / "c.d.ts").read_text()
    assert 'type Prediction = "cat" | "d\\"o\\"g";' in types and "Words = Uint8Array" in types


def test_another_package_is_not_overwritten(tmp_path):
    (tmp_path / "package.json").write_text('{"name": "site"}')
    with pytest.raises(InputError, match=r"package.json is no file of hardwire's; give an empty folder"):
        BACKENDS["wasm"].emit(classifier(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["package.json"]
    for _ in range(2):
        BACKENDS["wasm"].emit(classifier(), tmp_path / "mine")


def test_the_engine_that_is_at_hand(monkeypatch):
    circuit = CIRCUITS["every_gate"]()
    codes = samples(circuit, 5)
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    monkeypatch.setenv("HARDWIRE_NODE", "no-such-program")
    with pytest.raises(MissingToolError, match="HARDWIRE_NODE"):
        BACKENDS["wasm"].run(circuit, codes)
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    with pytest.raises(MissingToolError, match="install the Python package wasmtime"):
        BACKENDS["wasm"].run(circuit, codes, engine="wasmtime")
