"""What is timed or reached, against what, with which goal: ``hardwire bench``, or ``python -m benchmarks``."""
