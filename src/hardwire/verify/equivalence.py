"""Is it the same function? A proof for every input, or a small counterexample.

Both circuits become one and-inverter graph over the same inputs, where equal logic is one variable; simulation refutes
cheaply; SAT sweeping (`sweep.py`) decides the rest. "Proved" is said only when every pair of output bits was decided.
"""

import time
from dataclasses import replace

import numpy as np

from ..circuit import Circuit, CircuitBuilder, Macro, arithmetic
from ..circuit.aig import Aig
from ..circuit.simulate import simulate, simulate_bits
from ..core.bits import bits_to_codes, codes_to_bits, pack
from ..core.errors import HardwireError, InputError
from .vectors import Verdict, named, vectors

__all__ = ["Verdict", "prove", "prove_macros"]

PATTERNS = 2048


def prove(a: Circuit, b: Circuit, *, macros: bool = False, timeout: float = 120.0, seed: int = 0) -> Verdict:
    """Prove that ``a`` and ``b`` give the same codes for every input code, or refute it.

    Both need the same input and output words in the same order. A counterexample has as few one bits as clearing them
    one after the other leaves, and is confirmed by the interpreter. What ``timeout`` seconds do not decide is
    ``unknown``. With ``macros`` the facts that the two circuits state are proved too.
    """
    start = time.monotonic()
    _same_words(a, b)
    aig, inputs = _graph(a)
    x, y = aig.embed(a, inputs), aig.embed(b, inputs)
    pairs = [(x[n], y[m]) for n, m in zip(a.output_nets.tolist(), b.output_nets.tolist())]
    free = hints(b, y, seed) | hints(a, x, seed)
    method, outcome = _decide(aig, pairs, a, free, start + timeout, seed)
    if outcome.status == "refuted":
        return _refuted_outputs(a, b, _shrink(aig, pairs, outcome.pattern), method, start)
    verdict = Verdict(outcome.status, seconds=time.monotonic() - start, method=method, detail=outcome.detail)
    for circuit in (a, b) if macros else ():
        if verdict.status == "proved" and circuit.macros:
            verdict = prove_macros(circuit, timeout=start + timeout - time.monotonic(), seed=seed)
    return replace(verdict, seconds=time.monotonic() - start)


def prove_macros(circuit: Circuit, *, timeout: float = 120.0, seed: int = 0) -> Verdict:
    """Prove every fact that ``circuit`` states, for every input code, against its spelling in `arithmetic.py`.

    When one is refuted, ``outputs`` are what it says and what its nets are, under the name of its kind.
    """
    start = time.monotonic()
    aig, inputs = _graph(circuit)
    net = aig.embed(circuit, inputs)
    pairs = []
    for macro in circuit.macros:
        reference = spell(macro)
        fact = aig.embed(reference, [net[n] for n in macro.inputs])
        pairs += [(fact[n], net[m]) for n, m in zip(reference.output_nets.tolist(), macro.outputs)]
    method, outcome = _decide(aig, pairs, circuit, hints(circuit, net, seed), start + timeout, seed)
    if outcome.status == "refuted":
        return _refuted_macro(circuit, _shrink(aig, pairs, outcome.pattern), method, start)
    return Verdict(outcome.status, seconds=time.monotonic() - start, method=method, detail=outcome.detail)


def spell(macro: Macro) -> Circuit:
    """A circuit of one output word over the macro's inputs that does what the macro says."""
    b = CircuitBuilder(macro.kind)
    n = len(macro.inputs)
    nets = [net for i in range(0, n, 64) for net in b.input(f"x{i // 64}", min(64, n - i))]
    if macro.kind == "ge":
        outputs = [arithmetic.at_least(b, nets, macro.value)]
    elif macro.kind == "popcount":
        outputs = arithmetic.popcount(b, nets)
    else:
        width = n // macro.value
        outputs = arithmetic.argmax(b, [nets[i : i + width] for i in range(0, n, width)])
    b.output("y", outputs)
    return b.build()


def _same_words(a: Circuit, b: Circuit) -> None:
    for kind, mine, theirs in (("input", a.inputs, b.inputs), ("output", a.outputs, b.outputs)):
        if len(mine) != len(theirs):
            raise InputError(f"circuit {a.name!r} has {len(mine)} {kind} words and {b.name!r} has {len(theirs)}; "
                             f"compare circuits with the same words")
        for x, y in zip(mine, theirs):
            if x != y:
                raise InputError(f"{kind} {x} of circuit {a.name!r} is {y} in {b.name!r}; compare circuits with the same words")


