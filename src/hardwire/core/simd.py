"""Vectors as first-class values inside Numba kernels: ``load``, ``store``, ``splat``, arithmetic, sums and bit logic.

LLVM lowers a vector of any length to what the processor has (AVX-512, AVX2, NEON), so a kernel written once in terms of
``lanes`` runs everywhere without intrinsics of one vendor and without the run-time alias checks that an automatically
vectorised inner loop pays at each entry. Offsets count elements from an array's first one; arrays are C-contiguous.

Rows of vectors (``row_type``) are arrays whose element is a vector: the type carries the number of lanes, so that a
kernel of rows is compiled for each width that it is called with and names none.
"""

import functools
import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.imputils import impl_ret_borrowed
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, overload, register_model
from numba.np.arrayobj import populate_array
from numpy.typing import DTypeLike

INDEX = ir.IntType(32)


class Vector(types.Type):
    """``lanes`` numbers of one scalar type."""

    def __init__(self, dtype, lanes):
        self.dtype, self.lanes = dtype, lanes
        super().__init__(f"Vector({dtype}, {lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, ir.VectorType(manager.lookup(vector.dtype).get_value_type(), vector.lanes))


def _address(context, builder, array_type, array, offset, target):
    data = cgutils.create_struct_proxy(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [offset]), target.as_pointer())


def _alignment(context, array_type):
    return context.get_abi_sizeof(context.get_value_type(array_type.dtype))


@intrinsic(prefer_literal=True)
def load(typingctx, array, offset, lanes):
    """``lanes`` elements of ``array`` from element ``offset`` on."""
    vector = Vector(array.dtype, lanes.literal_value)

    def codegen(context, builder, signature, args):
        place = _address(context, builder, signature.args[0], args[0], args[1], context.get_value_type(vector))
        return builder.load(place, align=_alignment(context, array))

    return vector(array, types.intp, lanes), codegen


@intrinsic(prefer_literal=True)
def store(typingctx, vector, array, offset):
    """Write ``vector`` to ``array`` from element ``offset`` on."""

    def codegen(context, builder, signature, args):
        place = _address(context, builder, signature.args[1], args[1], args[2], context.get_value_type(vector))
        builder.store(args[0], place, align=_alignment(context, array))
        return context.get_dummy_value()

    return types.void(vector, array, types.intp), codegen


@intrinsic(prefer_literal=True)
def splat(typingctx, value, lanes):
    """A vector whose every lane is ``value``."""
    scalar = types.unliteral(value)
    vector = Vector(scalar, lanes.literal_value)

    def codegen(context, builder, signature, args):
        return _splat(builder, args[0], context.get_value_type(vector))

    return vector(scalar, lanes), codegen


def _splat(builder, value, target):
    undefined = ir.Constant(target, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(INDEX, 0))
    return builder.shuffle_vector(first, undefined, _mask([0] * target.count))


@functools.cache
def row_type(dtype: DTypeLike, lanes: int) -> np.dtype[np.void]:
    """The element of an array of rows: a vector of ``lanes`` numbers of ``dtype``. The same object each time."""
    return np.dtype([("lanes", dtype, (lanes,))])


def _row(rows):
    lanes = rows.dtype.typeof("lanes")
    return Vector(lanes.dtype, lanes.nitems)


@intrinsic
def load_row(typingctx, rows, index):
    """Row ``index`` of an array of rows, as a vector."""
    vector = _row(rows)

    def codegen(context, builder, signature, args):
        place = _address(context, builder, rows, args[0], args[1], context.get_value_type(vector))
        return builder.load(place, align=_scalar_size(context, vector))

    return vector(rows, types.intp), codegen


@intrinsic
def store_row(typingctx, vector, rows, index):
    """Write ``vector`` to row ``index`` of an array of rows."""

    def codegen(context, builder, signature, args):
        place = _address(context, builder, rows, args[1], args[2], context.get_value_type(vector))
        builder.store(args[0], place, align=_scalar_size(context, vector))
        return context.get_dummy_value()

    return types.void(vector, rows, types.intp), codegen


def _scalar_size(context, vector):
    return context.get_abi_sizeof(context.get_value_type(vector.dtype))


