"""The header for microcontrollers: both variants compute the circuit, and what is called is what a user expects."""

import re
import subprocess

import numpy as np
import pytest
from circuits import CIRCUITS, samples
from helpers import trained_like

from hardwire.backends.c import backend as c
from hardwire.backends.c.firmware import KITS, check_vectors
from hardwire.backends.c.footprint import CHIPS, Footprint, fits
from hardwire.backends.c.model import network_of
from hardwire.backends.c.table import MOST_NETS, encode_table, number
from hardwire.circuit import CircuitBuilder, Word
from hardwire.circuit.arithmetic import popcount
from hardwire.circuit.simulate import simulate
from hardwire.core import programs as tools
from hardwire.core.errors import InputError
from hardwire.workflow.circuits import emit_circuit
from hardwire.workflow.microcontrollers import check_chip, footprints_of

CC = pytest.mark.skipif(tools.find(tools.CC) is None, reason="no C compiler: install the Debian package gcc")
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic", "-O1"]


def table_of_people():
    """A regression of one target over inputs of three kinds."""
    b = CircuitBuilder("people")
    age = b.input("age", 7, offset=-3, step=2)
    income = b.input("income", 8, offset=0.5, step=0.25)
    cities = [b.input(f"city_{name}")[0] for name in ("Berlin", "Paris", "Rome")]
    total = popcount(b, [b.xor(x, y) for x, y in zip(age, income)] + cities)
    b.output("value0", total, offset=-12.5, step=0.75)
    return b.build()


def classifier_of_digits(**options):
    circuit = trained_like(np.random.default_rng(3), words=8, layers=2, width=40, classes=4, **options)
    first = Word("class_index", circuit.outputs[0].width)
    return circuit.with_(outputs=(first, *circuit.outputs[1:]), labels=("cat", 'a "dog" /* MODEL_x */', "ünï??/", "12"))


@CC
@pytest.mark.parametrize("variant", ["table", "code"])
@pytest.mark.parametrize("name", CIRCUITS)
def test_both_variants_are_the_circuit(name, variant):
    circuit = CIRCUITS[name]()
    codes = samples(circuit, 60)
    got = c.run(circuit, codes, entry="model", variant=variant, optimize="-O0")
    np.testing.assert_array_equal(got, simulate(circuit, codes))


def compiled(folder, main, text, compiler=None):
    (folder / f"{main}.c").write_text(text)
    command = [compiler or tools.find(tools.CC), *STRICT, f"{main}.c", "-o", main]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    return subprocess.run([folder / main], capture_output=True, text=True, check=True).stdout


@CC
def test_predict_of_integers_and_reals_and_the_names_of_classes(tmp_path):
    circuit = classifier_of_digits()
    for variant in ("table", "code"):
        header = c.emit(circuit, tmp_path, name="net", variant=variant)[-1]
        rng = np.random.default_rng(1)
        x = rng.integers(-40, 80, (20, len(circuit.inputs)))
        due = simulate(circuit, circuit.codes_of_values(x.astype(float)))[:, 0]
        said = compiled(tmp_path, "main", f"""#include <stdio.h>
#include "{header.name}"
static const int16_t x[20][NET_INPUTS] = {{{", ".join("{" + ", ".join(map(str, r)) + "}" for r in x.tolist())}}};
int main(void)
{{
    int i, j;
    for (i = 0; i < 20; i++) {{
        float values[NET_INPUTS];
        for (j = 0; j < NET_INPUTS; j++)
            values[j] = (float)x[i][j] + 0.25f;
        printf("%d %d ", net_predict(x[i], NET_INPUTS), net_predict_float(values, NET_INPUTS));
    }}
    printf("%d\\n", net_predict(x[0], NET_INPUTS - 1));
    for (i = 0; i < NET_CLASSES; i++)
        printf("%s\\n", net_class_name(i));
    return 0;
}}
""")
        numbers, *names = said.split("\n")
        assert [int(n) for n in numbers.split()] == [n for d in due.tolist() for n in (d, d)] + [-1]
        assert names == [*circuit.labels, ""]


