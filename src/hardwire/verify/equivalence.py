"""Proofs that two circuits are the same function for every input, or a small counterexample.

Both circuits become one and-inverter graph over the same inputs, where equal logic is one variable; simulation refutes
cheaply; fraiging (`fraig.py`) decides the rest. "Proved" is said only when every pair of output bits was decided.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..circuit import Circuit, Macro
from ..circuit.aig import Aig
from ..circuit.arithmetic.shapes import STYLES, macro_circuit, shape_of, stated
from ..circuit.simulate import simulate, simulate_bits
from ..core.bits import bits_to_codes, codes_to_bits, pack
from ..core.errors import HardwireError, InputError
from ..core.verdict import Verdict
from .fraig import HINT, Fraig, Outcome, Simulator, differing
from .vectors import by_word, vectors

PATTERNS = 2048

#: Pairs of literals that are to be equal.
Pairs: TypeAlias = Sequence[tuple[int, int]]


def prove(a: Circuit, b: Circuit, *, macros: bool = False, timeout: float = 120.0, seed: int = 0) -> Verdict:
    """Prove that ``a`` and ``b`` give the same codes for every input code, or refute it.

    Parameters
    ----------
    a, b
        Circuits with the same input and output words in the same order.
    macros
        Prove the macros of both circuits too.
    timeout
        Seconds after which the verdict is ``unknown``.
    seed
        Of the vectors of the simulations; it steers the proof and does not change what is true.

    Returns
    -------
    Verdict
        A counterexample has as few one bits as clearing them one after the other leaves, and is confirmed by the
        interpreter.

    Raises
    ------
    InputError
        Where the words differ.
    """
    start = time.monotonic()
    _same_words(a, b)
    aig, inputs = _graph(a)
    x, y = aig.embed(a, inputs), aig.embed(b, inputs)
    pairs = [(x[n], y[m]) for n, m in zip(a.output_nets.tolist(), b.output_nets.tolist(), strict=True)]
    method, outcome = _decide(aig, pairs, a, hints(b, y, seed) | hints(a, x, seed), start + timeout, seed)
    if outcome.status == "refuted":
        return _refuted_outputs(a, b, _minimise(aig, pairs, outcome.pattern), method, start)
    verdict = Verdict(outcome.status, seconds=time.monotonic() - start, method=method, detail=outcome.detail)
    for circuit in (a, b) if macros else ():
        if verdict.status == "proved" and circuit.macros:
            verdict = prove_macros(circuit, timeout=start + timeout - time.monotonic(), seed=seed)
    return replace(verdict, seconds=time.monotonic() - start)


def prove_macros(circuit: Circuit, *, timeout: float = 120.0, seed: int = 0) -> Verdict:
    """Prove every macro of ``circuit``, for every input code, against its gates in ``circuit.arithmetic``.

    Of the shapes that these have, the one nearest to the circuit's gates is taken.

    When one is refuted, ``outputs`` are what the macro states and what its nets are, under the name of its kind.
    ``timeout`` and ``seed`` are those of ``prove``.
    """
    start = time.monotonic()
    aig, inputs = _graph(circuit)
    net = aig.embed(circuit, inputs)
    pairs, scratch = list[tuple[int, int]](), aig.copy()
    styles = {macro: shape_of(scratch, net, macro) for macro in circuit.macros}
    other = [macro for macro, style in styles.items() if style is None]
    styles |= dict(zip(other, near_shapes(circuit, aig, net, other, seed) if other else ()))
    for macro in circuit.macros:
        pairs += zip(stated(aig, net, macro, styles[macro] or ""), (net[m] for m in macro.outputs), strict=True)
    method, outcome = _decide(aig, pairs, circuit, hints(circuit, net, seed), start + timeout, seed)
    if outcome.status == "refuted":
        return _refuted_macro(circuit, _minimise(aig, pairs, outcome.pattern), method, start)
    return Verdict(outcome.status, seconds=time.monotonic() - start, method=method, detail=outcome.detail)


def near_shape(circuit: Circuit, aig: Aig, net: list[int], macro: Macro, seed: int) -> str:
    """The shape of one macro, as ``near_shapes`` finds it."""
    return near_shapes(circuit, aig, net, [macro], seed)[0]


def near_shapes(circuit: Circuit, aig: Aig, net: list[int], macros: Sequence[Macro], seed: int) -> list[str]:
    """Of each macro, the shape that has the largest share of its inner points among the circuit's, by simulation."""
    own = range(1, aig.n_variables)
    trial, spans = aig.copy(), [dict[str, range]() for _ in macros]
    for macro, span in zip(macros, spans, strict=True):
        for style in STYLES[macro.kind]:
            start = trial.n_variables
            stated(trial, net, macro, style)
            span[style] = range(start, trial.n_variables)
    patterns = pack(codes_to_bits(vectors(circuit, PATTERNS, seed), circuit.input_widths)).words
    rows = Simulator(trial)(patterns)
    rows ^= np.uint64(0) - (rows[:, :1] & np.uint64(1))
    known = {rows[i].tobytes() for i in own}

    def share(points: range) -> float:
        return sum(rows[i].tobytes() in known for i in points) / len(points) if points else 1.0

    return [max(span, key=lambda style: share(span[style])) for span in spans]


