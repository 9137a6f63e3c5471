"""The operations of ``reference`` for CPUs, in Numba: blocks of samples that stay in the cache.

Activations are feature-major, ``(features, samples)``. A block is 32 samples wide, the last one of a batch 16 where
that is enough, so that a gate reads two short rows and writes one. Backward recomputes a block's activations, which is
cheaper than writing all of them to memory in forward and reading them back, scatters input gradients within the block,
and sums coefficient gradients into a few *parts*. How many parts there are, and which blocks each takes in which order,
depends on the batch and the network alone; so the result has the same bits for any number of threads.

``stack``, ``tree``, ``lut`` and ``mixed`` have ``forward`` and ``backward``, functions on arrays; ``loss`` is the
training step of gates alone, up and down in one pass. ``cpu_ops`` makes torch operations of them.
"""

from .blocks import own_threads

__all__ = ["own_threads"]
