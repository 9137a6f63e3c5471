import os
import re
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest

from hardwire.core.errors import FormatError
from hardwire.report import render_html, write_html
from hardwire.report.published_results import PUBLISHED

VOID = {"meta", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Checks nesting and collects elements, attributes and visible text."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        assert len({key for key, _ in attrs}) == len(attrs), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page(_full) -> str:
    return render_html(_full)


@pytest.fixture(scope="module")
def parsed(page) -> Page:
    return Page(page)


def test_it_says_what_the_record_says(parsed):
    for said in ("mnist", "97.12 %", "+0.51 points", "57,966", "36.1 %", "proved", "no GPU on this machine", "cut-rewriting",
                 "model estimate", "1.62 nJ", "Han et al. 2015", "arXiv 2511.12340", "with augmentation", "1 h 30 min"):
        assert said in parsed.text, said


def test_every_plot_is_there_and_labelled(parsed):
    figures = parsed.all("svg")
    labels = " ".join(f["aria-label"] for f in figures)
    for plot in ("Learning curve", "Confusion matrix", "Gates by kind", "Gates by stage", "accuracy beside", "Energy"):
        assert plot in labels, plot
    assert len(figures) == 6 and all(f["role"] == "img" for f in figures)
    assert len(parsed.all("figcaption")) == 6
    assert "relaxed, last 97.80%" in parsed.text and "hard, last" in parsed.text
    assert "this run, network as trained" in parsed.text and "LogicTreeNet 2024" in parsed.text


def test_precision_and_recall_stand_beside_the_confusion_matrix(full):
    full |= {"classes": ["a", "b", "c"], "confusion": [[8, 2, 0], [0, 5, 0], [0, 0, 0]]}
    text = Page(render_html(full)).text
    assert "a 10 100.00 % 80.00 % b b 5 71.43 % 100.00 % – c 0 – – –" in text


def test_the_kept_step_is_marked_on_the_curve(full, page):
    step = full["curve"][12]["step"]
    marked = render_html(full | {"best_step": step})
    assert f"kept, step {step:,}: {full['curve'][12]['hard']:.2%}" in Page(marked).text and "kept, step" not in page
    assert render_html(full | {"best_step": 123}) == page  # no evaluation of the curve


def test_areas_of_the_stages_are_their_gates(full, page):
    """Of the drawing to scale: filled squares are the optimised gates, outlined ones the raw gates."""
    drawing = re.search(r'<svg[^>]*aria-label="Gates by stage.*?</svg>', page, re.DOTALL).group()
    sides = [float(right) - float(left) for left, right in re.findall(r'd="M ([\d.]+) [\d.]+ \nL ([\d.]+) ', drawing)]
    gates = [full["counts"][s][kind] for s in ("encoder", "network", "head") for kind in ("gates_raw", "gates_optimized")]
    share = np.array(sides[-6:]) ** 2 / np.array(gates)
    assert np.allclose(share, share.mean(), rtol=0.02), (sides, gates)


def test_every_table_has_header_cells_and_a_caption(page, parsed):
    tables = re.findall(r"<table>.*?</table>", page, re.DOTALL)
    assert len(tables) == len(parsed.all("table")) == len(parsed.all("caption")) == 10
    for table in tables:
        head, _, body = table.partition("<tbody>")
        width = len(re.findall(r'<th scope="col"', head))
        rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
        assert width >= 2 and rows
        reach = 0
        for row in rows:
            cells = len(re.findall(r"<t[dh]", row)) + sum(int(n) - 1 for n in re.findall(r'colspan="(\d+)"', row))
            started = re.search(r'rowspan="(\d+)"', row)
            assert cells + (1 if reach and not started else 0) == width, row
            assert "<th" in row or reach
            reach = int(started.group(1)) - 1 if started else max(0, reach - 1)


def test_nothing_outside_is_referred_to(page, parsed):
    assert not re.search(r"https?:|<script|<link|<iframe|@import|javascript:|\bon\w+=|\bsrc=", page, re.IGNORECASE)
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    for _, attributes in parsed.elements:
        for key in ("href", "xlink:href"):
            assert attributes.get(key, "#").startswith(("#", "data:image/png"))


def test_identifiers_are_unique_and_every_use_has_one(page, parsed):
    names = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(names) == len(set(names)) > 50
    assert set(re.findall(r'(?:url\(|href=")#([^")]*)', page)) <= set(names)


def test_colours_follow_the_theme(page):
    body = page.partition("<body>")[2]
    assert "prefers-color-scheme: dark" in page and body.count("var(--accent)") > 20
    assert not re.search(r"#0[1-7]0[1-7]0[1-7]\b", body)
    assert not re.search(r"(fill|stroke): ?(#000000|#ffffff|black|white)", body), "fixed ink is lost in one theme"


def test_it_is_small_and_deterministic(full, page):
    assert len(page.encode()) < 500_000
    assert render_html(full) == page


def test_a_users_matplotlib_settings_neither_matter_nor_change(full, page):
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True, "svg.fonttype": "path", "lines.linewidth": 9}):
        before = dict(matplotlib.rcParams)
        assert render_html(full) == page
        assert dict(matplotlib.rcParams) == before


