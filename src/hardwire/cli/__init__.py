"""The command line: one file for each group of verbs."""


def main(argv: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    from .app import main as run

    return run(argv)
