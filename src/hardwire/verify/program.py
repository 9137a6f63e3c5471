"""The packed engine's program, read back as a circuit, so that what is run can be proved.

The program is executed on nets in place of bits, in the order in which the kernels load and store: constants, packing,
steps, outputs. What the kernels leave undefined (a row that nothing wrote, an index beyond its array, a macro that
writes a row it has yet to read) is refused and has no meaning as a circuit.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..circuit import Circuit, Macro
from ..circuit.aig import Aig
from ..circuit.arithmetic.shapes import STYLES, macro_circuit, shape_of
from ..circuit.engine.kernels import ARGMAX, POPCOUNT, TABLES
from ..circuit.engine.program import Program, compile_program
from ..circuit.structure import MacroKind
from ..core.errors import FormatError
from ..core.verdict import Verdict
from .cone import cone
from .equivalence import near_shape, prove

#: The literals of false and of true.
ZERO, ONE = 0, 1
#: Words of a chunk of packing.
CHUNK = 64
#: Steps of one macro.
KINDS: dict[int, MacroKind] = {POPCOUNT: "popcount", ARGMAX: "argmax"}


class Value(NamedTuple):
    """A bit: the literal that the program computes, and the one that the circuit would have in its place.

    They differ behind a macro that the circuit spells in another way. The second only tells which macro of the circuit
    a step is.
    """

    literal: int
    alike: int


FALSE, TRUE = Value(ZERO, ZERO), Value(ONE, ONE)


def prove_program(circuit: Circuit, program: Program | None = None, *, timeout: float = 120.0,
                  seed: int = 0) -> Verdict:
    """Prove that the packed engine's program computes ``circuit``, or refute it.

    Parameters
    ----------
    circuit
        The circuit.
    program
        The program; by default what the engine compiles.
    timeout, seed
        Those of ``prove``.

    Returns
    -------
    Verdict
        As of ``prove``. Where the program does what the kernels leave undefined it is refuted without a
        counterexample.
    """
    try:
        again = read_program(compile_program(circuit) if program is None else program, circuit)
    except FormatError as error:
        return Verdict("refuted", method="symbolic execution", detail=str(error))
    return prove(circuit, again, timeout=timeout, seed=seed)


def read_program(program: Program, like: Circuit) -> Circuit:
    """Execute ``program`` symbolically.

    Parameters
    ----------
    program
        What ``compile_program`` gave.
    like
        The circuit whose words and labels are taken over. Population counts and arg-maxes get the shape that they
        have in it, so that a proof meets the same inner points.

    Raises
    ------
    FormatError
        Where the kernels leave undefined what the program does.
    """
    _check_arrays(program, like)
    aig = Aig(like.n_input_bits)
    bits = iter(range(2, 2 + 2 * like.n_input_bits, 2))
    words = [[next(bits) for _ in range(width)] for width in like.input_widths]
    memory, spelling = _Memory(program), _Spelling(aig, like)
    _encode(aig, program, words, memory, spelling)
    for k in range(len(program.op)):
        _step(aig, program, k, memory, spelling)
    return cone(aig, _outputs(program, like, memory), like)


class _Memory:
    """What each row holds, None where nothing wrote it.

    The rows of the constants are set once and not for each block: one that a step writes is not defined at the start
    of the next block.
    """

    def __init__(self, program: Program) -> None:
        self.value: list[Value | None] = [None] * program.rows
        for row, value in zip(program.constants, (FALSE, TRUE), strict=True):
            self._check(row, "the constants")
            self.value[row] = value
        for k in range(len(program.op)):
            for row in _results(program, k):
                self._check(row, f"step {k}")
                if row in program.constants:
                    self.value[row] = None

    def _check(self, row: int, where: str) -> None:
        if not 0 <= row < len(self.value):
            raise FormatError(f"{where} of the packed program names row {row}; it has {len(self.value)}")

    def read(self, row: int, where: str) -> Value:
        self._check(row, where)
        value = self.value[row]
        if value is None:
            raise FormatError(f"{where} of the packed program reads row {row}, which nothing has written")
        return value


def _check_arrays(program: Program, like: Circuit) -> None:
    """Lengths, types and bounds of all arrays, before any is used as an index."""
    p, chunks, steps, operands = program, len(program.word), len(program.op), len(program.a)
    fits = {
        "steps": len(p.begin) == len(p.end) == steps and len(p.b) == len(p.out) == operands,
        "step bounds": bool(((p.begin >= 0) & (p.begin <= p.end) & (p.end <= operands)).all()),
        "chunks": p.mask.shape == p.threshold.shape == (chunks, CHUNK) and 0 <= CHUNK * chunks <= p.rows,
        "types of the packing": p.mask.dtype == p.threshold.dtype == like.input_dtype,
        "words of the packing": bool(((p.word >= 0) & (p.word < max(1, len(like.inputs)))).all()),
        "output bits": len(p.first_bit) > len(like.outputs) and bool(
            ((p.first_bit >= 0) & (p.first_bit <= len(p.outputs))).all()),
    }
    for what, well in fits.items():
        if not well:
            raise FormatError(f"the {what} of the packed program for circuit {like.name!r} do not fit")


def _results(program: Program, k: int) -> list[int]:
    """The rows that step ``k`` writes."""
    begin, end = int(program.begin[k]), int(program.end[k])
    if program.op[k] not in (POPCOUNT, ARGMAX):
        return [int(row) for row in program.out[begin:end]]
    operands = 1 + (program.op[k] == ARGMAX)
    if begin + operands > len(program.b) or not 0 <= program.b[begin] <= len(program.out) - begin:
        raise FormatError(f"step {k} of the packed program has no number of results")
    return [int(row) for row in program.out[begin : begin + int(program.b[begin])]]


def _encode(aig: Aig, program: Program, words: Sequence[list[int]], memory: "_Memory",
            spelling: "_Spelling") -> None:
    """Row ``64 c + j`` becomes ``(word[c] + j & mask[c, j]) >= threshold[c, j]``; words beyond the last are 0."""
    masks, thresholds = program.mask.tolist(), program.threshold.tolist()
    for c, first in enumerate(program.word.tolist()):
        for j in range(CHUNK):
            word = words[first + j] if first + j < len(words) else []
            kept = [literal if masks[c][j] >> i & 1 else ZERO for i, literal in enumerate(word)]
            literal = _at_least(aig, kept, thresholds[c][j])
            memory.value[CHUNK * c + j] = Value(literal, spelling.comparison.get(literal, literal))


def _at_least(aig: Aig, word: list[int], value: int) -> int:
    """``word >= value``, LSB first, as a chain from the lowest bit on that is set in ``value``."""
    if value == 0 or value >> len(word):
        return ZERO if value else ONE
    low = (value & -value).bit_length() - 1
    result = word[low]
    for j in range(low + 1, len(word)):
        result = aig.and_(word[j], result) if value >> j & 1 else aig.and_(word[j] ^ 1, result ^ 1) ^ 1
    return result


def _step(aig: Aig, program: Program, k: int, memory: _Memory, spelling: "_Spelling") -> None:
    operation, where = int(program.op[k]), f"step {k}"
    first, last = int(program.begin[k]), int(program.end[k])
    if operation in TABLES:
        rows = (x[first:last].tolist() for x in (program.a, program.b, program.out))
        for x, y, out in zip(*rows, strict=True):
            (a, a_alike), (b, b_alike) = memory.read(x, where), memory.read(y, where)
            memory.value[out] = Value(aig.gate(operation, a, b), aig.gate(operation, a_alike, b_alike))
        return
    if operation not in KINDS:
        raise FormatError(f"{where} of the packed program has operation {operation}, which the engine does not know")
    operands, results = program.a[first:last].tolist(), _results(program, k)
    if len(set(results)) < len(results) or set(results) & set(operands):
        raise FormatError(f"{where} of the packed program writes a row twice or before it has read it")
    words = int(program.b[first + 1]) if operation == ARGMAX else 0
    if operation == ARGMAX and (words < 1 or len(operands) // words > program.scratch):
        raise FormatError(f"{where} of the packed program is an arg-max of {words} words over {len(operands)} rows, "
                          f"with memory for words of {program.scratch} bits")
    total = spelling(KINDS[operation], [memory.read(row, where) for row in operands], words)
    for j, row in enumerate(results):
        memory.value[row] = total[j] if j < len(total) else FALSE


def _outputs(program: Program, like: Circuit, memory: _Memory) -> list[int]:
    """Bits beyond a word's width must be constant false, as no code holds them; bits that are missing are false."""
    bounds, literals = program.first_bit.tolist(), list[int]()
    for word, begin, end in zip(like.outputs, bounds, bounds[1:]):
        where = f"output {word.name}"
        bits = [memory.read(int(row), where).literal for row in program.outputs[begin:end]]
        if any(literal != ZERO for literal in bits[word.width :]):
            raise FormatError(f"{where} of the packed program has {len(bits)} bits; the circuit has {word.width}")
        literals += [*bits, *[ZERO] * word.width][: word.width]
    return literals