def _graph(circuit: Circuit) -> tuple[Aig, list[int]]:
    return Aig(circuit.n_input_bits), list(range(2, 2 + 2 * circuit.n_input_bits, 2))


def hints(circuit: Circuit, net: list[int], seed: int) -> dict[int, int]:
    """Random values for the ends of population counts and arg-maxes, which steer the sweep; see `sweep.py`.

    ``net`` are the literals of the circuit's nets. Counts of every size occur, and words that nearly tie.
    """
    from .fraig import HINT

    rng, free = np.random.default_rng(seed), {}
    for macro in circuit.macros:
        n = len(macro.inputs)
        if macro.kind == "popcount":
            bits = rng.random((n, HINT), dtype=np.float32) < rng.random(HINT, dtype=np.float32)
        elif macro.kind == "argmax":
            width = n // macro.value
            top = 1 << min(width, 62)
            near = rng.integers(0, top, HINT) ^ rng.integers(0, min(4, top), (macro.value, HINT))
            codes = np.where(rng.random(HINT) < 0.5, near, rng.integers(0, top, (macro.value, HINT)))
            bits = codes.reshape(-1, 1, HINT) >> np.arange(width)[:, None] & 1
        else:
            continue
        rows = np.packbits(bits.reshape(n, HINT).astype(bool), axis=1, bitorder="little")
        for operand, row in zip(macro.inputs, rows):
            value = int.from_bytes(row.tobytes(), "little")
            free[net[operand] >> 1] = value ^ ((1 << HINT) - 1) if net[operand] & 1 else value
    free.pop(0, None)
    return free


def _decide(aig: Aig, pairs, circuit: Circuit, free: dict, deadline: float, seed: int):
    """Method and outcome for pairs of literals of ``aig`` over the inputs of ``circuit``."""
    from .fraig import Outcome, Sweep

    if all(a == b for a, b in pairs):
        return "structural hashing", Outcome("proved")
    planes = pack(codes_to_bits(vectors(circuit, PATTERNS, seed), circuit.input_widths))
    sweep = Sweep(aig, pairs, patterns=planes.words, free=free, deadline=deadline, seed=seed)
    return ("simulation" if sweep.refuting is not None else "SAT sweeping"), sweep.run()


def _shrink(aig: Aig, pairs, pattern: np.ndarray) -> np.ndarray:
    """Clear one bits, many at once and then one by one, for as long as a pair still differs."""
    from .fraig import Simulator, differing

    simulator, pairs = Simulator(aig), np.array(pairs, dtype=np.int64)
    size = int(pattern.sum())
    while size:
        ones = np.flatnonzero(pattern)
        trials = np.repeat(pattern[None], -(-len(ones) // size), axis=0)
        trials[np.arange(len(ones)) // size, ones] = False
        planes = pack(trials)
        good = np.flatnonzero(differing(simulator(planes.words), pairs, planes.samples))
        if len(good):
            pattern = trials[good[0]]
            size = min(size, int(pattern.sum()))
        else:
            size //= 2
    return pattern


def _refuted_outputs(a: Circuit, b: Circuit, pattern, method: str, start: float) -> Verdict:
    codes = bits_to_codes(pattern[None], a.input_widths)
    mine, theirs = simulate(a, codes)[0], simulate(b, codes)[0]
    _confirm((mine != theirs).any(), a.name)
    outputs = named(a.outputs, mine), named(b.outputs, theirs)
    words = ", ".join(w.name for w, x, y in zip(a.outputs, mine, theirs) if x != y)
    return Verdict("refuted", named(a.inputs, codes[0]), outputs, time.monotonic() - start, method, f"output {words} differs")


def _refuted_macro(circuit: Circuit, pattern, method: str, start: float) -> Verdict:
    codes = bits_to_codes(pattern[None], circuit.input_widths)
    for serial, macro in enumerate(circuit.macros):
        fact = simulate_bits(spell(macro), simulate_bits(circuit, pattern[None], macro.inputs))
        nets = simulate_bits(circuit, pattern[None], macro.outputs)
        if (fact != nets).any():
            said, found = ({macro.kind: int(bits_to_codes(bits, [bits.shape[1]])[0, 0])} for bits in (fact, nets))
            return Verdict("refuted", named(circuit.inputs, codes[0]), (said, found), time.monotonic() - start, method,
                           f"fact {serial}, a {macro.kind} onto net {macro.outputs[0]}, does not hold")
    return _confirm(False, circuit.name)


def _confirm(holds: bool, name: str) -> None:
    if not holds:
        raise HardwireError(f"the interpreter does not confirm a counterexample for circuit {name!r}; please report this")
