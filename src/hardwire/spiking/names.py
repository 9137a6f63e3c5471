"""Names that the command line offers, apart so that its help loads neither NumPy nor Numba."""

RULES = ("one-sided", "triplet")
CELLS = ("digital", "analog", "ideal")
#: In the order in which contenders are trained: pruning after training starts from the network that is not pruned.
METHODS = ("none", "zero-after", "soft", "zero", "random")
