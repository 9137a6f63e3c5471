"""Circuits of odd shape whose macros are true by construction: every executor gives the same."""

import shutil

import pytest
from executors import Agreement
from hypothesis import given
from hypothesis import strategies as st
from mutations import examples

from hardwire.circuit import CircuitBuilder, load_circuit, save_circuit
from hardwire.circuit.arithmetic import argmax, at_least, popcount
from tests.helpers import tenth

NUMBER = st.integers(0, 2**16 - 1)
NUMBERS = st.lists(NUMBER, min_size=1, max_size=12)
STEPS = st.lists(st.tuples(st.sampled_from(["node", "copy", "ge", "wide ge", "popcount", "argmax", "macro of copies"]), NUMBERS),
                 min_size=1, max_size=8)
WIDTHS = st.lists(st.sampled_from([1, 1, 2, 3, 4, 8, 33, 63, 64]), min_size=1, max_size=3)


def build(widths, steps, outputs):
    """Operands are any nets so far, constants and repetitions among them; results are read again."""
    b = CircuitBuilder("odd")
    nets = [0, 1, *(net for j, width in enumerate(widths) for net in b.input(f"x{j}", width))]
    inputs = nets[2:]
    for kind, numbers in steps:
        operands = [nets[-1 - n % len(nets)] for n in numbers]
        if kind == "node":
            nets.append(b.node(sum(n << 16 * i for i, n in enumerate(numbers)) % (1 << (1 << min(6, len(operands)))), *operands[:6]))
        elif kind == "copy":
            nets += [b.node(0b10, net) for net in operands]
        elif kind == "ge":
            nets.append(at_least(b, operands, numbers[0] % (1 << len(operands))))
        elif kind == "wide ge":
            low = numbers[0] % len(inputs)
            word = inputs[low : low + 1 + numbers[-1] % 70]
            nets.append(at_least(b, word, numbers[-1] << numbers[0] % len(word)))
        elif kind == "popcount":
            nets += popcount(b, operands * (1 + numbers[0] % 3), ("columns", "tree")[numbers[0] % 2])
        elif kind == "argmax":
            count = 1 + numbers[0] % len(operands)
            words = [operands[i::count][: len(operands) // count] for i in range(count)]
            nets += argmax(b, words, ("staged", "tournament")[numbers[0] % 2])
        elif b._macros:
            macro = b._macros[numbers[0] % len(b._macros)]
            copies = [b.node(0b10, net) for net in macro.outputs]
            b.macro(macro.kind, macro.inputs, copies, macro.value)
            nets += copies
    for j, numbers in enumerate(outputs):
        b.output(f"y{j}", [nets[-1 - n % len(nets)] for n in numbers])
    return b.build()


CIRCUITS = st.builds(build, WIDTHS, STEPS, st.lists(st.lists(NUMBER, min_size=1, max_size=64), min_size=1, max_size=3))


def fuzz(folder, count, every):
    agree = Agreement(every)

    @examples(count)
    @given(CIRCUITS)
    def check(circuit):
        assert load_circuit(save_circuit(circuit, folder / "odd.net")).digest == circuit.digest
        agree(circuit)

    check()
    return agree.seen, agree.compile(folder) if shutil.which("cc") else 0


def test_odd_circuits(tmp_path):
    fuzz(tmp_path, 50, every=10**9)


@pytest.mark.slow
def test_thousands_of_odd_circuits(tmp_path):
    circuits, compiled = fuzz(tmp_path, tenth(4000), every=10)
    print(f"{circuits} circuits, {compiled} ran as C")
    assert circuits == tenth(4000)
