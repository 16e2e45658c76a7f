"""The fine cells of a nested run, in a box just large enough: short rows in large arrays waste cache."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from trocar.physics.arrays import FREE, HELD
from trocar.physics.damage import Damage
from trocar.physics.dose import HeatDose
from trocar.physics.enthalpy import held_reduced
from trocar.physics.lattice import Lattice
from trocar.physics.medium import Array, Medium
from trocar.physics.memory import LINE_CELLS
from trocar.physics.patch import Patch
from trocar.physics.spans import Spans
from trocar.physics.whole import Box, Whole

MARGIN = 6  # coarse cells around the fine part: room to grow before the window has to
DAMAGES = tuple(Damage.__slots__)
DOSES = tuple(HeatDose.__slots__)


@dataclass(slots=True, eq=False)
class Window:
    """A patch whose fine cell 0 is the first under the coarse cell `first`."""

    first: tuple[int, int, int]
    patch: Patch

    @classmethod
    def around(cls, inner: Spans, whole: Whole, also: Self | None = None) -> Self:
        """The window that encloses coarse spans, and another window, with the state of the whole."""
        box = _box(inner, MARGIN, whole.tissue.shape)
        if also is not None:  # it may reach farther than these spans do: an earlier phase's, where ice has thawed since
            i, j, k = (
                slice(min(mine.start, theirs.start), max(mine.stop, theirs.stop))
                for mine, theirs in zip(box, also.box, strict=True)
            )
            box = i, j, k
        box = _on_vectors(box, whole.tissue.shape)
        lattice = Lattice.of(_medium_in(whole, box))
        first = box[0].start // 2, box[1].start // 2, box[2].start // 2
        return cls(first, _patch(lattice, whole, box))

    def encloses(self, inner: Spans, whole: Whole) -> bool:
        """Whether coarse spans lie within, with a cell to spare."""
        return all(
            mine.start <= needed.start and needed.stop <= mine.stop
            for mine, needed in zip(self.box, _box(inner, 1, whole.tissue.shape), strict=True)
        )

    def load(self, whole: Whole) -> None:
        """Take the state of the whole anew."""
        self.patch = _patch(self.patch.lattice, whole, self.box)

    def take(self, other: "Window") -> None:
        """Take the state of a window that lies within this one."""
        part: Box = tuple(  # type: ignore[assignment]
            slice(2 * (theirs - mine), 2 * (theirs - mine) + size)
            for theirs, mine, size in zip(other.first, self.first, other.shape, strict=True)
        )
        pairs = [(self.patch.u, other.patch.u), (self.patch.t, other.patch.t)]
        pairs += [(getattr(self.patch.damage, n), getattr(other.patch.damage, n)) for n in DAMAGES]
        if self.patch.dose is not None:
            pairs += [(getattr(self.patch.dose, n), getattr(other.patch.dose, n)) for n in DOSES]
        for values, theirs in pairs:
            self.view(values)[(..., *part)] = other.view(theirs)

    def tell(self, whole: Whole) -> None:
        """Write damage and dose into the whole's."""
        pairs = [(getattr(whole.harm(), n), getattr(self.patch.damage, n)) for n in DAMAGES]
        if whole.dose is not None:
            pairs += [(getattr(whole.dose, n), getattr(self.patch.dose, n)) for n in DOSES]
        for theirs, values in pairs:
            whole.within(theirs, self.box)[...] = self.view(values)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.patch.lattice.shape

    @property
    def box(self) -> Box:
        """Its place among the fine cells."""
        i, j, k = (slice(2 * first, 2 * first + n) for first, n in zip(self.first, self.shape, strict=True))
        return i, j, k

    def view(self, values: Array) -> Array:
        """Flat values as [..., i, j, k]."""
        return values.reshape(*values.shape[:-1], *self.shape)


def _box(inner: Spans, margin: int, shape: tuple[int, int, int]) -> Box:
    """The fine cells of the box around coarse spans and a margin of coarse cells."""
    rows = inner.high > 0
    lines = np.flatnonzero(rows.any(axis=1)), np.flatnonzero(rows.any(axis=0))
    ends = (*((line[0], line[-1] + 1) for line in lines), (inner.low[rows].min(), inner.high.max()))
    i, j, k = (
        slice(2 * max(0, int(low) - margin), min(2 * (int(high) + margin), n))
        for (low, high), n in zip(ends, shape, strict=True)
    )
    return i, j, k


def _on_vectors(box: Box, shape: tuple[int, int, int]) -> Box:
    """The box with whole vectors in its rows, where the lattice has room for them: each row then begins with one."""
    i, j, k = box
    start, stop = k.start // LINE_CELLS * LINE_CELLS, -(-k.stop // LINE_CELLS) * LINE_CELLS
    return i, j, slice(start, stop if stop <= shape[2] else k.stop)


def _patch(lattice: Lattice, whole: Whole, box: Box) -> Patch:
    def cut(values: Array) -> Array:
        part = whole.within(values, box)
        return part.reshape(*part.shape[:-3], -1).copy()

    cells, rest_degC = lattice.medium.held.size, lattice.medium.rest_degC
    u = held_reduced(lattice.medium, lattice.curve, lattice.law) if whole.u is None else cut(whole.u)
    damage, dose = whole.damage, whole.dose
    mine = Damage.fresh(cells, rest_degC) if damage is None else Damage(*(cut(getattr(damage, n)) for n in DAMAGES))
    return Patch.of(lattice, u, mine, None if dose is None else HeatDose(*(cut(getattr(dose, n)) for n in DOSES)))


def _medium_in(whole: Whole, box: Box) -> Medium:
    """The medium in a box, with walls where the whole has them."""
    medium, tissue = whole.medium, whole.tissue
    held = tissue.held[box]
    cut = {name: np.ascontiguousarray(values[box]) for name, values in tissue._asdict().items() if values.size}
    return replace(
        medium,
        unfrozen_W_per_mK=cut["warm_W"], frozen_W_per_mK=cut["cold_W"], unfrozen_J_per_m3K=cut["warm_J"],
        frozen_J_per_m3K=cut["cold_J"], latent_J_per_m3=cut["latent_J"], vapor_J_per_m3=cut.get("vapor_J"),
        perfusion_W_per_m3K=cut["perfusion_W"], outside=cut.get("outside"), held=held != FREE,
        held_degC=np.where(held == HELD, cut["held_degC"], np.float32(medium.rest_degC)),
    )  # fmt: skip
