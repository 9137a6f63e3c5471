"""Faults in the table of a model: each is refused by the reader, refuted by the proof, or it changes nothing.

The compiled text decides whether the reader is right, on all inputs of a small circuit.
"""

import re
from collections import Counter

import numpy as np
import pytest

from hardwire.backends.c import backend as c
from hardwire.circuit.simulate import simulate
from hardwire.core import programs as tools
from hardwire.core.bits import bits_to_codes
from hardwire.core.errors import FormatError
from hardwire.verify import prove
from hardwire.verify.c import read_model

BYTE = re.compile(r"(?<=0x)[0-9a-f]{2}(?=,)")


def planted(text, serial):
    """The text with one byte of its table changed in one bit, lost, or exchanged with the next."""
    rng = np.random.default_rng((7, serial))
    places = list(BYTE.finditer(text))
    one = places[int(rng.integers(len(places) - 1))]
    if serial % 4 == 3:
        other = places[places.index(one) + 1]
        return text[: one.start()] + other[0] + text[one.end() : other.start()] + one[0] + text[other.end() :]
    value = int(one[0], 16) ^ 1 << int(rng.integers(8))
    return text[: one.start()] + f"{value:02x}" + text[one.end() :]


def figures(circuit, folder, faults):
    header = c.emit(circuit, folder, name="net", variant="table")[-1]
    text, counts = header.read_text(), Counter()
    bits = np.arange(1 << circuit.n_input_bits)[:, None] >> np.arange(circuit.n_input_bits) & 1
    everything = bits_to_codes(bits, circuit.input_widths).astype(circuit.input_dtype)
    due = simulate(circuit, everything)
    for serial in range(faults):
        header.write_text(planted(text, serial))
        try:
            again = read_model(header, like=circuit)
        except FormatError as error:
            assert re.search(r"^net_model\.h, byte \d+ of its table: .*; emit the C again$", str(error)), error
            counts["refused"] += 1
            continue
        verdict = prove(circuit, again)
        counts[verdict.status] += 1
        assert verdict.status in ("refuted", "proved"), (serial, str(verdict))
        if tools.find(tools.CC) and (verdict.status == "proved" or counts["refuted"] % 8 == 1):
            got = c.run(circuit, everything, entry="model", optimize="-O0", main=header)
            np.testing.assert_array_equal(got, simulate(again, everything), err_msg=str(serial))
            assert np.array_equal(got, due) == (verdict.status == "proved"), serial
    return counts


def test_a_few_faults_in_a_small_table(small_circuit, tmp_path):
    counts = figures(small_circuit, tmp_path, 12)
    assert counts["refuted"] >= 3 and counts["refused"] >= 2


@pytest.mark.slow
def test_table_faults(small_circuit, tmp_path):
    counts = figures(small_circuit, tmp_path, 200)
    print(f"\nof 200 faults in a table: {dict(counts)}")
    assert counts["refuted"] >= 60 and counts["refused"] >= 40


@pytest.mark.parametrize(("old", "new"), [
    ("x = *in >= least", "x = *in > least"), ("#define NET_STATE ", "#define NET_STATE 0"), ("s[0] = 2;", "s[0] = 3;"),
    ("typedef uint8_t net_number", "typedef uint7_t net_number"), ("net_table[", "net_table[1"),
    ("#include <stdint.h>", "#include <stdint.h>\n#define net_bit(s, n) 0u"), ("/* ---- what is called ---- */", ""),
    ("code >= (double)top", "code > (double)top"), ("static inline unsigned", "static/**/inline/**/int"),
])
def test_what_surrounds_the_table_is_compared_word_for_word(small_circuit, tmp_path, old, new):
    header = c.emit(small_circuit, tmp_path, name="net", variant="table")[-1]
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=r"net_model\.h.*emit the C again"):
        read_model(header, like=small_circuit)
