"""After a loss of power no finished checkpoint is lost: a disk that forgets all that was not synchronised.

The shim is the disk that keeps the least that POSIX promises. What a file holds is what it held when it was last
synchronised, nothing where it never was; a folder has the names that it had when it was last synchronised.
"""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from toy import TOY, ToySettings, ToyTraining, read_data

from hardwire.core import files
from hardwire.core.errors import FormatError, InputError
from hardwire.runs import checkpoint
from hardwire.runs.directory import CHECKPOINT, METRICS, MODEL, RunDirectory
from hardwire.runs.experiment import run, train

SETTINGS = ToySettings(samples=10, epochs=3)
UNITS = SETTINGS.samples * SETTINGS.epochs


@dataclass
class Disk:
    """What a loss of power would leave under ``root``, after each call of the system that may change it."""

    root: Path
    count: Iterator[int] = field(default_factory=itertools.count)
    serials: dict[int, int] = field(default_factory=dict)
    content: dict[int, bytes] = field(default_factory=dict)
    folders: dict[str, dict[str, int | None]] = field(default_factory=dict)
    moments: list[tuple[dict[str, bytes], int]] = field(default_factory=list)
    finished: int = 0
    """Checkpoints that were written when the moment came, as the writer was told."""

    def opened(self, file: int, flags: int) -> None:
        if flags & os.O_CREAT:  # the number of a file that was removed is given again
            self.serials[os.fstat(file).st_ino] = next(self.count)
            self.moment()

    def synchronised(self, file: int) -> None:
        path = os.readlink(f"/proc/self/fd/{file}")
        if os.path.isdir(path):
            entries = list(os.scandir(path))
            self.folders[path] = {e.name: None if e.is_dir() else self.serial(e.inode()) for e in entries}
        else:
            self.content[self.serial(os.fstat(file).st_ino)] = Path(path).read_bytes()
        self.moment()

    def serial(self, inode: int) -> int:
        return self.serials.setdefault(inode, next(self.count))

    def moment(self) -> None:
        self.moments.append((self.left(str(self.root)), self.finished))

    def left(self, folder: str) -> dict[str, bytes]:
        kept = {}
        for name, serial in self.folders.get(folder, {}).items():
            path = f"{folder}/{name}"
            kept |= self.left(path) if serial is None else {path: self.content.get(serial, b"")}
        return kept

    def restore(self, kept: dict[str, bytes], to: Path) -> None:
        for path, content in kept.items():
            target = to / Path(path).relative_to(self.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


@pytest.fixture
def disk(tmp_path, monkeypatch):
    root = tmp_path / "disk"
    root.mkdir()
    made, real = Disk(root), {name: getattr(os, name) for name in ("open", "replace", "unlink")}

    def opened(path, flags, *mode, **more):
        file = real["open"](path, flags, *mode, **more)
        made.opened(file, flags)
        return file

    def after(name):
        def call(*given, **more):
            real[name](*given, **more)
            made.moment()

        return call

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "fsync", made.synchronised)
    for name in ("replace", "unlink"):
        monkeypatch.setattr(os, name, after(name))
    return made


def trained(disk: Disk, monkeypatch) -> None:
    """Train with a checkpoint after every unit, and note when the writer was told that one is written."""
    write = RunDirectory.write_checkpoint

    def told(self, stored):
        write(self, stored)
        disk.finished = stored.values["run"]["position"]

    monkeypatch.setattr(RunDirectory, "write_checkpoint", told)
    training = ToyTraining(SETTINGS, read_data(SETTINGS, None))
    run("toy", SETTINGS, training, out=disk.root / "deep" / "run", checkpoint_seconds=-1.0)
    disk.finished = UNITS + 1
    disk.moment()


def losses(disk: Disk, tmp_path: Path) -> tuple[int, int]:
    """How many moments there are, and at how many a finished checkpoint or the finished model would be lost."""
    lost = 0
    for i, (kept, finished) in enumerate(disk.moments):
        folder = tmp_path / f"moment-{i}"
        folder.mkdir()
        disk.restore(kept, folder)
        directory = RunDirectory(folder / "deep" / "run")
        try:
            model = (directory / MODEL).exists() and directory.read_model("toy")
            position = UNITS + 1 if model else 0
            if not model and (directory / CHECKPOINT).exists():
                stored = checkpoint.read_stored(directory / CHECKPOINT, "checkpoint", "toy")
                position = stored.values["run"]["position"]
        except (FormatError, InputError):
            position = -1
        lost += position < finished or position < 0
    return len(disk.moments), lost


def test_no_finished_checkpoint_is_lost(disk, tmp_path, monkeypatch):
    trained(disk, monkeypatch)
    moments, lost = losses(disk, tmp_path)
    assert moments > 4 * UNITS and lost == 0
    assert {finished for _, finished in disk.moments} == {*range(UNITS + 2)}


def test_a_run_goes_on_after_any_loss(disk, tmp_path, monkeypatch):
    trained(disk, monkeypatch)
    monkeypatch.undo()
    whole = RunDirectory(disk.root / "deep" / "run").read_model("toy")
    for i, (kept, _) in enumerate(disk.moments[:: max(1, len(disk.moments) // 40)]):
        out = tmp_path / f"again-{i}" / "deep" / "run"
        out.parent.parent.mkdir()
        disk.restore(kept, out.parent.parent)
        assert train(TOY, SETTINGS, out, resume=True).threshold == whole.tensors["threshold"][0]
        assert len((out / METRICS).read_text().splitlines()) == SETTINGS.epochs
        assert not list(out.glob("*.part"))


@pytest.mark.parametrize("forgotten", ["file", "folder", "both"])
def test_the_shim_sees_what_is_not_synchronised(disk, tmp_path, monkeypatch, forgotten):
    """Written as before, without one synchronisation or the other, finished checkpoints are lost."""
    sync = os.fsync

    def some(file):
        if forgotten == "both" or os.path.isdir(f"/proc/self/fd/{file}") == (forgotten == "folder"):
            return
        sync(file)

    monkeypatch.setattr(files.os, "fsync", some)
    trained(disk, monkeypatch)
    moments, lost = losses(disk, tmp_path)
    assert lost > moments // 2


def test_the_shim_sees_a_file_written_in_place(disk, tmp_path, monkeypatch):
    def write(path, content, *, durable=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f"{path.name}.{os.getpid()}.part").write_bytes(content)
        os.replace(path.with_name(f"{path.name}.{os.getpid()}.part"), path)
        return path

    monkeypatch.setattr(checkpoint, "write_bytes", write)
    trained(disk, monkeypatch)
    assert losses(disk, tmp_path)[1] > UNITS
