"""What a checkpoint of a search holds of its network, checked: the kernels follow every number in it unasked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import FormatError
from .arrays import Net

Arrays = Mapping[str, NDArray[Any]]


def check_fit(own: Arrays, stored: Arrays) -> None:
    """FormatError unless ``stored`` has arrays of the names, types and shapes of ``own``."""
    for name, array in own.items():
        given = stored.get(name)
        if given is None or given.shape != array.shape or given.dtype != array.dtype:
            raise FormatError(f"the checkpoint's array {name} of the search does not fit its settings; train the "
                              "network anew")


def check_net(net: Net, groups: int, stored: Arrays) -> tuple[list[int], list[int]]:
    """Check a network that was read, in place; return the nodes that wait for their turn, and the unused numbers.

    Raises
    ------
    FormatError
        A number leads outside, a node reads a later one, or a list of output slots has no end.
    """
    inputs, nets, slots = int(net.inputs[0]), len(net.refs), len(net.slot_group)
    nodes, used = (int(n) for n in net.size)
    right = 0 <= nodes <= nets - inputs and 0 <= used <= slots
    right = right and _ordered(net, inputs, nodes) and _slots_end(net, used, groups)
    right = right and bool(np.isfinite(net.area).all()) and all(
        bool(((a >= 0) & (a <= max(slots, 1) + net.fanin.size)).all()) for a in (net.refs, net.level, net.height))
    queue, free = (stored.get(name, np.zeros(1)) for name in ("queue", "free"))
    unused = inputs + np.flatnonzero(net.place[inputs:] < 0)
    right = right and all(a.ndim == 1 and a.dtype == np.int64 for a in (queue, free))
    right = right and np.array_equal(np.sort(free), unused)
    right = right and bool(((queue >= inputs) & (queue < nets)).all()) and len(queue) <= nets
    if not right:
        raise FormatError("the checkpoint's network of the search contradicts itself; train the network anew")
    return queue.tolist(), free.tolist()


def _ordered(net: Net, inputs: int, nodes: int) -> bool:
    """Whether each node stands in one place of the order, behind its operands."""
    order, nets = net.order[:nodes], len(net.refs)
    if nodes and (order.min() < inputs or order.max() >= nets):
        return False
    place = np.full(nets, -1, np.int32)
    place[order] = np.arange(nodes)
    arity, fanin = net.arity[order], net.fanin
    if not np.array_equal(place, net.place) or (fanin < 0).any() or (fanin >= nets).any():
        return False
    width = fanin.shape[1]
    if ((arity < 2) | (arity > width)).any() or net.arity[place < 0].any():
        return False
    operands = fanin[order]
    earlier = (operands < inputs) | ((place[operands] >= 0) & (place[operands] < place[order][:, None]))
    unread = np.arange(width) >= arity[:, None]
    whole = ~np.uint64(0) >> (np.uint64(64) - np.left_shift(np.uint64(1), arity.astype(np.uint64)))
    return bool((earlier | unread).all() and (net.table[order] <= whole).all())


def _slots_end(net: Net, used: int, groups: int) -> bool:
    """Whether every output slot is in one list of a node's, and of one of the groups."""
    first, following, group = net.slot_first, net.slot_next[:used], net.slot_group[:used]
    if ((first < -1) | (first >= used)).any() or ((following < -1) | (following >= used)).any():
        return False
    links = np.concatenate([first[first >= 0], following[following >= 0]])
    counted = np.array_equal(np.sort(links), np.arange(used))
    return bool(counted and (net.place[first >= 0] >= 0).all() and ((group >= 0) & (group < groups)).all())
