"""One header for a microcontroller, in emlearn's conventions: everything in it, ``NAME_predict`` to call.

The network in it is straight-line code, the ``NAME_one`` of the C back end, or a table that a small interpreter
executes; what is smaller is taken unless one is asked for.
"""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal, NamedTuple

import numpy as np

from ...circuit import Circuit, Word
from ...circuit.formats.words import generated_by
from ...core.errors import InputError
from ..common import description, source
from .code import Single
from .table import encode_table

Variant = Literal["auto", "code", "table"]
VARIANTS: tuple[Variant, ...] = ("auto", "code", "table")
#: Flash on a Cortex-M0+ at -Os, measured: the interpreter, and what a statement of straight-line code takes.
INTERPRETER, STATEMENT = 700, 9
#: Names of the straight-line code that get the model's name before them.
LOCAL = re.compile(r"\b(code_in|code_out|number|bit|largest|single_part\d+|APART)\b")
#: A count that grows, which `-Wconversion` accepts with a cast alone.
ADDS = re.compile(r"(c\[\d+\]) \+= (.+);")
#: Comes before the straight-line code, and the head of the function that calls it.
MARK, RUN = "/* Bit 0 of a variable is a net. */\n", "static inline void MODEL_run(const code_in *in, code_out *out)\n"
#: Begins and ends what computes the circuit; all else in the header depends on its words alone.
BEGIN, END = "/* ---- the network ---- */\n", "/* ---- what is called ---- */\n"


class Network(NamedTuple):
    """The text that computes the circuit, which variant it is, and the bytes of arrays that it keeps on the stack."""

    variant: Literal["code", "table"]
    text: str
    stack: int


def c_type(dtype: "np.dtype[np.unsignedinteger[Any]]") -> str:
    """The C99 name of an unsigned dtype."""
    return f"uint{8 * dtype.itemsize}_t"


def is_classifier(circuit: Circuit) -> bool:
    """Whether the first output word is the index of a class."""
    return bool(circuit.outputs) and circuit.outputs[0].name == "class_index"


def has_whole_codes(circuit: Circuit) -> bool:
    """Whether every input word counts whole numbers, so that integers become codes without a division of reals."""
    return all(_whole(word.offset) and _whole(word.step) for word in circuit.inputs)


def network_of(circuit: Circuit, name: str, variant: Variant = "auto") -> Network:
    """The text that computes ``circuit``, as ``variant`` or as the one that is likely smaller.

    Raises
    ------
    InputError
        Where the variant is unknown, or a table is asked for that cannot hold the circuit.
    """
    if variant not in VARIANTS:
        raise InputError(f"variant {variant!r} is none of {', '.join(VARIANTS)}")
    if variant == "code":
        return _code(circuit, name)
    try:
        table = _table(circuit, name)
    except InputError:
        if variant == "table":
            raise
        return _code(circuit, name)
    if variant == "table":
        return table
    code = _code(circuit, name)
    statements = sum(text.count(";") for text in code.text.splitlines() if text.startswith("    "))
    bytes_of_table = len(encode_table(circuit).code) + INTERPRETER
    return code if statements * STATEMENT < bytes_of_table else table


def model_header(circuit: Circuit, name: str, network: Network) -> str:
    """The text of ``NAME_model.h``."""
    upper = name.upper()
    notes = "\n".join(f" * {line}" for line in description(circuit))
    text = f"""#ifndef {upper}_MODEL_H
#define {upper}_MODEL_H
/* {generated_by(circuit)}.
 *
{notes}
 *
 * Inputs, in this order:
{listed_inputs(circuit)}
 *
 * The network is {'a table and its interpreter' if network.variant == 'table' else 'straight-line code'}.
 * No allocation, no state, no other file; {network.stack} bytes of arrays on the stack beside the codes.
 */
#include <stdint.h>
#if defined(__AVR__)
#include <avr/pgmspace.h>
#define {upper}_FLASH PROGMEM
#define MODEL_READ(p) pgm_read_byte(p)
#else
#define {upper}_FLASH
#define MODEL_READ(p) (*(p))
#endif

#define MODEL_INPUTS {len(circuit.inputs)}
#define MODEL_OUTPUTS {len(circuit.outputs)}
#define MODEL_DIGEST "{circuit.digest}"
{_places(circuit, upper)}
typedef {c_type(circuit.input_dtype)} MODEL_code_in;
typedef {c_type(circuit.output_dtype)} MODEL_code_out;

{_classes(circuit, upper)}{BEGIN}{network.text}{END}
{_conversions(circuit)}{_calls(circuit)}
#endif
"""
    return named(text, name)


def named(text: str, name: str) -> str:
    """Every ``MODEL_`` and what follows, as the model's own name: in capitals where it is a macro."""
    return re.sub(r"\bMODEL_(\w+)", lambda m: f"{name.upper() if m[1].isupper() else name}_{m[1]}", text)


