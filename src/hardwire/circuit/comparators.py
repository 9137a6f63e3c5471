"""Several comparators of one word with constants, in gates that they share."""

from collections.abc import Sequence

from ..core.comparators import comparators
from ..core.gates import TABLE
from .builder import CircuitBuilder
from .circuit import FALSE, TRUE


def at_least_each(b: CircuitBuilder, word: Sequence[int], values: Sequence[int]) -> list[int]:
    """``word >= value`` for each of ``values``, for an unsigned word, LSB first; each distinct one states its macro.

    ``core.comparators`` plans the gates; a single value costs what ``at_least`` does.
    """
    width = len(word)
    result = {v: TRUE if v <= 0 else FALSE for v in values if not 0 < v < 1 << width}
    inside = tuple(sorted(set(values) - set(result)))
    plan = comparators(width, inside)
    nets = list(word)
    for kind, x, y in plan.steps:
        nets.append(b.gate(TABLE[kind], nets[x], nets[y]))
    for value, operand in zip(inside, plan.outputs, strict=True):
        result[value] = nets[operand]
        b.macro("ge", word, [nets[operand]], value)
    return [result[v] for v in values]
