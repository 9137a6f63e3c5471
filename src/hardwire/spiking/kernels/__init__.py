"""Compiled kernels of the spiking network and their slow reference."""
