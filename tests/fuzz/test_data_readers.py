"""Readers of samples: whatever the file, the samples or one sentence."""

import io
import struct
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from hardwire.circuit.builder import CircuitBuilder
from hardwire.core.errors import FormatError, HardwireError, InputError
from hardwire.core.names import identifiers
from hardwire.data import load_dataset
from hardwire.data.arrays import read_npy, read_npz
from hardwire.data.columns import Columns, columns_text, fit_columns, load_columns
from hardwire.data.datasets import Dataset, Split
from hardwire.data.delimited import Rows
from hardwire.data.folders import read_pictures, rule_of
from hardwire.data.images import cifar_arrays, cifar_batch, cifar_records, parse_idx, read_idx_images
from hardwire.data.sources import SOURCES
from hardwire.data.uci import Table, table_reader
from hardwire.workflow.classify import load_samples
from hardwire.workflow.unlabelled import Met, blocks
from tests.fuzz.file_mutations import FEW, MANY, for_each_seed, mutated_array, mutated_bytes, read

RNG = np.random.default_rng(0)
CSV = b"a,b,c,y\n" + b"".join(b"%d,%.2f,%s,%s\n" % (i, i / 7, (b"red", b"blue", b"green")[i % 3], (b"no", b"yes")[i % 2]) for i in range(24))
NUMBERS = b"".join(b"%d;%d;%d\n" % (i, i * i % 11, i % 3) for i in range(24))
IDX = {"images": b"\0\0\x08\x03" + struct.pack(">3I", 4, 2, 3) + RNG.bytes(24), "labels": b"\0\0\x08\x01" + struct.pack(">I", 4) + bytes([1, 2, 3, 4])}
TABLE = b"a b c class\n" + b"".join(b"%d %d.5 x%d %d\n" % (i, i, i % 3, i % 2) for i in range(20))


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


ARRAYS = {"x": RNG.integers(0, 9, (24, 3)), "y": np.arange(24) % 2, "x_test": RNG.integers(0, 9, (6, 3)), "y_test": np.arange(6) % 2,
          "classes": np.array(["off", "on"])}
TASKS = ("classify", "regress", "multilabel")


def load(path, seed):
    rng = np.random.default_rng(seed)
    label = (None, "y", 0, -1, "²", "a,b")[rng.integers(6)] if path.suffix != ".npz" else None
    data = load_dataset(path, task=TASKS[rng.integers(3)], label=label)
    assert np.isfinite(data.train.x).all() and len(data.features) == data.train.x.shape[1]
    "".join((data.name, *data.classes, *data.features)).encode()
    return data


def table(path, seed):
    rng = np.random.default_rng(seed)
    path = path.with_suffix((".csv", ".tsv")[rng.integers(2)])
    path.write_bytes(mutated_bytes(rng, (CSV, NUMBERS)[rng.integers(2)], 4))
    read(load, path, seed)


def archive(path, seed):
    rng = np.random.default_rng(seed)
    arrays = dict(ARRAYS) if rng.random() < 0.7 else {"x": ARRAYS["x"], "y": ARRAYS["y"] + 0.5 * (rng.random() < 0.5)}
    if rng.random() < 0.6:
        name = list(arrays)[rng.integers(len(arrays))]
        arrays[name] = np.array(["a", "²", "b" * 9, "\ud800"] * 6)[: len(arrays[name])] if rng.random() < 0.1 else (
            arrays[name][:, None] if rng.random() < 0.1 else mutated_array(rng, arrays[name]) if arrays[name].dtype.kind in "iuf" else arrays[name][::-1])
    content = npz(**arrays)
    path = path.with_suffix(".npz")
    path.write_bytes(mutated_bytes(rng, content) if rng.random() < 0.6 else content)
    read(load, path, seed)


