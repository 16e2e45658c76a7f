"""Cement driven through a porous medium: Darcy's law behind the front, and a front that keeps every volume.

Cement is far more viscous than the marrow it displaces, so the marrow's pressure is taken as none: pressure falls from
the opening to the front, and viscosity and rate scale it without changing the path. The front is a volume of fluid: a
cell passes cement on once it is full, its neighbors fill by the flow through their faces, and the front lies within a
cell as far as it is filled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trocar.errors import SolverError
from trocar.physics.frontier import faces, front_flows, pass_on
from trocar.physics.linear import LinearSystem
from trocar.physics.medium import Array
from trocar.physics.porous import Cell, Exit, Filling, Porous

CELLS_PER_STEP = 0.5  # of the fastest cell of the front
LEAST_STEPS = 300.0  # a whole injection takes no more than these: small or very permeable cells pass on their excess
TOLERANCE = 1e-5
LATTICE_RADIUS = 0.3148725  # cells: 1 / (4 pi G(0)), G(0) = 0.2527310 the lattice's own potential (Watson)
ROOM_CELLS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """Cells that cement enters by in equal shares, and the radius of the opening when it is smaller than the lattice.

    With `opening_m` the pressure is that at a sphere of this radius around the (one) cell, else that of the cells.
    """

    cells: tuple[Cell, ...]
    opening_m: float | None = None


def fill(porous: Porous, injection: Injection, volume_m3: float) -> Filling:
    """Where a volume goes, the pressure it takes, and by which exits it is lost.

    Raises `SolverError` for a volume that is not positive, an entry outside the lattice or in a closed cell (frozen,
    cortex, metal), and for an opening given with several entries.
    """
    return fills(porous, injection, (volume_m3,))[0]


def fills(porous: Porous, injection: Injection, volumes_m3: Sequence[float]) -> tuple[Filling, ...]:
    """One injection as it is after each of some growing volumes. Raises `SolverError` like `fill`."""
    front = _Front(porous, injection, volumes_m3)
    found = []
    for volume_m3 in volumes_m3:
        front.enter(volume_m3)
        while volume_m3 - front.injected > 1e-12 * volume_m3 and front.advance(volume_m3):
            pass
        found.append(front.filling())
    return tuple(found)


def _require(porous: Porous, injection: Injection, volumes_m3: Sequence[float]) -> None:
    for before, after in pairwise((0.0, *volumes_m3)):
        if not (np.isfinite(after) and after > before):
            raise SolverError(f"a volume of {after * 1e6:g} ml cannot be injected", hint="give more than 0 ml, growing")
    if not injection.cells or (injection.opening_m is not None and len(injection.cells) > 1):
        raise SolverError("an opening belongs to one cell", hint="give one cell with it, or cells without an opening")
    if injection.opening_m is not None and not injection.opening_m > 0:
        raise SolverError("an opening needs a radius", hint="give one above 0 m, or none")
    for cell in injection.cells:
        if not all(0 <= at < n for at, n in zip(cell, porous.permeability_m2.shape, strict=True)):
            raise SolverError(f"cement enters outside the lattice, at cell {cell}", hint="move the injection point")
        if not porous.open[cell]:
            raise SolverError(
                f"cement enters a closed cell, {cell}: frozen, cortex, metal or outside bone",
                hint="let it thaw, or move the injection point into bone",
            )


class _Front:
    """Cement on its way. Everything in cells: volumes in cells' volumes, permeabilities relative to the entry's."""

    def __init__(self, porous: Porous, injection: Injection, volumes_m3: Sequence[float]) -> None:
        _require(porous, injection, volumes_m3)
        self.porous, self.injection = porous, injection
        self.shape = porous.permeability_m2.shape
        self.cell_m3 = porous.spacing_m**3
        entries = np.ravel_multi_index(tuple(np.array(injection.cells).T), self.shape)
        self.entries = np.asarray(entries, np.int64)
        self.unit_m2 = float(porous.permeability_m2.reshape(-1)[self.entries].mean())
        self.permeability = (porous.permeability_m2.reshape(-1) / self.unit_m2).astype(np.float32)
        self.capacity = porous.capacity_m3.reshape(-1) / self.cell_m3
        self.outlet = np.ascontiguousarray(porous.outlet.reshape(-1), np.int32)
        self.content = np.zeros(self.capacity.size)
        self.full = np.zeros(self.capacity.size, np.bool_)
        self.arrival = np.full(self.capacity.size, np.inf)
        self.injected = 0.0  # m3
        self.least = volumes_m3[-1] / self.cell_m3 / LEAST_STEPS
        self.lost = np.zeros(int(self.outlet.max(initial=0)) + 1)
        self.first: dict[int, tuple[float, int]] = {}
        self.curve: list[tuple[float, float]] = []
        self.window = tuple(slice(0, 0) for _ in range(3))
        self.system: LinearSystem | None = None

    def enter(self, volume_m3: float) -> None:
        """The entries fill first, in equal shares of what they take."""
        if self.full[self.entries].all():
            return
        room = self.capacity[self.entries]
        share = min(1.0, volume_m3 / self.cell_m3 / room.sum())
        self.content[self.entries] = share * room
        self.injected = float(share * room.sum()) * self.cell_m3
        self.full[self.entries] = share == 1.0
        self.arrival[self.entries] = self.injected / 2

    def advance(self, volume_m3: float) -> bool:
        """One step of the front; whether there was anywhere to go."""
        behind, ahead, conductance = faces(
            self.full, self.permeability, self.capacity, self.content, self.outlet, np.array(self.shape)
        )
        if not conductance.any():
            return False
        potential = self._potential(behind, conductance)
        flows = front_flows(potential, behind, conductance)
        total = flows.sum()
        self._note(potential, total)
        flows /= total
        into = np.zeros(self.content.size)
        np.add.at(into, ahead, flows)
        step = self._step(into, volume_m3)
        self._move(into, step)
        return True

    def _step(self, into: Array, volume_m3: float) -> float:
        """How much to inject, in cells."""
        filling = (into > 0) & (self.outlet == 0)
        left = (volume_m3 - self.injected) / self.cell_m3
        rate = float((into[filling] / self.capacity[filling]).max(initial=0.0))
        return float(min(left, max(CELLS_PER_STEP / rate, self.least) if rate > 0 else left))

    def _move(self, into: Array, step: float) -> None:
        before, injected = self.content.copy(), self.injected
        reached = np.flatnonzero(into)
        self.content[reached] += step * into[reached]
        refused = pass_on(
            self.content, self.full, self.permeability, self.capacity, self.outlet, np.array(self.shape), reached
        )
        self.injected += float(step - refused) * self.cell_m3
        self._lose(injected)
        self._arrive(before, injected)

    def _lose(self, injected_m3: float) -> None:
        """Take out what has reached an outlet."""
        gone = np.flatnonzero((self.outlet > 0) & (self.content > 0))
        for cell in gone:
            number = int(self.outlet[cell])
            if number not in self.first:
                self.first[number] = (injected_m3, int(cell))
            self.lost[number] += self.content[cell]
            self.content[cell] = 0.0

    def _arrive(self, before: Array, injected_m3: float) -> None:
        half = self.capacity / 2
        new = np.flatnonzero((before < half) & (self.content >= half) & (self.capacity > 0))
        share = (half[new] - before[new]) / (self.content[new] - before[new])
        self.arrival[new] = injected_m3 + share * (self.injected - injected_m3)

    def _note(self, potential: Array, total: float) -> None:
        """The resistance now: the potential at the entries for the flow that the front takes."""
        scale = 1.0 / (self.unit_m2 * self.porous.spacing_m)
        value = float(potential[self.entries].mean()) / total * scale
        if self.injection.opening_m is not None:
            lattice_m = LATTICE_RADIUS * self.porous.spacing_m
            value += (1 / self.injection.opening_m - 1 / lattice_m) / (4 * np.pi * self.unit_m2)
        self.curve.append((self.injected, max(value, 0.0)))

    def _potential(self, behind: Array, conductance: Array) -> Array:
        """[cells] the potential of the full cells for one unit of flow."""
        system, window = self._system()
        sink = np.zeros(self.content.size)
        np.add.at(sink, behind, conductance)
        inside = np.where(self.full, self.permeability, np.float32(0)).reshape(self.shape)[window]
        given = np.zeros(self.content.size, np.float32)
        given[self.entries] = 1.0 / self.entries.size
        system.refresh(inside, sink.reshape(self.shape)[window], np.zeros(0))
        found = system.solve(given.reshape(self.shape)[window], tolerance=TOLERANCE).potential
        whole = np.zeros(self.shape, np.float32)
        whole[window] = found
        return whole.reshape(-1)

    def _system(self) -> tuple[LinearSystem, tuple[slice, ...]]:
        """The solver of a window around the full cells, made anew when they have outgrown it."""
        taken = np.argwhere(self.full.reshape(self.shape))
        low, high = taken.min(axis=0), taken.max(axis=0) + 1
        fits = all(side.start <= a and b <= side.stop for side, a, b in zip(self.window, low, high, strict=True))
        if self.system is None or not fits:
            low = np.maximum(low - ROOM_CELLS, 0)
            high = np.minimum(high + ROOM_CELLS, self.shape)
            self.window = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
            i, j, k = (side.stop - side.start for side in self.window)
            self.system = LinearSystem((i, j, k))
        return self.system, self.window

    def filling(self) -> Filling:
        """What has become of it."""
        share = np.divide(self.content, self.capacity, out=np.zeros_like(self.content), where=self.capacity > 0)
        curve = np.array(self.curve or [(self.injected, 0.0)])
        exits = {
            number: Exit(
                first_m3=first,
                volume_m3=float(self.lost[number]) * self.cell_m3,
                cell=tuple(int(at) for at in np.unravel_index(cell, self.shape)),  # type: ignore[arg-type]
            )
            for number, (first, cell) in self.first.items()
        }
        return Filling(
            saturation_frac=share.reshape(self.shape),
            arrival_m3=self.arrival.reshape(self.shape).copy(),
            injected_m3=self.injected,
            exits=exits,
            volumes_m3=curve[:, 0],
            resistance_per_m3=curve[:, 1],
        )
