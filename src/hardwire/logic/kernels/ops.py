"""Which kernels compute the operations of a logic network: Numba on a CPU, Triton on a GPU or in its interpreter."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Protocol, cast

import torch

from ...core.errors import InputError
from . import cpu_ops
from .reference import Soft

#: The device on whose tensors, though they are the CPU's, Triton's interpreter computes.
INTERPRETER = "triton-interpreter"
_interpreted = False
_loaded: "Kernels | None" = None


class Kernels(Protocol):
    """The operations of a logic network, each with its gradients.

    Activations are sample-major ``(samples, features)``; table values are ``(gates, 2^k)``. ``efd`` takes the inputs'
    gradient as extended finite differences. Equations are those of the functions of the same name in ``reference``.
    """

    def stack(self, x: torch.Tensor, values: torch.Tensor, pairs: Sequence[torch.Tensor], classes: int = 0,
              efd: bool = False) -> torch.Tensor:
        """Layers of two-input gates, ``pairs`` (gates, 2) int32 each, then sums of ``classes`` groups if not 0."""
        ...

    def stack_loss(self, x: torch.Tensor, values: torch.Tensor, pairs: Sequence[torch.Tensor], classes: int, efd: bool,
                   scale: float, y: torch.Tensor, soft: Soft | None = None) -> torch.Tensor:
        """``cross_entropy(scale stack(x, ...), y, soft)``, a scalar."""
        ...

    def mixed(self, x: torch.Tensor, weights: torch.Tensor, values: torch.Tensor, candidates: torch.Tensor,
              efd: bool = False) -> torch.Tensor:
        """Gates whose operands are mixtures: ``weights`` and ``candidates`` (gates, 2, K)."""
        ...

    def mixed_lut(self, x: torch.Tensor, weights: torch.Tensor, values: torch.Tensor, candidates: torch.Tensor,
                  efd: bool = False) -> torch.Tensor:
        """Look-up tables whose operands are mixtures: ``weights`` and ``candidates`` (tables, k, K)."""
        ...

    def routed(self, x: torch.Tensor, shares: torch.Tensor, values: torch.Tensor, choice: torch.Tensor,
               candidates: torch.Tensor, efd: bool = False) -> torch.Tensor:
        """Look-up tables whose operands read the candidates of the largest ``choice``; all (tables, k, K).

        The gradient of ``shares`` is that of ``mixed_lut``; ``choice`` gets none.
        """
        ...

    def lut(self, x: torch.Tensor, values: torch.Tensor, inputs: torch.Tensor, efd: bool = False) -> torch.Tensor:
        """Look-up tables of ``inputs`` (tables, k)."""
        ...

    def tree(self, x: torch.Tensor, values: torch.Tensor, leaves: torch.Tensor, in_shape: Sequence[int],
             out_shape: Sequence[int], padding: int = 0, pool: int = 1, efd: bool = False) -> torch.Tensor:
        """Trees of gates slid over an image and pooled; ``out_shape`` is (kernels, rows, columns) after pooling."""
        ...

    def graph(self, x: torch.Tensor, values: torch.Tensor, fanin: torch.Tensor, arity: torch.Tensor,
              outputs: torch.Tensor, efd: bool = False) -> torch.Tensor:
        """A network without layers: ``fanin`` (nodes, k) int32, ``arity`` (nodes,) uint8, ``outputs`` (m,) int32."""
        ...

    def interaction(self, values: torch.Tensor) -> torch.Tensor:
        """Mean over the gates of ``|p3 - p2 - p1 + p0|``, the size of the coefficient of ``ab``; a scalar."""
        ...


def kernels_for(device: torch.device | str) -> Kernels:
    """The kernels for tensors on ``device``.

    Parameters
    ----------
    device
        ``cpu``, ``cuda``, ``cuda:1``, ... or ``triton-interpreter``; for ``cpu`` after
        ``use_device("triton-interpreter")``, those are the interpreter's too.

    Raises
    ------
    InputError
        There are no kernels for that device.
    MissingToolError
        Triton is not installed.
    """
    name = device.type if isinstance(device, torch.device) else device.partition(":")[0]
    if name == "cpu" and not _interpreted:
        return cpu_ops
    if name in ("cpu", "cuda", INTERPRETER):
        return _triton()
    raise InputError(f"there are no kernels for {device}; use cpu, cuda or {INTERPRETER}")


def use_device(name: str) -> torch.device:
    """Choose where to compute; the device that tensors must be moved to.

    Parameters
    ----------
    name
        ``cpu`` (Numba), ``cuda`` or ``cuda:N`` (Triton), or ``triton-interpreter``: tensors on the CPU, computed by the
        GPU's kernels in Triton's interpreter, slowly, for tests without a GPU. The interpreter must be chosen before
        anything imports Triton.

    Raises
    ------
    InputError
        The device is unknown or not there, or Triton was imported without its interpreter.
    MissingToolError
        Triton is not installed.
    """
    global _interpreted
    kind, _, number = name.partition(":")
    if name == INTERPRETER:
        _choose_interpreter()
        _interpreted = True
        return torch.device("cpu")
    if kind not in ("cpu", "cuda") or (number and not (kind == "cuda" and number.isdecimal())):
        raise InputError(f"device {name!r} is none of cpu, cuda, cuda:N and {INTERPRETER}")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise InputError(f"device {name!r} is not there: torch sees {torch.cuda.device_count()} CUDA GPUs; use cpu")
    _interpreted = False
    if kind == "cuda":
        _triton()
    return torch.device(name)


def _choose_interpreter() -> None:
    """Set the interpreter, which Triton reads when it is imported."""
    language = getattr(sys.modules.get("triton"), "language", None)
    if type(getattr(language, "sum",
                    None)).__name__ == "JITFunction":  # the interpreter's functions are of another kind
        raise InputError(f"device {INTERPRETER!r} must be chosen before Triton is imported; set TRITON_INTERPRET=1 for "
                         f"the program")
    os.environ["TRITON_INTERPRET"] = "1"
    _triton()


def _triton() -> Kernels:
    """The Triton kernels, imported on first use."""
    global _loaded
    if _loaded is None:
        _loaded = cast(Kernels, importlib.import_module(f"{__package__}.gpu.ops"))
    return _loaded
