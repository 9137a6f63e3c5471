import numpy as np
import pytest
from helpers import random_circuit, sample_bits

from hardwire.circuit import CircuitBuilder, Macro, Word
from hardwire.circuit.circuit import FALSE, TRUE
from hardwire.circuit.simulate import simulate, simulate_bits
from hardwire.core.errors import FormatError, InputError
from hardwire.core.gates import TABLE


def words(*widths, offset=0.0, step=1.0):
    b = CircuitBuilder("reader")
    for i, w in enumerate(widths):
        b.input(f"w{i}", w, offset=offset, step=step)
    b.output("y", 0)
    return b.build()


def half_adder():
    b = CircuitBuilder("half_adder", labels=("even", "odd"))
    (a,), word = b.input("a"), b.input("word", 3)
    with b.stage("encoder"):
        bit = b.node(0b10, word[2])
    with b.stage("network"):
        total = b.node(TABLE["XOR"], a, bit)
        carry = b.node(TABLE["AND"], a, bit)
        wide = b.node(0xE8, a, word[0], word[1])
        no = b.node(0b01, carry)
    b.macro("ge", word, [bit], 4)
    b.output("sum", [total, carry])
    b.output("rest", [wide, no, TRUE, word[1]])
    return b.build()


# --------------------------------------------------------------------------------------------------------- printed form


def test_printed_form():
    assert half_adder().text() == """\
circuit half_adder
input a[1]
input word[3]
n6 = WIRE(word[2])  # encoder
n7 = XOR(a, n6)  # network
n8 = AND(a, n6)  # network
n9 = LUT3:e8(a, word[0], word[1])  # network
n10 = NOT(n8)  # network
macro n6 = ge(word[0] word[1] word[2]; 4)
output sum[2] = n7 n8
output rest[4] = n9 n10 1 word[1]
"""
    assert repr(half_adder()) == "<Circuit 'half_adder': 2 inputs, 5 nodes, depth 3>"


def test_sizes_and_nets():
    c = half_adder()
    assert (c.n_nodes, c.n_input_bits, c.first_node, c.n_nets) == (5, 4, 6, 11)
    assert c.input_widths == [1, 3] and c.output_widths == [2, 4]
    assert c.input_dtype == c.output_dtype == np.uint8
    assert c.inputs == (Word("a", 1), Word("word", 3)) and c.labels == ("even", "odd")
    assert c.fanin.shape == (5, 3) and c.fanin.dtype == np.int32 and c.fanin[0].tolist() == [5, 0, 0]


def test_levels_and_depth():
    c = half_adder()
    assert c.level.tolist() == [0, 0, 0, 0, 0, 0, 1, 2, 2, 1, 3]
    assert c.depth == 3 and c.with_(output_nets=np.array([7, 8, 9, 9, 1, 4])).depth == 2


def test_digest_identifies_the_circuit():
    assert half_adder().digest == half_adder().digest
    assert half_adder().digest != half_adder().with_(name="other").digest


# ------------------------------------------------------------------------------------------------------------- builder


def test_node_adds_exactly_what_it_is_given():
    b = CircuitBuilder()
    (a,) = b.input("a")
    nets = [b.node(TABLE["A"], a, a), b.node(0, FALSE), b.node(TABLE["AND"], TRUE, a), b.node(TABLE["AND"], TRUE, a)]
    assert nets == [3, 4, 5, 6]


@pytest.mark.parametrize("table", range(16))
def test_gate_folds_to_the_same_function(table):
    """Operands constant, equal or free: the folded gate is the function, and a constant or a wire costs no node."""
    b, plain = CircuitBuilder("folded"), CircuitBuilder("plain")
    x, y = b.input("x")[0], b.input("y")[0]
    plain.input("x"), plain.input("y")
    pairs = [(p, q) for p in (FALSE, TRUE, x, y) for q in (FALSE, TRUE, x, y)]
    for i, (p, q) in enumerate(pairs):
        b.output(f"o{i}", b.gate(table, p, q))
        plain.output(f"o{i}", plain.node(table, p, q))
    folded, plain = b.build(), plain.build()
    bits = sample_bits(None, folded)
    assert np.array_equal(simulate_bits(folded, bits), simulate_bits(plain, bits))
    for net, (p, q) in zip(folded.output_nets.tolist(), pairs):
        column = simulate_bits(plain, bits)[:, pairs.index((p, q))]
        trivial = any(np.array_equal(column, v) for v in (bits[:, 0], bits[:, 1], 0 * bits[:, 0], 0 * bits[:, 0] + 1))
        assert (net < folded.first_node) == trivial
    assert not any(k == 2 and t in (0, 3, 5, 10, 12, 15) for k, t in zip(folded.arity.tolist(), folded.table.tolist()))


