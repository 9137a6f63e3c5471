"""Files of named sources: limits on what is read, unpacked and downloaded, checksums, and addresses that are not followed."""

import gzip
import hashlib
import http.server
import io
import lzma
import tarfile
import threading
import time
import tracemalloc
from contextlib import contextmanager
from functools import partial

import pytest

from hardwire.core.errors import FormatError, HardwireError, InputError
from hardwire.data import checksums, fetch
from hardwire.data.fetch import Archive, File, Files, Layout, checked, unpack_archive
from hardwire.data.sources import SOURCES

CONTENT = b"published " * 1000
KNOWN = File(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
PACK = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}


@contextmanager
def little_memory(limit=16 << 20):
    """The block needs no more than ``limit`` bytes."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("suffix", PACK)
def test_what_is_published_is_unpacked(suffix):
    assert checked(PACK[suffix](CONTENT), suffix, KNOWN, "file") == CONTENT
    assert checked(PACK[suffix](b""), suffix, File(0, hashlib.sha256(b"").hexdigest()), "file") == b""


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_several_streams_in_a_file_are_one_content(suffix):
    assert checked(PACK[suffix](CONTENT[:70]) + PACK[suffix](CONTENT[70:]), suffix, KNOWN, "file") == CONTENT


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_bomb_is_unpacked_up_to_the_known_size(suffix):
    bomb = {".gz": gzip.compress, ".xz": partial(lzma.compress, preset=0)}[suffix](bytes(30 << 20))
    assert len(bomb) < 50_000
    with little_memory(), pytest.raises(FormatError, match=rf"^file has more than the {len(CONTENT)} bytes of the published file"):
        checked(bomb, suffix, KNOWN, "file")


def test_an_xz_file_may_not_ask_for_much_memory(monkeypatch):
    monkeypatch.setattr(fetch, "XZ_MEMORY", 1 << 20)
    with pytest.raises(FormatError, match="cut short or damaged"):
        checked(lzma.compress(CONTENT, preset=9), ".xz", KNOWN, "file")


@pytest.mark.parametrize("suffix", PACK)
def test_damaged_content_is_refused_in_one_sentence(rng, suffix):
    packed = PACK[suffix](CONTENT)
    for _ in range(200):
        wrong = bytearray(packed)
        for at in rng.integers(0, len(packed), 3):
            wrong[at] ^= 1 << int(rng.integers(8))
        wrong = bytes(wrong)[: int(rng.integers(1, len(packed) + 1))] if rng.random() < 0.3 else bytes(wrong)
        try:
            assert checked(wrong, suffix, KNOWN, "file") == CONTENT  # a bit of a header that says nothing
        except FormatError as error:
            assert "\n" not in str(error)


def test_the_checksum_is_sha256_and_md5_where_there_is_no_other():
    md5 = hashlib.md5(CONTENT).hexdigest()
    other = CONTENT[:-1] + b"!"
    for known, says in ((KNOWN, "SHA-256"), (File(KNOWN.size, KNOWN.sha256, md5), "SHA-256"), (File(KNOWN.size, md5=md5), "MD5")):
        assert checked(CONTENT, "", known, "file") == CONTENT
        with pytest.raises(FormatError, match=rf"^file has {says} \w+, not \w+; fetch the published file anew$"):
            checked(other, "", known, "file")
    assert checked(other, "", File(KNOWN.size), "file") == other


def test_a_large_file_on_the_disk_is_not_read(tmp_path):
    (tmp_path / "file").write_bytes(bytes(20 << 20))
    (tmp_path / "packed.gz").write_bytes(bytes(20 << 20))
    layout = Layout(None, {"file": KNOWN, "packed": KNOWN})
    with little_memory():
        for name in layout.files:
            with pytest.raises(FormatError, match=rf"{name}.* has more than the \d+ bytes of the published file; fetch that anew"):
                Files("set", layout, tmp_path)(name)


def tar(*members):
    """An archive of (name, content or None, changes of the entry)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name, content, changes in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content or b"")
            for key, value in changes.items():
                setattr(entry, key, value)
            archive.addfile(entry, io.BytesIO(content) if content else None)
    return out.getvalue()


def unpack(packed, known=KNOWN):
    archive = Archive("set.tar.gz", File(len(packed), hashlib.sha256(packed).hexdigest()), "set")
    return unpack_archive(packed, archive, {"a": known}, "set.tar.gz")


def test_members_are_checked_too():
    assert unpack(tar(("set/readme", b"hello", {}), ("set/a", CONTENT, {}))) == {"a": CONTENT}
    for content, says in ((CONTENT[:-1], "a in set.tar.gz has SHA-256"), (CONTENT + b"!", "a in set.tar.gz has more than")):
        with pytest.raises(FormatError, match=says):
            unpack(tar(("set/a", content, {})))


