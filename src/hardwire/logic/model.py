"""A trained logic network with what it needs to be used, and its form on disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Self, overload

import torch
from typing_extensions import TypeVar

from ..circuit import Circuit
from ..core.errors import FormatError, InputError
from ..core.provided import provided
from ..data import Dataset
from ..data.encoders import Encoder
from ..runs.checkpoint import Stored, Tensors, read_stored, write_stored
from ..runs.directory import RunDirectory
from ..runs.fingerprint import Fingerprint
from ..runs.record import Record
from .network.graph import LogicGraph
from .network.heads import Head, head_from_dict
from .network.network import LogicNetwork
from .network.spec import build_layers, describe_layers
from .settings import LogicSettings
from .stored import ModelValues

#: A ``LogicNetwork``, or the module that was given to ``train``.
NetworkT = TypeVar("NetworkT", bound=torch.nn.Module, default=LogicNetwork)


@dataclass(frozen=True)
class Model(Generic[NetworkT]):
    """A trained network.

    Attributes
    ----------
    network
        With the weights of the best frozen figure of merit on validation, reached at ``best_step``.
    encoder
        Features to the network's bits.
    settings
        What the run was started with.
    metrics
        An entry for each evaluation: step, loss, relaxed and hard figure of merit on validation, seconds.
    best_step
        Step of the weights that were kept.
    seconds
        Time of training over all calls.
    dataset
        Its name, classes, features and shape.
    fingerprint
        Of the data that a run directory was trained on; empty where it is not known.
    compile_s
        Time that kernels took to compile before training, which ``seconds`` leaves out.
    """

    network: NetworkT
    encoder: Encoder
    settings: LogicSettings
    metrics: list[dict[str, Any]]
    best_step: int
    seconds: float
    dataset: dict[str, Any]
    fingerprint: Fingerprint = field(default_factory=dict)
    compile_s: float = 0.0

    def __repr__(self) -> str:
        hard = next((f", validation hard {m['hard']:.4f} at step {self.best_step}" for m in self.metrics
                     if m.get("step") == self.best_step and "hard" in m), "")
        return f"<Model of {self.dataset.get('name')!r}: {self.network!r}{hard}>"

    def save_pretrained(self, folder: str | Path, *, circuit: Circuit | None = None, record: Record | None = None
                        ) -> Path:
        """Write a folder in the layout of the Hugging Face hub, see ``hardwire.save_pretrained``."""
        path: Path = provided("pretrained").save_pretrained(self, folder, circuit=circuit, record=record)
        return path

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Read a folder that ``save_pretrained`` wrote; InputError where it is of another hardware."""
        model = provided("pretrained").from_pretrained(folder)
        if not isinstance(model, cls):
            raise InputError(f"{folder} holds a model of another hardware; read it with hardwire.from_pretrained")
        return model

    @property
    def best(self) -> dict[str, Any]:
        """The evaluation whose weights were kept."""
        best = next((m for m in self.metrics if m.get("step") == self.best_step and "hard" in m), None)
        if best is None:
            raise FormatError(f"the model has no evaluation at step {self.best_step}; train the network anew")
        return best


def describe(dataset: Dataset) -> dict[str, Any]:
    """Return what a stored model must know of its data."""
    return {"name": dataset.name, "classes": list(dataset.classes), "features": list(dataset.features),
            "shape": list(dataset.shape) if dataset.shape else None}


