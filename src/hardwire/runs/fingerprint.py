"""Whether data are those that a run was trained on: the comparison of two fingerprints, whatever made them."""

import logging

from ..core.errors import InputError

LOG = logging.getLogger(__name__)
#: Part of the data -> its digest; ``samples`` is their number.
Fingerprint = dict[str, str | int]
#: Parts that a sentence has other words for.
WORDS = {"features": "values of features", "names": "names of features", "classes": "names of classes",
         "labels": "labels", "split": "the split"}


def difference(before: Fingerprint, now: Fingerprint) -> str:
    """Say in which parts the data differ; empty where they are the same, or where either is unknown."""
    counts = before.get("samples"), now.get("samples")
    if isinstance(counts[0], int) and isinstance(counts[1], int) and counts[0] != counts[1]:
        return f"{abs(counts[1] - counts[0])} rows {'more' if counts[1] > counts[0] else 'fewer'}"
    return ", ".join(WORDS.get(part, part) for part in before if part in now and before[part] != now[part])


def other_data(before: Fingerprint, now: Fingerprint, name: str) -> str:
    """Say that the data are not those of the run ``name``, with the remedy; empty where they are.

    A run that was written before there were fingerprints is not compared; a warning says so.
    """
    if now and not before:
        LOG.warning(f"{name} has no fingerprint of its data, so that they are not compared with those of now")
    differ = difference(before, now)
    return differ and (f"the data are not those that {name} was trained on ({differ}); restore them, or train the "
                       "network anew")


def check_data(before: Fingerprint, now: Fingerprint, name: str) -> None:
    """Refuse data that are not those of the run ``name``, see ``other_data``."""
    if said := other_data(before, now, name):
        raise InputError(said)
