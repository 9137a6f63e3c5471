import re
import subprocess

import numpy as np
import pytest
from circuits import CIRCUITS, classifier, every_gate, samples

from hardwire.backends import BACKENDS
from hardwire.backends.c import backend as c
from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax, popcount
from hardwire.circuit.simulate import simulate
from hardwire.core import programs as tools
from hardwire.core.errors import InputError, MissingToolError

pytestmark = pytest.mark.skipif(tools.find(tools.CC) is None, reason="no C compiler: install the Debian package gcc")
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]


def compilers():
    return [name for name in ("gcc", "clang") if tools.find(tools.Tool(name, f"NO_{name}", (name,), name))]


def build(compiler, flags, path):
    command = [compiler, *STRICT, *flags, "-c", path, "-o", path.with_suffix(".o")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]


@pytest.mark.parametrize("name", CIRCUITS)
@pytest.mark.parametrize("entry", ["batch", "one"])
def test_equals_the_interpreter(name, entry):
    circuit = CIRCUITS[name]()
    codes = samples(circuit, 100)
    got = c.run(circuit, codes, entry=entry, optimize="-O0")
    assert got.dtype == circuit.output_dtype
    np.testing.assert_array_equal(got, simulate(circuit, codes))


@pytest.mark.parametrize("kinds", [(), ("ge",), ("popcount",), ("argmax",), ("popcount", "argmax")])
@pytest.mark.parametrize("entry", ["batch", "one"])
def test_any_subset_of_macros(kinds, entry):
    circuit = classifier(seed=2)
    circuit = circuit.with_(macros=tuple(m for m in circuit.macros if m.kind in kinds))
    codes = samples(circuit, 65)
    np.testing.assert_array_equal(c.run(circuit, codes, entry=entry, optimize="-O0"), simulate(circuit, codes))


def test_every_batch_size_and_nothing_beyond_it():
    circuit = classifier(seed=1)
    execute = c.load(circuit, optimize="-O0")
    codes = samples(circuit, 200)
    expected = simulate(circuit, codes)
    for n in (0, 1, 7, 8, 9, 63, 64, 65, 100, 128, 200):
        np.testing.assert_array_equal(execute(codes[:n]), expected[:n])


def test_any_memory_layout_and_physical_values():
    circuit = classifier()
    codes = samples(circuit, 70)
    expected = simulate(circuit, codes)
    execute = c.load(circuit, optimize="-O0")
    np.testing.assert_array_equal(execute(np.asfortranarray(codes)), expected)
    np.testing.assert_array_equal(execute(np.repeat(codes, 2, axis=0)[::2]), expected)
    np.testing.assert_array_equal(execute(codes.astype(np.uint32)), expected)
    np.testing.assert_array_equal(execute(codes * 0.25 - 1.5), expected)


def test_a_net_counted_twice_and_a_count_of_inputs():
    b = CircuitBuilder()
    x = b.input("x", 5)
    same = b.xor(x[0], x[1])
    first = popcount(b, [same, same, x[2], x[3], same, 1])
    second = popcount(b, [same, x[4], b.and_(x[0], x[4]), first[0]])
    b.output("a", first)
    b.output("b", second)
    b.output("class", argmax(b, [first, second, x[:3]]))
    b.output("again", b.xor(first[1], second[0]))
    circuit = b.build()
    codes = np.arange(32)[:, None]
    for entry in ("batch", "one"):
        np.testing.assert_array_equal(c.run(circuit, codes, entry=entry), simulate(circuit, codes))


@pytest.mark.parametrize("compiler", compilers())
@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2"])
def test_compiles_without_a_warning(compiler, level, tmp_path):
    for name in ("every_gate", "classifier", "wide_words", "only_wires", "no_inputs", "lut6"):
        build(compiler, [level], c.emit(CIRCUITS[name](), tmp_path, name=name)[0])


