import json

import numpy as np
import pytest
from sklearn.datasets import load_digits

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import at_least
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import FormatError, InputError
from hardwire.data import ENCODERS, Encoder, fit_encoder

KINDS = [("threshold", 1), ("uniform", 3), ("quantile", 3), ("uniform", 7), ("quantile", 1), ("entropy", 3)]


def encoder_circuit(encoder):
    b = CircuitBuilder("encoder")
    words = [b.input(f"x{f}", int(w), offset=o, step=s)
             for f, (w, o, s) in enumerate(zip(encoder.width, encoder.offset, encoder.step))]
    bits = [at_least(b, word, int(t)) for row in encoder.thresholds for word, t in zip(words, row)]
    for i, bit in enumerate(bits):
        b.output(f"b{i}", bit)
    return b.build()


def mixed(rng, n):
    """Columns of every sort: normal, heavy tails, 0/1, small and negative integers, constants, large offsets."""
    columns = [rng.normal(size=n), rng.standard_cauchy(n), rng.integers(0, 2, n), rng.integers(-5, 6, n),
               np.zeros(n), np.full(n, 7), np.full(n, 0.3), 1e9 + rng.integers(0, 50, n), rng.random(n) * 1e-12,
               rng.integers(0, 10**6, n), np.where(rng.random(n) < 0.8, 0.0, rng.random(n))]
    return np.stack(columns, axis=1).astype(np.float64)


@pytest.mark.parametrize(("kind", "levels"), KINDS)
def test_encode_equals_the_circuit_on_digits(kind, levels):
    x = load_digits().data
    encoder = fit_encoder(kind, x[:1000].astype(np.uint8), levels=levels)
    circuit = encoder_circuit(encoder)
    want = encoder.encode(x[1000:].astype(np.uint8))
    assert (simulate(circuit, encoder.codes(x[1000:])) == want).all()
    assert (simulate(circuit, x[1000:]) == want).all()  # physical values through the circuit's own offset and step
    assert 0.05 < want.mean() < 0.95


@pytest.mark.parametrize(("kind", "levels"), KINDS)
@pytest.mark.parametrize("options", [{}, {"code_bits": 5}, {"code_bits": 16, "clip": 0.02}, {"common": True}])
def test_encode_equals_the_circuit_on_reals_inside_and_outside_the_range(kind, levels, options):
    rng = np.random.default_rng(levels)
    train = mixed(rng, 400)
    encoder = fit_encoder(kind, train, levels=levels, **options)
    lo, hi = train.min(axis=0), train.max(axis=0)
    far = np.concatenate([mixed(rng, 200), train[:100], 2 * train[:100], -train[:100], [lo, hi, lo - 1, hi + 1]])
    assert (simulate(encoder_circuit(encoder), far) == encoder.encode(far)).all()


def test_bits_are_threshold_major():
    x = np.arange(12, dtype=np.uint8).reshape(6, 2)
    encoder = fit_encoder("uniform", x, levels=3)
    codes, bits = encoder.codes(x), encoder.encode(x)
    for t in range(3):
        for f in range(2):
            assert (bits[:, 2 * t + f] == (codes[:, f] >= encoder.thresholds[t, f])).all()
    assert (encoder.n_bits, encoder.n_features, encoder.levels) == (6, 2, 3)


