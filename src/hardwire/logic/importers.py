"""Importers: checkpoints of difflogic and torchlogix to a ``LogicNetwork`` that computes the same function.

Both tools number gates by their truth table, most significant bit first: ``8 f(0,0) + 4 f(0,1) + 2 f(1,0) + f(1,1)``
for ``f(a, b)``; here the table is ``sum f(a, b) 2^(a + 2 b)``, so the columns of sixteen-logit weights are exchanged.
(Read unchanged, AND would become NOR; with the four bits merely reversed, ``a`` and ``b`` would be swapped.) The
layouts are those of difflogic 0.1.0 and torchlogix 0.2.2. A checkpoint tells neither the number of inputs nor the head,
so these are arguments. The encoder stays outside: the network reads bits.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.errors import FormatError, InputError
from .network.heads import GroupSum
from .network.layers import LogicLayer
from .network.network import LogicNetwork

#: Hardwire's table for each gate number of the other tools; also its own inverse.
TABLE_OF = [sum((gate >> 3 - (2 * a + b) & 1) << a + 2 * b for a in (0, 1) for b in (0, 1)) for gate in range(16)]
#: Entries of torchlogix's buffers that do not belong to the function of the gates, or repeat other entries.
SKIPPED = ("thresholds", "raw_diffs", "_export_lut_ids", "_export_indices")

#: A state dict, or a file with it. One (2, gates) of input numbers for each layer. A layer's tensors by name.
Checkpoint = Mapping[str, Any] | str | Path
Wiring = Iterable[Any]
Group = Mapping[str, torch.Tensor]


def import_difflogic(checkpoint: Checkpoint, wiring: Wiring | None = None, *, inputs: int, classes: int,
                     tau: float = 1.0) -> LogicNetwork:
    """A difflogic network: ``y = sum_i softmax(w)_i gate_i(a, b)``, frozen to the gate with the largest logit.

    Parameters
    ----------
    checkpoint
        ``model.state_dict()``, or a file with it; entries ``*.weights`` of shape (gates, 16), in the layers' order.
    wiring
        One (2, gates) of input numbers for each layer, which difflogic does not keep in its state dict: gather
        ``[layer.indices for layer in model if hasattr(layer, "indices")]`` where the network was trained. A file may
        hold both as ``{"state_dict": ..., "wiring": ...}``.
    inputs
        Bits that the first layer reads (its ``in_dim``).
    classes, tau
        ``k`` and ``tau`` of difflogic's GroupSum.

    Returns
    -------
    LogicNetwork
        Relaxed and frozen it equals difflogic's, ties between logits included.

    Raises
    ------
    InputError
        Anything is missing, unknown or of a wrong shape.
    FormatError
        The file is no checkpoint.

    References
    ----------
    Petersen et al., 2022 (arXiv 2210.08277).
    """
    state, stored = _read(checkpoint)
    wiring = stored if wiring is None else wiring
    if wiring is None:
        raise InputError("difflogic keeps no wiring in its checkpoints; give wiring=[layer.indices ...] of the model "
                         "that was trained")
    groups = _layers(state, ("weights",), "difflogic LogicLayer")
    pairs = _given(wiring, list(groups))
    kernels = [_softmax(_columns(group["weights"], f"{name}.weights", 16, "a LogicLayer; give a model of those"), 1.0)
               for name, group in groups.items()]
    return _network("softmax", kernels, pairs, inputs, GroupSum(classes, tau))


def import_torchlogix(checkpoint: Checkpoint, wiring: Wiring | None = None, *, inputs: int, classes: int,
                      tau: float = 1.0, parametrization: str = "raw", temperature: float = 1.0) -> LogicNetwork:
    """A torchlogix network of ``LogicDense`` layers with two inputs a gate.

    Parameters
    ----------
    checkpoint
        ``model.state_dict()``, or a file with it: for each layer ``*.weight`` and ``*.connections.indices``; of
        learnable connections the best candidates are taken. Thresholds of a binarization layer are passed over.
    wiring
        One (2, gates) for each layer, only where the checkpoint lacks it.
    inputs
        Bits that the first layer reads (its ``in_dim``).
    classes, tau
        ``k`` and ``tau`` of its GroupSum; a ``beta``, the same for all classes, changes no decision and is dropped.
    parametrization, temperature
        As in torchlogix, whose checkpoints do not tell them; see Notes.

    Raises
    ------
    InputError
        Anything is missing, unknown or of a wrong shape.
    FormatError
        The file is no checkpoint.

    Notes
    -----
    ``raw``
        16 logits, ``y = sum_i softmax(w / T)_i gate_i(a, b)``.
    ``light``
        4 logits of f(0,0), f(0,1), f(1,0), f(1,1), ``y`` multilinear in ``sigmoid(w / T)``.
    ``warp``
        4 Walsh coefficients, ``y = sigmoid(-h / T)``, ``h = w0 + w1 B + w2 A + w3 A B`` with ``A = 1 - 2 a``.

    The frozen network equals torchlogix's in all three, the relaxed one in raw and light. Warp's relaxed gate is no
    polynomial of its inputs: it is imported as the table logits ``-h / T`` of the four corners, of the same value where
    a gate's inputs are 0 and 1 and a multilinear gate between them (the function of our own ``walsh``; table logits
    keep every sign exact).

    References
    ----------
    Rüttgers et al., 2025 (light); the code of torchlogix.
    """
    if parametrization not in CONVERT:
        raise InputError(f"parametrization {parametrization!r} is none of {', '.join(CONVERT)}")
    if not temperature > 0:
        raise InputError(f"temperature is {temperature}; give the positive one that the network was trained with")
    state, stored = _read(checkpoint)
    groups = _layers(state, ("weight", "connections.indices", "connections.weights"), "torchlogix LogicDense")
    pairs = _torchlogix_wiring(groups, stored if wiring is None else wiring)
    kind, columns, convert = CONVERT[parametrization]
    remedy = f"{parametrization!r} gates of two inputs; give the parametrization that was trained"
    kernels = [convert(_columns(_entry(group, name, "weight"), f"{name}.weight", columns, remedy), temperature)
               for name, group in groups.items()]
    return _network(kind, kernels, pairs, inputs, GroupSum(classes, tau))


def _softmax(w: torch.Tensor, temperature: float) -> torch.Tensor:
    """Columns from the others' gate numbers to tables; of equal logits, their lowest number's is raised slightly."""
    logits = (w / temperature)[:, TABLE_OF]
    chosen = torch.tensor(TABLE_OF)[w.argmax(-1)]
    rows = (logits.argmax(-1) != chosen).nonzero().ravel()
    logits[rows, chosen[rows]] = torch.nextafter(logits[rows].amax(-1), torch.tensor(torch.inf, dtype=w.dtype))
    return logits


def _light(w: torch.Tensor, temperature: float) -> torch.Tensor:
    """Logits at address ``2 a + b`` to address ``a + 2 b``."""
    return w[:, [0, 2, 1, 3]] / temperature


def _walsh(w: torch.Tensor, temperature: float) -> torch.Tensor:
    """Walsh coefficients to the logits ``-h / T`` of the corners, summed in torchlogix's order to the same signs."""
    w0, w1, w2, w3 = w.unbind(-1)
    corners = [w0 + w1 * (1 - 2 * b) + w2 * (1 - 2 * a) + w3 * (1 - 2 * a) * (1 - 2 * b)
               for b in (0, 1) for a in (0, 1)]
    return -torch.stack(corners, -1) / temperature