@intrinsic
def filled(typingctx, rows, value):
    """A vector as wide as ``rows`` whose every lane is ``value``, as a number of their type."""
    vector = _row(rows)

    def codegen(context, builder, signature, args):
        number = context.cast(builder, args[1], types.unliteral(value), vector.dtype)
        return _splat(builder, number, context.get_value_type(vector))

    return vector(rows, types.unliteral(value)), codegen


@intrinsic
def width(typingctx, rows):
    """Lanes of a row."""
    lanes = _row(rows).lanes
    return types.intp(rows), lambda context, builder, signature, args: ir.Constant(ir.IntType(64), lanes)


@intrinsic
def flat(typingctx, rows):
    """An array of rows as the one-dimensional array of its numbers."""
    vector = _row(rows)
    result = types.Array(vector.dtype, 1, "C")

    def codegen(context, builder, signature, args):
        source = context.make_array(rows)(context, builder, args[0])
        target = context.make_array(result)(context, builder)
        size = context.get_constant(types.intp, _scalar_size(context, vector))
        items = builder.mul(source.nitems, context.get_constant(types.intp, vector.lanes))
        data = builder.bitcast(source.data, target.data.type)
        populate_array(target, data, [items], [size], size, source.meminfo, source.parent)
        return impl_ret_borrowed(context, builder, result, target._getvalue())

    return result(rows), codegen


def _mask(lanes):
    return ir.Constant(ir.VectorType(INDEX, len(lanes)), list(lanes))


def _operator(symbol, real, whole):
    """Define an operator on two vectors of one type, and on a vector and a number of its type.

    Real products and sums may fuse into one rounding. The operator is a builtin and no overload, which would compile a
    function of its own for each pair of types.
    """

    @infer_global(symbol)
    class Operator(AbstractTemplate):
        def generic(self, args, kws):
            vectors = [a for a in args if isinstance(a, Vector)]
            if len(args) == 2 and vectors and all(a in (vectors[0], vectors[0].dtype) for a in args):
                return signature(vectors[0], *args)
            return None

    def lower(context, builder, sig, args):
        target = context.get_value_type(sig.return_type)
        a, b = (v if isinstance(t, Vector) else _splat(builder, v, target) for t, v in zip(sig.args, args))
        if isinstance(sig.return_type.dtype, types.Float):
            return getattr(builder, real)(a, b, flags=("contract",))
        return getattr(builder, whole)(a, b)

    for operands in ((Vector, Vector), (Vector, types.Number), (types.Number, Vector)):
        lower_builtin(symbol, *operands)(lower)


for _symbol, _real, _whole in (
    (operator.add, "fadd", "add"),
    (operator.sub, "fsub", "sub"),
    (operator.mul, "fmul", "mul"),
    (operator.and_, "", "and_"),
    (operator.or_, "", "or_"),
    (operator.xor, "", "xor"),
):
    _operator(_symbol, _real, _whole)


@overload(operator.invert)
def _invert(a):
    if isinstance(a, Vector):
        return lambda a: _not(a)


@intrinsic
def _not(typingctx, a):
    return a(a), lambda context, builder, signature, args: builder.not_(args[0])


@intrinsic(prefer_literal=True)
def logic(typingctx, a, b, table):
    """The two-input gate of truth table ``table``, bit by bit; spelled from the table, minimised by LLVM."""
    truth = table.literal_value

    def codegen(context, builder, signature, args):
        result = ir.Constant(args[0].type, [0] * a.lanes)
        for address in range(4):
            if truth >> address & 1:
                left = args[0] if address & 1 else builder.not_(args[0])
                right = args[1] if address & 2 else builder.not_(args[1])
                result = builder.or_(result, builder.and_(left, right))
        return result

    return a(a, b, table), codegen


@intrinsic(prefer_literal=True)
def where_at_least(typingctx, a, b, value):
    """Octets: ``value`` (uint8) in the lanes where ``a >= b`` as unsigned numbers, 0 elsewhere."""
    octets = Vector(types.uint8, a.lanes)

    def codegen(context, builder, signature, args):
        target = context.get_value_type(octets)
        lane = builder.icmp_unsigned(">=", args[0], args[1])
        first = builder.insert_element(ir.Constant(target, ir.Undefined), args[2], ir.Constant(INDEX, 0))
        everywhere = builder.shuffle_vector(first, ir.Constant(target, ir.Undefined), _mask([0] * target.count))
        return builder.select(lane, everywhere, ir.Constant(target, [0] * target.count))

    return octets(a, b, types.uint8), codegen


