"""What structures still go through once the probes have stopped: cold and heat travel on for minutes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trocar.model.space import Array
from trocar.physics.heat import HeatSolver
from trocar.simulation.exposure import STILL_K_PER_S, Watched

LONGEST_S = 1800.0  # within it what a session cools or warms at 40 mm at most has turned; design
BEARABLE_PER_S = 0.2 / 600.0  # of what lies between a place and its limit; design


def followed_on(watched: tuple[Watched, ...], solver: HeatSolver) -> tuple[Watched, ...]:
    """The structures as they are once none gets colder or warmer any more and all are back within their limits.

    The solver goes on without needles, for half an hour at most. The structures given see nothing of it: what comes
    next goes on from the step's own end.
    """
    seen = tuple(each.apart() for each in watched)
    if all(each.settled for each in seen):
        return seen

    def follow(now: HeatSolver) -> None:
        for each in seen:
            each.see(now.temperature_at(each.corners), now.time_s)

    solver.advance(LONGEST_S, on_step=follow, until=lambda: all(each.settled for each in seen))
    return seen


class Place(NamedTuple):
    """Points by their (n, 8) flat cells and weights, and the limit that their worst temperature must not pass."""

    limit_degC: float
    cells: Array
    weights: Array

    def room_K(self, solver: HeatSolver, *, heats: bool) -> float:
        """How far its worst point is from the limit now: its warmest where it is heated, else its coldest."""
        now = np.einsum("nc,nc->n", solver.temperature_at(self.cells), self.weights)
        return self.limit_degC - float(now.max()) if heats else float(now.min()) - self.limit_degC


def turned(solver: HeatSolver, places: Sequence[Place], *, heats: bool = False) -> None:
    """Move a solver on without needles while some place still nears its limit, for half an hour at most.

    What at its rate loses less than a fifth of the way to its limit in ten minutes is left alone.
    """
    if not places:
        return
    seen: list[tuple[float, Array]] = []

    def look() -> None:
        seen.append((solver.time_s, np.array([place.room_K(solver, heats=heats) for place in places])))

    def still() -> bool:
        look()
        (before_s, before_K), (now_s, now_K) = seen[-2:]
        bearable_K_per_s = np.maximum(now_K, 0.0) * BEARABLE_PER_S + STILL_K_PER_S
        return bool((before_K - now_K <= bearable_K_per_s * (now_s - before_s)).all())

    look()
    solver.advance(LONGEST_S, until=still)
