"""Kernels compiled by the house's decorators: what their cache on disk survives."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from hardwire.core import jit as house


def kernel(name: str) -> str:
    """A module whose cached kernel has a type called ``name`` in its signature; the kernel stays on its line."""
    return textwrap.dedent(f"""
        import sys
        from typing import NamedTuple
        from hardwire.core.jit import jit

        class {name}(NamedTuple):
            a: int

        @jit
        def double(pair):
            return 2 * pair.a

        sys.stdout.write(str(double({name}(21))))
        """)


def test_a_cache_that_names_a_type_of_before_is_made_anew(tmp_path):
    module = tmp_path / "module.py"
    for name in ("Before", "After", "After"):
        module.write_text(kernel(name), encoding="utf-8")
        done = subprocess.run([sys.executable, module], capture_output=True, text=True, check=True,
                              env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")})
        assert done.stdout == "42"
    assert list((tmp_path / "cache").rglob("*.nbi"))


@house.inner
def _square(x):
    return x * x


@house.inner_inlined
def _cube(x):
    return x * _square(x)


@house.jit
def _both(x):
    return _square(x) + _cube(x)


@pytest.mark.parametrize("x", [3, 0.5])
def test_inner_functions_are_called_by_kernels(x):
    assert _both(x) == x * x + x**3


def test_divisions_are_those_of_numpy():
    @house.inlined
    def divide(a, b):
        return a / b

    assert divide(1.0, 0.0) == np.inf
