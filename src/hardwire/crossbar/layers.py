"""Crossbars as torch modules: an ordinary training loop, with an optimizer whose step is the parallel update.

::

    model = convert(nn.Sequential(nn.Linear(784, 256), nn.Sigmoid(), nn.Linear(256, 10)), Hybrid())
    optimizer = CrossbarSGD(model, lr=0.02)
    loss = cross_entropy(model(x), y); optimizer.zero_grad(); loss.backward(); optimizer.step()
"""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..core.errors import InputError
from .cells import Cell
from .crossbar import Crossbar
from .kernels.noise import stream
from .kernels.state import Floats
from .periphery import PERIPHERIES, Chip, Periphery


class _Read(torch.autograd.Function):
    """Forward and backward pass of an array; what the update needs, inputs and gradients, is left with the layer."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, handle: torch.Tensor, layer: "CrossbarLinear") -> torch.Tensor:
        rows = layer.rows(x.detach())
        ctx.layer, ctx.inputs, ctx.shape = layer, rows, x.shape
        noise = None if layer.training else layer.eval_rng
        return torch.from_numpy(layer.array.forward(rows, noise)).reshape(*x.shape[:-1], layer.out_features)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, None, None]:
        d = grad.detach().reshape(-1, ctx.layer.out_features).contiguous().numpy()
        if ctx.layer.handle.requires_grad:
            ctx.layer.pending.append((ctx.inputs, d.copy()))
        if not ctx.needs_input_grad[0]:
            return None, None, None
        below = ctx.layer.array.backward(d)[:, : ctx.layer.in_features]
        return torch.from_numpy(np.ascontiguousarray(below)).reshape(ctx.shape), None, None


class CrossbarLinear(nn.Module):
    """``y = W x + b`` on a crossbar, for ``nn.Linear``. ``x`` (..., in_features) float32 -> (..., out_features).

    ``state_dict`` holds every device's state, the counters and the stream of random numbers: training goes on exactly.

    Parameters
    ----------
    cell, ahead, back, chip, seed
        See ``Crossbar``; the bias is one more row whose input is 1.
    weight, bias_value
        Start from these, (out_features, in_features) and (out_features,); by default as ``nn.Linear``.

    Attributes
    ----------
    handle
        An empty parameter, through which autograd and the optimizer know the layer; freeze the layer with
        ``layer.handle.requires_grad_(False)``.
    eval_rng
        Stream of noise in ``eval()`` mode, apart from that of training.
    """

    def __init__(self, in_features: int, out_features: int, cell: Cell, *, bias: bool = True,
                 ahead: Periphery = PERIPHERIES["default"], back: Periphery | None = None, chip: Chip | None = None,
                 seed: int = 0, name: str = "crossbar", weight: Any = None, bias_value: Any = None) -> None:
        super().__init__()
        self.in_features, self.out_features, self.has_bias = in_features, out_features, bias
        self.array = Crossbar(in_features + bias, out_features, cell, ahead=ahead, back=ahead if back is None else back,
                              chip=chip,
                              seed=seed, name=name)
        self.handle = nn.Parameter(torch.zeros(0))
        self.pending: list[tuple[Floats, Floats]] = []
        self.eval_rng = stream(seed, 4)
        self.array.weights = self._start(seed, weight, bias_value)

    def _start(self, seed: int, weight: Any, bias: Any) -> NDArray[np.float64]:
        """Return (rows, columns) weights to begin with, the bias last."""
        bound = 1 / np.sqrt(self.in_features)
        start = np.random.default_rng([seed, 0]).uniform(-bound, bound, self.array.shape)
        for what, given, place in (("weight", weight, np.s_[: self.in_features]), ("bias", bias,
                                                                                   np.s_[self.in_features])):
            if given is not None:
                value = np.asarray(torch.as_tensor(given).detach().cpu(), np.float64).T
                if (what == "bias" and not self.has_bias) or value.shape != start[place].shape:
                    raise InputError(f"{self.array.name}: {what} of shape {value.shape[::-1]} for a layer of "
                                     f"{self.in_features} "
                                     f"inputs and {self.out_features} "
                                     f"outputs{'' if self.has_bias else ' without bias'}; give "
                                     "its own shape")
                start[place] = value
        return start

    def rows(self, x: torch.Tensor) -> Floats:
        """Return inputs (samples, rows), with the bias's 1."""
        if x.shape[-1:] != (self.in_features,) or x.device.type != "cpu":
            raise InputError(f"{self.array.name}: inputs of shape {tuple(x.shape)} on {x.device}; give (..., "
                             f"{self.in_features}) "
                             "on the CPU")
        flat = x.reshape(-1, self.in_features).float()
        return (torch.cat([flat, flat.new_ones(len(flat), 1)], 1) if self.has_bias else flat).contiguous().numpy()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Read the array."""
        return _Read.apply(x, self.handle, self)  # type: ignore[no-any-return, no-untyped-call]

    def learn(self, lr: float) -> None:
        """Update in parallel for every pair of inputs and gradients that backward passes have left, in their order."""
        for x, d in self.pending:
            self.array.update(x, d, lr)
        self.pending.clear()

    @property
    def weight(self) -> torch.Tensor:
        """(out_features, in_features), without noise; a copy."""
        return torch.from_numpy(self.array.weights[: self.in_features].T.copy()).float()

    @property
    def bias(self) -> torch.Tensor | None:
        """(out_features,), without noise; a copy."""
        return torch.from_numpy(self.array.weights[self.in_features].copy()).float() if self.has_bias else None

    def extra_repr(self) -> str:
        """Return what the module's text says of it."""
        return f"{self.in_features}, {self.out_features}, bias={self.has_bias}, cell={type(self.array.cell).__name__}"

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Any:
        probe = fn(torch.zeros(1))
        if probe.dtype != torch.float32 or probe.device.type != "cpu":
            raise InputError(f"{self.array.name}: a crossbar computes in float32 on the CPU, not in {probe.dtype} on "
                             f"{probe.device}; convert the other layers alone")
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        for name, array in self.array.arrays().items():
            destination[prefix + name] = torch.from_numpy(array)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, metadata: Any, strict: bool, missing: list[str],
                              unexpected: list[str], errors: list[str]) -> None:
        own = self.array.arrays()
        stored = {k[len(prefix):]: v for k, v in state_dict.items() if k.startswith(prefix)}
        missing += [prefix + name for name in own if name not in stored]
        unexpected += [prefix + name for name in stored if name not in own]
        try:
            self.array.restore({name: v.cpu().numpy() for name, v in stored.items() if name in own})
        except InputError as error:
            errors.append(str(error))


