"""Stages of a flow: kept where nothing has changed, else run."""

import pytest

from hardwire.core.errors import InputError, ToolError
from hardwire.flows.stages import FILE, Stages


class Work:
    def __init__(self, folder):
        self.folder, self.calls = folder, 0

    def __call__(self):
        self.calls += 1
        (self.folder / "out").write_text("result")
        return {"value": self.calls}


def test_a_stage_is_kept(tmp_path):
    work = Work(tmp_path)
    assert Stages(tmp_path).run("one", {"a": 1}, ["out"], work) == {"value": 1}
    again = Stages(tmp_path)
    assert again.run("one", {"a": 1}, ["out"], work) == {"value": 1} and again.kept == ["one"] and work.calls == 1


def change(folder):
    (folder / "out").write_text("other")


@pytest.mark.parametrize("spoil, inputs, fresh", [
    (lambda folder: None, {"a": 2}, False), (lambda folder: None, {"a": 1}, True), (change, {"a": 1}, False),
    (lambda folder: (folder / "out").unlink(), {"a": 1}, False), (lambda folder: (folder / FILE).unlink(), {"a": 1}, False),
    (lambda folder: (folder / FILE).write_text('{"one": {"inp'), {"a": 1}, False),
    (lambda folder: (folder / FILE).write_text("[]"), {"a": 1}, False)])
def test_a_stage_is_run_again(tmp_path, spoil, inputs, fresh):
    work = Work(tmp_path)
    Stages(tmp_path).run("one", {"a": 1}, ["out"], work)
    spoil(tmp_path)
    stages = Stages(tmp_path, fresh=fresh)
    assert stages.run("one", inputs, ["out"], work) == {"value": 2} and not stages.kept


def test_a_stage_that_failed_is_not_kept(tmp_path):
    work = Work(tmp_path)
    Stages(tmp_path).run("one", {"a": 1}, ["out"], work)

    def fail():
        raise ToolError("broken")

    with pytest.raises(ToolError):
        Stages(tmp_path, fresh=True).run("one", {"a": 1}, ["out"], fail)
    Stages(tmp_path).run("two", {}, [], lambda: {})
    assert Stages(tmp_path).run("one", {"a": 1}, ["out"], work) == {"value": 1}


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .*file"):
        Stages(tmp_path / "file" / "flow")
