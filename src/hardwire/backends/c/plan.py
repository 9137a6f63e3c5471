"""Straight-line code in pieces: an item's function, the nets that cross functions, when a slot is free again."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from ...circuit import Macro
from ...circuit.schedule import Node

#: Gates in a function. Compilers need time quadratic in its length; shorter ones move more nets through memory.
CHUNK = 250


@dataclass
class Slots:
    """Array elements by number; the lowest free one is taken first, so that the array stays short."""

    count: int = 0
    free: list[int] = field(default_factory=list)

    def take(self) -> int:
        """The lowest free slot."""
        if self.free:
            return heapq.heappop(self.free)
        self.count += 1
        return self.count - 1

    def give(self, slot: int) -> None:
        """Make a slot free again."""
        heapq.heappush(self.free, slot)


@dataclass(frozen=True)
class Plan:
    """A schedule cut into functions.

    Attributes
    ----------
    items
        The schedule.
    chunk
        The function of each item.
    last
        Net -> index of the last item that reads it; ``len(items)`` for outputs.
    dying
        Index of an item -> nets that it is the last to read, each once, in order.
    near
        Nets that an item of their own function reads.
    far
        Nets that something outside their function reads; these need a slot.
    """

    items: list[Node | Macro]
    chunk: list[int]
    last: dict[int, int]
    dying: dict[int, list[int]]
    near: set[int]
    far: set[int]


def plan(
    items: list[Node | Macro], outputs: Sequence[int], *,
    reads: Callable[[Node | Macro], Collection[int]] = lambda item: item.inputs, apart: bool = False,
) -> Plan:
    """Cut ``items`` into functions of about ``CHUNK`` gates.

    Parameters
    ----------
    items, outputs
        A schedule, and the nets that it is for.
    reads
        Which nets an item reads in its own place; a back end may consume some of them earlier.
    apart
        Whether every macro gets a function of its own.
    """
    chunk = _chunks(items, apart)
    home = {net: chunk[i] for i, item in enumerate(items) for net in item.outputs}
    last: dict[int, int] = {}
    near: set[int] = set()
    far = set(outputs)
    for i, item in enumerate(items):
        for net in reads(item):
            last[net] = i
            (near if home.get(net) == chunk[i] else far).add(net)
    last.update((net, len(items)) for net in outputs)
    dying: dict[int, list[int]] = defaultdict(list)
    for net, i in last.items():
        dying[i].append(net)
    return Plan(items, chunk, last, dying, near, far)


def _chunks(items: Iterable[Node | Macro], apart: bool) -> list[int]:
    chunk, size = 0, 0
    result: list[int] = []
    for item in items:
        cost = len(item.inputs) if isinstance(item, Macro) else 1 << max(0, len(item.inputs) - 2)
        alone = apart and isinstance(item, Macro)
        if size and (alone or size + cost > CHUNK):
            chunk, size = chunk + 1, 0
        result.append(chunk)
        size = CHUNK if alone else size + cost
    return result
