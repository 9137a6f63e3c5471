"""Emitted C, read back: the same function, whatever the words, macros and entry; what is no emitted C is refused."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from hardwire.backends.c import backend as c
from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import COUNTS, argmax, popcount
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import FormatError, InputError
from hardwire.verify import prove, read_back_c, read_c
from hardwire.verify.c.expressions import Expressions
from tests.helpers import random_circuit, trained_like


def backends_circuits():
    path = Path(__file__).parents[1] / "backends" / "circuits.py"
    spec = importlib.util.spec_from_file_location("backends_circuits", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CIRCUITS = backends_circuits().CIRCUITS
classifier = backends_circuits().classifier


@pytest.mark.parametrize("name", CIRCUITS)
@pytest.mark.parametrize("entry", ["batch", "one"])
def test_what_is_read_back_is_the_circuit(name, entry):
    circuit = CIRCUITS[name]()
    again = read_back_c(circuit, entry=entry)
    assert (again.inputs, again.outputs, again.labels) == (circuit.inputs, circuit.outputs, circuit.labels)
    assert prove(circuit, again).status == "proved"


@pytest.mark.parametrize("kinds", [(), ("ge",), ("popcount",), ("argmax",), ("popcount", "argmax")])
@pytest.mark.parametrize("entry", ["batch", "one"])
def test_any_subset_of_macros(kinds, entry):
    circuit = classifier(seed=2)
    circuit = circuit.with_(macros=tuple(m for m in circuit.macros if m.kind in kinds))
    assert prove(circuit, read_back_c(circuit, entry=entry)).status == "proved"


@pytest.mark.parametrize("style", COUNTS)
@pytest.mark.parametrize("entry", ["batch", "one"])
def test_shapes_of_counts_do_not_make_a_proof_long(rng, style, entry):
    """In the circuit's shape, and the operands of a count of one sample in its order, nothing is left to a solver."""
    circuit = trained_like(rng, words=20, layers=2, width=400, classes=4, head=(style, "one-hot"))
    verdict = prove(circuit, read_back_c(circuit, entry=entry))
    assert verdict.status == "proved" and verdict.method == "structural hashing"


def test_optimised_and_raw_text_against_the_other_circuit(rng, tmp_path):
    from hardwire.passes import optimize

    raw = trained_like(rng, words=8, layers=3, width=60, classes=3)
    for one, other in ((raw, optimize(raw)[0]), (optimize(raw)[0], raw)):
        main, *_ = c.emit(one, tmp_path, name="net")
        for entry in ("batch", "one"):
            assert prove(other, read_c(main, like=other, entry=entry)).status == "proved"


def test_a_net_counted_twice_and_counts_of_inputs_and_counts():
    b = CircuitBuilder()
    x = b.input("x", 5)
    same = b.xor(x[0], x[1])
    first = popcount(b, [same, same, x[2], x[3], same, 1, 0])
    second = popcount(b, [same, x[4], b.and_(x[0], x[4]), first[0]])
    b.output("a", first)
    b.output("b", second)
    b.output("class", argmax(b, [first, second, x[:3]]))
    b.output("again", b.xor(first[1], second[0]))
    circuit = b.build()
    for entry in ("batch", "one"):
        assert prove(circuit, read_back_c(circuit, entry=entry)).status == "proved"


def test_labels_and_names_of_any_kind(rng, tmp_path):
    circuit = random_circuit(rng).with_(labels=("grün", "*/ int x;", "\\"), name="a b")
    main, *_ = c.emit(circuit, tmp_path, name="NAME_INPUTS")
    for entry in ("batch", "one"):
        assert prove(circuit, read_c(main, like=circuit, entry=entry)).status == "proved"


def operators(text):
    parsed = Expressions().parse(text)
    return parsed and " ".join(parsed.program)


@pytest.mark.parametrize(("text", "program"), [
    ("n1 & ~n2 | n3 ^ s[4]", "@ @ ~ & @ @ ^ |"), ("~(n1 | in[0])", "@ @ | ~"), ("(in[3] >> 2) >= 3u", "@ @ >> @ >="),
    ("n1 & c[2] >= 3", "@ @ @ >= &"), ("(unsigned)(n1 & 1) << 3", "@ @ & (unsigned) @ <<"), ("~~n0", "@ ~ ~"),
])
def test_precedence_is_that_of_c(text, program):
    assert operators(text) == program


