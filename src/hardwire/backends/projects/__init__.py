"""Projects for vendors' tools and build systems around a packed core in Verilog."""
