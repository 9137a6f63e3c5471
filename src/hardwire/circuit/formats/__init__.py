"""Circuit files: the project's own .net, AIGER and BLIF."""
