"""Rings of tissue around a needle: finite volumes in r and z, and their super-steps of second order (RKL2)."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from trocar.physics.compiled import COMPILED
from trocar.physics.medium import Array
from trocar.physics.substance import Substance


class Wall(NamedTuple):
    """What drives the needle in a step. `along`: the exchange of every row relative to the mean."""

    degC: float
    duty: float
    along: Array
    by_fluid: bool
    exchange_W_per_m2K: float
    limit_W: float


class Table(NamedTuple):
    """A substance for the kernel."""

    first: float
    inverse: float
    degC: Array
    kirchhoff: Array
    unfrozen: Array


class Faces(NamedTuple):
    """Conductances over conductivity, m: between cells, to the needle, and to the far boundary."""

    radial: Array  # (rows, cells - 1)
    axial: Array  # (rows - 1, cells)
    needle: Array  # (rows, cells) of the faces a cell shares with the needle
    needle_m2: Array
    far: Array


@dataclass(slots=True, eq=False)
class Rings:
    """Cells [row, ring] with their enthalpy; `solid` ones are the needle's active part."""

    substance: Substance
    r_edges: Array
    z_edges: Array
    solid: Array
    inside: int  # rings within the needle's radius
    h: Array
    open_frac: Array  # share of the perfusion that ice has left
    rest_degC: float
    perfusion: Array
    leak_W_per_m3K: float
    faces: Faces
    surface_degC: Array  # (rows,) of the needle, at the last stage
    copies: int  # 2 when half of a symmetric problem is simulated

    @classmethod
    def around(
        cls, substance: Substance, radius_m: float, r_edges: Array, z_edges: Array, *, rest_degC: float,
        perfusion_W_per_m3K: float, leak_W_per_m3K: float, insulated: bool, mirrored: bool, endless: bool,
    ) -> "Rings":  # fmt: skip
        """Rings at rest; the active part of the needle spans the symmetric middle between equal far reaches."""
        z = (z_edges[1:] + z_edges[:-1]) / 2
        inside = int(np.searchsorted(r_edges, radius_m * (1 + 1e-9))) - 1
        reach = r_edges[-1] - radius_m
        active = np.full(z.size, True) if endless else np.abs(z) < z_edges[-1] - reach
        solid = np.zeros((z.size, r_edges.size - 1), dtype=bool)
        solid[active, :inside] = True
        shape = solid.shape
        return cls(
            substance, r_edges, z_edges, solid, inside,
            np.full(shape, float(substance.enthalpy_J_per_m3(rest_degC))), np.ones(shape), rest_degC,
            np.full(shape, perfusion_W_per_m3K), leak_W_per_m3K,
            _faces(r_edges, z_edges, solid, insulated=insulated, mirrored=mirrored, endless=endless),
            np.full(z.size, rest_degC), 2 if mirrored else 1,
        )  # fmt: skip

    @property
    def r(self) -> Array:
        return (self.r_edges[1:] + self.r_edges[:-1]) / 2

    @property
    def z(self) -> Array:
        return (self.z_edges[1:] + self.z_edges[:-1]) / 2

    @property
    def volumes_m3(self) -> Array:
        return np.pi * np.diff(self.z_edges)[:, None] * np.diff(self.r_edges**2)[None]

    @property
    def explicit_s(self) -> float:
        """The longest stable step of the explicit scheme."""
        through = self.faces.needle + self.faces.far
        through[:, 1:] += self.faces.radial
        through[:, :-1] += self.faces.radial
        through[1:] += self.faces.axial
        through[:-1] += self.faces.axial
        lasts = self.volumes_m3 / np.maximum(through, 1e-30)
        return float(np.min(lasts[~self.solid])) / self.substance.diffusivity_m2_per_s

    def held_J(self) -> float:
        return self.copies * float(np.sum(np.where(self.solid, 0, self.h * self.volumes_m3)))


def advance_rings(rings: Rings, wall: Wall, step_s: float, count: int) -> tuple[float, float]:
    """One super-step in place; joules drawn by the needle and brought by blood, leak and the far boundary."""
    substance = rings.substance
    table = Table(
        substance.first_J_per_m3, 1 / substance.step_J_per_m3, substance.degC, substance.kirchhoff_W_per_m,
        substance.unfrozen_frac,
    )  # fmt: skip
    drawn, brought = _super_step(
        rings.h, rings.open_frac, rings.solid, rings.faces, rings.volumes_m3, rings.perfusion, rings.leak_W_per_m3K,
        rings.rest_degC, table, wall, rings.surface_degC, step_s, _stages(count),
    )  # fmt: skip
    return rings.copies * drawn, rings.copies * brought


