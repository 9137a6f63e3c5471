"""Functions that move samples into planes and out of them, written for the words of a circuit.

A *block* is as many samples as a plane has bits. Codes lie sample after sample, as they do in C.
"""

from collections.abc import Sequence

from ...circuit import Circuit
from .binary import Function, ValueType, assemble
from .code import SIMD, Lanes

#: Bytes from address 0 on that packing works with.
WORK = 256
#: Bytes of an entry of the table of packing, of vectors and of words.
ENTRY, WORD_ENTRY = 48, 24
#: Turns 64-bit numbers into such whose order as signed ones is that of the unsigned.
SIGN = "v128.const " + 2 * (7 * "00" + "80")


def pack(lanes: Lanes, circuit: Circuit, chunks: int, *, table: int, planes: int) -> Function:
    """``pack(input)``: a block of codes to planes of comparisons.

    Parameters
    ----------
    lanes
        What a plane is.
    circuit
        Its input words are packed.
    chunks, table
        How many chunks of neighbouring words there are, and the address of their table.
    planes
        Address of the planes.
    """
    if not chunks:
        return assemble("pack", {"input": "i32"}, {}, "")
    words, size = len(circuit.inputs), circuit.input_dtype.itemsize
    by_lanes = _pack_vectors if lanes is SIMD else _pack_words
    return by_lanes(words, size, chunks, table=table, planes=planes)


def _pack_vectors(words: int, size: int, chunks: int, *, table: int, planes: int) -> Function:
    """Of 128 samples and 16 bytes of neighbouring words.

    The words of each sample are compared with their thresholds at once, and the results gathered as bits: row i has in
    its lane j those of word j of as many samples as a lane has bits. Rows are then transposed: a plane for each word.
    An entry of the table has the place of the first word in a sample, masks and thresholds, 16 bytes each.
    """
    lanes, bits, stride = 16 // size, 8 * size, words * size
    shape = f"i{bits}x{lanes}"
    at_least = f"local.get least {shape}.ge_u" if size < 8 else f"{SIGN} v128.xor local.get least i64x2.ge_s"
    samples = [f"local.get bits local.get bits {shape}.add local.get row v128.load offset={s * stride} "
               f"local.get mask v128.and {at_least} {shape}.sub local.set bits" for s in reversed(range(bits))]
    rows = [f"t{i}" for i in range(lanes)]
    text = f"""
        i32.const {table} local.set entry
        i32.const {planes} local.set out
        loop
            local.get entry v128.load offset=16 local.set mask
            local.get entry v128.load offset=32 local.set least
            local.get input local.get entry i32.load i32.add local.set row
            i32.const 0 local.set i
            loop
                v128.const {32 * "0"} local.set bits
                {" ".join(samples)}
                local.get i local.get bits v128.store offset=0
                local.get row i32.const {bits * stride} i32.add local.set row
                local.get i i32.const 16 i32.add local.tee i i32.const {16 * lanes} i32.lt_u br_if 0
            end
            {" ".join(f"i32.const 0 v128.load offset={16 * i} local.set {row}" for i, row in enumerate(rows))}
            {_transposed(rows, size)}
            local.get out i32.const {16 * lanes} i32.add local.set out
            local.get entry i32.const {ENTRY} i32.add local.tee entry
            i32.const {table + ENTRY * chunks} i32.lt_u br_if 0
        end"""
    variables: dict[str, ValueType] = {**dict.fromkeys(("entry", "out", "row", "i"), "i32"),
                                       **dict.fromkeys(("mask", "least", "bits", *rows, *map(_other, rows)), "v128")}
    return assemble("pack", {"input": "i32"}, variables, text)


def _other(name: str) -> str:
    return f"{name}_"


