"""100 SIGKILLs and 20 SIGTERMs at random moments: every run ends as one that nobody disturbed, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from test_resume import check_same_run, needs_sigkill
from zygote import MARK

from hardwire import cli
from hardwire.runs.directory import OPTIMIZED, RunDirectory

#: Seconds in which SIGTERM must end a verb, on a machine that does other things too.
GRACE = 6.0
LOGIC = ["train", "digits", "--width", "60", "--layers", "2", "--levels", "2", "--steps", "300", "--evaluate-every", "50",
         "--batch", "32", "--noise", "0.5"]
SEARCH = ["search", "digits", "--budget", "400", "--search-rounds", "60", "--search-copies", "1", "--set", "evaluate_every=10"]
CROSSBAR = ["crossbar", "digits", "--epochs", "3", "--samples", "200", "--set", "hidden=[12]", "--set", "transfer_every=50"]
SPIKING = ["spiking", "digits", "--outputs", "30", "--epochs", "1", "--set", "check_every=25", "--set", "evaluate_every=400",
           "--set", "label_samples=200"]
#: Trainings: command, kills and terminations.
TRAININGS = {"logic": (LOGIC, 18, 3), "search": (SEARCH, 18, 4), "crossbar": (CROSSBAR, 16, 3), "spiking": (SPIKING, 16, 3)}

pytestmark = [pytest.mark.slow, needs_sigkill]


@dataclass
class Verbs:
    """Verbs run one after the other, each in a process of its own, and ended by a signal or not."""

    folder: Path
    zygote: subprocess.Popen
    ended: list[int] = field(default_factory=list)

    def run(self, arguments: list[str], end: signal.Signals | None = None, after: float = 0.0) -> tuple[int, float]:
        """Run a verb; ``after`` seconds from its beginning it gets the signal. Returns its exit code, and how long it took."""
        log = self.folder / "log"
        self.zygote.stdin.write(json.dumps({"arguments": [str(a) for a in arguments], "log": str(log)}) + "\n")
        self.zygote.stdin.flush()
        process, begun = int(self.zygote.stdout.readline()), time.monotonic()
        if end is not None:
            time.sleep(after)
            if end == signal.SIGTERM:
                wait_until_heard(process)
            os.kill(process, end)
            begun = time.monotonic()
        self.zygote.stdin.write("\n")
        self.zygote.stdin.flush()
        code = int(self.zygote.stdout.readline())
        taken = time.monotonic() - begun
        self.check_nothing_is_left(str(log), process)
        self.check_what_was_said(code, end, log.read_text(), taken)
        return code, taken

    def check_nothing_is_left(self, log: str, process: int) -> None:
        """No process of the session, and none that it started."""
        limit = time.monotonic() + 5
        while left := [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if marked(pid, log, process)]:
            assert time.monotonic() < limit, left
            time.sleep(0.01)

    def check_what_was_said(self, code: int, end: signal.Signals | None, said: str, taken: float) -> None:
        assert "Traceback" not in said, said
        if code in (0, -signal.SIGTERM):  # it had ended, but for its process
            return
        self.ended.append(code)
        assert end is not None and code == (-signal.SIGKILL if end == signal.SIGKILL else 128 + signal.SIGTERM), said
        if end == signal.SIGTERM:
            # the signal may come between a line that is printed and its end
            assert "hardwire: terminated" in said.splitlines()[-1] and taken < GRACE, (taken, said)


def wait_until_heard(process: int) -> None:
    """Wait until a verb handles SIGTERM, or has ended."""
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        status = Path(f"/proc/{process}/status").read_text()
        handled = int(next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1], 16)
        if handled >> signal.SIGTERM - 1 & 1 or "State:\tZ" in status:
            return
        time.sleep(0.001)
    pytest.fail("the verb does not handle SIGTERM")


def marked(pid: int, log: str, session: int) -> bool:
    try:
        if pid != os.getpid() and os.getsid(pid) == session:
            return True
        return f"{MARK}={log}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


@pytest.fixture(scope="module")
def zygote():
    """See ``zygote.py``."""
    process = subprocess.Popen([sys.executable, Path(__file__).with_name("zygote.py")], stdin=subprocess.PIPE, text=True,
                               stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert process.stdout.readline() == "ready\n"
    yield process
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()


@pytest.fixture
def verbs(zygote, tmp_path):
    return Verbs(tmp_path, zygote)


def disturb(verbs: Verbs, command: Callable[[], list[str]], seconds: float, kills: int, terms: int, after_each: Callable[[], None]):
    """Run ``command()`` until it was killed and terminated so often, each time at a random moment of ``seconds``."""
    rng = np.random.default_rng(kills)
    signals = rng.permutation([signal.SIGKILL] * kills + [signal.SIGTERM] * terms).tolist()
    tries = 0
    while signals:
        tries += 1
        assert tries < 20 * (kills + terms)
        code, _ = verbs.run(command(), signal.Signals(signals[-1]), float(rng.uniform(0, seconds)))
        after_each()
        if code not in (0, -signal.SIGTERM):
            signals.pop()
    expected = sorted([-signal.SIGKILL] * kills + [128 + signal.SIGTERM] * terms)
    assert sorted(verbs.ended) == expected


def no_temporary(folder: Path) -> None:
    assert not [p for p in folder.rglob("*") if p.name.endswith(".part")]


@pytest.mark.parametrize("name", TRAININGS)
def test_trainings(verbs, tmp_path, name):
    command, kills, terms = TRAININGS[name]
    whole = tmp_path / "whole"
    verbs.run([*command, "--out", whole])  # kernels are compiled
    code, seconds = verbs.run([*command, "--out", tmp_path / "timed"])
    assert code == 0
    runs = [tmp_path / "run-0"]

    def after_each():
        out = RunDirectory(runs[-1])
        if out.finished:
            check_same(out.path, whole)
            runs.append(tmp_path / f"run-{len(runs)}")

    disturb(verbs, lambda: [*command, "--out", runs[-1], "--resume"], seconds * 0.6, kills, terms, after_each)
    if not RunDirectory(runs[-1]).finished:
        assert verbs.run([*command, "--out", runs[-1], "--resume"])[0] == 0
    check_same(runs[-1], whole)


def check_same(out: Path, whole: Path) -> None:
    no_temporary(out)
    for path in (out, whole):  # what a hardware reports when it is trained
        for report in ("report.json", "report.html", "network.nir"):
            (path / report).unlink(missing_ok=True)
    check_same_run(out, whole)


@pytest.fixture(scope="module")
def lowered(tmp_path_factory):
    out = tmp_path_factory.mktemp("lowered") / "run"
    assert cli.main(["train", "digits", "--width", "300", "--layers", "2", "--levels", "2", "--steps", "60", "--evaluate-every", "30",
                     "--out", str(out)]) == 0
    assert cli.main(["lower", str(out)]) == 0
    return out


def test_optimise(verbs, tmp_path, lowered):
    out = lowered
    assert verbs.run(["optimize", out, "-O1"])[0] == 0
    old, notes = (out / OPTIMIZED).read_bytes(), (out / "steps.json").read_bytes()
    assert verbs.run(["optimize", out, "-O2"])[0] == 0
    code, seconds = verbs.run(["optimize", out, "-O2"])
    new = (out / OPTIMIZED).read_bytes()
    assert code == 0 and new != old
    (out / OPTIMIZED).write_bytes(old)
    (out / "steps.json").write_bytes(notes)

    def after_each():
        assert (out / OPTIMIZED).read_bytes() in (old, new)
        assert RunDirectory(out).steps()["optimize"]["level"] in ("O1", "O2")
        if (out / OPTIMIZED).read_bytes() == new:
            (out / OPTIMIZED).write_bytes(old)

    disturb(verbs, lambda: ["optimize", out, "-O2"], seconds, 16, 3, after_each)
    assert verbs.run(["optimize", out, "-O2"])[0] == 0
    assert (out / OPTIMIZED).read_bytes() == new
    no_temporary(out)


def test_emit(verbs, tmp_path, lowered):
    out, circuits = tmp_path / "rtl", [tmp_path / f"{i}" / "digits.net" for i in range(2)]
    for circuit, level in zip(circuits, "02"):
        circuit.parent.mkdir()
        assert cli.main(["optimize", str(lowered / "circuit.net"), f"-O{level}", "--out", str(circuit)]) == 0
    commands = [["emit", circuit, "--to", "verilog", "--pipeline", "2", "--out", out] for circuit in circuits]
    assert verbs.run(commands[0])[0] == 0
    old = contents(out)
    assert verbs.run(commands[1])[0] == 0
    code, seconds = verbs.run(commands[1])
    new = contents(out)
    assert code == 0 and {*old} == {*new} and old != new

    def after_each():
        now = {name: content for name, content in contents(out).items() if not name.endswith(".part")}
        assert {*now} == {*new} and all(content in (old[name], new[name]) for name, content in now.items())
        if now == new:
            for name, content in old.items():
                (out / name).write_bytes(content)

    disturb(verbs, lambda: commands[1], seconds, 16, 4, after_each)
    assert verbs.run(commands[1])[0] == 0
    assert contents(out) == new


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}
