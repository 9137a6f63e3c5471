"""Checkpoints: what a run leaves on disk, written aside and renamed, read back with every mistake named."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ...core.errors import FormatError, InputError
from ...core.files import read_text, write_bytes, write_text
from ...data.encoders import Encoder
from ..network.heads import Head, head_from_dict
from ..network.network import LogicNetwork
from ..network.spec import build_layers, describe_layers
from ..settings import LogicSettings

VERSION = 1
CONFIG, METRICS, CHECKPOINT, MODEL = "config.toml", "metrics.jsonl", "checkpoint.safetensors", "model.safetensors"


@dataclass
class State:
    """Where a run stands: everything beside weights and optimizer."""

    step: int = 0
    seconds: float = 0.0
    best_step: int = 0
    best_hard: float = -1.0
    metrics: list[dict] = field(default_factory=list)
    best: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """A saved network with what it needs to be used: its encoder and the names of classes and features."""

    network: LogicNetwork
    encoder: Encoder
    config: LogicSettings
    metrics: list[dict]
    best_step: int
    seconds: float
    dataset: dict


class Run:
    """A run directory that is being filled; without ``out`` it only keeps the state in memory."""

    def __init__(self, out, config: LogicSettings, network, optimizer):
        self.out = None if out is None else Path(out)
        self.config, self.network, self.optimizer = config, network, optimizer
        self.state = State()

    def open(self, resume: bool):
        """Claim the folder; what its checkpoint holds, for ``restore``, or None where the run begins."""
        if self.out is None:
            if resume:
                raise InputError("resume needs a run directory; give out")
            return None
        if resume and (self.out / CHECKPOINT).exists():
            tensors, facts = _read(self.out / CHECKPOINT, "checkpoint")
            if facts["config"] != self.config.to_toml():
                raise InputError(f"{self.out} was started with other settings; use its {CONFIG}, or choose another folder")
            return tensors, facts
        if (self.out / CHECKPOINT).exists():
            raise InputError(f"{self.out} already holds a run; resume it, or choose another folder")
        if (self.out / MODEL).exists():
            raise InputError(f"{self.out} already holds a finished run; choose another folder")
        write_text(self.out / CONFIG, self.config.to_toml())
        return None

    def restore(self, content) -> None:
        """Go on from what ``open`` found."""
        if content is None:
            return
        tensors, facts = content
        _load(self.network, _part(tensors, "network."), self.out or CHECKPOINT)
        for i, parameter in enumerate(self.network.parameters()):
            state = _part(tensors, f"optimizer.{i}.")
            self.optimizer.state[parameter] = {k: v if k == "step" else v.to(parameter.device) for k, v in state.items()}
        self.state = State(**json.loads(facts["state"]), best=_part(tensors, "best."))

    def record(self, entry: dict) -> None:
        """Note an evaluation; keep the weights if the frozen network is the best so far (of equals the latest)."""
        self.state.metrics.append(entry)
        if entry["hard"] >= self.state.best_hard or not self.state.best:
            self.state.best_hard, self.state.best_step = entry["hard"], entry["step"]
            self.state.best = {k: v.clone() for k, v in self.network.state_dict().items()}
        if self.out is not None:
            write_text(self.out / METRICS, "".join(json.dumps(m) + "\n" for m in self.state.metrics))

    def save(self) -> None:
        """Write the checkpoint."""
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self.state.best.items()}
        for i, parameter in enumerate(self.network.parameters()):
            tensors |= {f"optimizer.{i}.{k}": v for k, v in self.optimizer.state[parameter].items()}
        rest = {k: v for k, v in dataclasses.asdict(dataclasses.replace(self.state, best={})).items() if k != "best"}
        facts = {"kind": "checkpoint", "config": self.config.to_toml(), "state": json.dumps(rest)}
        _write(self.out / CHECKPOINT, tensors, facts)

    def finish(self, encoder: Encoder, dataset) -> None:
        """Write the selected model and drop the checkpoint."""
        if self.out is None:
            return
        head = getattr(self.network, "head", None)
        rest = {"best_step": self.state.best_step, "seconds": self.state.seconds,
                "head": head.to_dict() if isinstance(head, Head) else None,
                "layers": describe_layers(self.network.layers) if isinstance(self.network, LogicNetwork) else None}
        save_model(self.out / MODEL, self.network, encoder, self.config, describe(dataset), rest)
        for path in self.out.glob(f"{CHECKPOINT}*"):  # with what killed processes left half written
            path.unlink(missing_ok=True)


def describe(dataset) -> dict:
    """What a saved model must know of its data."""
    return {"name": dataset.name, "classes": list(dataset.classes), "features": list(dataset.features),
            "shape": list(dataset.shape) if dataset.shape else None}


def save_model(path, network: LogicNetwork, encoder: Encoder, config: LogicSettings, dataset: dict, rest: dict) -> None:
    """Write a network, its wiring and its encoder to one safetensors file."""
    facts = {"kind": "model", "config": config.to_toml(), "encoder": json.dumps(encoder.to_dict()),
             "dataset": json.dumps(dataset), "rest": json.dumps(rest)}
    _write(Path(path), network.state_dict(), facts)


def load_model(path, network=None) -> Model:
    """Read a run directory or its model file.

    network  the network that was given to ``train``, where it was; its weights are replaced by the stored ones
    """
    path = Path(path)
    folder, path = (path, path / MODEL) if path.is_dir() else (path.parent, path)
    if not path.exists() and (folder / CHECKPOINT).exists():
        raise InputError(f"{folder} holds an unfinished run; finish it with `hardwire train ... --resume`")
    tensors, facts = _read(path, "model")
    try:
        config = LogicSettings.from_toml(facts["config"])
        dataset, rest = json.loads(facts["dataset"]), json.loads(facts["rest"])
        encoder = Encoder.from_dict(json.loads(facts["encoder"]))
        network = _rebuild(encoder, tensors, dataset, rest) if network is None else network
        return Model(_load(network, tensors, path).eval(), encoder, config, _metrics(folder / METRICS), rest["best_step"],
                     rest["seconds"], dataset)
    except (KeyError, ValueError, TypeError, InputError) as error:
        raise FormatError(f"{path} lacks or garbles {error}; train the network anew") from None


def _metrics(path: Path) -> list[dict]:
    try:
        return [json.loads(line) for line in read_text(path).splitlines()] if path.exists() else []
    except ValueError as error:
        raise FormatError(f"{path} is no list of evaluations ({error}); restore it, or remove it") from None


def _rebuild(encoder: Encoder, tensors: dict, dataset: dict, rest: dict) -> LogicNetwork:
    """A network of the stored layers and wiring; its weights are loaded afterwards."""
    if rest.get("head") is None or rest.get("layers") is None:
        raise FormatError("the run holds the weights of a network that was given to train; give load_model the same network")
    network = LogicNetwork(build_layers(rest["layers"], tensors), head_from_dict(rest["head"]))
    for what, given, needed in (("inputs", network.in_features, encoder.n_bits),
                                ("outputs", network.head.groups, len(dataset["classes"]))):
        if given != needed:
            raise FormatError(f"{needed} {what} for a network of {given}")
    return network


def _part(tensors: dict, prefix: str) -> dict:
    return {k[len(prefix):]: v for k, v in tensors.items() if k.startswith(prefix)}


def _load(network, tensors: dict, path):
    try:
        network.load_state_dict(tensors)
        _check_wiring(network)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise FormatError(f"{path} does not fit the network of its settings ({reason}); train anew") from None
    return network


def _check_wiring(network) -> None:
    """Stored wiring must stay inside: the kernels do not look."""
    for layer in getattr(network, "layers", ()):
        for name in ("pairs", "candidates", "leaves"):
            wires = getattr(layer, name, None)
            if wires is None:
                continue
            limit = torch.tensor([layer.in_shape[0], *2 * [layer.receptive_field]]) if name == "leaves" else layer.in_features
            if not ((wires >= 0) & (wires < limit)).all():
                raise RuntimeError(f"{name} outside a layer's inputs")


def _digest(tensors: dict, facts: dict) -> str:
    """SHA-256 of names, shapes, bytes and facts: an altered weight is still a valid safetensors file."""
    total = hashlib.sha256(repr(sorted((k, v) for k, v in facts.items() if k != "digest")).encode())
    for name, tensor in sorted(tensors.items()):
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.numpy())
    return total.hexdigest()


def _write(path: Path, tensors: dict, facts: dict) -> None:
    tensors = {k: v.detach().contiguous() for k, v in tensors.items()}
    facts = facts | {"version": str(VERSION)}
    write_bytes(path, save(tensors, facts | {"digest": _digest(tensors, facts)}))


def _read(path: Path, kind: str) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; give the folder of a finished `hardwire train` run") from None
    except (OSError, SafetensorError) as error:
        raise FormatError(f"{path} is damaged or no safetensors file ({error}); train the network anew") from None
    if facts.get("kind") != kind or "version" not in facts:
        raise FormatError(f"{path} is no hardwire {kind}; give the folder of a `hardwire train` run")
    if facts["version"] != str(VERSION):
        raise FormatError(f"{path} has format version {facts['version']}, this program reads {VERSION}; train the network anew")
    if facts.get("digest") != _digest(tensors, facts):
        raise FormatError(f"{path} is altered: its digest does not match; train the network anew")
    return tensors, facts
