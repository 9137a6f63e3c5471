"""Emitted WebAssembly, read back as a circuit, so that the bytes themselves can be proved."""

from .reader import read_back_wasm, read_wasm

__all__ = ["read_back_wasm", "read_wasm"]
