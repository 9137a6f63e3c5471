"""What the tests of the command line share."""

from pathlib import Path

from hardwire.circuit import CircuitBuilder
from hardwire.core.gates import TABLE

TINY = ["--steps", "60", "--width", "200", "--layers", "2", "--levels", "3", "--batch", "64"]


def snapshot(folder) -> dict:
    return {p.relative_to(folder): p.read_bytes() if p.is_file() else None for p in Path(folder).rglob("*")}


def gate(kind: str, name="two"):
    b = CircuitBuilder(name)
    (x,), (y,) = b.input("x"), b.input("y")
    b.output("z", b.node(TABLE[kind], x, y))
    return b.build()
