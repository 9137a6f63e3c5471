"""Placement and routing by qflow: the real one where it is installed, and impostors."""

import shutil

import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.core.errors import InputError, MissingToolError, ToolError
from hardwire.cost.liberty import read_liberty
from hardwire.flows.asic import qflow
from hardwire.flows.asic.flow import asic_flow
from hardwire.flows.asic.netlist import read_cells
from hardwire.flows.netlist import Ports

needs_qflow = pytest.mark.skipif(shutil.which("qflow") is None or not (qflow.PROCESSES / "osu018").is_dir(),
                                 reason="the Debian packages qflow and qflow-tech-osu018 are not installed")
LIBRARY = """library (two) { cell (NAND2X1) { area : 4; pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "(!(A B))"; } } cell (INVX1) { area : 2; pin (A) { direction : input; }
    pin (Y) { direction : output; function : "(!A)"; } } }"""
ROUTED = """VERSION 5.6 ;
DESIGN top ;
UNITS DISTANCE MICRONS 100 ;
DIEAREA ( -100 -100 ) ( 900 400 ) ;
COMPONENTS 3 ;
- FILL_0_1 FILL + PLACED ( 0 0 ) N ;
- NAND2X1_1 NAND2X1 + PLACED ( 40 50 ) S ;
- INVX1_1 INVX1 + PLACED ( 140 50 ) S ;
END COMPONENTS
NETS 4 ;
- a ( PIN a ) ( NAND2X1_1 A ) + ROUTED metal1 ( 10 20 ) ( * 40 ) ;
- b
  ( PIN b )
  ( NAND2X1_1 B )
+ ROUTED metal1 ( 10 20 ) ( * 40 ) M2_M1
  NEW metal2 ( 10 40 ) ( 20 * ) ;
- n4
  ( NAND2X1_1 Y )
  ( INVX1_1 A )
+ ROUTED metal1 ( 10 20 ) ( * 40 ) ;
- y
  ( INVX1_1 Y )
  ( PIN y )
+ ROUTED metal1 ( 10 20 ) ( * 40 ) ;
END NETS
END DESIGN
"""
LOG = "Qrouter detail maze router version 1.4.71.T\nFinal: No failed routes!\n"


@pytest.fixture
def both():
    """``y = a and b`` as a circuit of one gate."""
    b = CircuitBuilder("both")
    (x,), (y,) = b.input("a"), b.input("b")
    b.output("y", b.and_(x, y))
    return b.build()


@pytest.fixture
def mapped(both, tmp_path):
    """Two cells, and the ports."""
    (tmp_path / "two.lib").write_text(LIBRARY)
    library, ports = read_liberty(tmp_path / "two.lib"), Ports(both)
    blif = ".model top\n.inputs a b\n.outputs y\n.gate NAND2X1 A=a B=b Y=n\n.gate INVX1 A=n Y=y\n.end\n"
    return read_cells(blif, both, ports, library.cells), ports


def impostor(tmp_path, monkeypatch, lines):
    """A program in place of qflow, which runs these lines in the project's folder."""
    program = tmp_path / "impostor"
    program.write_text("#!/bin/sh\n" + "\n".join(lines) + "\n")
    program.chmod(0o755)
    monkeypatch.setenv("HARDWIRE_QFLOW", str(program))


def writes(routed=ROUTED, log=LOG):
    return [f"cat > layout/top.def <<'END_OF_FILE'\n{routed}END_OF_FILE", f"cat > log/route.log <<'END_OF_FILE'\n{log}END_OF_FILE"]


def test_a_layout_is_read_and_proved(mapped, tmp_path, monkeypatch):
    impostor(tmp_path, monkeypatch, writes())
    made = qflow.layout(*mapped, tmp_path / "work", "osu018")
    assert (made.area_um2, made.cells, made.nets, made.router) == (50.0, 2, 4, "qrouter 1.4.71.T")
    assert str(made.verified) == "proved" and made.file == "layout/top.def"
    assert (tmp_path / "work" / "synthesis" / "top.blif").read_text().count(".gate") == 2


@pytest.mark.parametrize("lines, word", [
    (["exit 0"], "wrote no"),
    (["exit 3"], "exit code 3"),
    ([*writes(), "exit 1"], "exit code 1"),
    (writes(log="Qrouter\n"), "did not say that it has ended"),
    (writes(log="Final: Failed net routes: 7\n"), "left 7 nets open"),
    (writes(routed="DESIGN top ;\n"), "no units"),
    (writes(routed=ROUTED.replace("+ ROUTED metal1", "", 1)), "1 nets of the layout have no wire, the first is 'a'"),
    (writes(routed=ROUTED.replace("( INVX1_1 A )", "( INVX1_1 B )")), "nowhere defined"),
    (writes(routed=ROUTED.replace("- NAND2X1_1 NAND2X1", "- NAND2X1_1 NOR2X1")), "does not have"),
    (writes(routed=ROUTED.replace("( PIN b )", "( PIN c )").replace("- b", "- c")), "nowhere defined"),
    (writes(routed=ROUTED.replace("( NAND2X1_1 B )", "( NAND2X1_2 B )").replace("( NAND2X1_1 A )", "( NAND2X1_1 A )\n  ( NAND2X1_1 B )")), "not the netlist's"),
])
def test_what_it_may_do_wrong(mapped, tmp_path, monkeypatch, lines, word):
    impostor(tmp_path, monkeypatch, lines)
    with pytest.raises((ToolError, InputError), match=word):
        qflow.layout(*mapped, tmp_path / "work", "osu018")


def test_it_hangs(mapped, tmp_path, monkeypatch):
    impostor(tmp_path, monkeypatch, ["sleep 30"])
    with pytest.raises(ToolError, match=r"did not finish within 0\.3 s"):
        qflow.layout(*mapped, tmp_path / "work", "osu018", timeout=0.3)


def test_mistakes(mapped, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="density of 2"):
        qflow.layout(*mapped, tmp_path, "osu018", density=2.0)
    monkeypatch.setenv("HARDWIRE_QFLOW", "/nowhere/qflow")
    with pytest.raises(MissingToolError, match="HARDWIRE_QFLOW"):
        qflow.layout(*mapped, tmp_path, "osu018")
    with pytest.raises(MissingToolError, match="qflow-tech-osu999"):
        qflow.library_of("osu999")


@needs_qflow
@pytest.mark.slow
def test_a_small_circuit_is_placed_and_routed(small, tmp_path):
    result = asic_flow(small, qflow.library_of("osu018"), folder=tmp_path, process="osu018")
    entry = result.to_json()
    assert entry["status"] == "routed" and entry["target"] == "osu018" and entry["layout"]["verified"] == "proved"
    assert entry["layout"]["cells"] == sum(entry["cells"].values()) and entry["layout"]["area_um2"] > entry["area_um2"]
    assert (tmp_path / entry["files"]["layout"]).is_file()