def _stages(count: int) -> Array:
    """(count + 1, 4): mu, nu, gamma and the tilde of mu of RKL2 (Meyer et al. 2014); row 0 is not used."""
    j = np.arange(count + 1, dtype=float)
    b = np.full(count + 1, 1 / 3)
    b[2:] = (j[2:] ** 2 + j[2:] - 2) / (2 * j[2:] * (j[2:] + 1))
    weight = 4 / (count**2 + count - 2)
    rows = np.zeros((count + 1, 4))
    rows[1, 3] = b[1] * weight
    for n in range(2, count + 1):
        mu, nu = (2 * n - 1) / n * b[n] / b[n - 1], -(n - 1) / n * b[n] / b[n - 2]
        rows[n] = mu, nu, -(1 - b[n - 1]) * mu * weight, mu * weight
    return rows


def _faces(
    r_edges: Array, z_edges: Array, solid: Array, *, insulated: bool, mirrored: bool, endless: bool
) -> Faces:  # fmt: skip
    r, dz = (r_edges[1:] + r_edges[:-1]) / 2, np.diff(z_edges)
    z, ring_m2 = (z_edges[1:] + z_edges[:-1]) / 2, np.pi * np.diff(r_edges**2)
    radial = 2 * np.pi * dz[:, None] / np.log(r[1:] / r[:-1])[None]
    axial = ring_m2[None] / np.diff(z)[:, None]
    needle, needle_m2, far = np.zeros(solid.shape), np.zeros(solid.shape), np.zeros(solid.shape)
    rows, rings = np.nonzero(solid[:, :-1] & ~solid[:, 1:])
    edge = r_edges[rings + 1]
    needle[rows, rings + 1] += 2 * np.pi * dz[rows] / np.log(r[rings + 1] / edge)
    needle_m2[rows, rings + 1] += 2 * np.pi * edge * dz[rows]
    for free, held in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
        cap = solid[held] & ~solid[free]
        needle[free] += np.where(cap, ring_m2[None] / (dz[free, None] / 2), 0)
        needle_m2[free] += np.where(cap, ring_m2[None], 0)
    radial[solid[:, 1:] | solid[:, :-1]] = 0
    axial[solid[1:] | solid[:-1]] = 0
    if not insulated:
        far[:, -1] += 2 * np.pi * dz / np.log(r_edges[-1] / r[-1])
        if not endless:
            far[-1] += ring_m2 / (dz[-1] / 2)
            far[0] += 0 if mirrored else ring_m2 / (dz[0] / 2)
    return Faces(radial, axial, needle, needle_m2, far)


@njit(**COMPILED)
def _super_step(  # type: ignore[no-untyped-def]
    h, open_frac, solid, faces, volume, perfusion, leak, rest, table, wall, surface, step, stages
):
    start = h.copy()
    first, rate = np.empty_like(h), np.empty_like(h)
    t, k, shut = np.empty_like(h), np.empty_like(h), np.empty_like(h)
    moved = np.zeros((stages.shape[0], 2))  # heat drawn and brought so far, carried through the stages like h
    now, before = h.copy(), h.copy()
    watts = _rate(now, open_frac, solid, faces, volume, perfusion, leak, rest, table, wall, surface, t, k, shut, first)
    count = stages.shape[0] - 1
    first_watts = watts
    for n in range(1, count + 1):
        mu, nu, gamma, tilde = stages[n]
        if n == 1:
            now = start + tilde * step * first
            moved[1, 0], moved[1, 1] = tilde * step * watts[0], tilde * step * watts[1]
            continue
        watts = _rate(
            now, open_frac, solid, faces, volume, perfusion, leak, rest, table, wall, surface, t, k, shut, rate
        )
        for i in range(h.shape[0]):
            for j in range(h.shape[1]):
                was = before[i, j]
                before[i, j] = now[i, j]
                now[i, j] = (
                    mu * now[i, j] + nu * was + (1 - mu - nu) * start[i, j]
                    + step * (tilde * rate[i, j] + gamma * first[i, j])
                )  # fmt: skip
        for q in range(2):
            moved[n, q] = mu * moved[n - 1, q] + nu * moved[n - 2, q] + step * (
                tilde * watts[q] + gamma * first_watts[q]
            )
    h[:] = now
    for i in range(h.shape[0]):
        for j in range(h.shape[1]):
            x = (now[i, j] - table.first) * table.inverse
            m = int(min(max(x, 0.0), table.degC.size - 2.0))
            left = table.unfrozen[m] + (x - m) * (table.unfrozen[m + 1] - table.unfrozen[m])
            open_frac[i, j] = min(open_frac[i, j], max(left, 0.0))
    return moved[count, 0], moved[count, 1]