def _code(circuit: Circuit, name: str) -> Network:
    single = Single(circuit).code
    body = [f"uint8_t s[{single.slots}];"] * bool(single.slots)
    body += [f"number c[{single.numbers}];"] * bool(single.numbers) + single.calls
    body += [] if re.search(r"\bin\b", "\n".join(single.calls)) else ["(void)in;"]
    parts = re.split(r"/\*\*\* (\w+) \*\*\*/\n", source("c/primitives.c"))[1:]
    helpers = "".join(text for helper, text in zip(parts[::2], parts[1::2]) if helper in single.helpers)
    functions = "\n".join(single.functions)
    numbers = f"typedef {c_type(single.number)} number;\n" if single.numbers else ""
    text = f"""{PREAMBLE}typedef uint8_t bit;
{numbers}{helpers}
{MARK}{functions}
{RUN}{{
{chr(10).join("    " + line for line in body)}
}}

"""
    stack = single.slots + single.number.itemsize * single.numbers
    return Network("code", adapted(text), stack)


def adapted(text: str) -> str:
    """The straight-line code of ``NAME_one`` in the words of a model's header."""
    return LOCAL.sub(r"MODEL_\1", ADDS.sub(r"\1 = (number)(\1 + \2);", text))


#: Keeps the parts apart, as `NAME.c` does.
PREAMBLE = """#if defined(__GNUC__)
#define APART __attribute__((noinline, unused)) /* inlined into one function, the parts would compile for minutes */
#else
#define APART
#endif
"""


def _table(circuit: Circuit, name: str) -> Network:
    table = encode_table(circuit)
    state = (table.nets + 7) // 8
    rows = [table.code[i : i + 16] for i in range(0, len(table.code), 16)]
    text = f"""/* {len(table.code)} bytes; hardwire's docs/microcontrollers.md says what they mean. */
static const uint8_t MODEL_table[{len(table.code)}] {name.upper()}_FLASH = {{
{chr(10).join("    " + " ".join(f"0x{byte:02x}," for byte in row) for row in rows)}
}};
/* One bit of each net. */
#define MODEL_STATE {state}
typedef uint{8 * table.number}_t MODEL_number;

{interpreter()}
"""
    return Network("table", text, state)


def interpreter() -> str:
    """The text of the interpreter, with ``MODEL_`` before its names."""
    return "".join(re.split(r"/\*\*\* \w+ \*\*\*/\n", source("c/interpreter.c"))[1:])


def listed_inputs(circuit: Circuit) -> str:
    """A line of a comment for each input word, in order: its place, its name, what its codes mean."""
    rows = [f" *   [{i}] {word.name}: {_meaning(word)}" for i, word in enumerate(circuit.inputs)]
    return "\n".join(rows) or " *   none"


def _meaning(word: Word) -> str:
    top = (1 << word.width) - 1
    if not word.scaled:
        return f"{word.width} bits, 0 to {top}"
    return (f"{word.width} bits, {word.offset:.9g} to {word.offset + word.step * top:.9g} in steps of {word.step:.9g}; "
            f"code = floor((value - {word.offset!r}) / {word.step!r}), 0 to {top}")


def _places(circuit: Circuit, upper: str) -> str:
    """An enumeration of the input words by name."""
    if not circuit.inputs:
        return ""
    names = ",\n".join(f"    {upper}_IN_{word.name} = {i}" for i, word in enumerate(circuit.inputs))
    return f"\n/* Where each input stands. */\nenum {{\n{names}\n}};\n"


def _classes(circuit: Circuit, upper: str) -> str:
    if not circuit.labels or not is_classifier(circuit):
        return ""
    texts = "\n".join(f"static const char MODEL_class_{i}[] {upper}_FLASH = {_string(label)};"
                      for i, label in enumerate(circuit.labels))
    names = ",\n".join(f"    MODEL_class_{i}" for i in range(len(circuit.labels)))
    return f"""#define MODEL_CLASSES {len(circuit.labels)}
{texts}
/* Names of the classes; on AVR both the array and the texts are in flash. */
static const char *const MODEL_class_names[MODEL_CLASSES] {upper}_FLASH = {{
{names}
}};

/* The name of a class, in flash on AVR: print it as (const __FlashStringHelper *) there. */
static inline const char *MODEL_class_name(int i)
{{
#if defined(__AVR__)
    return (const char *)pgm_read_ptr(&MODEL_class_names[i]);
#else
    return MODEL_class_names[i];
#endif
}}

"""


def _string(text: str) -> str:
    """A C string literal of UTF-8; three octal digits cannot run into what follows.

    No M begins a ``MODEL_``, and no slash a comment.
    """
    escaped = "".join(chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?M/' else f"\\{byte:03o}"
                      for byte in text.encode())
    return f'"{escaped}"'


