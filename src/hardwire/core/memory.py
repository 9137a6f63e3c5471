"""What a model would take of the machine's memory, asked before it is allocated."""

import os

from .errors import InputError


def machine_memory() -> int | None:
    """Return the bytes of the machine's memory; None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def check_memory(needed: float, what: str, remedy: str) -> None:
    """Raise InputError where something needs more memory than the machine has.

    Parameters
    ----------
    needed
        Bytes.
    what, remedy
        For the sentence: what needs them, and what to do about it.
    """
    there = machine_memory()
    if there is not None and needed > there:
        raise InputError(f"{what} would take {needed / 2**30:,.0f} GiB of memory, this machine has "
                         f"{there / 2**30:,.0f}; {remedy}")
