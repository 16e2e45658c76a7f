"""One needle in a uniform substance, in r and z: the reference of the lattice and the forward model of calibration.

Independent of the lattice: body-fitted rings, any law of conductivity and heat capacity, second order in time.
Equations and checks are in docs/theory/calibration.md.
"""

from dataclasses import dataclass, field

import numpy as np

from trocar.errors import SolverError
from trocar.physics.medium import Array
from trocar.physics.rings import Rings, Wall, advance_rings
from trocar.physics.source import Ramp
from trocar.physics.substance import Substance

LONGEST_S = 10.0
_AFTER_SWITCH_S = (0.25, 0.25, 0.5, 1.0, 1.0, 2.0, 3.0, 5.0)
_SAFETY = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Bath:
    """What a needle is in: its temperature, its blood (if any), and how far away it is held there.

    `leak_W_per_m3K` is a steady exchange with surroundings at `rest_degC`, through ice too: a shallow dish.
    """

    rest_degC: float
    perfusion_W_per_m3K: float = 0.0
    leak_W_per_m3K: float = 0.0
    reach_m: float = 0.080
    insulated: bool = False  # the far boundary: a closed dish instead of a bath

    def __post_init__(self) -> None:
        numbers = (self.rest_degC, self.perfusion_W_per_m3K, self.leak_W_per_m3K, self.reach_m)
        if not np.isfinite(numbers).all() or min(numbers[1:3]) < 0 or not self.reach_m > 0:
            raise SolverError("a bath's temperature, exchange or size makes no sense")


@dataclass(slots=True, eq=False)
class Axisymmetric:
    """A needle of an active length (`None`: endless, the radial problem) along z, played phase by phase.

    `profile`: the exchange along the active part relative to its mean, evenly spaced from tip to tail; one
    that is not symmetric needs the whole length to be simulated, else half of it is.
    """

    substance: Substance
    bath: Bath
    radius_m: float
    length_m: float | None
    spacing_m: float = 0.5e-3
    profile: tuple[float, ...] = (1.0,)
    growth: float = 1.03  # of each cell over the one before, away from the needle
    time_s: float = 0.0
    power_W: float = 0.0  # the whole needle's; per meter for an endless one
    drawn_J: float = 0.0
    brought_J: float = 0.0  # by blood, leak and far boundary
    _mirrored: bool = field(init=False, repr=False)  # whether half of a symmetric needle stands for both
    _rings: Rings = field(init=False, repr=False)
    _start_J: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sizes = (self.radius_m, self.spacing_m) + (() if self.length_m is None else (self.length_m,))
        if not np.isfinite(sizes).all() or min(sizes) <= 0:
            raise SolverError("a needle's radius, length or spacing is not positive")
        if not self.growth > 1:
            raise SolverError("cells must grow away from the needle", hint="1.001 is nearly uniform")
        if not self.profile or min(self.profile) < 0 or not sum(self.profile) > 0:
            raise SolverError("a needle's profile of exchange is empty or negative")
        self._mirrored = self.length_m is not None and np.allclose(self.profile, self.profile[::-1])
        r, z, active = self._mesh()
        open_end, endless = not self.bath.insulated, self.length_m is None
        self._rings = Rings.around(
            self.substance, r, z, active, rest_degC=self.bath.rest_degC,
            perfusion_W_per_m3K=self.bath.perfusion_W_per_m3K, leak_W_per_m3K=self.bath.leak_W_per_m3K,
            far=(open_end, open_end and not endless and not self._mirrored, open_end and not endless),
        )  # fmt: skip
        self._start_J = self._held_J()

    # --- what can be read

    @property
    def radii_m(self) -> Array:
        """(cells,) of the rings' middles."""
        return self._rings.r

    @property
    def heights_m(self) -> Array:
        """(rows,) along the needle, 0 at the middle of its active part, the tip at -length / 2."""
        return self._rings.z

    @property
    def temperature_degC(self) -> Array:
        """(rows, cells)."""
        return self.substance.temperature_degC(self._rings.h)

    def width_m(self, level_degC: float) -> float:
        """The greatest diameter of what is colder than a level; 0 where the needle's surface is not."""
        return 2 * float(self.row_radii_m(level_degC).max())

    def row_radii_m(self, level_degC: float) -> Array:
        """(rows,) radii of what is colder than a level, 0 where nothing is; a sharp front is read from the ice."""
        rings = self._rings
        if self._by_ice(level_degC):
            ice = self.substance.ice_frac(rings.h)
            squared = rings.r_edges[0] ** 2 + ice @ np.diff(rings.r_edges**2)
            return np.where(ice[:, 0] > 0, np.sqrt(squared), 0.0)
        t = self.temperature_degC
        first = np.where(rings.faces.needle > 0, rings.surface_degC, t[:, 0])
        places = np.append(rings.r_edges[0], rings.r)
        return np.array([_crossing(places, np.append(*row), level_degC) for row in zip(first, t, strict=True)])

    def length_m_of(self, level_degC: float) -> float:
        """The length along the needle of what is colder than a level."""
        if self.length_m is None:
            raise SolverError("an endless needle's ice has no length", hint="give an active length")
        below, above = self.ends_m(level_degC)
        return below + above

    def ends_m(self, level_degC: float) -> tuple[float, float]:
        """How far the level reaches along the needle from the middle of its active part, towards tip and tail."""
        tail = self._end_m(level_degC, 1)
        return (tail if self._mirrored else self._end_m(level_degC, -1)), tail

    def volume_m3(self, level_degC: float) -> float:
        """The volume colder than a level, the needle's own included: every row as a disk of its radius."""
        heights = np.diff(self._rings.z_edges) * self._copies
        return float(np.pi * np.sum(self.row_radii_m(level_degC) ** 2 * heights))

    @property
    def residual_frac(self) -> float:
        """What does not add up of the heat, as a share of what moved."""
        moved = abs(self.drawn_J) + abs(self.brought_J)
        lost = self._start_J - self._held_J()
        return abs(lost + self.brought_J - self.drawn_J) / moved if moved else 0.0

    # --- what moves it

    def advance(self, duration_s: float, ramp: Ramp | None, *, longest_s: float = LONGEST_S) -> None:
        """Play one phase; `None`: the needle is off. Raises `SolverError` when numbers diverge."""
        if not duration_s >= 0:
            raise SolverError(f"a phase of {duration_s:g} s makes no sense")
        working = ramp if ramp is not None and ramp.duty > 0 else None
        if working is not None and working.duty < 1:
            raise SolverError("a share of the time is not a boundary condition", hint="switch the needle on and off")
        since_s = 0.0
        coldest = float(self.substance.temperature_degC(self._rings.h.min()))
        explicit_s = _SAFETY * self._rings.explicit_s(min(coldest, working.end_degC) if working else coldest)
        for step_s in _schedule(duration_s, longest_s):
            wall = self._wall(working, since_s, step_s)
            count = _stage_count(step_s, explicit_s)
            drawn_J, brought_J = advance_rings(self._rings, wall, step_s, count)
            since_s += step_s
            self.time_s += step_s
            self.power_W = self._copies * drawn_J / step_s
            self.drawn_J += self._copies * drawn_J
            self.brought_J += self._copies * brought_J
        if not np.isfinite(self._rings.h).all():
            raise SolverError("the temperature is no longer finite", hint="report this case: it should not happen")

    # --- how it is built

    @property
    def _copies(self) -> int:
        return 2 if self._mirrored else 1

    def _held_J(self) -> float:
        return self._copies * self._rings.held_J()

    def _by_ice(self, level_degC: float) -> bool:
        return self.substance.sharp and self.substance.solidus_degC <= level_degC <= self.substance.liquidus_degC

    def _mesh(self) -> tuple[Array, Array, Array]:
        """Edges of the rings and of the rows, and whether the needle is active in each row."""
        outward = _graded(self.spacing_m, self.bath.reach_m, self.growth)
        r = self.radius_m + outward
        if self.length_m is None:
            return r, np.array([0.0, 1.0]), np.array([True])
        half = self.length_m / 2
        along = half - _graded(self.spacing_m, half, self.growth)[::-1]
        along[0] = 0.0
        z = np.append(along, half + outward[1:])
        active = np.arange(z.size - 1) < along.size - 1
        if self._mirrored:
            return r, z, active
        return r, np.append(-z[:0:-1], z), np.append(active[::-1], active)

    def _wall(self, ramp: Ramp | None, since_s: float, step_s: float) -> Wall:
        along = np.ones(self._rings.z.size)
        if ramp is None:
            return Wall(0.0, False, along, False, 0.0, np.inf)
        if self.length_m is not None:
            place = np.clip(self._rings.z / self.length_m + 0.5, 0, 1)
            given = np.asarray(self.profile, dtype=float)
            along = np.interp(place, np.linspace(0, 1, given.size), given / given.mean())
        if ramp.exchange_W_per_m2K is None and len(self.profile) > 1:
            raise SolverError("a profile of exchange needs an exchange", hint="give exchange_W_per_m2K")
        limit = np.inf if ramp.power_limit_W is None else ramp.power_limit_W / self._copies
        exchange = ramp.exchange_W_per_m2K or 0.0
        return Wall(ramp.mean_degC(since_s, step_s), True, along, ramp.exchange_W_per_m2K is not None, exchange, limit)

    def _end_m(self, level_degC: float, sign: int) -> float:
        rings = self._rings
        rows = np.flatnonzero(sign * rings.z > 0)[::sign]
        column = rings.h[rows, 0]
        if self._by_ice(level_degC):
            return float(np.sum(self.substance.ice_frac(column) * np.diff(rings.z_edges)[rows]))
        return _crossing(sign * rings.z[rows], self.substance.temperature_degC(column), level_degC)


