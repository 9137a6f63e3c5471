"""A run directory: who may write it, what lies in it, and where a run in it stands."""

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..core.errors import FormatError, InputError
from ..core.files import make_folder, read_text, remove_leftovers, write_text
from ..core.reading import parse_json
from ..core.settings import Settings, shown
from .checkpoint import Kind, Stored, read_stored, write_stored
from .paths import same_value
from .steps import check_steps

CONFIG, METRICS, CHECKPOINT, MODEL = "config.toml", "metrics.jsonl", "checkpoint.safetensors", "model.safetensors"
STEPS, LOCK, NOTES_LOCK = "steps.json", ".lock", ".notes.lock"
#: Seconds that a short write waits for another one.
PATIENCE = 60.0
#: Circuits of a logic run: as it was trained, after the passes, and what the passes started from where it is inexact.
RAW, OPTIMIZED, SIMPLIFIED = "circuit.net", "optimized.net", "simplified.net"
#: How the cells of a table become features, and what turns scores into probabilities.
COLUMNS, CALIBRATION = "columns.json", "calibration.json"
#: The step that notes what was written for targets.
EMIT = "emit"
#: What a new run in the place of an old one removes: everything but folders that were emitted, and files of others.
REPLACED = (CONFIG, METRICS, MODEL, STEPS, RAW, OPTIMIZED, SIMPLIFIED, "report.json", "report.html", COLUMNS,
            CALIBRATION, "network.nir")
#: Settings that differ which a sentence names.
NAMED = 6


def kept_columns(run: "RunDirectory | None") -> dict[str, Any]:
    """Return the options of ``load_dataset`` by which a run's table is read: its columns.

    A run of before columns were kept is read by the rules of then.
    """
    if run is None:
        return {}
    return {"columns": run / COLUMNS} if (run / COLUMNS).is_file() else {"plain": True}


