"""Input vectors that find faults cheaply, and the comparison of any executor with the interpreter on them."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..circuit import Circuit, Word
from ..circuit.simulate import simulate
from ..core.bits import bits_to_codes
from ..core.verdict import Verdict

#: Codes, unsigned integers of shape (samples, words).
Codes: TypeAlias = NDArray[np.unsignedinteger[Any]]
#: Codes of the input words to codes of the output words.
Executor: TypeAlias = Callable[[Codes], ArrayLike]
#: Samples that the interpreter takes at a time, and of how many sets of vectors its answers are kept.
BLOCK, KEPT = 4096, 4
_answers: OrderedDict[tuple[str, str, bytes], Codes] = OrderedDict()
_lock = threading.Lock()


def vectors(circuit: Circuit, n: int, seed: int = 0) -> Codes:
    """Input codes that find faults cheaply, shape (n, words).

    All zero, all one, walking ones for up to a quarter of them, then random ones. Each random vector has its own
    density of ones, from about 1 in 50 to 49 in 50, every other one 1 in 2: gates behind many conjunctions rarely
    change at 1 in 2.
    """
    rng, width = np.random.default_rng(seed), circuit.n_input_bits
    bits = rng.random((n, width), dtype=np.float32) < _densities(rng, n)[:, None]
    bits[:1], bits[1:2] = False, True
    walking = min(width, n // 4, max(0, n - 2))
    bits[2 : 2 + walking] = False
    bits[2 + np.arange(walking), rng.permutation(width)[:walking]] = True
    return bits_to_codes(bits, circuit.input_widths).astype(circuit.input_dtype, copy=False)


def _densities(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    density = 1 / (1 + np.exp(rng.uniform(-4, 4, n)))
    density[::2] = 0.5
    return np.asarray(density)


def by_word(words: Sequence[Word], codes: Iterable[Any]) -> dict[str, int]:
    """One row of codes as ``{word: code}``."""
    return {word.name: int(code) for word, code in zip(words, codes, strict=True)}


def interpreted(circuit: Circuit, codes: Codes) -> Codes:
    """``simulate`` in blocks that bound the memory; several checks on the same vectors share the answers."""
    codes = np.ascontiguousarray(codes)
    key = circuit.digest, f"{codes.dtype}{codes.shape}", hashlib.sha256(codes.tobytes()).digest()
    with _lock:
        if key not in _answers:
            blocks = [simulate(circuit, codes[i : i + BLOCK]) for i in range(0, max(1, len(codes)), BLOCK)]
            _answers[key] = np.concatenate(blocks)
            while len(_answers) > KEPT:
                _answers.popitem(last=False)
        return _answers[key]


def check_backend(circuit: Circuit, run: Executor, codes: Codes) -> Verdict:
    """Compare an executor with the interpreter on ``codes``.

    Returns
    -------
    Verdict
        ``simulated N``, or refuted with the first sample that differs. A result of another shape is refuted too.
    """
    start = time.monotonic()
    expected, result = interpreted(circuit, codes), np.asarray(run(codes))
    if result.shape != expected.shape:
        return Verdict("refuted", seconds=time.monotonic() - start, method="simulation",
                       detail=f"the result has shape {result.shape} where {expected.shape} was due")
    wrong = np.flatnonzero((result != expected).any(axis=1))
    seconds = time.monotonic() - start
    if not len(wrong):
        return Verdict("simulated", seconds=seconds, method="simulation", samples=len(codes))
    at = wrong[0]
    return Verdict(
        "refuted", by_word(circuit.inputs, codes[at]), seconds=seconds, method="simulation", samples=len(codes),
        outputs=(by_word(circuit.outputs, expected[at]), by_word(circuit.outputs, result[at])),
        detail=f"{len(wrong)} of {len(codes)} samples differ, the first is {at}",
    )
