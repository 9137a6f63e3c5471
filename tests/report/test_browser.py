"""The pages of crossbars, spiking networks and sweeps in a browser: phone, both schemes, keyboard."""

import shutil
from pathlib import Path

import pytest
from test_front import record as front_record
from test_front import trial

from hardwire.report import render_html
from hardwire.report.front import write_front

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: chromium)")

#: For each text that can be seen its contrast with what is behind it, the lowest first; 4.5 is WCAG's AA.
CONTRASTS = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255);
  };
  const light = (c) => {
    const [r, g, b] = c.map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = rgba(getComputedStyle(e).backgroundColor);
      if (c[3] > 0.99) return c;
    }
    return rgba(getComputedStyle(document.documentElement).backgroundColor || 'white');
  };
  const found = {};
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || ['STYLE', 'SCRIPT'].includes(element.tagName)) continue;
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    if (!box.width || style.visibility === 'hidden') continue;
    const text = rgba(element.closest('svg') ? style.fill : style.color), ground = behind(element);
    const [a, b] = [light(text), light(ground)].sort((x, y) => y - x);
    const key = `${text.map((v) => v.toFixed(2))} on ${ground.map((v) => v.toFixed(2))}`;
    found[key] = {ratio: (a + 0.05) / (b + 0.05), text: node.data.trim().slice(0, 40), seen: (found[key]?.seen || 0) + 1};
  }
  return Object.values(found).sort((a, b) => a.ratio - b.ratio);
}"""


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as tools:
        running = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(params=["whole_crossbar", "whole_spiking", "sweep"])
def file(request, tmp_path) -> Path:
    """A page on disk."""
    if request.param == "sweep":
        front = front_record([trial(i, 0.5 + i / 20, 100 * i + 7, width=10 * i, learning_rate=1e-5) for i in range(9)])
        return write_front(front, tmp_path)[-1]
    path = tmp_path / "report.html"
    path.write_text(render_html(request.getfixturevalue(request.param)), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_can_be_read(browser, file, scheme):
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    tallest = page.evaluate("Math.max(0, ...[...document.querySelectorAll('figure svg')].map(f => f.clientHeight))")
    assert tallest < 500
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) >= 3 and sum(c["seen"] for c in contrasts) > 20
    assert contrasts[0]["ratio"] >= 4.5, contrasts[:3]
    assert said == [] and asked == [file.as_uri()]
    page.set_viewport_size({"width": 1200, "height": 900})
    heights = page.evaluate("[...document.querySelectorAll('figure')].map(f => f.getBoundingClientRect().height)")
    assert max(heights) < 700 and page.evaluate("document.documentElement.scrollWidth") == 1200
    context.close()


def test_the_keyboard_goes_to_the_content_and_its_parts(browser, file):
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.goto(file.as_uri())
    page.keyboard.press("Tab")
    skip = page.evaluate("[document.activeElement.className, document.activeElement.getBoundingClientRect().top]")
    assert skip[0] == "skip" and skip[1] >= 0  # it is seen while it has the focus
    assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('nav').className") == "contents"
    page.keyboard.press("Enter")
    first = page.evaluate("document.querySelector('.contents a').hash")
    assert page.evaluate("location.hash") == first and page.evaluate(f"!!document.querySelector('{first} h2')")
    context.close()
