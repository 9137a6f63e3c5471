import gzip
import hashlib
import http.server
import lzma
import struct
import threading
from dataclasses import replace

import numpy as np
import pytest

from hardwire.core.errors import FormatError, InputError
from hardwire.data import fetch, load_dataset, sources
from hardwire.data.fetch import File
from hardwire.data.images import parse_idx, read_idx_images
from hardwire.data.sources import SOURCES

FILES = tuple(SOURCES["mnist"].layouts[0].files)


def change(source, **changes):
    """The source with its first layout changed, and no other one."""
    return replace(source, layouts=(replace(source.layouts[0], **changes),))


def idx(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def contents():
    rng = np.random.default_rng(0)
    arrays = [a for n in (200, 30) for a in (rng.integers(0, 256, (n, 6, 5)), np.arange(n) % 10)]
    return dict(zip(FILES, map(idx, arrays)))


@pytest.fixture
def small(contents, monkeypatch, tmp_path):
    """A small MNIST in place of the real one: its checksums, an empty cache, an address where nobody answers."""
    files = {name: File(len(content), hashlib.sha256(content).hexdigest()) for name, content in contents.items()}
    monkeypatch.setattr(fetch, "SCHEMES", ("https", "http", "file"))
    row = change(SOURCES["mnist"], files=files, address=(tmp_path / "nowhere").as_uri() + "/")
    monkeypatch.setitem(sources.SOURCES, "mnist", row)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HARDWIRE_DATA", raising=False)
    return row


def put(folder, contents, suffix=""):
    folder.mkdir(parents=True)
    pack = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}[suffix]
    for name, content in contents.items():
        (folder / (name + suffix)).write_bytes(pack(content))
    return folder


def check_small(data, contents):
    x = parse_idx(contents[FILES[0]], "x").reshape(200, 30)
    assert (len(data.train.y), len(data.validation.y), len(data.test.y)) == (180, 20, 30)
    assert data.shape == (1, 6, 5) and data.train.x.dtype == np.uint8
    assert data.features[:2] == ("pixel_0_0", "pixel_0_1") and len(data.features) == 30
    assert (data.test.x == parse_idx(contents[FILES[2]], "x").reshape(30, 30)).all()
    assert (data.test.y == np.arange(30) % 10).all()
    rows = {row.tobytes(): i % 10 for i, row in enumerate(x)}
    for split in (data.train, data.validation):
        assert [rows[row.tobytes()] for row in split.x] == split.y.tolist()


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz"])
@pytest.mark.parametrize("inside", ["mnist", "."])
def test_files_are_found_in_the_data_folder(small, contents, tmp_path, suffix, inside):
    put(tmp_path / "data" / inside, contents, suffix)
    check_small(load_dataset("mnist", data_dir=tmp_path / "data"), contents)
    assert not (tmp_path / "cache").exists()


def test_files_are_found_through_the_environment_and_in_the_cache(small, contents, tmp_path, monkeypatch):
    put(tmp_path / "cache" / "hardwire" / "mnist", contents, ".gz")
    check_small(load_dataset("mnist", download=False), contents)
    put(tmp_path / "env" / "mnist", {FILES[0]: b"not the published file"})
    monkeypatch.setenv("HARDWIRE_DATA", str(tmp_path / "env"))
    with pytest.raises(FormatError, match="env"):  # it comes before the cache
        load_dataset("mnist")
    put(tmp_path / "given", contents)
    check_small(load_dataset("mnist", data_dir=tmp_path / "given"), contents)


def test_download_checks_keeps_and_needs_no_second_one(small, contents, tmp_path, monkeypatch):
    served = put(tmp_path / "served", contents, ".gz")
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(served))

        def log_message(self, *args):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        row = change(small, address=f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setitem(sources.SOURCES, "mnist", row)
        try:
            check_small(load_dataset("mnist"), contents)
            check_small(load_dataset("mnist"), contents)
            assert len(asked) == 4
            (served / f"{FILES[1]}.gz").unlink()
            (tmp_path / "cache" / "hardwire" / "mnist" / f"{FILES[1]}.gz").unlink()
            with pytest.raises(InputError, match=r"cannot download http://127.*not found"):
                load_dataset("mnist")
        finally:
            server.shutdown()
            thread.join()
    kept = sorted(p.name for p in (tmp_path / "cache" / "hardwire" / "mnist").iterdir())
    assert kept == sorted(f"{name}.gz" for name in FILES if name != FILES[1])


def test_a_download_that_is_not_the_published_file_is_not_kept(small, contents, tmp_path, monkeypatch):
    served = put(tmp_path / "served", contents, ".gz")
    monkeypatch.setitem(sources.SOURCES, "mnist", change(small, address=served.as_uri() + "/"))
    for wrong in (gzip.compress(b"something else"), b"<html>not found</html>", gzip.compress(contents[FILES[0]])[:-9]):
        (served / f"{FILES[0]}.gz").write_bytes(wrong)
        with pytest.raises(FormatError, match=FILES[0]):
            load_dataset("mnist")
        assert not list(tmp_path.glob("cache/**/*.*"))


def test_missing_files_say_where_they_were_looked_for(small, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty/mnist.*empty.*cache/hardwire/mnist"):
        load_dataset("mnist", data_dir=tmp_path / "empty", download=False)
    with pytest.raises(InputError, match=r"cannot download file://"):
        load_dataset("mnist", data_dir=tmp_path / "empty")
    with pytest.raises(InputError, match="is no folder"):
        load_dataset("mnist", data_dir=tmp_path / "absent")
    monkeypatch.setenv("HARDWIRE_DATA", str(tmp_path / "absent"))
    with pytest.raises(InputError, match="HARDWIRE_DATA"):
        load_dataset("mnist")


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz"])
def test_damaged_files_are_refused(small, contents, tmp_path, suffix):
    folder = put(tmp_path / "data", contents, suffix)
    path = folder / (FILES[0] + suffix)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FormatError, match="fetch the published file anew"):
        load_dataset("mnist", data_dir=folder)


def test_files_that_do_not_belong_together_are_refused(contents):
    files = {**contents, FILES[1]: idx(np.zeros(199))}
    with pytest.raises(FormatError, match="do not belong together"):
        read_idx_images(SOURCES["mnist"], files.__getitem__)
    with pytest.raises(FormatError, match="do not belong together"):
        read_idx_images(SOURCES["mnist"], {**contents, FILES[1]: idx(np.full(200, 10))}.__getitem__)


@pytest.mark.parametrize("content", [
    b"", b"\0\0", b"\0\0\x08\0", b"\0\0\x08\x03abc", b"\0\0\x0d" + idx(np.zeros(3))[3:],
    idx(np.zeros((2, 3)))[:-1], idx(np.zeros((2, 3))) + b"x", b"plain text",
])
def test_what_is_no_idx_file_is_refused(content):
    with pytest.raises(FormatError, match="no idx file"):
        parse_idx(content, "file")


def test_idx_files_have_any_number_of_axes():
    for shape in ((4,), (2, 3), (2, 3, 4), (0, 5)):
        array = np.arange(np.prod(shape)).reshape(shape)
        assert (parse_idx(idx(array), "file") == array).all() and parse_idx(idx(array), "file").shape == shape
