"""Models as folders in the layout of the Hugging Face hub, read and written without network access.

    config.json         what the model is, and the SHA-256 of the other files; written last
    model.safetensors   the trained weights, as in a run directory
    circuit.net         of a logic network: the exact circuit, which runs without torch
    README.md           the model card: YAML head, cost by stage, accuracy, proofs, provenance

Each file is written aside and renamed. A folder that was left half written, or whose files were altered, has other
hashes than its ``config.json`` and is refused.
"""

import json
import tomllib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from .. import __version__
from ..circuit import Circuit, load_circuit
from ..circuit.formats.net import save_circuit
from ..core.errors import FormatError, InputError
from ..core.extras import missing
from ..core.files import make_folder, read_text, write_text
from ..core.names import identifier
from ..core.reading import parse_json, read_bytes
from ..runs.checkpoint import Stored, read_stored, write_stored
from ..runs.directory import MODEL, OPTIMIZED, RAW, RunDirectory
from ..runs.record import NAME as RECORD
from ..runs.record import Record
from ..verify.emitted import sha256
from .cards import model_card
from .hardwares import HARDWARES, hardware_named

CONFIG, CARD = "config.json", "README.md"
#: Of ``config.json``.
VERSION = 1


def save_pretrained(model: Any, folder: str | PathLike[str], *, circuit: Circuit | None = None,
                    record: Record | None = None) -> Path:
    """Write a model into ``folder`` and return the folder; other files that lie there stay.

    Parameters
    ----------
    model
        A logic ``Model``, as ``train`` returns it, or the path of a finished run directory of any hardware.
    folder
        Made where it does not exist.
    circuit
        Of a logic ``Model``: its circuit, optimised say; by default the network is lowered. A run directory has one.
    record
        What the card says of accuracy and proofs beside the validation's; of a run directory its own.

    Raises
    ------
    InputError
        Where the run is unfinished, the circuit is not the model's, or the folder cannot be written.
    """
    folder = Path(folder)
    if isinstance(model, str | PathLike):
        if circuit is not None:
            raise InputError("a run directory has its own circuit; leave circuit out, or give the model")
        stored, circuit, record = _of_run(RunDirectory.existing(Path(model)), record)
    else:
        stored, circuit = _of_model(model, circuit)
    make_folder(folder)
    (folder / CONFIG).unlink(missing_ok=True)  # a folder that is half written has none
    files = {MODEL: write_stored(folder / MODEL, stored, "model")}
    if circuit is not None:
        files[RAW] = save_circuit(circuit, folder / RAW)
    else:
        (folder / RAW).unlink(missing_ok=True)
    config = _config(stored, circuit, {name: sha256(path.read_bytes()) for name, path in files.items()})
    write_text(folder / CARD, model_card(config, stored, circuit, record))
    write_text(folder / CONFIG, json.dumps(config, indent=2, ensure_ascii=False) + "\n")
    return folder


def from_pretrained(folder: str | PathLike[str]) -> Any:
    """Read the model that ``save_pretrained`` wrote into a local folder; its circuit is ``folder / "circuit.net"``.

    Returns
    -------
    Model
        Of the hardware that it was trained for.

    Raises
    ------
    InputError
        Where the folder holds no model.
    FormatError
        Where a file is missing, damaged, altered or of another version.
    MissingPackageError
        Where the hardware needs a package that is not installed, such as torch.
    """
    folder = Path(folder)
    config = read_config(folder)
    stored = read_stored(folder / MODEL, "model", config["hardware"])
    try:
        return hardware_named(config["hardware"]).load(stored)
    except ImportError as error:
        raise missing(error, f"a model of hardware {config['hardware']}") or error from None


def read_config(folder: str | PathLike[str]) -> dict[str, Any]:
    """Read ``config.json`` and check the files beside it against its hashes; errors as of ``from_pretrained``."""
    path = Path(folder) / CONFIG
    if not path.is_file():
        raise InputError(f"{folder} holds no {CONFIG}; give a folder that save_pretrained wrote to its end")
    try:
        config = parse_json(read_text(path))
    except ValueError as error:
        raise FormatError(f"{path} is not JSON ({error}); save the model anew") from None
    if not isinstance(config, dict) or config.get("library_name") != "hardwire":
        raise FormatError(f"{path} is of another library; give a folder that hardwire's save_pretrained wrote")
    if config.get("format_version") != VERSION:
        raise FormatError(f"{path} has format version {str(config.get('format_version'))[:20]}, this program reads "
                          f"{VERSION}; save the model anew")
    files = config.get("files")
    if config.get("hardware") not in HARDWARES or not isinstance(files, dict) or MODEL not in files:
        raise FormatError(f"{path} lacks or garbles hardware or files; save the model anew")
    for name in (MODEL, RAW):
        if name in files and sha256(_content(Path(folder) / name)) != files[name]:
            raise FormatError(f"{Path(folder) / name} is not the file that {CONFIG} was written for; save the model "
                              f"anew")
    return config


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise FormatError(f"{path} is missing; save the model anew")
    return read_bytes(path)


def _of_run(directory: RunDirectory, record: Record | None) -> tuple[Stored, Circuit | None, Record | None]:
    stored = directory.read_model()
    nets = [directory / name for name in (OPTIMIZED, RAW) if (directory / name).is_file()]
    if stored.hardware == "logic" and not nets:
        raise InputError(f"{directory.path} holds no circuit; run `hardwire lower {directory.path}` first")
    if record is None and (directory / RECORD).is_file():
        record = Record.load(directory.path)
    return stored, load_circuit(nets[0]) if nets else None, record


def _of_model(model: Any, circuit: Circuit | None) -> tuple[Stored, Circuit]:
    from ..logic.lowering import lower  # brings torch
    from ..logic.model import Model, stored_of

    if not isinstance(model, Model):
        raise InputError(f"cannot save a {type(model).__name__}; give a logic Model or a run directory")
    if circuit is None:
        data = model.dataset
        labels = data["classes"] if model.settings.task == "classify" else ()
        circuit = lower(model.network, model.encoder, name=identifier(data["name"], prefix="n"), labels=labels,
                        features=data["features"])
    if len(circuit.inputs) != model.encoder.n_features:
        raise InputError(f"circuit {circuit.name!r} reads {len(circuit.inputs)} words, but the model "
                         f"{model.encoder.n_features} features; give the circuit of this model")
    return stored_of(model), circuit


def _config(stored: Stored, circuit: Circuit | None, files: Mapping[str, str]) -> dict[str, Any]:
    dataset = stored.values.get("dataset", {})
    known = {"name": dataset.get("name"), "classes": dataset.get("classes"), "features": dataset.get("features"),
             "shape": dataset.get("shape")}
    config: dict[str, Any] = {
        "library_name": "hardwire", "format_version": VERSION, "hardwire_version": __version__,
        "hardware": stored.hardware, "architectures": [f"hardwire.{stored.hardware}"],
        "dataset": {key: value for key, value in known.items() if value is not None},
        "settings": tomllib.loads(stored.settings), "files": dict(files)}
    if circuit is not None:
        config["circuit"] = {"digest": circuit.digest, "inputs": len(circuit.inputs), "nodes": circuit.n_nodes,
                             "outputs": [[word.name, word.width] for word in circuit.outputs]}
    return config
