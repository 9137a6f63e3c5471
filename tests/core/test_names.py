"""Identifiers from any text."""

import pytest

from hardwire.core.names import IDENTIFIER, identifier, identifiers


@pytest.mark.parametrize("text, options, name", [
    ("x0", {}, "x0"), ("a-b c", {}, "a_b_c"), ("a--b", {}, "a__b"), ("a--b", {"runs": True}, "a_b"), ("3x", {}, "_3x"),
    ("3x", {"prefix": "n"}, "n3x"), ("", {}, "_"), ("", {"prefix": "circuit"}, "circuit"), ("größe", {}, "gr__e"),
    ("数", {"prefix": "n"}, "_"), ("wire", {"avoid": {"wire", "wire_"}}, "wire__"), ("x\n", {}, "x_"),
])
def test_identifier(text, options, name):
    assert identifier(text, **options) == name
    assert IDENTIFIER.match(name)


def test_identifiers_are_unique():
    assert identifiers(["a b", "a--b", "a_b", "a_b_1", "", "7"]) == ["a_b", "a_b_1", "a_b_2", "a_b_1_1", "_", "_7"]
    assert identifiers(["x", "x", "2"], prefix="x", serial=2) == ["x", "x_2", "x2"]


def test_a_line_break_is_no_part_of_an_identifier():
    assert not IDENTIFIER.match("x\n")
