"""What is left of a voxel's modulus once its principal strains have passed their limits: it only ever falls.

Up to its limit a material is elastic. Beyond it the stress falls along a line that reaches nothing after an elongation
(mm) that belongs to the material and not to the voxel, so that breaking through costs the same energy on any lattice
(crack band). theory/softening.md has the equations.
"""

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numba import njit

from trocar.errors import SolverError
from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.elastic_rows import Array, Rows
from trocar.physics.elastic_strain import THIRD, U, center_strain, row_sums
from trocar.physics.threads import share, together

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

    `label` [i, j, k] is 0 for what never gives way, else 1 + the number of its limits. `own` (stored voxels,) is the
    part of a strain that is a voxel's own and not what has opened at a bond in it.
    """

    def __init__(self, rows: Rows, label: Array, limits: Sequence[Limits], *, spacing_m: float, poisson: float) -> None:
        self.limits = tuple(limits)
        self.label = rows.gathered(label.astype(np.uint8), of_nodes=False)
        if self.label.size and int(self.label.max()) > len(limits):
            raise SolverError("a voxel's label has no limits", hint="label = 1 + number of the limits, 0 for none")
        self._table = np.array([(0.0, 0.0, 0.0, 0.0, 1.0), *(limit.row(spacing_m) for limit in limits)])
        self._scale, self._poisson = 1 / (4 * spacing_m), poisson
        self._place(rows)
        self.kept = np.ones(rows.cell_count, np.float32)
        self.now, self.own = self.kept.copy(), self.kept.copy()
        self.energy = np.zeros(rows.cell_count, np.float32)  # elastic, per volume and first modulus, of this label

    def attempt(self, u_m: Array, multiple: float = 1.0, rows: Array | None = None, *, known: float = 1.0) -> float:
        """`now` under a multiple of a displacement (3 x stored nodes); the highest ratio of a strain to its limit.

        Ratios below what is `known` (1 at most) are not told. `rows`: numbers of the rows of voxels that are looked at;
        in the others `now` and `energy` stay.
        """
        rows = self._filled if rows is None else rows
        highest = np.zeros(rows.size)
        lame, shear = self._poisson / ((1 + self._poisson) * (1 - 2 * self._poisson)), 1 / (2 * (1 + self._poisson))
        together(
            _shares, u_m, (self.rows.cells, self.rows.nodes, self.rows.shape[1]), rows, self._scale * multiple,
            (self.label, self._table), (lame, shear), (self.kept, self.now, self.energy, self.own), highest, known,
            cells=self.kept.size * rows.size // self._filled.size,
        )  # fmt: skip
        return float(highest.max(initial=0.0))

    def rows_of(self, voxels: Array) -> Array:
        """Numbers of the rows that hold these stored voxels."""
        return self._filled[np.unique(np.searchsorted(self._ends, voxels, side="right"))]

    def part(self, rows: Rows, voxels: Array) -> "Softening":
        """The same laws on a part of the lattice: `voxels` are the numbers here of those stored there, -1 for none."""
        part, inside = copy(self), voxels >= 0
        part._place(rows)
        part.label = np.where(inside, self.label[voxels], 0)
        part.kept = np.where(inside, self.kept[voxels], np.float32(1))
        part.own = np.where(inside, self.own[voxels], np.float32(1))
        part.now, part.energy = part.kept.copy(), np.zeros(rows.cell_count, np.float32)
        return part

    def _place(self, rows: Rows) -> None:
        self.rows = rows
        self._filled = np.flatnonzero(rows.cells[:, 1] > rows.cells[:, 0])
        self._ends = (rows.cells[:, 1] + rows.cells[:, 2])[self._filled]

    def hasten(self, factor: float) -> None:
        """Multiplies what is being lost: fewer passes where a break runs on, for a little too much loss."""
        if factor != 1.0:
            lost = np.flatnonzero(self.now < self.kept)
            hastened = self.kept[lost] - factor * (self.kept[lost] - self.now[lost])
            self.now[lost] = np.maximum(hastened, np.float32(FLOOR_FRAC))

    def keep(self) -> None:
        """What is lost under the displacement last tried is lost for good."""
        self.kept[:] = self.now


@_cell
def _left(ratio, slope, floor):  # type: ignore[no-untyped-def]
    """The secant modulus at a ratio of strain to limit, over the first modulus."""
    return max(floor, (1.0 - slope * (ratio - 1.0)) / ratio) if ratio > 1.0 else 1.0


@njit(**COMPILED)
def _shares(number, threads, u, lattice, rows, scale, law, elastic, voxels, highest, known):  # type: ignore[no-untyped-def]
    """lattice: cells, nodes, rows of voxels in a layer. law: labels, table. voxels: kept, now, energy, own."""
    (cells, nodes, ny), (label, table), (lame, shear), (kept, now, energy, own) = lattice, law, elastic, voxels
    pitch, sharp = 2, np.zeros(len(table))
    for n in range(rows.size):
        pitch = max(pitch, cells[rows[n], 1] - cells[rows[n], 0] + 2)
    for n in range(1, len(table)):
        sharp[n] = max(table[n, 0], table[n, 1]) ** 2
    lines, square = np.empty(9 * pitch), np.empty(pitch)
    for n in range(*share(rows.size, number, threads)):
        row, top = rows[n], known
        low, count, start = cells[row, 0], cells[row, 1] - cells[row, 0], cells[row, 0] + cells[row, 2]
        row_sums(u, nodes, ny + 1, row // ny, row % ny, low, count, lines, pitch)
        _energies(lines, pitch, scale, label, kept, now, energy, U(start), count, lame, shear, square)
        for k in range(count):
            at = start + k
            if square[k] * sharp[label[at]] <= min(1.0, top * top):
                continue  # no principal strain is larger than the root of the sum of their squares
            limit = table[label[at]]
            xx, yy, zz, xy, xz, yz = center_strain(lines, pitch, U(k), scale)
            xy, xz, yz = 0.5 * xy, 0.5 * xz, 0.5 * yz
            mean = (xx + yy + zz) / 3
            a, b, c = xx - mean, yy - mean, zz - mean
            spread = math.sqrt((a * a + b * b + c * c + 2 * (xy * xy + xz * xz + yz * yz)) / 6)
            determinant = a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz)
            cosine = determinant / (2 * max(spread, 1e-90) ** 3)
            angle = math.acos(min(1.0, max(-1.0, cosine))) / 3
            pulled = limit[0] * own[at] * (mean + 2 * spread * math.cos(angle))
            pressed = -limit[1] * own[at] * (mean + 2 * spread * math.cos(angle + THIRD))
            top = max(top, pulled, pressed)
            left = min(_left(pulled, limit[2], limit[4]), _left(pressed, limit[3], limit[4]))
            now[at] = min(kept[at], np.float32(left))
        highest[n] = top


@njit(**KERNEL)
def _energies(lines, pitch, scale, label, kept, now, energy, at, count, lame, shear, square):  # type: ignore[no-untyped-def]
    """Elastic energies of a row of voxels, and the sums of their strains' squares."""
    for n in range(count):
        k = U(n)
        xx, yy, zz, xy, xz, yz = center_strain(lines, pitch, k, scale)
        trace = xx + yy + zz
        size = xx * xx + yy * yy + zz * zz + 0.5 * (xy * xy + xz * xz + yz * yz)
        stored = 0.5 * lame * trace * trace + shear * size
        square[k] = size
        energy[at + k] = np.float32(stored) if label[at + k] > 0 else np.float32(0)
        now[at + k] = kept[at + k]
