"""Liberty files: cells, functions, the unit of area, adders, and what is refused."""

import gzip
import lzma

import pytest
from libraries import CELLS, OSU018, SKY130, cell_text, library_text

from hardwire.core.errors import FormatError, InputError
from hardwire.core.gates import TABLE
from hardwire.cost import read_liberty


@pytest.fixture
def write(tmp_path):
    def call(text, name="tiny.lib"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return call


def test_cells_and_functions(write):
    library = read_liberty(write(library_text()))
    assert library.name == "tiny" and set(library.cells) == {*CELLS, "DFF"}
    for name, (area, inputs, outputs) in CELLS.items():
        cell = library.cells[name]
        assert (cell.area, cell.inputs, set(cell.outputs)) == (area, tuple(inputs.split()), set(outputs))
        assert cell.combinational and not cell.sequential
    tables = {name: cell.tables for name, cell in library.cells.items()}
    assert tables["INV"] == {"Y": 0b01} and tables["NAND"] == tables["NAND_X4"] == {"Y": 0b0111}
    assert tables["AOI21"] == {"Y": 0b0000_0111} and tables["MUX"] == {"Y": 0b1100_1010}
    assert tables["FA"] == {"CO": 0xE8, "S": 0x96}
    flop = library.cells["DFF"]
    assert flop.sequential and not flop.combinational and flop.tables == {} and flop.area == 20


@pytest.mark.parametrize("function, table", [
    ("A", 0b1010), ("!A", 0b0101), ("A'", 0b0101), ("A B", 0b1000), ("A*B", 0b1000), ("A&B", 0b1000), ("A+B", 0b1110),
    ("A|B", 0b1110), ("A^B", 0b0110), ("!A B + A !B", 0b0110), ("A + B A'", 0b1110), ("!(A B)", 0b0111), ("(A B)''", 0b1000),
    ("A ^ B B", 0b0100), ("A + A ^ B", 0b1110), ("!A^B", 0b1001), ("1", 0b1111), ("0", 0b0000), ("!!A", 0b1010),
])
def test_operators_bind_as_the_format_says(write, function, table):
    """``!`` and ``'``, then ``^``, then ``& *`` and a space, then ``+ |``."""
    path = write(library_text(extra=cell_text("T", 1.0, "A B", {"Y": function})))
    assert read_liberty(path).cells["T"].tables == {"Y": table}


@pytest.mark.parametrize("function", ["A +", "(A", "A B)", "A % B", "Q", "", ")"])
def test_a_function_that_cannot_be_read(write, function):
    library = read_liberty(write(library_text(extra=cell_text("T", 1.0, "A B", {"Y": function}))))
    if not function:
        assert library.cells["T"].tables == {} and not library.cells["T"].combinational
        return
    with pytest.raises(FormatError, match="cell 'T'"):
        _ = library.cells["T"].tables


def test_the_unit_of_area(write):
    library = read_liberty(write(library_text()))
    assert library.nand2.name == "NAND" and library.gate_equivalents(12.0) == 4.0
    larger = read_liberty(write(library_text("NAND")))
    assert larger.nand2.name == "NAND_X4"
    spared = cell_text("CHEAP", 1.0, "A B", {"Y": "!(A B)"}, more="dont_use : true;")
    assert read_liberty(write(library_text(extra=spared))).nand2.name == "NAND"
    with pytest.raises(InputError, match="no two-input NAND"):
        _ = read_liberty(write(library_text("NAND", "NAND_X4"))).nand2


def test_adders_are_known_by_their_function(write):
    library = read_liberty(write(library_text()))
    full, half = library.full_adder, library.half_adder
    assert (full.cell.name, full.sum, full.carry) == ("FA", "S", "CO")
    assert (half.cell.name, half.sum, half.carry) == ("HA", "S", "CO")
    without = read_liberty(write(library_text("FA", "HA")))
    assert without.full_adder is None and without.half_adder is None


def test_gates_by_cells_and_inverters(write):
    """The cheapest cell with inverters at its pins: NOR with one inverter is and-not, OR is NOR and an inverter."""
    areas = read_liberty(write(library_text())).gate_areas
    expected = {"NAND": 3.0, "NOR": 3.5, "AND": 4.0, "OR": 5.5, "XOR": 7.0, "XNOR": 9.0, "NOT_A": 2.0, "NOT_B": 2.0,
                "A": 0.0, "B": 0.0, "TRUE": 0.0, "FALSE": 0.0, "A_AND_NOT_B": 5.5, "B_AND_NOT_A": 5.5,
                "A_OR_NOT_B": 5.0, "B_OR_NOT_A": 5.0}
    assert {name: areas[table] for name, table in TABLE.items()} == expected
    few = read_liberty(write(library_text("XOR", "INV", "AND", "NOR"))).gate_areas
    assert few[TABLE["XOR"]] == 12.0 and few[TABLE["XNOR"]] == 15.0 and few[TABLE["NOT_A"]] == 3.0


def test_packed_files(write, tmp_path):
    plain = read_liberty(write(library_text()))
    for suffix, pack in ((".gz", gzip.compress), (".xz", lzma.compress)):
        path = tmp_path / f"tiny.lib{suffix}"
        path.write_bytes(pack(library_text().encode()))
        assert read_liberty(path).cells == plain.cells
        path.write_bytes(pack(library_text().encode())[:-30])
        with pytest.raises(FormatError, match="damaged"):
            read_liberty(path)


def test_pins_of_several_names_and_states_that_are_not_driven(write):
    extra = """  cell (OR3) { area : 5; pin (A, B, C) { direction : input; } pin (Y) { direction : output; function : "A|B|C"; } }
  cell (TRI) { area : 5; pin (A) { direction : input; } pin (E) { direction : input; }
    pin (Y) { direction : output; function : "A"; three_state : "!E"; } }
  cell (GATE) { area : 5; clock_gating_integrated_cell : "latch_posedge"; pin (A) { direction : input; }
    pin (Y) { direction : output; function : "A"; } }
"""
    library = read_liberty(write(library_text(extra=extra)))
    assert library.cells["OR3"].inputs == ("A", "B", "C") and library.cells["OR3"].tables == {"Y": 0xFE}
    assert not library.cells["TRI"].combinational and library.cells["GATE"].sequential


@pytest.mark.parametrize("text, part", [
    ("", "no statement"), ("not a library", "no statement"), ("cell (a) { area : 1; }", "'cell'"), ("library (x) { }", "no cell"),
    ("library (x) { cell (a) { area : large; } }", "'a' has no area"), ("library (x) { cell (a) { } }", "'a' has no area"),
    ("library (x) { cell (a) { area : 1; }", "not closed"), ("library (x) { cell (a { area : 1; }", "parenthesis"),
    ("library (x) { cell (a) { area : 1; pin (Y) { timing () { values (", "truncated"), ("}", "not opened"),
    ("area : 1;", "no value"),
])
def test_files_that_are_refused(write, text, part):
    path = write(text)
    with pytest.raises(FormatError, match=part) as refused:
        read_liberty(path)
    assert str(path) in str(refused.value)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_liberty(tmp_path / "absent.lib")
    (tmp_path / "binary.lib").write_bytes(b"\xff\xfe\x00library")
    with pytest.raises(FormatError, match="damaged"):
        read_liberty(tmp_path / "binary.lib")


@pytest.mark.skipif(not OSU018.is_file(), reason="the Debian package qflow-tech-osu018 is not installed")
def test_osu018():
    library = read_liberty(OSU018)
    assert len(library.cells) == 32 and (library.nand2.name, library.nand2.area) == ("NAND2X1", 24.0)
    full, half = library.full_adder, library.half_adder
    assert (full.cell.name, full.sum, full.carry, half.cell.name, half.sum, half.carry) == (
        "FAX1", "YS", "YC", "HAX1", "YS", "YC")
    assert {c.name for c in library.cells.values() if c.sequential} == {"DFFNEGX1", "DFFPOSX1", "DFFSR", "LATCH"}


@pytest.mark.skipif(not SKY130.is_file(), reason="shared/liberty/sky130hd_tt.lib.xz is not beside the checkout")
def test_sky130():
    library = read_liberty(SKY130)
    assert len(library.cells) == 428 and sum(c.sequential for c in library.cells.values()) == 69
    assert (library.nand2.name, library.nand2.area) == ("sky130_fd_sc_hd__nand2_1", 3.7536)
    assert library.full_adder.cell.name == "sky130_fd_sc_hd__fa_1" and library.half_adder.cell.name == "sky130_fd_sc_hd__ha_1"
    assert max(len(c.inputs) for c in library.cells.values() if c.combinational) == 6
