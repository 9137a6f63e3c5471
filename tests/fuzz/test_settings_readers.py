"""Readers of settings, of what a run notes and of a sweep's files: whatever the file, valid values or one sentence."""

import json
import math
import shutil

import numpy as np
import pytest
import tomli_w

from hardwire.core.errors import FormatError, HardwireError, InputError
from hardwire.core.reading import parse_json, parse_toml
from hardwire.core.settings import parse_assignments
from hardwire.crossbar.settings import CrossbarSettings
from hardwire.devices.fitting import read_steps
from hardwire.devices.presets import PRESETS, load_device, save_device
from hardwire.logic.settings import LogicSettings
from hardwire.report.text import format_text
from hardwire.runs.directory import RunDirectory
from hardwire.runs.record import Record
from hardwire.spiking.settings import SpikingSettings
from hardwire.tuning import parse_space, read_space, show
from hardwire.tuning.sweep import DEFINITION
from hardwire.workflow.classify import named_rows
from tests.fuzz.file_mutations import FEW, MANY, for_each_seed, mutated_bytes, mutated_values, read
from tests.records import full_record

LOGIC = full_record()
SETTINGS = LogicSettings, CrossbarSettings, SpikingSettings
SPACE = {"width": [100, 200], "learning_rate": {"low": 0.01, "high": 1.0, "log": True}, "steps": 20, "widths": [[10, 20], [30]], "noise": {"low": 0.0, "high": 1.0, "step": 0.1}}
STEPS = {"lower": {"seconds": 1.0, "outputs": [{"name": "a", "word": "value0", "bias": 1.0, "scale": 2.0}]},
         "optimize": {"seconds": 2.0, "level": "O2", "passes": [{"name": "p", "gates_before": 3, "gates_after": 2, "depth_before": 1, "depth_after": 1, "seconds": 0.1}],
                      "inexact": {"budget": 0.1, "gates_before": 3, "gates_after": 2, "replaced": 1, "changed": 1, "samples": 9, "accuracy_before": 1.0,
                                  "accuracy_after": 0.9, "validation_before": None, "validation_after": None}},
         "verify": {"seconds": 1.0, "digest": "abc", "verdicts": {"packed": "proved", "c": "simulated 100"}}}
CURVE = b"device,direction,pulse,conductance\n" + b"".join(b"a,up,%d,%.3f\na2,down,%d,%.3f\n" % (i, i - i * i / 50, i, 9 - i / 2) for i in range(1, 12))


def toml(rng, values):
    """Mutated values as TOML where they can be, mutated as text else."""
    text = tomli_w.dumps(values)
    if rng.random() < 0.5:
        try:
            return tomli_w.dumps(mutated_values(rng, values)).encode()
        except (TypeError, ValueError, AttributeError):
            pass
    return mutated_bytes(rng, text.encode())


def as_json(rng, values):
    content = json.dumps(mutated_values(rng, values) if rng.random() < 0.7 else values).encode()
    return mutated_bytes(rng, content) if rng.random() < 0.4 else content


def settings_file(path, seed):
    rng = np.random.default_rng(seed)
    kind = SETTINGS[seed % 3]
    path.write_bytes(toml(rng, kind().model_dump()))
    found = read(kind.load, path)
    if found is not None:
        assert kind.from_toml(found.to_toml()) == found
    read(lambda: kind().with_text(mutated_bytes(rng, b"seed=3\nsteps=5").decode(errors="replace"), "--set"))


def space_file(path, seed):
    rng = np.random.default_rng(seed)
    path.write_bytes(toml(rng, SPACE))
    space = read(read_space, path)
    if space is not None and space.countable:
        read(space.grid)


def device_file(path, seed):
    rng = np.random.default_rng(seed)
    path = path.with_suffix(".toml")
    name = list(PRESETS)[seed % len(PRESETS)]
    save_device(path, PRESETS[name])
    path.write_bytes(toml(rng, parse_toml(path.read_text())))
    device = read(load_device, path)
    if device is not None:
        assert all(np.isfinite(device.sample((2, 2), np.random.default_rng(0))).all() for _ in range(1))
    path.write_bytes(mutated_bytes(rng, CURVE))
    read(read_steps, path)


def notes(path, seed):
    rng = np.random.default_rng(seed)
    run = RunDirectory(path.parent)
    (path.parent / "steps.json").write_bytes(as_json(rng, STEPS))
    steps = read(run.steps)
    if steps is not None:
        for line in steps.get("optimize", {}).get("passes", []):
            f"{line['name']:<20} {line['gates_before']:>8}"


def record(path, seed):
    rng = np.random.default_rng(seed)
    (path.parent / "report.json").write_bytes(as_json(rng, LOGIC))
    found = read(Record.load, path.parent)
    if found is not None:
        found.save(path.parent)
        assert Record.load(path.parent).to_json() == found.to_json()
        read(format_text, found.to_json())


READERS = {"settings": settings_file, "space": space_file, "device": device_file, "notes": notes, "record": record}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_some_inputs(reader, tmp_path):
    for_each_seed(FEW, lambda seed: reader(tmp_path / "file.toml", seed))


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_many_inputs(reader, tmp_path):
    for_each_seed(MANY, lambda seed: reader(tmp_path / "file.toml", seed))


# ----------------------------------------------------------------------------------------------------- the journal of a sweep

