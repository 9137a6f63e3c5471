"""One definition of cost for a whole circuit and for each of its stages, in units that need no outside tool.

Wires and constants are named apart and never counted as gates. A wide table counts as what it is, one table of its
size, and in two-input gates as its Shannon expansion.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..circuit.circuit import STAGES, Circuit
from ..core.truth_tables import CACHE, decompose, shrink
from .gates import stage_costs, table_cost
from .liberty import Library


@dataclass(frozen=True)
class Score:
    """What some nodes of a circuit cost.

    Attributes
    ----------
    two_input
        Two-input gates; a wide table is its Shannon expansion, an upper bound.
    inverters
        Inverters, those of expansions among them.
    wires, constants
        Nodes that are neither: they cost nothing.
    tables
        How many tables of each size there are, by the operands that matter, from two on.
    depth
        Nodes on the longest path, or those that a stage adds to it.
    ge
        Gate equivalents without a mapper: each gate by the smallest cell of a library that spells it. None without a
        library.
    """

    two_input: int = 0
    inverters: int = 0
    wires: int = 0
    constants: int = 0
    tables: dict[int, int] | None = None
    depth: int = 0
    ge: float | None = None

    @property
    def gates(self) -> int:
        """The figure of merit: two-input gates and inverters, one each."""
        return self.two_input + self.inverters

    def to_json(self) -> dict[str, object]:
        """The fields as they are printed, sizes of tables as text."""
        entry = asdict(self) | {"gates": self.gates, "tables": {str(k): n for k, n in (self.tables or {}).items()}}
        return entry if self.ge is not None else {k: v for k, v in entry.items() if k != "ge"}


def circuit_scores(circuit: Circuit, library: Library | None = None) -> dict[str, Score]:
    """The score of each stage, and of the ``whole``."""
    costs = stage_costs(circuit)
    scores: dict[str, Score] = {}
    for index, stage in enumerate(STAGES):
        nodes = circuit.stage == index
        scores[stage] = replace(_score(circuit.table[nodes], circuit.arity[nodes], library),
                                depth=costs[stage]["depth"])
    scores["whole"] = replace(_sum(scores.values()), depth=circuit.depth)
    return scores


def _score(table: NDArray[np.uint64], arity: NDArray[np.uint8], library: Library | None) -> Score:
    """The score of nodes, without their depth."""
    keys, counts = np.unique(np.stack([table, arity.astype(np.uint64)]), axis=1, return_counts=True)
    score = Score(tables={}, ge=0.0 if library else None)
    parts = [score]
    for (t, k), count in zip(keys.T.tolist(), counts.tolist()):
        cost, size = table_cost(t, k), len(shrink(t, k)[1])
        ge = count * library.gate_equivalents(_area(t, k, library.gate_areas)) if library else None
        parts.append(Score(cost.two_input * count, cost.inverters * count, cost.wires * count, cost.constants * count,
                           {size: count} if size > 1 else {}, ge=ge))
    return _sum(parts)


def _sum(scores: Iterable[Score]) -> Score:
    scores = list(scores)
    tables: dict[int, int] = {}
    for score in scores:
        for size, count in (score.tables or {}).items():
            tables[size] = tables.get(size, 0) + count
    areas = [score.ge for score in scores if score.ge is not None]
    return Score(sum(score.two_input for score in scores), sum(score.inverters for score in scores),
                 sum(score.wires for score in scores), sum(score.constants for score in scores),
                 dict(sorted(tables.items())), ge=float(sum(areas)) if areas else None)


@lru_cache(maxsize=CACHE)
def _area(table: int, k: int, prices: tuple[float, ...]) -> float:
    """The area of a table of ``k`` operands by the areas of the sixteen two-input gates."""
    total = 0.0

    def gate(table: int, a: int, b: int) -> int:
        nonlocal total
        total += prices[table]
        return 0

    decompose(table, range(k), gate)
    return total