#: torchlogix's parametrization -> ours, weights of a gate, conversion.
CONVERT = {"raw": ("softmax", 16, _softmax), "light": ("table", 4, _light), "warp": ("table", 4, _walsh)}


def _read(checkpoint: Checkpoint) -> tuple[dict[str, torch.Tensor], Wiring | None]:
    """The state dict, and the wiring that a file holds beside it or None."""
    content = checkpoint if isinstance(checkpoint, Mapping) else _load(checkpoint)
    stored = content.get("wiring") if isinstance(content, Mapping) else None
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not state or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise InputError("the checkpoint is no state dict of tensors; give model.state_dict(), or a file that "
                         "torch.save wrote of it")
    return {str(k): v.detach().cpu() for k, v in state.items()}, stored


def _load(path: object) -> Any:
    """What a file holds, which is tensors alone."""
    if not isinstance(path, (str, Path)):
        raise InputError(f"a checkpoint is a state dict or a path, not a {type(path).__name__}; give "
                         f"model.state_dict()")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from None
    except Exception:  # a garbled file makes torch raise nearly anything
        raise FormatError(f"{path} is damaged or holds more than tensors; save model.state_dict() with "
                          f"torch.save") from None


def _layers(state: Group, endings: tuple[str, ...], what: str) -> dict[str, Group]:
    """Layer name -> ending -> tensor. Layers whose names differ in a number only are sorted by it."""
    groups: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in state.items():
        if "tree_weights" in key or "_indices_L" in key:
            raise InputError(f"the checkpoint holds a convolution ({key!r}); only dense layers can be imported")
        if key.rpartition(".")[2] in SKIPPED:
            continue
        ending = next((e for e in sorted(endings, key=len, reverse=True) if f".{key}".endswith(f".{e}")), None)
        if ending is None:
            raise InputError(f"{key!r} belongs to no {what}; import a network of such layers and a GroupSum alone")
        groups.setdefault(key[: -len(ending)].rstrip("."), {})[ending] = tensor
    if not groups:
        raise InputError(f"the checkpoint holds no {what}; give the state dict of a network of such layers")
    if len({re.sub(r"\d+", "0", name) for name in groups}) == 1:
        order = sorted(groups, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
        return {name: groups[name] for name in order}
    return {**groups}


def _entry(group: Group, name: str, ending: str) -> torch.Tensor:
    if ending not in group:
        raise InputError(f"the checkpoint lacks '{name}.{ending}'; save the whole model.state_dict()")
    return group[ending]


def _columns(w: torch.Tensor, key: str, columns: int, wanted: str) -> torch.Tensor:
    """``w`` as (gates, columns) in float32, or float64 where it was that; finite, or InputError."""
    if w.ndim != 2 or w.shape[1] != columns or not len(w):
        raise InputError(f"{key!r} has shape {tuple(w.shape)}, not the (gates, {columns}) of {wanted}")
    if not w.is_floating_point() or not torch.isfinite(w).all():
        raise InputError(f"{key!r} holds {w.dtype} or values that are not finite; give the trained weights")
    return w if w.dtype == torch.float64 else w.float()


def _torchlogix_wiring(groups: Mapping[str, Group], given: Wiring | None) -> list[NDArray[Any]]:
    kept = [name for name, group in groups.items() if "connections.indices" in group]
    if kept and given is not None:
        raise InputError(f"the checkpoint has its own wiring ({kept[0]}.connections.indices); leave wiring out")
    if not kept and given is None:
        raise InputError("the checkpoint lacks connections.indices; give wiring, one (2, gates) for each layer")
    if given is not None:
        return _given(given, list(groups))
    return [_pairs(_best(_entry(group, name, "connections.indices"), group.get("connections.weights"), name), name)
            for name, group in groups.items()]


def _best(indices: torch.Tensor, scores: torch.Tensor | None, name: str) -> torch.Tensor:
    """(candidates, 2, gates) input numbers to those with the best score, (2, gates)."""
    if scores is None:
        return indices
    if indices.shape != scores.shape or indices.ndim != 3:
        raise InputError(f"the candidates of layer {name!r} have shape {tuple(indices.shape)}, their scores "
                         f"{tuple(scores.shape)}; both should be (candidates, 2, gates)")
    return indices.gather(0, scores.argmax(0, keepdim=True))[0]


def _given(wiring: Wiring, names: list[str]) -> list[NDArray[Any]]:
    """The given wiring of each layer, (gates, 2)."""
    try:
        layers = list(wiring)
    except TypeError:
        raise InputError(f"wiring is a {type(wiring).__name__}; give a list with one (2, gates) for each "
                         f"layer") from None
    if len(layers) != len(names):
        raise InputError(f"wiring has {len(layers)} entries for {len(names)} layers ({', '.join(names)}); give one for "
                         f"each")
    return [_pairs(layer, name) for layer, name in zip(layers, names, strict=True)]


def _pairs(layer: Any, name: str) -> NDArray[Any]:
    """One layer's (2, gates) as (gates, 2)."""
    try:
        operands = np.stack([torch.as_tensor(row).cpu().numpy() for row in layer])
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"the wiring of layer {name!r} is no (2, gates) array; give both rows of input "
                         f"numbers") from None
    if operands.ndim != 2 or len(operands) != 2 or operands.dtype.kind not in "ui":
        raise InputError(f"the wiring of layer {name!r} has shape {operands.shape} and type {operands.dtype}; give "
                         f"integers (2, gates): the first and the second input of each gate")
    return operands.T


def _network(kind: str, weights: list[torch.Tensor], pairs: list[NDArray[Any]], inputs: int,
             head: GroupSum) -> LogicNetwork:
    """The network of these weights and wires, frozen."""
    layers = []
    for i, (w, wires) in enumerate(zip(weights, pairs, strict=True)):
        reads = len(weights[i - 1]) if i else inputs
        if len(wires) != len(w) or wires.min() < 0 or wires.max() >= reads:
            raise InputError(f"layer {i} has {len(w)} gates that read {reads} bits, but its wiring gives {len(wires)} "
                             f"gates inputs {wires.min(initial=0)} to {wires.max(initial=0)}; check its order and "
                             f"inputs")
        layers.append(LogicLayer(reads, len(w), parametrisation_name=kind, pairs=wires))
    dtype = torch.float64 if any(w.dtype == torch.float64 for w in weights) else torch.float32
    network = LogicNetwork(layers, head).to(dtype)
    with torch.no_grad():
        for layer, w in zip(layers, weights, strict=True):
            layer.weight.copy_(w)
    return network.eval()
