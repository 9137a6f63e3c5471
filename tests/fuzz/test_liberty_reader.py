"""Mutated Liberty files: a clean error, or a library whose figures are finite."""

import gzip
import math

import pytest
from hypothesis import given
from libraries import TIMING, cell_text, library_text
from mutations import examples, mutated

from hardwire.core.errors import HardwireError
from hardwire.cost.liberty import read_liberty
from tests.helpers import tenth

EXTRA = cell_text("BUS", 5, "A B C D", {"Y": "(A ^ !B') & (C + D | 0) 1"}) + """
  cell (WORD) { area : 9.5; bus (D) { bus_type : b; pin (D[0], D[1]) { direction : input; } }
    pin (Z) { direction : output; three_state : "E"; function : "D[0]"; } dont_use : true; }
"""
CORPUS = [library_text().encode(), library_text("NAND", extra=EXTRA).encode(),
          f"library (x) {{ cell (N) {{ area : 1; {TIMING.format(pin='A')} pin (A, B) {{ direction : input; }}"
          f" pin (Y) {{ direction : output; function : \"(A B)'\"; }} }} }}\n".encode()]


def fuzz(folder, count):
    path, read = folder / "mutated.lib", []

    @examples(count)
    @given(mutated(CORPUS))
    def check(data):
        path.write_bytes(data)
        try:
            library = read_liberty(path)
            read.append(library)
            figures = [*library.gate_areas, library.gate_equivalents(1.0)]
            figures += [adder.cell.area for adder in (library.full_adder, library.half_adder) if adder]
        except HardwireError as error:
            assert "\n" not in str(error) and len(str(error)) < 1000
            return
        assert all(0 <= figure < math.inf for figure in figures)

    check()
    return len(read)


def test_mutated_files(tmp_path):
    assert fuzz(tmp_path, 100) > 20


@pytest.mark.slow
def test_ten_thousand_mutated_files(tmp_path):
    print(f"{fuzz(tmp_path, tenth(10_000))} of {tenth(10_000):,} are libraries")


@pytest.mark.slow
def test_a_thousand_mutated_packed_files(tmp_path):
    path = tmp_path / "mutated.lib.gz"

    @examples(1000)
    @given(mutated([gzip.compress(CORPUS[0])]))
    def check(data):
        path.write_bytes(data)
        try:
            read_liberty(path)
        except HardwireError as error:
            assert "\n" not in str(error)

    check()
