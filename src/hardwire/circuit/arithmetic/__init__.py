"""Word arithmetic in gates and tables: comparisons, sums, population counts, arg-max.

Each function adds its nodes to a builder; counts, arg-maxes and comparisons with a constant also state the macro that
the nodes spell.
"""

from .argmax import ARGMAXES, ArgmaxStyle, argmax
from .counts import COUNTS, CountStyle, popcount
from .heads import HEADS, HeadGoal, popcounts, with_head
from .words import add, at_least, at_least_more, difference, exceeds, full_adder, greater

__all__ = ["ARGMAXES", "COUNTS", "HEADS", "ArgmaxStyle", "CountStyle", "HeadGoal", "add", "argmax", "at_least",
           "at_least_more", "difference", "exceeds", "full_adder", "greater", "popcount", "popcounts", "with_head"]
