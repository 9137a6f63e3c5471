"""The helper functions of emitted C compute what the reader of emitted C takes them for."""

import ctypes
import subprocess
from itertools import product

import numpy as np
import pytest

from hardwire.backends.common import source
from hardwire.circuit import Macro
from hardwire.circuit.arithmetic.shapes import macro_circuit
from hardwire.circuit.simulate import simulate_bits
from hardwire.core import programs as tools
from hardwire.core.bits import Planes, codes_to_bits, pack, unpack

pytestmark = pytest.mark.skipif(tools.find(tools.CC) is None, reason="no C compiler: install the Debian package gcc")
POISON = np.uint64(0xDEADBEEFDEADBEEF)


def compiled(bits, folder):
    types = "".join(f"typedef uint{bits}_t {name};\n" for name in ("code_in", "code_out", "number"))
    (folder / "helpers.c").write_text("#include <stddef.h>\n#include <stdint.h>\n#define static\n" + types
                                      + "typedef uint16_t slot_index;\n" + source("c/primitives.c"))
    command = [tools.find(tools.CC), "-std=c99", "-O1", "-shared", "-fPIC", "helpers.c", "-o", "helpers.so"]
    subprocess.run(command, cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "helpers.so"))


@pytest.fixture(scope="module", params=[8, 16, 32, 64])
def helpers(request, tmp_path_factory):
    """The compiled helpers for codes of so many bits, and the codes' dtype."""
    return compiled(request.param, tmp_path_factory.mktemp("helpers")), np.dtype(f"u{request.param // 8}")


@pytest.fixture(scope="module")
def lanes(tmp_path_factory):
    """The compiled helpers, of which those over lanes know no codes."""
    return compiled(8, tmp_path_factory.mktemp("lanes"))


def call(function, *arguments):
    function.restype = ctypes.c_uint64
    return function(*(ctypes.c_void_p(a.ctypes.data) if isinstance(a, np.ndarray) else ctypes.c_size_t(a)
                      for a in arguments))


def every(n):
    """All patterns of ``n`` bits, or 4096 random ones, those of many and of few ones among them; a multiple of 64."""
    if n <= 12:
        return (np.arange(max(64, 1 << n))[:, None] >> np.arange(n) & 1).astype(bool)
    rng = np.random.default_rng(n)
    return rng.random((4096, n)) < rng.random((4096, 1))


def in_lanes(function, bits, n_out):
    """Planes of 64 samples at a time through ``function(x)``, which returns the planes of the result."""
    planes = pack(bits)
    results = np.stack([function(column)[:n_out] for column in planes.words.T.copy()], axis=1)
    return unpack(Planes(results, planes.samples))


def test_transpose(lanes, rng):
    """It is linear, and right for each single bit."""
    transpose = lanes.transpose8
    transpose.argtypes, transpose.restype = [ctypes.c_uint64], ctypes.c_uint64
    for r in range(8):
        for column in range(8):
            assert transpose(1 << 8 * r + column) == 1 << 8 * column + r
    for x, y in rng.integers(0, 2**64, (1000, 2), dtype=np.uint64).tolist():
        assert transpose(x ^ y) == transpose(x) ^ transpose(y)


@pytest.mark.parametrize("samples", [1, 2, 7, 8, 9, 31, 63, 64])
def test_load_and_store(helpers, rng, samples):
    """Every width; bits above the word's are other words' no more than other samples are."""
    library, dtype = helpers
    stride = 3
    for width in range(1, 8 * dtype.itemsize + 1):
        codes = rng.integers(0, 1 << width, (samples, stride), dtype=np.uint64, endpoint=False).astype(dtype) \
            if width < 64 else rng.integers(0, 2**64 - 1, (samples, stride), dtype=np.uint64, endpoint=True)
        planes = np.full(width + 1, POISON)
        call(library.load, codes, stride, samples, width, planes)
        due = pack(codes_to_bits(codes[:, :1], [width])).words[:, 0]
        np.testing.assert_array_equal(planes[:-1], due)
        assert planes[-1] == POISON
        planes[:-1] |= ~np.uint64(0) << np.uint64(samples) if samples < 64 else np.uint64(0)  # lanes without a sample
        out = np.full((samples + 1, stride), POISON.astype(dtype))
        call(library.store, planes, width, samples, out, stride)
        np.testing.assert_array_equal(out[:-1, 0], codes[:, 0])
        assert (out[:, 1:] == POISON.astype(dtype)).all() and out[-1, 0] == POISON.astype(dtype)


def test_gather_and_scatter(lanes, rng):
    slots, index = rng.integers(0, 2**64, 50, dtype=np.uint64), rng.permutation(50)[:20].astype(np.uint16)
    x = np.full(21, POISON)
    call(lanes.gather, slots, index, 20, x)
    np.testing.assert_array_equal(x, [*slots[index], POISON])
    due, new = slots.copy(), rng.integers(0, 2**64, 20, dtype=np.uint64)
    due[index] = new
    call(lanes.scatter, new, index, 20, slots)
    np.testing.assert_array_equal(slots, due)


@pytest.mark.parametrize("n", [*range(1, 20), 63, 64, 65, 100, 127, 128, 200])
def test_popcount(lanes, n):
    bits, macro = every(n), Macro("popcount", tuple(range(n)), ())

    def count(planes):
        x = np.append(planes, POISON)
        call(lanes.popcount, x, n)
        assert x[-1] == POISON
        return x

    got = in_lanes(count, bits, n.bit_length())
    np.testing.assert_array_equal(got, simulate_bits(macro_circuit(macro), bits))
    np.testing.assert_array_equal((got << np.arange(n.bit_length())).sum(axis=1), bits.sum(axis=1))


@pytest.mark.parametrize(("n", "width"), [*product(range(1, 6), range(1, 5)), (2, 6), (7, 3), (8, 2), (10, 8), (12, 1), (16, 3), (33, 2)])
def test_argmax(lanes, n, width):
    bits, macro = every(n * width), Macro("argmax", tuple(range(n * width)), (), n)
    index_bits = max(1, (n - 1).bit_length())

    def index(planes):
        x = np.concatenate([planes, np.full(index_bits + 1, POISON)])
        call(lanes.argmax, x, n, width, x[n * width :], index_bits)
        assert x[-1] == POISON
        return x[n * width :]

    got = in_lanes(index, bits, index_bits)
    np.testing.assert_array_equal(got, simulate_bits(macro_circuit(macro), bits))
    words = (bits.reshape(len(bits), n, width).astype(np.int64) << np.arange(width)).sum(axis=2)
    np.testing.assert_array_equal((got << np.arange(index_bits)).sum(axis=1), words.argmax(axis=1))


def test_largest(helpers, rng):
    library, dtype = helpers
    small = (np.arange(4**5)[:, None] >> 2 * np.arange(5) & 3).astype(dtype)
    top = rng.integers(0, np.iinfo(dtype).max, (200, 11), dtype=dtype, endpoint=True)
    for rows in (small, small[:, :1], small[:, :2], small[:, :3], top):
        for row in np.ascontiguousarray(rows[:1024]):
            assert call(library.largest, row, len(row)) & 0xFFFFFFFF == row.argmax()