def to_numpy(tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """Return tensors of any device as arrays."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}


def to_torch(tensors: Tensors) -> dict[str, torch.Tensor]:
    """Return arrays as tensors on the CPU."""
    return {name: torch.from_numpy(array.copy()) for name, array in tensors.items()}


def pack(network: torch.nn.Module, encoder: Encoder, dataset: Mapping[str, Any],
         best_step: int) -> tuple[Tensors, dict[str, Any]]:
    """Return a network, its wiring and its encoder as tensors and plain values."""
    head = getattr(network, "head", None)
    values = {"encoder": encoder.to_dict(), "dataset": dict(dataset), "best_step": best_step,
              "head": head.to_dict() if isinstance(head, Head) else None,
              "layers": describe_layers(network.members) if isinstance(network, LogicNetwork) else None}
    return to_numpy(network.state_dict()), values


@overload
def unpack(stored: Stored, network: None = None, *, name: str = "the model") -> Model: ...
@overload
def unpack(stored: Stored, network: torch.nn.Module | None, *, name: str = "the model") -> Model[Any]: ...


def unpack(stored: Stored, network: torch.nn.Module | None = None, *, name: str = "the model") -> Model[Any]:
    """Return the model in ``stored``.

    Parameters
    ----------
    stored
        What ``pack`` gave, in its envelope.
    network
        The network that was given to ``train``, where one was; its weights are replaced by the stored ones.
    name
        What errors call the model.

    Raises
    ------
    FormatError
        Something is missing or does not fit.
    """
    values = ModelValues.of(stored.values, name)
    try:
        settings, encoder = LogicSettings.from_toml(stored.settings), Encoder.from_dict(values.encoder)
        _check_values(values, settings, encoder)
        tensors = to_torch(stored.tensors)
        network = _rebuild(encoder, tensors, values) if network is None else network
        load_weights(network, tensors, name)
    except (KeyError, ValueError, TypeError, InputError, FormatError) as error:
        raise FormatError(f"{name} lacks or garbles {error}; train the network anew") from None
    return Model(network.eval(), encoder, settings, values.run.metrics, values.best_step, values.run.seconds,
                 stored.values["dataset"], stored.values.get("fingerprint", {}), values.run.compile_s)


def _check_values(values: ModelValues, settings: LogicSettings, encoder: Encoder) -> None:
    """FormatError where values, each right alone, do not belong together."""
    features, metrics = values.dataset.features, values.run.metrics
    if len(features) != encoder.n_features:
        raise FormatError(f"{len(features)} names for an encoder of {encoder.n_features} features")
    if values.head is not None and values.head.task != settings.task:
        raise FormatError(f"a head of task {values.head.task} for settings of task {settings.task}")
    if metrics and not any(m.get("step") == values.best_step and isinstance(m.get("hard"), float) for m in metrics):
        raise FormatError(f"no evaluation at step {values.best_step}, whose weights it is to hold")


def stored_of(model: Model[Any]) -> Stored:
    """Return what ``save_model`` writes."""
    tensors, values = pack(model.network, model.encoder, model.dataset, model.best_step)
    run = {"position": model.best_step, "seconds": model.seconds, "compile_s": model.compile_s,
           "metrics": model.metrics}
    values |= {"run": run} | ({"fingerprint": model.fingerprint} if model.fingerprint else {})
    return Stored("logic", model.settings.to_toml(), tensors, values)


def save_model(model: Model[Any], path: str | Path) -> None:
    """Write a model to one safetensors file."""
    write_stored(Path(path), stored_of(model), "model")


@overload
def load_model(path: str | Path, network: None = None) -> Model: ...
@overload
def load_model(path: str | Path, network: NetworkT) -> Model[NetworkT]: ...


def load_model(path: str | Path, network: torch.nn.Module | None = None) -> Model[Any]:
    """Read a run directory or its model file; ``network`` as in ``unpack``."""
    path = Path(path)
    stored = RunDirectory(path).read_model("logic") if path.is_dir() else read_stored(path, "model", "logic")
    return unpack(stored, network, name=str(path))


def load_weights(network: torch.nn.Module, tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """Give ``network`` its stored weights and wiring; FormatError where they do not fit."""
    try:
        if isinstance(network, LogicNetwork):
            _check_tensors(network, tensors)
        network.load_state_dict(tensors)
        _check_wiring(network)
    except (RuntimeError, InputError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise FormatError(f"{name} does not fit the network of its settings ({reason}); train anew") from None


def _check_tensors(network: LogicNetwork, tensors: Mapping[str, torch.Tensor]) -> None:
    """InputError where a tensor is of another type than the network's, or holds what is no finite number."""
    for name, own in network.state_dict().items():
        if (given := tensors.get(name)) is None:
            continue
        if given.is_floating_point() != own.is_floating_point() or given.is_complex():
            raise InputError(f"{name} holds {given.dtype}, not {own.dtype}")
        if given.is_floating_point() and not bool(given.isfinite().all()):
            raise InputError(f"{name} holds numbers that are not finite")


def _rebuild(encoder: Encoder, tensors: Mapping[str, torch.Tensor], values: ModelValues) -> LogicNetwork:
    """Return a network of the stored layers and wiring; its weights are loaded afterwards."""
    if values.head is None or values.layers is None:
        raise FormatError("the run holds the weights of a network that was given to train; give load_model the same "
                          "network")
    network = LogicNetwork(build_layers([layer.model_dump() for layer in values.layers], tensors),
                           head_from_dict(values.head.model_dump()))
    for what, given, needed in (("inputs", network.in_features, encoder.n_bits),
                                ("outputs", network.head.groups, len(values.dataset.classes))):
        if given != needed:
            raise FormatError(f"{needed} {what} for a network of {given}")
    return network


def _check_wiring(network: torch.nn.Module) -> None:
    """Stored wiring must stay inside: the kernels do not check."""
    for layer in getattr(network, "layers", ()):
        if isinstance(layer, LogicGraph):
            layer.check_wiring()
        for name in ("pairs", "candidates", "leaves"):
            wires = getattr(layer, name, None)
            if wires is None:
                continue
            limit = torch.tensor([layer.in_shape[0], *2 * [layer.receptive_field]] if name == "leaves"
                                 else layer.in_features)
            if not ((wires >= 0) & (wires < limit.to(wires.device))).all():
                raise RuntimeError(f"{name} outside a layer's inputs")