@CC
def test_a_regression_answers_in_the_unit_of_its_target_and_inputs_are_listed_in_order(tmp_path):
    circuit = table_of_people()
    *_, plain, header = c.emit(circuit, tmp_path, name="people")
    text = header.read_text()
    rows = re.findall(r"^ \*   \[(\d+)\] (\w+): (\d+) bits", text, re.MULTILINE)
    assert rows == [(str(i), w.name, str(w.width)) for i, w in enumerate(circuit.inputs)]
    assert rows == re.findall(r"^ \*   \[(\d+)\] (\w+): (\d+) bits", plain.read_text(), re.MULTILINE)
    assert "PEOPLE_IN_city_Paris = 3" in text
    values = np.array([[30, 12.25, 0, 1, 0], [-100, 1e9, 1, 1, 1], [17.99, 0.5, 0, 0, 1]])
    due = circuit.values(simulate(circuit, values))[:, 0]
    said = compiled(tmp_path, "main", """#include <stdio.h>
#include "people_model.h"
int main(void)
{
    float x[3][PEOPLE_INPUTS] = {{30, 12.25f, 0, 1, 0}, {-100, 1e9f, 1, 1, 1}, {17.99f, 0.5f, 0, 0, 1}}, y[PEOPLE_OUTPUTS];
    int16_t whole[PEOPLE_INPUTS] = {0};
    int i, n = 0;
    for (i = 0; i < 3; i++) {
        n += people_predict_float(x[i], PEOPLE_INPUTS, y);
        printf("%g ", (double)y[0]);
    }
    whole[PEOPLE_IN_age] = -7;
    whole[PEOPLE_IN_income] = 30000;
    n += people_predict(whole, PEOPLE_INPUTS, y);
    printf("%g %d %d", (double)y[0], n, people_predict(whole, 0, y));
    return 0;
}
""")
    last = circuit.values(simulate(circuit, np.array([[-7.0, 30000, 0, 0, 0]])))[0, 0]
    assert [float(x) for x in said.split()] == pytest.approx([*due, last, 4, -1])


