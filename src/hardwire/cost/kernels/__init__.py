"""The compiled loops that count toggles; Numba is imported with them and no earlier."""