def test_named_gates():
    b = CircuitBuilder()
    s, x, y = (b.input(n)[0] for n in "sxy")
    for i, net in enumerate((b.not_(x), b.and_(x, y), b.or_(x, y), b.xor(x, y), b.mux(s, x, y))):
        b.output(f"y{i}", net)
    assert b.mux(s, x, x) == x and b.mux(FALSE, x, y) == x and b.mux(TRUE, x, y) == y
    c = b.build()
    s, x, y = sample_bits(None, c).T
    assert np.array_equal(simulate_bits(c, sample_bits(None, c)).T, [~x, x & y, x | y, x ^ y, np.where(s, y, x)])


@pytest.mark.parametrize("use, message", [
    (lambda b: b.input("w", 0), "input 'w' has 0 bits"),
    (lambda b: b.input("w", 65), "input 'w' has 65 bits"),
    (lambda b: (b.node(0, 0), b.input("late")), "input 'late' comes after a node; add every input first"),
    (lambda b: b.node(0), "1 to 6 operands, not 0"),
    (lambda b: b.node(0, *[0] * 7), "1 to 6 operands, not 7"),
    (lambda b: b.node(0b10, 3), "node 3 reads net 3, which does not come before it"),
    (lambda b: b.node(0b10, -1), "does not come before it"),
    (lambda b: b.node(16, 0, 0), "table 0x10 does not fit 2 operands"),
    (lambda b: b.node(-1, 0, 0), "does not fit"),
    (lambda b: b.output("y", []), "output 'y' has 0 bits"),
    (lambda b: b.output("y", [0] * 65), "output 'y' has 65 bits"),
    (lambda b: b.macro("sort", [0], [0]), "macro 'sort' is none of ge, popcount, argmax"),
    (lambda b: b.stage("tail").__enter__(), "stage 'tail' is none of encoder, network, head"),
])
def test_builder_refusals(use, message):
    b = CircuitBuilder()
    b.input("a")
    with pytest.raises(InputError, match=message):
        use(b)


def test_stages_nest_and_end():
    b = CircuitBuilder()
    with b.stage("encoder"):
        b.node(0, 0)
        with b.stage("head"):
            b.node(0, 0)
        b.node(0, 0)
    b.node(0, 0)
    assert b.build().stage.tolist() == [0, 2, 0, 1]


def test_build_checks():
    b = CircuitBuilder()
    b.input("no name")
    with pytest.raises(FormatError, match=r"'no name' .* is no identifier"):
        b.build()


def test_six_inputs_and_full_tables():
    b = CircuitBuilder()
    nets = b.input("x", 6)
    b.output("y", [b.node(2**64 - 1, *nets), b.node(1 << 63, *nets)])
    assert simulate(b.build(), np.arange(64, dtype=np.uint8)[:, None]).ravel().tolist() == [1] * 63 + [3]


# --------------------------------------------------------------------------------------------------------------- codes


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int8, np.int64, np.uint64])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray, lambda x: np.repeat(x, 2, 0)[::2],
                                    lambda x: x[::-1].copy()[::-1]])
def test_codes_of_any_integer_and_layout(dtype, layout):
    x = np.array([[0, 5], [3, 7], [1, 0]], dtype=dtype)
    codes = words(2, 3).codes(layout(x))
    assert codes.dtype == np.uint8 and codes.flags.c_contiguous and np.array_equal(codes, x)


def test_codes_of_lists_booleans_and_nothing():
    assert words(2, 3).codes([[1, 7]]).tolist() == [[1, 7]]
    assert words(1, 1).codes(np.array([[True, False]])).tolist() == [[1, 0]]
    assert words(2, 3).codes(np.zeros((0, 2), dtype=int)).shape == (0, 2)
    assert words().codes(np.zeros((4, 0), dtype=int)).shape == (4, 0)


