"""How many threads a step deserves: on small work or a busy machine barriers cost more than a second one brings."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when the threads start; spinning ones spoil shared machines

import numba

PARTS = 8  # shares of the work, fixed: sums are added in their order, so results do not depend on the threads
SMALL_CELLS = 150_000
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
