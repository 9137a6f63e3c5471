"""Is it the same function? Proofs, counterexamples, vectors, and readers of what the back ends wrote."""

from ..core.verdict import Verdict
from .c import read_back_c, read_c
from .checks import verify_circuit
from .equivalence import prove, prove_macros
from .readback import read_back, read_emitted, read_verilog
from .vectors import check_backend, vectors

__all__ = [
           "Verdict",
           "check_backend",
           "prove",
           "prove_macros",
           "read_back",
           "read_back_c",
           "read_c",
           "read_emitted",
           "read_verilog",
           "vectors",
           "verify_circuit",
]
