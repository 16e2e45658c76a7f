"""How many threads a step deserves: on small work or a busy machine barriers cost more than a second one brings."""

import os

# Read when the threads start. A thread that has done its share spins some 20 us for the next (a barrier then takes 2 us
# and not 90), and sleeps after that: threads that spin for long spoil shared machines.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import numba

PARTS = 8  # shares of the work, fixed: sums are added in their order, so results do not depend on the threads
SMALL_CELLS = 20_000
BUSY_LOAD = 1.25  # processes waiting per processor


def use_for(cells: int) -> None:
    """Set the number of threads for a step on this many cells."""
    most = int(numba.config.NUMBA_NUM_THREADS)
    numba.set_num_threads(1 if cells < SMALL_CELLS or _busy() else most)


def _busy() -> bool:
    try:
        return os.getloadavg()[0] > BUSY_LOAD * (os.cpu_count() or 1)
    except OSError:
        return False