@pytest.mark.parametrize("text", [
    "", "n1 n2", "n1 &", "(n1", "n1)", "n1 && n2", "n1 || n2", "n01", "s[01]", "010", "n1; n2", "n1 & @", "!n1", "-n1",
    "n1 + n2", "n1 > n2", "s[1 ]", "s[n1]", "xn1", "n1x", "1U", "1ull", "0x1", "n1 /* */", "(int)n1", "()", "n1()", "~",
    "n1 >>= 1", "s[1][2]", "UINT64_C(01)", "UINT8_C(1)", "n1 ? n2 : n3", "n1 == n2", "n1 = n2", "n1\t", "n1 % n2",
])
def test_other_expressions_are_refused(text):
    assert Expressions().parse(text) is None


#: What is replaced in the text of a classifier, by what, in which entry, and a word of the refusal.
REFUSED = {
    "shift across lanes": ("batch", r"= (s\[\d+\]) & (s\[\d+\]);", r"= \1 >> \2;", "lanes alike"),
    "a constant of one lane": ("batch", r"= (s\[\d+\]) & s\[\d+\];", r"= \1 & 1;", "before it has a value"),
    "slot without a value": ("batch", r"= s\[\d+\] & (s\[\d+\]);", r"= s[106] & \1;", r"s\[106\] is read before"),
    "variable without a value": ("batch", r"n93 = s\[19\]", "n93 = n94", "n94 is read before"),
    "slot beyond the array": ("batch", r"s\[66\] = ", "s[107] = ", "beyond the array"),
    "no terminator": ("batch", r"(s\[66\] = .*);\n", "\\1\n", "not what emitted C has"),
    "another type": ("batch", "const uint64_t n93 ", "const uint32_t n93 ", "not what emitted C has"),
    "defined twice": ("batch", r"n94 = ", "n93 = ", "twice"),
    "called twice": ("batch", r"    wide_part1\(s\);\n", "    wide_part0(s);\n", "called twice"),
    "never called": ("batch", r"    wide_part1\(s\);\n", "", "never called|before it has a value"),
    "called with another": ("batch", r"    wide_part1\(s\);\n", "    wide_part1(x);\n", "these arguments"),
    "part of one sample": ("batch", r"    wide_part1\(s\);\n", "    single_part1(s);\n", "not what emitted C has"),
    "more planes than there are": ("batch", r"scatter\(x, wide_index \+ 16, 5", "scatter(x, wide_index + 16, 6", "no value"),
    "index beyond the table": ("batch", r"wide_index \+ 133", "wide_index + 160", "beyond the table"),
    "index too large": ("batch", r"70, 71, 77", "70, 65536, 77", "too large"),
    "table too short": ("batch", r"70, 71, 77", "70, 77", "another length"),
    "stride": ("batch", r"w, 16, n, 4", "w, 15, n, 4", "number of input words"),
    "output stride": ("batch", r"w, 6\);", "w, 5);", "number of output words"),
    "beyond the inputs": ("batch", r"w < 16; w", "w < 17; w", "beyond the input words"),
    "lanes": ("batch", r"n >= 64", "n >= 63", "not what emitted C has"),
    "tail": ("batch", r"    if \(n > 0\)\n", "    if (n > 1)\n", "not what emitted C has"),
    "helper": ("batch", r"sum \^= half", "sum |= half", "no helper function"),
    "missing helper": ("batch", r"/\* How many of n >= 1(?s:.*?)\n}\n\n", "", "popcount is not defined"),
    "macro": ("batch", r"#define APART\n", "#define APART\n#define n93 n94\n", "not what emitted C has"),
    "macro in the other entry": ("one", r"    s\[66\] = ", "#define n5 n6\n    s[66] = ", "not what emitted C has"),
    "comment in the other entry": ("one", r"    s\[66\] = ", "/*\n    s[66] = ", "not what emitted C has"),
    "type of words": ("one", r"uint8_t code_in", "uint16_t code_in", "code_in is no uint8_t"),
    "type of counts": ("one", r"typedef uint8_t number;\n", "", "number is not defined"),
    "higher bits": ("one", r"out\[0\] = \(code_out\)\(c\[5\]\)", "out[0] = (code_out)(s[8])", "higher bits"),
    "an inversion compared": ("one", r"\(in\[12\] >= 15u\)", "(~in[12] >= 15u)", "every bit is defined"),
    "more than a bit counted": ("one", r"c\[1\] \+= \(\(~n225\) & 1\)|c\[1\] = \(\(~n225\) & 1\)", "c[1] = (in[0] & 3)", "one bit"),
    "count not begun": ("one", r"c\[1\] = ", "c[1] += ", "no count that has begun"),
    "element missing": ("one", r"    (x5_\d+)\[2\] = .*\n", "", "elements with a value"),
    "output missing": ("one", r"    out\[2\] = .*\n", "", "never writes output"),
    "output beyond": ("one", r"out\[2\] = ", "out[6] = ", "beyond the output words"),
    "input beyond": ("one", r"in\[12\]", "in[16]", r"in\[16\] is read before"),
    "parameters": ("one", r"single_part1\(const code_in \*in, uint8_t \*s,", "single_part1(uint8_t *s,", "parameters"),
    "text behind": ("one", r"\Z", "int x;\n", "nothing may follow"),
    "constant": ("one", r">= 15u", ">= UINT32_C(4294967296)", "too large"),
    "wide shift": ("one", r"in\[8\] >> 1", "in[8] >> 15", "further than the type"),
}


