"""C99, self-contained: 64 samples at once, bit-sliced, and one sample at a time for microcontrollers.

Gates become straight-line code in functions of a few hundred lines, because a C compiler's time grows with the square
of a function's length. A net is a local variable of its function; one that another function reads also gets a *slot*,
an array element that is used again as soon as its net is dead. The helpers come from ``primitives.c`` as they are.
"""

import ctypes
import re
import tempfile
from collections.abc import Callable, Iterable
from itertools import accumulate, groupby, pairwise
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ...circuit import FIRST, Circuit
from ...circuit.formats.words import generated_by
from ...core import programs as tools
from ...core.bits import Codes
from ...core.errors import InputError
from ...core.files import write_text
from ..common import choose_name, description, source
from .code import Code, Single, Wide
from .firmware import emit_firmware
from .model import Variant, c_type, listed_inputs, model_header, network_of

RESERVED = """
    auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
"""
KEYWORDS = frozenset(RESERVED.split())
#: The emitted function that is called: many samples, one at a time, or one by ``NAME_model.h``.
Entry = Literal["batch", "one", "model"]


def emit(circuit: Circuit, out_dir: str | PathLike[str], *, name: str | None = None, variant: Variant = "auto",
         kit: str | None = None) -> list[Path]:
    """Write ``NAME.c``, ``NAME.h`` and ``NAME_model.h``, or a folder for a kit, and return the paths.

    ``NAME_64(in, out)`` takes 64 samples, ``NAME_batch(in, out, n)`` any number, ``NAME_one(in, out)`` one; codes lie
    sample after sample. ``NAME_model.h`` is for microcontrollers and needs no other file: ``NAME_predict(features, n)``
    takes one sample of integers. Nothing allocates or keeps a state.

    Parameters
    ----------
    circuit, out_dir
        What to write, and where.
    name
        The circuit's unless given.
    variant
        How ``NAME_model.h`` spells the network: ``code``, straight-line; ``table``, bytes and an interpreter; ``auto``,
        the one that takes less flash.
    kit
        Write a folder that builds in its place: a key of ``firmware.KITS``.

    Raises
    ------
    InputError
        Where ``out_dir`` cannot be written or the circuit has no outputs.
    """
    if not circuit.outputs:
        raise InputError(f"circuit {circuit.name!r} has no outputs; add one before emitting C")
    name = choose_name(circuit, name, avoid=KEYWORDS)
    network = network_of(circuit, name, variant)
    if kit is not None:
        return emit_firmware(circuit, out_dir, name=name, network=network, kit=kit)
    wide, single = Wide(circuit).code, Single(circuit).code
    folder = Path(out_dir)
    return [
        write_text(folder / f"{name}.c", _source(circuit, name, wide, single)),
        write_text(folder / f"{name}.h", _header(circuit, name, wide, single)),
        write_text(folder / f"{name}_model.h", model_header(circuit, name, network)),
    ]


def load(circuit: Circuit, *, entry: Entry = "batch", optimize: str = "-O1") -> Callable[[ArrayLike], Codes]:
    """Compile the emitted C; the result maps codes ``(samples, words)`` to codes ``(samples, output words)``.

    Raises
    ------
    MissingToolError
        Without a C compiler.
    """
    call = _compile(circuit, entry, optimize)

    def execute(x: ArrayLike) -> Codes:
        codes = circuit.codes(x)
        out = np.zeros((len(codes), len(circuit.outputs)), dtype=circuit.output_dtype)
        call(codes, out)
        return out

    return execute


def run(circuit: Circuit, codes: ArrayLike, *, entry: Entry = "batch", optimize: str = "-O1",
        batches: Iterable[int] = (), main: str | PathLike[str] | None = None, variant: Variant = "auto") -> Codes:
    """Codes or physical values ``(samples, words)`` through compiled C to codes ``(samples, output words)``.

    ``batches`` are the numbers of samples of the first calls; one call takes the rest. The last samples are called
    first, so that what a call writes beyond its own samples is seen. ``main`` is a ``NAME.c`` of this circuit that was
    emitted before, its header beside it, or a ``NAME_model.h`` for the entry ``model``; without it one is emitted.
    """
    codes, call = circuit.codes(codes), _compile(circuit, entry, optimize, main, variant)
    out = np.zeros((len(codes), len(circuit.outputs)), dtype=circuit.output_dtype)
    ends = [end for end in accumulate(batches) if end < len(codes)]
    for first, end in reversed([*pairwise([0, *ends, len(codes)])]):
        call(codes[first:end], out[first:end])
    return out


def _compile(circuit: Circuit, entry: Entry, optimize: str, main: str | PathLike[str] | None = None,
             variant: Variant = "auto") -> Callable[[Codes, Codes], None]:
    """The compiled entry point; it writes the codes of its second argument, both without gaps in memory."""
    if entry not in ("batch", "one", "model"):
        raise InputError(f"entry {entry!r} is none of batch, one, model")
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(main)] if main is not None else emit(circuit, folder, name="circuit", variant=variant)
        path = files[0]
        if entry == "model":
            path = _exported(files[-1].resolve(), Path(folder))
        library = Path(folder) / "circuit.so"
        flags = ["-std=c99", "-shared", "-fPIC", optimize]
        tools.run(tools.CC, [*flags, "-o", library, path], produces=[library])
        functions = ctypes.CDLL(str(library))
    function = functions[f"{path.stem.removesuffix('_model')}_{entry}"]
    function.restype = None

    def call(codes: Codes, out: Codes) -> None:
        if entry == "batch":
            function(ctypes.c_void_p(codes.ctypes.data), ctypes.c_void_p(out.ctypes.data), ctypes.c_size_t(len(codes)))
        else:
            for row, result in zip(codes, out):
                function(ctypes.c_void_p(row.ctypes.data), ctypes.c_void_p(result.ctypes.data))

    return call


