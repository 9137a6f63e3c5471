"""Comparators of one word with several constants, planned together so that they share gates.

Each comparator needs conjunctions and disjunctions only. With ``ge(a, j, v)`` for "bits a to j, read as a word, are at
least v":

    ge(a, j, v) = x[j] and ge(a, j - 1, v - 2^(j-a))         where v has its top bit, else
    ge(a, j, v) = x[j] or ge(a, j - 1, v)                                                  the chain
    ge(a, j, v) = ge(m, j, h + 1) or (ge(m, j, h) and ge(a, m - 1, l))    v = h 2^(m-a) + l   cut at bit m

A chain costs a gate for each bit above the lowest set bit of ``v``; chains of thresholds with equal low bits meet. A
cut costs two gates and is worth it where thresholds agree in their high bits.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

Step: TypeAlias = tuple[Literal["AND", "OR"], int, int]
#: The lowest bit, the highest bit, and an odd value: ``ge`` of these bits.
Key: TypeAlias = tuple[int, int, int]
#: Cuts of single values are tried up to so many values; their number grows with its square.
FEW = 32
#: Gates by the key of what they compute, each after its operands.
Recipe: TypeAlias = dict[Key, tuple[Literal["AND", "OR"], Key, Key]]


@dataclass(frozen=True)
class Comparators:
    """A plan of gates.

    Attributes
    ----------
    width : int
        Bits of the word.
    steps : tuple of (kind, operand, operand)
        The gates in order. Operand ``i`` below ``width`` is bit ``i`` of the word, ``width + s`` is step ``s``.
    outputs : tuple of int
        The operand that is ``word >= value``, for each of the values.
    """

    width: int
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]


def threshold_price(width: int, value: int) -> int:
    """Gates of a comparator on its own: the bits of the word above the lowest set bit of ``value``."""
    return width - (value & -value).bit_length()


@lru_cache(maxsize=4096)
def comparators(width: int, values: tuple[int, ...]) -> Comparators:
    """Plan ``word >= value`` for each of ``values``, each from 1 to ``2^width - 1``, in few gates.

    Each value is a chain at first. Then a cut is tried at each bit, for all values and, of up to ``FEW``, for each of
    them, and kept where gates are saved, until nothing is saved.
    """
    distinct = sorted(set(values))
    recipes = [[_recipe(width, value, m) for m in range(width)] for value in distinct]
    chosen = _fewest(recipes)
    place: dict[Key, int] = {(j, j, 1): j for j in range(width)}
    steps: list[Step] = []
    for recipe in chosen:
        for key, (kind, a, b) in recipe.items():
            if key not in place:
                place[key] = width + len(steps)
                steps.append((kind, place[a], place[b]))
    result = {v: place[next(reversed(r)) if r else _normal(0, width - 1, v)]
              for v, r in zip(distinct, chosen, strict=True)}
    return Comparators(width, tuple(steps), tuple(result[v] for v in values))


def _fewest(recipes: list[list[Recipe]]) -> list[Recipe]:
    """A recipe for each value, of those that it has, so that all together have few gates."""
    n = len(recipes)
    cuts = [0] * n
    fewest = len(set().union(*(r[0] for r in recipes)))
    improved = True
    while improved:
        improved = False
        trials = [[m] * n for m in range(1, len(recipes[0]))] if n > 1 else []
        if n <= FEW:
            trials += [[*cuts[:i], m, *cuts[i + 1 :]] for i in range(n) for m in range(len(recipes[0]))]
        for trial in trials:
            gates = len(set().union(*(r[m] for r, m in zip(recipes, trial, strict=True))))
            if gates < fewest:
                cuts, fewest, improved = trial, gates, True
    return [r[m] for r, m in zip(recipes, cuts, strict=True)]


def _normal(low: int, high: int, value: int) -> Key:
    """The key of ``ge(low, high, value)`` without the bits below the lowest set bit of ``value``."""
    zeros = (value & -value).bit_length() - 1
    return low + zeros, high, value >> zeros


def _chain(low: int, high: int, value: int, recipe: Recipe) -> Key:
    """Add the chain of ``ge(low, high, value)`` to ``recipe``; its key."""
    low, high, value = key = _normal(low, high, value)
    if low < high and key not in recipe:
        top = value >> (high - low) & 1
        rest = _chain(low, high - 1, value - (top << high - low), recipe)
        recipe[key] = "AND" if top else "OR", (high, high, 1), rest
    return key


def _recipe(width: int, value: int, m: int) -> Recipe:
    """The gates of one comparator, the last one its result, cut at bit ``m``, 0 for a chain; a wire has none."""
    recipe: Recipe = {}
    high, low = value >> m, value & (1 << m) - 1
    if not low:
        _chain(0, width - 1, value, recipe)
        return recipe
    key = _chain(0, m - 1, low, recipe)
    last = high + 1 == 1 << width - m
    if high:
        above = _chain(m, width - 1, high, recipe)
        both = (0, width - 1, value) if last else (-1, m, value)
        recipe[both] = "AND", above, key
        key = both
    if not last:
        recipe[0, width - 1, value] = "OR", _chain(m, width - 1, high + 1, recipe), key
    return recipe
