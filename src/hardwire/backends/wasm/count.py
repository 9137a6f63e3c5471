"""The population count of many planes: a loop in place of as many gates."""

from collections.abc import Sequence

from .binary import Function, ValueType, assemble
from .code import Lanes

#: Planes that are added at a time; an area to count is filled with zeros up to a multiple of it.
BLOCK = 16
#: Running sums of weight 1, 2, 4, 8.
SUMS = ("ones", "twos", "fours", "eights")


def popcount(lanes: Lanes, *, area: int) -> Function:
    """``popcount(end, out, out_end)``: planes from ``area`` to ``end`` to their number, LSB first, from ``out`` on.

    Carry-save adders over sixteen planes at a time, after Harley and Seal in Warren, Hacker's Delight. The number has
    at least five planes; what does not fit is left out.
    """
    kind, size = lanes.kind, lanes.size
    zero = f"v128.const {32 * '0'}" if kind == "v128" else "i64.const 0"
    planes = [f"local.get row {kind}.load offset={size * i}" for i in range(BLOCK)]
    text = f"""
        i32.const {area} local.set row
        local.get out local.set place
        loop
            local.get place {zero} {kind}.store
            local.get place i32.const {size} i32.add local.tee place local.get out_end i32.lt_u br_if 0
        end
        loop
            {_add(kind, planes, SUMS, len(SUMS) - 1, "carry")}
            local.get out i32.const {len(SUMS) * size} i32.add local.set place
            loop
                local.get place local.get place {kind}.load local.tee plane local.get carry {kind}.xor {kind}.store
                local.get carry local.get plane {kind}.and local.set carry
                local.get place i32.const {size} i32.add local.tee place local.get out_end i32.lt_u br_if 0
            end
            local.get row i32.const {size * BLOCK} i32.add local.tee row local.get end i32.lt_u br_if 0
        end
        {" ".join(f"local.get out local.get {name} {kind}.store offset={size * i}" for i, name in enumerate(SUMS))}"""
    names = (*SUMS, "carry", "plane", "a", "b", "u", *(f"c{i}" for i in range(len(SUMS))))
    variables: dict[str, ValueType] = {**dict.fromkeys(("row", "place"), "i32"), **dict.fromkeys(names, kind)}
    return assemble("popcount", dict.fromkeys(("end", "out", "out_end"), "i32"), variables, text)


def _add(kind: ValueType, planes: Sequence[str], sums: Sequence[str], level: int, carry: str) -> str:
    """Code that adds ``2^(level + 1)`` planes into the sums up to ``level`` and sets ``carry``, of the weight above."""
    if level == 0:
        a, b = (f"{plane} local.set {name}" for plane, name in zip(planes, ("a", "b")))
        return f"{a} {b} {_adder(kind, sums[0], 'a', 'b', carry)}"
    half = len(planes) // 2
    low = f"c{level}"
    return " ".join([_add(kind, planes[:half], sums, level - 1, low),
                     _add(kind, planes[half:], sums, level - 1, "c0"), _adder(kind, sums[level], low, "c0", carry)])


def _adder(kind: ValueType, total: str, a: str, b: str, carry: str) -> str:
    """``total`` becomes the sum of three planes, and ``carry`` their carry."""
    return (f"local.get {a} local.get {b} {kind}.xor local.set u "
            f"local.get {a} local.get {b} {kind}.and local.get u local.get {total} {kind}.and {kind}.or "
            f"local.get u local.get {total} {kind}.xor local.set {total} local.set {carry}")
