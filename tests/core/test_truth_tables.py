"""Truth tables against their definition, bit by bit."""

from itertools import permutations, product

import numpy as np
import pytest

from hardwire.core.gates import GATES, TABLE
from hardwire.core.truth_tables import (
    cofactors,
    compose,
    decompose,
    depends,
    evaluate,
    evaluate_gate,
    flip,
    ones,
    packed_projections,
    permute,
    projection,
    restrict,
    shrink,
    support,
)


def random_tables(rng, k, count=40):
    return [0, ones(k), *(int.from_bytes(rng.bytes(8), "little") & ones(k) for _ in range(count))]


def value(table, operands):
    """The definition: operand 0 is the least significant address bit."""
    return table >> sum(bool(x) << i for i, x in enumerate(operands)) & 1


def bits(m, k):
    return [m >> i & 1 for i in range(k)]


def tabulate(function, k):
    return sum(function(bits(m, k)) << m for m in range(1 << k))


@pytest.mark.parametrize("k", range(1, 9))
def test_projections_are_the_operands(k):
    for i in range(k):
        assert projection(i, k) == tabulate(lambda x, i=i: x[i], k)


@pytest.mark.parametrize("k", [1, 3, 6, 7, 9])
def test_packed_projections_hold_the_same_bits(k):
    rows = packed_projections(k)
    assert rows.dtype == np.uint64 and rows.shape == (k, max(1, 2**k // 64))
    for i, row in enumerate(rows):
        packed = sum(int(word) << 64 * w for w, word in enumerate(row.tolist()))
        repeats = max(1, 64 >> k)
        assert packed == sum(projection(i, k) << (r << k) for r in range(repeats))


@pytest.mark.parametrize("k", range(1, 7))
def test_support_cofactors_and_flip_follow_the_definition(k, rng):
    for table in random_tables(rng, k):
        for i in range(k):
            low, high = cofactors(table, k, i)
            assert low == tabulate(lambda x, t=table, i=i: value(t, [*x[:i], 0, *x[i:]]), k - 1)
            assert high == tabulate(lambda x, t=table, i=i: value(t, [*x[:i], 1, *x[i:]]), k - 1)
            assert depends(table, k, i) == (low != high) == bool(support(table, k) >> i & 1)
            assert flip(table, k, i) == tabulate(
                lambda x, t=table, i=i: value(t, [*x[:i], 1 - x[i], *x[i + 1 :]]), k)


@pytest.mark.parametrize("k", range(0, 7))
def test_shrink_keeps_the_function_and_only_what_matters(k, rng):
    for table in random_tables(rng, k):
        if k > 1 and table & 1:  # some that do not depend on an operand
            table = compose(table, [projection(i, k) if i != 1 else 0 for i in range(k)], k)
        small, kept = shrink(table, k)
        assert support(small, len(kept)) == (1 << len(kept)) - 1
        assert table == tabulate(lambda x, s=small, kept=kept: value(s, [x[i] for i in kept]), k)


@pytest.mark.parametrize("k", range(1, 5))
def test_restrict_fixes_operands(k, rng):
    for table in random_tables(rng, k, 5):
        for values in product((0, 1, None), repeat=k):
            small, kept = restrict(table, values)
            assert all(values[i] is None for i in kept) and support(small, len(kept)) == (1 << len(kept)) - 1
            for m in range(1 << k):
                x = [free if v is None else v for v, free in zip(values, bits(m, k))]
                assert value(small, [x[i] for i in kept]) == value(table, x)


def test_permute_orders_operands_as_transpose_orders_axes(rng):
    k = 4
    for table in random_tables(rng, k, 6):
        array = np.array(bits(table, 16)).reshape((2,) * k).transpose()  # axis i is operand i
        for order in permutations(range(k)):
            assert permute(table, k, order) == sum(
                int(array.transpose(order)[tuple(bits(m, k))]) << m for m in range(16))


def test_compose_is_the_table_of_tables(rng):
    for table in random_tables(rng, 3, 10):
        inner = random_tables(rng, 4, 1)
        assert compose(table, inner, 4) == tabulate(
            lambda x, t=table, f=inner: value(t, [value(g, x) for g in f]), 4)


@pytest.mark.parametrize("k", range(1, 7))
def test_decompose_builds_the_function_from_gates_whose_operands_matter(k, rng):
    inputs = [projection(i, k) for i in range(k)]
    for table in random_tables(rng, k, 60):
        used = []

        def gate(t, a, b, used=used):
            used.append(t)
            assert 0 <= t < 16
            if a == b:
                assert t in (TABLE["NOT_A"], TABLE["TRUE"], TABLE["FALSE"])
            else:
                assert support(t, 2) == 0b11
            return compose(t, [a, b], k)

        assert decompose(table, inputs, gate) == table
        if table in inputs:
            assert not used


def test_decompose_takes_one_gate_for_a_constant_cofactor_and_for_complements():
    def cost(table, k):
        used = []
        decompose(table, list(range(k)), lambda t, a, b: used.append(t) or object())
        return len(used)

    assert cost(0b1111_1110, 3) == 2  # a or b or c
    assert cost(0b1001_0110, 3) == 2  # a xor b xor c
    assert cost(0b1100_1010, 3) == 3  # c ? b : a
    assert cost(0b1100_0101, 3) == 4  # c ? b : not a
    assert cost(0b0101_0000, 3) == 1  # c and not a; b does not matter


@pytest.mark.parametrize("k", range(1, 7))
def test_evaluate_is_the_table_on_every_bit(k, rng):
    operands = [rng.integers(0, 2**64, 3, dtype=np.uint64) for _ in range(k)]
    planes = [np.unpackbits(x.view(np.uint8), bitorder="little") for x in operands]
    for table in random_tables(rng, k, 20):
        expected = [value(table, column) for column in zip(*planes)]
        found = np.unpackbits(evaluate(table, operands).view(np.uint8), bitorder="little")
        np.testing.assert_array_equal(found, expected)


def test_evaluate_gate_knows_every_gate(rng):
    a, b = rng.integers(0, 2**64, (2, 5), dtype=np.uint64)
    full = 2**64 - 1
    for gate in GATES:
        expected = [compose_words(gate.table, int(x), int(y), full) for x, y in zip(a, b)]
        assert evaluate_gate(gate.table, a, b).tolist() == expected


def compose_words(table, x, y, full):
    terms = [(x if m & 1 else ~x) & (y if m & 2 else ~y) & full for m in range(4) if table >> m & 1]
    return sum(terms)


def test_support_of_two_input_gates():
    corners = [(0, 0), (1, 0), (0, 1), (1, 1)]
    for table in range(16):
        expected = sum(1 << i for i in range(2)
                       if any(value(table, c) != value(table, [v ^ (j == i) for j, v in enumerate(c)]) for c in corners))
        assert support(table, 2) == expected


def test_support_of_wide_tables(rng):
    for k in range(1, 7):
        used = int(rng.integers(0, 1 << k))
        table = sum((bin(m & used).count("1") & 1) << m for m in range(1 << k))  # parity of the used operands
        assert support(table, k) == used
