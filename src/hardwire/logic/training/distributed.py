"""Data-parallel training over processes and machines, as ``torchrun`` starts them; gloo carries the sums.

Every process holds the whole network and data set and takes the same steps: of each batch it computes its own share,
gradients are summed over the processes, and each then makes the same update. Evaluations are shared out likewise. Only
rank 0 writes.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed as dist

from ...core.errors import HardwireError, InputError

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Ranks:
    """The processes that train together; one alone needs no communication."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def share(self, items: NDArray[Any]) -> NDArray[Any]:
        """Return this process's part of ``items``, contiguous; the parts in the order of the ranks are ``items``."""
        return np.array_split(items, self.world)[self.rank]

    def add(self, tensors: Iterable[torch.Tensor | None]) -> None:
        """Replace each tensor by its sum over the processes: one all-reduce, whose order depends on ``world`` alone."""
        present = [t for t in tensors if t is not None]
        if self.world == 1 or not present:
            return
        flat = torch.cat([t.detach().reshape(-1).cpu() for t in present])
        dist.all_reduce(flat)
        for tensor, part in zip(present, flat.split([t.numel() for t in present])):
            tensor.detach().copy_(part.view_as(tensor))

    def equalise(self, tensors: Iterable[torch.Tensor]) -> None:
        """Each tensor becomes that of rank 0."""
        for tensor in tensors if self.world > 1 else ():
            sent = tensor.detach().cpu().contiguous()
            dist.broadcast(sent, 0)
            tensor.detach().copy_(sent)

    def check_same(self, text: str, what: str) -> None:
        """InputError on every rank unless ``text`` is the same on all."""
        texts = [text] * self.world
        if self.world > 1:
            dist.all_gather_object(texts, text)
        if len(set(texts)) > 1:
            raise InputError(f"the processes of this run have different {what}; start each with the same command, "
                             "folder and data")

    def join(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the processes' arrays, one after the other."""
        if self.world == 1:
            return array
        parts: list[Any] = [None] * self.world
        dist.all_gather_object(parts, array)
        return np.concatenate(parts)

    def on_first(self, function: Callable[[], Answer]) -> Answer:
        """Return what ``function`` returns on rank 0, on every rank; its mistakes are raised on every rank too."""
        if self.world == 1:
            return function()
        answer: list[Any] = [None]
        if self.first:
            try:
                answer = [(function(), None)]
            except HardwireError as error:
                answer = [(None, error)]
        dist.broadcast_object_list(answer)
        result, failure = answer[0]
        if failure is not None:
            raise failure
        return cast(Answer, result)


@contextmanager
def ranks() -> Iterator[Ranks]:
    """Give the processes of this run: those of an existing group, those that ``torchrun`` started, or this alone."""
    there = dist.is_available() and dist.is_initialized()
    own = not there and int(os.environ.get("WORLD_SIZE", "1")) > 1 and "MASTER_ADDR" in os.environ
    if own:
        dist.init_process_group("gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size()) if there or own else Ranks()
    finally:
        if own:
            dist.destroy_process_group()


def check_batch(batch: int, world: int) -> None:
    """Raise InputError where a batch is too small to be shared out."""
    if batch < world:
        raise InputError(f"a batch of {batch} samples cannot be shared by {world} processes; start fewer, or raise "
                         "batch")
