from itertools import combinations

import numpy as np
import pytest

from hardwire.circuit import STAGES, CircuitBuilder
from hardwire.circuit.arithmetic import at_least_more
from hardwire.circuit.comparators import at_least_each
from hardwire.circuit.simulate import simulate
from hardwire.core.comparators import threshold_price
from hardwire.core.errors import InputError
from hardwire.data import Encoder, fit_encoder
from hardwire.data.informative import fit_informative


def information(codes, y, thresholds):
    """``I(interval; y)`` in nats, straight from its definition."""
    interval = np.searchsorted(np.sort(thresholds), codes, side="right")
    joint = np.zeros((len(thresholds) + 1, y.max() + 1))
    np.add.at(joint, (interval, y), 1 / len(y))
    outer = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    inside = joint > 0
    return float((joint[inside] * np.log(joint[inside] / outer[inside])).sum())


def best_by_trial(codes, y, levels, width, price):
    """The most that any set of thresholds reaches."""
    sets = [s for n in range(1, levels + 1) for s in combinations(range(1, 1 << width), n)]
    return max(information(codes, y, s) - price * sum(threshold_price(width, t) for t in s) for s in sets)


@pytest.mark.parametrize("price", [0.0, 0.004, 0.05])
@pytest.mark.parametrize("labelled", [True, False])
def test_no_set_of_thresholds_is_worth_more(price, labelled):
    rng = np.random.default_rng(3)
    codes = np.minimum(rng.geometric(0.2, 300) + 2 * rng.integers(0, 2, 300), 15)
    codes[0] = 15  # a word of four bits
    y = (codes + rng.integers(0, 4, 300)) // 5
    encoder = fit_encoder("informative" if labelled else "entropy", codes[:, None], levels=3, y=y, price=price,
                          distinct=True)
    chosen = encoder.thresholds[encoder.used].tolist()
    told = y if labelled else codes
    worth = information(codes, told, chosen) - price * sum(threshold_price(4, t) for t in chosen)
    assert worth == pytest.approx(best_by_trial(codes, told, 3, 4, price), abs=1e-12)


def test_classes_decide_where_the_thresholds_are():
    codes = np.arange(256)[:, None]
    y = (codes[:, 0] >= 100).astype(int) + (codes[:, 0] >= 200)
    told = fit_encoder("informative", codes, levels=5, y=y, price=0.0, distinct=True)
    assert told.thresholds[told.used].tolist() == [100, 200]
    cheap = fit_encoder("informative", codes, levels=5, y=y, price=0.05, distinct=True)
    assert cheap.thresholds[cheap.used].tolist() == [96, 128, 192] and cheap.gates() == 3


def test_a_high_price_leaves_wires_or_what_a_feature_must_have():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 6))
    encoder = fit_encoder("informative", x, levels=7, y=(x[:, 0] > 0).astype(int), price=10.0, distinct=True)
    assert encoder.gates() == 0 and encoder.n_bits == 6 and (encoder.width == 1).all()


def test_a_price_of_zero_shares_samples_out_as_evenly_as_quantiles():
    x = np.random.default_rng(1).standard_cauchy((2000, 1)).cumsum(axis=1)
    for kind in ("entropy", "quantile"):
        encoder = fit_encoder(kind, x, levels=7, code_bits=16, clip=0.02, price=0.0)
        share = np.bincount(encoder.encode(x).sum(axis=1), minlength=8) / 2000
        assert share == pytest.approx(1 / 8, abs=0.01)


def test_dropping_low_bits_changes_no_bit():
    rng = np.random.default_rng(2)
    x = np.stack([rng.normal(size=400), rng.standard_cauchy(400), rng.integers(0, 50, 400), rng.random(400) * 1e-9],
                 axis=1)
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    options = {"levels": 5, "code_bits": 12, "clip": 0.01, "common": False, "price": 0.01}
    wide, narrow = (Encoder("informative", *fit_informative(x, y, **options, narrow=n)) for n in (False, True))
    far = np.concatenate([x, 2 * x, -x])
    assert (wide.encode(far) == narrow.encode(far)).all()
    assert narrow.width.tolist()[2] == 6 and (narrow.width[[0, 1, 3]] < 8).all() and (wide.width[[0, 1, 3]] == 12).all()
    assert np.array_equal(wide.gates_by_feature(), narrow.gates_by_feature())


