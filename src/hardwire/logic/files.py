"""Names of the circuits in a run directory."""

RAW, OPTIMIZED = "circuit.net", "optimized.net"
