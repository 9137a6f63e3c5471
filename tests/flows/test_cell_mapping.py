"""Our own mapping: never more area than without adder cells, proved, timed."""

import numpy as np
import pytest
from flow_cases import classifier
from libraries import OSU018, SKY130, library_text

from hardwire.core.errors import InputError
from hardwire.cost import read_liberty
from hardwire.flows.board import board_score
from hardwire.flows.mapping import map_score

ADDERS, PLAIN = "amap, adder cells", "amap"


def test_least_area_counts_in_adder_cells(small, tiny, library):
    score = map_score(small, tiny)
    assert score.method == ADDERS and score.cells["FA"] >= 12 and str(score.verified) == "proved"
    assert score.alternatives[ADDERS] == score.ge < score.alternatives[PLAIN]
    assert score.delay_ps is None and score.ge == pytest.approx(score.area / library.nand2.area)
    assert score.ge <= board_score(small, library).ge


def test_a_library_without_adders(small, tmp_path):
    (tmp_path / "few.lib").write_text(library_text("FA", "HA"))
    score = map_score(small, tmp_path / "few.lib")
    assert score.method == PLAIN and set(score.alternatives) == {PLAIN} and score.delay_ps > 0
    assert str(score.verified) == "proved"


def test_a_library_without_half_adders(small, tmp_path):
    (tmp_path / "few.lib").write_text(library_text("HA"))
    score = map_score(small, tmp_path / "few.lib")
    assert score.method == ADDERS and "HA" not in score.cells and str(score.verified) == "proved"


def test_least_delay(small, library):
    fast = map_score(small, library, objective="delay")
    assert fast.delay_ps > 0 and str(fast.verified) == "proved"
    assert fast.ge >= map_score(small, library).ge


def test_samples_take_the_place_of_a_proof(small, library, rng):
    x = rng.integers(0, 4, (777, 6)).astype(np.uint8)
    assert str(map_score(small, library, samples=x).verified) == "simulated 777 samples"
    assert map_score(small, library, proof_timeout=0).verified.status == "skipped"


def test_an_unknown_objective(small, library):
    with pytest.raises(InputError, match="choose area or delay"):
        map_score(small, library, objective="power")


@pytest.mark.skipif(not OSU018.is_file(), reason="the Debian package qflow-tech-osu018 is not installed")
def test_osu018():
    score = map_score(classifier(), OSU018)
    assert score.cells["FAX1"] >= 12 and str(score.verified) == "proved"


@pytest.mark.slow
@pytest.mark.skipif(not SKY130.is_file(), reason="shared/liberty/sky130hd_tt.lib.xz is not beside the checkout")
def test_sky130():
    library, circuit = read_liberty(SKY130), classifier()
    score, board = map_score(circuit, library), board_score(circuit, library)
    assert score.cells["sky130_fd_sc_hd__fa_1"] >= 12 and score.ge < board.ge and str(score.verified) == "proved"
    assert 500 < map_score(circuit, library, objective="delay").delay_ps < 10_000
