"""From a circuit to standard cells: mapped netlist, timing, energy by simulated activity, projects of layout tools."""

from .flow import AsicResult, asic_flow

__all__ = ["AsicResult", "asic_flow"]
