"""Drawing with matplotlib as inline SVG, whose placeholder colours become the page's CSS variables.

Figures are made without pyplot, settings apply inside ``draw`` only, and equal records give equal bytes.
"""

import io
import re
import warnings
from collections.abc import Callable
from html import escape
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from ..summary import si, whole

#: Placeholder -> CSS; matplotlib cannot write a variable, and nothing else in a figure has these colours.
COLOURS = {"#010101": "var(--ink)", "#020202": "var(--muted)", "#030303": "var(--line)", "#040404": "var(--raw)",
           "#050505": "var(--accent)", "#060606": "var(--other)", "#070707": "var(--page)"}
INK, MUTED, LINE, RAW, ACCENT, OTHER, PAGE = COLOURS
_BELOW = (0.87, 0.45, 0.12)
_CELL = (0.20, 0.52, 0.87)  # mid-tone: an image cannot follow the theme, its transparency does
_STYLE: dict[Any, object] = {
    "svg.fonttype": "none", "text.parse_math": False, "font.size": 10, "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": LINE, "axes.labelcolor": MUTED, "text.color": INK,
    "xtick.color": LINE, "ytick.color": LINE, "xtick.labelcolor": MUTED, "ytick.labelcolor": MUTED,
    "grid.color": LINE, "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False,
    "legend.labelcolor": INK, "figure.facecolor": "none", "axes.facecolor": "none", "lines.linewidth": 1.8,
    "axes.unicode_minus": False, "svg.image_inline": True,
}  # fmt: skip


def draw(name: str, size: tuple[float, float], label: str, paint: Callable[[Axes], object]) -> Markup:
    """A plot as an SVG element.

    Parameters
    ----------
    name
        Unique on the page; begins the element's identifiers.
    size
        Width and height in inches.
    label
        What the plot shows, for who cannot see it.
    paint
        Draws on the axes of a fresh figure.
    """
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()  # a user's matplotlibrc does not change the page
        matplotlib.rcParams.update(_STYLE | {"svg.hashsalt": name})
        warnings.filterwarnings("ignore", message="Glyph")  # the browser has the glyph, the measuring font may not
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure.subplots())
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return Markup(_inline(name, out.getvalue(), label))


def _inline(name: str, svg: str, label: str) -> str:
    """Only the element, its identifiers unique on the page, its colours the page's, and no address in it."""
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    head, _, rest = svg.partition(">")
    box = head.partition('viewBox="')[2].partition('"')[0]
    rest = rest.replace("xlink:href", "href").replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    rest = re.sub(r'\bid="', f'id="{name}-', rest)
    rest = re.sub("|".join(COLOURS), lambda m: COLOURS[m.group()], rest)
    width = float(box.split()[2])
    return f'<svg viewBox="{box}" style="--width:{width:.0f}px" role="img" aria-label="{escape(label)}">{rest.strip()}'


def bars(axes: Axes, names: list[str], groups: list[tuple[str, str, list[int]]], unit: str) -> None:
    """Horizontal bars, one of each (label, colour, values) of ``groups`` beside each other for every name."""
    thick = 0.8 / len(groups)
    for i, (label, colour, values) in enumerate(groups):
        at = np.arange(len(names)) - 0.4 + (i + 0.5) * thick
        drawn = axes.barh(at, values, height=thick * 0.92, color=colour, label=label)
        axes.bar_label(drawn, labels=[whole(v) for v in values], padding=3, fontsize=8, color=MUTED)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.14, y=0.01)
    axes.tick_params(left=False)
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(short_numbers())
    axes.set_xlabel(unit)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)


def short_numbers(unit: str = "") -> FuncFormatter:
    """Short numbers on an axis: 0, 500, 2 k, 2.5 k."""
    return FuncFormatter(lambda v, _: re.sub(r"(\.\d*?)0+(?= |$)", r"\1", si(v, unit)).replace(". ", " ").strip())


def signed_shades(value: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Values -1 to 1, (rows, columns), as an image (rows, columns, 4): one colour above 0, another below."""
    image = np.empty((*value.shape, 4))
    image[..., :3] = np.where((value < 0)[..., None], _BELOW, _CELL)
    image[..., 3] = np.abs(value)
    return (image * 255).round().astype(np.uint8)


def shades(share: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Shares 0 to 1, (rows, columns), as an image (rows, columns, 4) of one colour and that opacity."""
    image = np.empty((*share.shape, 4))
    image[..., :3], image[..., 3] = _CELL, share
    return (image * 255).round().astype(np.uint8)
