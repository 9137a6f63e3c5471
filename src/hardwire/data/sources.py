"""The named sources. One joins by a row of ``SOURCES``: its title, where its files come from, and how they are read."""

import gzip
import os
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import MissingToolError
from .fetch import Archive, Files, Layout, Open, Source
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
    archive: str, archive_md5: str, folder: str, parse: Parse, md5: dict[str, str | None], note: str = "",
) -> Layout:
    """Lay out a CIFAR set: an archive at its authors' address that holds training files and, last, the test file."""
    *train, test = md5
    read = cifar_reader(parse, tuple(train), test, note)
    if not archive:
        return Layout(read, md5, folders=(folder,))
    published = Archive(archive, archive_md5, folder)
    return Layout(read, md5, "https://www.cs.toronto.edu/~kriz/", "", published, (folder,))


def _uci(title: str, folder: str, md5: dict[str, str], **table: Any) -> Source:
    train, *test = md5
    address = f"https://archive.ics.uci.edu/ml/machine-learning-databases/{folder}/"
    read = table_reader(Table(train, next(iter(test), ""), **table))
    return Source(title, (Layout(read, md5, address, "", folders=("uci",)),))


def _monk(n: int, what: str, train: str, test: str) -> Source:
    attributes = tuple(f"a{i}" for i in range(1, 7))
    return _uci(f"MONK's problem {n} ({what}), Thrun et al. 1991; UCI, official test split, one bit for each value of "
                f"an attribute", "monks-problems", {f"monks-{n}.train": train, f"monks-{n}.test": test},
                columns=("class", *attributes, "id"), label="class", categories=attributes, omit=("id",),
                separator=None)


def _pmlb(
    name: str, what: str, samples: int, columns: int, *, file: str = "", earlier: str = "", **table: Any,
) -> Source:
    """A table of PMLB, which publishes the numbers of samples and features, and no checksum."""
    file = file or name

    def layout(file: str, address: str) -> Layout:
        read = table_reader(Table(f"{file}.tsv", separator="\t", size=(samples, columns + 1), **table))
        return Layout(read, {f"{file}.tsv": None}, address, folders=("pmlb", file))

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
        (Layout(read_idx_images, {
            "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
            "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
            "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
            "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
        }, "https://ossci-datasets.s3.amazonaws.com/mnist/"),),
    ),
    "fashion-mnist": Source(
        "Fashion-MNIST, Xiao, Rasul, Vollgraf 2017; idx files, official test split",
        (Layout(read_idx_images, {
            "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
            "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
            "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
        }, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),),
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "cifar10": Source(
        "CIFAR-10, Krizhevsky 2009; official test split",
        (
            _cifar("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", "cifar-10-batches-bin",
                   cifar_records, {
                "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
                "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
                "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
                "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
                "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
                "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
            }),
            _cifar("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a", "cifar-10-batches-py", cifar_batch, {
                "data_batch_1": "c99cafc152244af753f735de768cd75f",
                "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
                "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
                "data_batch_4": "634d18415352ddfa80567beed471001a",
                "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
                "test_batch": "40351d587109b95175f43aff81a1287e",
            }),
        ),
        CIFAR10,
    ),
    "cifar100": Source(
        "CIFAR-100, Krizhevsky 2009; fine labels, official test split",
        (
            _cifar("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", "cifar-100-binary", cifar_records, {
                "train.bin": "6172c7755cfe09b2fe270c85cebc1b15",
                "test.bin": "4499cfba6c016c1be1438163640a0898",
            }),
            _cifar("cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85", "cifar-100-python", cifar_batch, {
                "train": "16019d7e3df5f24257cddd939b257f8d",
                "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
            }),
            _cifar("", "", "cifar-100", cifar_arrays, {"train.npz": None, "test.npz": None},
                   ", from arrays in an order of their own, no published checksum"),
        ),
        CIFAR100,
    ),
    "monk1": _monk(1, "a1 = a2 or a5 = 1",
                   "fc1fc3a673e00908325c67cf16283335", "de4255acb72fb29be5125a7c874e28a0"),
    "monk2": _monk(2, "exactly two attributes are 1",
                   "f109ee3f95805745af6cdff06d6fbc94", "106cb9049ba5ccd7969a0bd5ff19681d"),
    "monk3": _monk(3, "5 % of the training labels are wrong",
                   "613e44dbb8ffdf54d364bd91e4e74afd", "46815731e31c07f89422cf60de8738e7"),
    "adult": _uci(
        "Adult (income above 50,000 dollars), Kohavi and Becker 1996; UCI, official test split; as in the code of the "
        "2022 logic-network paper, rows with unknown values and the columns fnlwgt and education-num are left out",
        "adult",
        {"adult.data": "5d7c39d7b8804f071cdd1f2a7c460872", "adult.test": "35238206dfdf7f1fe215bbb874adecdc"},
        columns=("age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation",
                 "relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country",
                 "income"),
        label="income", omit=("fnlwgt", "education-num"),
        categories=("workclass", "education", "marital-status", "occupation", "relationship", "race", "sex",
                    "native-country"),
    ),
    "breast-cancer": _uci(
        "Breast Cancer (recurrence), Zwitter and Soklic, Ljubljana 1988; UCI; rows with unknown values are left out, "
        "as in the code of the 2022 logic-network paper", "breast-cancer",
        {"breast-cancer.data": "d887db31e2b99e39c4b7fc79d2f36a3a"},
        columns=("class", "age", "menopause", "tumor-size", "inv-nodes", "node-caps", "deg-malig", "breast",
                 "breast-quad", "irradiat"),
        label="class",
        categories=("age", "menopause", "tumor-size", "inv-nodes", "node-caps", "breast", "breast-quad", "irradiat"),
    ),
    "iris": _uci(
        "Iris, Fisher 1936; UCI", "iris", {"iris.data": "42615765a885ddf54427f12c34a0a070"},
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
