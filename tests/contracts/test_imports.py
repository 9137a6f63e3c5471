"""The import rule of the house: each package knows only what lies before it on the data's way, and nothing imports in a circle."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import hardwire

ROOT = Path(hardwire.__file__).parent
CIRCUIT = {"core", "circuit"}
COUNTED = CIRCUIT | {"cost"}
EMITTED = COUNTED | {"passes", "backends"}
TRAINERS = {"core", "data", "runs", "cost"}
TOP = EMITTED | TRAINERS | {"verify", "flows", "devices", "logic", "crossbar", "spiking", "baselines", "report"}

#: Package -> packages that it may import beside itself, and outside packages beside the standard library.
RULE = {
    "core": (set(), {"lazy_loader", "numpy", "numba", "llvmlite", "tomli", "tomli_w", "pydantic", "filelock", "platformdirs"}),
    "circuit": (CIRCUIT, {"numpy", "numba"}),
    "passes": (COUNTED, {"numpy", "numba", "aigverse", "pysat"}),
    "backends": (COUNTED, {"numpy", "wasmtime"}),
    "cost": (CIRCUIT, {"numpy"}),
    "verify": (EMITTED, {"numpy", "numba", "aigverse", "pysat"}),
    "flows": (EMITTED | {"verify"}, {"numpy"}),
    "data": ({"core"}, {"numpy", "pydantic", "sklearn", "pyarrow", "PIL", "platformdirs"}),
    "runs": ({"core"}, {"numpy", "pydantic", "safetensors", "filelock"}),
    "devices": ({"core"}, {"numpy", "tomli_w"}),
    "logic": (TRAINERS | CIRCUIT, {"pydantic", "typing_extensions", "numpy", "numba", "torch", "triton", "safetensors", "sklearn"}),
    "baselines": (TRAINERS | CIRCUIT, {"numpy", "torch", "sklearn"}),
    "crossbar": (TRAINERS | {"devices"}, {"pydantic", "numpy", "numba", "torch", "safetensors", "torchvision", "timm"}),
    "spiking": (TRAINERS | {"devices"}, {"pydantic", "numpy", "numba", "llvmlite", "safetensors", "nir", "h5py"}),
    "report": ({"core", "runs"}, {"numpy", "matplotlib", "rich", "jinja2", "markupsafe"}),
    "workflow": (TOP, {"numpy", "pandas"}),
    "tuning": (TOP | {"workflow"}, {"numpy", "optuna", "filelock", "pydantic"}),
}
#: The command line sees everything; the package itself resolves names on first use.
FREE = {"cli", "__main__", "__init__"}


def part(path: Path) -> str:
    """``logic`` for ``logic/kernels/cpu.py``."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def module_of(path: Path) -> str:
    """``hardwire.logic`` for ``logic/__init__.py``."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = sorted(ROOT.rglob("*.py"))
NAMES = {module_of(p) for p in MODULES}


@cache
def imported(path: Path) -> frozenset[str]:
    """Absolute names of all modules that a file imports, inside functions too."""
    base = ["hardwire", *path.relative_to(ROOT).parts[:-1]]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            prefix = base[: len(base) - node.level + 1] if node.level else []
            module = ".".join([*prefix, *([node.module] if node.module else [])])
            own = {f"{module}.{alias.name}" for alias in node.names} & NAMES
            names |= own if len(own) == len(node.names) else own | {module}
    return frozenset(names)


RULED = [p for p in MODULES if part(p) not in FREE]


@pytest.mark.parametrize("path", RULED, ids=lambda p: str(p.relative_to(ROOT)))
def test_import_rule(path):
    assert part(path) in RULE, f"{part(path)} has no row in the import rule"
    parts, packages = RULE[part(path)]
    for name in imported(path):
        top, *rest = name.split(".")
        if top == "hardwire":
            assert not rest or rest[0] in parts | {part(path)}, f"{name} lies after {part(path)} on the data's way"
        else:
            assert top in packages or top in sys.stdlib_module_names, f"{part(path)} may not use {top}"


def test_no_import_circle():
    """Imports inside functions count too."""
    graph = {module_of(p): {n for n in imported(p) if n in NAMES} for p in MODULES}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"imports in a circle: {' <- '.join(error.args[1])}")


def test_no_circle_of_packages():
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        graph.setdefault(part(path), set()).update(n.split(".")[1] for n in imported(path) if n.count(".") and n in NAMES)
    graph = {name: others - {name} for name, others in graph.items() if name != "__init__"}
    list(TopologicalSorter(graph).static_order())


def test_nothing_imports_the_command_line():
    for path in MODULES:
        if part(path) not in ("cli", "__main__"):
            assert not any(n.startswith("hardwire.cli") for n in imported(path)), path


def loads(*modules) -> set[str]:
    code = "\n".join(f"import {m}" for m in modules) + "\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_no_torch_before_it_is_needed():
    """Everything from a circuit to its report works without torch."""
    parts = ("core", "circuit", "passes", "backends", "cost", "verify", "flows", "data", "runs", "devices", "report", "cli")
    found = loads("hardwire", *(module_of(p) for p in MODULES if part(p) in parts))
    assert "torch" not in found and "numpy" in found


def test_the_package_alone_is_light():
    assert not {"torch", "numpy", "numba", "sklearn", "matplotlib"} & loads("hardwire")


@pytest.mark.parametrize("name", hardwire.__all__)
def test_every_public_name_exists(name):
    assert getattr(hardwire, name) is not None and name in dir(hardwire)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="No hardwire attribute nothing"):
        _ = hardwire.nothing


def test_versions_agree():
    text = (ROOT.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{hardwire.__version__}"' in text
