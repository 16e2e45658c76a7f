"""Eight numbers at a time: of a loop of eight the compiler makes eight numbers, one after the other."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

LANES = 8  # float32 of one operation
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_FREELY = ("fast",)  # sums in any order


@intrinsic  # type: ignore[untyped-decorator]
def dot_pairs(
    typingctx: Any, values: Any, first: Any, more: Any, more_first: Any, others: Any, place: Any, beside: Any,
    beside_place: Any,
) -> Any:  # fmt: skip
    """The sum of `values` times `others` and of `more` times `beside`: `LANES` float32 of each, from a place on."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        loaded = [_load(builder, _pointer(context, builder, signature, args, n)) for n in (0, 2, 4, 6)]
        both = [builder.fmul(loaded[n], loaded[n + 2], flags=_FREELY) for n in (0, 1)]
        kind = ir.FunctionType(_FLOAT, [_FLOAT, _VECTOR])
        total = get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.fadd.v{LANES}f32")
        return builder.call(total, [ir.Constant(_FLOAT, 0.0), builder.fadd(*both, flags=_FREELY)], fastmath=_FREELY)

    whole = types.int64
    return types.float32(values, whole, more, whole, others, whole, beside, whole), code


@intrinsic  # type: ignore[untyped-decorator]
def add_scaled(typingctx: Any, into: Any, place: Any, factor: Any, values: Any, first: Any) -> Any:
    """Add `factor` times `LANES` float32 of a flat array, from a place on, to those of another."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target, source = (_pointer(context, builder, signature, args, n) for n in (0, 3))
        lane = ir.Constant(ir.IntType(32), 0)
        one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), args[2], lane)
        all_lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        factors = builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), all_lanes)
        more = builder.fmul(factors, _load(builder, source), flags=_FREELY)
        builder.store(builder.fadd(_load(builder, target), more, flags=_FREELY), target, align=4)
        return context.get_dummy_value()

    return types.void(into, types.int64, types.float32, values, types.int64), code


def _pointer(context: Any, builder: Any, signature: Any, args: Any, number: int) -> Any:
    """To the vector that begins at the place that follows an array among the arguments."""
    data = make_array(signature.args[number])(context, builder, args[number]).data
    return builder.bitcast(builder.gep(data, [args[number + 1]]), _VECTOR.as_pointer())


def _load(builder: Any, pointer: Any) -> Any:
    return builder.load(pointer, align=4)