def _crossing(places: Array, values: Array, level: float) -> float:
    """The first place where values that rise from below pass a level; 0 where the first is not below it."""
    if not values[0] < level:
        return 0.0
    beyond = np.flatnonzero(values >= level)
    if not beyond.size:
        raise SolverError("the cold has reached the end of the simulated bath", hint="give the bath more reach")
    i = int(beyond[0])
    share = (level - values[i - 1]) / (values[i] - values[i - 1])
    return float(places[i - 1] + share * (places[i] - places[i - 1]))


def _graded(first_m: float, reach_m: float, growth: float) -> Array:
    """Edges from 0 to a reach: the first cell of about this size, each later one a little larger."""
    count = max(2, round(np.log(1 + reach_m * np.log(growth) / first_m) / np.log(growth)))
    edges = (growth ** np.arange(count + 1) - 1) / (growth**count - 1)
    return reach_m * edges


def _schedule(duration_s: float, longest_s: float) -> list[float]:
    """Short steps after the switch that opens the phase, then equal ones."""
    steps: list[float] = []
    for short_s in _AFTER_SWITCH_S:
        if short_s > longest_s or sum(steps) + 2 * short_s > duration_s:
            break
        steps.append(short_s)
    left = duration_s - sum(steps)
    count = int(np.ceil(left / longest_s - 1e-9))
    return steps + [left / count] * count if left > 0 else steps


def _stage_count(step_s: float, explicit_s: float) -> int:
    """The least odd number of stages at which a super-step of second order is stable (Meyer et al. 2014)."""
    count = int(np.ceil(0.5 * (np.sqrt(9 + 16 * step_s / explicit_s) - 1)))
    return max(3, count | 1)