class RunDirectory:
    """The files of one run.

    ``config.toml`` is what repeats the run, ``metrics.jsonl`` has a line for each evaluation,
    ``checkpoint.safetensors`` is there while it trains and ``model.safetensors`` afterwards. ``steps.json`` tells what
    later verbs did.

    Parameters
    ----------
    path
        The directory; it is made when something is written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @classmethod
    def existing(cls, path: str | Path) -> "RunDirectory":
        """Return the run directory at ``path``; InputError where there is none."""
        path = Path(path)
        if not path.is_dir():
            what = "is a file" if path.exists() else "does not exist"
            raise InputError(f"{path} {what}; give the run directory that `hardwire train` wrote")
        return cls(path)

    @contextmanager
    def claim(self, patience: float = 0.0) -> Iterator[None]:
        """Be the directory's one writer, within ``patience`` seconds; a second one is refused by name.

        What killed processes left half written is removed.
        """
        lock = FileLock(self / LOCK)
        try:
            make_folder(self.path)
            lock.acquire(timeout=patience, poll_interval=0.01)
        except Timeout:
            remedy = "wait for it, or choose another folder"
            raise InputError(f"{self.path} is being written by {self._writer()}; {remedy}") from None
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror}; choose a folder that can be "
                             "written") from None
        try:
            (self / LOCK).write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
            remove_leftovers(self.path)
            yield
        finally:
            lock.release()

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Wait until no other process reads, changes and writes the notes of this run, and keep others waiting.

        It is for what takes a moment, and is taken inside ``claim`` or without it.
        """
        lock = FileLock(self / NOTES_LOCK)
        try:
            lock.acquire(timeout=PATIENCE, poll_interval=0.01)
        except Timeout:
            raise InputError(f"{self / NOTES_LOCK} has been locked by another process for {PATIENCE:.0f} s; end that "
                             "process") from None
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror}; choose a folder that can be "
                             "written") from None
        try:
            yield
        finally:
            lock.release()

    def _writer(self) -> str:
        try:
            return (self / LOCK).read_text(encoding="utf-8") or "another process"
        except OSError:
            return "another process"

    @property
    def finished(self) -> bool:
        """Whether the run's model is there."""
        return (self / MODEL).is_file()

    def standing(self) -> str:
        """Word the run that is here and how far it is, such as ``an interrupted run at step 40 of 60``."""
        if not self.finished and not self.resumable:
            return "a run that ended before its first checkpoint"
        unit, position, total = self._place()
        if self.finished:
            return f"a finished run of {total:,} {unit}s" if unit else "a finished run"
        return f"an interrupted run at {unit} {position:,} of {total:,}" if unit else "an interrupted run"

    def way_on(self) -> str:
        """Word how a training that was interrupted just now goes on."""
        if self.finished:
            return "the model is finished, `--resume` reads it"
        if not self.resumable:
            return "no checkpoint was written yet, the same command begins anew"
        unit, position, total = self._place()
        return f"`--resume` goes on from {unit or 'the last checkpoint'}" + f" {position:,} of {total:,}" * bool(unit)

    def way_to_circuit(self) -> str:
        """Word how this directory comes to hold a circuit: by the kind of its run."""
        if not self.finished and not self.resumable:
            return "give a run directory of `hardwire train` or `hardwire search`"
        if not self.finished:
            return f"it holds {self.standing()}: finish it with `--resume`, then run `hardwire lower {self.path}`"
        hardware = read_stored(self / MODEL, "model").hardware
        if hardware != "logic":
            return f"a {hardware} run is no logic network, see `hardwire report {self.path}`"
        return f"run `hardwire lower {self.path}` first"

    @property
    def resumable(self) -> bool:
        """Whether a checkpoint is there."""
        return (self / CHECKPOINT).is_file()

    def _place(self) -> tuple[str, int, int]:
        """Unit, position and total of the run that is here; no unit where they are not known."""
        kind: Kind = "model" if self.finished else "checkpoint"
        try:
            run = read_stored(self / (MODEL if self.finished else CHECKPOINT), kind).values["run"]
            return run["unit"], run["position"], run["total"]
        except (FormatError, InputError, KeyError):  # damaged, or of an earlier version
            return "", 0, 0

    def leave(self) -> None:
        """Remove what a run wrote that ended before its first checkpoint, so that the same command begins it anew."""
        if not self.finished and not self.resumable:
            for name in (CONFIG, METRICS, COLUMNS, CALIBRATION):
                (self / name).unlink(missing_ok=True)

    def check_free(self, *, resume: bool, overwrite: bool) -> bool:
        """Refuse a directory that holds a run which is neither to be resumed nor overwritten; whether it holds one."""
        begun = any((self / name).exists() for name in (MODEL, CHECKPOINT, CONFIG))
        if begun and not (resume or overwrite):
            way = "`--resume` reads it" if self.finished else "`--resume` goes on with it"
            raise InputError(f"{self.path} already holds {self.standing()}; {way}, another `--out` or `--overwrite` "
                             "begins a new one")
        return begun

    def open(self, hardware: str, settings: Settings, *, resume: bool, overwrite: bool = False) -> Stored | None:
        """Begin a run of ``settings`` here, or go on with the one that is here.

        With ``overwrite`` the files of the one that is here are removed. Folders of emitted files stay.

        Returns
        -------
        Stored or None
            The last checkpoint, the model of a finished run, or None where the run begins.

        Raises
        ------
        InputError
            The directory holds a run that is not to be resumed, or has other settings.
        """
        begun = self.check_free(resume=resume, overwrite=overwrite)
        if begun and overwrite:
            self._clear()
            begun = False
        if self.finished:
            return self.read_finished(hardware, settings)
        stored = read_stored(self / CHECKPOINT, "checkpoint", hardware) if (self / CHECKPOINT).exists() else None
        text = stored.settings if stored else read_text(self / CONFIG) if begun else settings.to_toml()
        self.check_settings(text, settings)
        write_text(self / CONFIG, settings.to_toml())
        return stored

    def _clear(self) -> None:
        for path in [*(self / name for name in REPLACED), *self.path.glob(f"{CHECKPOINT}*")]:
            path.unlink(missing_ok=True)

    def read_finished(self, hardware: str, settings: Settings) -> Stored:
        """Return the model of a finished run; InputError where it was started with other settings."""
        stored = self.read_model(hardware)
        self.check_settings(stored.settings, settings)
        (self / CHECKPOINT).unlink(missing_ok=True)  # of a process that was killed when the model was there
        return stored

    def check_settings(self, text: str, settings: Settings) -> None:
        """Refuse to go on with other settings than those that TOML ``text`` holds, and name those that differ."""
        try:
            before = type(settings).from_toml(text).model_dump(exclude=set(settings.PLACES))
        except (FormatError, InputError):
            raise InputError(f"{self.path} was started with settings of another version or hardware, which cannot be "
                             "gone on with; choose another folder") from None
        now = settings.model_dump(exclude=set(settings.PLACES))
        same = {name for name in settings.FILES & now.keys() if same_value(before[name], now[name])}
        differ = [f"{name} is {shown(before[name])} there and {shown(now[name])} now"
                  for name in now if name not in same and before[name] != now[name]]
        if differ:
            more = f" and {len(differ) - NAMED} more" * (len(differ) > NAMED)
            raise InputError(f"{self.path} was started with other settings: {', '.join(differ[:NAMED])}{more}; leave "
                             "them out to go on with it, or choose another folder with `--out`")

    def keep(self, texts: Mapping[str, str]) -> None:
        """Write texts beside the model, by the name of their file."""
        for name, text in texts.items():
            write_text(self / name, text)

    def write_metrics(self, metrics: Sequence[Mapping[str, Any]], *, durable: bool = True) -> None:
        """Write every evaluation so far; a checkpoint has them too, so that those of a run need not be durable."""
        write_text(self / METRICS, "".join(json.dumps(m) + "\n" for m in metrics), durable=durable)

    def write_checkpoint(self, stored: Stored) -> None:
        """Write where the run stands."""
        write_stored(self / CHECKPOINT, stored, "checkpoint")

    def write_model(self, stored: Stored) -> None:
        """Write what the run ended with; the checkpoint goes, and what earlier versions left half written of it."""
        write_stored(self / MODEL, stored, "model")
        for path in self.path.glob(f"{CHECKPOINT}*"):
            path.unlink(missing_ok=True)

    def read_model(self, hardware: str | None = None) -> Stored:
        """Return what the run ended with."""
        if not self.finished and (self / CHECKPOINT).exists():
            raise InputError(f"{self.path} holds {self.standing()}; finish it with `--resume`")
        return read_stored(self / MODEL, "model", hardware)

    def steps(self) -> dict[str, dict[str, Any]]:
        """Return what later verbs noted: step -> {seconds, ...}."""
        path = self / STEPS
        try:
            steps: dict[str, dict[str, Any]] = parse_json(read_text(path)) if path.exists() else {}
        except ValueError as error:
            raise FormatError(f"{path} is not JSON ({error}); remove it and repeat `hardwire optimize`") from None
        check_steps(steps, str(path))
        return steps

    def forget_steps(self, *, keep: Sequence[str] = ()) -> None:
        """Forget what later verbs noted, as what they worked on is made anew; ``keep`` names steps that stay."""
        with self.noting():
            kept = {name: values for name, values in self.readable_steps().items() if name in keep}
            if kept:
                write_text(self / STEPS, json.dumps(kept, indent=1) + "\n")
            else:
                (self / STEPS).unlink(missing_ok=True)

    def readable_steps(self) -> dict[str, dict[str, Any]]:
        """The steps, none where they cannot be read."""
        try:
            return self.steps()
        except (FormatError, InputError):
            return {}

    def known_circuits(self) -> set[str]:
        """Digests of the circuits that were built for this run, or whose macros ``hardwire verify`` proved."""
        steps = self.readable_steps()
        noted = [steps.get(name, {}).get("digest") for name in ("lower", "optimize")]
        verify = steps.get("verify", {})
        verdicts = verify.get("verdicts")
        noted += [verify.get("digest")] * (isinstance(verdicts, dict) and verdicts.get("macros") == "proved")
        return {digest for digest in noted if isinstance(digest, str)}

    def note_step(self, name: str, values: Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]], *,
                  forget: Sequence[str] = ()) -> None:
        """Keep what a verb did, for the report; ``forget`` names steps that it made void.

        ``values`` may be a function of what the step had noted before, which no other process changes meanwhile.
        """
        with self.noting():
            steps = {k: v for k, v in self.steps().items() if k not in forget}
            now = values(steps.get(name, {})) if callable(values) else values
            write_text(self / STEPS, json.dumps(steps | {name: dict(now)}, indent=1) + "\n")
