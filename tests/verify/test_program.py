"""The packed program, read back: it is the circuit's function, and what the kernels leave undefined is refused."""

from dataclasses import replace

import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder, Macro
from hardwire.circuit.arithmetic import ARGMAXES, COUNTS, argmax, at_least, popcount
from hardwire.circuit.engine.kernels import ARGMAX, POPCOUNT
from hardwire.circuit.engine.program import compile_program
from hardwire.core.errors import FormatError
from hardwire.passes import optimize
from hardwire.verify.program import prove_program, read_program
from tests.helpers import check_same, random_circuit, sample_bits, trained_like


@pytest.mark.parametrize("seed", range(6))
def test_random_circuits_are_read_back(seed):
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng, n_inputs=int(rng.integers(1, 12)), max_arity=seed + 1)
    again = read_program(compile_program(circuit), circuit)
    check_same(circuit, again, sample_bits(rng, circuit))
    assert prove_program(circuit).status == "proved"


@pytest.mark.parametrize("head", [(c, a) for c in COUNTS for a in ("staged", "serial")] + [("columns", a) for a in ARGMAXES])
def test_each_shape_of_a_head_is_proved(rng, head):
    circuit = trained_like(rng, words=6, layers=1, width=33, classes=3, head=head)
    assert prove_program(circuit).status == "proved"


def test_an_optimised_circuit_is_proved(rng):
    circuit = optimize(trained_like(rng, words=8, bits=5, thresholds=4, layers=3, width=60, classes=5), level="O1")[0]
    assert circuit.macros and prove_program(circuit).status == "proved"


def test_words_of_every_width():
    b = CircuitBuilder("words", labels=("a", "b"))
    words = [b.input(f"x{w}", w, offset=float(w), step=0.5) for w in (1, 7, 8, 33, 64)]
    values = [at_least(b, word, max(1, (1 << len(word)) * 5 // 8)) for word in words]
    b.output("y", [*values, 1, 0, words[3][5]])
    b.output("z", words[4])
    circuit = b.build()
    again = read_program(compile_program(circuit), circuit)
    assert (again.inputs, again.outputs, again.labels) == (circuit.inputs, circuit.outputs, circuit.labels)
    assert prove_program(circuit).status == "proved"


def test_more_words_than_a_chunk_and_none():
    b = CircuitBuilder()
    words = [b.input(f"x{i}", 2) for i in range(130)]
    b.output("y", popcount(b, [at_least(b, word, 2) for word in words]))
    assert prove_program(b.build()).status == "proved"
    b = CircuitBuilder()
    b.output("y", [1, b.node(0b01, 0), 0])
    assert prove_program(b.build()).status == "proved"


def test_a_false_macro_is_refuted():
    """The engine believes a macro, so its program is another function."""
    b = CircuitBuilder()
    x = b.input("x", 4)
    b.output("y", b.node(0b1000, *x[:2]))
    verdict = prove_program(b.build().with_(macros=(Macro("ge", tuple(x), (6,), 9),)))
    assert verdict.status == "refuted" and verdict.counterexample


@pytest.fixture
def head():
    b = CircuitBuilder()
    words = [b.input(f"w{i}", 3) for i in range(3)]
    counts = [popcount(b, [b.node(0b01, net) for net in word]) for word in words]
    b.output("y", argmax(b, counts))
    b.output("z", [b.node(0b0110, counts[0][0], counts[1][0]), 1])
    circuit = b.build()
    return circuit, compile_program(circuit)


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


def test_what_the_kernels_leave_undefined_is_refused(head):
    circuit, program = head
    count = int(np.flatnonzero(program.op == POPCOUNT)[0])
    largest = int(np.flatnonzero(program.op == ARGMAX)[0])
    begin, last = int(program.begin[count]), len(program.op) - 1
    wrong = {
        "nothing has written": replace(program, rows=program.rows + 1, a=changed(program.a, begin, program.rows)),
        "names row": replace(program, a=changed(program.a, begin, program.rows)),
        "names row -1": replace(program, outputs=changed(program.outputs, 0, -1)),
        "before it has read": replace(program, out=changed(program.out, begin, int(program.a[begin]))),
        "operation 3": replace(program, op=changed(program.op, last, 3)),
        "step bounds": replace(program, end=changed(program.end, last, len(program.a) + 1)),
        "memory for words": replace(program, scratch=1),
        "arg-max of 0 words": replace(program, b=changed(program.b, int(program.begin[largest]) + 1, 0)),
        "number of results": replace(program, b=changed(program.b, begin, 1 << 20)),
        "output bits": replace(program, first_bit=program.first_bit[:-1]),
        "words of the packing": replace(program, word=changed(program.word, 0, 3)),
        "chunks": replace(program, mask=program.mask[:, 1:]),
        "types": replace(program, threshold=program.threshold.astype(np.uint16)),
        "has 3 bits": replace(program, first_bit=changed(program.first_bit, 1, 1), outputs=program.outputs),
    }
    for says, faulty in wrong.items():
        with pytest.raises(FormatError, match=says):
            read_program(faulty, circuit)
        verdict = prove_program(circuit, faulty)
        assert verdict.status == "refuted" and says in verdict.detail


def test_a_constant_that_a_step_overwrites_is_gone_in_the_next_block():
    b = CircuitBuilder()
    x = b.input("x", 3)
    count = popcount(b, [*x, 1])
    b.output("y", [b.node(0b0110, count[0], x[0]), b.node(0b0110, count[1], x[1])])
    circuit = b.build()
    program = compile_program(circuit)
    assert program.op.tolist() == [POPCOUNT, 0b0110]
    place = int(program.begin[1])
    row, constant = int(program.out[place]), program.constants[1]
    outputs = np.where(program.outputs == row, constant, program.outputs)
    with pytest.raises(FormatError, match=f"reads row {constant}, which nothing has written"):
        read_program(replace(program, out=changed(program.out, place, constant), outputs=outputs), circuit)