class CrossbarSGD(torch.optim.Optimizer):
    """Gradient descent for a module with crossbars, which update by pulses, sample by sample; the rest as SGD does.

    Parameters
    ----------
    module
        With at least one ``CrossbarLinear``.
    lr
        A learning-rate scheduler may change it, as any optimizer's.
    """

    def __init__(self, module: nn.Module, lr: float) -> None:
        if not 0 <= lr < float("inf"):
            raise InputError(f"learning rate {lr}; give a finite number of 0 or more")
        self.crossbars = [m for m in module.modules() if isinstance(m, CrossbarLinear)]
        if not self.crossbars:
            raise InputError(f"module {type(module).__name__} has no crossbar; convert it first")
        super().__init__(list(module.parameters()), {"lr": float(lr)})

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop gradients and updates that wait."""
        super().zero_grad(set_to_none)
        for layer in self.crossbars:
            layer.pending.clear()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Do one update; ``closure``, where given, is evaluated first, and its loss returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        lr = self.param_groups[0]["lr"]
        for layer in self.crossbars:
            layer.learn(lr)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and p.numel():
                    p.add_(p.grad, alpha=-group["lr"])
        return loss


def convert(model: nn.Module, cell: Cell, *, ahead: Periphery = PERIPHERIES["default"], back: Periphery | None = None,
            chip: Chip | None = None, seed: int = 0, only: Iterable[str] | None = None) -> nn.Module:
    """Return a copy of ``model`` with every ``nn.Linear`` on crossbars of one chip, programmed with its weights.

    Parameters
    ----------
    model
        Any module.
    cell, ahead, back, chip
        See ``Crossbar``.
    seed
        Of all randomness; each layer has streams of its own.
    only
        Names of the layers to convert (default: all); InputError when one is no Linear of the model.
    """
    model, chip = copy.deepcopy(model), Chip() if chip is None else chip
    linears = {name: m for name, m in model.named_modules() if isinstance(m, nn.Linear)}
    chosen = list(linears) if only is None else list(only)
    if not chosen or any(name not in linears for name in chosen):
        raise InputError(f"layers {chosen} are not all Linear layers of the model; it has "
                         f"{', '.join(linears) or 'none'}")
    for k, name in enumerate(chosen):
        linear = linears[name]
        crossbar = CrossbarLinear(linear.in_features, linear.out_features, cell, bias=linear.bias is not None,
                                  ahead=ahead,
                                  back=back, chip=chip, seed=seed * 1000 + k, name=name or "linear",
                                  weight=linear.weight,
                                  bias_value=linear.bias)
        if not name:
            return crossbar
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, crossbar)
    return model
