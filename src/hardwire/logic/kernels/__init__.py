"""The operations of a logic network: the naive reference, and fast kernels for CPUs and GPUs that are compared with it.

``ops`` says which kernels compute on which device. ``cpu_ops`` and ``gpu.ops`` hold them as operations that torch
knows, with their gradients; both have the functions that ``ops.Kernels`` lists.
"""