@intrinsic
def where_greater(typingctx, a, b, x, y):
    """The lanes of ``x`` where ``a > b``, those of ``y`` elsewhere (and where one is not a number)."""

    def codegen(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered(">", args[0], args[1]), args[2], args[3])

    return x(a, b, x, y), codegen


@intrinsic
def where_equal(typingctx, a, b, x, y):
    """The lanes of ``x`` where ``a == b``, those of ``y`` elsewhere."""

    def codegen(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered("==", args[0], args[1]), args[2], args[3])

    return x(a, b, x, y), codegen


@intrinsic
def transpose_octets(typingctx, array, out):
    """Eight rows of 64 octets in ``array`` become 64 rows of eight in ``out``; three stages of eight interleavings."""

    def codegen(context, builder, signature, args):
        row = ir.VectorType(ir.IntType(8), 64)
        starts = [ir.Constant(ir.IntType(64), 64 * r) for r in range(8)]
        rows = [builder.load(_address(context, builder, array, args[0], start, row), align=1) for start in starts]
        groups = [[r] for r in rows]
        for size in (1, 2, 4):  # octets that stay together
            groups = [
                [half for x, y in zip(even, odd) for half in _interleave(builder, x, y, size)]
                for even, odd in zip(groups[::2], groups[1::2])
            ]
        for start, vector in zip(starts, groups[0]):
            builder.store(vector, _address(context, builder, out, args[1], start, row), align=1)
        return context.get_dummy_value()

    return types.void(array, out), codegen


@intrinsic
def sums(typingctx, v0, v1, v2, v3):
    """The lane sums of four vectors as one vector of four lanes; a fixed tree of additions, ten shuffles in all."""
    four = Vector(v0.dtype, 4)

    def codegen(context, builder, signature, args):
        n = v0.lanes
        total = _fold(builder, _fold(builder, args[0], args[1], n, 1), _fold(builder, args[2], args[3], n, 1), n, 2)
        while n > 4:
            total = _halve(builder, total, n)
            n //= 2
        return total

    return four(v0, v1, v2, v3), codegen


@intrinsic(prefer_literal=True)
def add_folded(typingctx, v, array, offset, lanes):
    """Fold ``v`` onto itself until at most ``lanes`` are left, and add these to ``array`` from ``offset`` on."""
    width = min(lanes.literal_value, v.lanes)

    def codegen(context, builder, signature, args):
        n, left = v.lanes, args[0]
        while n > width:
            n //= 2
            left = builder.fadd(*[builder.shuffle_vector(left, left, _mask(range(s, s + n))) for s in (0, n)])
        place = _address(context, builder, signature.args[1], args[1], args[2], left.type)
        align = _alignment(context, array)
        builder.store(builder.fadd(builder.load(place, align=align), left), place, align=align)
        return context.get_dummy_value()

    return types.void(v, array, types.intp, lanes), codegen


@intrinsic
def total(typingctx, v):
    """The sum of all lanes; a fixed tree of additions."""

    def codegen(context, builder, signature, args):
        n, left = v.lanes, args[0]
        add = builder.fadd if isinstance(v.dtype, types.Float) else builder.add
        while n > 1:
            n //= 2
            halves = [builder.shuffle_vector(left, left, _mask(range(start, start + n))) for start in (0, n)]
            left = add(*halves)
        return builder.extract_element(left, ir.Constant(INDEX, 0))

    return v.dtype(v), codegen


@intrinsic
def ones(typingctx, v):
    """How many bits of each lane are true."""

    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(args[0].type, [args[0].type])
        name = f"llvm.ctpop.v{v.lanes}i{v.dtype.bitwidth}"  # llvmlite offers it for scalars only
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)

    return v(v), codegen


@intrinsic
def where_bits(typingctx, bits, x, y):
    """Lane ``j`` of ``x`` where bit ``j`` of the integer ``bits`` is true, of ``y`` elsewhere."""

    def codegen(context, builder, signature, args):
        return builder.select(_truth(builder, args[0], x.lanes), args[1], args[2])

    return x(bits, x, x), codegen


def _truth(builder, bits, lanes):
    """The lowest bits of an integer as a vector of truth values."""
    whole = ir.IntType(lanes)
    bits = bits if bits.type.width == lanes else builder.trunc(bits, whole)
    return builder.bitcast(bits, ir.VectorType(ir.IntType(1), lanes))


