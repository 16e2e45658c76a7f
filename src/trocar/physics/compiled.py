"""How the kernels are compiled: options that vectorize them, and a promise that their arrays do not overlap."""

from collections.abc import Callable
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core.compiler import Compiler
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from trocar.physics import cells


class Unaliased(Compiler):  # type: ignore[misc]
    """Compiles a function whose array arguments never overlap.

    Without the promise every row of cells first compares the addresses of some twenty arrays: a third of its time.
    """

    def __init__(
        self, typingctx: Any, targetctx: Any, library: Any, args: Any, return_type: Any, flags: Any, locals: Any
    ) -> None:
        flags = flags.copy()
        flags.noalias = True
        super().__init__(typingctx, targetctx, library, args, return_type, flags, locals)


COMPILED = {"fastmath": True, "error_model": "numpy", "cache": True, "nogil": True}
KERNEL = COMPILED | {"pipeline_class": Unaliased}
# Sums as they are written: made into one chain, in which each waits for the one before, they take a third longer.
IN_ORDER = KERNEL | {"fastmath": {"nnan", "ninf", "nsz", "arcp", "contract", "afn"}}


def cell_functions(jit: Callable[[Callable[..., Any]], Any]) -> SimpleNamespace:
    """Every function of `cells`, compiled by `jit`, each calling the compiled ones of the others."""
    found: dict[str, Any] = dict(vars(cells))
    compiled = SimpleNamespace()
    for name, function in vars(cells).items():  # in the order of the file: callees come first
        if isinstance(function, FunctionType):
            found[name] = jit(FunctionType(function.__code__, found, name))
            setattr(compiled, name, found[name])
    return compiled


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(typingctx: Any, words: Any, place: Any) -> Any:
    """Asks for the cache line of a place of a flat array, while something else is computed."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = make_array(signature.args[0])(context, builder, args[0])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        pointer = builder.bitcast(builder.gep(array.data, [args[1]]), byte)
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        builder.call(function, [pointer, number(0), number(3), number(1)])  # to be read, into the first cache, data
        return context.get_dummy_value()

    return types.void(words, types.int64), code


CELL = cell_functions(njit(fastmath=True, error_model="numpy", inline="always"))


COMPILING = "compiling the kernels: once on this machine, a few minutes"


def is_kept(kernel: Any) -> bool:
    """Whether a kernel has been compiled before on this machine: else its first call takes minutes."""
    folder = getattr(getattr(kernel, "_cache", None), "cache_path", None)
    if folder is None or kernel.overloads:
        return True
    return any(Path(folder).glob(f"*.{kernel.py_func.__name__}-*.nbi"))
