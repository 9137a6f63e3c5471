"""What a circuit costs: two-input gates and depth, and energy by cited constants."""

from .gates import gate_cost, gate_kinds, stage_costs, stage_counts, table_cost, total_gates

__all__ = ["gate_cost", "gate_kinds", "stage_costs", "stage_counts", "table_cost", "total_gates"]
