"""Edge detectors of images, and encoders without repeated thresholds: bits, planes, files, circuits."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_digits

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import at_least_more
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import FormatError, InputError
from hardwire.data import Encoder, fit_encoder
from hardwire.data.edges import NEIGHBOURS

SHAPE = (2, 4, 5)


@pytest.fixture
def images(rng):
    return rng.integers(0, 16, (300, *SHAPE)).astype(np.uint8)


def fit(images, **options):
    return fit_encoder("uniform", images.reshape(len(images), -1), **{"levels": 2, "edges": 3, "shape": SHAPE} | options)


def test_each_plane_compares_every_pixel_with_one_neighbour(images):
    encoder = fit(images)
    assert (encoder.threshold_levels, encoder.levels, encoder.n_bits) == (2, 26, 26 * 40)
    bits = encoder.encode(images.reshape(300, 40)).reshape(300, 26, *SHAPE)
    x = images.astype(int)
    for d, (dy, dx) in enumerate(NEIGHBOURS):
        for sign in (0, 1):
            for t in range(3):
                plane = 2 + 6 * d + 3 * sign + t
                threshold = encoder.edges[(plane - 2) * 40 :][:40, 2].max()
                for c, i, j in np.ndindex(SHAPE):
                    inside = i + dy < 4 and 0 <= j + dx < 5
                    rise = (x[:, c, i + dy, j + dx] - x[:, c, i, j]) * (1 - 2 * sign) if inside else np.full(300, -99)
                    assert np.array_equal(bits[:, plane, c, i, j], rise >= threshold)


def test_the_thresholds_share_out_the_differences(images):
    encoder = fit(images)
    assert np.array_equal(encoder.thresholds, fit(images, edges=0).thresholds)
    planes = encoder.edges.reshape(4, 2, 3, 40, 3)[..., 2].max(axis=-1)
    assert (planes[:, 0] == planes[:, 1]).all() and (np.diff(planes, axis=2) > 0).all() and planes.min() >= 1
    found = encoder.encode(images.reshape(300, 40))[:, 80:].reshape(300, 4, 2, 3, 40).sum(axis=(0, 2, 4))
    inside = 300 * np.array([32, 30, 24, 24])  # pixels that have the neighbour
    assert found / inside[:, None] == pytest.approx(np.tile([0.75, 0.5, 0.25], (4, 1)), abs=0.05)


def test_mostly_dark_and_constant_images():
    dark = np.zeros((50, 4, 4), dtype=np.uint8)
    dark[:, 1, 1] = 200
    options = {"levels": 1, "edges": 1, "shape": (1, 4, 4)}
    encoder = fit_encoder("uniform", dark.reshape(50, 16), **options)
    assert encoder.edges[:, 2].max() == 200 and encoder.encode(dark.reshape(50, 16))[:, 16:].sum(axis=1).tolist() == [8] * 50
    flat = np.full((5, 16), 7, dtype=np.uint8)
    assert not fit_encoder("uniform", flat, **options).encode(flat)[:, 16:].any()
    line = fit_encoder("uniform", dark.reshape(50, 16), **{**options, "shape": (16, 1, 1)})  # no neighbours at all
    assert not line.encode(dark.reshape(50, 16))[:, 16:].any()


def test_real_pixels_are_compared_in_one_scale(rng):
    x = rng.normal(size=(200, 9)) * np.arange(1, 10)
    encoder = fit_encoder("quantile", x, levels=2, edges=2, shape=(1, 3, 3), code_bits=6)
    assert len(set(encoder.offset)) == len(set(encoder.step)) == 1


def edge_circuit(encoder):
    b = CircuitBuilder("edges")
    words = [tuple(b.input(f"x{f}", int(w), offset=o, step=s))
             for f, (w, o, s) in enumerate(zip(encoder.width, encoder.offset, encoder.step))]
    for i, bit in enumerate(at_least_more(b, [(words[p], words[m], t) for p, m, t in encoder.edges.tolist()])):
        b.output(f"b{i}", bit)
    return b.build()


def test_bits_equal_the_circuit():
    x = load_digits().data.astype(np.uint8)
    encoder = fit_encoder("quantile", x[:1000], levels=3, edges=2, shape=(1, 8, 8))
    assert np.array_equal(simulate(edge_circuit(encoder), encoder.codes(x[1000:])), encoder.encode(x[1000:])[:, 3 * 64 :])


def test_any_integer_type_of_codes_and_any_number_of_samples(images):
    encoder, x = fit(images), images.reshape(300, 40)
    want = encoder.encode(x)
    for kind in (np.uint8, np.uint16, np.int64):
        assert np.array_equal(encoder.encode_codes(x.astype(kind)), want)
    for n in (0, 1, 256, 257):
        assert np.array_equal(encoder.encode(x[:n]), want[:n])


def test_distinct_thresholds_give_one_bit_each(rng):
    x = np.stack([rng.integers(0, top + 1, 400) for top in (1, 2, 9, 0)], axis=1)
    full, slim = (fit_encoder("quantile", x, levels=4, distinct=d) for d in (False, True))
    assert (full.n_bits, slim.n_bits) == (16, 1 + 2 + 4 + 1)
    assert np.array_equal(slim.used.sum(axis=0), [1, 2, 4, 1]) and full.used.all()
    assert np.array_equal(full.encode(x)[:, slim.used.ravel()], slim.encode(x))
    bits = slim.encode(x)[:, :7]
    assert len(np.unique(bits, axis=1).T) == 7  # no bit twice
    assert slim.encode(x[:0]).shape == (0, 8)


def test_files_keep_edges_and_distinct(images):
    x = images.reshape(300, 40)
    for encoder in (fit(images), fit(images, edges=0, distinct=True, levels=30), fit(images, edges=0)):
        stored = encoder.to_dict()
        back = Encoder.from_dict(json.loads(json.dumps(stored)))
        assert back.to_dict() == stored and np.array_equal(back.encode(x), encoder.encode(x))
        assert back.edges.dtype == np.int64 and back.edges.shape == encoder.edges.shape
    assert set(stored) == {"kind", "offset", "step", "width", "thresholds"}  # what older versions wrote and read


GOOD = {"kind": "uniform", "offset": [0.0, 0.0], "step": [1.0, 1.0], "width": [4, 4], "thresholds": [[1, 2], [1, 4]]}


@pytest.mark.parametrize("change", [
    {"edges": [[0, 1, 1]]}, {"edges": [[0, 1], [1, 0]]}, {"edges": [[0, 2, 1], [0, 1, 1]]}, {"edges": [[0, 1, 0], [0, 1, 1]]},
    {"edges": [[0, 1, 16], [0, 1, 1]]}, {"edges": [[-1, 1, 1], [0, 1, 1]]}, {"edges": [[0, 1, 1.5], [0, 1, 1]]}, {"edges": "ab"},
    {"edges": [[0, 1, 1], [0, 1, 1]], "distinct": True}, {"distinct": 1}, {"edges": [1, 2, 3]},
])
def test_damaged_content_is_refused(change):
    assert Encoder.from_dict({**GOOD, "edges": [[0, 1, 15], [1, 1, 1]]}).n_bits == 6
    assert Encoder.from_dict({**GOOD, "distinct": True}).n_bits == 3
    with pytest.raises(FormatError, match="stored encoder"):
        Encoder.from_dict({**GOOD, **change})


@pytest.mark.parametrize(("options", "says"), [
    ({"edges": -1}, "edges is -1"), ({"edges": 1.5}, "edges is 1.5"), ({"shape": None}, "shape None"),
    ({"shape": (1, 4, 5)}, "40 features have shape"), ({"shape": (40,)}, "shape"), ({"distinct": True}, "leave distinct"),
    ({"common": False}, "common = False"),
])
def test_wrong_options_are_refused(images, options, says):
    with pytest.raises(InputError, match=says):
        fit(images, **options)
