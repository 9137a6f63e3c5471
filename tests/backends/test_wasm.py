import shutil
import subprocess

import numpy as np
import pytest
from circuits import CIRCUITS, classifier, samples

from hardwire.backends.wasm import module
from hardwire.backends.wasm.engines import in_wasmtime, instance
from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax, popcount
from hardwire.circuit.simulate import simulate, simulate_bits
from hardwire.core.bits import codes_to_bits
from hardwire.core.errors import InputError

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
