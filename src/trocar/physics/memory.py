"""Where arrays start in memory: a kernel that walks through twenty of them at once wants them apart."""

import ctypes
import sys
from itertools import count

import numpy as np
from numpy.typing import DTypeLike

from trocar.physics.medium import Array

STEP_BYTES = 320  # five cache lines: large arrays start on like addresses and would share the sets of the cache
PLACES = 12
LINE_BYTES = 64  # on the border of a cache line: a vector that lies across one is loaded in two goes
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)
KEPT_BYTES, HEAP_BYTES = 256 << 20, 32 << 20  # what stays with the process once freed; the most that comes from there
_places = count()


def _keep_freed_memory() -> None:
    """Let glibc keep what is freed for the next solver: else the system clears each page of it anew (decision 0044)."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
        if mallopt is not None:
            mallopt(M_MMAP_THRESHOLD, HEAP_BYTES)
            mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


_keep_freed_memory()


def place(size: int) -> Array:
    """A flat float32 array of zeros that starts on other sets of the processor's cache than those made before it."""
    return places(1, size)[0]


def places(number: int, size: int) -> list[Array]:
    """As many of them, of zeros: one piece of memory, had in large pages and only where it is touched."""
    each = -(-(4 * size + (PLACES + 1) * STEP_BYTES) // LINE_BYTES) * LINE_BYTES
    room = np.zeros((number * each + LINE_BYTES) // 4, np.float32)
    lines = -room.ctypes.data % LINE_BYTES
    firsts = ((lines + n * each + (next(_places) % PLACES) * STEP_BYTES) // 4 for n in range(number))
    return [room[first : first + size] for first in firsts]


def half_places(number: int, size: int, dtype: DTypeLike) -> list[Array]:
    """The same for numbers of two bytes."""
    return [values.view(dtype)[:size] for values in places(number, -(-size // 2))]


def apart(values: Array) -> Array:
    """A flat float32 copy in such a place."""
    placed = place(values.size)
    placed[:] = values.reshape(-1)
    return placed