@njit(**COMPILED)
def _rate(  # type: ignore[no-untyped-def]
    h, open_frac, solid, faces, volume, perfusion, leak, rest, table, wall, surface, t, k, shut, rate
):
    """dH/dt of every cell into `rate`; watts drawn by the needle and brought by everything else."""
    rows, rings = h.shape
    for i in range(rows):
        for j in range(rings):
            x = (h[i, j] - table.first) * table.inverse
            m = int(min(max(x, 0.0), table.degC.size - 2.0))
            share = x - m
            t[i, j] = table.degC[m] + share * (table.degC[m + 1] - table.degC[m])
            k[i, j] = table.kirchhoff[m] + share * (table.kirchhoff[m + 1] - table.kirchhoff[m])
            left = table.unfrozen[m] + share * (table.unfrozen[m + 1] - table.unfrozen[m])
            shut[i, j] = min(open_frac[i, j], max(left, 0.0))
            rate[i, j] = 0.0
    for i in range(rows):
        for j in range(rings - 1):
            flow = faces.radial[i, j] * (k[i, j + 1] - k[i, j])
            rate[i, j] += flow
            rate[i, j + 1] -= flow
    for i in range(rows - 1):
        for j in range(rings):
            flow = faces.axial[i, j] * (k[i + 1, j] - k[i, j])
            rate[i, j] += flow
            rate[i + 1, j] -= flow
    drawn = _draw(k, solid, faces, table, wall, surface, rate)
    far = _kirchhoff(rest, table)
    brought = 0.0
    for i in range(rows):
        for j in range(rings):
            if solid[i, j]:
                rate[i, j] = 0.0
                continue
            given = faces.far[i, j] * (far - k[i, j])
            given += volume[i, j] * (perfusion[i, j] * shut[i, j] + leak) * (rest - t[i, j])
            brought += given
            rate[i, j] = (rate[i, j] + given) / volume[i, j]
    return drawn, brought


@njit(**COMPILED)
def _draw(k, solid, faces, table, wall, surface, rate):  # type: ignore[no-untyped-def]
    """Takes the needle's heat from its neighbors, within its limit; the watts, and its surface's temperatures."""
    if wall.duty == 0.0:
        return 0.0
    total = 0.0
    given = _kirchhoff(wall.degC, table)
    for apply in range(2):
        scale = 1.0 if total <= wall.limit_W else wall.limit_W / total
        for i in range(k.shape[0]):
            for j in range(k.shape[1]):
                through = faces.needle[i, j]
                if through == 0.0:
                    continue
                at_surface, degC = given, wall.degC
                if wall.by_fluid:
                    exchange = wall.exchange_W_per_m2K * wall.along[i] * faces.needle_m2[i, j]
                    degC = _wall_degC(k[i, j], wall.degC, exchange, through, table)
                    at_surface = _kirchhoff(degC, table)
                watts = wall.duty * through * (k[i, j] - at_surface)
                if apply:
                    rate[i, j] -= scale * watts
                    surface[i] = degC if scale == 1.0 else _degC_of(
                        k[i, j] - scale * (k[i, j] - at_surface), table
                    )
                else:
                    total += watts
    return min(total, wall.limit_W)


@njit(**COMPILED)
def _wall_degC(inside, fluid, exchange, through, table):  # type: ignore[no-untyped-def]
    """Where the wall's and the tissue's fluxes meet, by bisection: conduction has a kink at each end of the mush."""
    low, high = fluid, max(_degC_of(inside, table), fluid)
    for _ in range(24):
        middle = 0.5 * (low + high)
        if through * (inside - _kirchhoff(middle, table)) > exchange * (middle - fluid):
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@njit(**COMPILED)
def _kirchhoff(degC, table):  # type: ignore[no-untyped-def]
    m = min(max(np.searchsorted(table.degC, degC) - 1, 0), table.degC.size - 2)
    share = (degC - table.degC[m]) / (table.degC[m + 1] - table.degC[m])
    return table.kirchhoff[m] + share * (table.kirchhoff[m + 1] - table.kirchhoff[m])


@njit(**COMPILED)
def _degC_of(kirchhoff, table):  # type: ignore[no-untyped-def]
    m = min(max(np.searchsorted(table.kirchhoff, kirchhoff) - 1, 0), table.degC.size - 2)
    share = (kirchhoff - table.kirchhoff[m]) / (table.kirchhoff[m + 1] - table.kirchhoff[m])
    return table.degC[m] + share * (table.degC[m + 1] - table.degC[m])
