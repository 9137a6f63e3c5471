"""The named sources. One joins by a row of ``SOURCES``: its title, where its files come from, and how they are read."""

import gzip
import os
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import MissingToolError
from . import checksums
from .fetch import Archive, File, Files, Layout, Open, Source
from .images import Parse, cifar_arrays, cifar_batch, cifar_reader, cifar_records, read_idx_images
from .samples import Samples, pixel_names
from .uci import Table, table_reader


def read_source(name: str, *, data_dir: str | os.PathLike[str] | None = None, download: bool = True) -> Samples:
    """Read all samples of a source: of its first layout whose files lie anywhere, else of its first one, downloaded.

    Arguments and errors are those of ``load_dataset``.
    """
    source = SOURCES[name]
    layouts = [Files(name, layout, data_dir, download) for layout in source.layouts]
    files = next((f for f in layouts if f.present()), layouts[0])
    return files.layout.read(source, files)


def read_digits(source: Source, _: Open) -> Samples:
    """Read the digits embedded in scikit-learn: 1,797 images, 8 x 8, values 0 to 16; its import would take seconds."""
    (package,) = (find_spec("sklearn") or ModuleSpec("sklearn", None)).submodule_search_locations or ("",)
    try:
        with gzip.open(Path(package) / "datasets" / "data" / "digits.csv.gz", "rt") as file:
            table = np.loadtxt(file, np.uint8, delimiter=",")
    except OSError:
        raise MissingToolError("the digits come with scikit-learn, which was not found: install scikit-learn") from None
    shape = (1, 8, 8)
    x, y = np.ascontiguousarray(table[:, :-1]), table[:, -1].astype(np.int64)
    return Samples(x, y, source.classes, pixel_names(shape), shape, source.title)


def _cifar(
    folder: str, parse: Parse, files: Mapping[str, File], archive: str = "", packed: File | None = None, note: str = "",
) -> Layout:
    """Lay out a CIFAR set: an archive at its authors' address that holds training files and, last, the test file."""
    *train, test = files
    read = cifar_reader(parse, tuple(train), test, note)
    if packed is None:
        return Layout(read, files, folders=(folder,))
    published = Archive(archive, packed, folder)
    return Layout(read, files, "https://www.cs.toronto.edu/~kriz/", "", published, (folder,))


def _uci(title: str, folder: str, train: str, test: str = "", **table: Any) -> Source:
    address = f"https://archive.ics.uci.edu/ml/machine-learning-databases/{folder}/"
    files = {name: checksums.UCI[name] for name in (train, test) if name}
    return Source(title, (Layout(table_reader(Table(train, test, **table)), files, address, "", folders=("uci",)),))


def _monk(n: int, what: str) -> Source:
    attributes = tuple(f"a{i}" for i in range(1, 7))
    return _uci(f"MONK's problem {n} ({what}), Thrun et al. 1991; UCI, official test split, one bit for each value of "
                f"an attribute", "monks-problems", f"monks-{n}.train", f"monks-{n}.test",
                columns=("class", *attributes, "id"), label="class", categories=attributes, omit=("id",),
                separator=None)


def _pmlb(
    name: str, what: str, samples: int, columns: int, *, file: str = "", earlier: str = "", **table: Any,
) -> Source:
    """A table of PMLB, which publishes the numbers of samples and features, and no checksum."""
    file = file or name

    def layout(file: str, address: str) -> Layout:
        read = table_reader(Table(f"{file}.tsv", separator="\t", size=(samples, columns + 1), **table))
        return Layout(read, {f"{file}.tsv": checksums.PMLB[f"{file}.tsv"]}, address, folders=("pmlb", file))

    layouts = [layout(file, f"https://github.com/EpistasisLab/pmlb/raw/master/datasets/{file}/")]
    return Source(f"{what}; UCI, the one table of PMLB", (*layouts, *([layout(earlier, "")] if earlier else [])))


CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR100 = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
    "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
    "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest",
    "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard",
    "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid",
    "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum",
    "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper",
    "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone",
    "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf",
    "woman", "worm",
)

