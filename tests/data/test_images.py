"""CIFAR in each of its published forms, on small files made here."""

import hashlib
import io
import struct
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from hardwire.core.errors import FormatError, InputError
from hardwire.data import fetch, load_dataset, sources
from hardwire.data.fetch import Archive, File
from hardwire.data.images import cifar_arrays, cifar_batch, cifar_records
from hardwire.data.sources import SOURCES

BINARY, PYTHON, ARRAYS = range(3)


def record_file(x, y, classes):
    labels = [y[:, None]] if classes == 10 else [y[:, None] // 5, y[:, None]]
    return np.concatenate([*labels, x], axis=1).astype(np.uint8).tobytes()


def text(s):
    return b"U" + bytes([len(s)]) + s.encode()  # SHORT_BINSTRING, as Python 2 writes


def python_file(x, y, classes):
    """The pickle, protocol 2, that Python 2 made of {"data": x, "labels": y}."""
    kind = b"cnumpy\ndtype\n" + text("u1") + b"K\x00K\x01\x87R(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    shape = b"".join(b"J" + struct.pack("<i", n) for n in x.shape) + b"\x86"
    data = b"T" + struct.pack("<i", x.size) + x.tobytes()
    array = (b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text("b") + b"\x87R(K\x01" + shape + kind + b"\x89"
             + data + b"tb")
    labels = b"](" + b"".join(b"K" + bytes([c]) for c in y) + b"e"
    return b"\x80\x02}(" + text("data") + array + text("labels" if classes == 10 else "fine_labels") + labels + b"u."


def array_file(x, y, _):
    file = io.BytesIO()
    np.savez(file, x=x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), y=y.astype(np.uint8))
    return file.getvalue()


FORMS = {BINARY: (record_file, cifar_records), PYTHON: (python_file, cifar_batch), ARRAYS: (array_file, cifar_arrays)}


def samples(rng, n, classes):
    return rng.integers(0, 256, (n, 3072)).astype(np.uint8), rng.permutation(np.arange(n) % classes)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("classes", [10, 100])
def test_each_form_gives_the_same_pixels(rng, form, classes):
    write, parse = FORMS[form]
    x, y = samples(rng, 200, classes)
    found = parse(write(x, y, classes), classes, "file")
    assert np.array_equal(found[0], x) and np.array_equal(found[1], y) and found[0].dtype == np.uint8