def image_file(path, seed):
    rng = np.random.default_rng(seed)
    kind = rng.integers(5)
    if kind == 0:
        files = {f"{p}-{n}-idx{k}-ubyte": mutated_bytes(rng, IDX[n]) if rng.random() < 0.5 else IDX[n] for p in ("train", "t10k") for n, k in (("images", 3), ("labels", 1))}
        read(read_idx_images, SOURCES["mnist"], files.__getitem__)
        read(parse_idx, mutated_bytes(rng, IDX["images"]), "file")
    elif kind == 1:
        read(cifar_records, mutated_bytes(rng, rng.bytes(2 * 3073)), 10, "file")
    elif kind == 2:
        read(cifar_arrays, mutated_bytes(rng, npz(x=np.zeros((20, 32, 32, 3), np.uint8), y=np.arange(20) % 10)), 10, "file")
    elif kind == 3:
        read(cifar_batch, mutated_bytes(rng, PICKLE), 10, "file")
    else:
        reader = table_reader(Table("t", label="class", separator=None, categories=("c",)))
        read(reader, SOURCES["iris"], lambda name: mutated_bytes(rng, TABLE))


def _pickle():
    """A batch as the published ones are written: protocol 2, an array and a list."""
    def text(s):
        return b"U" + bytes([len(s)]) + s

    data = np.zeros((2, 3072), np.uint8)
    array = (b"cnumpy.core.multiarray\n_reconstruct\nq\x02(cnumpy\nndarray\nq\x03K\0\x85U\x01bt" + b"Rq\x04(K\x01K\x02M\x00\x0c\x86"
             b"cnumpy\ndtype\nq\x05U\x02u1K\0K\x01\x87Rq\x06(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T" + struct.pack("<I", data.size) + data.tobytes() + b"tb")
    return b"\x80\x02}q\x01(" + text(b"data") + array + text(b"labels") + b"]q\x07(K\x01K\x02e" + b"u."


PICKLE = _pickle()


def samples(path, seed):
    rng = np.random.default_rng(seed)
    builder = CircuitBuilder("c")
    words = [builder.input(f"x{i}", 3) for i in range(3)]
    builder.output("y", words[0][0])
    circuit = builder.build()
    array = mutated_array(rng, RNG.integers(0, 8, (4, 3))) if rng.random() < 0.5 else RNG.integers(0, 8, (4, 3))
    content = npy(array)
    path.write_bytes(mutated_bytes(rng, content) if rng.random() < 0.7 else content)
    read(lambda: circuit.codes(load_samples(path, circuit)))


def columns_file(path, seed):
    """What a run keeps of its columns, and a table that is read by it."""
    rng = np.random.default_rng(seed)
    path, table = path.with_name("columns.json"), path.with_name("t.csv")
    path.write_bytes(mutated_bytes(rng, COLUMNS))
    table.write_bytes(mutated_bytes(rng, KINDS, 3) if rng.random() < 0.5 else KINDS)
    made = read(load_columns, path)
    if isinstance(made, Columns):
        read(lambda: [block.x.shape for block in blocks(str(table), made, None, 8, Met())])


def kinds(path, seed):
    """Tables of dates, ranks, missing values, decimal commas and other separators."""
    rng = np.random.default_rng(seed)
    content = KINDS.replace(b",", (b",", b";", b"|", b"\t")[rng.integers(4)])
    path = path.with_suffix(".csv")
    path.write_bytes(mutated_bytes(rng, content, 4))
    read(load, path, seed)


def parquet(path, seed):
    rng = np.random.default_rng(seed)
    path = path.with_suffix(".parquet")
    path.write_bytes(mutated_bytes(rng, PARQUET, 2))
    read(load, path, seed)


def picture(path, seed):
    rng = np.random.default_rng(seed)
    path = path.with_suffix(".png")
    path.write_bytes(mutated_bytes(rng, PICTURE, 2))
    read(lambda: read_pictures([path], rule_of([path])))


def _bytes_of(write):
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


