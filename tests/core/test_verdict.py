"""Verdicts: five statuses, the text of each, and the way back."""

import dataclasses

import pytest

from hardwire.core.errors import FormatError, InputError
from hardwire.core.verdict import STATUSES, Verdict
from hardwire.verify import Verdict as reexported

TEXTS = {
    "proved": Verdict("proved"),
    "simulated 10000": Verdict("simulated", samples=10_000),
    "simulated 0": Verdict("simulated"),
    "simulated 594 samples of 2^64": Verdict("simulated", samples=594, detail="samples of 2^64"),
    "skipped: no Yosys": Verdict("skipped", detail="no Yosys"),
    "unknown: 3 of 7 pairs are open": Verdict("unknown", detail="3 of 7 pairs are open"),
    "unknown: it said: two\nlines": Verdict("unknown", detail="it said: two\nlines"),
    "refuted": Verdict("refuted"),
}


@pytest.mark.parametrize("text", TEXTS)
def test_text_and_back(text):
    assert str(TEXTS[text]) == text and Verdict.parse(text) == TEXTS[text]


def test_every_status_has_a_text():
    assert {verdict.status for verdict in TEXTS.values()} == set(STATUSES)
    assert {verdict.status for verdict in TEXTS.values() if verdict.passed} == {"proved", "simulated"}


def test_what_else_is_read():
    assert Verdict.parse("refuted: weights differ") == Verdict("refuted", detail="weights differ")
    assert str(Verdict("refuted", {"x": 1}, detail="output y differs")) == "refuted"
    assert Verdict.parse("simulated 1,024").samples == 1024


@pytest.mark.parametrize("text", ["", "passed", "proved: by hand", "simulated", "simulated some", "skipped", "unknown",
                                  "skipped: ", "refuted.", " proved", "proved\n", "simulated 5\n"])
def test_a_text_that_is_no_verdict(text):
    with pytest.raises(FormatError, match="is no verdict; give proved"):
        Verdict.parse(text)


def test_only_five_statuses_exist():
    with pytest.raises(InputError, match="not 'passed'"):
        Verdict("passed")
    for status in ("skipped", "unknown"):
        with pytest.raises(InputError, match="must say why"):
            Verdict(status)


def test_a_verdict_is_frozen_and_exported():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TEXTS["proved"].status = "refuted"
    assert reexported is Verdict
