"""The canvas: shapes painted into one volume of HU, with partial volume, and kept as structures."""

from dataclasses import dataclass, field

import numpy as np

from trocar.model.case import Role, Side, Structure
from trocar.model.space import Array, Grid
from trocar.phantoms.shapes import FAR_MM, Shape

ORIGIN = "phantom"
Window = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A shape evaluated on a part of the grid: `window` and the distances (mm) there."""

    window: Window
    distance: Array

    def mirrored(self, columns: int) -> "Sample":
        """The same on the other side of a grid whose `columns` i indices are centered on the midline."""
        low, high = self.window[0].start, self.window[0].stop
        return Sample((slice(columns - high, columns - low), *self.window[1:]), self.distance[::-1])

    @property
    def inside(self) -> Array:
        return self.distance < 0


@dataclass(slots=True, eq=False)
class Scene:
    """What is being built: HU and structures on a grid that is symmetric about the midline."""

    grid: Grid
    values_HU: Array = field(init=False)
    _owner: Array = field(init=False, repr=False)
    _organs: list[tuple[str, Role, Side | None, Window]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.values_HU = np.full(self.grid.shape, -1000.0, dtype=np.float32)
        self._owner = np.zeros(self.grid.shape, dtype=np.uint8)

    def sampled(self, shape: Shape, *, margin_mm: float = 6.0, every_mm: float = 0.0) -> Sample:
        """The shape's distances on its own box, `margin_mm` wider.

        `every_mm` wider than a voxel evaluates a large smooth shape on a coarser lattice and interpolates.
        """
        low = np.floor(self.grid.to_ijk(np.subtract(shape.low, margin_mm))).astype(int)
        high = np.ceil(self.grid.to_ijk(np.add(shape.high, margin_mm))).astype(int) + 1
        low, high = np.clip(low, 0, self.grid.shape), np.clip(high, 0, self.grid.shape)
        window: Window = tuple(slice(int(a), int(max(a, b))) for a, b in zip(low, high, strict=True))  # type: ignore[assignment]
        fine = [axis.ravel() for axis in self.axes(window)]
        if min(len(axis) for axis in fine) < 2 or every_mm <= self.grid.spacing_mm.min():
            return Sample(window, shape.at(*np.ix_(*fine)))
        coarse = [np.linspace(axis[0], axis[-1], int(np.ceil(np.ptp(axis) / every_mm)) + 2) for axis in fine]
        return Sample(window, _interpolated(shape.at(*np.ix_(*coarse)), coarse, fine))

    def pair(self, shape: Shape, *, every_mm: float = 0.0) -> tuple[tuple[Side, Sample], tuple[Side, Sample]]:
        """A left-sided shape and its mirror image."""
        left = self.sampled(shape, every_mm=every_mm)
        return (Side.LEFT, left), (Side.RIGHT, left.mirrored(self.grid.shape[0]))

    def cover(self, sample: Sample, *, inset_mm: float | Array = 0.0) -> Array:
        """How much of each voxel of the window the shape fills (0..1), a plane front being assumed."""
        width = float(np.mean(self.grid.spacing_mm))
        return np.clip(0.5 - (sample.distance + inset_mm) / width, 0.0, 1.0)

    def paint(self, sample: Sample, value_HU: float | Array, *, inset_mm: float | Array = 0.0) -> None:
        """Put a material into the shape; voxels on its border are mixed."""
        part = self.values_HU[sample.window]
        part += self.cover(sample, inset_mm=inset_mm).astype(np.float32) * (np.asarray(value_HU, np.float32) - part)

    def claim(self, name: str, role: Role, sample: Sample, *, side: Side | None = None) -> None:
        """Make the inside of a sample an organ of its own; voxels of organs claimed before go to this one."""
        self._organs.append((name, role, side, sample.window))
        self._owner[sample.window][sample.inside] = len(self._organs)

    def organs(self) -> tuple[Structure, ...]:
        """The claimed organs as structures; parts claimed under one name are joined, empty ones left out."""
        found: dict[str, Structure] = {}
        for number, (name, role, side, window) in enumerate(self._organs, start=1):
            inside = np.zeros(self.grid.shape, dtype=bool)
            inside[window] = self._owner[window] == number
            if name in found:
                inside |= found[name].inside
            if inside.any():
                found[name] = Structure(name=name, role=role, inside=inside, side=side, origin=ORIGIN)
        return tuple(found.values())

    def region(self, name: str, role: Role, sample: Sample, *, side: Side | None = None) -> Structure:
        """The inside of a sample as a structure that may overlap others."""
        inside = np.zeros(self.grid.shape, dtype=bool)
        inside[sample.window] = sample.inside
        return Structure(name=name, role=role, inside=inside, side=side, origin=ORIGIN)

    def distances(self, sample: Sample) -> Array:
        """The sample's distances on the whole grid, `FAR_MM` beyond its window."""
        found = np.full(self.grid.shape, FAR_MM, dtype=np.float32)
        found[sample.window] = sample.distance
        return found

    def axes(self, window: Window) -> tuple[Array, Array, Array]:
        """Open arrays of the window's x, y and z in mm."""
        axes = [
            (self.grid.matrix[n, 3] + self.grid.spacing_mm[n] * np.arange(part.start, part.stop))
            for n, part in enumerate(window)
        ]
        x, y, z = np.ix_(*axes)
        return x, y, z


def _interpolated(values: Array, coarse: list[Array], fine: list[Array]) -> Array:
    """Values on the product of `coarse` axes, trilinearly on the product of `fine` ones."""
    for axis, (have, want) in enumerate(zip(coarse, fine, strict=True)):
        step = np.interp(want, have, np.arange(len(have)))
        low = np.minimum(step.astype(int), len(have) - 2)
        weight = (step - low).astype(np.float32).reshape([-1 if n == axis else 1 for n in range(3)])
        values = np.take(values, low, axis=axis) * (1 - weight) + np.take(values, low + 1, axis=axis) * weight
    return values
