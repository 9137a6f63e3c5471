"""The invariants of a circuit; every one that fails names the object and the place."""

import math

import numpy as np

from ..core.errors import FormatError
from ..core.names import IDENTIFIER, LONGEST, trouble_of
from .circuit import MACROS, MAX_ARITY, STAGES, Circuit, Word
from .structure import MAX_WIDTH

#: Nets are numbers of 32 bits with a sign.
MOST_NETS = 2**31 - 1


def check(circuit: Circuit) -> None:
    """Check every invariant of a circuit.

    Texts are printable and of limited length; names of words are identifiers and unique; words have 1 to 64 bits and
    a finite range; every node has 1 to 6 operands that come before it and a table that fits; outputs and macros name
    nets that exist, and macros have the shape of their kind.

    Raises
    ------
    FormatError
        At the first invariant that does not hold.
    """
    _names(circuit)
    arrays = {"fanin": "iu", "table": "u", "arity": "iu", "stage": "iu", "output_nets": "iu"}
    for array, kinds in arrays.items():
        if getattr(circuit, array).dtype.kind not in kinds:
            raise FormatError(f"{array} of circuit {circuit.name!r} has dtype {getattr(circuit, array).dtype}; "
                              f"give integers")
    if circuit.n_nets > MOST_NETS:
        raise FormatError(f"circuit {circuit.name!r} has {circuit.n_nets} nets, more than {MOST_NETS}; split it")
    n, k = circuit.n_nodes, circuit.fanin.shape[1] if circuit.fanin.ndim == 2 else -1
    shapes = (circuit.fanin.shape == (n, k), circuit.arity.shape == (n,), circuit.stage.shape == (n,))
    if not all(shapes):
        raise FormatError(f"circuit {circuit.name!r}: its node arrays have different lengths")
    if n:
        _nodes(circuit, n, k)
    _ends(circuit)


def _names(circuit: Circuit) -> None:
    for what, text in (("name", circuit.name), *(("label", label) for label in circuit.labels)):
        if trouble := trouble_of(text):
            raise FormatError(f"{what} {str(text)[:40]!r} of circuit {str(circuit.name)[:40]!r} {trouble}")
    for kind, words in (("input", circuit.inputs), ("output", circuit.outputs)):
        seen = set()
        for word in words:
            named = isinstance(word.name, str) and len(word.name) <= LONGEST and IDENTIFIER.match(word.name)
            if not named or word.name in seen:
                raise FormatError(f"{kind} {str(word.name)[:40]!r} of circuit {circuit.name!r} is no identifier or "
                                  f"appears twice")
            if not _has_range(word):
                raise FormatError(f"{kind} {word.name!r}: width {word.width}, offset {word.offset}, step {word.step}; "
                                  f"need 1 to 64, a finite offset, a finite step > 0 and a finite end of the range")
            seen.add(word.name)


def _has_range(word: Word) -> bool:
    numbers = isinstance(word.width, (int, np.integer)) and not isinstance(word.width, bool)
    numbers &= all(isinstance(x, (int, float, np.number)) for x in (word.offset, word.step))
    return numbers and 1 <= word.width <= MAX_WIDTH and 0 < word.step < math.inf and math.isfinite(word.offset) \
        and math.isfinite(float(word.offset) + float(word.step) * 2.0**int(word.width))


def _nodes(circuit: Circuit, n: int, k: int) -> None:
    own = np.arange(circuit.first_node, circuit.n_nets)
    used = np.arange(k) < circuit.arity[:, None]
    size = np.left_shift(np.uint64(1), np.minimum(circuit.arity, 6).astype(np.uint64))
    limit = np.where(size >= 64, np.uint64(2**64 - 1), np.left_shift(np.uint64(1), size & np.uint64(63)) - np.uint64(1))
    wrong = {
        f"has no 1 to {min(k, MAX_ARITY)} operands": (circuit.arity < 1) | (circuit.arity > min(k, MAX_ARITY)),
        "reads a net that does not come before it": ((circuit.fanin < 0) | (circuit.fanin >= own[:, None])).any(axis=1),
        "names an operand beyond its arity": ((circuit.fanin != 0) & ~used).any(axis=1),
        "has a table wider than its operands": circuit.table > limit,
        "belongs to no stage": circuit.stage >= len(STAGES),
    }
    for what, where in wrong.items():
        if where.any():
            raise FormatError(f"node {own[np.argmax(where)]} of circuit {circuit.name!r} {what}")


def _ends(circuit: Circuit) -> None:
    nets = circuit.output_nets
    if len(nets) != sum(circuit.output_widths):
        raise FormatError(f"circuit {circuit.name!r} has {len(nets)} output nets for {sum(circuit.output_widths)} bits")
    if np.any((nets < 0) | (nets >= circuit.n_nets)):
        raise FormatError(f"an output of circuit {circuit.name!r} names a net that does not exist")
    for macro in circuit.macros:
        ends = np.array((*macro.inputs, *macro.outputs))
        n, m = len(macro.inputs), len(macro.outputs)
        whole = isinstance(macro.value, (int, np.integer)) and 0 <= macro.value < 1 << MAX_WIDTH
        if not whole or n + m == 0 or ends.dtype.kind not in "iu":
            raise FormatError(f"a {macro.kind} macro of circuit {circuit.name!r} has no nets, or what is no whole "
                              f"number of 64 bits; correct it")
        fits = {
            "ge": m == 1 and 1 <= n <= MAX_WIDTH,
            "popcount": n >= 1 and m == n.bit_length() and macro.value == 0,
            "argmax": (n >= macro.value >= 1 and n % max(macro.value, 1) == 0
                       and m == max(1, (macro.value - 1).bit_length())),
        }
        if macro.kind not in MACROS or not fits[macro.kind] or ends.min() < 0 or ends.max() >= circuit.n_nets:
            raise FormatError(f"a {macro.kind} macro of circuit {circuit.name!r} has the wrong shape or names no net")
