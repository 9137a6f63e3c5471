import re

import pytest
from rich.cells import cell_len

from hardwire.core.errors import FormatError
from hardwire.report import format_text
from hardwire.report.summary import duration, four_digits, si


def box(text: str) -> list[str]:
    lines = text.splitlines()
    assert text.endswith("\n") and {cell_len(line) for line in lines} == {96}
    assert len(lines) <= 45
    return lines


def test_the_full_record(full):
    text = format_text(full, folder="runs/mnist")
    box(text)
    for said in ("mnist", "97.12 %", "97.63 %", "+0.51 points", "90,768", "57,966", "36.1 %", "2 proved, 1 simulated",
                 "no GPU on this machine", "1.23 M samples/s", "1 h 30 min", "model estimates", "1.62 nJ",
                 "runs/mnist", "circuit.net", full["environment"]["commit"]):
        assert said in text, said


def test_targets(regress):
    lines = box(format_text(regress))
    text = "\n".join(lines)
    for said in ("─ R² ─", "0.9312", "−0.2500", "+0.0089", "price", "0.9500      15,740      22248 + 427.545 value0",
                 "0.9124      0.001230    −3.5 × 10¹² + 1 × 10⁻⁷ value1"):
        assert said in text, said
    assert "%" not in text.partition("two-input gates")[0] and "accuracy" not in text


def test_labels(multilabel):
    text = "\n".join(box(format_text(multilabel)))
    for said in ("─ label accuracy ─", "95.28 %", "85.83 %", "label a", "90.00 %     label0",
                 "and 3 more in report.json"):
        assert said in text, said
    assert "+1.39 points" in text and "validation" not in text


@pytest.mark.parametrize("value, said", [
    (0, "0"), (15740.26, "15,740"), (0.00123456, "0.001235"), (9.9996, "10.00"), (999.96, "1,000"), (2.5e13, "2.5 × 10¹³"),
    (4e-9, "4 × 10⁻⁹"), (4_881_234.0, "4,881,000"), (-4_881_234.0, "−4,881,000"), (1e300, "1 × 10³⁰⁰")])
def test_errors_have_four_digits(value, said):
    assert four_digits(value) == said


def test_the_minimal_record_leaves_out_what_is_missing(minimal):
    text = format_text(minimal)
    box(text)
    assert "94.44 %" in text
    for absent in ("relaxed", "validation", "energy", "verified", "time", "None", "null"):
        assert absent not in text, absent


def test_other_hardware(minimal):
    text = format_text(minimal | {"hardware": "spiking", "counts": {}})
    box(text)
    assert "gates" not in text and "modelled hardware" in text


def test_refuted_stands_first_and_is_counted(full):
    full["verified"]["WASM = circuit"] = "refuted: sample 3"
    lines = box(format_text(full))
    at = next(i for i, line in enumerate(lines) if "verification:" in line)
    assert "1 refuted" in lines[at] and "✗ WASM" in lines[at + 1]


def test_hostile_and_wide_text_stays_in_its_box(full):
    full["dataset"] = "\x1b[31mред 数字数据集 " * 30
    full["verified"] = {f"check {i} \n {'数' * 60}": f"skipped: {'x' * 300}" for i in range(50)}
    full["time"] |= {f"step {i}_s": i for i in range(50)}
    full["energy"] = [line | {"ledger": f"{i} {'long ' * 40}"} for i, line in enumerate(full["energy"] * 9)]
    full["files"] = {f"file {i}": "é" * 200 for i in range(50)}
    text = format_text(full, folder="f" * 500)
    box(text)
    assert "\x1b" not in text and "more in report.json" in text


def test_the_other_hardwares(crossbar, spiking):
    text = "\n".join(box(format_text(crossbar)))
    for said in ("2 PCM + 3T1C", "−0.55", "ideal minus modelled hardware", "verification: nothing verified ─", "4,881,000",
                 "– kernels against the reference", "skipped: a device of the user's own"):
        assert said in text, said
    assert "1 skipped" not in text
    text = "\n".join(box(format_text(spiking)))
    for said in ("evidence of each spike", "95.08 % test", "8 of 524,288 cells", "49.00 %", "to zero, while training",
                 "40.00 %", "90.00 ± 1.00 %"):
        assert said in text, said


def test_a_terminal_is_coloured_and_a_pipe_is_not(full, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in format_text(full) and "\x1b" not in format_text(full, terminal=False)
    coloured = format_text(full, terminal=True)
    assert "\x1b[32m" in coloured  # a proof is green
    plain = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert {cell_len(line) for line in plain.splitlines()} == {70} and "57,966" in plain


def test_brackets_are_no_markup(full):
    full["verified"] = {"[bold]a[/bold]": "skipped: [red]none[/red] :smile:"}
    text = format_text(full)
    assert "[bold]a[/bold]" in text and "[red]none[/red] :smile:" in text


def test_a_malformed_record_is_refused(minimal):
    with pytest.raises(FormatError):
        format_text(minimal | {"accuracy": {}})


def test_deterministic(full):
    assert format_text(full) == format_text(full)


@pytest.mark.parametrize("value, said", [
    (0, "0 J"), (2.24e-10, "224 pJ"), (5e-15, "5.00 fJ"), (0.43e-3, "430 µJ"), (999.6e-12, "1.00 nJ"),
    (9.996, "10.0 J"), (1.5, "1.50 J"), (1e-21, "0.00 aJ"), (-2e-9, "-2.00 nJ")])
def test_si(value, said):
    assert si(value, "J") == said


@pytest.mark.parametrize("seconds, said", [(0, "0.0 s"), (0.02, "20.0 ms"), (14.2, "14.2 s"), (75, "1 min 15 s"),
                                           (3599.7, "1 h 00 min"), (5432, "1 h 30 min")])
def test_duration(seconds, said):
    assert duration(seconds) == said
