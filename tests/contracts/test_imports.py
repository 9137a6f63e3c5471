"""The import rule of the design: each package knows only what lies before it on the data's way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hardwire

ROOT = Path(hardwire.__file__).parent
PACKAGES = {"numpy"}
LEAVES = {"errors", "gates", "bits", "tools", "energy", "parallel", "simd", "splitmix", "disk", "config"}
CIRCUIT = LEAVES | {"circuit"}
EMITTED = CIRCUIT | {"passes", "backends"}

#: Part of the package -> parts that it may import beside itself, and outside packages beside the standard library.
RULE = {
    **{leaf: (LEAVES, {"numpy"}) for leaf in LEAVES},
    "simd": ({"errors"}, {"numpy", "numba", "llvmlite"}),
    "config": ({"errors", "disk"}, {"tomli"}),
    "splitmix": (set(), {"numpy", "numba"}),
    "circuit": (LEAVES, {"numpy", "numba"}),
    "passes": (CIRCUIT, {"numpy", "numba", "aigverse"}),
    "backends": (CIRCUIT, {"numpy"}),
    "verify": (EMITTED, {"numpy", "numba", "aigverse", "pysat"}),
    "flows": (EMITTED | {"verify"}, {"numpy"}),
    "data": (LEAVES, {"numpy", "sklearn"}),
    "nn": (LEAVES | {"data"}, {"numpy", "numba", "torch", "triton", "safetensors"}),
    "baselines": (LEAVES | {"data"}, {"numpy", "torch"}),
    "lower": (CIRCUIT | {"data", "nn", "baselines"}, {"numpy", "torch"}),
    "estimators": (CIRCUIT | {"data", "nn", "lower"}, {"numpy", "sklearn", "torch"}),
    "crossbar": (LEAVES | {"data"}, {"numpy", "numba", "torch", "safetensors", "torchvision", "timm"}),
    "spiking": (LEAVES | {"data", "crossbar"}, {"numpy", "numba", "llvmlite", "safetensors", "nir"}),
    "report": (LEAVES, {"numpy", "matplotlib"}),
    "samples": (LEAVES | {"circuit", "backends"}, {"numpy"}),
    "sweep": (LEAVES | {"data", "nn", "runs", "report"}, {"optuna"}),
    "bench": (LEAVES | {"nn", "report"}, {"numpy", "torch", "torchlogix"}),
}
#: The command line and what its verbs do see everything; the package itself resolves names on first use.
FREE = {"cli", "runs", "__main__", "__init__"}


def part(path: Path) -> str:
    """``nn`` for ``nn/cpu.py``, ``lower`` for ``lower.py``."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Absolute names of all modules that a file imports, inside functions too."""
    base = ["hardwire", *path.relative_to(ROOT).parts[:-1]]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            prefix = base[: len(base) - node.level + 1] if node.level else []
            module = [*prefix, *([node.module] if node.module else [])]
            names |= {".".join(module)} if node.module else {".".join([*module, alias.name]) for alias in node.names}
            if module == ["hardwire"]:
                names |= {f"hardwire.{alias.name}" for alias in node.names}
    return names


MODULES = sorted(p for p in ROOT.rglob("*.py") if part(p) not in FREE)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_import_rule(path):
    assert part(path) in RULE, f"{part(path)} has no row in the import rule"
    parts, packages = RULE[part(path)]
    for name in imported(path):
        top, *rest = name.split(".")
        if top == "hardwire":
            assert not rest or rest[0] in parts | {part(path)}, f"{name} lies after {part(path)} on the data's way"
        else:
            assert top in packages or top in sys.stdlib_module_names, f"{part(path)} may not use {top}"


def test_the_two_closed_siblings_share_devices_only():
    for path in MODULES:
        if part(path) == "spiking":
            assert all(not n.startswith("hardwire.crossbar") or n == "hardwire.crossbar.devices" for n in imported(path))


def loads(*modules) -> set[str]:
    code = "\n".join(f"import {m}" for m in modules) + "\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_no_torch_before_it_is_needed():
    parts = [p for p in ("circuit", "passes", "backends", "verify", "flows", "report", "data", "energy") if
             (ROOT / p).is_dir() or (ROOT / f"{p}.py").is_file()]
    names = ["hardwire", *(f"hardwire.{p}" for p in parts), "hardwire.circuit.packed", "hardwire.cli"]
    found = loads(*[n for n in names if n != "hardwire.cli" or (ROOT / "cli.py").is_file()])
    assert "torch" not in found and "numpy" in found


def test_the_package_alone_is_light():
    assert not {"torch", "numpy", "numba", "sklearn", "matplotlib"} & loads("hardwire")


@pytest.mark.parametrize("name", hardwire.__all__)
def test_every_public_name_exists(name):
    assert getattr(hardwire, name) is not None and name in dir(hardwire)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="module 'hardwire' has no attribute 'nothing'"):
        hardwire.nothing  # noqa: B018


def test_versions_agree():
    text = (ROOT.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{hardwire.__version__}"' in text