def _transposed(rows: Sequence[str], size: int) -> str:
    """Transpose lanes of ``size`` bytes by perfect shuffles, and store the rows at ``out``."""
    count, text = len(rows), []
    before, after = list(rows), [*map(_other, rows)]
    low, high = ([half + j for lane in range(count // 2) for half in (first + lane * size, 16 + first + lane * size)
                  for j in range(size)] for first in (0, 8))
    for _ in range(count.bit_length() - 1):
        for i in range(count // 2):
            for place, lanes in ((2 * i, low), (2 * i + 1, high)):
                text.append(f"local.get {before[i]} local.get {before[i + count // 2]} "
                            f"i8x16.shuffle {' '.join(map(str, lanes))} local.set {after[place]}")
        before, after = after, before
    text += [f"local.get out local.get {row} v128.store offset={16 * i}" for i, row in enumerate(before)]
    return " ".join(text)


def _pack_words(words: int, size: int, rows: int, *, table: int, planes: int) -> Function:
    """Of 64 samples, one word of one sample after the other.

    An entry of the table has the place of its word in a sample, mask and threshold, 8 bytes each.
    """
    stride = words * size
    load = {1: "i64.load8_u", 2: "i64.load16_u", 4: "i64.load32_u", 8: "i64.load"}[size]
    text = f"""
        i32.const {table} local.set entry
        i32.const {planes} local.set out
        loop
            local.get entry i64.load offset=8 local.set mask
            local.get entry i64.load offset=16 local.set least
            local.get input local.get entry i32.load i32.add local.set row
            i64.const 0 local.set bits
            i64.const 0 local.set s
            loop
                local.get bits local.get row {load} local.get mask i64.and local.get least i64.ge_u i64.extend_i32_u
                local.get s i64.shl i64.or local.set bits
                local.get row i32.const {stride} i32.add local.set row
                local.get s i64.const 1 i64.add local.tee s i64.const 64 i64.lt_u br_if 0
            end
            local.get out local.get bits i64.store
            local.get out i32.const 8 i32.add local.set out
            local.get entry i32.const {WORD_ENTRY} i32.add local.tee entry
            i32.const {table + WORD_ENTRY * rows} i32.lt_u br_if 0
        end"""
    variables: dict[str, ValueType] = {**dict.fromkeys(("entry", "out", "row"), "i32"),
                                       **dict.fromkeys(("mask", "least", "bits", "s"), "i64")}
    return assemble("pack", {"input": "i32"}, variables, text)


def unpack(lanes: Lanes, circuit: Circuit, *, planes: int) -> Function:
    """``unpack(output, samples)``: the planes of the output words' bits to codes of the first samples of a block."""
    widths, size = circuit.output_widths, circuit.output_dtype.itemsize
    store = {1: "i64.store8", 2: "i64.store16", 4: "i64.store32", 8: "i64.store"}[size]
    text, place = [], planes
    for w, width in enumerate(widths):
        bits = [f"local.get plane i64.load offset={place + j * lanes.size} local.get s i64.shr_u i64.const 1 i64.and "
                f"i64.const {j} i64.shl" for j in range(width)]
        place += width * lanes.size
        text.append(f"local.get out {' '.join([bits[0], *(f'{bit} i64.or' for bit in bits[1:])])} "
                    f"{store} offset={w * size}")
    loop = f"""
        local.get output local.set out
        loop
            local.get i i32.const 6 i32.shr_u i32.const 3 i32.shl local.set plane
            local.get i i64.extend_i32_u local.set s
            {" ".join(text)}
            local.get out i32.const {len(widths) * size} i32.add local.set out
            local.get i i32.const 1 i32.add local.tee i local.get samples i32.lt_u br_if 0
        end"""
    return assemble("unpack", {"output": "i32", "samples": "i32"},
                    {"out": "i32", "plane": "i32", "i": "i32", "s": "i64"}, loop)


def predict(lanes: Lanes, circuit: Circuit, pack: int, body: int, unpack: int) -> Function:
    """``predict(input, output, samples)``: block after block by the functions of these indices."""
    block = 8 * lanes.size
    step_in = block * len(circuit.inputs) * circuit.input_dtype.itemsize
    step_out = block * len(circuit.outputs) * circuit.output_dtype.itemsize
    return assemble("predict", dict.fromkeys(("input", "output", "samples"), "i32"), {}, f"""
        block
            loop
                local.get samples i32.eqz br_if 1
                local.get input call pack
                call body
                local.get output
                local.get samples i32.const {block} local.get samples i32.const {block} i32.lt_u select
                call unpack
                local.get samples i32.const {block} i32.lt_u br_if 1
                local.get input i32.const {step_in} i32.add local.set input
                local.get output i32.const {step_out} i32.add local.set output
                local.get samples i32.const {block} i32.sub local.set samples
                i32.const 1 br_if 0
            end
        end""", {"pack": pack, "body": body, "unpack": unpack})
