"""Untrusted files: limits are kept before anything is allocated."""

import gzip
import lzma
import os
import threading
import time

import pytest

from hardwire.core.errors import FormatError, InputError
from hardwire.core.files import read_text
from hardwire.core.names import identifiers
from hardwire.core.reading import UNPACKED, declared, parse_json, read_bytes, unpack, whole


def test_a_file_of_the_limit_is_read_and_a_longer_one_is_refused(tmp_path):
    path = tmp_path / "file"
    for size in (0, 1, 9, 10):
        path.write_bytes(b"x" * size)
        assert read_bytes(path, limit=10) == b"x" * size
    path.write_bytes(b"x" * 11)
    with pytest.raises(FormatError, match="is longer than 10 bytes"):
        read_bytes(path, limit=10)


def test_a_device_without_an_end_is_refused():
    with pytest.raises(FormatError, match="is longer than 1,000 bytes"):
        read_bytes("/dev/zero", limit=1000)


def test_a_pipe_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"abc" * 50_000,))
    writer.start()
    assert read_bytes(tmp_path / "pipe") == b"abc" * 50_000
    writer.join()


@pytest.mark.parametrize("path", ["none", ".", "none\0"])
def test_what_cannot_be_read_is_told_in_one_sentence(path):
    with pytest.raises(InputError, match="cannot read"):
        read_bytes(path)


def test_text_has_plain_ends_of_lines(tmp_path):
    (tmp_path / "t").write_bytes("a\r\nb\rc\n\x85d".encode())
    assert read_text(tmp_path / "t") == "a\nb\nc\n\x85d"


@pytest.mark.parametrize(("kind", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_packed_data(kind, pack):
    text = b"library" * 100
    assert unpack(pack(text), kind) == text
    assert unpack(pack(text) + pack(b"more"), kind) == text + b"more"
    assert unpack(pack(text), kind, limit=700) == text and unpack(pack(b""), kind, limit=0) == b""
    for bad, says in ((pack(text)[:-9], "truncated"), (b"text", "damaged"), (pack(text) + b"text", "damaged")):
        with pytest.raises(ValueError, match=says):
            unpack(bad, kind)
    with pytest.raises(ValueError, match="more than 699 bytes"):
        unpack(pack(text), kind, limit=699)


def test_a_bomb_is_refused():
    with pytest.raises(ValueError, match="unpacks to more than"):
        unpack(gzip.compress(bytes(UNPACKED + 1), 1), ".gz")
    packed = lzma.compress(bytes(1 << 20), preset=0)
    with pytest.raises(ValueError, match="unpacks to more than 1,000,000 bytes"):
        unpack(packed, ".xz", limit=10**6)


def test_json():
    assert parse_json(b'{"a": [1, "[[", "\\"[", 1e999]}') == {"a": [1, "[[", '"[', float("inf")]}
    assert parse_json("[" * 64 + "]" * 64) and parse_json("[[], []]" , depth=2) == [[], []]
    for bad in ("[" * 65 + "]" * 65, "[" * 10**6, "NaN", "[-Infinity]", b"\xff", "", "{", '"' + '\\"' * 10**5,
                '"' + '\\"' * 10**5 + "\\"):
        start = time.process_time()
        with pytest.raises(ValueError):
            parse_json(bad)
        assert time.process_time() - start < 2


@pytest.mark.parametrize("text", ["", "-", "+1", "1_0", " 1", "1 ", "0x1", "1.0", "٣", "²", "9" * 5000, "11", "-1", "1\n"])
def test_what_is_no_number_from_0_to_10(text):
    with pytest.raises(ValueError):
        whole(text, 0, 10)
    with pytest.raises(ValueError, match="items and has room for 10"):
        declared(text, 10, "items")


def test_numbers():
    assert [whole(t, -5, 10) for t in ("-5", "0", "007", "10")] == [-5, 0, 7, 10] and declared("10", 10, "items") == 10


def test_many_equal_names_take_linear_time():
    start = time.process_time()
    names = identifiers(["a"] * 50_000)
    assert time.process_time() - start < 5 and names[:3] == ["a", "a_1", "a_2"] and len(set(names)) == 50_000
    assert identifiers(["a", "a_1", "a", "a", "a_1"]) == ["a", "a_1", "a_2", "a_3", "a_1_1"]
