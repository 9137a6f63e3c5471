"""What a circuit costs in two-input gates.

A node is one of five things, told apart by its table without the operands that do not matter: a constant or a wire,
which cost nothing; an inverter or a two-input gate, which cost one gate; or a wider table, which costs the gates and
inverters of its Shannon expansion, an upper bound.
"""

from functools import lru_cache
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from ..circuit.circuit import STAGES, Circuit, Stage
from ..circuit.text import table_name
from ..core.gates import TABLE
from ..core.truth_tables import CACHE, decompose


class TableCost(NamedTuple):
    """What one table is made of."""

    two_input: int = 0
    inverters: int = 0
    wires: int = 0
    constants: int = 0

    @property
    def gates(self) -> int:
        """The figure of merit: two-input gates and inverters, one each."""
        return self.two_input + self.inverters


class StageCost(TypedDict):
    """What a stage costs: two-input gates, and those that it adds to the longest path to it."""

    gates: int
    depth: int


class NodeCounts(NamedTuple):
    """What nodes are: two-input gates (a wider table counts as those that it is made of), wires, constants."""

    gates: int = 0
    wires: int = 0
    constants: int = 0


class StageCounts(TypedDict):
    """A stage in a run's record: gates, wires and constants before and after the passes, and nodes as trained."""

    gates_raw: int
    gates_optimized: int
    depth: int
    nodes_raw: int
    wires_raw: int
    constants_raw: int
    wires_optimized: int
    constants_optimized: int


@lru_cache(maxsize=CACHE)
def table_cost(table: int, k: int) -> TableCost:
    """What a table of ``k`` operands is made of."""
    used: list[int] = []

    def gate(table: int, a: int, b: int) -> int:
        used.append(table)
        return -1

    decompose(table, range(k), gate)
    constants = sum(t in (TABLE["FALSE"], TABLE["TRUE"]) for t in used)
    inverters = used.count(TABLE["NOT_A"])
    return TableCost(len(used) - constants - inverters, inverters, int(not used), constants)


def node_costs(table: NDArray[np.uint64], arity: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Gates, wires and constants that each table is, shape ``(n, 3)``."""
    keys, inverse = np.unique(np.stack([table.astype(np.uint64), arity.astype(np.uint64)]), axis=1, return_inverse=True)
    costs = [table_cost(int(t), int(k)) for t, k in keys.T]
    each = np.array([(c.gates, c.wires, c.constants) for c in costs], dtype=np.int64).reshape(-1, 3)
    return each[inverse.ravel()]


def gate_cost(table: NDArray[np.uint64], arity: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Two-input gates of each table, shape ``(n,)``: 0 for wires and constants, 1 for inverters and gates."""
    return node_costs(table, arity)[:, 0]


def node_counts(circuit: Circuit) -> NodeCounts:
    """Gates, wires and constants of the whole circuit."""
    return NodeCounts(*node_costs(circuit.table, circuit.arity).sum(axis=0).tolist())


def stage_nodes(circuit: Circuit) -> dict[Stage, NodeCounts]:
    """Gates, wires and constants of each stage."""
    each = node_costs(circuit.table, circuit.arity)
    return {stage: NodeCounts(*each[circuit.stage == i].sum(axis=0).tolist()) for i, stage in enumerate(STAGES)}


def total_gates(circuit: Circuit) -> int:
    """Two-input gates of the whole circuit."""
    return node_counts(circuit).gates


def stage_costs(circuit: Circuit) -> dict[Stage, StageCost]:
    """What each stage costs; depth is in nodes."""
    cost = gate_cost(circuit.table, circuit.arity)
    result: dict[Stage, StageCost] = {}
    below = 0
    for index, stage in enumerate(STAGES):
        nodes = np.flatnonzero(circuit.stage == index)
        top = int(circuit.level[circuit.first_node + nodes].max(initial=below))
        result[stage] = {"gates": int(cost[nodes].sum()), "depth": max(0, top - below)}
        below = max(below, top)
    return result


def stage_counts(raw: Circuit, optimized: Circuit) -> dict[Stage, StageCounts]:
    """The record's ``counts``; ``nodes_raw`` is the nodes as trained, wires and constants among them."""
    costs, before, after = stage_costs(optimized), stage_nodes(raw), stage_nodes(optimized)
    return {
        stage: {"gates_raw": before[stage].gates, "gates_optimized": after[stage].gates, "depth": costs[stage]["depth"],
                "nodes_raw": int((raw.stage == i).sum()),
                "wires_raw": before[stage].wires, "constants_raw": before[stage].constants,
                "wires_optimized": after[stage].wires, "constants_optimized": after[stage].constants}
        for i, stage in enumerate(STAGES)
    }  # fmt: skip


def gate_kinds(circuit: Circuit) -> dict[str, int]:
    """How many nodes of each gate the network stage has; wider tables by their number of inputs."""
    network = circuit.stage == STAGES.index("network")
    kinds: dict[str, int] = {}
    for table, k in zip(circuit.table[network].tolist(), circuit.arity[network].tolist()):
        name = table_name(table, k)
        kinds[name] = kinds.get(name, 0) + 1
    return kinds