TINY = {"steps": 4, "layers": 1, "levels": 1, "width": 20, "batch": 16, "evaluate_every": 4}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    pytest.importorskip("optuna")
    from hardwire.tuning import sweep

    out = tmp_path_factory.mktemp("sweep") / "s"
    sweep("digits", parse_space(TINY | {"noise": {"low": 0.1, "high": 1.0}, "widths": [[20], [30]]}), out, trials=3, sampler="random")
    return out


def journal(swept, folder, seed):
    """Show a sweep whose journal or definition was mutated; then queue what it lacks."""
    from hardwire.tuning.study import Study, open_storage, quiet

    rng = np.random.default_rng(seed)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    lines, definition = (swept / "journal.log").read_bytes().splitlines(keepends=True), (swept / DEFINITION).read_bytes()
    kind = rng.integers(4)
    if kind == 0:
        content = mutated_bytes(rng, b"".join(lines))
    else:
        at = int(rng.integers(len(lines)))
        if kind == 1:
            lines[at] = json.dumps(mutated_values(rng, json.loads(lines[at]))).encode() + b"\n"
        elif kind == 2:
            lines[at : at + 1] = [lines[at]] * int(rng.integers(0, 3))
        else:
            definition = as_json(rng, json.loads(definition))
        content = b"".join(lines)
    (folder / "journal.log").write_bytes(content)
    (folder / DEFINITION).write_bytes(definition)
    read(show, folder)

    def fill():
        with quiet():
            study = Study(open_storage(folder, None), "sweep", folder, create=False)
            study.fill([{}] * 4)
            with study.claim("random") as claimed:
                return claimed

    read(fill)


def test_some_journals(swept, tmp_path):
    for_each_seed(40, lambda seed: journal(swept, tmp_path / "s", seed))


@pytest.mark.slow
def test_many_journals(swept, tmp_path):
    for_each_seed(MANY, lambda seed: journal(swept, tmp_path / "s", seed))


# ------------------------------------------------------------------------------------------------------------- what was found


@pytest.mark.parametrize("text", ["x = " + "[" * 100_000, "x = " + "{a=" * 50_000, ".".join(["a"] * 200_000) + " = 1", "[" + ".".join(["a"] * 200_000) + "]", "width = " + "9" * 5000,
                                  "width = 0x" + "f" * 5000, "self = 1", "cls = 1", "width = 2026-01-01", "widths = [" + "0x" + "f" * 5000 + "]", "learning_rate = 0x" + "f" * 400],
                         ids=range(11))
def test_settings_that_are_none(text, tmp_path):
    (tmp_path / "a.toml").write_text(text)
    for kind in SETTINGS:
        read(kind.load, tmp_path / "a.toml")
        with pytest.raises(HardwireError):
            kind.load(tmp_path / "a.toml")
    with pytest.raises(HardwireError):
        read_space(tmp_path / "a.toml")
    with pytest.raises(HardwireError):
        load_device(tmp_path / "a.toml")
    with pytest.raises(HardwireError):
        LogicSettings().with_text(text, "--set")


def test_deep_json_is_a_value_error():
    for text in ("[" * 100_000, '{"a":' * 100_000, "9" * 5000, '"\\ud800"'):
        with pytest.raises(ValueError):
            parse_json(text)
    assert parse_json('"\\ud83d\\ude00"') == "\U0001F600" and parse_toml("a.b = 1.5") == {"a": {"b": 1.5}}
    assert parse_assignments("a=b", "--set") == {"a": "b"}


def test_a_deep_record_is_refused(tmp_path):
    deep = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(FormatError, match="levels deep"):
        Record.of(LOGIC | {"more": deep})


@pytest.mark.parametrize("change, says", [
    ({"lower": {"seconds": 1.0, "outputs": [{"name": "a"}]}}, "outputs.0.word"), ({"optimize": {"seconds": 1.0, "passes": [1]}}, "passes"),
    ({"optimize": {"seconds": 1.0, "inexact": {}}}, "inexact"), ({"verify": {"seconds": 1.0, "verdicts": {"a": 3}}}, "verdicts"), ({"lower": {"seconds": "1"}}, "seconds"),
    ({"lower": 3}, "lower")])
def test_notes_that_are_none(change, says, tmp_path):
    (tmp_path / "steps.json").write_text(json.dumps(STEPS | change))
    with pytest.raises(FormatError, match=f"does not hold the steps of a run.*{says}"):
        RunDirectory(tmp_path).steps()


def test_notes_name_no_word_that_the_circuit_has_not():
    from hardwire.circuit.builder import CircuitBuilder

    builder = CircuitBuilder("c")
    builder.output("y", builder.input("x", 1)[0])
    with pytest.raises(FormatError, match="an output 'z'"):
        named_rows(builder.build(), np.zeros((1, 1), np.uint64), [{"name": "a", "word": "z"}])


def test_ranges_of_more_steps_than_memory_holds():
    with pytest.raises(InputError, match=r"more than 2\^53 steps"):
        parse_space({"noise": {"low": 0.0, "high": 1.0, "step": 1e-300}})


@pytest.mark.parametrize("values", [{"kind": "linear-step", "cycle_noise": "x"}, {"kind": "pcm", "name": 3}, {"kind": "capacitor", "relative": 1}, {"kind": "binary", "attempts": 1.5},
                                    {"kind": "linear-step", "high": 1e300, "relative": True}, {"kind": "pcm", "assumed": [1]}])
def test_devices_of_other_types(values, tmp_path):
    (tmp_path / "d.toml").write_text(tomli_w.dumps(values))
    with pytest.raises(FormatError, match="lacks or garbles"):
        load_device(tmp_path / "d.toml")
    assert math.isinf(PRESETS["gokmen_vlasov"].lifetime)