def test_one_sample_keeps_to_the_stated_stack(tmp_path):
    """What gcc reports for the entry point is the arrays of the header and a frame of a few registers."""
    circuit = classifier(words=40, width=600, layers=3, classes=10)
    main, header, _ = c.emit(circuit, tmp_path, name="net")
    done = subprocess.run(
        [tools.find(tools.CC), "-std=c99", "-O1", "-fstack-usage", "-c", main, "-o", tmp_path / "net.o"])
    usage = tmp_path / "net.su"
    if done.returncode or not usage.exists():
        pytest.skip("this compiler has no -fstack-usage")
    stated = int(re.search(r"net_one: (\d+) bytes", header.read_text())[1])
    used = int(re.search(r":net_one\t(\d+)", usage.read_text())[1])
    assert stated <= used <= stated + 96
    assert stated < 600  # 1800 gates, most of them dead early


def test_no_function_is_long(tmp_path):
    main, *_ = c.emit(classifier(words=40, width=3000, layers=2, classes=10), tmp_path, name="net")
    parts = re.findall(r"^APART static.*?^}", main.read_text(), re.DOTALL | re.MULTILINE)
    assert len(parts) > 10
    assert max(part.count("\n") for part in parts) < 900


def test_written_whole_and_described(tmp_path):
    circuit = classifier()
    paths = BACKENDS["c"].emit(circuit, tmp_path / "new" / "folder")
    assert [p.name for p in paths] == ["digits_like.c", "digits_like.h", "digits_like_model.h"]
    assert sorted(p.name for p in paths[0].parent.iterdir()) == ["digits_like.c", "digits_like.h", "digits_like_model.h"]
    header = paths[1].read_text()
    for text in (circuit.digest, "p0 .. p15: 16 words of 4 bits", "(value - -1.5) / 0.25",
                 "DIGITS_LIKE_INPUTS 16", "DIGITS_LIKE_OUTPUTS 6", "class 4"):
        assert text in header
    assert paths[0].read_text() == BACKENDS["c"].emit(circuit, tmp_path)[0].read_text()


def test_usable_from_a_program_of_its_own(tmp_path):
    circuit = every_gate()
    c.emit(circuit, tmp_path, name="gates")
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "gates.h"\n'
        "int main(void) { uint8_t in[2] = {1, 0}; uint16_t out[GATES_OUTPUTS];\n"
        'gates_one(in, out); printf("%u %u", (unsigned)out[0], (unsigned)out[1]); return 0; }\n'
    )
    cc = tools.find(tools.CC)
    subprocess.run([cc, *STRICT, "main.c", "gates.c", "-o", "main"], cwd=tmp_path, check=True)
    expected = simulate(circuit, np.array([[1, 0]]))[0]
    assert subprocess.run([tmp_path / "main"], capture_output=True, text=True).stdout == f"{expected[0]} {expected[1]}"


def test_mistakes_have_one_sentence(tmp_path, monkeypatch):
    circuit = classifier()
    with pytest.raises(InputError, match=r"shape \(3, 4\)"):
        c.run(circuit, np.zeros((3, 4), dtype=np.uint8))
    with pytest.raises(InputError, match="holds 0 to 15"):
        c.run(circuit, np.full((3, 16), 16, np.uint8))
    with pytest.raises(InputError, match="identifier"):
        c.emit(circuit, tmp_path, name="int")
    with pytest.raises(InputError, match="entry 'two'"):
        c.run(circuit, samples(circuit, 2), entry="two")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        c.emit(circuit, tmp_path / "file")
    with pytest.raises(InputError, match="no outputs"):
        c.emit(circuit.with_(outputs=(), output_nets=np.zeros(0, np.int32)), tmp_path)
    monkeypatch.setenv("HARDWIRE_CC", "no-such-compiler")
    with pytest.raises(MissingToolError, match="HARDWIRE_CC"):
        c.run(circuit, samples(circuit, 2))
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
