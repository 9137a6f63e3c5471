"""A folder that builds for a microcontroller: the model's header, an example with vectors inside, project files.

The example prints PASS where the model gives on the device what the circuit gives here, and else FAIL. The files come
from templates in ``projects/templates``, whose fields are spelled ``@{name}``.
"""

from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from ...circuit import Circuit
from ...circuit.formats.words import generated_by
from ...circuit.simulate import simulate
from ...core.bits import Codes
from ...core.errors import InputError
from ...core.files import write_text
from ..common import Fields, source
from .model import Network, c_type, has_whole_codes, is_classifier, model_header

Kit = Literal["arduino", "platformio", "zephyr"]
#: Bytes of input codes that the vectors take at most, and how many vectors there are at least and at most.
VECTOR_BYTES, LEAST, MOST = 2048, 4, 32
#: Random inputs from which the vectors are taken.
CANDIDATES = 256


class Layout(NamedTuple):
    """Where the model and the vectors go, and the other files with their templates."""

    title: str
    model: str
    vectors: str
    files: dict[str, str]


KITS: dict[Kit, Layout] = {
    "arduino": Layout(
        "an Arduino library", "src/@{name}_model.h", "examples/@{name}_check/@{name}_vectors.h",
        {"library.properties": "library.properties", "examples/@{name}_check/@{name}_check.ino": "check.ino"}),
    "platformio": Layout(
        "a PlatformIO project", "include/@{name}_model.h", "include/@{name}_vectors.h",
        {"platformio.ini": "platformio.ini", "src/main.cpp": "platformio_main.cpp"}),
    "zephyr": Layout(
        "a Zephyr application", "src/@{name}_model.h", "src/@{name}_vectors.h",
        {"CMakeLists.txt": "zephyr.cmake", "prj.conf": "zephyr.conf", "src/main.c": "zephyr_main.c"}),
}


def emit_firmware(circuit: Circuit, out_dir: str | PathLike[str], *, name: str, network: Network, kit: str
                  ) -> list[Path]:
    """Write the folder of ``kit`` and return its files, the model's header first.

    Raises
    ------
    InputError
        Where the kit is unknown, the circuit has no inputs, or ``out_dir`` cannot be written.
    """
    if kit not in KITS:
        raise InputError(f"--for {kit!r} is none of {', '.join(KITS)}")
    if not circuit.inputs:
        raise InputError(f"circuit {circuit.name!r} has no inputs; a device has nothing to give it")
    layout = KITS[kit]
    fields = {"name": name, "upper": name.upper(), "generated": generated_by(circuit), "version": _dotted(__version__),
              "kind": "classifies" if is_classifier(circuit) else "computes"}
    texts = {layout.model: model_header(circuit, name, network), layout.vectors: vectors_header(circuit, name)}
    texts |= {file: Fields(source(f"projects/templates/{template}")).substitute(fields)
              for file, template in layout.files.items()}
    return [write_text(Path(out_dir) / Fields(file).substitute(fields), text) for file, text in texts.items()]


def vectors_header(circuit: Circuit, name: str) -> str:
    """The text of ``NAME_vectors.h``: input codes, the output codes that are due, and ``NAME_check``."""
    codes, due = check_vectors(circuit)
    upper, called = name.upper(), is_classifier(circuit) and has_whole_codes(circuit)
    features = [int(word.offset) for word in circuit.inputs], [int(word.step) for word in circuit.inputs]
    called &= all(abs(o + s * ((1 << w.width) - 1)) < 1 << 15 and abs(o) < 1 << 15
                  for o, s, w in zip(*features, circuit.inputs))
    inputs = codes.astype(np.int64) * features[1] + features[0] if called else codes
    kind = "int16_t" if called else f"{name}_code_in"
    if called:
        body = f"wrong += {name}_predict(given, {upper}_INPUTS) != (int)due[0];"
    else:
        body = f"""{name}_run(given, out);
        for (i = 0; i < {upper}_OUTPUTS; i++)
            if (out[i] != due[i])
                break;
        wrong += i < {upper}_OUTPUTS;"""
    out = "" if called else f"    {name}_code_out out[{upper}_OUTPUTS] = {{0}};\n    int i;\n"
    return f"""#ifndef {upper}_VECTORS_H
#define {upper}_VECTORS_H
/* {generated_by(circuit)}.
 * {len(codes)} random samples, and what the circuit gives of each.
 */
#include "{name}_model.h"

#define {upper}_VECTORS {len(codes)}

static const {kind} {name}_vector_in[{inputs.size}] {upper}_FLASH = {{
{_rows(inputs)}
}};
static const {c_type(circuit.output_dtype)} {name}_vector_out[{due.size}] {upper}_FLASH = {{
{_rows(due)}
}};

static inline void {name}_from_flash(void *to, const void *from, unsigned bytes)
{{
    uint8_t *t = (uint8_t *)to;
    const uint8_t *f = (const uint8_t *)from;
    unsigned i;
    for (i = 0; i < bytes; i++)
        t[i] = {upper}_READ(f + i);
}}

/* How many of the samples give anything else. */
static inline int {name}_check(void)
{{
    {kind} given[{upper}_INPUTS];
    {name}_code_out due[{upper}_OUTPUTS];
{out}    int v, wrong = 0;
    for (v = 0; v < {upper}_VECTORS; v++) {{
        {name}_from_flash(given, {name}_vector_in + v * {upper}_INPUTS, sizeof given);
        {name}_from_flash(due, {name}_vector_out + v * {upper}_OUTPUTS, sizeof due);
        {body}
    }}
    return wrong;
}}
#endif
"""


def check_vectors(circuit: Circuit, seed: int = 0) -> tuple[Codes, Codes]:
    """Random input codes whose outputs differ as far as they do, and those outputs; the same on every call."""
    rng = np.random.default_rng(seed)
    top = np.array([(1 << min(w, 63)) - 1 for w in circuit.input_widths], dtype=np.int64)
    x = rng.integers(0, top, (CANDIDATES, len(top)), endpoint=True)
    x[rng.random(x.shape) < rng.random((CANDIDATES, 1)) * 0.9] = 0
    codes = circuit.codes(x.astype(np.uint64).astype(circuit.input_dtype))
    due = simulate(circuit, codes)
    row = max(1, len(top)) * max(2, circuit.input_dtype.itemsize)
    count = max(LEAST, min(MOST, VECTOR_BYTES // row))
    _, kind = np.unique(due, axis=0, return_inverse=True)
    kept = np.sort(np.lexsort((np.arange(CANDIDATES), _rank(kind.reshape(-1))))[:count])
    return codes[kept], due[kept]


def _rank(kind: NDArray[np.intp]) -> NDArray[np.intp]:
    """Of each element, how many equal ones come before it."""
    order = np.argsort(kind, kind="stable")
    starts = np.searchsorted(kind[order], kind[order])
    rank = np.empty_like(order)
    rank[order] = np.arange(len(kind)) - starts
    return rank


def _rows(numbers: NDArray[np.integer]) -> str:
    text = [str(n) for n in numbers.ravel().tolist()]
    return ",\n".join("    " + ", ".join(text[i : i + 16]) for i in range(0, len(text), 16))


def _dotted(version: str) -> str:
    """The release of a version, which is all that a library manager takes."""
    numbers = [part for part in version.split(".")[:3] if part.isdigit()]
    return ".".join([*numbers, "0", "0", "0"][:3])
