"""The frame around a page's parts: the list of contents, and the terms that the page uses."""

import re
from collections.abc import Iterable

from markupsafe import Markup, escape

from .terms import TERMS

_SECTION = re.compile(r'<section id="([\w-]+)">\s*<h2>(.*?)</h2>', re.DOTALL)
_TERM = re.compile(r'href="#term-([\w-]+)"')


def slug(text: object) -> str:
    """Text as an identifier: letters and digits, what is between them a hyphen."""
    return "-".join(re.findall(r"[a-z0-9]+", str(text).lower())) or "part"


def term(text: object) -> Markup:
    """The text, as a link to its definition where ``TERMS`` has one."""
    key = str(text).lower()
    if key not in TERMS:
        return escape(text)
    return Markup('<a class="term" href="#term-{}" title="{}">{}</a>').format(slug(key), TERMS[key], text)


def outlined(page: Markup) -> Markup:
    """Add to a page's main part the list of its sections, after its header, and the terms that are linked, at its end.

    Parameters
    ----------
    page
        HTML whose sections are those of the macro ``section``.
    """
    used = {key: TERMS[key] for key in TERMS if slug(key) in set(_TERM.findall(page))}
    end = _glossary(used.items()) if used else Markup()
    links = Markup().join(Markup('<li><a href="#{}">{}</a></li>').format(name, Markup(title))
                          for name, title in _SECTION.findall(page + end))
    nav = Markup('<nav class="contents" aria-label="Contents"><ul>{}</ul></nav>').format(links) if links else Markup()
    return Markup(str(page).replace("</header>", f"</header>\n{nav}", 1) + str(end))


def _glossary(used: Iterable[tuple[str, str]]) -> Markup:
    entries = Markup().join(Markup('<dt id="term-{}">{}</dt><dd>{}</dd>\n').format(slug(key), key, meaning)
                            for key, meaning in used)
    return Markup('\n<section id="terms">\n<h2>Terms</h2>\n<dl class="terms">\n{}</dl>\n</section>\n').format(entries)
