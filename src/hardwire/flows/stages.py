"""Stages of a flow in a folder: one whose inputs and files are those of before is kept, any other is run.

``stages.json`` holds, for each stage, the digest of its inputs, those of the files that it wrote, and its values.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import make_folder, write_text

FILE = "stages.json"


def digest_of(values: object) -> str:
    """SHA-256 of plain values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def file_digest(path: Path) -> str | None:
    """SHA-256 of a file, None where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


class Stages:
    """The stages of the flow in ``folder``.

    Parameters
    ----------
    folder
        It is made.
    fresh
        Repeat every stage.

    Raises
    ------
    InputError
        Where the folder cannot be made.
    """

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.folder, self.fresh = folder, fresh
        self.kept: list[str] = []
        try:
            make_folder(folder)
        except OSError as error:
            raise InputError(f"cannot write {folder}: {error.strerror}; choose a folder that can be written") from None
        try:
            known = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none, or half of one: every stage runs
            known = {}
        self._known: dict[str, Any] = known if isinstance(known, dict) else {}

    def run(self, name: str, inputs: Mapping[str, object], files: Sequence[str],
            make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The values of a stage: of before where its inputs and files are the same, else of ``make``.

        Parameters
        ----------
        name
            Of the stage.
        inputs
            Plain values that the result depends on, versions of tools among them.
        files
            Names of what it writes into the folder.
        make
            Runs the stage and returns plain values. A stage that raises is not kept.
        """
        digest = digest_of(inputs)
        before = self._known.get(name)
        if not self.fresh and isinstance(before, dict) and before.get("inputs") == digest and all(
                (found := file_digest(self.folder / file)) and found == before.get("files", {}).get(file)
                for file in files):
            self.kept.append(name)
            values: dict[str, Any] = before["values"]
            return values
        self._known.pop(name, None)
        values = make()
        self._known[name] = {"inputs": digest, "files": {f: file_digest(self.folder / f) for f in files},
                             "values": values}
        write_text(self.folder / FILE, json.dumps(self._known, indent=1) + "\n")
        return values
