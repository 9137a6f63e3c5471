"""Faults in emitted C: each is refused by the reader, refuted by the proof, or it is none.

The compiled text decides whether the reader is right: it differs at the counterexample of a refutation, and where the
proof says that the text is equal it agrees on all inputs of the small circuit and on many of the demo's, and ABC agrees.
"""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from hardwire.backends.c import backend as c
from hardwire.circuit import Circuit
from hardwire.circuit.simulate import simulate
from hardwire.core import programs as tools
from hardwire.core.bits import bits_to_codes
from hardwire.core.errors import FormatError
from hardwire.verify import prove, read_c, vectors
from tests.faults.cec import equal
from tests.helpers import tenth

pytestmark = pytest.mark.skipif(tools.find(tools.CC) is None, reason="no C compiler: install the Debian package gcc")
BATCH, ONE = "/* ---- 64 samples", "/* ---- one sample"


def near(match, rng):
    return str(max(0, int(match[0]) + int(rng.choice([-2, -1, 1, 2]))))


def other(*choices):
    return lambda match, rng: str(rng.choice([x for x in choices if x != match[0]]))


def drawn(low, high):
    return lambda match, rng: str(rng.integers(low, high))


GATE, NUMBER = r"    (?:const|s\[|c\[).*", r"(?<![\w.])\d+(?=\D)"
#: Kind, the lines in which it is planted, what is replaced in them, and by what; None drops a line or exchanges two.
SHARED = [
    ("operator", GATE, r"(?<= )[&|^](?= )", other("&", "|", "^")),
    ("inversion", GATE, "~", lambda match, rng: ""),
    ("operand", GATE, r"(?<=s\[)\d+(?=\])", near),
    ("local operand", r".*= .*\bn\d+.*", r"(?<=\bn)\d+", near),
    ("result", r"    (?:s\[|const).*", r"(?<=    s\[)\d+|(?<=t n)\d+", near),
    ("dropped statement", r"    .*;", None, None),
    ("exchanged lines", r"    (?:const|s\[|c\[|\w+\().*;", None, None),
]
KINDS = {
    "batch": [
        *SHARED,
        ("far slot", GATE, r"(?<=s\[)\d+(?=\])", drawn(0, 400)),
        ("table of slots", r"    \d+,.*", r"\b\d+\b", near),
        ("loop bound", r"    for .*", NUMBER, near),
        ("load", r" +load\(.*", NUMBER, near),
        ("store", r" +store\(.*", NUMBER, near),
        ("move", r" +(?:gather|scatter)\(.*", NUMBER, near),
        ("call", r"    (?:popcount|argmax|wide_part\d+)\(.*", r"\d+", near),
        ("array", r"    uint64_t s\[.*", r"(?<=\[)\d+", near),
        ("entry", r"    +(?:wide|for \(;|if).*", r"\b\d+\b|>=|>", lambda match, rng: "65" if match[0] == "64" else ">"),
    ],
    "one": [
        *SHARED,
        ("threshold", r".*>=.*", r"(?<=>= )\d+", near),
        ("comparison", r".*>=.*", ">=", lambda match, rng: ">"),
        ("input word", r".*\bin\[.*", r"(?<=in\[)\d+", near),
        ("shift", r".*(?:>>|<<).*", r"(?<=(?:>>|<<) )\d+", near),
        ("count", r"    c\[.*", r"(?<=    c\[)\d+", near),
        ("accumulation", r"    c\[.*", r"\+=|(?<= )=", other("=", "+=")),
        ("mask", r".* & 1\)", r"(?<=& )1", lambda match, rng: "3"),
        ("cast", r".*\((?:bit|number|unsigned)\).*", r"(?<=\()(?:bit|number|unsigned)", other("bit", "number", "unsigned")),
        ("largest", r".*largest\(.*|    x\d+.*", NUMBER, near),
        ("output", r"    out\[.*", r"\d+", near),
        ("call", r"    single_part\d+\(.*", r"\d+", near),
    ],
}
#: Faults outside the two entry points: helper functions and types.
HEAD = [
    ("changed primitive", r"    .*", r"(?<= )[&|^<](?= )|\b[1-8]\b|~", lambda match, rng: "+" if match[0] in "&|^<~" else "9"),
    ("type", r"typedef.*", r"8|16|32", other("8", "16", "32")),
]


