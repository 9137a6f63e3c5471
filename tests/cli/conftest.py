"""A finished run, an interrupted one, and two ways to call the command line."""

from pathlib import Path

import pytest
from cli_cases import TINY, gate, snapshot

from hardwire.circuit import save_circuit
from hardwire.cli import app as cli


@pytest.fixture(autouse=True)
def keep_threads():
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def ask(capsys):
    """``ask("show", x)`` runs a command that must exit with ``code`` and returns its standard output and error."""

    def call(*argv, code=0):
        capsys.readouterr()
        found = cli.main([str(a) for a in argv])
        out, err = capsys.readouterr()
        assert found == code, err
        assert "Traceback" not in err
        return out, err

    return call


@pytest.fixture
def refuse(ask):
    """``refuse(folder, "lower", x)``: exit code 2, one sentence, nothing on standard output, ``folder`` as it was."""

    def call(folder, *argv, late=False):
        before = snapshot(folder)
        out, err = ask(*argv, code=2)
        *progress, last = err.splitlines()
        assert last.startswith("hardwire: ") and len(last) > 30 and out == ""
        assert not any(line.startswith("hardwire: ") for line in progress)
        assert late or (all(line.startswith("reading ") for line in progress[:1]) and not progress[1:])
        assert snapshot(folder) == before
        return last

    return call


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A run on which every verb has been at work."""
    run = tmp_path_factory.mktemp("runs") / "tiny"
    assert cli.main(["train", "digits", "--out", str(run), "--seed", "3", *TINY]) == 0
    for verb in ("lower", "optimize", "verify", "report"):
        assert cli.main([verb, str(run)]) == 0
    return run


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """A copy to work on."""
    import shutil

    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture(scope="session")
def unfinished(tmp_path_factory, digits) -> Path:
    """A run that was interrupted: a checkpoint and no model."""
    from hardwire.logic import LogicSettings, train

    out = tmp_path_factory.mktemp("runs") / "unfinished"

    def stop(event):
        if event.position == 40 and event.figures:
            raise KeyboardInterrupt

    config = LogicSettings(seed=0, width=200, layers=2, levels=3, steps=60, batch=64, evaluate_every=20)
    with pytest.raises(KeyboardInterrupt):
        train(config, digits, out=out, progress=stop, checkpoint_seconds=0)
    return out


@pytest.fixture
def xor(tmp_path) -> Path:
    return save_circuit(gate("XOR"), tmp_path / "xor.net")
