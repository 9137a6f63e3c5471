"""The command line: one file for each group of verbs, nothing but talk."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from .app import main as run

    return run(argv)