SOURCES: dict[str, Source] = {
    "digits": Source("handwritten digits 8 x 8, the UCI optdigits test set, embedded in scikit-learn",
                     (Layout(read_digits),)),
    "mnist": Source(
        "MNIST handwritten digits, LeCun, Cortes, Burges; idx files, official test split",
        (Layout(read_idx_images, checksums.MNIST, "https://ossci-datasets.s3.amazonaws.com/mnist/"),),
    ),
    "fashion-mnist": Source(
        "Fashion-MNIST, Xiao, Rasul, Vollgraf 2017; idx files, official test split",
        (Layout(read_idx_images, checksums.FASHION_MNIST,
                "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"),),
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "cifar10": Source(
        "CIFAR-10, Krizhevsky 2009; official test split",
        (
            _cifar("cifar-10-batches-bin", cifar_records, checksums.CIFAR10, "cifar-10-binary.tar.gz",
                   checksums.CIFAR10_ARCHIVE),
            _cifar("cifar-10-batches-py", cifar_batch, checksums.CIFAR10_PYTHON, "cifar-10-python.tar.gz",
                   checksums.CIFAR10_PYTHON_ARCHIVE),
        ),
        CIFAR10,
    ),
    "cifar100": Source(
        "CIFAR-100, Krizhevsky 2009; fine labels, official test split",
        (
            _cifar("cifar-100-binary", cifar_records, checksums.CIFAR100, "cifar-100-binary.tar.gz",
                   checksums.CIFAR100_ARCHIVE),
            _cifar("cifar-100-python", cifar_batch, checksums.CIFAR100_PYTHON, "cifar-100-python.tar.gz",
                   checksums.CIFAR100_PYTHON_ARCHIVE),
            _cifar("cifar-100", cifar_arrays, checksums.CIFAR100_ARRAYS,
                   note=", from arrays in an order of their own, no published checksum"),
        ),
        CIFAR100,
    ),
    "monk1": _monk(1, "a1 = a2 or a5 = 1"),
    "monk2": _monk(2, "exactly two attributes are 1"),
    "monk3": _monk(3, "5 % of the training labels are wrong"),
    "adult": _uci(
        "Adult (income above 50,000 dollars), Kohavi and Becker 1996; UCI, official test split; as in the code of the "
        "2022 logic-network paper, rows with unknown values and the columns fnlwgt and education-num are left out",
        "adult", "adult.data", "adult.test",
        columns=("age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation",
                 "relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country",
                 "income"),
        label="income", omit=("fnlwgt", "education-num"),
        categories=("workclass", "education", "marital-status", "occupation", "relationship", "race", "sex",
                    "native-country"),
    ),
    "breast-cancer": _uci(
        "Breast Cancer (recurrence), Zwitter and Soklic, Ljubljana 1988; UCI; rows with unknown values are left out, "
        "as in the code of the 2022 logic-network paper", "breast-cancer", "breast-cancer.data",
        columns=("class", "age", "menopause", "tumor-size", "inv-nodes", "node-caps", "deg-malig", "breast",
                 "breast-quad", "irradiat"),
        label="class",
        categories=("age", "menopause", "tumor-size", "inv-nodes", "node-caps", "breast", "breast-quad", "irradiat"),
    ),
    "iris": _uci(
        "Iris, Fisher 1936; UCI", "iris", "iris.data",
        columns=("sepal-length", "sepal-width", "petal-length", "petal-width", "class"), label="class",
    ),
    "letter": _pmlb("letter", "Letter recognition, Frey and Slate 1991", 20_000, 16),
    "satimage": _pmlb("satimage", "Statlog, Landsat satellite", 6_435, 36),
    "optdigits": _pmlb("optdigits", "Handwritten digits 8 x 8, Alpaydin and Kaynak", 5_620, 64, shape=(1, 8, 8)),
    "pendigits": _pmlb("pendigits", "Pen-written digits, Alpaydin and Alimoglu", 10_992, 16),
    "mushroom": _pmlb("mushroom", "Mushroom, one bit for each value of an attribute", 8_124, 22, categories="all"),
    "dna": _pmlb("dna", "Statlog, splice junctions of DNA in 180 bits", 3_186, 180),
    "connect-4": _pmlb("connect-4", "Connect-4, Tromp, one bit for each value of a square", 67_557, 42,
                       file="connect_4", earlier="connect-4", categories="all"),
    "krkopt": _pmlb("krkopt", "Chess, king and rook against king, Bain and Hoff", 28_056, 6),
    "shuttle": _pmlb("shuttle", "Statlog, space shuttle", 58_000, 9),
}
