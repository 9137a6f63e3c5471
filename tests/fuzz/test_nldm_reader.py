"""Mutated tables of Liberty files: a clean error, or a model whose figures are finite."""

import math

import pytest
from hypothesis import given
from libraries import timed_library_text
from mutations import examples, mutated

from hardwire.core.errors import HardwireError
from hardwire.cost.nldm import read_model
from tests.helpers import tenth

CORPUS = [timed_library_text("INV", "XOR").encode()]


def fuzz(folder, count):
    path, read = folder / "mutated.lib", []

    @examples(count)
    @given(mutated(CORPUS))
    def check(data):
        path.write_bytes(data)
        try:
            model = read_model(str(path), ["INV"])
        except HardwireError as error:
            assert "\n" not in str(error) and len(str(error)) < 1000
            return
        cell = model.cells["INV"]
        figures = [model.voltage, cell.leakage, *(watts for _, watts in cell.leakages)]
        for arcs in cell.arcs.values():
            figures += [surface(1e-11, 1e-15) for arc in arcs for edge in (arc.rise, arc.fall) if edge for surface in edge]
        for powers in cell.powers.values():
            figures += [surface(1e-11, 1e-15) for power in powers for surface in (power.rise, power.fall) if surface]
        assert all(math.isfinite(figure) for figure in figures)
        read.append(model)

    check()
    return len(read)


def test_mutated_tables(tmp_path):
    assert fuzz(tmp_path, 60) > 10


@pytest.mark.slow
def test_a_thousand_mutated_tables(tmp_path):
    print(f"{fuzz(tmp_path, tenth(10_000))} of {tenth(10_000):,} are models")
