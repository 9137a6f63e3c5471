"""Which shape the nodes of a macro have: a proof, and a back end that repeats the shape, find the same inner points."""

from functools import lru_cache

from ..aig import Aig
from ..builder import CircuitBuilder
from ..circuit import Circuit, Macro
from ..structure import MacroKind
from .argmax import ARGMAXES, argmax
from .counts import COUNTS, popcount
from .words import at_least

#: Shapes of each kind of macro, the default one first.
STYLES: dict[MacroKind, tuple[str, ...]] = {"ge": ("chain",), "popcount": tuple(COUNTS), "argmax": tuple(ARGMAXES)}


def macro_circuit(macro: Macro, style: str = "") -> Circuit:
    """A circuit of one output word over the macro's inputs that does what the macro states, in one of ``STYLES``."""
    return _reference(macro.kind, len(macro.inputs), macro.value, style or STYLES[macro.kind][0])


@lru_cache(maxsize=64)
def _reference(kind: MacroKind, n: int, value: int, style: str) -> Circuit:
    b = CircuitBuilder(kind)
    nets = [net for i in range(0, n, 64) for net in b.input(f"x{i // 64}", min(64, n - i))]
    if kind == "ge":
        outputs = [at_least(b, nets, value)]
    elif kind == "popcount":
        outputs = popcount(b, nets, next(s for s in COUNTS if s == style))
    else:
        width = n // value
        words = [nets[i : i + width] for i in range(0, n, width)]
        outputs = argmax(b, words, next(s for s in ARGMAXES if s == style))
    b.output("y", outputs)
    return b.build()


def stated(aig: Aig, net: list[int], macro: Macro, style: str) -> list[int]:
    """The literals of what the macro states, in one shape, added to the graph; ``net`` are those of all nets."""
    reference = macro_circuit(macro, style)
    literals = aig.embed(reference, [net[n] for n in macro.inputs])
    return [literals[n] for n in reference.output_nets.tolist()]


def shape_of(aig: Aig, net: list[int], macro: Macro) -> str | None:
    """The shape whose gates are, hashed structurally, those of the macro's outputs; None where none is.

    Parameters
    ----------
    aig
        A graph that holds the circuit; the shapes that are tried are added to it.
    net
        The literals of all nets of the circuit.
    macro
        One of the circuit's.
    """
    styles, literals = STYLES[macro.kind], [net[n] for n in macro.outputs]
    if len(styles) == 1:
        return styles[0]
    return next((style for style in styles if stated(aig, net, macro, style) == literals), None)


def shapes(circuit: Circuit) -> dict[Macro, str | None]:
    """The shape of each macro of a circuit."""
    aig = Aig(circuit.n_input_bits)
    net = aig.embed(circuit, list(range(2, 2 + 2 * circuit.n_input_bits, 2)))
    return {macro: shape_of(aig, net, macro) for macro in circuit.macros}
