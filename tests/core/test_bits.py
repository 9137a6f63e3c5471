import numpy as np
import pytest

from hardwire.core.bits import Planes, bits_to_codes, codes_to_bits, pack, unpack, unsigned
from hardwire.core.errors import InputError

SIZES = [0, 1, 7, 63, 64, 65, 127, 128, 200]
LAYOUTS = {
    "C": lambda b: b, "Fortran": np.asfortranarray, "reversed": lambda b: b[::-1][::-1],
    "transposed": lambda b: b.T.copy().T,
    "strided": lambda b: np.repeat(np.repeat(b, 2, 0), 3, 1)[::2, ::3], "uint8": lambda b: b.astype(np.uint8) * 2,
    "float": lambda b: b.astype(np.float32), "list": lambda b: b.astype(int).tolist(),
}


@pytest.mark.parametrize("samples", SIZES)
@pytest.mark.parametrize("rows", [1, 3, 64, 65])
def test_pack_and_back(rng, samples, rows):
    bits = rng.random((samples, rows)) < 0.5
    planes = pack(bits)
    assert planes.words.shape == (rows, -(-samples // 64)) and planes.words.dtype == np.uint64
    assert planes.samples == samples
    assert np.array_equal(unpack(planes), bits)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_memory_layout(rng, layout):
    bits = rng.random((70, 9)) < 0.5
    given = LAYOUTS[layout](bits)
    assert np.array_equal(unpack(pack(given)), bits)
    assert np.array_equal(pack(given).words, pack(bits).words)


def test_sample_zero_is_bit_zero_of_word_zero():
    bits = np.zeros((70, 2), dtype=bool)
    bits[0, 0] = bits[65, 1] = True
    assert pack(bits).words.tolist() == [[1, 0], [0, 2]]


def test_the_tail_of_the_last_word_is_zero_and_is_not_read(rng):
    assert pack(np.ones((3, 1), dtype=bool)).words.tolist() == [[7]]
    assert unpack(Planes(np.full((1, 1), 2**64 - 1, dtype=np.uint64), 3)).tolist() == [[True]] * 3


def test_unpack_takes_planes_of_any_layout(rng):
    bits = rng.random((200, 5)) < 0.5
    planes = pack(bits)
    assert np.array_equal(unpack(Planes(np.asfortranarray(planes.words), 200)), bits)
    assert np.array_equal(unpack(Planes(np.repeat(planes.words, 2, 0)[::2], 200)), bits)


def test_pack_refuses_other_than_a_matrix():
    with pytest.raises(InputError, match=r"shape \(3,\); give a matrix"):
        pack(np.zeros(3))


@pytest.mark.parametrize("width, dtype", [
    (1, "u1"), (8, "u1"), (9, "u2"), (17, "u4"), (32, "u4"), (33, "u8"), (64, "u8")])
def test_smallest_unsigned(width, dtype):
    assert unsigned(width) == np.dtype(dtype)


def test_a_word_wider_than_64_bits_is_refused():
    with pytest.raises(InputError, match="65 bits"):
        unsigned(65)


def test_codes_to_bits_least_significant_first():
    assert codes_to_bits(np.array([[0b110, 1]]), [3, 2]).astype(int).tolist() == [[0, 1, 1, 1, 0]]


@pytest.mark.parametrize("widths", [[1], [3, 1, 2], [8] * 5, [64, 1, 33], [64, 64], []])
def test_codes_and_bits_round_trip(rng, widths):
    bits = rng.random((67, sum(widths))) < 0.5
    codes = bits_to_codes(bits, widths)
    assert codes.shape == (67, len(widths)) and codes.dtype == unsigned(max(widths, default=1))
    assert np.array_equal(codes_to_bits(codes, widths), bits)
    for j, w in enumerate(widths):
        assert all(int(v) < 1 << w for v in codes[:, j])


def test_codes_of_full_words():
    assert bits_to_codes(np.ones((1, 65), dtype=bool), [64, 1]).tolist() == [[2**64 - 1, 1]]