def test_text_is_escaped(full):
    evil = '<script>alert("x")</script>&\'$'
    full |= {"dataset": evil, "classes": [f"{evil}{i}" for i in range(10)], "digest": evil, "model": {evil: evil},
             "files": {evil: evil}, "peers": [{"name": evil, "accuracy": 0.9, "gates": 10, "source": evil, "note": 5}]}
    full["verified"] = {evil: f"skipped: {evil}"}
    full["gate_kinds"]["raw"][evil] = 9000
    full["time"][evil] = 3
    full["environment"] |= {"date": evil, "commit": evil, "versions": {evil: evil}, "machine": {"cpu": evil}}
    full["passes"][0]["name"] = evil
    full["energy"][0] |= {"item": evil, "model": evil, "source": evil, "ledger": evil, "per": evil, "mark": [evil]}
    full["energy"][1] |= {"unit_j": evil, "count": evil}
    page = render_html(full)
    parsed = Page(page)
    assert not parsed.all("script") and "<script" not in page
    assert evil in parsed.text


def test_the_minimal_record_has_no_empty_sections(minimal):
    page = render_html(minimal)
    parsed = Page(page)
    assert parsed.all("svg") == [] and "None" not in parsed.text and "94.44 %" in parsed.text
    assert not re.search(r"<tbody></tbody>|<section[^>]*>\s*<h2>[^<]*</h2>\s*</section>", page)
    for absent in ("Energy", "Passes", "Verification", "Time", "Model"):
        assert f"<h2>{absent}</h2>" not in page


def test_a_page_of_targets(regress):
    page = Page(render_html(regress))
    labels = " ".join(f["aria-label"] for f in page.all("svg"))
    assert "Learning curve: validation R²" in labels and "Confusion" not in labels and "accuracy beside" not in labels
    for said in ("test R²", "R²: share of the targets' variance", "0.9312", "15,740", "22248 + 427.545 value0",
                 "validation R²", "hard, last 0.9", "relaxed minus hard +0.0089"):
        assert said in page.text, said
    assert "accuracy" not in page.text.partition("Size")[0]


def test_a_curve_far_below_nothing_is_cut(regress):
    regress["curve"] = [{"step": i, "hard": -1e6, "relaxed": -2e5} for i in range(9)]
    assert "last −1,000,000" in Page(render_html(regress)).text


def test_a_page_of_labels(multilabel):
    page = Page(render_html(multilabel))
    for said in ("test label accuracy", "95.28 %", "85.83 %", "share of labels that are right", "label g", "label6",
                 "96.00 %"):
        assert said in page.text, said
    assert "LogicTreeNet" not in page.text  # its accuracy is that of classes


def test_a_page_of_crossbars(crossbar):
    page = Page(render_html(crossbar))
    for said in ("2 PCM + 3T1C", "−0.55", "1,059,460", "correlation 0.977", "28,065", "Assumed", "4,881,000",
                 "ideal minus modelled hardware +0.55 points", "nothing verified", "a device of the user's own"):
        assert said in page.text, said
    for absent in ("relaxed", "resets", "e+06", "1 skipped", "gate", "hard,"):
        assert absent not in page.text, absent
    assert len(page.all("svg")) == 3


def test_no_plot_is_drawn_larger_than_it_can_be_read(crossbar, parsed):
    for svg in (*Page(render_html(crossbar)).all("svg"), *parsed.all("svg")):
        assert svg["style"] == f"--width:{float(svg['viewbox'].split()[2]):.0f}px"
    assert "max-width: calc(1.45 * var(--width))" in render_html(crossbar)


