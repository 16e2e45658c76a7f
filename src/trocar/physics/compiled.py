"""How the kernels are compiled: options that vectorize them, and a promise that their arrays do not overlap."""

from collections.abc import Callable
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

from numba import njit
from numba.core.compiler import Compiler

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


CELL = cell_functions(njit(fastmath=True, error_model="numpy", inline="always"))


COMPILING = "compiling the kernels: once on this machine, a few minutes"


def is_kept(kernel: Any) -> bool:
    """Whether a kernel has been compiled before on this machine: else its first call takes minutes."""
    folder = getattr(getattr(kernel, "_cache", None), "cache_path", None)
    if folder is None or kernel.overloads:
        return True
    return any(Path(folder).glob(f"*.{kernel.py_func.__name__}-*.nbi"))
