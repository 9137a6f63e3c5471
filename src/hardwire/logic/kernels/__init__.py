"""The operations of a logic network: the naive reference, and fast kernels for CPUs and GPUs that are compared with it."""
