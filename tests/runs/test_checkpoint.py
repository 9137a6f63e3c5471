"""The envelope: what a flipped bit does to it, and what its own fields may hold."""

import json
from contextlib import suppress

import numpy as np
import pytest
from envelopes import check_flips
from safetensors.numpy import save
from toy import TOY, ToySettings, ToyTraining, read_data

from hardwire.core.errors import FormatError, HardwireError
from hardwire.runs.checkpoint import VERSION, Stored, digest, read_stored, write_stored
from hardwire.runs.directory import CHECKPOINT, MODEL, RunDirectory
from hardwire.runs.experiment import outcome_of, run, train

SETTINGS = ToySettings(samples=20, epochs=2)


@pytest.fixture
def stored(tmp_path):
    tensors = {"weights": np.arange(6, dtype=np.float32).reshape(2, 3), "none": np.zeros((0, 2), np.int64),
               "one": np.array([3], np.uint8)}
    return Stored("toy", "seed = 1\n", tensors, {"run": {"position": 3, "seconds": 0.5, "metrics": []}, "text": "é\n\x00"})


def test_a_round_trip(stored, tmp_path):
    write_stored(tmp_path / "x", stored, "checkpoint")
    found = read_stored(tmp_path / "x", "checkpoint", "toy")
    assert (found.hardware, found.settings, found.values) == (stored.hardware, stored.settings, stored.values)
    assert all(np.array_equal(found.tensors[k], v) and found.tensors[k].dtype == v.dtype for k, v in stored.tensors.items())


@pytest.mark.parametrize("every", [13, pytest.param(1, marks=pytest.mark.slow)])
def test_every_flipped_bit_is_refused(stored, tmp_path, every):
    """Of header and content."""
    bits = 8 * write_stored(tmp_path / "x", stored, "model").stat().st_size
    assert bits > 3000
    check_flips(tmp_path / "x", "model", range(0, bits, every))


def test_every_shorter_and_longer_file_is_refused(stored, tmp_path):
    whole = write_stored(tmp_path / "x", stored, "model").read_bytes()
    for content in (*(whole[:n] for n in range(0, len(whole), 3)), whole[:-1], whole + b"\0", whole + whole):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(FormatError):
            read_stored(tmp_path / "x", "model")


def forged(path, tensors=None, values=None, **text) -> None:
    """Write a file whose digest is right and whose content is not."""
    tensors = {"threshold": np.zeros(1)} if tensors is None else tensors
    values = {"run": {"position": 0, "seconds": 0.0, "metrics": []}, "rng": {}} if values is None else values
    header = {"format": "hardwire", "version": VERSION, "kind": "checkpoint", "hardware": "toy", "settings": SETTINGS.to_toml(),
              "values": values if isinstance(values, str) else json.dumps(values)} | text
    header = {key: value for key, value in header.items() if value is not None}
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(save(tensors, header | {"digest": digest(tensors, header)}))


RUN = {"position": 1, "seconds": 1.0, "metrics": []}
VALUES = [
    "[]", "3", "null", "{", "", "[" * 100_000, '{"run": 3}', "9" * 5000, {}, {"run": []}, {"run": None}, {"run": {}},
    *({"run": RUN | {"position": wrong}} for wrong in ("x", -1, 1.5, None, True, [], 10**30, 41)),
    *({"run": RUN | {"seconds": wrong}} for wrong in ("x", -1, None, float("nan"), float("inf"), {})),
    *({"run": RUN | {"metrics": wrong}} for wrong in ("x", {}, None, [3], [{"a": []}], [None])),
    *({"run": RUN | {"files": wrong}} for wrong in ("x", [], None, {"dataset": 3})),
    *({"run": RUN, "fingerprint": wrong} for wrong in ("x", [], None, {"samples": []}, {"labels": None})),
    *({"run": RUN, "rng": wrong} for wrong in ("x", [], None, 3, {"state": 3})),
]
HEADERS = [{"kind": "model"}, {"kind": None}, {"version": "1"}, {"version": None}, {"format": "other"}, {"format": None},
           {"settings": "samples = 'x'"}, {"settings": "["}, {"settings": None}, {"hardware": "logic"}, {"hardware": None},
           {"values": None}, {"settings": "a = " + "[" * 5000}]


@pytest.mark.parametrize("values", VALUES, ids=lambda v: str(v)[:40])
def test_crafted_values_of_a_run(tmp_path, values):
    (tmp_path / "config.toml").write_text(SETTINGS.to_toml())
    forged(tmp_path / MODEL, values=values, kind="model")
    with suppress(HardwireError):  # what the toy does not read of a model may be anything
        outcome_of(RunDirectory(tmp_path).read_model("toy"))
    (tmp_path / MODEL).unlink()
    forged(tmp_path / CHECKPOINT, values=values)
    with pytest.raises(HardwireError):
        run("toy", SETTINGS, ToyTraining(SETTINGS, read_data(SETTINGS, None)), out=tmp_path, resume=True)


@pytest.mark.parametrize("text", HEADERS, ids=str)
def test_crafted_headers(tmp_path, text):
    (tmp_path / "config.toml").write_text(SETTINGS.to_toml())
    forged(tmp_path / CHECKPOINT, **text)
    with pytest.raises(HardwireError):
        train(TOY, SETTINGS, tmp_path, resume=True)


def test_types_that_numpy_has_not(tmp_path):
    for name in ("BF16", "F8_E4M3", "F8_E5M2", "F4", "E8M0"):
        header = json.dumps({"__metadata__": {"format": "hardwire"}, "x": {"dtype": name, "shape": [2], "data_offsets": [0, 4]}})
        content = len(header).to_bytes(8, "little") + header.encode() + b"\0" * 4
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(FormatError):
            read_stored(tmp_path / "x", "model")


def test_a_header_that_says_it_is_long(tmp_path):
    (tmp_path / "x").write_bytes((1 << 62).to_bytes(8, "little") + b"{}")
    with pytest.raises(FormatError, match="is damaged or no safetensors file"):
        read_stored(tmp_path / "x", "model")


def test_a_folder(tmp_path):
    with pytest.raises(FormatError):
        read_stored(tmp_path, "model")
