"""Compiled kernels of the search: fan-out and differences, ranking, prices, substitutions, tidying."""