@intrinsic(prefer_literal=True)
def bit_of_lanes(typingctx, v, place):
    """Bit ``place`` of every lane of a vector of integers, as the bits of one uint64."""
    number = place.literal_value

    def codegen(context, builder, signature, args):
        bit = ir.Constant(args[0].type, [1 << number] * v.lanes)
        truth = builder.icmp_unsigned("!=", builder.and_(args[0], bit), ir.Constant(args[0].type, [0] * v.lanes))
        return builder.zext(builder.bitcast(truth, ir.IntType(v.lanes)), ir.IntType(64))

    return types.uint64(v, place), codegen


@intrinsic(prefer_literal=True)
def rounded_down(typingctx, v, low, high):
    """``clip(floor(v), low, high)`` of float32 lanes, as int32 lanes."""
    whole = Vector(types.int32, v.lanes)

    def codegen(context, builder, signature, args):
        ends = [ir.Constant(args[0].type, [float(end.literal_value)] * v.lanes) for end in (low, high)]
        number = builder.select(builder.fcmp_ordered("<", args[0], ends[0]), ends[0], args[0])
        number = builder.select(builder.fcmp_ordered(">", number, ends[1]), ends[1], number)
        above = builder.fptosi(builder.fsub(number, ends[0]), context.get_value_type(whole))  # towards 0
        return builder.add(above, ir.Constant(above.type, [low.literal_value] * v.lanes))

    return whole(v, low, high), codegen


#: Coefficients of ``(log(1 + f) - f + f^2 / 2) / f^3`` on ``[sqrt(1/2) - 1, sqrt(2) - 1]``, highest power first; S. L.
#: Moshier, Cephes, ``logf``.
_LOG = (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
        2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)  # fmt: skip
_SQRT_HALF = 0x3F3504F3


@intrinsic
def log(typingctx, v):
    """The natural logarithm of normal, positive float32 lanes, to about 1e-7."""

    def codegen(context, builder, signature, args):
        real = args[0].type
        whole = ir.VectorType(ir.IntType(32), v.lanes)

        def splat(number, kind=real):
            return ir.Constant(kind, [number] * v.lanes)

        bits = builder.bitcast(args[0], whole)
        exponent = builder.ashr(builder.sub(bits, splat(_SQRT_HALF, whole)), splat(23, whole))
        mantissa = builder.bitcast(builder.sub(bits, builder.shl(exponent, splat(23, whole))), real)
        e, f = builder.sitofp(exponent, real), builder.fsub(mantissa, splat(1.0))
        square, y = builder.fmul(f, f), splat(_LOG[0])
        for c in _LOG[1:]:
            y = builder.fadd(builder.fmul(y, f), splat(c))
        y = builder.fmul(builder.fmul(y, f), square)
        y = builder.fadd(y, builder.fmul(e, splat(-2.12194440e-4)))
        y = builder.fsub(y, builder.fmul(square, splat(0.5)))
        return builder.fadd(builder.fadd(f, y), builder.fmul(e, splat(0.693359375)))

    return v(v), codegen


def _interleave(builder, a, b, size):
    """Units of ``size`` lanes of ``a`` and ``b`` in turn, as two vectors: the lower units and the upper ones."""
    n = a.type.count
    order = [start + lane for u in range(0, n, size) for start in (0, n) for lane in range(u, u + size)]
    return [builder.shuffle_vector(a, b, _mask(half)) for half in (order[:n], order[n:])]


def _fold(builder, a, b, n, groups):
    """Vectors of ``groups`` groups each: add the halves of every group; the result holds twice the groups."""
    half = n // groups // 2
    low = [i * 2 * half + j + start for start in (0, n) for i in range(groups) for j in range(half)]
    return builder.fadd(
        builder.shuffle_vector(a, b, _mask(low)), builder.shuffle_vector(a, b, _mask([k + half for k in low]))
    )


def _halve(builder, v, n):
    """A vector of four groups over ``n`` lanes: add the halves of every group, ``n / 2`` lanes remain."""
    half = n // 8
    low = [i * 2 * half + j for i in range(4) for j in range(half)]
    return builder.fadd(
        builder.shuffle_vector(v, v, _mask(low)), builder.shuffle_vector(v, v, _mask([k + half for k in low]))
    )
