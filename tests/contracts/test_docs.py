"""Documentation that holds: generated pages are up to date, Python blocks run, commands parse, links lead somewhere."""

import importlib.util
import re
import shlex
from pathlib import Path

import click
import pytest
from helpers import parsed_verb

ROOT = Path(__file__).parents[2]
PAGES = [p for p in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if p.is_file()]
NAMES = [p.name for p in PAGES]


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PAGES


@pytest.mark.parametrize("name, page", generator().items(), ids=list(generator()))
def test_generated_pages_are_up_to_date(name, page):
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == page(), "run `python docs/generate.py`"


def blocks(text: str) -> list[tuple[str, str]]:
    """Fenced blocks as (language, content), and indented ones with no language."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return fenced + [("", re.sub(r"^    ", "", b, flags=re.MULTILINE)) for b in re.findall(r"(?:^    .*\n)+", rest, re.MULTILINE)]


def python(page: Path) -> str:
    return "\n".join(code for language, code in blocks(page.read_text(encoding="utf-8")) if language == "python")


def commands(page: Path) -> list[tuple[str, bool]]:
    """Lines ``hardwire VERB ...``, and whether they stand in prose, where a command may be a part of one.

    Lines with brackets or dots describe a syntax and are left out; of ``a|b|c`` the first is taken.
    """
    text = page.read_text(encoding="utf-8")
    code = [line for language, code in blocks(text) if language != "python" for line in code.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [(line, False) for line in code] + [(span.replace("\n", " "), True) for span in re.findall(r"`([^`]+)`", prose)]
    found = [(re.sub(r"^\s*(\$ |\.venv/bin/)*", "", line).strip(), part) for line, part in lines]
    return [(re.sub(r"(\w+)(\|\w+)+", r"\1", line), part) for line, part in found
            if re.match(r"hardwire [a-z-]", line) and not re.search(r"\[|\.\.\.|…", line)]


def with_code() -> list[Path]:
    return [p for p in PAGES if python(p)]


@pytest.fixture
def small(monkeypatch):
    """Blocks train with the preset's settings made small: what they show is how, not how well."""

    from hardwire import logic as nn

    preset = nn.preset
    monkeypatch.setattr(nn, "preset", lambda name: preset(name).changed(width=200, steps=60, evaluate_every=30))


def execute(page: Path, folder, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    exec(compile(python(page), str(page), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("page", with_code(), ids=lambda p: p.name)
def test_python_blocks_run(page, small, tmp_path, monkeypatch):
    execute(page, tmp_path, monkeypatch)


@pytest.mark.slow
def test_the_readme_does_what_it_says(tmp_path, monkeypatch, capsys):
    execute(ROOT / "README.md", tmp_path, monkeypatch)
    assert "proved" in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_parse(page):
    for line, part in commands(page):
        words = shlex.split(line, comments=True)[1:]
        end = next((i for i, word in enumerate(words) if word in ("|", ">", "&&", ";", "2>&1", "&")), len(words))
        if "--help" in words or "--version" in words:
            continue
        try:
            parsed_verb(words[:end])
        except click.UsageError as error:
            if not (part and isinstance(error, click.MissingParameter)):
                pytest.fail(f"{page.name}: {line!r}: {error}")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    missing = [t for t in targets if not re.match(r"https?:", t) and not (page.parent / t).exists()]
    assert not missing


def test_the_readme_has_code_and_commands():
    readme = ROOT / "README.md"
    assert python(readme) and commands(readme)
