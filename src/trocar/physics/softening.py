"""What is left of a voxel's modulus once its principal strains have passed their limits: it only ever falls.

Up to its limit a material is elastic. Beyond it the stress falls along a line that reaches nothing after an elongation
(mm) that belongs to the material and not to the voxel, so that breaking through costs the same energy on any lattice
(crack band). theory/softening.md has the equations.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit, prange

from trocar.errors import SolverError
from trocar.physics.compiled import COMPILED
from trocar.physics.elastic_rows import Array, Rows
from trocar.physics.elastic_strain import THIRD, cell_strain

FLOOR_FRAC = 0.01  # of the modulus that a broken voxel keeps, so that the solver does (mechanics reference 2.1)
SMALLEST_REACH = 1.05  # strain at which nothing is carried, over the limit: below it a voxel is too coarse
_cell = njit(fastmath=True, error_model="numpy", inline="always")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Strains at which a material gives way, and the elongations (m) after which it carries nothing; inf: it flows."""

    name: str
    tension_frac: float
    compression_frac: float
    parting_m: float = math.inf
    crushing_m: float = math.inf
    floor_frac: float = FLOOR_FRAC

    def row(self, spacing_m: float) -> tuple[float, float, float, float, float]:
        """1 / limits, slopes of the stress after them, floor. Raises `SolverError` where voxels are too coarse."""
        slopes = []
        for limit, gone_m in ((self.tension_frac, self.parting_m), (self.compression_frac, self.crushing_m)):
            reach = gone_m / (limit * spacing_m)
            if reach < SMALLEST_REACH:
                raise SolverError(
                    f"voxels of {1000 * spacing_m:g} mm are too coarse for how brittle {self.name} is",
                    hint=f"use voxels below {1000 * gone_m / (SMALLEST_REACH * limit):.1f} mm",
                )
            slopes.append(1 / (reach - 1))
        return 1 / self.tension_frac, 1 / self.compression_frac, slopes[0], slopes[1], self.floor_frac


class Softening:
    """The voxels' shares of their first modulus: `kept` for good, `now` under a displacement that is being tried.

    `label` [i, j, k] is 0 for what never gives way, else 1 + the number of its limits.
    """

    def __init__(self, rows: Rows, label: Array, limits: Sequence[Limits], *, spacing_m: float, poisson: float) -> None:
        self.rows, self.limits = rows, tuple(limits)
        self.label = rows.gathered(label.astype(np.uint8), of_nodes=False)
        if self.label.size and int(self.label.max()) > len(limits):
            raise SolverError("a voxel's label has no limits", hint="label = 1 + number of the limits, 0 for none")
        self._table = np.array([(0.0, 0.0, 0.0, 0.0, 1.0), *(limit.row(spacing_m) for limit in limits)])
        self._scale, self._poisson = 1 / (4 * spacing_m), poisson
        self.kept = np.ones(rows.cell_count, np.float32)
        self.now = self.kept.copy()
        self.energy = np.zeros(rows.cell_count, np.float32)  # elastic, per volume and first modulus, of this label

    def attempt(self, u_m: Array) -> float:
        """`now` under a displacement (3 x stored nodes); returns the highest ratio of a strain to its limit."""
        highest = np.zeros(self.rows.cells.shape[0])
        lame, shear = self._poisson / ((1 + self._poisson) * (1 - 2 * self._poisson)), 1 / (2 * (1 + self._poisson))
        _shares(
            u_m, self.rows.cells, self.rows.nodes, self.rows.shape[1], self._scale, self.label, self._table, self.kept,
            self.now, self.energy, highest, lame, shear,
        )  # fmt: skip
        return float(highest.max())

    def hasten(self, factor: float) -> None:
        """Multiplies what is being lost: fewer passes where a break runs on, for a little too much loss."""
        if factor != 1.0:
            lost = self.now < self.kept
            hastened = self.kept[lost] - factor * (self.kept[lost] - self.now[lost])
            self.now[lost] = np.maximum(hastened, np.float32(FLOOR_FRAC))

    def keep(self) -> None:
        """What is lost under the displacement last tried is lost for good."""
        self.kept[:] = self.now


@_cell
def _left(ratio, slope, floor):  # type: ignore[no-untyped-def]
    """The secant modulus at a ratio of strain to limit, over the first modulus."""
    return max(floor, (1.0 - slope * (ratio - 1.0)) / ratio) if ratio > 1.0 else 1.0


@njit(parallel=True, **COMPILED)
def _shares(u, cells, nodes, ny, scale, label, table, kept, now, energy, highest, lame, shear):  # type: ignore[no-untyped-def]
    size, width = nodes[-1, 1] + nodes[-1, 2], ny + 1
    for row in prange(cells.shape[0]):
        i, j = row // ny, row % ny
        top = 0.0
        for k in range(cells[row, 0], cells[row, 1]):
            at = cells[row, 2] + k
            limit = table[label[at]]
            if label[at] == 0:
                continue
            xx, yy, zz, xy, xz, yz = cell_strain(u, size, nodes, width, i, j, k, scale)
            xy, xz, yz = 0.5 * xy, 0.5 * xz, 0.5 * yz
            trace = xx + yy + zz
            mean = trace / 3
            square = xx * xx + yy * yy + zz * zz + 2 * (xy * xy + xz * xz + yz * yz)
            energy[at] = 0.5 * lame * trace * trace + shear * square
            now[at] = kept[at]
            if square * max(limit[0], limit[1]) ** 2 < min(1.0, top * top):
                continue  # no principal strain is larger than the root of the sum of their squares
            a, b, c = xx - mean, yy - mean, zz - mean
            spread = math.sqrt((a * a + b * b + c * c + 2 * (xy * xy + xz * xz + yz * yz)) / 6)
            determinant = a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz)
            cosine = determinant / (2 * max(spread, 1e-90) ** 3)
            angle = math.acos(min(1.0, max(-1.0, cosine))) / 3
            pulled = limit[0] * (mean + 2 * spread * math.cos(angle))
            pressed = -limit[1] * (mean + 2 * spread * math.cos(angle + THIRD))
            top = max(top, pulled, pressed)
            left = min(_left(pulled, limit[2], limit[4]), _left(pressed, limit[3], limit[4]))
            now[at] = min(kept[at], np.float32(left))
        highest[row] = top
