"""Errors that a user can mend: one sentence each, naming the object and the remedy. The command line exits with 2."""


#: Characters of a sentence: a longer one, which quotes what a file holds, loses its middle.
MOST = 1000


class HardwireError(Exception):
    """Base of every error that is a user's or the environment's to mend."""

    def __str__(self) -> str:
        text = super().__str__()
        return text if len(text) <= MOST else f"{text[: MOST // 2]} ... {text[-MOST // 4 :]}"


class InputError(HardwireError):
    """Data, a shape, an option or a name that cannot be used as given."""


class FormatError(HardwireError):
    """A file that is damaged, altered or of another version."""


class WrongPassError(HardwireError):
    """A pass whose result is another function than its input, or was not proved to be the same."""


class MissingToolError(HardwireError):
    """An outside program that is not installed; the message names the package that brings it."""


class ToolError(HardwireError):
    """An outside program that ran and did not produce what it should."""
