"""From a circuit to standard cells: mapped netlist, timing, energy by simulated activity, and what layout tools read."""


