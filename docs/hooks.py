"""Pages that mkdocs adds to those of this folder: a page of reference for each package, from its docstrings."""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1] / "src" / "hardwire"
PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the reference to the navigation."""
    pages: list[dict[str, Any]] = [{name: f"api/{name}.md"} for name in PACKAGES]
    config.nav = [*(config.nav or []), {"Reference": pages}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add one page for each package; it shows all public modules."""
    for name in PACKAGES:
        files.append(File.generated(config, f"api/{name}.md", content=f"::: hardwire.{name}\n"))
    return files