class _Spelling:
    """Population counts and arg-maxes in gates, in the shape that the same macro of the circuit ``like`` has.

    A macro is the same where its operands are; ``aig`` then holds the circuit beside the program. Which shape is taken
    changes how quick a proof is, and not what is proved: each shape is the function that the kernel computes.
    """

    def __init__(self, aig: Aig, like: Circuit) -> None:
        self.aig, self.like = aig, like
        self.net = aig.embed(like, list(range(2, 2 + 2 * like.n_input_bits, 2)))
        self.own, self.scratch = aig.copy(), aig.copy()
        self.comparison: dict[int, int] = {}  # literals of chains -> those that the circuit has in their place
        self.macro: dict[tuple[str, int, tuple[int, ...]], Macro] = {}
        for macro in like.macros:
            literals, result = [self.net[n] for n in macro.inputs], self.net[macro.outputs[0]]
            if macro.kind == "ge":
                self.comparison.setdefault(_at_least(aig, literals, macro.value), result)
            else:
                self.macro.setdefault(_key(macro.kind, macro.value, literals), macro)

    def __call__(self, kind: MacroKind, operands: list[Value], words: int) -> list[Value]:
        """The bits of a count, or of the index of the largest of ``words`` words, all of one width."""
        operands = operands[: len(operands) // words * words] if words else operands
        if not operands:
            return []
        literals = [x.literal for x in operands]
        macro = self.macro.get(_key(kind, words, [x.alike for x in operands]))
        filled = self._with_zeros(macro, literals) if macro else None
        if macro is None or filled is None:
            return [Value(x, x) for x in self._spell(kind, literals, words, STYLES[kind][0])]
        style = shape_of(self.scratch, self.net, macro) or near_shape(self.like, self.own, self.net, macro, 0)
        total = self._spell(kind, filled, words, style)
        return [Value(x, self.net[n]) for x, n in zip(total, macro.outputs)]

    def _with_zeros(self, macro: Macro, operands: list[int]) -> list[int] | None:
        """The operands with the constants false among them that the macro has, or None where others are constant."""
        zeros, rest = [self.net[n] == ZERO for n in macro.inputs], [x for x in operands if x != ZERO]
        if macro.kind == "argmax" or zeros.count(False) != len(rest):
            return operands if macro.kind == "argmax" else None
        left = iter(rest)
        return [ZERO if zero else next(left) for zero in zeros]

    def _spell(self, kind: MacroKind, operands: list[int], words: int, style: str) -> list[int]:
        reference = macro_circuit(Macro(kind, tuple(range(len(operands))), (), words), style)
        literals = self.aig.embed(reference, operands)
        return [literals[n] for n in reference.output_nets.tolist()]


def _key(kind: MacroKind, words: int, literals: Sequence[int]) -> tuple[str, int, tuple[int, ...]]:
    """What makes two macros the same; the engine leaves zeros out of a count, and not out of an arg-max."""
    if kind == "argmax":
        return kind, words, tuple(literals)
    return kind, words, tuple([x for x in literals if x != ZERO])