def test_a_page_of_a_spiking_network(spiking):
    page = Page(render_html(spiking))
    for said in ("evidence of each spike", "95.08 %", "4 inputs x 2 outputs = 8", "8 of 524,288 cells", "20.00 %",
                 "665.5", "soft: a constant, while training", "90.00 ± 1.00 %", "−10.00 %", "2.5 on average, 4 at most",
                 "before training: 1 outputs fire", "Classes: 0, 1."):
        assert said in page.text, said
    labels = " ".join(figure["aria-label"] for figure in page.all("svg"))
    for plot in ("Receptive fields", "Wear of the array", "by method", "before training", "after training"):
        assert plot in labels, plot
    assert "ltd" not in page.text and "None" not in page.text


def test_a_check_that_did_not_decide_is_no_pass(full):
    full["verified"] = {"a": "proved", "b": "unknown: 10 s are over"}
    page = render_html(full)
    assert '<span class="warn">? unknown: 10 s are over</span>' in page and "<b>1 unknown</b>" in page


OPTIONAL = ("classes", "confusion", "curve", "gate_kinds", "passes", "peers", "model", "files", "digest")


def test_targets_without_their_rows(regress):
    del regress["outputs"]
    assert "0.9312" in Page(render_html(regress)).text
    regress["accuracy"] |= {"test_hard": -1e200, "test_relaxed": None}
    assert "−1 × 10²⁰⁰" in Page(render_html(regress)).text


@pytest.mark.parametrize("gone", [OPTIONAL, OPTIONAL[::2], OPTIONAL[1::2]])
def test_optional_parts_may_be_missing_or_null(full, gone):
    page = render_html(full | dict.fromkeys(gone))
    assert "None" not in Page(page).text
    assert render_html({key: value for key, value in full.items() if key not in gone}) == page


def test_odd_sizes(full):
    full |= {"confusion": [[3]], "classes": ["数字 $x_1$"], "gate_kinds": {"optimized": {"AND": 1}},
             "curve": [{"step": 0, "hard": None}, {"step": 1, "hard": 0.5}],
             "passes": [{"name": "nothing", "gates_before": 0, "gates_after": 0}],
             "peers": [{"name": "other", "accuracy": 1.0, "gates": 0, "source": "s"}]}
    assert "数字 $x_1$" in Page(render_html(full)).text
    full |= {"curve": [{"step": 0, "hard": None}], "confusion": [[0, 0], [0, 0]], "classes": None,
             "gate_kinds": {"raw": {f"LUT{i}": i for i in range(400)}}}
    page = Page(render_html(full))
    assert "Learning curve" not in " ".join(f["aria-label"] for f in page.all("svg")) and "382 others" in page.text


def test_a_hundred_classes_and_a_long_curve_stay_under_the_limit(full):
    rng = np.random.default_rng(1)
    full |= {"dataset": "cifar100", "confusion": rng.integers(0, 100, (100, 100)).tolist(),
             "classes": [f"class {i}" for i in range(100)],
             "curve": [{"step": i, "relaxed": float(a), "hard": float(b), "loss": 1.0}
                       for i, (a, b) in enumerate(rng.random((50_000, 2)))]}
    page = render_html(full)
    assert len(page.encode()) < 500_000
    assert f"last {full['curve'][-1]['hard']:.2%}" in page


def test_published_points_are_drawn_only_where_they_belong(full):
    for changes in ({"dataset": "digits"}, {"hardware": "crossbar"}):
        assert "LogicTreeNet" not in render_html(full | changes)
    peers = [{"name": "perceptron network", "accuracy": 0.98, "gates": 10**6, "source": "hardwire compare"}]
    assert "perceptron network" in render_html(full | {"dataset": "digits", "peers": peers})


def test_published_points_carry_a_source_and_a_mark():
    everything = [point for points in PUBLISHED.values() for point in points]
    assert len(everything) > 20
    for point in everything:
        assert 0 < point.accuracy < 1 and point.gates > 1000 and point.source and point.mark in ("read", "second-hand")


def test_refuted_is_the_first_thing_said(full):
    full["verified"]["zz"] = "refuted: sample 3"
    assert '<b class="bad">1 refuted</b>' in render_html(full)


def test_a_malformed_record_is_refused_and_nothing_written(minimal, tmp_path):
    with pytest.raises(FormatError):
        write_html(minimal | {"energy": [{"item": "gates"}]}, tmp_path / "report.html")
    assert os.listdir(tmp_path) == []


def test_write_is_atomic(minimal, tmp_path):
    path = write_html(minimal, tmp_path / "new" / "report.html")
    assert path.read_text(encoding="utf-8") == render_html(minimal) and os.listdir(path.parent) == ["report.html"]
