"""A C file that ``emit`` wrote, read back as a circuit."""

import tempfile
from os import PathLike
from pathlib import Path

from ...backends.c import backend
from ...backends.c.backend import Entry
from ...circuit import Circuit
from ...circuit.aig import Aig
from ...core.errors import FormatError, InputError
from ..cone import cone
from .batch import Batch
from .grammar import parse_c
from .heads import Heads
from .single import Single


def read_back_c(circuit: Circuit, *, entry: Entry = "batch") -> Circuit:
    """Emit C for ``circuit`` and read one entry point of it again; ``read_c`` says how."""
    with tempfile.TemporaryDirectory(prefix="hardwire-") as folder:
        return read_c(backend.emit(circuit, folder)[0], like=circuit, entry=entry)


def read_c(path: str | PathLike[str], *, like: Circuit, entry: Entry = "batch") -> Circuit:
    """Read a C file that ``emit`` wrote, as a circuit with the words of ``like``.

    The whole text of ``NAME.c`` and of the ``NAME.h`` beside it is parsed, each line as one of a few statements, and
    one entry point is executed symbolically. The functions of ``primitives.c`` are compared byte for byte with the
    package's own and stand for what they compute: a population count, an arg-max, a transposition. Tests hold that
    meaning against the compiled functions. All else, slots, indices, thresholds and words among it, is executed from
    the text.

    Parameters
    ----------
    path
        ``NAME.c``.
    like
        The circuit whose words are taken over. Its counts and arg-maxes give those of the text their order and shape,
        which a proof is short with; what the text computes does not depend on it.
    entry
        ``"batch"``: ``NAME_64`` and ``NAME_batch``. ``"one"``: ``NAME_one``.

    Raises
    ------
    FormatError
        With the line, where the text is none that ``emit`` writes, has other words, or reads what has no value.
    """
    if entry not in ("batch", "one"):
        raise InputError(f"entry {entry!r} is none of batch, one")
    path = Path(path)
    text = parse_c(path, like)
    aig = Aig(like.n_input_bits)
    inputs = list(range(2, 2 + 2 * like.n_input_bits, 2))
    heads = Heads(like, aig, aig.embed(like, inputs))
    words, start = [], 0
    for width in like.input_widths:
        words.append(inputs[start : start + width])
        start += width
    stored = (Batch if entry == "batch" else Single)(text, like, words, aig, heads).run()
    outputs: list[int] = []
    for w, word in enumerate(like.outputs):
        bits = stored.get(w)
        if bits is None:
            raise FormatError(f"{path.name} never writes output {word.name!r}, entry {entry}; emit the C again")
        if any(bits[word.width :]):
            raise FormatError(f"{path.name} writes more bits to output {word.name!r} than it has; emit the C again")
        outputs += [*bits, *[0] * word.width][: word.width]
    return cone(aig, outputs, like)
