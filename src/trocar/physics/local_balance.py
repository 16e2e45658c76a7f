"""Passes on the part of a body that gives way, while the rest follows in one shape: decision 0038.

Damage happens in a small part of a body. There, strains, damage and a few iterations alternate on a lattice of that
part only. What the rest does meanwhile is nearly what it did last: its nodes move by a multiple of the last correction
of the whole body, as much as the energy asks for. So load passes round the part and falls, as it does in passes on the
whole body, which have the last word.
"""

from collections.abc import Callable

import numpy as np

from trocar.physics.elastic import Correction
from trocar.physics.elastic_rows import Array
from trocar.physics.softened import SoftenedBody
from trocar.physics.vicinity import Vicinity

MOST_FRAC = 0.9  # of the energy that a pass changes: where that is, is looked at apart
COVERED_FRAC = 0.8  # of it, less than which calls for another part
FORCING = 0.9  # residual after a pass over that before, nearly always one iteration
PASSES = 30


class LocalBalance:
    """Keeps the part that was looked at last, and the correction along which the rest moves.

    `forces` (3 x stored nodes) in the system's unit, none where displacements are prescribed.
    """

    def __init__(self, whole: SoftenedBody, forces: Array) -> None:
        self.whole, self.forces, self._pushed = whole, forces, np.flatnonzero(forces)
        self.correction: Correction | None = None
        self._part: Vicinity | None = None

    def settle(self, unit_m: Array, changes: tuple[Array, Array], before: Array, multiple_at: Callable[[float], float],
               *, haste: float, tolerance_J: float, least: float) -> float:  # fmt: skip
        """Brings what is giving way nearly into balance: damage, and in place the displacement under the load once.

        changes: voxels, and the energy (J) that each changed at once. before: shares that were left when the whole was
        last solved. `multiple_at` tells the multiple of the load from what has been added to its path under the load
        once, which is returned (unit_N m). It ends when a pass changes less than `tolerance_J`, when all passes have
        changed as much as the whole's pass did (what the rest does is no longer known then), or below the load `least`.
        """
        part = self._around(*changes)
        body, system = part.body, part.body.system
        u, forces = part.taken(unit_m), part.forces(self.forces)
        rest = None if self.correction is None else self._rest(part, self.correction, u, before)
        part.follow(self.whole)
        pushed = np.flatnonzero(forces)
        pull, start_m = forces[pushed] / part.scale, u[pushed]
        left_J = float(changes[1].sum())
        for _ in range(PASSES):
            body.stiffen()
            if rest is not None:
                rest.move(u)
            system.improve(u, forces, FORCING, 0.0)
            added = float((pull * (u[pushed] - start_m)).sum()) + (0.0 if rest is None else rest.moved * rest.path)
            multiple = multiple_at(added)
            body.attempt(u, multiple)
            change_J = float(body.changes_J(body.changing()).sum())
            body.keep(haste)
            left_J -= change_J
            if change_J < tolerance_J or left_J < 0 or multiple < least:
                break
        part.report(self.whole)
        if rest is not None and self.correction is not None:
            self.whole.system.displace(unit_m, self.correction.u_m, rest.moved)
        part.put(u, unit_m)
        return added

    def _rest(self, part: Vicinity, correction: Correction, u: Array, before: Array) -> "_Rest":
        """How the rest of the body follows the part. `before`: the shares left when the correction was made."""
        system, shape = part.body.system, part.taken(correction.u_m)
        part.stiffen_as(self.whole, before)
        stiff = correction.product - system.product(shape) / part.scale
        path = _work(self.forces[self._pushed], correction.u_m[self._pushed])
        path -= _work(part.forces(self.forces), shape) / part.scale
        return _Rest(part, shape, system.forces(u), stiff=max(stiff, 0.0), path=path)

    def _around(self, voxels: Array, change_J: Array) -> Vicinity:
        """A part that holds most of what changes: the last one, if it still does."""
        order = np.argsort(-change_J)
        run = np.cumsum(change_J[order])
        most = voxels[order[: int(np.searchsorted(run, MOST_FRAC * run[-1])) + 1]]
        if self._part is None or change_J[self._part.holds(voxels)].sum() < COVERED_FRAC * run[-1]:
            self._part = Vicinity(self.whole, most)
        return self._part


class _Rest:
    """The rest of a body, moved by `moved` times a shape: the last correction, on which no residual does work.

    forces_N: those of the part when it was made. stiff: the rest's product of the shape with its forces, path: what
    the rest adds to the path under the load once for the shape once (unit_N m).
    """

    def __init__(self, part: Vicinity, shape: Array, forces_N: Array, *, stiff: float, path: float) -> None:
        self._part, self._shape, self._forces_N = part, shape, forces_N
        self._stiff, self.path, self.moved = stiff, path, 0.0

    def move(self, u: Array) -> None:
        """Moves part and rest along the shape to where the forces of both together do no work on it."""
        system = self._part.body.system
        more = _work(self._forces_N - system.forces(u), self._shape) / (self._part.scale * system.unit_N)
        whole = self._stiff + system.product(self._shape) / self._part.scale
        if whole > 0:
            step = (more - self.moved * self._stiff) / whole
            self.moved += step
            u += step * self._shape


def _work(forces: Array, u_m: Array) -> float:
    """Their product, 0 where there are none. Not a BLAS one: its threads would wake for it."""
    return float((forces * u_m).sum()) if forces.size else 0.0
