"""What a circuit costs: two-input gates, tables, gate equivalents of a cell library, depth, and energy by constants."""

from .gates import (
    NodeCounts,
    gate_cost,
    gate_kinds,
    node_counts,
    stage_costs,
    stage_counts,
    stage_nodes,
    table_cost,
    total_gates,
)
from .liberty import Library, read_liberty
from .score import Score, circuit_scores

__all__ = [
    "Library", "NodeCounts", "Score", "circuit_scores", "gate_cost", "gate_kinds", "node_counts", "read_liberty",
    "stage_costs", "stage_counts", "stage_nodes", "table_cost", "total_gates",
]
