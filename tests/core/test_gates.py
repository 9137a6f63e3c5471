import itertools

import numpy as np
import pytest

from hardwire.core.gates import COEFFICIENTS, GATES, TABLE, TRUTH, expression, mobius, swap_operands

#: Every gate as Python computes it, apart from the table under test.
MEANING = {
    "FALSE": lambda a, b: 0, "NOR": lambda a, b: not (a or b), "A_AND_NOT_B": lambda a, b: a and not b,
    "NOT_B": lambda a, b: not b, "B_AND_NOT_A": lambda a, b: b and not a, "NOT_A": lambda a, b: not a,
    "XOR": lambda a, b: a != b, "NAND": lambda a, b: not (a and b), "AND": lambda a, b: a and b,
    "XNOR": lambda a, b: a == b, "A": lambda a, b: a, "A_OR_NOT_B": lambda a, b: a or not b, "B": lambda a, b: b,
    "B_OR_NOT_A": lambda a, b: b or not a, "OR": lambda a, b: a or b, "TRUE": lambda a, b: 1,
}
CORNERS = [(0, 0), (1, 0), (0, 1), (1, 1)]  # in the order of the address a + 2 b


def test_the_sixteen_rows():
    assert len(GATES) == 16 and [g.table for g in GATES] == list(range(16))
    assert {g.name for g in GATES} == set(MEANING)
    for gate in GATES:
        for address, (a, b) in enumerate(CORNERS):
            assert gate.table >> address & 1 == TRUTH[gate.table, address] == int(MEANING[gate.name](a, b))


def test_the_fixed_points_of_the_convention():
    assert [TABLE[n] for n in ("A", "B", "AND", "OR", "XOR")] == [0b1010, 0b1100, 0b1000, 0b1110, 0b0110]


@pytest.mark.parametrize("name, id_, only", [("A_AND_NOT_B", 2, (1, 0)), ("B_AND_NOT_A", 4, (0, 1))])
def test_asymmetric_conjunctions_are_not_exchanged(name, id_, only):
    assert TABLE[name] == id_
    assert [c for i, c in enumerate(CORNERS) if id_ >> i & 1] == [only]


@pytest.mark.parametrize("name, id_, only", [("A_OR_NOT_B", 11, (0, 1)), ("B_OR_NOT_A", 13, (1, 0))])
def test_asymmetric_disjunctions_are_not_exchanged(name, id_, only):
    assert TABLE[name] == id_
    assert [c for i, c in enumerate(CORNERS) if not id_ >> i & 1] == [only]


def test_polynomials_agree_with_the_tables_on_the_corners():
    for table, (c0, ca, cb, cab) in enumerate(COEFFICIENTS):
        assert [c0 + ca * a + cb * b + cab * a * b for a, b in CORNERS] == TRUTH[table].tolist()


@pytest.mark.parametrize("k", range(5))
def test_mobius_inverts_the_sum_over_subsets(k):
    subsets = [[float(s & m == s) for s in range(1 << k)] for m in range(1 << k)]
    assert np.array_equal(np.array(subsets) @ mobius(k), np.eye(1 << k))


def test_coefficients_of_gates_known_by_heart():
    assert COEFFICIENTS[TABLE["AND"]].tolist() == [0, 0, 0, 1]
    assert COEFFICIENTS[TABLE["OR"]].tolist() == [0, 1, 1, -1]
    assert COEFFICIENTS[TABLE["XOR"]].tolist() == [0, 1, 1, -2]
    assert COEFFICIENTS[TABLE["A_AND_NOT_B"]].tolist() == [0, 1, 0, -1]
    assert COEFFICIENTS[TABLE["B_OR_NOT_A"]].tolist() == [1, -1, 0, 1]


def test_swapped_operands():
    for table, (a, b) in itertools.product(range(16), CORNERS):
        assert table >> (a + 2 * b) & 1 == swap_operands(table) >> (b + 2 * a) & 1
    assert swap_operands(2) == 4 and swap_operands(11) == 13


@pytest.mark.parametrize("gate", GATES, ids=lambda g: g.name)
def test_expressions_compute_the_gate(gate):
    a, b = 0b1010, 0b1100
    assert eval(expression(gate.table, "a", "b")) & 0b1111 == gate.table
    assert eval(f"~({expression(gate.table, 'a', 'b')})") & 0b1111 == gate.table ^ 0b1111
    assert (a, b) == (0b1010, 0b1100)


def test_expressions_spell_constants_as_asked():
    assert expression(0, "a", "b", false="1'b0") == "1'b0"
    assert expression(15, "a", "b", true="1'b1") == "1'b1"