@pytest.fixture(scope="module")
def emitted(tmp_path_factory):
    circuit = classifier()
    return circuit, c.emit(circuit, tmp_path_factory.mktemp("c"), name="net")[0].read_text()


@pytest.mark.parametrize("fault", REFUSED)
def test_other_text_is_refused_with_its_line(emitted, tmp_path, fault):
    circuit, text = emitted
    entry, old, new, said = REFUSED[fault]
    main, *_ = c.emit(circuit, tmp_path, name="net")
    altered = re.sub(old, new, text, count=1)
    assert altered != text
    main.write_text(altered)
    with pytest.raises(FormatError, match=said) as error:
        read_c(main, like=circuit, entry=entry)
    assert re.match(r"net\.c(, line \d+: | never writes )", str(error.value))


@pytest.mark.parametrize(("old", "new"), [
    ("NET_INPUTS 16", "NET_INPUTS 15"), ("NET_OUTPUTS 6", "NET_OUTPUTS 5"), ("void net_one", "int net_one"),
    ("const uint8_t", "const uint16_t"), (" *\n", " */ int x; /*\n"), ("#endif\n#endif\n", "#endif\nint x;\n#endif\n"),
    ('DIGEST "', 'DIGEST "0'), ("size_t n", "size_t n, int m"),
])
def test_another_header_is_refused(emitted, tmp_path, old, new):
    circuit, _ = emitted
    main, header, _ = c.emit(circuit, tmp_path, name="net")
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=r"net\.h is not the header"):
        read_c(main, like=circuit)


def test_mistakes_have_one_sentence(rng, emitted, tmp_path):
    circuit, _ = emitted
    main, header, _ = c.emit(circuit, tmp_path, name="net")
    with pytest.raises(InputError, match="entry 'two'"):
        read_c(main, like=circuit, entry="two")
    with pytest.raises(FormatError, match="line"):
        read_c(main, like=random_circuit(rng))
    text = header.read_text()
    header.write_text(re.sub(r'DIGEST "....', 'DIGEST "0000', text))
    with pytest.raises(FormatError, match="names another circuit"):
        read_c(main, like=circuit)
    header.unlink()
    with pytest.raises(InputError, match=r"net\.h"):
        read_c(main, like=circuit)
    with pytest.raises(InputError, match=r"none\.c"):
        read_c(tmp_path / "none.c", like=circuit)


def test_text_is_cut_anywhere(emitted, tmp_path):
    circuit, text = emitted
    main, *_ = c.emit(circuit, tmp_path, name="net")
    for end in range(0, len(text), 997):
        main.write_text(text[:end])
        with pytest.raises(FormatError):
            read_c(main, like=circuit)


@pytest.mark.parametrize("entry", ["batch", "one"])
def test_a_refutation_is_what_the_text_does(emitted, tmp_path, entry):
    circuit, text = emitted
    main, *_ = c.emit(circuit, tmp_path, name="net")
    old = {"batch": r"n218 & n231", "one": r">= 15u"}[entry]
    new = {"batch": "n218 ^ n231", "one": ">= 14u"}[entry]
    main.write_text(re.sub(old, new, text, count=1))
    again = read_c(main, like=circuit, entry=entry)
    verdict = prove(circuit, again)
    assert verdict.status == "refuted"
    codes = np.array([list(verdict.counterexample.values())], dtype=circuit.input_dtype)
    assert not np.array_equal(simulate(circuit, codes), simulate(again, codes))
