import numpy as np
import pytest
from helpers import trained_like

from hardwire.circuit import CircuitBuilder, Macro, Word
from hardwire.circuit.arithmetic import at_least
from hardwire.circuit.check import check
from hardwire.core.errors import FormatError


def circuit():
    b = CircuitBuilder("c", labels=("a", "b"))
    nets = b.input("x", 3)
    first = b.node(0b1000, nets[0], nets[1])
    second = b.node(0xE8, *nets)
    b.output("y", [first, second])
    return b.build()


def changed(array, at, value):
    array = array.copy()
    array[at] = value
    return array


BROKEN = {
    "input name": (lambda c: {"inputs": (Word("3x", 3),)},
                   "input '3x' of circuit 'c' is no identifier or appears twice"),
    "empty name": (lambda c: {"inputs": (Word("", 3),)}, "input '' of circuit"),
    "name with an end of line": (lambda c: {"outputs": (Word("y\n", 2),)}, "output 'y.n' of circuit"),
    "input twice": (lambda c: {"inputs": (Word("x", 1), Word("x", 2))},
                    "input 'x' of circuit 'c' is no identifier or appears"),
    "output twice": (lambda c: {"outputs": (Word("y", 1), Word("y", 1))}, "output 'y' of circuit"),
    "no width": (lambda c: {"inputs": (Word("x", 3), Word("z", 0))}, "input 'z': width 0"),
    "wide word": (lambda c: {"outputs": (Word("y", 65),)}, "output 'y': width 65"),
    "no step": (lambda c: {"inputs": (Word("x", 3, step=0.0),)}, r"step 0\.0"),
    "step not a number": (lambda c: {"inputs": (Word("x", 3, step=float("nan")),)}, "step nan"),
    "offset not finite": (lambda c: {"inputs": (Word("x", 3, offset=float("inf")),)}, "offset inf"),
    "line in a label": (lambda c: {"labels": ("a\nnodes 0", "b")}, "label .* has a line break"),
    "line in the name": (lambda c: {"name": "a\rb"}, "name .* has a line break"),
    "short arity": (lambda c: {"arity": c.arity[:1]}, "node arrays have different lengths"),
    "short stage": (lambda c: {"stage": c.stage[:1]}, "node arrays have different lengths"),
    "short fanin": (lambda c: {"fanin": c.fanin[:1]}, "node arrays have different lengths"),
    "flat fanin": (lambda c: {"fanin": c.fanin[:, 0]}, "node arrays have different lengths"),
    "no operands": (lambda c: {"arity": changed(c.arity, 0, 0)}, "node 5 of circuit 'c' has no 1 to 3 operands"),
    "too many operands": (lambda c: {"arity": changed(c.arity, 1, 4)}, "node 6 of circuit 'c' has no 1 to 3 operands"),
    "seven operands": (lambda c: {"arity": changed(c.arity, 1, 7), "fanin": np.pad(c.fanin, ((0, 0), (0, 4)))},
                       "node 6 of circuit 'c' has no 1 to 6 operands"),
    "reads itself": (lambda c: {"fanin": changed(c.fanin, (1, 2), 6)},
                     "node 6 of circuit 'c' reads a net that does not come"),
    "reads what follows": (lambda c: {"fanin": changed(c.fanin, (0, 0), 6)}, "node 5 of circuit 'c' reads a net"),
    "reads below zero": (lambda c: {"fanin": changed(c.fanin, (0, 0), -1)}, "node 5 of circuit 'c' reads a net"),
    "operand beyond arity": (lambda c: {"fanin": changed(c.fanin, (0, 2), 2)}, "names an operand beyond its arity"),
    "table too wide": (lambda c: {"table": changed(c.table, 0, 16)},
                       "node 5 of circuit 'c' has a table wider than its"),
    "table of three too wide": (lambda c: {"table": changed(c.table, 1, 256)},
                                "node 6 of circuit 'c' has a table wider"),
    "no stage": (lambda c: {"stage": changed(c.stage, 1, 3)}, "node 6 of circuit 'c' belongs to no stage"),
    "few outputs": (lambda c: {"output_nets": c.output_nets[:1]}, "has 1 output nets for 2 bits"),
    "output beyond": (lambda c: {"output_nets": np.array([5, 7])}, "names a net that does not exist"),
    "output below": (lambda c: {"output_nets": np.array([5, -1])}, "names a net that does not exist"),
    "word of half bits": (lambda c: {"inputs": (Word("x", 3.0),)}, "input 'x': width 3.0"),
    "word of a true bit": (lambda c: {"inputs": (Word("x", True), Word("z", 2))}, "input 'x': width True"),
    "step of text": (lambda c: {"inputs": (Word("x", 3, step="1"),)}, "step 1"),
    "range without an end": (lambda c: {"inputs": (Word("x", 3, -1e308, 1e308),)}, "a finite end of the range"),
    "name that is no text": (lambda c: {"outputs": (Word(7, 2),)}, "output '7' of circuit"),
    "long name of a word": (lambda c: {"outputs": (Word("y" * 5000, 2),)}, "output 'y{40}' of circuit"),
    "long name": (lambda c: {"name": "c" * 5000}, "name 'c{40}' of circuit 'c{40}' is no text or longer than 4096"),
    "no name": (lambda c: {"name": None}, "name 'None' of circuit 'None' is no text"),
    "escape in the name": (lambda c: {"name": "\x1b[2J"}, "name .* has a control character or half"),
    "NUL in a label": (lambda c: {"labels": ("a\0", "b")}, "label .* has a control character"),
    "surrogate in a label": (lambda c: {"labels": ("a", "\ud800")}, "label .* half of a surrogate pair"),
    "label that is no text": (lambda c: {"labels": ("a", 1)}, "label '1' of circuit 'c' is no text"),
    "fractional operands": (lambda c: {"fanin": c.fanin + 0.5}, "fanin of circuit 'c' has dtype float64"),
    "signed tables": (lambda c: {"table": c.table.astype(np.int64)}, "table of circuit 'c' has dtype int64"),
    "fractional outputs": (lambda c: {"output_nets": c.output_nets * 1.0}, "output_nets of circuit 'c' has dtype"),
    "too many nets": (lambda c: {"table": np.broadcast_to(c.table[:1], 2**31)}, "nets, more than 2147483647"),
    "ge of many bits": (lambda c: {"macros": (Macro("ge", (2,) * 65, (5,), 1),)}, "a ge macro"),
    "ge with a huge value": (lambda c: {"macros": (Macro("ge", (2,), (5,), 1 << 64),)}, "no whole number of 64 bits"),
    "ge with half a value": (lambda c: {"macros": (Macro("ge", (2,), (5,), 0.5),)}, "no whole number of 64 bits"),
    "ge of half a net": (lambda c: {"macros": (Macro("ge", (2.5,), (5,), 1),)}, "no whole number of 64 bits"),
    "count with a value": (lambda c: {"macros": (Macro("popcount", (2,), (5,), 1),)}, "a popcount macro"),
    "unknown macro": (lambda c: {"macros": (Macro("sort", (2,), (5,)),)},
                      "a sort macro of circuit 'c' has the wrong shape"),
    "ge of nothing": (lambda c: {"macros": (Macro("ge", (), (5,), 1),)}, "a ge macro"),
    "ge of two": (lambda c: {"macros": (Macro("ge", (2, 3), (5, 6), 1),)}, "a ge macro"),
    "ge below zero": (lambda c: {"macros": (Macro("ge", (2, 3), (5,), -1),)}, "a ge macro"),
    "narrow count": (lambda c: {"macros": (Macro("popcount", (2, 3), (5,)),)}, "a popcount macro"),
    "count of nothing": (lambda c: {"macros": (Macro("popcount", (), ()),)}, "a popcount macro"),
    "argmax of no words": (lambda c: {"macros": (Macro("argmax", (2, 3), (5,), 0),)}, "an? argmax macro"),
    "argmax of empty words": (lambda c: {"macros": (Macro("argmax", (), (5,), 2),)}, "an? argmax macro"),
    "argmax of uneven words": (lambda c: {"macros": (Macro("argmax", (2, 3, 4), (5,), 2),)}, "an? argmax macro"),
    "narrow argmax": (lambda c: {"macros": (Macro("argmax", (2, 3, 4), (5,), 3),)}, "an? argmax macro"),
    "macro beyond": (lambda c: {"macros": (Macro("ge", (2,), (7,), 1),)}, "a ge macro"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_each_broken_invariant_is_found(case):
    change, message = BROKEN[case]
    with pytest.raises(FormatError, match=message):
        check(circuit().with_(**change(circuit())))


def test_sound_circuits_pass(rng):
    check(circuit())
    check(trained_like(rng))
    check(CircuitBuilder("empty").build())


def test_macros_of_the_right_shape_pass():
    good = (Macro("ge", (2, 3, 4), (5,), 9), Macro("popcount", (2, 3, 4), (5, 6)),
            Macro("argmax", (2, 3, 4), (5, 6), 3),
            Macro("argmax", (2, 3, 4), (0,), 1))
    check(circuit().with_(macros=good))


def test_a_comparison_of_all_bits_of_the_widest_word():
    b = CircuitBuilder()
    x = b.input("x", 64)
    b.output("y", at_least(b, x, 2**64 - 1))
    assert b.build().macros == (Macro("ge", tuple(x), (b.build().output_nets[0],), 2**64 - 1),)
    wider = CircuitBuilder()
    wider.output("y", at_least(wider, [*wider.input("x", 64), *wider.input("z")], 1 << 64))
    assert not wider.build().macros


def test_a_full_table_of_six():
    b = CircuitBuilder()
    b.node(2**64 - 1, *b.input("x", 6))
    b.build()