def _conversions(circuit: Circuit) -> str:
    """From numbers to codes, in a loop for each run of input words of one kind."""
    runs, start = [], 0
    for kind, group in groupby(circuit.inputs, key=lambda word: (word.width, word.offset, word.step)):
        end = start + len(list(group))
        runs.append((start, end, *kind))
        start = end
    if not runs:
        return ""
    whole = has_whole_codes(circuit)
    # a wide integer code cannot saturate below what an int16_t holds, so that int32_t is enough for the arithmetic
    ints = [_loop(s, e, _from_int(w, o, t) if whole else _from_float("features", w, o, t)) for s, e, w, o, t in runs]
    floats = [_loop(s, e, _from_float("values", w, o, t)) for s, e, w, o, t in runs]
    return f"""/* The code nearest below, within the word; 0 for what is no number. */
static inline MODEL_code_in MODEL_clip(double code, MODEL_code_in top)
{{
    if (!(code >= 1.0))
        return 0;
    return code >= (double)top ? top : (MODEL_code_in)code;
}}

static inline MODEL_code_in MODEL_clip_whole(int32_t code, MODEL_code_in top)
{{
    if (code <= 0)
        return 0;
    return (uint32_t)code >= top ? top : (MODEL_code_in)code;
}}

/* Values as they come from a sensor or a table to codes[{len(circuit.inputs)}]. */
static inline void MODEL_codes(const int16_t *features, MODEL_code_in *codes)
{{
    int i;
{"".join(ints)}}}

/* The same of real values; a double where it has 64 bits, so that no rounding moves a value over an edge. */
static inline void MODEL_codes_float(const float *values, MODEL_code_in *codes)
{{
    int i;
{"".join(floats)}}}

"""


def _whole(value: float) -> bool:
    return float(value).is_integer() and abs(value) < 1 << 30


def _loop(start: int, end: int, value: str) -> str:
    return f"    for (i = {start}; i < {end}; i++)\n        codes[i] = {value};\n"


def _top(width: int) -> str:
    top = (1 << width) - 1
    return f"{top}u" if width <= 16 else f"UINT{32 if width <= 32 else 64}_C({top})"


def _from_int(width: int, offset: float, step: float) -> str:
    value = f"features[i] - INT32_C({int(offset)})" if offset > 0 else f"features[i] + INT32_C({-int(offset)})" \
        if offset else "features[i]"
    value = f"({value}) / INT32_C({int(step)})" if step != 1 else value
    return f"MODEL_clip_whole({value}, {_top(width)})"


def _from_float(array: str, width: int, offset: float, step: float) -> str:
    value = f"(double){array}[i]"
    value = f"({value} {'-' if offset > 0 else '+'} {abs(float(offset))!r})" if offset else value
    return f"MODEL_clip({value}{f' / {float(step)!r}' if step != 1 else ''}, {_top(width)})"


def _calls(circuit: Circuit) -> str:
    if not circuit.inputs:
        return ""
    return _classifier() if is_classifier(circuit) else _values(circuit.outputs)


def _predict(suffix: str, more: str, body: str) -> str:
    array = "values" if suffix else "features"
    named = "const float *values" if suffix else "const int16_t *features"
    return f"""static inline int MODEL_predict{suffix}({named}, int n{more})
{{
    MODEL_code_in codes[MODEL_INPUTS];
    if (n != MODEL_INPUTS)
        return -1;
    MODEL_codes{suffix}({array}, codes);
{body}
}}
"""


def _classifier() -> str:
    body = "    return MODEL_predict_codes(codes);"
    return f"""/* The index of the class, of codes, of integers and of real values; -1 where n is not MODEL_INPUTS. */
static inline int MODEL_predict_codes(const MODEL_code_in *codes)
{{
    MODEL_code_out out[MODEL_OUTPUTS] = {{0}};
    MODEL_run(codes, out);
    return (int)out[0];
}}

{_predict("", "", body)}
{_predict("_float", "", body)}"""


def _values(words: Sequence[Word]) -> str:
    def value(o: int, word: Word) -> str:
        code = f"(double)out[{o}]"
        text = code if word.step == 1 else f"{float(word.step)!r} * {code}"
        return f"(float)({float(word.offset)!r} + {text})" if word.offset else f"(float)({text})"

    rows = "\n".join(f"    outputs[{o}] = {value(o, word)}; /* {word.name} */" for o, word in enumerate(words))
    body = "    return MODEL_predict_codes(codes, outputs);"
    return f"""/* The values of the outputs go to outputs[MODEL_OUTPUTS], in the units of the targets. Their number is
   returned, or -1 where n is not MODEL_INPUTS. */
static inline int MODEL_predict_codes(const MODEL_code_in *codes, float *outputs)
{{
    MODEL_code_out out[MODEL_OUTPUTS] = {{0}};
    MODEL_run(codes, out);
{rows}
    return MODEL_OUTPUTS;
}}

{_predict("", ", float *outputs", body)}
{_predict("_float", ", float *outputs", body)}"""