KINDS = b"n,when,size,on,c,id,y\n" + b"".join(b"%s,%d.%d.2024,%s,%s,c%d,%d,%d\n" % (
    b"" if i % 5 == 0 else b"%d" % i, 1 + i % 28, 1 + i % 12, (b"low", b"high", b"medium")[i % 3], (b"yes", b"no")[i % 2], i % 4, i, i % 2) for i in range(24))
COLUMNS = columns_text(fit_columns(Rows(Path("t.csv"), [line.split(",") for line in KINDS.decode().splitlines()[1:]], list(range(24))).columns(
    KINDS.decode().splitlines()[0].split(","))[:-1], labels=["y"])).encode()
READERS = {"columns": columns_file, "kinds": kinds, "table": table, "archive": archive, "images": image_file, "samples": samples}
if find_spec("pyarrow"):
    import pyarrow
    from pyarrow import parquet as arrow

    PARQUET = _bytes_of(lambda file: arrow.write_table(pyarrow.table({
        "a": [None if i == 3 else float(i) for i in range(24)], "t": ["x", "y", None, "z"] * 6, "d": pyarrow.array(range(24), pyarrow.date32()), "y": [0, 1] * 12}), file))
    READERS["parquet"] = parquet
if find_spec("PIL"):
    from PIL import Image

    PICTURE = _bytes_of(lambda file: Image.fromarray(RNG.integers(0, 256, (9, 7, 3)).astype(np.uint8)).save(file, "png"))
    READERS["picture"] = picture


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_some_inputs(reader, tmp_path):
    for_each_seed(FEW, lambda seed: reader(tmp_path / "file.npy", seed))


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_many_inputs(reader, tmp_path):
    for_each_seed(MANY, lambda seed: reader(tmp_path / "file.npy", seed))


def test_a_batch_as_published_is_read():
    x, y = cifar_batch(PICKLE, 10, "file")
    assert x.shape == (2, 3072) and y.tolist() == [1, 2]


def test_a_pickle_asks_for_no_memory_and_calls_nothing():
    for content in (b"\x80\x02]r\xff\xff\xff\x7f.", b"\x80\x02cnumpy\nndarray\n(J\xff\xff\xff\x7fJ\xff\xff\xff\x7fttR.", b"\x80\x02cos\nsystem\nU\x04true\x85R."):
        with pytest.raises(FormatError, match="no batch"):
            cifar_batch(content, 10, "file")


def header(text, version=1):
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(text)) + text.encode()


@pytest.mark.parametrize("content", [
    header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"), header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}") + b"x" * 99,
    header("{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,)}"), header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (0,)}"),
    header("(" * 9000), header("-" * 9000), header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"), header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", 9),
    header("{'descr': '(1000000000,)f8', 'fortran_order': False, 'shape': (1,)}"), header("[]"), b"", b"\x93NUMPY",
    npy(np.array(["a"])).replace(b"a\0\0\0", b"\0\xd8\0\0"), npy(np.array(["a"])).replace(b"a\0\0\0", b"\0\0\0\x7f")], ids=range(14))
def test_arrays_that_are_none(content, tmp_path):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(FormatError):
        read_npy(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("x.npy", content)
        file.writestr("y.npy", npy(np.arange(2)))
    with pytest.raises(FormatError):
        read_npz(tmp_path / "a.npz", ("x", "y"))


def test_archives_of_other_kinds(tmp_path):
    path = tmp_path / "a.npz"
    good = npz(x=np.ones((4, 2)), y=np.arange(4))
    assert set(read_npz(io.BytesIO(good), ("x",), ("y", "z"))) == {"x", "y"}
    for place, what in ((4, b"\x63\0"), (6, b"\x01\0"), (8, b"\x63\0")):  # version, locked, method
        at = good.index(b"PK\x01\x02") + place + 2 * (place != 4)
        path.write_bytes(good[:at] + what + good[at + 2 :])
        read(read_npz, path, ("x", "y"))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x", b"bytes")
        file.writestr("y.npy", b"bytes")
    with pytest.raises(InputError, match="lacks the array 'x'"):
        load_dataset(path)


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((1000, 80_000), np.uint8), y=np.arange(1000) % 2)
    assert (tmp_path / "a.npz").stat().st_size < 1 << 20
    with pytest.raises(FormatError, match="unpacks to"):
        load_dataset(tmp_path / "a.npz")


