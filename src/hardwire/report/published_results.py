"""Published test accuracies of logic networks beside their gates, which are drawn behind a run's own point.

Every result keeps its mark: *read* in the source, or *second-hand*, read in a work that quotes it. Conventions of
counting differ: gates are two-input gates as trained, without encoder and head, except where the note says otherwise.
The published *architectures* that Hardwire trains by name are in ``hardwire.logic.zoo``.
"""

from typing import NamedTuple

from .summary import RecordData


class PublishedResult(NamedTuple):
    """Accuracy, a fraction, of a network with so many gates."""

    name: str
    accuracy: float
    gates: int
    source: str
    mark: str
    note: str = ""


def _of(name: str, source: str, mark: str, note: str, *pairs: tuple[float, int]) -> list[PublishedResult]:
    """Results of one work, given as (per cent, gates)."""
    return [PublishedResult(name, percent / 100, gates, source, mark, note) for percent, gates in pairs]


_PETERSEN = ("DiffLogic 2022", "Petersen et al., arXiv 2210.08277", "second-hand")
_CDLGN = ("LogicTreeNet 2024", "Petersen et al., arXiv 2411.04732", "read", "convolutional; gates after synthesis")
_LILOGIC = ("LILogicNet", "arXiv 2511.12340", "second-hand")
_MOMMEN = ("Mommen", "arXiv 2507.06173", "second-hand", "learned wiring")
_COVJAC = ("CovJac", "Kim, arXiv 2605.08657", "second-hand", "")
_STRUCTURED = ("structured wiring", "iraklisanagno/DLCA_DLGN, unreviewed", "read", "parameter-free fixed wiring")

#: Data set -> results.
PUBLISHED: dict[str, list[PublishedResult]] = {
    "mnist": [
        *_of(*_PETERSEN, "", (97.69, 48_000), (98.47, 384_000)),
        *_of(*_LILOGIC, "with augmentation", (97.96, 4_000), (98.45, 8_000), (98.95, 32_000)),
        *_of(*_MOMMEN, (98.14, 12_000), (98.68, 16_000)),
        *_of(*_CDLGN, (98.46, 147_000), (99.23, 566_000), (99.35, 1_270_000)),
    ],
    "fashion-mnist": [
        *_of(*_MOMMEN, (87.16, 8_000)),
        *_of(*_LILOGIC, "learned wiring", (89.95, 8_000), (90.26, 64_000), (90.61, 128_000)),
    ],
    "cifar10": [
        *_of(*_PETERSEN, "re-runs selected on validation land 2 to 5 points lower",
                 (51.27, 48_000), (57.39, 512_000), (60.78, 1_280_000), (62.14, 5_120_000)),
        *_of(*_LILOGIC, "learned wiring", (55.11, 8_000), (57.66, 64_000), (60.98, 256_000)),
        *_of(*_COVJAC, (58.97, 768_000)),
        *_of(*_STRUCTURED, (52.36, 48_000), (58.28, 512_000), (61.02, 1_280_000)),
        *_of(*_CDLGN, (60.38, 400_000), (71.01, 3_080_000), (80.17, 16_000_000), (84.99, 28_900_000),
                 (86.29, 61_000_000)),
    ],
    "cifar100": [*_of(*_COVJAC, (28.37, 1_500_000), (32.72, 7_680_000))],
}


def peers(record: RecordData) -> list[PublishedResult]:
    """The record's own peers, and for a logic network what was published for its data set."""
    own = [PublishedResult(p["name"], p["accuracy"], p["gates"], p["source"], str(p.get("mark") or ""),
                           str(p.get("note") or "")) for p in record.get("peers") or []]
    return own + (PUBLISHED.get(record["dataset"].lower(), []) if record["hardware"] == "logic" else [])