@pytest.mark.parametrize("kind", ["uniform", "quantile", "entropy"])
@pytest.mark.parametrize("case", ["table", "image", "edges"])
def test_an_encoder_reports_the_gates_that_lowering_builds(kind, case):
    rng = np.random.default_rng(5)
    if case == "table":
        x = np.stack([rng.normal(size=300), rng.integers(0, 9, 300), rng.standard_cauchy(300), np.zeros(300)], axis=1)
        encoder = fit_encoder(kind, x, levels=5, distinct=True)
    else:
        x = rng.integers(0, 256, (200, 12)).astype(np.uint8)
        options = {"edges": 2, "shape": (1, 3, 4)} if case == "edges" else {}
        encoder = fit_encoder(kind, x, levels=3, **options)
    b = CircuitBuilder("encoder")
    words = [b.input(f"x{f}", int(w), offset=o, step=s)
             for f, (w, o, s) in enumerate(zip(encoder.width, encoder.offset, encoder.step))]
    with b.stage("encoder"):
        columns = [at_least_each(b, word, column) for word, column in zip(words, encoder.thresholds.T.tolist())]
        bits = [columns[f][t] for t, f in zip(*encoder.used.nonzero())]
        bits += at_least_more(b, ((tuple(words[p]), tuple(words[m]), v) for p, m, v in encoder.edges.tolist()))
    for i, bit in enumerate(bits):
        b.output(f"b{i}", bit)
    circuit = b.build()
    assert (simulate(circuit, encoder.codes(x)) == encoder.encode(x)).all()
    assert encoder.gates() == (circuit.stage == STAGES.index("encoder")).sum()
    assert encoder.gates_by_feature().sum() == encoder.gates() or case == "edges"


@pytest.mark.parametrize("widths", [(4, 4), (6, 3), (3, 6), (1, 1), (1, 5)])
def test_edges_between_words_of_any_width_are_counted(widths):
    top = (1 << max(widths)) - 1
    edges = np.array([(p, m, v) for v in (1, 2, top) for p, m in ((0, 1), (1, 0)) if v <= top] + [(0, 0, 1)] * 2)
    encoder = Encoder("uniform", np.zeros(2), np.ones(2), np.array(widths), np.ones((1, 2), dtype=np.int64), edges)
    b = CircuitBuilder("edges")
    words = [tuple(b.input(f"x{f}", w)) for f, w in enumerate(widths)]
    b.output("y", at_least_more(b, ((words[p], words[m], v) for p, m, v in encoder.edges.tolist())))
    assert encoder.gates() - encoder.gates_by_feature().sum() == b.build().n_nodes


def test_targets_and_labels_may_be_told_too():
    rng = np.random.default_rng(6)
    x = rng.random((400, 2))
    target = np.stack([x[:, 0] ** 2, rng.random(400)], axis=1)
    encoder = fit_encoder("informative", x, levels=5, y=target, price=0.02, distinct=True)
    bits = encoder.used.sum(axis=0)
    assert bits[0] > bits[1]  # the second feature tells nothing
    labels = (x[:, 1:] > [[0.25, 0.75]]).astype(float)
    encoder = fit_encoder("informative", x, levels=5, y=labels, price=0.01, distinct=True)
    assert encoder.used.sum(axis=0)[1] == 2


def test_what_cannot_be_used_is_named():
    x = np.arange(10.0)[:, None]
    with pytest.raises(InputError, match="price is -1"):
        fit_encoder("entropy", x, price=-1.0)
    with pytest.raises(InputError, match="needs the classes"):
        fit_encoder("informative", x)
    with pytest.raises(InputError, match="y has shape"):
        fit_encoder("informative", x, y=np.arange(9))