def test_digits_of_other_scripts_are_texts(tmp_path):
    labels = np.array(["²", "³"] * 10)
    np.savez(tmp_path / "a.npz", x=np.arange(40).reshape(20, 2), y=labels)
    assert load_dataset(tmp_path / "a.npz").classes == ("²", "³")
    np.savez(tmp_path / "a.npz", x=np.arange(40).reshape(20, 2), y=labels, classes=np.array(["a", "b"]))
    with pytest.raises(InputError, match="mend y or classes"):
        load_dataset(tmp_path / "a.npz")
    (tmp_path / "a.csv").write_text("a,y\n1,²\n2,³\n")
    with pytest.raises(InputError, match="of class '²' to split"):
        load_dataset(tmp_path / "a.csv")


def test_halves_of_surrogate_pairs_are_refused_before_training(tmp_path):
    split = Split(np.zeros((2, 1)), np.arange(2))
    for name, classes in (("a", ("no", "\ud800")), ("a\udcff", ("no", "yes"))):
        with pytest.raises(InputError, match="surrogate"):
            Dataset(name, split, split, split, classes, ("x",), None, "")
    np.savez(tmp_path / "a.npz", x=np.arange(40).reshape(20, 2), y=np.array(["a", "\ud800"] * 10))
    with pytest.raises(FormatError, match="no characters"):
        load_dataset(tmp_path / "a.npz")


@pytest.mark.parametrize("text", ["a,b,y\n" + "1" * 200_000 + ",2,0\n", 'a,b,y\n1,"' + "x" * 300_000 + ",2,0\n", "1,2,0\n" * 9 + "1" * 200_000 + ",2,0\n" + "1,2,1\n" * 9],
                         ids=["header", "quote", "late"])
def test_cells_longer_than_the_parser_reads(text, tmp_path):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(HardwireError):
        load_dataset(tmp_path / "a.csv")


def test_columns_of_one_name_take_no_square_of_their_number():
    names = identifiers(["a"] * 30_000)
    assert names[:3] == ["a", "a_1", "a_2"] and len(set(names)) == 30_000


def test_texts_that_become_too_many_features(tmp_path):
    rows = [",".join(f"t{r}{c}" for c in range(400)) + f",{r % 2}" for r in range(250)]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    with pytest.raises(InputError, match="leave columns of texts out"):
        load_dataset(tmp_path / "a.csv", plain=True)
    with pytest.raises(InputError, match="no column that says something"):  # the texts of each column all differ
        load_dataset(tmp_path / "a.csv")


@pytest.mark.slow
def test_bombs_stay_within_a_gigabyte(tmp_path):
    """Each in a process of its own, which the system would end beyond 2 GB of addresses: the libraries take one of them."""
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((1000, 8000), np.int8), y=np.arange(1000) % 2)
    (tmp_path / "b.csv").write_text("\n".join(",".join(["1"] * 100_000) for _ in range(4)))
    (tmp_path / "c.csv").write_text("1,0\n" * 120_000 + "2,1\n" * 100_000)
    code = ("import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\nfrom hardwire.data import load_dataset\n"
            "from hardwire.core.errors import HardwireError\ntry: load_dataset(sys.argv[1])\nexcept HardwireError as e: print(e)")
    for path in sorted(tmp_path.iterdir()):
        assert subprocess.run([sys.executable, "-c", code, path], check=False, timeout=300).returncode == 0, path
