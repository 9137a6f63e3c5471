"""The fast spellings of ``functional`` for CUDA GPUs, in Triton.

Activations are feature-major, ``(features, samples)`` with samples contiguous, stored as float32, bfloat16 or float16 and summed in
float32. A layer reads its inputs and writes its outputs once; all activations stay in memory for backward. There are no atomics:
input gradients gather through the inverse wiring, and gradients of tables are added up part by part, in an order that the shapes
alone decide; so a seed gives the same bits on every run. The functions take the arguments of those in ``cpu``.

``graphed_step`` replays one training step as a CUDA graph, for networks whose kernels are shorter than their launches.
"""

from ....core.errors import MissingToolError

try:
    import triton  # noqa: F401
except ImportError as missing:
    raise MissingToolError("a network on a GPU needs Triton; install the extra, hardwire[gpu]") from missing

from .coefficients import Interaction, TableCoefficients
from .graph import graphed_step
from .lut import Lut
from .mix import Mixed
from .stack import Stack
from .tree import Tree

__all__ = ["Interaction", "Lut", "Mixed", "Stack", "TableCoefficients", "Tree", "graphed_step"]
