"""Many plans on one lattice: each in a thread of its own, which for small lattices is the best use of the cores."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numba

from trocar.physics.heat import HeatSolver, Prepared
from trocar.physics.lines import Line
from trocar.physics.medium import Medium
from trocar.physics.source import Drive
from trocar.physics.stepping import LONGEST_S
from trocar.physics.threads import alone

Found = TypeVar("Found")
Drives = Sequence[Drive | None] | Callable[[HeatSolver], Sequence[Drive | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Needles and the phases they go through: a duration in s, and each needle's drive (`None`: off).

    Drives may be a function of the solver at the phase's start. `medium` is the job's own where it is not the batch's.
    """

    lines: tuple[Line, ...]
    phases: tuple[tuple[float, Drives], ...]
    medium: Medium | None = None


def play_many(
    prepared: Prepared, jobs: Iterable[Job], read: Callable[[HeatSolver], Found], *, longest_s: float = LONGEST_S
) -> list[Found]:
    """What `read` finds in the solver after each job, in the order of the jobs. Raises what a job raises."""

    def play(job: Job) -> Found:
        with alone():
            made = prepared if job.medium is None else Prepared.of(job.medium)
            solver = HeatSolver(made.medium, job.lines, prepared=made)
            for duration_s, drives in job.phases:
                solver.advance(duration_s, drives(solver) if callable(drives) else drives, longest_s=longest_s)
            return read(solver)

    with ThreadPoolExecutor(max_workers=_workers()) as pool:
        return list(pool.map(play, jobs))


def _workers() -> int:
    """As many as processors; one where numba's threads cannot be used from several of Python's."""
    try:
        layer = numba.threading_layer()
    except ValueError:  # nothing parallel has run yet in this process
        layer = "omp"
    return 1 if layer == "workqueue" else min(os.cpu_count() or 1, int(numba.config.NUMBA_NUM_THREADS))
