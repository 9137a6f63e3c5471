"""Covers by tables of k inputs."""

import pytest
from flow_cases import classifier
from helpers import check_same, sample_bits

from hardwire.circuit import CircuitBuilder
from hardwire.flows.fpga.covers import best_cover, cells_in, counters_as_tables

ONE = (1,) * 6


@pytest.mark.parametrize("k", [4, 6])
def test_a_cover_is_the_circuit(rng, k):
    circuit = classifier()
    cover = best_cover(circuit, [k], ONE, "area")
    check_same(circuit, cover.circuit, sample_bits(rng, circuit))
    assert cover.circuit.arity.max() <= k == cover.k and cover.cells == cells_in(cover.circuit, ONE)
    assert cover.cells == min(cells for cells, _ in cover.alternatives.values()) and len(cover.alternatives) == 3


def test_depth_and_area():
    circuit = classifier(count=31)
    area, depth = (best_cover(circuit, [4], ONE, objective) for objective in ("area", "depth"))
    assert depth.circuit.depth <= area.circuit.depth and area.cells <= depth.cells


def test_wide_tables_count_the_cells_that_they_take():
    """Six inputs in one table are four cells of an ECP5: area takes narrow ones, depth wide ones."""
    circuit, price = classifier(count=31), (1, 1, 1, 1, 2, 4)
    area, depth = (best_cover(circuit, (4, 6), price, objective) for objective in ("area", "depth"))
    assert area.k == 4 and depth.k == 6 and depth.circuit.depth < area.circuit.depth
    assert depth.cells > depth.circuit.n_nodes


def test_tables_of_a_circuit_are_a_cover(rng):
    b = CircuitBuilder("tables")
    nets = [b.input(f"x{i}")[0] for i in range(8)]
    b.output("o", [b.node(0x6996966996696996, *nets[:6]), b.node(0x8EE8, *nets[4:])])
    circuit = b.build()
    cover = best_cover(circuit, [6], ONE, "area")
    assert cover.cells == 2 and "own tables, k = 6" in cover.alternatives
    assert "own tables, k = 4" not in best_cover(circuit, [4], ONE, "area").alternatives


def test_counters_as_tables(rng):
    circuit = classifier(count=15)
    tables = counters_as_tables(circuit)
    check_same(circuit, tables, sample_bits(rng, circuit))
    assert (tables.arity == 3).sum() >= 30
