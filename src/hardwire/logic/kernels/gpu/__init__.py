"""The fast spellings of ``reference`` for CUDA GPUs, in Triton.

Activations are feature-major, ``(features, samples)`` with samples contiguous, stored as float32, bfloat16 or float16
and summed in float32. A layer reads its inputs and writes its outputs once; all activations stay in memory for
backward. There are no atomics: input gradients gather through the inverse wiring, and gradients of tables are added up
part by part, in an order that the shapes alone decide; so a seed gives the same bits on every run. ``gpu.ops`` holds
the operations.

``graphed_step`` replays one training step as a CUDA graph, for networks whose kernels are shorter than their launches.
"""

from ....core.errors import MissingToolError

try:
    import triton  # noqa: F401
except ImportError as missing:
    raise MissingToolError("a network on a GPU needs Triton; install the extra, hardwire[gpu]") from missing

from .coefficients import TableCoefficients
from .graph import graphed_step

__all__ = ["TableCoefficients", "graphed_step"]