@pytest.mark.parametrize("x, message", [
    (np.zeros(3), r"shape \(3,\), but circuit 'reader' reads \(samples, 2\); give one column for each input word"),
    (np.zeros((3, 1), int), r"shape \(3, 1\)"),
    (np.zeros((1, 2, 2), int), r"shape \(1, 2, 2\)"),
    (np.array([[0, 0], [0, 8]]), "sample 1 has 8 in input 'w1', which holds 0 to 7"),
    (np.array([[0, 0], [4, 0]], dtype=np.uint8), "sample 1 has 4 in input 'w0', which holds 0 to 3"),
    (np.array([[-1, 0]]), "sample 0 has -1 in input 'w0'"),
    (np.array([[2**40, 0]]), "in input 'w0'"),
    (np.array([["a", "b"]]), "dtype <U1; give numbers"),
    (np.array([[1j, 0]]), "dtype complex128; give numbers"),
    (np.array([[None, 1]]), "dtype object; give numbers"),
    (np.array([[0.0, np.nan]]), "sample 0 has nan in input 'w1'; remove or fill it"),
    (np.array([[0.0, 1], [-np.inf, 0]]), "sample 1 has -inf in input 'w0'"),
])
def test_codes_that_are_refused(x, message):
    with pytest.raises(InputError, match=message):
        words(2, 3).codes(x)


def test_real_values_are_quantised_and_saturate():
    c = words(3, offset=-1.0, step=0.25)
    x = np.array([-9, -1.01, -1, -0.76, -0.75, 0, 0.74, 0.75, 0.99, 1e300])[:, None]
    expected = [0, 0, 0, 0, 1, 4, 6, 7, 7, 7]
    assert c.codes(x).ravel().tolist() == expected
    assert c.codes(x[1:-1].astype(np.float32)).ravel().tolist() == expected[1:-1]
    assert words(3).codes(np.array([[2.9], [-0.1], [7.5], [8.0]])).ravel().tolist() == [2, 0, 7, 7]


def test_signed_integers_are_physical_where_a_word_is_scaled():
    c = words(3, offset=-2.0)
    assert c.codes(np.array([[-3], [-2], [0], [99]])).ravel().tolist() == [0, 0, 2, 7]
    assert c.codes(np.array([[5]], dtype=np.uint8)).tolist() == [[5]]  # unsigned: a code already
    with pytest.raises(InputError, match="has 8 in input"):
        c.codes(np.array([[8]], dtype=np.uint8))


@pytest.mark.parametrize("dtype", [bool, "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize("offset, step", [(0.0, 1.0), (-3.0, 1.0), (0.25, 0.125), (0.0, 0.5)])
def test_values_are_values_whatever_their_type(dtype, offset, step):
    b = CircuitBuilder("two")
    b.input("one", 4, offset=offset, step=step)
    b.output("y", b.input("two", 4))
    circuit = b.build()
    values = np.random.default_rng(0).integers(0, 2, (40, 2))
    expected = np.stack([np.clip(np.floor((values[:, 0] - offset) / step), 0, 15), values[:, 1]], axis=1)
    found = circuit.codes_of_values(values.astype(dtype))
    assert found.dtype == circuit.input_dtype and np.array_equal(found, expected)
    if dtype not in ("u1", "u2", "u4", "u8"):  # which ``codes`` takes for codes
        assert np.array_equal(circuit.codes(values.astype(dtype)), expected)
    else:
        assert np.array_equal(circuit.codes(values.astype(dtype)), values)


@pytest.mark.parametrize("width, dtype", [
    (1, "u1"), (8, "u1"), (9, "u2"), (16, "u2"), (17, "u4"), (33, "u8"), (64, "u8")])
def test_the_largest_code_of_every_width(width, dtype):
    c, top = words(width), (1 << width) - 1
    codes = c.codes(np.array([[top]], dtype=np.uint64))
    assert codes.dtype == np.dtype(dtype) and int(codes[0, 0]) == top
    assert int(c.codes(np.array([[2.0**70]]))[0, 0]) == top
    if width < 64:
        with pytest.raises(InputError, match=f"which holds 0 to {top}"):
            c.codes(np.array([[top + 1]], dtype=np.uint64))
    else:
        assert int(c.codes(np.array([[2.0**63]]))[0, 0]) == 2**63


def test_words_of_different_widths_share_a_dtype():
    with pytest.raises(InputError, match="sample 0 has 4 in input 'w1', which holds 0 to 3"):
        words(12, 2).codes(np.array([[4095, 4]], dtype=np.uint16))


def test_random_circuits_are_sound(rng):
    for _ in range(5):
        c = random_circuit(rng, max_arity=6)
        assert len(c.level) == c.n_nets and c.depth <= 4


def test_macros_are_kept_as_stated():
    assert half_adder().macros == (Macro("ge", (3, 4, 5), (6,), 4),)