@pytest.mark.parametrize("changes", [
    {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, {"type": tarfile.SYMTYPE, "linkname": "../../outside"},
    {"type": tarfile.LNKTYPE, "linkname": "set/b"}, {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5},
    {"type": tarfile.FIFOTYPE}, {"type": tarfile.DIRTYPE}])
def test_what_is_no_plain_file_is_not_taken(changes):
    with pytest.raises(FormatError, match="lacks set/a"):
        unpack(tar(("set/b", CONTENT, {}), ("set/a", None, changes)))


def test_paths_of_members_are_never_written(tmp_path, monkeypatch):
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    names = ("../outside", "set/../../outside", str(tmp_path / "absolute"), "outside", "./set/a", "/set/a")
    assert unpack(tar(*((name, b"stranger", {}) for name in names), ("set/a", CONTENT, {}))) == {"a": CONTENT}
    assert [path.name for path in tmp_path.rglob("*")] == ["inside"]


def test_an_archive_that_is_a_bomb_is_refused():
    packed = tar(("set/other", bytes(30 << 20), {}), ("set/a", CONTENT, {}))
    with little_memory(), pytest.raises(FormatError, match=r"^set.tar.gz unpacks to far more than the published files"):
        unpack(packed)


def test_damaged_archives_are_refused_in_one_sentence(rng):
    plain = gzip.decompress(tar(("set/b", b"x" * 600, {"pax_headers": {"comment": "y" * 600}}), ("set/a", CONTENT, {})))
    for _ in range(300):
        wrong = bytearray(plain)
        for at in rng.integers(0, 3000, 2):
            wrong[at] = int(rng.integers(256))
        try:
            assert unpack(gzip.compress(bytes(wrong), 1)) == {"a": CONTENT}
        except FormatError as error:
            assert "\n" not in str(error)


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves what its server's ``say`` does."""

    def do_GET(self):
        self.server.asked.append(self.path)
        try:
            self.server.say(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_):
        pass


def headers(handler, code=200, **fields):
    handler.send_response(code)
    for name, value in fields.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """``serve(say)`` downloads ``file`` from a server that answers with ``say(handler)``."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HARDWIRE_DATA", raising=False)
    monkeypatch.setattr(fetch, "SCHEMES", ("http",))

    def call(say, suffix=".gz", known=KNOWN):
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.say, server.asked, server.daemon_threads = say, [], False  # so that they are waited for
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                return Files("set", Layout(None, {"file": known}, f"http://127.0.0.1:{server.server_port}/", suffix))("file")
            finally:
                server.shutdown()
                thread.join()

    yield call
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "file.gz"] == []


def send(content, length=None):
    def say(handler):
        headers(handler, Content_Length=str(len(content) if length is None else length))
        handler.wfile.write(content)

    return say


def test_a_download_is_kept_when_it_is_right(serve, tmp_path):
    assert serve(send(gzip.compress(CONTENT))) == CONTENT
    assert (tmp_path / "cache" / "hardwire" / "set" / "file.gz").is_file()
    assert serve(lambda handler: None) == CONTENT  # from the cache


def endless(handler):
    headers(handler)
    while True:
        handler.wfile.write(bytes(1 << 16))


def drop_by_drop(handler):
    headers(handler)
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.01)


def silent(handler):
    headers(handler, Content_Length="5")
    time.sleep(0.6)


@pytest.mark.parametrize("say, says", [
    (send(gzip.compress(CONTENT)[:-20]), "cut short or damaged"),
    (send(gzip.compress(CONTENT)[:-20], len(gzip.compress(CONTENT))), r"cannot download .*\d+ of \d+ bytes came|cannot download .*IncompleteRead"),
    (send(gzip.compress(CONTENT + b"!")), "more than the 10000 bytes of the published file"),
    (send(gzip.compress(CONTENT[:-1] + b"!")), "has SHA-256"),
    (endless, r"cannot download .*\(it has more than the \d+ bytes of the published file\)"),
    (lambda handler: headers(handler, 404, Content_Length="0"), r"cannot download .*\(Not Found\)"),
    (lambda handler: handler.wfile.write(b"no http at all\r\n\r\n"), "cannot download"),
    (lambda handler: None, "cannot download"),
    (lambda handler: headers(handler, 302, Location="ftp://127.0.0.1/file"), r"cannot download .*\(ftp is not http\)"),
    (lambda handler: headers(handler, 302, Location="file:///etc/passwd"), r"cannot download .*file:///etc/passwd' is not allowed"),
    (lambda handler: headers(handler, 302, Location="/again"), "cannot download .*redirect"),
])
def test_each_failure_of_a_download_is_one_sentence_and_keeps_nothing(serve, tmp_path, say, says):
    with pytest.raises(HardwireError, match=says) as info:
        serve(say)
    assert len(str(info.value)) < 1000
    assert not list(tmp_path.rglob("file*"))


@pytest.mark.parametrize("say, says", [(drop_by_drop, "takes more than"), (silent, "timed out")])
def test_a_download_that_does_not_come_to_an_end_is_given_up(serve, tmp_path, monkeypatch, say, says):
    monkeypatch.setattr(fetch, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(fetch, "SLOWEST", 1e9)
    start = time.monotonic()
    with pytest.raises(InputError, match=rf"cannot download .*{says}.*fetch it yourself and put it in"):
        serve(say)
    assert time.monotonic() - start < 10 and not list(tmp_path.rglob("file*"))


def test_http_is_not_asked_and_a_redirect_to_it_is_not_followed(serve, monkeypatch):
    monkeypatch.setattr(fetch, "SCHEMES", ("https",))
    asked = []
    with pytest.raises(InputError, match=r"cannot download http://127.*\(http is not https\)"):
        serve(asked.append)
    assert not asked
    with pytest.raises(OSError, match="http is not https"):
        fetch._Redirects().redirect_request(None, io.BytesIO(), 302, "", {}, "http://example.com/file")


def test_every_source_is_https_and_has_a_checksum():
    without = set()
    for name, source in SOURCES.items():
        for layout in source.layouts:
            assert layout.address.startswith("https://") or not layout.address
            files = [*layout.files.items(), *([(layout.archive.name, layout.archive.packed)] if layout.archive else [])]
            assert all(known.size > 0 for _, known in files)
            without |= {(name, file) for file, known in files if not known.sha256 and not known.md5}
    assert without == {("connect-4", "connect_4.tsv"), ("cifar100", "train.npz"), ("cifar100", "test.npz")}
    assert {known.size for known in checksums.CIFAR10.values()} == {10_000 * 3073}
