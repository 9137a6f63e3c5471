"""Input vectors that find faults cheaply, and the comparison of any executor with the interpreter on them."""

import time
from dataclasses import dataclass

import numpy as np

from ..circuit import Circuit
from ..circuit.simulate import simulate
from ..core.bits import bits_to_codes
from ..core.errors import InputError


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    status    ``proved`` for every input, ``simulated`` without a difference, ``refuted``, ``skipped`` (could not be run) or
              ``unknown`` (not decided); the last two are no pass
    counterexample  {input word: code}, confirmed by the interpreter, when refuted
    outputs   the two sides' {output word: code} for it
    samples   how many inputs were simulated
    """

    status: str
    counterexample: dict | None = None
    outputs: tuple[dict, dict] | None = None
    seconds: float = 0.0
    method: str = ""
    detail: str = ""
    samples: int = 0

    def __post_init__(self):
        if self.status not in ("proved", "simulated", "refuted", "skipped", "unknown"):
            raise InputError(f"a verdict is proved, simulated, refuted, skipped or unknown, not {self.status!r}")

    @property
    def passed(self) -> bool:
        return self.status in ("proved", "simulated")

    def __str__(self) -> str:
        """The form of a report: ``proved``, ``simulated N``, ``refuted`` or ``skipped: why``."""
        if self.status in ("skipped", "unknown"):
            return f"skipped: {self.detail}"
        return f"simulated {self.samples}" if self.status == "simulated" else self.status


def vectors(circuit: Circuit, n: int, seed: int = 0) -> np.ndarray:
    """Input codes of shape (n, words): all zero, all one, walking ones for up to a quarter of them, then random ones.

    Each random vector has its own density of ones, from about 1 in 50 to 49 in 50, every other one 1 in 2: gates behind
    many conjunctions rarely change at 1 in 2.
    """
    rng, width = np.random.default_rng(seed), circuit.n_input_bits
    bits = rng.random((n, width), dtype=np.float32) < _densities(rng, n)[:, None]
    bits[:1], bits[1:2] = False, True
    walking = min(width, n // 4, max(0, n - 2))
    bits[2 : 2 + walking] = False
    bits[2 + np.arange(walking), rng.permutation(width)[:walking]] = True
    return bits_to_codes(bits, circuit.input_widths).astype(circuit.input_dtype, copy=False)


def _densities(rng, n: int) -> np.ndarray:
    density = 1 / (1 + np.exp(rng.uniform(-4, 4, n)))
    density[::2] = 0.5
    return density


def named(words, codes) -> dict:
    """One row of codes as {word: code}."""
    return {word.name: int(code) for word, code in zip(words, codes)}


def check_backend(circuit: Circuit, run, codes: np.ndarray) -> Verdict:
    """Compare ``run``, codes (samples, input words) to codes (samples, output words), with the interpreter.

    The verdict is ``simulated N``, or refuted with the first sample that differs; a result of another shape is refuted
    too.
    """
    start = time.monotonic()
    expected, found = simulate(circuit, codes), np.asarray(run(codes))
    if found.shape != expected.shape:
        return Verdict("refuted", seconds=time.monotonic() - start, method="simulation",
                       detail=f"the result has shape {found.shape} where {expected.shape} was due")
    wrong = np.flatnonzero((found != expected).any(axis=1))
    seconds = time.monotonic() - start
    if not len(wrong):
        return Verdict("simulated", seconds=seconds, method="simulation", samples=len(codes))
    at = wrong[0]
    return Verdict("refuted", named(circuit.inputs, codes[at]),
                   (named(circuit.outputs, expected[at]), named(circuit.outputs, found[at])), seconds, "simulation",
                   f"{len(wrong)} of {len(codes)} samples differ, the first is {at}", len(codes))
