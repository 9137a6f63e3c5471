"""What the back ends share: their row in the table, names, and a look-up table as an expression."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from string import Template

from ..circuit import Circuit, Word
from ..core.bits import Codes
from ..core.errors import InputError
from ..core.gates import expression
from ..core.names import identifier
from ..core.truth_tables import decompose, ones
from ..cost import stage_costs


class Fields(Template):
    """A template whose fields are spelled ``@{name}``, since Tcl and build tools have their own use for the dollar."""

    delimiter = "@"


#: Characters of a circuit's name in the names of files.
LONGEST = 100


@dataclass(frozen=True)
class Backend:
    """A row of the table ``BACKENDS``.

    Attributes
    ----------
    title
        The target's name in print.
    emit
        ``emit(circuit, out_dir, *, name=None, **options)`` writes files and returns their paths, the main one first.
        It raises InputError where ``out_dir`` cannot be written or the circuit has no outputs.
    run
        ``run(circuit, codes, **options)`` executes what ``emit`` writes, codes to codes, bit for bit as ``simulate``.
        It raises MissingToolError without the target's tool. None where nothing here can execute it.
    options
        Names of the options that ``emit`` takes: ``pipeline`` (registers after every so many levels of logic), which
        ``run`` takes too, ``bus``, ``register_inputs``, ``clock``, ``device``.
    """

    title: str
    emit: Callable[..., list[Path]]
    run: Callable[..., Codes] | None = None
    options: tuple[str, ...] = ()

    @property
    def pipeline(self) -> bool:
        """Whether there may be registers."""
        return "pipeline" in self.options


def source(name: str) -> str:
    """The text of a hand-written primitive, by its path in this folder."""
    return (Path(__file__).parent / name).read_text()


def lut(table: int, operands: list[str], *, false: str = "0", true: str = "~0") -> str:
    """A table of any number of operands as an expression over ``& | ^ ~``: Shannon's expansion down to gates."""
    if table in (0, ones(len(operands))):
        return true if table else false
    atoms = {*operands, *("~" + x for x in operands)}

    def gate(table: int, a: str, b: str) -> str:
        return expression(table, *(x if x in atoms else f"({x})" for x in (a, b)))

    return decompose(table, operands, gate)


def word_runs(circuit: Circuit) -> list[tuple[str, Word, int]]:
    """Input words, neighbours of one kind together: their names, the first word, and how many there are."""
    kinds = groupby(circuit.inputs, lambda word: (word.width, word.offset, word.step))
    runs = [list(words) for _, words in kinds]
    return [(run[0].name if len(run) == 1 else f"{run[0].name} .. {run[-1].name}", run[0], len(run)) for run in runs]


def description(circuit: Circuit) -> list[str]:
    """Lines for the head of an emitted file: words, counts, digest."""
    lines = [f"circuit {circuit.name}, digest {circuit.digest}"]
    for names, word, count in word_runs(circuit):
        size = f"{count} words of {word.width} bits" if count > 1 else f"{word.width} bits"
        lines.append(f"input  {names}: {size}, code = floor((value - {word.offset:g}) / {word.step:g}), clipped")
    for word in circuit.outputs:
        scale = f", value = {word.offset:.17g} + {word.step:.17g} * code" if word.scaled else ""
        lines.append(f"output {word.name}: {word.width} bits{scale}")
    for stage, cost in stage_costs(circuit).items():
        lines.append(f"{stage}: {cost['gates']} two-input gates, depth {cost['depth']}")
    if circuit.labels:
        lines.append("classes: " + ", ".join(circuit.labels))
    return [" ".join(line.replace("*/", "* /").replace("/*", "/ *").split()) for line in lines]


def choose_name(circuit: Circuit, name: str | None, *, avoid: Collection[str] = ()) -> str:
    """The name of the emitted files and entry points: ``name`` as it is, or the circuit's made an identifier.

    The circuit's may come from a file and is cut, so that it is no path and no file's name is too long.
    """
    if name is None:
        return identifier(circuit.name[:LONGEST] or "circuit", avoid=avoid)
    if identifier(name, avoid=avoid) != name:
        raise InputError(f"name {name!r} is no identifier or is reserved; give letters, digits and underscores")
    return name
