"""Compiled kernels of the crossbar and their slow reference."""
