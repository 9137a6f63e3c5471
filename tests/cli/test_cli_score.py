"""The verb ``score``."""

import json

import numpy as np
import pytest
from libraries import library_text

from hardwire.circuit import CircuitBuilder, save_circuit
from hardwire.circuit.arithmetic import argmax, popcount
from hardwire.circuit.simulate import simulate
from hardwire.flows import yosys

with_yosys = pytest.mark.skipif(not yosys.installed(), reason="pyosys is not installed (the extra hardwire[yosys])")


@pytest.fixture
def library(tmp_path):
    (tmp_path / "tiny.lib").write_text(library_text())
    return tmp_path / "tiny.lib"


@pytest.fixture
def counter(tmp_path):
    """Which of two groups of five bits has more ones."""
    b = CircuitBuilder("counter", labels=("left", "right"))
    nets = [net for name in ("x0", "x1") for net in b.input(name, 5)]
    with b.stage("encoder"):
        nets = [b.node(0b10, net) for net in nets]
    with b.stage("network"):
        nets[0] = b.not_(nets[0])
    with b.stage("head"):
        b.output("class_index", argmax(b, [popcount(b, nets[:5]), popcount(b, nets[5:])]))
    circuit = b.build()
    return circuit, save_circuit(circuit, tmp_path / "counter.net")


def test_a_table_by_stage(ask, counter):
    _, path = counter
    lines = ask("score", path)[0].splitlines()
    assert lines[0].split() == ["gates", "inverters", "wires", "constants", "depth", "tables:", "number"]
    assert lines[1].split() == ["encoder", "0", "0", "10", "0", "1"]
    assert lines[2].split() == ["network", "0", "1", "0", "0", "1"]
    assert [line.split()[0] for line in lines[1:]] == ["encoder", "network", "head", "whole"]
    data = json.loads(ask("score", path, "--json")[0])
    stages = data["stages"]
    assert set(stages) == {"encoder", "network", "head", "whole"} and "library" not in data
    assert stages["whole"]["gates"] == sum(stages[s]["gates"] for s in ("encoder", "network", "head"))
    assert stages["encoder"] == {"two_input": 0, "inverters": 0, "wires": 10, "constants": 0, "tables": {}, "depth": 1,
                                 "gates": 0}
    shown = json.loads(ask("show", path, "--json")[0])
    assert data["digest"] == shown["digest"] and stages["whole"]["depth"] == shown["depth"]
    assert all(stages[s]["gates"] == shown["counts"][s]["gates"] for s in shown["counts"])


def test_a_run_is_scored_by_its_best_circuit(ask, finished):
    data = json.loads(ask("score", finished, "--json")[0])
    record = json.loads((finished / "report.json").read_text())
    assert data["digest"] == record["digest"]
    assert all(data["stages"][s]["gates"] == c["gates_optimized"] for s, c in record["counts"].items())


@with_yosys
def test_a_library_and_the_board_side_by_side(ask, counter, library):
    _, path = counter
    out, err = ask("score", path, "--liberty", library, "--board")
    assert "GE, unmapped" in out.splitlines()[0] and "1 GE = 3 (NAND), adders: FA, HA" in out
    rows = {line[:15].strip(): line for line in out.splitlines()[7:]}
    assert all("GE" in rows[name] and "proved" in rows[name] for name in ("board's script", "least area", "least delay"))
    assert "ps without wires" in rows["least delay"] and "Yosys 0." in out and "score: the board's script" in err
    data = json.loads(ask("score", path, "--liberty", library, "--json")[0])
    assert "board" not in data and data["area"]["version"].startswith("Yosys 0.")
    assert data["library"] == {"file": str(library), "name": "tiny", "cells": 12, "nand2": "NAND", "nand2_area": 3.0,
                               "full_adder": "FA", "half_adder": "HA"}
    assert data["area"]["verified"] == data["delay"]["verified"] == "proved" and data["delay"]["delay_ps"] > 0
    assert data["area"]["ge"] == min(data["area"]["alternatives"].values())


@with_yosys
def test_samples_and_a_data_set(ask, counter, library, tmp_path, rng):
    circuit, path = counter
    x = rng.integers(0, 32, (400, 2))
    y = simulate(circuit, x)[:, 0]
    np.save(tmp_path / "x.npy", x)
    data = json.loads(ask("score", path, "--liberty", library, "--input", tmp_path / "x.npy", "--board", "--json")[0])
    assert data["board"]["verified"] == {"mapped": "simulated 400 samples", "nand": "simulated 400 samples"}
    assert data["board"]["accuracy"] is None and data["area"]["verified"] == "simulated 400 samples"
    np.savez(tmp_path / "own.npz", x=x, y=y)
    data = json.loads(ask("score", path, "--liberty", library, "--dataset", tmp_path / "own.npz", "--board", "--json")[0])
    assert data["board"]["accuracy"] == 1.0 and data["delay"]["verified"].startswith("simulated ")


@with_yosys
def test_tables_kept_through_yosys(ask, counter, tmp_path, rng):
    circuit, path = counter
    out, err = ask("score", path, "--luts")
    row = next(line for line in out.splitlines() if line.startswith("look-up tables"))
    assert "LUT6  depth " in row and "proved" in row and "Yosys 0." in out and "our cover" in err and "GE" not in out
    x = rng.integers(0, 32, (400, 2))
    np.savez(tmp_path / "own.npz", x=x, y=simulate(circuit, x)[:, 0])
    data = json.loads(ask("score", path, "--luts", "--dataset", tmp_path / "own.npz", "--json")[0])
    assert data["luts"]["accuracy"] == 1.0 and data["luts"]["verified"].startswith("simulated ")
    assert f" {data['luts']['luts']} LUT6" in row and "area" not in data and "library" not in data


def test_options_that_do_not_go_together(refuse, counter, library, tmp_path):
    _, path = counter
    assert "--liberty FILE" in refuse(tmp_path, "score", path, "--board")
    assert "--liberty FILE or --luts" in refuse(tmp_path, "score", path, "--dataset", "digits")
    assert "give one of them" in refuse(tmp_path, "score", path, "--liberty", library, "--dataset", "digits", "--input", "x.npy")
    assert "absent.net" in refuse(tmp_path, "score", tmp_path / "absent.net")


@with_yosys
def test_mistakes_in_files(refuse, counter, library, tmp_path):
    _, path = counter
    assert "cannot read" in refuse(tmp_path, "score", path, "--liberty", tmp_path / "absent.lib")
    (tmp_path / "text.lib").write_text("cells: many")
    assert "Liberty" in refuse(tmp_path, "score", path, "--liberty", tmp_path / "text.lib")
    assert "absent.npy" in refuse(tmp_path, "score", path, "--liberty", library, "--input", tmp_path / "absent.npy")
    assert "input has shape" in refuse(tmp_path, "score", path, "--liberty", library, "--dataset", "digits")


def test_without_pyosys_one_sentence_names_the_extra(refuse, ask, counter, library, tmp_path, monkeypatch):
    _, path = counter
    monkeypatch.setattr(yosys, "installed", lambda: False)
    yosys.self_test.cache_clear()
    try:
        assert "hardwire[yosys]" in refuse(tmp_path, "score", path, "--liberty", library)
        ask("score", path)  # counting needs no tool
    finally:
        yosys.self_test.cache_clear()
