"""The compiled loops of the passes; Numba is imported with them and no earlier."""
