"""The text of top modules: what is written, what is refused, and that Verilator finds nothing to say of it."""

import re
import shutil
import subprocess

import pytest
from helpers import trained_like

from hardwire.backends import BACKENDS
from hardwire.backends.verilog.wrappers import WRAPPERS, emit_wrapped, wrap
from hardwire.circuit import CircuitBuilder, save_circuit
from hardwire.cli import main
from hardwire.core.errors import InputError

verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="install the Debian package verilator")


def lint(folder, top):
    sources = sorted(path.name for path in folder.glob("*.v") if not path.stem.endswith("_tb"))
    command = ["verilator", "--lint-only", "-Wall", "--top-module", top, *sources]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@verilator
@pytest.mark.parametrize("kind", WRAPPERS)
def test_lint(kind, rng, tmp_path):
    emit_wrapped(trained_like(rng, words=5, width=24, layers=2), tmp_path, kind=kind, name="net", pipeline=4)
    done = lint(tmp_path, f"net_{kind}")
    assert done.returncode == 0 and not done.stderr


def core(x, y, latency):
    """A module with the ports of a core."""
    clocked = "input wire clk, input wire ce, " if latency else ""
    body = "assign y = x[0] ? {YY{1'b1}} : {YY{1'b0}}; wire unused = &x;".replace("YY", str(y))
    body += " wire unused_too = clk & ce;" if latency else ""
    return f"module net({clocked}input wire [{x - 1}:0] x, output wire [{y - 1}:0] y); {body} endmodule\n"


@verilator
@pytest.mark.slow
@pytest.mark.parametrize("kind", WRAPPERS)
@pytest.mark.parametrize("x, y, latency", [(1, 1, 0), (8, 7, 1), (9, 8, 2), (64, 9, 7), (513, 40, 24), (6272, 600, 0)])
def test_lint_of_every_shape(kind, x, y, latency, tmp_path):
    for width in (8, 24, 64, 512) if kind == "axis" else (32,):
        for divider in (4, 868) if kind == "uart" else (104,):
            texts = wrap("net", kind, x=x, y=y, latency=latency, bus_width=width, divider=divider)
            for file, text in (texts | {"net.v": core(x, y, latency)}).items():
                (tmp_path / file).write_text(text)
            done = lint(tmp_path, f"net_{kind}")
            assert done.returncode == 0 and not done.stderr


@verilator
def test_lint_finds_a_width_that_is_wrong(tmp_path):
    texts = wrap("net", "stream", x=4, y=2, latency=0) | {"net.v": core(5, 2, 0)}
    for file, text in texts.items():
        (tmp_path / file).write_text(text)
    assert "WIDTH" in lint(tmp_path, "net_stream").stderr


@pytest.mark.parametrize("kind", WRAPPERS)
def test_what_is_written(kind):
    texts = wrap("net", kind, x=20, y=4, latency=3)
    top, *modules = texts
    assert top == f"net_{kind}.v" and modules == [f"{module}.v" for module in WRAPPERS[kind].modules]
    assert f"module net_{kind} (" in texts[top] and "net core (.clk(" in texts[top] and ".ce(" in texts[top]
    assert "net core (.x(core_x), .y(core_y));" in wrap("net", kind, x=20, y=4, latency=0)[top]
    for module in modules:
        assert re.search(rf"^module {module.removesuffix('.v')} ", texts[module], re.MULTILINE)


@pytest.mark.parametrize("latency, kind, bus_width, places", [
    (0, "stream", 32, 4), (1, "stream", 32, 4), (2, "stream", 32, 8), (5, "stream", 32, 8), (13, "stream", 32, 16),
    (14, "stream", 32, 32), (14, "axis", 128, 32), (14, "axis", 64, 16), (14, "axis", 8, 2), (0, "axis", 32, 2)])
def test_places_of_the_queue(latency, kind, bus_width, places):
    """LATENCY + 3 for one image a clock, fewer where an image takes several beats; a power of two."""
    text = wrap("net", kind, x=128, y=4, latency=latency, bus_width=bus_width)[f"net_{kind}.v"]
    assert 1 << int(re.search(r"\.ADDRESS\((\d+)\)", text)[1]) == places


@pytest.mark.parametrize("change, sentence", [
    ({"kind": "pcie"}, "no wrapper is called 'pcie'"), ({"name": "9 lives"}, "name '9 lives'"), ({"name": "reg"}, "name 'reg'"),
    ({"name": "axis_input"}, "no name of a module"), ({"x": 0}, "0 input and 4 output bits"), ({"y": 0}, "20 input and 0"),
    ({"latency": -1}, "latency -1"), ({"bus_width": 12}, "a bus of 12 bits"), ({"bus_width": 1024}, "a bus of 1024 bits"),
    ({"kind": "uart", "divider": 3}, "3 clocks are too few")])
def test_what_is_refused(change, sentence):
    given = {"name": "net", "kind": "axis", "x": 20, "y": 4, "latency": 3} | change
    with pytest.raises(InputError, match=re.escape(sentence)):
        wrap(given.pop("name"), given.pop("kind"), **given)


def test_a_circuit_without_inputs_is_refused(tmp_path):
    b = CircuitBuilder("constant")
    b.output("y", [1])
    with pytest.raises(InputError, match="has no inputs"):
        emit_wrapped(b.build(), tmp_path, kind="stream")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options, sentence", [
    ({"bus_width": 64}, "bus width 64 is of the wrapper axis"), ({"wrapper": "spi", "bus_width": 64}, "bus width 64"),
    ({"wrapper": "axis", "divider": 9}, "divider 9 is of the wrapper uart"),
    ({"wrapper": "axis", "bus": "named"}, "leave the bus out")])
def test_options_without_a_meaning(options, sentence, rng, tmp_path):
    with pytest.raises(InputError, match=sentence):
        BACKENDS["verilog"].emit(trained_like(rng, words=3, width=8, layers=1), tmp_path, **options)


def test_the_verb(rng, tmp_path, capsys):
    path = save_circuit(trained_like(rng, words=3, width=8, layers=1), tmp_path / "small.net")
    words = ["emit", str(path), "--to", "verilog", "--wrapper", "axis", "--bus-width", "16", "--pipeline", "3", "--out", str(tmp_path / "rtl")]
    assert main(words) == 0
    assert "trained_axis.v" in capsys.readouterr().out
    assert ".W(16)" in (tmp_path / "rtl" / "trained_axis.v").read_text()
    assert main(["emit", str(path), "--to", "c", "--wrapper", "axis", "--out", str(tmp_path / "c")]) == 2
