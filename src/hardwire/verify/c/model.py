"""``NAME_model.h``, the header for microcontrollers, read back as a circuit."""

import re
import tempfile
from os import PathLike
from pathlib import Path

from ...backends.c import backend
from ...backends.c.model import (
    BEGIN,
    END,
    LOCAL,
    MARK,
    RUN,
    Variant,
    adapted,
    interpreter,
    model_header,
    named,
    network_of,
)
from ...circuit import Circuit
from ...circuit.aig import Aig
from ...core.errors import FormatError
from ...core.files import read_text, write_text
from ..cone import cone
from .heads import Heads
from .reader import read_c
from .table import read_table

#: What of a header depends on the circuit beside its words and its network: comments, and the digest.
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DIGEST = re.compile(r'^(#define \w+_DIGEST) "[0-9a-f]{64}"$', re.MULTILINE)
#: The network as a table: its bytes, the bytes of its state, its numbers.
TABLE = re.compile(r"static const uint8_t MODEL_table\[([1-9][0-9]{0,8})\] MODEL_FLASH = \{\n"
                   r"((?:    (?:0x[0-9a-f]{2}, ?)+\n)+)\};\n \n"
                   r"#define MODEL_STATE ([1-9][0-9]{0,8})\ntypedef uint(8|16|32|64)_t MODEL_number;\n\n", re.ASCII)
SECTION = "/* ---- one sample: bit 0 of a variable ---- */\n\n"


def read_back_model(circuit: Circuit, *, variant: Variant = "auto") -> Circuit:
    """Emit C for ``circuit`` and read the model's header again; ``read_model`` says how."""
    with tempfile.TemporaryDirectory(prefix="hardwire-") as folder:
        return read_model(backend.emit(circuit, folder, variant=variant)[-1], like=circuit)


def read_model(path: str | PathLike[str], *, like: Circuit) -> Circuit:
    """Read a ``NAME_model.h`` that ``emit`` wrote, as a circuit with the words of ``like``.

    A table is decoded from the bytes in the file, and straight-line code is executed symbolically as that of ``NAME.c``
    is. All else, the interpreter and the conversion of values to codes among it, is compared, comments aside, with what
    this program writes for these words; tests hold its meaning against the compiled text.

    Raises
    ------
    FormatError
        Where the text is none that ``emit`` writes, or has other words.
    """
    path = Path(path)
    name = path.name.removesuffix("_model.h")
    text = read_text(path)
    head, begin, rest = text.partition(BEGIN)
    network, end, tail = rest.partition(END)
    if not (begin and end):
        raise FormatError(f"{path.name} has no network between its marks; emit the C again")
    variant = network_of(like, name, "code" if "_table[" not in network else "table")
    mine = model_header(like, name, variant)
    for theirs, ours in ((head, mine.partition(BEGIN)[0]), (tail, mine.partition(END)[2])):
        _same(path, theirs, ours)
    if variant.variant == "table":
        return _table(path, name, network, like)
    return _straight(path, name, network, like)


def _same(path: Path, theirs: str, ours: str) -> None:
    one, other = (DIGEST.sub(r"\1", COMMENT.sub(" ", text)).splitlines() for text in (theirs, ours))
    for a, b in zip([*one, "its end"], [*other, "its end"]):
        if a != b:
            raise FormatError(f"{path.name} has {a.strip()[:60]!r} where {b.strip()[:60]!r} is due; emit the C again")


def _table(path: Path, name: str, network: str, like: Circuit) -> Circuit:
    generic = COMMENT.sub(" ", network).lstrip("\n ")
    for own, common in ((f"{name.upper()}_FLASH", "MODEL_FLASH"), (f"{name.upper()}_STATE", "MODEL_STATE"),
                        (f" {name}_table[", " MODEL_table["), (f"_t {name}_number;", "_t MODEL_number;")):
        generic = generic.replace(own, common, 1)
    match = TABLE.match(generic)
    if match is None:
        raise FormatError(f"{path.name} has no table as it is written; emit the C again")
    _same(path, generic[match.end() :], named(interpreter(), name) + "\n")
    size, body, state, number = match.groups()
    code = bytes(int(text, 16) for text in re.findall("0x([0-9a-f]{2})", body))
    if int(size) != len(code):
        raise FormatError(f"{path.name} has a table of {len(code)} bytes where {size} are declared; emit the C again")
    aig = Aig(like.n_input_bits)
    inputs = list(range(2, 2 + 2 * like.n_input_bits, 2))
    heads = Heads(like, aig, aig.embed(like, inputs))
    outputs = read_table(code, like, aig, heads, nets=8 * int(state), number=int(number) // 8, file=path.name)
    return cone(aig, outputs, like)


def _straight(path: Path, name: str, network: str, like: Circuit) -> Circuit:
    """The network's text in the place of that of ``NAME_one``, read as that is."""
    head, mark, body = network.partition(MARK)
    _same(path, head, named(network_of(like, name, "code").text, name).partition(MARK)[0])
    local = re.sub(rf"\b(?:{name}|{name.upper()})_({LOCAL.pattern[3:-3]})\b", r"\1", body)
    local = re.sub(r"(c\[\d+\]) = \(number\)\(\1 \+ (.+)\);", r"\1 += \2;", local)
    own = local.replace(named(RUN, name), f"void {name}_one(const code_in *in, code_out *out)\n")
    if not mark or named(adapted(local), name) != body:
        raise FormatError(f"{path.name} has straight-line code in other words than emitted; emit the C again")
    with tempfile.TemporaryDirectory(prefix="hardwire-") as folder:
        main = backend.emit(like, folder, name=name)[0]
        write_text(main, main.read_text().partition(SECTION)[0] + SECTION + own.rstrip("\n") + "\n")
        return read_c(main, like=like, entry="one")
