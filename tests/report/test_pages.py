"""What all pages share, and what the pages of crossbars, spiking networks and sweeps say."""

import re
from itertools import pairwise

import pytest
from test_front import record as front_record
from test_front import trial
from test_html import Page

from hardwire.report import format_text, render_html
from hardwire.report.front import write_front
from hardwire.report.outline import slug, term
from hardwire.report.summary import human, per_class, verdict
from hardwire.report.terms import TERMS

EVIL = '"><script>alert(1)</script>&\'$'


@pytest.fixture
def swept(tmp_path):
    """The page of a sweep."""
    front = front_record([trial(0, 0.9, 300, rate=1e-5), trial(1, 0.8, 4_881_234, rate=4_881_234.0)])
    return write_front(front, tmp_path)[-1].read_text()


PAGES: dict[str, str] = {}


@pytest.fixture(params=["full", "minimal", "whole_crossbar", "crossbar", "whole_spiking", "spiking", "swept"])
def page(request) -> str:
    """A page of each kind, made once."""
    if request.param not in PAGES:
        given = request.getfixturevalue(request.param)
        PAGES[request.param] = given if isinstance(given, str) else render_html(given)
    return PAGES[request.param]


def test_every_section_is_in_the_contents_and_every_term_is_defined(page):
    sections = re.findall(r'<section id="([\w-]+)">', page)
    nav = page.partition('<nav class="contents"')[2].partition("</nav>")[0]
    assert re.findall(r'href="#([\w-]+)"', nav) == sections and len(set(sections)) == len(sections) > 0
    used = {*re.findall(r'href="#(term-[\w-]+)"', page)}
    assert used == {*re.findall(r'<dt id="(term-[\w-]+)"', page)}


def test_headings_are_in_order_and_the_keyboard_has_its_way(page):
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1 and levels.count(1) == 1 and all(b <= a + 1 for a, b in pairwise(levels))
    assert page.index('<a class="skip" href="#content">') < page.index('<main id="content" tabindex="-1">')
    assert ":focus-visible" in page and not re.search(r'tabindex="[1-9]', page)
    tables = page.count("<table>")
    assert tables == page.count("<caption>") == page.count('role="region" tabindex="0"')


def test_terms_are_linked_and_identifiers_differ():
    assert len({slug(key) for key in TERMS}) == len(TERMS) and all(key == key.lower() or key in ("PCM", "3T1C") for key in TERMS)
    assert str(term("Depth")) == f'<a class="term" href="#term-depth" title="{TERMS["depth"]}">Depth</a>'
    assert str(term("<b>")) == "&lt;b&gt;"


@pytest.mark.parametrize("kind", ["whole_crossbar", "whole_spiking"])
def test_hostile_names_are_text(kind, request):
    record = request.getfixturevalue(kind)
    record |= {"dataset": EVIL, "classes": [EVIL, f"{EVIL}2"], "model": {EVIL: EVIL, "inputs": EVIL},
               "verified": {EVIL: f"skipped: {EVIL}"}, "time": {EVIL: 3.0}, "digest": EVIL, "files": {EVIL: EVIL}}
    data = record[record["hardware"]]
    if record["hardware"] == "crossbar":
        data["names"]["hybrid"] = data["maps"][1]["name"] = EVIL
        data["assumed"] = {EVIL: EVIL}
        data["counters"]["hybrid"][EVIL] = 7
        data["histograms"] = {EVIL: data["histograms"]["G+"]}
        data["reference"][0] |= {"what": EVIL, "unit": EVIL, "source": EVIL, "value": EVIL}
    else:
        data["readouts"][0]["name"] = data["network"]["cells"] = data["pruning"]["method"] = EVIL
        data["fields"]["classes"] = [EVIL, EVIL]
        data["counts"][EVIL] = 3.0
        data["contenders"][0]["method"] = EVIL
    page = render_html(record)
    parsed = Page(page)
    assert not parsed.all("script") and "<script" not in page and EVIL in parsed.text
    assert not any(key.startswith("on") for _, attributes in parsed.elements for key in attributes)


def test_a_hostile_sweep_is_text(tmp_path):
    front = front_record([trial(0, 0.9, 300, **{EVIL: EVIL}), trial(1, 0.5, 100, "failed")])
    front |= {"dataset": EVIL, "space": {EVIL: [1]}}
    front["trials"][1]["error"] = EVIL
    page = write_front(front, tmp_path)[-1].read_text()
    assert not Page(page).all("script") and "<script" not in page


