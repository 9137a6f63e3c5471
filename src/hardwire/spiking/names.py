"""Names that the command line offers, apart so that its help loads neither NumPy nor Numba."""

RULES = ("one-sided", "triplet")
CELLS = ("digital", "analog", "ideal")
METHODS = ("none", "soft", "zero", "zero-after", "random")
