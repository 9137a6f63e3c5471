"""A network without layers: nodes that read any earlier node or input, and groups of output bits. NumPy alone.

``Graph`` is the frozen network as plain arrays: what a search changes, and what ``network.graph.LogicGraph`` trains.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.bits import Planes, pack, unpack
from ..core.errors import FormatError, InputError
from ..core.truth_tables import evaluate, restrict

MAX_ARITY = 6
#: The truth table of a node of one operand that is a wire.
WIRE = 0b10


@dataclass(frozen=True, eq=False)
class Graph:
    """A frozen network of look-up tables in topological order, and its output bits, group after group.

    Number ``0 .. inputs - 1`` is an input bit, number ``inputs + j`` is node ``j``. A constant is a node of arity 1
    whose table is 0 or 3. Nodes that no output depends on are allowed. Two graphs are equal if their fields are, apart
    from unused places.

    Parameters
    ----------
    inputs
        Input bits.
    fanin
        (n, k) numbers of each node's operands, each lower than the node's own; places beyond the arity hold 0.
    table
        (n,) truth tables, operand 0 the least significant address bit.
    arity
        (n,) operands of each node, 1 to 6.
    outputs
        (m,) numbers of inputs or nodes.
    sizes
        Output bits of each group (class, target or label); they may differ, also be 0; their sum is m.

    Raises
    ------
    InputError
        A field does not fit the others.
    """

    inputs: int
    fanin: NDArray[np.int32]
    table: NDArray[np.uint64]
    arity: NDArray[np.uint8]
    outputs: NDArray[np.int32]
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        kinds: dict[str, tuple[type[np.integer[Any]], int]] = {
            "fanin": (np.int32, 2), "table": (np.uint64, 1), "arity": (np.uint8, 1), "outputs": (np.int32, 1)}
        for name, (dtype, dimensions) in kinds.items():
            object.__setattr__(self, name, _whole_numbers(getattr(self, name), name, dtype, dimensions))
        object.__setattr__(self, "inputs", int(self.inputs))
        object.__setattr__(self, "sizes", tuple(int(size) for size in self.sizes))
        _check_shapes(self)
        _check_nodes(self)

    @classmethod
    def of_nodes(cls, inputs: int, nodes: Sequence[tuple[int, Sequence[int]]], outputs: ArrayLike,
                 sizes: Sequence[int]) -> "Graph":
        """The graph of ``(table, operands)`` for each node, in order."""
        arity = np.array([len(operands) for _, operands in nodes], dtype=np.int64)
        fanin = np.zeros((len(nodes), max(1, int(arity.max(initial=1)))), dtype=np.int64)
        fanin[np.arange(fanin.shape[1]) < arity[:, None]] = [i for _, operands in nodes for i in operands]
        table = np.array([t for t, _ in nodes], dtype=np.uint64)
        return cls(inputs, fanin, table, arity, outputs, tuple(sizes))  # type: ignore[arg-type]  # checked and converted

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Graph):
            return NotImplemented
        width = max(self.fanin.shape[1], other.fanin.shape[1])
        rows, others = (np.pad(g.fanin, ((0, 0), (0, width - g.fanin.shape[1]))) for g in (self, other))
        names = ("inputs", "table", "arity", "outputs", "sizes")
        return np.array_equal(rows, others) and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment]  # arrays have none

    @property
    def nodes(self) -> int:
        """How many nodes there are, dead ones too."""
        return len(self.table)

    @property
    def levels(self) -> NDArray[np.int32]:
        """(n,) level of each node: one more than the highest of its operands'; inputs have 0."""
        level = [0] * self.inputs
        for fanin, k in zip(self.fanin.tolist(), self.arity.tolist()):
            level.append(1 + max(level[i] for i in fanin[:k]))
        return np.array(level[self.inputs :], dtype=np.int32)

    @property
    def live(self) -> NDArray[np.bool_]:
        """(n,) whether an output depends on the node's place in the graph."""
        live = np.zeros(self.inputs + self.nodes, dtype=bool)
        live[self.outputs] = True
        rows = list(zip(self.fanin.tolist(), self.arity.tolist()))
        for number in range(len(live) - 1, self.inputs - 1, -1):
            if live[number]:
                fanin, k = rows[number - self.inputs]
                live[fanin[:k]] = True
        return live[self.inputs :]

    def evaluate(self, bits: Planes | NDArray[Any]) -> Any:
        """Output bits of input bits, one node after the other: the definition of what a graph computes.

        Parameters
        ----------
        bits
            (samples, inputs) of 0 and 1 or False and True, or ``Planes`` of ``inputs`` rows.

        Returns
        -------
        NDArray[np.bool_] | Planes
            (samples, m), or for planes the planes of m rows. Bits of the last words beyond the samples are undefined.
        """
        planes = bits if isinstance(bits, Planes) else pack(bits)
        if len(planes.words) != self.inputs:
            raise InputError(f"a graph of {self.inputs} inputs was given {len(planes.words)} bits a sample")
        value = [*planes.words]
        for table, fanin, k in zip(self.table.tolist(), self.fanin.tolist(), self.arity.tolist()):
            value.append(evaluate(table, [value[i] for i in fanin[:k]]))
        rows = [value[i] for i in self.outputs.tolist()]
        words = np.stack(rows) if rows else np.zeros((0, planes.words.shape[1]), dtype=np.uint64)
        outputs = Planes(words, planes.samples)
        return outputs if isinstance(bits, Planes) else _unpacked(outputs)

    def counts(self, bits: Planes | NDArray[Any]) -> NDArray[np.int64]:
        """(samples, groups): how many output bits of each group are true; ``bits`` as in ``evaluate``."""
        outputs = self.evaluate(bits)
        each = _unpacked(outputs) if isinstance(outputs, Planes) else outputs
        running = np.zeros((len(each), len(self.outputs) + 1), dtype=np.int64)
        np.cumsum(each, axis=1, out=running[:, 1:])
        ends = np.cumsum((0, *self.sizes))
        return running[:, ends[1:]] - running[:, ends[:-1]]

    def without_dead(self) -> "Graph":
        """The same function without the nodes that no output depends on."""
        live = self.live
        return self._numbered(live, np.cumsum(np.concatenate([np.ones(self.inputs, dtype=bool), live])) - 1)

    def _numbered(self, kept: NDArray[np.bool_], number: NDArray[np.int64]) -> "Graph":
        """The nodes ``kept``, where ``number`` (inputs + n,) is the new number of each old one."""
        used = np.arange(self.fanin.shape[1]) < self.arity[:, None]
        fanin = np.where(used, number[self.fanin], 0)[kept]
        outputs = number[self.outputs].astype(np.int32)
        return replace(self, fanin=fanin.astype(np.int32), table=self.table[kept], arity=self.arity[kept],
                       outputs=outputs)

    def folded(self) -> "Graph":
        """The same function with constants propagated, wires and operands that do not matter left out.

        What is read by nothing any more is left out too. A constant that an output needs is a node of arity 1.
        """
        build = Folding(self.inputs)
        numbers = [*range(self.inputs)]
        for table, fanin, k in zip(self.table.tolist(), self.fanin.tolist(), self.arity.tolist()):
            numbers.append(build.node(table, [numbers[i] for i in fanin[:k]]))
        return build.graph([numbers[i] for i in self.outputs.tolist()], self.sizes)

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """All fields as arrays, for a file."""
        return {"inputs": np.array(self.inputs, dtype=np.int64), "fanin": self.fanin, "table": self.table,
                "arity": self.arity, "outputs": self.outputs, "sizes": np.array(self.sizes, dtype=np.int64)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> "Graph":
        """The inverse of ``to_tensors``; FormatError where an array is missing or does not fit."""
        try:
            fields: dict[str, Any] = {name: np.asarray(tensors[name]) for name in cls.__dataclass_fields__}
            return cls(**fields | {"inputs": int(fields["inputs"].item()), "sizes": tuple(fields["sizes"].tolist())})
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise FormatError(f"the graph lacks or garbles {error}; write it anew") from None


class Folding:
    """Adds nodes to a graph and folds them: ``node`` returns a number, or ``FALSE`` or ``TRUE`` of a constant."""

    FALSE, TRUE = -2, -1

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.rows: list[tuple[int, tuple[int, ...]]] = []

    def node(self, table: int, operands: Sequence[int]) -> int:
        """The number of what ``table`` of ``operands``, numbers or constants, amounts to; a new node only if needed."""
        seen = [*dict.fromkeys(operands)]
        if len(seen) < len(operands):
            table, operands = _merged(table, operands, seen), seen
        values = tuple(i - self.FALSE if i < 0 else None for i in operands)
        table, kept = restrict(table, values)
        if not kept:
            return self.TRUE if table else self.FALSE
        if len(kept) == 1 and table == WIRE:
            return operands[kept[0]]
        self.rows.append((table, tuple(operands[i] for i in kept)))
        return self.inputs + len(self.rows) - 1

    def graph(self, outputs: Sequence[int], sizes: Sequence[int]) -> Graph:
        """The graph of these outputs, without dead nodes."""
        rows, constant = [*self.rows], {}
        for value, table in ((self.FALSE, 0), (self.TRUE, 3)):
            if value in outputs:
                constant[value] = self.inputs + len(rows)
                rows.append((table, (0,)))
        return Graph.of_nodes(self.inputs, rows, [constant.get(i, i) for i in outputs], sizes).without_dead()


def _unpacked(planes: Planes) -> NDArray[np.bool_]:
    """Bits (samples, rows), also of no rows."""
    return unpack(planes) if len(planes.words) else np.zeros((planes.samples, 0), dtype=np.bool_)


def _merged(table: int, operands: Sequence[int], seen: Sequence[int]) -> int:
    """The table over the different operands ``seen``, of one over ``operands``, some of which are the same."""
    places = [seen.index(i) for i in operands]
    result = 0
    for address in range(1 << len(seen)):
        wide = sum((address >> place & 1) << i for i, place in enumerate(places))
        result |= (table >> wide & 1) << address
    return result


def _whole_numbers(given: ArrayLike, name: str, dtype: type[np.integer[Any]], dimensions: int) -> NDArray[Any]:
    """``given`` as a contiguous array of ``dtype``; InputError where it has another shape or other numbers."""
    array = np.asarray(given)
    if array.ndim != dimensions or (array.size and array.dtype.kind not in "ui"):
        raise InputError(f"{name} of a graph has shape {array.shape} and type {array.dtype}; give integers of "
                         f"{dimensions} dimension{'s' * (dimensions > 1)}")
    limits = np.iinfo(dtype)
    if array.size and not (limits.min <= int(array.min()) and int(array.max()) <= limits.max):
        raise InputError(f"{name} of a graph holds {int(array.min())} to {int(array.max())}, which does not fit "
                         f"{np.dtype(dtype)}")
    return np.array(array, dtype=dtype, order="C")  # a copy: the graph does not change with the caller's array


def _check_shapes(graph: Graph) -> None:
    n = len(graph.table)
    if graph.inputs < 1 or len(graph.fanin) != n or len(graph.arity) != n:
        raise InputError(f"a graph of {graph.inputs} inputs has {n} tables, {len(graph.fanin)} rows of operands and "
                         f"{len(graph.arity)} arities; give one of each for every node, and at least one input")
    if not graph.sizes or min(graph.sizes) < 0 or sum(graph.sizes) != len(graph.outputs):
        raise InputError(f"groups of {graph.sizes} bits do not share out {len(graph.outputs)} outputs; sizes must add "
                         f"up to them")
    if len(graph.outputs) and not (graph.outputs.min() >= 0 and graph.outputs.max() < graph.inputs + n):
        raise InputError(f"an output names number {int(graph.outputs.max())} of a graph of {graph.inputs} inputs and "
                         f"{n} nodes; name an input or a node")


def _check_nodes(graph: Graph) -> None:
    """InputError at the first node that breaks a rule."""
    width, arity = graph.fanin.shape[1], graph.arity
    own = np.arange(graph.inputs, graph.inputs + graph.nodes)
    used = np.arange(width) < arity[:, None]
    entries = np.left_shift(np.uint64(1), np.minimum(arity, MAX_ARITY).astype(np.uint64))
    whole = ~np.uint64(0) >> (np.uint64(64) - entries)
    wrong = {
        f"has no 1 to {min(width, MAX_ARITY)} operands": (arity < 1) | (arity > min(width, MAX_ARITY)),
        "reads a number that does not come before it": ((graph.fanin < 0) | (graph.fanin >= own[:, None])).any(axis=1),
        "names an operand beyond its arity": ((graph.fanin != 0) & ~used).any(axis=1),
        "has a table wider than its operands": graph.table > whole,
    }
    for what, where in wrong.items():
        if where.any():
            raise InputError(f"node {int(where.argmax())} of a graph {what}")
