"""One training step as a CUDA graph: all its kernels are launched by one call."""

from collections.abc import Callable

import torch

from ....core.errors import InputError

WARM_UP = 3


def _check(optimizer, x) -> None:
    if not x.is_cuda:
        raise InputError(f"a CUDA graph needs a CUDA GPU, but the samples are on {x.device}; call the network step by "
                         "step")
    if not all(group.get("capturable", False) for group in optimizer.param_groups):
        raise InputError("a CUDA graph needs an optimizer made with capturable=True")


def _snapshot(network, optimizer) -> list[tuple[torch.Tensor, torch.Tensor]]:
    states = [v for state in optimizer.state.values() for v in state.values() if torch.is_tensor(v)]
    return [(t, t.detach().clone()) for t in [*network.parameters(), *network.buffers(), *states]]


@torch.no_grad()
def _restore(optimizer, before) -> None:
    """Every tensor as it was; what the optimizer has made since becomes zero, which is how Adam and momentum begin."""
    for tensor, value in before:
        tensor.copy_(value)
    known = {id(tensor) for tensor, _ in before}
    for state in optimizer.state.values():
        for value in state.values():
            if torch.is_tensor(value) and id(value) not in known:
                value.zero_()


def _warm_up(once) -> None:
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            once()
    torch.cuda.current_stream().wait_stream(side)


def _refresh_rates(optimizer, rates) -> None:
    """A graph knows the learning rates by their memory: new values go there."""
    for group, rate in zip(optimizer.param_groups, rates):
        if group["lr"] is rate:
            continue
        if torch.is_tensor(rate):
            rate.fill_(float(group["lr"]))
            group["lr"] = rate
        elif group["lr"] != rate:
            raise InputError("the learning rate is part of the CUDA graph; to change it, make lr a tensor on the GPU")


def graphed_step(network, optimizer, loss: Callable, x: torch.Tensor, y: torch.Tensor) -> Callable:
    """``step(x, y) -> loss``: forward, backward and update, captured once, replayed; the next step overwrites the loss.

    network    on the GPU; its parameters and buffers are left as they were, whatever the warm-up did
    optimizer  made with ``capturable=True``; for a schedule, with its learning rate as a tensor on the GPU
    loss       ``loss(network(x), y)``, a scalar tensor
    x, y       a batch of the shapes and types that all later ones have

    Random numbers that a step draws on the CPU or seeds by hand (Gumbel estimators) are those of the captured step.
    """
    _check(optimizer, x)
    x, y = x.detach().clone(), y.detach().clone()

    def once():
        optimizer.zero_grad(set_to_none=True)
        value = loss(network(x), y)
        value.backward()
        optimizer.step()
        return value.detach()

    before = _snapshot(network, optimizer)
    _warm_up(once)
    _restore(optimizer, before)
    graph, rates = torch.cuda.CUDAGraph(), [group["lr"] for group in optimizer.param_groups]
    with torch.cuda.graph(graph):
        value = once()

    def step(new_x: torch.Tensor, new_y: torch.Tensor) -> torch.Tensor:
        if new_x.shape != x.shape or new_y.shape != y.shape:
            raise InputError(f"the CUDA graph takes batches of {tuple(x.shape)} and {tuple(y.shape)}, not "
                             f"{tuple(new_x.shape)} and {tuple(new_y.shape)}; leave the last, smaller batch out")
        _refresh_rates(optimizer, rates)
        x.copy_(new_x)
        y.copy_(new_y)
        graph.replay()
        return value

    return step
