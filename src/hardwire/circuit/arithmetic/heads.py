"""Heads by what they are to be small in, and a circuit's head built anew for another goal."""

from collections.abc import Sequence
from typing import Literal

from ...core.errors import InputError
from ..builder import CircuitBuilder
from ..circuit import FALSE, STAGES, Circuit, Macro
from .argmax import ArgmaxStyle, argmax
from .counts import CountStyle, popcount

#: What a head is to be small in.
HeadGoal = Literal["area", "depth", "luts", "lut-depth"]
#: The shapes of counts and arg-max for each goal.
HEADS: dict[HeadGoal, tuple[CountStyle, ArgmaxStyle]] = {
    "area": ("columns", "staged"), "depth": ("fast", "pairs"), "luts": ("compressors", "triples"),
    "lut-depth": ("early", "table-pairs")}


def popcounts(b: CircuitBuilder, groups: Sequence[Sequence[int]], style: CountStyle) -> list[list[int]]:
    """How many nets of each group are true; an empty group counts 0. Early counts take the first nets first."""
    if style == "early":
        level = b.levels()
        groups = [sorted(group, key=level.__getitem__) for group in groups]
    return [popcount(b, group, style) if len(group) else [FALSE] for group in groups]


def with_head(circuit: Circuit, goal: HeadGoal) -> Circuit:
    """The same circuit with its counts and arg-max built for another goal; the macros say what they are of.

    Raises
    ------
    InputError
        Where no arg-max of population counts is stated.
    """
    counted = {macro.outputs: macro for macro in circuit.macros if macro.kind == "popcount"}
    decided = next((m for m in circuit.macros if m.kind == "argmax" and _groups(m, counted) is not None), None)
    if decided is None:
        raise InputError(f"circuit {circuit.name!r} states no arg-max of counts, so its head cannot be built anew; "
                         f"freeze its network again with `hardwire lower RUN --head {goal}`")
    groups = _groups(decided, counted) or []
    b = CircuitBuilder(circuit.name, labels=circuit.labels)
    for word in circuit.inputs:
        b.input(word.name, word.width, offset=word.offset, step=word.step)
    place = list(range(circuit.first_node))
    rows = zip(circuit.fanin.tolist(), circuit.table.tolist(), circuit.arity.tolist(), circuit.stage.tolist())
    for fanin, table, k, stage in rows:
        with b.stage(STAGES[stage]):
            place.append(b.node(table, *(place[f] for f in fanin[:k])))
    count_style, argmax_style = HEADS[goal]
    with b.stage("head"):
        counts = popcounts(b, [[place[net] for net in group] for group in groups], count_style)
        for net, new in zip(decided.outputs, argmax(b, counts, argmax_style), strict=True):
            place[net] = new
    for word, nets in circuit.output_words():
        b.output(word.name, [place[net] for net in nets], offset=word.offset, step=word.step)
    return b.build()


def _groups(decided: Macro, counted: dict[tuple[int, ...], Macro]) -> list[tuple[int, ...]] | None:
    """What each word of an arg-max counts, or None where one is no population count."""
    width = len(decided.inputs) // decided.value
    groups = []
    for i in range(0, len(decided.inputs), width):
        word = decided.inputs[i : i + width]
        macro = next((m for nets, m in counted.items()
                      if word[: len(nets)] == nets and all(net == FALSE for net in word[len(nets) :])), None)
        if macro is None:
            return None
        groups.append(tuple(net for net in macro.inputs if net != FALSE))
    return groups