@CC
@pytest.mark.parametrize("compiler", [n for n in ("gcc", "clang") if tools.find(tools.Tool(n, f"NO_{n}", (n,), n))])
def test_compiles_without_a_warning_beside_another_model_and_in_cpp(compiler, tmp_path):
    sources = ""
    for name in ("every_gate", "classifier", "wide_words", "only_wires", "lut6"):
        for variant in ("code", "table"):
            c.emit(CIRCUITS[name](), tmp_path, name=f"{name}_{variant}", variant=variant)
            sources += f'#include "{name}_{variant}_model.h"\n'
    for suffix, standard in ((".c", "-std=c99"), (".cpp", "-std=c++11")):
        (tmp_path / f"all{suffix}").write_text(sources + "int main(void) { return 0; }\n")
        command = [compiler, standard, *STRICT[1:], "-c", f"all{suffix}", "-o", "all.o"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[:2000]


def test_the_smaller_variant_is_chosen_and_a_table_has_limits():
    small, large = CIRCUITS["only_wires"](), classifier_of_digits()
    assert network_of(small, "n", "auto").variant == "code" and network_of(large, "n", "auto").variant == "table"
    assert network_of(large, "n", "code").variant == "code"
    with pytest.raises(InputError, match="none of auto, code, table"):
        network_of(small, "n", "tiny")
    b = CircuitBuilder("long")
    net = b.input("x", 2)[0]
    for _ in range(MOST_NETS):
        net = b.node(0b0111, net, 3)
    b.output("y", net)
    circuit = b.build()
    with pytest.raises(InputError, match=r"more than 32,768 nets.*choose the variant code"):
        encode_table(circuit)
    with pytest.raises(InputError, match="choose the variant code"):
        network_of(circuit, "n", "table")


def test_numbers_and_long_distances():
    assert [number(n).hex() for n in (0, 127, 128, 129, 32_895)] == ["00", "7f", "8000", "8001", "ffff"]
    with pytest.raises(InputError):
        number(32_896)


@CC
def test_operands_far_away_and_words_far_apart():
    b = CircuitBuilder("far")
    words = [b.input(f"w{i}", 3) for i in range(400)]
    net = words[0][1]
    for _ in range(3000):
        net = b.node(0b0110, net, words[-1][2])
    b.output("y", [b.node(0b1000, words[17][0], net), words[399][1], b.node(0b0111, words[0][1], net)])
    circuit = b.build()
    codes = samples(circuit, 40)
    got = c.run(circuit, codes, entry="model", variant="table", optimize="-O0")
    np.testing.assert_array_equal(got, simulate(circuit, codes))


@CC
@pytest.mark.parametrize("kit", KITS)
@pytest.mark.parametrize("make", [classifier_of_digits, table_of_people])
def test_a_kit_holds_vectors_that_pass_and_that_a_fault_fails(kit, make, tmp_path):
    circuit = make()
    files = emit_circuit(circuit, "c", tmp_path, kit=kit)
    name = files[0].name.removesuffix("_model.h")
    vectors = next(f for f in files if f.name == f"{name}_vectors.h")
    program = f"""#include <stdio.h>
#include "{name}_vectors.h"
int main(void) {{ printf("%d", {name}_check()); return 0; }}
"""
    (tmp_path / "host").mkdir()
    for file in (files[0], vectors):
        (tmp_path / "host" / file.name).write_text(file.read_text())
    assert compiled(tmp_path / "host", "main", program) == "0"
    moved = tmp_path / "host" / files[0].name
    text = moved.read_text()  # of a table, or of code
    moved.write_text(text.replace("x = kind >> (", "x = (kind ^ 6u) >> (").replace("(in[2] & 1)", "(in[3] & 1)"))
    assert int(compiled(tmp_path / "host", "main", program)) > 0


def test_kits_are_refused_where_they_make_no_sense(tmp_path):
    with pytest.raises(InputError, match="'mbed' is none of arduino, platformio, zephyr"):
        emit_circuit(table_of_people(), "c", tmp_path, kit="mbed")
    with pytest.raises(InputError, match="has no inputs"):
        emit_circuit(CIRCUITS["no_inputs"](), "c", tmp_path, kit="zephyr")
    with pytest.raises(InputError, match="verilog knows no kit"):
        emit_circuit(table_of_people(), "verilog", tmp_path, kit="zephyr")


def test_vectors_show_every_output_that_random_inputs_reach():
    circuit = classifier_of_digits()
    codes, due = check_vectors(circuit)
    assert len(codes) == 32 and len(np.unique(due[:, 0])) > 1
    np.testing.assert_array_equal(due, simulate(circuit, codes))


def test_a_chip_that_is_too_small_or_unknown_and_a_compiler_that_is_missing(tmp_path, monkeypatch):
    chip = CHIPS["atmega328p"]
    assert not fits(Footprint(chip.core, chip.flash, chip.ram, ""), chip)
    assert "too large for ATmega328P" in fits(Footprint(chip.core, chip.flash + 1, 0, ""), chip)
    assert "bytes of RAM where it has 2,048" in fits(Footprint(chip.core, 0, chip.ram + 1, ""), chip)
    with pytest.raises(InputError, match="chip 'z80' is none of"):
        check_chip("c", "z80")
    with pytest.raises(InputError, match="verilog is not for microcontrollers"):
        check_chip("verilog", "atmega328p")
    monkeypatch.setenv("PATH", str(tmp_path))
    circuit = table_of_people()
    taken = footprints_of(circuit, c.emit(circuit, tmp_path)[-1])
    assert not taken.taken and [line.split(":")[0] for line in taken.lines] == ["Cortex-M0+", "AVR"]
    assert "install the Debian packages gcc-arm-none-eabi" in taken.lines[0] and "gcc-avr" in taken.lines[1]
