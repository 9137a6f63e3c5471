"""The kernels on a GPU where there is one, otherwise on the CPU in Triton's interpreter, which must be chosen before Triton is
imported. Every buffer that a kernel gets comes full of NaN."""

import os
import sys
from pathlib import Path

import pytest
import torch

if not torch.cuda.is_available() and os.environ.get("TRITON_INTERPRET") != "1":
    os.environ["TRITON_INTERPRET"] = "1"
    for name in [n for n in sys.modules if n.partition(".")[0] == "triton" and not n.startswith("triton._C")]:
        del sys.modules[name]  # whoever imported it before (torch.compile does) got it without the interpreter
pytest.importorskip("triton", reason="Triton is not installed here; it comes with hardwire[gpu]")

sys.path.insert(0, str(Path(__file__).parents[1]))  # for ``operations``
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture(autouse=True)
def poisoned(monkeypatch):
    """Memory that a kernel did not write is NaN, or 0xAA in integers."""
    from hardwire.logic.kernels.gpu import coefficients, common

    def fresh(*shape, dtype, device):
        return torch.full(shape, float("nan") if dtype.is_floating_point else 0xAA, dtype=dtype, device=device)

    for module in (common, coefficients):
        monkeypatch.setattr(module, "fresh", fresh)


@pytest.fixture
def device():
    return DEVICE