def _same_words(a: Circuit, b: Circuit) -> None:
    for kind, words, others in (("input", a.inputs, b.inputs), ("output", a.outputs, b.outputs)):
        if len(words) != len(others):
            raise InputError(f"circuit {a.name!r} has {len(words)} {kind} words and {b.name!r} has {len(others)}; "
                             f"compare circuits with the same words")
        for x, y in zip(words, others, strict=True):
            if x != y:
                raise InputError(f"{kind} {x} of circuit {a.name!r} is {y} in {b.name!r}; "
                                 f"compare circuits with the same words")


def _graph(circuit: Circuit) -> tuple[Aig, list[int]]:
    return Aig(circuit.n_input_bits), list(range(2, 2 + 2 * circuit.n_input_bits, 2))


def hints(circuit: Circuit, net: list[int], seed: int) -> dict[int, int]:
    """Random values for the ends of population counts and arg-maxes, ``{variable: HINT bits}``; see `fraig.py`.

    ``net`` are the literals of the circuit's nets. Counts of every size occur, and words that nearly tie.
    """
    rng = np.random.default_rng(seed)
    values: dict[int, int] = {}
    for macro in circuit.macros:
        n = len(macro.inputs)
        if macro.kind == "popcount":
            bits = (rng.random((n, HINT), dtype=np.float32) < rng.random(HINT, dtype=np.float32)).astype(np.int64)
        elif macro.kind == "argmax":
            width = n // macro.value
            top = 1 << min(width, 62)
            near = rng.integers(0, top, HINT) ^ rng.integers(0, min(4, top), (macro.value, HINT))
            codes = np.where(rng.random(HINT) < 0.5, near, rng.integers(0, top, (macro.value, HINT)))
            bits = codes.reshape(-1, 1, HINT) >> np.arange(width)[:, None] & 1
        else:
            continue
        rows = np.packbits(bits.reshape(n, HINT).astype(bool), axis=1, bitorder="little")
        for operand, row in zip(macro.inputs, rows, strict=True):
            value = int.from_bytes(row.tobytes(), "little")
            values[net[operand] >> 1] = value ^ ((1 << HINT) - 1) if net[operand] & 1 else value
    values.pop(0, None)
    return values


def _decide(aig: Aig, pairs: Pairs, circuit: Circuit, variable_hints: dict[int, int], deadline: float,
            seed: int) -> tuple[str, Outcome]:
    """Method and outcome for pairs of literals of ``aig`` over the inputs of ``circuit``."""
    if all(a == b for a, b in pairs):
        return "structural hashing", Outcome("proved")
    patterns = pack(codes_to_bits(vectors(circuit, PATTERNS, seed), circuit.input_widths)).words
    fraig = Fraig(aig, pairs, patterns=patterns, hints=variable_hints, deadline=deadline, seed=seed)
    return ("fraiging" if fraig.counterexample is None else "simulation"), fraig.run()


def _minimise(aig: Aig, pairs: Pairs, pattern: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Clear one bits, many at once and then one by one, for as long as a pair still differs."""
    if pattern is None:
        raise HardwireError("a refutation came without its input; please report this")
    simulator, literals = Simulator(aig), np.array(pairs, dtype=np.int64)
    size = int(pattern.sum())
    while size:
        ones = np.flatnonzero(pattern)
        trials = np.repeat(pattern[None], -(-len(ones) // size), axis=0)
        trials[np.arange(len(ones)) // size, ones] = False
        planes = pack(trials)
        good = np.flatnonzero(differing(simulator(planes.words), literals, planes.samples))
        if len(good):
            pattern = trials[good[0]]
            size = min(size, int(pattern.sum()))
        else:
            size //= 2
    return pattern


def _refuted_outputs(a: Circuit, b: Circuit, pattern: NDArray[np.bool_], method: str, start: float) -> Verdict:
    codes = bits_to_codes(pattern[None], a.input_widths)
    expected, result = simulate(a, codes)[0], simulate(b, codes)[0]
    words = ", ".join(w.name for w, x, y in zip(a.outputs, expected, result, strict=True) if x != y)
    if not words:
        raise _unconfirmed(a)
    return Verdict("refuted", by_word(a.inputs, codes[0]), (by_word(a.outputs, expected), by_word(b.outputs, result)),
                   time.monotonic() - start, method, f"output {words} differs")


def _refuted_macro(circuit: Circuit, pattern: NDArray[np.bool_], method: str, start: float) -> Verdict:
    codes = bits_to_codes(pattern[None], circuit.input_widths)
    for serial, macro in enumerate(circuit.macros):
        stated = simulate_bits(macro_circuit(macro), simulate_bits(circuit, pattern[None], macro.inputs))
        nets = simulate_bits(circuit, pattern[None], macro.outputs)
        if (stated != nets).any():
            expected, result = (int(bits_to_codes(b, [b.shape[1]])[0, 0]) for b in (stated, nets))
            return Verdict("refuted", by_word(circuit.inputs, codes[0]), ({macro.kind: expected}, {macro.kind: result}),
                           time.monotonic() - start, method,
                           f"macro {serial}, a {macro.kind} onto net {macro.outputs[0]}, does not hold")
    raise _unconfirmed(circuit)


def _unconfirmed(circuit: Circuit) -> HardwireError:
    return HardwireError(f"the interpreter does not confirm a counterexample for circuit {circuit.name!r}; "
                         f"please report this")
