"""Rings of tissue around a needle: finite volumes in r and z, and their super-steps of second order (RKL2)."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit

from trocar.physics.compiled import COMPILED
from trocar.physics.medium import Array
from trocar.physics.substance import Substance


class Wall(NamedTuple):
    """What drives the needle in a step. `along`: the exchange of every row relative to the mean."""

    degC: float
    works: bool
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
    needle: Array  # (rows,) between the innermost cells and the needle; 0 beside its insulated parts
    needle_m2: Array
    far: Array  # (rows, cells)


@dataclass(slots=True, eq=False)
class Rings:
    """Cells [row, ring] from the needle's surface outwards, with their enthalpy."""

    substance: Substance
    r_edges: Array
    z_edges: Array
    h: Array
    open_frac: Array  # share of the perfusion that ice has left
    rest_degC: float
    perfusion_W_per_m3K: float
    leak_W_per_m3K: float
    faces: Faces
    surface_degC: Array  # (rows,) of the needle, at the last stage

    @classmethod
    def around(
        cls, substance: Substance, r_edges: Array, z_edges: Array, active: Array, *, rest_degC: float,
        perfusion_W_per_m3K: float, leak_W_per_m3K: float, far: tuple[bool, bool, bool],
    ) -> "Rings":  # fmt: skip
        """Rings at rest beside the rows in which the needle is `active`.

        `far`: whether the bath's temperature is held outside, at the lower and at the upper end; else no heat passes.
        The lower end of a needle that is simulated from its middle is a mirror.
        """
        shape = active.size, r_edges.size - 1
        return cls(
            substance, r_edges, z_edges, np.full(shape, float(substance.enthalpy_J_per_m3(rest_degC))), np.ones(shape),
            rest_degC, perfusion_W_per_m3K, leak_W_per_m3K, _faces(r_edges, z_edges, active, far),
            np.full(active.size, rest_degC),
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

    def explicit_s(self, coldest_degC: float) -> float:
        """The longest stable step of the explicit scheme while nothing is colder than this."""
        through = self.faces.far.copy()
        through[:, 0] += self.faces.needle
        through[:, 1:] += self.faces.radial
        through[:, :-1] += self.faces.radial
        through[1:] += self.faces.axial
        through[:-1] += self.faces.axial
        return float(np.min(self.volumes_m3 / through)) / self.substance.diffusivity_m2_per_s(coldest_degC)

    def held_J(self) -> float:
        """The heat in the rings, 0 at the liquidus."""
        return float(np.sum(self.h * self.volumes_m3))


def advance_rings(rings: Rings, wall: Wall, step_s: float, count: int) -> tuple[float, float]:
    """One super-step in place; joules drawn by the needle and brought by blood, leak and the far boundary."""
    substance = rings.substance
    table = Table(
        substance.first_J_per_m3, 1 / substance.step_J_per_m3, substance.degC, substance.kirchhoff_W_per_m,
        substance.unfrozen_frac,
    )  # fmt: skip
    drawn, brought = _super_step(
        rings.h, rings.open_frac, rings.faces, rings.volumes_m3, rings.perfusion_W_per_m3K, rings.leak_W_per_m3K,
        rings.rest_degC, table, wall, rings.surface_degC, step_s, _stages(count),
    )  # fmt: skip
    return float(drawn), float(brought)


@cache
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


def _faces(r_edges: Array, z_edges: Array, active: Array, far: tuple[bool, bool, bool]) -> Faces:
    r, dz = (r_edges[1:] + r_edges[:-1]) / 2, np.diff(z_edges)
    z, ring_m2 = (z_edges[1:] + z_edges[:-1]) / 2, np.pi * np.diff(r_edges**2)
    around_m = 2 * np.pi * dz  # logarithmic profiles between rings: a steady radial flow is exact
    outer = np.zeros((dz.size, r.size))
    outside, below, above = far
    outer[:, -1] += outside * around_m / np.log(r_edges[-1] / r[-1])
    outer[0] += below * ring_m2 / (dz[0] / 2)
    outer[-1] += above * ring_m2 / (dz[-1] / 2)
    return Faces(
        radial=around_m[:, None] / np.log(r[1:] / r[:-1])[None],
        axial=ring_m2[None] / np.diff(z)[:, None],
        needle=active * around_m / np.log(r[0] / r_edges[0]),
        needle_m2=active * around_m * r_edges[0],
        far=outer,
    )


@njit(**COMPILED)
def _super_step(  # type: ignore[no-untyped-def]
    h, open_frac, faces, volume, perfusion, leak, rest, table, wall, surface, step, stages
):
    start = h.copy()
    first, rate = np.empty_like(h), np.empty_like(h)
    t, k, shut = np.empty_like(h), np.empty_like(h), np.empty_like(h)
    moved = np.zeros((stages.shape[0], 2))  # heat drawn and brought so far, carried through the stages like h
    now, before = h.copy(), h.copy()
    watts = _rate(now, open_frac, faces, volume, perfusion, leak, rest, table, wall, surface, t, k, shut, first)
    count = stages.shape[0] - 1
    first_watts = watts
    for n in range(1, count + 1):
        mu, nu, gamma, tilde = stages[n]
        if n == 1:
            now = start + tilde * step * first
            moved[1, 0], moved[1, 1] = tilde * step * watts[0], tilde * step * watts[1]
            continue
        watts = _rate(now, open_frac, faces, volume, perfusion, leak, rest, table, wall, surface, t, k, shut, rate)
        for i in range(h.shape[0]):
            for j in range(h.shape[1]):
                was = before[i, j]
                before[i, j] = now[i, j]
                now[i, j] = (
                    mu * now[i, j] + nu * was + (1 - mu - nu) * start[i, j]
                    + step * (tilde * rate[i, j] + gamma * first[i, j])
                )  # fmt: skip
        for q in range(2):
            moved[n, q] = (
                mu * moved[n - 1, q] + nu * moved[n - 2, q] + step * (tilde * watts[q] + gamma * first_watts[q])
            )
    h[:] = now
    for i in range(h.shape[0]):
        for j in range(h.shape[1]):
            if perfusion > 0.0:
                x = (now[i, j] - table.first) * table.inverse
                m = min(max(int(x), 0), table.degC.size - 2)
                left = table.unfrozen[m] + (x - m) * (table.unfrozen[m + 1] - table.unfrozen[m])
                open_frac[i, j] = min(open_frac[i, j], left)
    return moved[count, 0], moved[count, 1]


@njit(**COMPILED)
def _rate(  # type: ignore[no-untyped-def]
    h, open_frac, faces, volume, perfusion, leak, rest, table, wall, surface, t, k, shut, rate
):
    """dH/dt of every cell into `rate`; watts drawn by the needle and brought by everything else."""
    rows, rings = h.shape
    exchanging = perfusion > 0.0 or leak > 0.0
    for i in range(rows):
        for j in range(rings):
            x = (h[i, j] - table.first) * table.inverse
            m = min(max(int(x), 0), table.degC.size - 2)
            share = x - m
            k[i, j] = table.kirchhoff[m] + share * (table.kirchhoff[m + 1] - table.kirchhoff[m])
            rate[i, j] = 0.0
            if exchanging:
                t[i, j] = table.degC[m] + share * (table.degC[m + 1] - table.degC[m])
                left = table.unfrozen[m] + share * (table.unfrozen[m + 1] - table.unfrozen[m])
                shut[i, j] = min(open_frac[i, j], left)
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
    drawn = _draw(k, faces, table, wall, surface, rate)
    far = _kirchhoff(rest, table)
    brought = 0.0
    for i in range(rows):
        for j in range(rings):
            given = faces.far[i, j] * (far - k[i, j])
            if exchanging:
                given += volume[i, j] * (perfusion * shut[i, j] + leak) * (rest - t[i, j])
            brought += given
            rate[i, j] = (rate[i, j] + given) / volume[i, j]
    return drawn, brought


@njit(**COMPILED)
def _draw(k, faces, table, wall, surface, rate):  # type: ignore[no-untyped-def]
    """Takes the needle's heat from its neighbors, within its limit; the watts, and its surface's temperatures."""
    if not wall.works:
        return 0.0
    watts = np.zeros(k.shape[0])
    total = 0.0
    given = _kirchhoff(wall.degC, table)
    for i in range(k.shape[0]):
        through = faces.needle[i]
        if through == 0.0:
            continue
        at_surface, surface[i] = given, wall.degC
        if wall.by_fluid:
            exchange = wall.exchange_W_per_m2K * wall.along[i] * faces.needle_m2[i]
            surface[i] = _wall_degC(k[i, 0], wall.degC, exchange, through, table)
            at_surface = _kirchhoff(surface[i], table)
        watts[i] = through * (k[i, 0] - at_surface)
        total += watts[i]
    scale = 1.0 if total <= wall.limit_W else wall.limit_W / total
    for i in range(k.shape[0]):
        rate[i, 0] -= scale * watts[i]
        if scale < 1.0 and faces.needle[i] > 0.0:
            surface[i] = _degC_of(k[i, 0] - scale * watts[i] / faces.needle[i], table)
    return min(total, wall.limit_W)


@njit(**COMPILED)
def _wall_degC(inside, fluid, exchange, through, table):  # type: ignore[no-untyped-def]
    """Where the wall's and the tissue's fluxes meet: the row of the table by bisection, and the place within it."""
    low, high = 0, table.degC.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if through * (inside - table.kirchhoff[middle]) > exchange * (table.degC[middle] - fluid):
            low = middle
        else:
            high = middle
    before = through * (inside - table.kirchhoff[low]) - exchange * (table.degC[low] - fluid)
    after = through * (inside - table.kirchhoff[high]) - exchange * (table.degC[high] - fluid)
    return table.degC[low] + before / (before - after) * (table.degC[high] - table.degC[low])


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