def test_numbers_are_for_readers(page):
    words = re.sub(r"<(style|svg).*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"\d[eE][+-]?\d\d\b", Page(words).text)


@pytest.mark.parametrize("value, said", [
    (4_881_234, "4,881,234"), (4_881_234.0, "4,881,000"), (0.02, "0.02"), (1e-06, "1 × 10⁻⁶"), (-8.0, "−8"), (40.0, "40"),
    (True, "yes"), (False, "no"), ([32, 16], "32, 16"), ([], "none"), ("pcm_gst", "pcm_gst"), (0.0, "0"), (1200.5, "1,200")])
def test_a_number_has_one_form(value, said):
    assert human(value) == said


def test_precision_and_recall_are_of_the_confusion(full):
    rows = per_class({"classes": ["a", "b", "c"], "confusion": [[8, 2, 0], [1, 9, 0], [0, 0, 0]]})
    assert [(r.samples, r.precision, r.recall, r.taken_for) for r in rows] == [
        (10, 8 / 9, 0.8, "b"), (10, 9 / 11, 0.9, "a"), (0, None, None, "–")]
    assert per_class({}) == []
    page = Page(render_html(full))
    row = full["confusion"][3]
    for said in ("precision", "recall", f"{100 * row[3] / sum(row):.2f} %"):
        assert said in page.text, said


def test_many_classes_are_listed_by_the_lowest_recall(full):
    size = 60
    full |= {"classes": [f"c{i}" for i in range(size)],
             "confusion": [[0] * i + [i + 1] + [1] + [0] * (size - i - 2) if i < size - 1 else [0] * i + [5]
                           for i in range(size)]}
    text = Page(render_html(full)).text
    assert "the 26 with the lowest recall of 60" in text


def test_one_figure_for_each_quantity_of_a_circuit(full):
    """Raw gates are what the passes start from; what is no gate stands apart."""
    page = Page(render_html(full))
    total = sum(stage["gates_raw"] for stage in full["counts"].values())
    assert total == full["passes"][0]["gates_before"]
    for said in (f"of {total:,} raw gates", "9,000", "3,000", "wires and constants of the raw circuit cost nothing"):
        assert said in page.text, said
    assert "102,768" not in page.text  # nodes as trained are no gates
    assert f"{total:,}" in format_text(full) and "raw wires" in format_text(full)
    for stage in full["counts"].values():
        for key in ("nodes_raw", "wires_raw", "constants_raw", "wires_optimized", "constants_optimized"):
            del stage[key]
    assert "wires and constants among them" in Page(render_html(full)).text  # an older record


def test_a_crossbars_page(whole_crossbar):
    page = Page(render_html(whole_crossbar))
    labels = " ".join(figure["aria-label"] for figure in page.all("svg"))
    for plot in ("Accuracy by epoch", "Training loss by epoch", "Map of weight of layer 1", "Map of G+ of layer 1",
                 "Confusion"):
        assert plot in labels, plot
    for said in ("4 - 4 - 2", "compiling the kernels before it", "28.5 s", "80.00 %", "Means of blocks of 2 x 1 crossings",
                 "1 × 10⁻⁶"):
        assert said in page.text, said
    for absent in ("relaxed", "gate", "hard", "nan"):
        assert not re.search(rf"\b{absent}", page.text.replace("hardwire", "").replace("hardware", "")), absent


def test_a_spiking_page(whole_spiking):
    page = Page(render_html(whole_spiking))
    labels = " ".join(figure["aria-label"] for figure in page.all("svg"))
    for plot in ("Learning curve: validation accuracy of each read-out", "Activity", "The array", "Confusion"):
        assert plot in labels, plot
    for said in ("2 pixels (all that the samples have, of 397 asked for) and a bias that always fires",
                 "3 rows x 2 outputs = 6", "at most 397; the samples have 2", "30 output spikes a sample", "49.0 % pruned"):
        assert said in page.text, said
    assert "397 inputs" not in page.text and "relaxed" not in page.text and "gate" not in page.text


def test_nothing_verified_is_said_without_a_count_of_what_was_not(crossbar):
    assert verdict(crossbar) == "nothing verified"
    assert verdict(crossbar | {"verified": {"a": "skipped: x", "b": "unknown: y"}}) == "nothing verified, 1 unknown"
    assert verdict(crossbar | {"verified": {"a": "skipped: x", "b": "proved"}}) == "1 proved, 1 skipped"


def test_a_rare_event_is_not_none(whole_crossbar):
    line = {"item": "resets", "total_j": 1.06e-14, "model": "m", "source": "s", "count": 0.000139, "unit_j": 7.6e-11}
    text = Page(render_html(whole_crossbar | {"energy": [line]})).text
    assert "resets 1.39 × 10⁻⁴ 76.0 pJ 10.6 fJ" in text


def test_a_long_list_of_settings_is_folded(full):
    assert "<details>" not in render_html(full)
    full["model"] = {f"setting{i}": i for i in range(20)}
    page = render_html(full)
    assert "<summary>Show all 20 settings</summary>" in page and Page(page).text.count("setting19") == 1
