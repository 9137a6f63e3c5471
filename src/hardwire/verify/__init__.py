"""Is it the same function? Proofs, counterexamples, vectors, and readers of what the back ends wrote."""

from .equivalence import prove, prove_macros
from .readback import read_verilog
from .vectors import Verdict, check_backend, vectors

__all__ = ["Verdict", "check_backend", "prove", "prove_macros", "read_verilog", "vectors"]
