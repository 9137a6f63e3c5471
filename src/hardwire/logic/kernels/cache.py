"""What kernels derive from a wiring, made once for each content and kept."""

import hashlib
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray

T = TypeVar("T")
_LIMIT = 64
_kept: OrderedDict[Hashable, Any] = OrderedDict()
_digests: dict[int, tuple[weakref.ref[torch.Tensor], int, bytes]] = {}


def kept(tensors: Sequence[torch.Tensor], key: Hashable, make: Callable[[], T]) -> T:
    """``make()``, once for each content of ``tensors`` and each ``key``.

    Notes
    -----
    A tensor that is the same object as before, unchanged, is recognised without being read: inside a CUDA graph a copy
    to the CPU would fail, and elsewhere it would make the CPU wait. Others are recognised by a digest of their bytes.
    The entries used longest ago are dropped.
    """
    name = tuple(_identity(tensor) for tensor in tensors), key
    if name not in _kept:
        _kept[name] = make()
        while len(_kept) > _LIMIT:
            _kept.popitem(last=False)
    _kept.move_to_end(name)
    return cast(T, _kept[name])


def as_array(tensor: torch.Tensor) -> NDArray[Any]:
    """A tensor of any device as an array on the CPU."""
    return tensor.detach().cpu().numpy()


def _digest(tensor: torch.Tensor) -> bytes:
    array = np.ascontiguousarray(as_array(tensor))
    total = hashlib.blake2b(f"{array.dtype} {array.shape} ".encode(), digest_size=16)
    total.update(array.data)
    return total.digest()


def _identity(tensor: torch.Tensor) -> bytes:
    """Digest of a tensor; known again without reading it where it is the same object, unchanged."""
    if tensor.is_inference():  # such tensors count no versions
        return _digest(tensor)
    name, version = id(tensor), tensor._version
    known = _digests.get(name)
    if known and known[0]() is tensor and known[1] == version:
        return known[2]
    digest = _digest(tensor)
    _digests[name] = weakref.ref(tensor, lambda _: _digests.pop(name, None)), version, digest
    return digest