def test_images_keep_their_values_and_share_evenly_spaced_thresholds():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (500, 20)).astype(np.uint8)
    x[:, 0] = 0  # a border pixel
    x[3, 0] = 2
    x[0, 5] = 255
    encoder = fit_encoder("uniform", x, levels=3)
    assert encoder.thresholds[:, 0].tolist() == encoder.thresholds[:, 5].tolist() == [64, 128, 192]
    assert (encoder.width == 8).all() and encoder.codes(x).dtype == np.uint8
    assert (encoder.codes(x) == x).all()
    assert fit_encoder("threshold", x).thresholds[0, 0] == 128
    assert fit_encoder("threshold", x, common=False).thresholds[0, 0] == 1
    assert fit_encoder("threshold", x // 16, common=True).width[0] == 4


def test_words_are_just_wide_enough_and_exact_for_integers():
    x = np.array([[0, -5, 7, 1_000_000, 0.5, 0.0], [1, 5, 7, 1_000_050, 0.5, 1.0], [1, 0, 7, 1_000_009, 0.5, 0.25]])
    encoder = fit_encoder("threshold", x, code_bits=9)
    assert encoder.width.tolist() == [1, 4, 3, 6, 1, 9]
    assert encoder.offset.tolist() == [0, -5, 0, 1_000_000, 0.5, 0]
    assert encoder.codes(x).dtype == np.uint16
    assert (encoder.codes(x)[:, :4] == x[:, :4] - [0, -5, 0, 1_000_000]).all()
    assert encoder.codes(x)[:, 5].tolist() == [0, 511, 128]
    assert encoder.encode(x)[:, 5].tolist() == [False, True, False]


def test_values_outside_the_training_range_saturate():
    encoder = fit_encoder("uniform", np.array([[3], [12]]), levels=2)
    assert encoder.codes(np.array([[-9], [0], [15], [16], [10**12]])).ravel().tolist() == [0, 0, 15, 15, 15]
    assert encoder.codes(np.array([[200]], dtype=np.uint8)).item() == 15
    assert encoder.codes(np.array([[2**64 - 1]], dtype=np.uint64)).item() == 15
    assert encoder.codes(np.array([[100]], dtype=np.int8)).item() == 15
    assert encoder.codes(np.array([[-1e300], [1e300]])).ravel().tolist() == [0, 15]


@pytest.mark.parametrize("kind", ["uniform", "quantile"])
def test_thresholds_ascend_strictly_where_the_feature_has_values_enough(kind):
    rng = np.random.default_rng(3)
    for levels in (2, 3, 6):
        x = np.stack([rng.integers(0, top + 1, 300) for top in range(1, 12)], axis=1)
        x[:2] = [[0] * 11, range(1, 12)]  # both ends are seen
        thresholds = fit_encoder(kind, x, levels=levels).thresholds
        for f, top in enumerate(range(1, 12)):
            column = thresholds[:, f]
            assert column.min() >= 1 and column.max() <= top
            assert len(set(column.tolist())) == min(levels, top) or top < levels
            assert (np.diff(column) >= 0).all()


def test_quantiles_share_the_samples_out_and_leave_a_dark_background_aside():
    rng = np.random.default_rng(4)
    x = np.stack([rng.standard_cauchy(4000), np.where(rng.random(4000) < 0.9, 0.0, rng.random(4000))], axis=1)
    encoder = fit_encoder("quantile", x, levels=3, code_bits=16)
    assert encoder.encode(x[:, :])[:, 1::2].mean(axis=0) == pytest.approx([0.075, 0.05, 0.025], abs=0.005)
    clipped = fit_encoder("quantile", x, levels=3, clip=0.05).encode(x)[:, ::2].mean(axis=0)
    assert clipped == pytest.approx([0.75, 0.5, 0.25], abs=0.02)
    binary = fit_encoder("quantile", (rng.random((500, 3)) < [0.1, 0.5, 0.9]).astype(int), levels=2)
    assert (binary.thresholds == 1).all()


def test_quantile_bits_differ_on_the_training_samples():
    x = np.repeat([[0], [40], [41], [1000]], [500, 3, 2, 400], axis=0)
    encoder = fit_encoder("quantile", x, levels=3)
    assert encoder.thresholds.ravel().tolist() == [40, 41, 1000]


def test_constant_features_give_constant_bits():
    x = np.tile([[0.0, 5.0, -3.0, 0.7, 1e300]], (10, 1))
    for kind, levels in KINDS:
        encoder = fit_encoder(kind, x, levels=levels)
        assert (encoder.encode(x) == encoder.encode(x)[0]).all()
    dark = np.zeros((4, 2), dtype=np.uint8)
    assert not fit_encoder("threshold", dark).encode(dark).any()


def test_any_memory_layout_and_number_type():
    rng = np.random.default_rng(5)
    x = rng.integers(0, 200, (300, 30)).astype(np.uint8)
    encoder = fit_encoder("quantile", x, levels=3)
    want = encoder.encode(x)
    wide = np.zeros((600, 60), dtype=np.uint8)
    wide[::2, ::2] = x
    for same in (np.asfortranarray(x), wide[::2, ::2], x.astype(np.int64), x.astype(np.uint16), x.astype(np.float32),
                 x.astype(">i4"), x[::-1][::-1], x.tolist()):
        assert (encoder.encode(same) == want).all()
        assert encoder.codes(same).flags.c_contiguous and encoder.codes(same).dtype == np.uint8
    assert (fit_encoder("quantile", np.asfortranarray(x), levels=3).thresholds == encoder.thresholds).all()
    assert encoder.encode(x[:0]).shape == (0, 90)
    assert (encoder.encode_codes(x.astype(np.int64)) == want).all()
    assert fit_encoder("threshold", x > 100).width.tolist() == [1] * 30


def test_round_trip_through_json_is_exact():
    rng = np.random.default_rng(6)
    x = mixed(rng, 300) / 3
    encoder = fit_encoder("quantile", x, levels=4)
    back = Encoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert back.kind == "quantile"
    for name in ("offset", "step", "width", "thresholds"):
        mine, other = getattr(encoder, name), getattr(back, name)
        assert mine.dtype == other.dtype and (mine == other).all()
    assert (back.encode(x) == encoder.encode(x)).all()


@pytest.mark.parametrize("change", [
    {"kind": "magic"}, {"kind": []}, {"step": [0.0, 1.0]}, {"step": [1.0]}, {"offset": [0.0, float("nan")]},
    {"offset": "ab"}, {"width": [0, 4]}, {"width": [4.5, 4]}, {"width": [60, 4]}, {"thresholds": [[0, 1], [2, 2]]},
    {"thresholds": [[3, 3], [2, 2]]}, {"thresholds": [[1, 16], [2, 16]]}, {"thresholds": [[1, 2], [3]]},
    {"thresholds": []}, {"thresholds": [1, 2]}, {"offset": None},
])
def test_damaged_content_is_refused(change):
    good = {"kind": "uniform", "offset": [0.0, 0.0], "step": [1.0, 1.0], "width": [4, 4],
            "thresholds": [[1, 2], [3, 4]]}
    assert Encoder.from_dict(good).n_bits == 4
    with pytest.raises(FormatError, match="stored encoder"):
        Encoder.from_dict({**good, **change})
    for key in good:
        with pytest.raises(FormatError, match=key):
            Encoder.from_dict({k: v for k, v in good.items() if k != key})
    with pytest.raises(FormatError):
        Encoder.from_dict([1, 2])


@pytest.mark.parametrize(("bad", "says"), [
    (np.zeros(5), "shape"), (np.zeros((3, 4)), "4 features"),
    (np.array([[1.0, np.nan]]), "sample 0 has nan in feature 1"),
    (np.array([[np.inf, 0.0]]), "inf"), (np.array([["a", "b"]]), "dtype"), (np.zeros((2, 2), dtype=complex), "dtype"),
    (np.zeros((2, 2), dtype=object), "dtype"),
])
def test_wrong_features_are_refused(bad, says):
    encoder = fit_encoder("uniform", np.array([[0.0, 1.0], [1.0, 5.0]]), levels=2)
    with pytest.raises(InputError, match=says):
        encoder.encode(bad)


@pytest.mark.parametrize(("arguments", "options", "says"), [
    (("fancy",), {}, "threshold, uniform, quantile"), (("threshold",), {"levels": 2}, "one level"),
    (("uniform",), {"levels": 0}, "levels"), (("uniform",), {"levels": 1.5}, "levels"),
    (("uniform",), {"code_bits": 17}, "code_bits"), (("uniform",), {"code_bits": 0}, "code_bits"),
    (("uniform",), {"clip": 0.5}, "clip"), (("uniform",), {"clip": -0.1}, "clip"),
])
def test_wrong_options_are_refused(arguments, options, says):
    with pytest.raises(InputError, match=says):
        fit_encoder(*arguments, np.zeros((3, 2)), **options)


def test_training_samples_that_cannot_be_fitted_are_refused():
    with pytest.raises(InputError, match="at least one sample"):
        fit_encoder("uniform", np.zeros((0, 3)))
    with pytest.raises(InputError, match="rescale"):
        fit_encoder("uniform", np.array([[-1.5e308, 0.0], [1.5e308, 0.0]]))
    with pytest.raises(InputError, match="codes have shape"):
        fit_encoder("uniform", np.eye(3)).encode_codes(np.zeros((2, 2), dtype=np.uint8))


def test_every_kind_fits():
    for kind in ENCODERS:
        assert fit_encoder(kind, np.arange(50).reshape(25, 2)).levels == 1
