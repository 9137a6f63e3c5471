"""Emitted WebAssembly, read back: what is proved of the bytes is what an engine makes of them."""

import numpy as np
import pytest
from helpers import trained_like

from hardwire.backends.wasm import module
from hardwire.backends.wasm.binary import assemble
from hardwire.backends.wasm.code import SCALAR, SIMD
from hardwire.backends.wasm.count import popcount
from hardwire.backends.wasm.writer import EXPORTS
from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax, at_least
from hardwire.circuit.arithmetic import popcount as count_gates
from hardwire.circuit.simulate import simulate
from hardwire.core.bits import codes_to_bits
from hardwire.core.errors import FormatError, InputError
from hardwire.verify import prove
from hardwire.verify.vectors import vectors
from hardwire.verify.wasm.decoder import decode
from hardwire.verify.wasm.reader import ENTRIES, read_back_wasm, read_module


def counted():
    """Words of several widths, comparisons that share words, counts that are loops, an arg-max."""
    b = CircuitBuilder("counted")
    words = [b.input(f"x{i}", w) for i, w in enumerate((8, 8, 3, 12, 1, 8))]
    bits = [at_least(b, w, v) for w in words for v in (1, 3, 77, 200) if v < 1 << len(w)]
    bits += [b.xor(p, q) for p, q in zip([*words[0], *words[3]], [*words[1], *words[5], *words[2]])]
    nets = [b.node(0b0111, p, q) for p in bits[:8] for q in bits[8:20]]
    counts = [count_gates(b, nets[i::2]) for i in range(2)]
    b.output("class_index", argmax(b, counts))
    b.output("count", [*counts[0], b.not_(counts[1][0]), 1, words[2][1]])
    return b.build()


@pytest.mark.parametrize("simd", [True, False])
@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_written_is_proved(entry, simd):
    circuit = counted()
    again = read_back_wasm(circuit, entry=entry, simd=simd)
    assert again.inputs == circuit.inputs and again.outputs == circuit.outputs
    assert prove(circuit, again).status == "proved"


@pytest.mark.parametrize("simd", [True, False])
def test_another_circuit_is_refuted(simd):
    circuit = counted()
    table = circuit.table.copy()
    table[circuit.output_nets[-4] - circuit.first_node] ^= np.uint64(1)
    again = read_module(module(circuit.with_(table=table, macros=()), simd=simd), like=circuit)
    verdict = prove(circuit, again)
    assert verdict.status == "refuted" and verdict.counterexample is not None


def engine_says(circuit, content, codes):
    """Codes through wasmtime; None where the module is not valid or traps."""
    wasmtime = pytest.importorskip("wasmtime", reason="no wasmtime: install the Python package wasmtime")
    from hardwire.backends.wasm.engines import in_wasmtime

    try:
        return in_wasmtime(circuit, content)(codes)
    except (wasmtime.WasmtimeError, wasmtime.Trap, KeyError, OverflowError, IndexError, ValueError):
        return None


@pytest.mark.parametrize("simd", [True, False])
def test_no_planted_fault_is_proved(rng, simd):
    """Bytes are altered; what an engine then computes otherwise is refused or refuted."""
    circuit = counted()
    content = module(circuit, simd=simd)
    codes = vectors(circuit, 130, seed=1)
    expected = simulate(circuit, codes)
    # the places of operations first, where an altered byte is a valid module
    operations = [i + 1 for i in range(8, len(content) - 1) if content[i] == 0xFD and 77 <= content[i + 1] <= 81]
    operations += [] if simd else [i for i in range(8, len(content)) if 0x83 <= content[i] <= 0x85]
    places = [*rng.choice(operations, 25, replace=False), *rng.integers(8, len(content), 15)]
    caught = {"refused": 0, "refuted": 0}
    for place in places:
        altered = bytearray(content)
        altered[place] = altered[place] ^ 1 if place in operations else int(rng.integers(0, 256))
        verdict = "refused"
        try:
            verdict = prove(circuit, read_module(bytes(altered), like=circuit)).status
        except FormatError as error:
            assert str(error).endswith("emit the WebAssembly again")
        if verdict == "proved":
            out = engine_says(circuit, bytes(altered), codes)  # no engine takes a module whose other functions are invalid
            assert out is None or np.array_equal(out, expected), place
        else:
            caught[verdict] += 1
    assert caught["refused"] >= 4 and caught["refuted"] >= 4


