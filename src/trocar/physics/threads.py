"""How many threads a step deserves: on small work or a busy machine barriers cost more than a second one brings."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

# Read when the threads start. A thread that has done its share spins some 20 us for the next (a barrier then takes 2 us
# and not 90), and sleeps after that: threads that spin for long spoil shared machines.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import numba

PARTS = 8  # shares of the work, fixed: sums are added in their order, so results do not depend on the threads
SMALL_CELLS = 60_000  # cells that move: fewer are not worth waking a thread that sleeps
BUSY_LOAD = 1.25  # processes waiting per processor

_here = local()


def use_for(cells: int) -> None:
    """Set the number of threads for a step on this many cells."""
    alone = getattr(_here, "alone", False) or cells < SMALL_CELLS or _busy()
    numba.set_num_threads(1 if alone else int(numba.config.NUMBA_NUM_THREADS))


@contextmanager
def alone() -> Iterator[None]:
    """Within it, this Python thread uses no other: for many lattices at a time, one in each."""
    before = getattr(_here, "alone", False)
    _here.alone = True
    try:
        numba.set_num_threads(1)
        yield
    finally:
        _here.alone = before


def _busy() -> bool:
    try:
        return os.getloadavg()[0] > BUSY_LOAD * (os.cpu_count() or 1)
    except OSError:
        return False
