"""The page of a logic run in a browser: its answers, drawing, keys, width, and that nothing leaves it."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import mnist_like, trained_like

from hardwire.circuit.engine.packed import PackedEngine
from hardwire.report import write_html
from hardwire.report.instrument import Carried, Instrument
from hardwire.verify.vectors import vectors
from hardwire.workflow.page import graph_of, instrument_of

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")

EVIL = "</script><b>x</b>"
#: Strokes of digits as points from 0 to 1.
RING = [(0.5 + 0.22 * math.sin(i / 3), 0.5 - 0.34 * math.cos(i / 3)) for i in range(20)]
STROKES = {
    "0": [RING],
    "1": [[(0.5, 0.15), (0.5, 0.85)]],
    "4": [[(0.38, 0.15), (0.3, 0.55), (0.7, 0.55)], [(0.62, 0.35), (0.58, 0.88)]],
    "7": [[(0.28, 0.17), (0.7, 0.17), (0.45, 0.86)]],
}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opened:
    """A page in the browser, with what it asked for and complained of."""

    def __init__(self, browser, path: Path, **options):
        self.context = browser.new_context(**({"viewport": {"width": 1200, "height": 900}} | options))
        self.page, self.asked, self.errors = self.context.new_page(), [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(path.as_uri())

    def draw(self, strokes) -> list[float]:
        """Draw on the pad with the mouse; return the milliseconds that each answer took."""
        page, times = self.page, []
        page.click("#hw-clear")
        box = page.locator("#hw-pad").bounding_box()
        at = [[(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke] for stroke in strokes]
        for stroke in at:
            page.mouse.move(*stroke[0])
            page.mouse.down()
            for x, y in stroke[1:]:
                page.mouse.move(x, y, steps=3)
            page.mouse.up()
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            times.append(page.evaluate("hardwire.last().milliseconds"))
        return times


@pytest.fixture(scope="module")
def digits_page(lowered, trained, digits, _full, tmp_path_factory) -> Path:
    classes = [EVIL, *digits.classes[1:]]
    instrument = replace(instrument_of(lowered, trained, digits), classes=classes)
    return write_html(_full | {"classes": classes}, tmp_path_factory.mktemp("page") / "report.html", instrument)


@pytest.fixture(scope="module")
def opened(browser, digits_page) -> Opened:
    return Opened(browser, digits_page)


def test_answers_are_the_packed_engines(opened, lowered, trained, digits):
    codes = np.concatenate([trained.encoder.codes(split.x) for split in (digits.test, digits.train)])[:1000]
    found = opened.page.evaluate("(samples) => hardwire.run(samples)", codes.tolist())
    assert len(found) == 1000 and found == PackedEngine(lowered)(codes).tolist()
    assert opened.page.evaluate("hardwire.engine") == "wasm"
    checked = opened.page.evaluate("hardwire.checked")
    assert checked["samples"] == checked["equal"] == len(digits.test.y)


def test_without_webassembly_they_are_too(browser, digits_page, lowered, trained, digits):
    plain = browser.new_context()
    plain.add_init_script("delete globalThis.WebAssembly")
    page = plain.new_page()
    page.goto(digits_page.as_uri())
    codes = trained.encoder.codes(digits.test.x)
    assert page.evaluate("hardwire.engine") == "javascript"
    assert page.evaluate("(samples) => hardwire.run(samples)", codes.tolist()) == PackedEngine(lowered)(codes).tolist()
    plain.close()


def test_a_drawing_is_answered_within_a_frame(opened):
    times = [time for name in "47" for time in opened.draw(STROKES[name])]
    assert min(times) < 20 and opened.page.inner_text("#hw-truth") == ""
    assert opened.page.evaluate("hardwire.last().words[0]") in range(10)
    assert "of" in opened.page.inner_text("#hw-lit")


def test_nothing_leaves_the_page_and_nothing_is_wrong(opened, digits_page):
    assert opened.errors == [] and opened.asked == [digits_page.as_uri()]


def test_a_class_named_like_markup_is_text(opened, digits):
    page = opened.page
    page.select_option("#hw-which", "0")
    assert "no carried" not in page.inner_text("#hw-sample-name") and EVIL in page.inner_text("#hw-votes")
    assert page.locator("#hw-panel b:text-is('x')").count() == 0 and opened.errors == []
    page.select_option("#hw-which", "all")


def test_samples_by_the_keyboard(opened):
    page = opened.page
    page.focus("#hw-sample")
    before = page.inner_text("#hw-sample-name")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#hw-sample-name") != before
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#hw-sample-name") == before
    thumbs = page.locator(".thumb")
    thumbs.first.focus()
    page.keyboard.press("ArrowRight")
    assert thumbs.nth(1).evaluate("(e) => e === document.activeElement && e.matches(':focus-visible')")
    page.keyboard.press("Enter")
    assert "✗" in page.inner_text("#hw-truth")
    for canvas, key, status in (("#hw-lamps", "ArrowDown", "#hw-lamp-status"), ("#hw-pad", "ArrowLeft", "")):
        page.focus(canvas)
        page.keyboard.press(key)
        assert not status or "level" in page.inner_text(status)
    for key in (" ", "ArrowDown", "ArrowDown", "ArrowDown", " "):
        page.keyboard.press(key)
    assert page.inner_text("#hw-truth") == ""  # what the keys drew is no sample


def test_the_cone_moves_and_every_control_has_a_name(opened):
    page = opened.page
    shot = "document.getElementById('hw-cone').toDataURL()"
    page.focus("#hw-cone")
    for key in ("+", "ArrowRight", "0"):
        before = page.evaluate(shot)
        page.keyboard.press(key)
        assert page.evaluate(shot) != before
    before = page.inner_text("#hw-cone-size")
    page.select_option("#hw-of", "3")
    assert page.inner_text("#hw-cone-size") != before
    nameless = page.evaluate(
        "[...document.querySelectorAll('#hw-panel :is(button, input, select, canvas[tabindex])')].filter((e) => "
        "!(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).map((e) => e.id)")
    assert nameless == []


def test_a_phone_and_dark(browser, digits_page):
    phone = Opened(browser, digits_page, viewport={"width": 390, "height": 800}, color_scheme="dark", has_touch=True)
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    ink = phone.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ink == "rgb(18, 21, 24)" and phone.errors == []
    phone.context.close()


def test_without_scripts_it_is_a_report(browser, digits_page):
    plain = Opened(browser, digits_page, java_script_enabled=False)
    text = plain.page.inner_text("main")
    assert "With JavaScript the circuit runs here" in text and "97.12 %" in text and "Gates of the circuit by level" in text
    assert not plain.page.locator("#hw-panel").is_visible()
    plain.context.close()


def test_a_table_has_a_field_for_each_feature(browser, minimal, tmp_path):
    circuit = trained_like(np.random.default_rng(1), words=20, bits=5, width=90, classes=3).with_(labels=("a", "b", EVIL))
    words = [replace(word, name=f"{EVIL} {i}", offset=-3.5, step=0.25) for i, word in enumerate(circuit.inputs)]
    circuit = circuit.with_(inputs=tuple(words))
    codes = vectors(circuit, 1000)
    answers = PackedEngine(circuit)(codes)
    carried = Carried(codes[:400], np.zeros(400, np.int64), answers[:400], np.arange(400), 400)
    instrument = Instrument(graph_of(circuit), "classify", ["a", "b", EVIL], [], None, carried)
    opened = Opened(browser, write_html(minimal, tmp_path / "report.html", instrument))
    page = opened.page
    assert page.evaluate("(samples) => hardwire.run(samples)", codes.tolist()) == answers.tolist()
    assert page.locator("#hw-fields label").count() == 20 and page.locator("#hw-drawing").count() == 0
    field = page.locator("#hw-fields input[type=number]").first
    field.fill("-1.3")
    field.press("Enter")
    assert field.input_value() == "-1.5" and page.inner_text("#hw-truth") == ""  # the code's interval begins there
    assert opened.errors == [] and page.locator("#hw-panel b:text-is('x')").count() == 0
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    opened.context.close()


@pytest.mark.slow
def test_drawn_digits_are_recognised(browser, demo_circuit, trained, digits, _full, tmp_path):
    """By what `hardwire demo` trains; the strokes are straight lines and a ring."""
    instrument = instrument_of(demo_circuit, trained, digits)
    opened = Opened(browser, write_html(_full, tmp_path / "report.html", instrument))
    found = {}
    for name, strokes in STROKES.items():
        opened.draw(strokes)
        found[name] = opened.page.inner_text("#hw-answer")
    assert sum(name == answer for name, answer in found.items()) >= 3, found


@pytest.mark.slow
def test_a_circuit_of_48_000_gates(browser, minimal, tmp_path):
    circuit = mnist_like(np.random.default_rng(0)).with_(labels=tuple("0123456789"))
    codes = vectors(circuit, 1000)
    answers = PackedEngine(circuit)(codes)
    shape = (1, 28, len(circuit.inputs) // 28)
    carried = Carried(codes, np.zeros(1000, np.int64), answers, np.arange(1000), 1000)
    instrument = Instrument(graph_of(circuit), "classify", list("0123456789"), [], shape, carried)
    path = write_html(minimal, tmp_path / "report.html", instrument)
    assert path.stat().st_size < 5_000_000
    opened = Opened(browser, path, viewport={"width": 390, "height": 800})
    assert opened.page.evaluate("hardwire.checked.equal") == 1000 and opened.errors == []
    assert opened.page.evaluate("(samples) => hardwire.run(samples)", codes[:200].tolist()) == answers[:200].tolist()
    assert min(opened.draw(STROKES["7"])) < 20
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390
    opened.context.close()