def plant(text: str, entry: str, serial: int, seed: int) -> tuple[str, str]:
    """The fault's kind, and the text with one fault in the part of ``entry`` or before both."""
    rng, kinds = np.random.default_rng((seed, serial)), [*KINDS[entry], *HEAD]
    lines = text.split("\n")
    middle, end = (next(i for i, line in enumerate(lines) if line.startswith(mark)) for mark in (BATCH, ONE))
    spans = {"batch": (middle, end), "one": (end, len(lines))}
    for attempt in range(len(kinds)):
        kind, form, token, change = kinds[(serial + attempt) % len(kinds)]
        first, last = (10, middle) if (kind, form, token, change) in HEAD else spans[entry]
        places = [i for i in range(first, last) if re.fullmatch(form, lines[i])
                  and (token is None or re.search(token, lines[i]))]
        if places:
            break
    place = int(rng.choice(places))
    if kind == "dropped statement":
        del lines[place]
    elif kind == "exchanged lines":
        i = places[(places.index(place) + int(rng.integers(1, 4))) % len(places)]
        lines[place], lines[i] = lines[i], lines[place]
    else:
        match = list(re.finditer(token, lines[place]))
        match = match[int(rng.integers(len(match)))]
        lines[place] = lines[place][: match.start()] + change(match, rng) + lines[place][match.end() :]
    return kind, "\n".join(lines)


def figures(circuit: Circuit, folder: Path, entry: str, faults: int, *, seed: int = 1, confirm: int = 1) -> Counter:
    """Plant, decide, and check each decision, of refutations one in ``confirm``; how many were refused and refuted."""
    main, counts = c.emit(circuit, folder, name="net")[0], Counter()
    text = main.read_text()
    assert prove(circuit, read_c(main, like=circuit, entry=entry)).status == "proved"
    everything = vectors(circuit, 20_000, seed=9)
    if circuit.n_input_bits <= 16:
        bits = np.arange(1 << circuit.n_input_bits)[:, None] >> np.arange(circuit.n_input_bits) & 1
        everything = bits_to_codes(bits, circuit.input_widths).astype(circuit.input_dtype)
    for serial in range(faults):
        kind, faulty = plant(text, entry, serial, seed)
        if faulty == text:
            counts["no change"] += 1
            continue
        main.write_text(faulty)
        try:
            again = read_c(main, like=circuit, entry=entry)
        except FormatError as error:
            assert re.search(r"^net\.c(, line \d+:| (never )?writes )", str(error)), error
            counts["refused"] += 1
            continue
        verdict = prove(circuit, again)
        assert verdict.status in ("refuted", "proved"), (kind, serial, str(verdict))
        if verdict.status == "proved":
            assert equal(circuit, again) is True, (kind, serial)
            got = c.run(circuit, everything, entry=entry, optimize="-O0", main=main)
            np.testing.assert_array_equal(got, simulate(circuit, everything), err_msg=f"{kind} {serial}")
            counts["equal"] += 1
        else:
            counts["refuted"] += 1
            if counts["refuted"] % confirm == 0:
                codes = np.array([[verdict.counterexample[w.name] for w in circuit.inputs]], dtype=circuit.input_dtype)
                got = c.run(circuit, codes, entry=entry, optimize="-O0", main=main)
                assert not np.array_equal(got, simulate(circuit, codes)), (kind, serial)
                np.testing.assert_array_equal(got, simulate(again, codes), err_msg=f"{kind} {serial}")
    return counts


@pytest.mark.parametrize("entry", ["batch", "one"])
def test_a_few_faults_in_a_small_text(small_circuit, tmp_path, entry):
    counts = figures(small_circuit, tmp_path, entry, 20, confirm=4)
    assert counts["refuted"] >= 3 and counts["refused"] >= 3


@pytest.mark.slow
@pytest.mark.parametrize("entry", ["batch", "one"])
@pytest.mark.parametrize(("which", "confirm"), [("small_circuit", 1), ("demo_circuit", 8)])
def test_faults(which, confirm, entry, tmp_path, request):
    faults = 220 if which == "small_circuit" else tenth(220)
    counts = figures(request.getfixturevalue(which), tmp_path, entry, faults, confirm=confirm)
    print(f"\n{which}, {entry}: of {sum(counts.values()) - counts['no change']} faults "
          + ", ".join(f"{n} {what}" for what, n in counts.items()))
    assert sum(counts.values()) - counts["no change"] >= 0.9 * faults
    assert min(counts["refuted"], counts["refused"]) >= 60 / 220 * faults