@pytest.fixture
def small(rng, monkeypatch, tmp_path):
    """Small sets in place of the real ones: name -> layout -> {file: content}; no address answers, the cache is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HARDWIRE_DATA", raising=False)
    monkeypatch.setattr(fetch, "SCHEMES", ("file",))
    made = {}
    for name, classes in (("cifar10", 10), ("cifar100", 100)):
        layouts, parts = [], {}
        for form, layout in enumerate(SOURCES[name].layouts):
            files = {}
            for i, file in enumerate(layout.files):
                x, y = parts.setdefault("test" if "test" in file else i, samples(rng, 300, classes))
                files[file] = FORMS[form][0](x, y, classes)
            known = {f: known_of(c, layout.files[f]) for f, c in files.items()}
            packed = tar(files, layout.archive.folder) if layout.archive else b""
            archive = layout.archive and Archive(layout.archive.name, known_of(packed, layout.archive.packed), layout.archive.folder)
            address = layout.address and (tmp_path / "served").as_uri() + "/"
            layouts.append(replace(layout, files=known, archive=archive, address=address))
            made.setdefault(name, []).append((files, packed))
        monkeypatch.setitem(sources.SOURCES, name, replace(SOURCES[name], layouts=tuple(layouts)))
    return made


def known_of(content, real):
    """What would be known of a file in place of a real one, by the same checksum."""
    return File(len(content), hashlib.sha256(content).hexdigest() if real.sha256 else "", hashlib.md5(content).hexdigest() if real.md5 else "")


def tar(files, folder):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in {"readme.html": b"<html>", **files}.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def put(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(("name", "form"), [("cifar10", BINARY), ("cifar10", PYTHON), *(("cifar100", form) for form in FORMS)])
def test_files_and_archives_are_found(small, tmp_path, name, form):
    (files, packed), layout = small[name][form], SOURCES[name].layouts[form]
    wanted = load_dataset(name, data_dir=put(tmp_path / "a" / layout.folders[0], files).parent)
    assert wanted.shape == (3, 32, 32) and wanted.train.x.dtype == np.uint8 and len(wanted.test.y) == 300
    assert len(wanted.train.y) + len(wanted.validation.y) == (1500 if name == "cifar10" else 300)
    assert wanted.features[1025] == "pixel_1_0_1" and ("arrays" in wanted.source) == (form == ARRAYS)
    if packed:
        archived = load_dataset(name, data_dir=put(tmp_path / "b", {layout.archive.name: packed}))
        for part in ("train", "validation", "test"):
            mine, other = getattr(wanted, part), getattr(archived, part)
            assert np.array_equal(mine.x, other.x) and np.array_equal(mine.y, other.y)


def test_the_archive_is_downloaded_once(small, tmp_path):
    archive = SOURCES["cifar10"].layouts[0].archive.name
    served = put(tmp_path / "served", {archive: small["cifar10"][BINARY][1]})
    first = load_dataset("cifar10")
    (served / archive).unlink()
    again = load_dataset("cifar10")
    assert np.array_equal(first.test.x, again.test.x)
    assert [p.name for p in (tmp_path / "cache" / "hardwire" / "cifar10").iterdir()] == [archive]
    with pytest.raises(InputError, match=r"cannot download .*cifar-100-binary\.tar\.gz"):
        load_dataset("cifar100")
    with pytest.raises(InputError, match=r"train\.bin of cifar100 is in none of"):
        load_dataset("cifar100", download=False)


def test_a_wrong_archive_is_refused(small, tmp_path, monkeypatch):
    layout, packed = SOURCES["cifar10"].layouts[0], small["cifar10"][BINARY][1]
    folder = put(tmp_path / "data", {layout.archive.name: packed[:-100]})
    with pytest.raises(FormatError, match=r"cifar-10-binary\.tar\.gz has MD5"):
        load_dataset("cifar10", data_dir=folder)
    for content, says in ((tar({}, layout.archive.folder), r"lacks cifar-10-batches-bin/data_batch_1\.bin"),
                          (packed[:-100], "cut short"), (b"text", "cut short")):
        put(folder, {layout.archive.name: content})
        archive = replace(sources.SOURCES["cifar10"].layouts[0].archive, packed=known_of(content, layout.archive.packed))
        row = replace(sources.SOURCES["cifar10"], layouts=(replace(layout, archive=archive),))
        monkeypatch.setitem(sources.SOURCES, "cifar10", row)
        with pytest.raises(FormatError, match=says):
            load_dataset("cifar10", data_dir=folder)


def test_broken_files_are_refused(rng):
    x, y = samples(rng, 20, 10)
    for content in (b"", record_file(x, y, 10)[:-1], record_file(x, y + 1, 10)):
        with pytest.raises(FormatError, match=r"records of 3073|labels from 1 to 10"):
            cifar_records(content, 10, "file")
    good = python_file(x, y, 10)
    for content in (b"", b"text", good[:500], good.replace(b"multiarray\n_reconstruct", b"multiarray\nfrombuffer"),
                    good.replace(b"labels", b"lapels"), b"\x80\x02cos\nsystem\n" + text("true") + b"\x85R.", b"]."):
        with pytest.raises(FormatError, match="no batch of the published Python version"):
            cifar_batch(content, 10, "file")
    with pytest.raises(FormatError, match="labels from 0 to 12"):
        cifar_batch(python_file(x, np.arange(20) % 13, 10), 10, "file")
    for content, says in ((b"text", "no archive"), (array_file(x, y, 10)[:900], "no archive"), (array_file(x, y // 2, 10), "one class"),
                          (array_file(x, y + 1, 10), "labels from 1 to 10"), (array_file(x, y[:9], 10), "labels")):
        with pytest.raises(FormatError, match=says):
            cifar_arrays(content, 10, "file")