def test_a_table_of_packing_is_read(rng):
    """A threshold that is off by one changes nothing but data."""
    circuit = counted()
    for simd in (True, False):
        content = module(circuit, simd=simd)
        ((address, table),) = decode("m", content).data
        at = content.index(table)
        place = at + (32 if simd else 16)
        altered = bytearray(content)
        altered[place] += 1
        verdict = prove(circuit, read_module(bytes(altered), like=circuit))
        assert verdict.status == "refuted"
        assert prove(circuit, read_module(bytes(altered), like=circuit, entry="run")).status == "proved"
        assert address % 16 == 0


@pytest.mark.parametrize("lanes", [SIMD, SCALAR], ids=["simd", "i64"])
@pytest.mark.parametrize("n", [16, 48, 1008])
def test_the_loop_that_counts(rng, lanes, n):
    """What the reader takes it for: bits of the number, as many as there is room for."""
    wasmtime = pytest.importorskip("wasmtime", reason="no wasmtime: install the Python package wasmtime")
    from hardwire.backends.wasm.binary import Module

    size = lanes.size
    code = Module(exports=("popcount",), memory=4096 * size)
    code.add(popcount(lanes, area=256))
    store = wasmtime.Store()
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, code.encode()), []).exports(store)
    bits = rng.random((n, 8 * size)) < rng.random(8 * size)
    exports["memory"].write(store, np.packbits(bits, axis=1, bitorder="little").tobytes(), 256)
    for width in (5, 7, 12):
        out = 256 + n * size
        exports["popcount"](store, 256 + n * size, out, out + width * size)
        got = np.frombuffer(exports["memory"].read(store, out, out + width * size), np.uint8).reshape(width, size)
        got = np.unpackbits(got, axis=1, bitorder="little")
        np.testing.assert_array_equal(got, codes_to_bits(bits.sum(0)[:, None] % (1 << width), [width]).T)


def test_what_no_module_of_ours_has_is_refused():
    circuit = counted()
    content = module(circuit)
    with pytest.raises(FormatError, match="this is no module of WebAssembly"):
        read_module(b"hardwire" * 4, like=circuit)
    for end in range(0, len(content) - 1, 997):
        with pytest.raises(FormatError, match="emit the WebAssembly again"):
            read_module(content[:end], like=circuit)
    with pytest.raises(FormatError):
        read_module(content, like=trained_like(np.random.default_rng(0), words=6, layers=2, width=24, classes=3))
    with pytest.raises(InputError, match="entry 'two'"):
        read_module(content, like=circuit, entry="two")
    assert set(EXPORTS) == set(ENTRIES)


@pytest.mark.parametrize("text, said", [
    ("local.get a", "leaves values"),
    ("i32.const 100000000 v128.load local.set a", "none of a plane"),
    ("i32.const 264 v128.load local.set a", "none of a plane"),
    ("i32.const 0 local.get a v128.store offset=0", "none of a plane"),
    ("v128.and local.set a", "no valid code"),
    ("call body", "calls itself"),
    ("block end", "no operation of straight-line code"),
])
def test_code_that_is_none_of_ours_is_refused(monkeypatch, text, said):
    """The last function of the body in place of what is emitted there."""
    from hardwire.backends.wasm import writer

    circuit, assembled = counted(), assemble

    def altered(name, parameters, variables, body, calls=None):
        if name != "body":
            return assembled(name, parameters, variables, body, calls)
        own = {**(calls or {}), "body": max(calls.values()) + 1}
        return assembled(name, parameters, {"a": "v128"}, f"{body} {text}", own)

    monkeypatch.setattr(writer, "assemble", altered)
    content = module(circuit)
    monkeypatch.undo()
    with pytest.raises(FormatError, match=said):
        read_module(content, like=circuit)