def _exported(header: Path, folder: Path) -> Path:
    """A C file with ``NAME_model(in, out)``, which calls what is static in a ``NAME_model.h``."""
    name = header.stem.removesuffix("_model")
    text = f"""#include "{header}"
void {name}_model(const {name}_code_in *in, {name}_code_out *out);
void {name}_model(const {name}_code_in *in, {name}_code_out *out)
{{
    {name}_run(in, out);
}}
"""
    return write_text(folder / f"{name}_model.c", text)


def _loads(circuit: Circuit) -> list[str]:
    lines, place, first = [], FIRST, 0
    for width, group in groupby(circuit.input_widths):
        count = len(list(group))
        lines += [f"for (w = 0; w < {count}; w++)",
                  f"    load(in + {first} + w, {len(circuit.inputs)}, n, {width}, s + {place} + {width} * w);"]
        place, first = place + width * count, first + count
    return lines or ["(void)in;"]


def _helpers(names: Iterable[str]) -> str:
    text = source("c/primitives.c")
    parts = re.split(r"/\*\*\* (\w+) \*\*\*/\n", text)[1:]
    return "".join(body for name, body in zip(parts[::2], parts[1::2]) if name in set(names))


def _rows(numbers: Iterable[int]) -> str:
    text = [str(n) for n in numbers]
    return ",\n".join("    " + ", ".join(text[i : i + 16]) for i in range(0, len(text), 16))


def _source(circuit: Circuit, name: str, wide: Code, single: Code) -> str:
    index = "uint16_t" if wide.slots <= 1 << 16 else "uint32_t"
    helpers = [*wide.helpers, *single.helpers, *(["load"] if circuit.inputs else [])]
    arrays = [f"uint8_t s[{single.slots}];"] * bool(single.slots)
    arrays += [f"number c[{single.numbers}];"] * bool(single.numbers)
    mentions = "\n".join(single.calls)
    one = [*arrays, *single.calls, *([] if re.search(r"\bin\b", mentions) else ["(void)in;"])]
    block = [f"uint64_t s[{wide.slots}], x[{wide.scratch}];", "size_t w;", "s[0] = 0;", "s[1] = ~UINT64_C(0);",
             *_loads(circuit), *wide.calls]
    ins, outs = len(circuit.inputs), len(circuit.outputs)
    signature = "const code_in *in, code_out *out"
    numbers = f"typedef {c_type(single.number)} number;\n" if single.numbers else ""
    return f"""/* {generated_by(circuit)}; {name}.h says what it does. */
#include "{name}.h"

#if defined(__GNUC__)
#define APART __attribute__((noinline)) /* inlined into one long function, the parts would compile for minutes */
#else
#define APART
#endif

typedef {c_type(circuit.input_dtype)} code_in;
typedef {c_type(circuit.output_dtype)} code_out;
typedef {index} slot_index;
typedef uint_fast8_t bit;
{numbers}
{_helpers(helpers)}
/* ---- 64 samples: bit i of a variable belongs to sample i ---- */

static const slot_index wide_index[{len(wide.index)}] = {{
{_rows(wide.index)}
}};

{chr(10).join(wide.functions)}
static void wide({signature}, unsigned n)
{{
{_block(block)}
}}

void {name}_64({signature})
{{
    wide(in, out, 64);
}}

void {name}_batch({signature}, size_t n)
{{
    for (; n >= 64; n -= 64, in += (size_t)64 * {ins}, out += (size_t)64 * {outs})
        wide(in, out, 64);
    if (n > 0)
        wide(in, out, (unsigned)n);
}}

/* ---- one sample: bit 0 of a variable ---- */

{chr(10).join(single.functions)}
void {name}_one({signature})
{{
{_block(one)}
}}
"""


def _block(lines: list[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)


def _header(circuit: Circuit, name: str, wide: Code, single: Code) -> str:
    upper = name.upper()
    ins, outs = c_type(circuit.input_dtype), c_type(circuit.output_dtype)
    number = single.number.itemsize
    notes = "\n".join(f" * {line}" for line in description(circuit))
    return f"""#ifndef {upper}_H
#define {upper}_H
/* {generated_by(circuit)}.
 *
{notes}
 *
 * Inputs, in this order:
{listed_inputs(circuit)}
 *
 * Codes lie sample after sample, one element for each word; an input code must be below 2^bits of its word.
 * No allocation, no state: every function may run in several threads at once.
 *
 * Stack, beside what the compiler spills in one function of about 250 gates:
 *   {name}_64, {name}_batch: {8 * (wide.slots + wide.scratch)} bytes of arrays
 *   {name}_one: {single.slots + number * single.numbers} bytes of arrays
 */
#include <stddef.h>
#include <stdint.h>

#define {upper}_INPUTS {len(circuit.inputs)}
#define {upper}_OUTPUTS {len(circuit.outputs)}
#define {upper}_DIGEST "{circuit.digest}"

#ifdef __cplusplus
extern "C" {{
#endif

/* 64 samples: in[64 * {upper}_INPUTS], out[64 * {upper}_OUTPUTS]. */
void {name}_64(const {ins} *in, {outs} *out);

/* n samples, any number. */
void {name}_batch(const {ins} *in, {outs} *out, size_t n);

/* One sample, in little memory: in[{upper}_INPUTS], out[{upper}_OUTPUTS]. */
void {name}_one(const {ins} *in, {outs} *out);

#ifdef __cplusplus
}}
#endif
#endif
"""
