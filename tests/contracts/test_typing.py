"""Types and documentation: almost every public function has both, and the package says that it is typed."""

import ast
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

import hardwire

ROOT = Path(hardwire.__file__).parent
TOOLS = tomllib.loads((ROOT.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
#: Patterns of the modules of compiled kernels, which no type checker reads.
KERNELS = next(o["module"] for o in TOOLS["mypy"]["overrides"] if "hardwire.core.simd" in o["module"])
SHARE = 0.95


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def compiled(path: Path) -> bool:
    return any(fnmatch(module_of(path), pattern) for pattern in KERNELS)


def public(path: Path) -> Iterator[ast.FunctionDef]:
    """Public functions of a module and public methods of its public classes."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    bodies = [module.body, *(c.body for c in module.body if isinstance(c, ast.ClassDef) and not c.name.startswith("_"))]
    for body in bodies:
        yield from (f for f in body if isinstance(f, ast.FunctionDef) and not f.name.startswith("_"))


def annotated(function: ast.FunctionDef) -> bool:
    a = function.args
    arguments = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)]
    return function.returns is not None and all(x.annotation or x.arg in ("self", "cls") for x in arguments)


PACKAGES = sorted({path.relative_to(ROOT).parts[0] for path in ROOT.glob("*/**/*.py")})


@pytest.mark.parametrize("package", PACKAGES)
def test_public_functions_are_annotated_and_documented(package):
    found = [(path, f) for path in (ROOT / package).rglob("*.py") if not compiled(path) for f in public(path)]
    for what, holds in (("annotated", annotated), ("documented", ast.get_docstring)):
        lacking = [f"{path.relative_to(ROOT)}:{f.lineno} {f.name}" for path, f in found if not holds(f)]
        assert len(lacking) <= (1 - SHARE) * len(found), f"not {what}: {', '.join(lacking)}"


def test_the_package_is_typed():
    assert (ROOT / "py.typed").is_file() and TOOLS["mypy"]["strict"] is True
    assert "py.typed" in TOOLS["setuptools"]["package-data"]["hardwire"]


def test_what_no_checker_reads_is_compiled():
    """Every module that is left out for its kernels has some, or serves those that have."""
    left_out = [path for path in ROOT.rglob("*.py") if compiled(path)]
    assert left_out
    for path in left_out:
        text = path.read_text(encoding="utf-8")
        assert any(word in text for word in ("numba", "triton", "llvmlite", "rng", "jit")) or "kernels" in path.parts, path


@pytest.mark.parametrize("source, holds", [
    ("def f(x: int, *y: int, **z: int) -> None: ...", True), ("def f(x) -> None: ...", False), ("def f(x: int): ...", False),
    ("def f(*y) -> None: ...", False), ("def f(self, *, x: int) -> None: ...", True), ("def f(*, x) -> None: ...", False)])
def test_the_count_sees_what_is_missing(source, holds):
    assert annotated(ast.parse(source).body[0]) is holds
