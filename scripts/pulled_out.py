"""Screws pulled out of foam: the voxels that give way, beside Chapman's closed form.

python scripts/pulled_out.py    prints twelve screws on four lattices, then one in several directions (some minutes)
"""

import sys
from dataclasses import dataclass, replace

import numpy as np

from trocar.assessment.collapse import MARCH
from trocar.assessment.holding import pull_out_N
from trocar.catalog.mechanics import mechanics
from trocar.materials.limits import labels, limits
from trocar.materials.screw_threads import threaded, with_thread_damage
from trocar.materials.stiffness import rod_frac
from trocar.model.space import Array, Grid, as_vector
from trocar.model.treatment import Placement
from trocar.physics.collapse import Course, collapse
from trocar.physics.elastic import POISSON, ElasticSystem, Load
from trocar.physics.interface import Interface
from trocar.physics.softening import Softening

BELOW_MM = 8.0  # of foam under the tip; the hole goes on through it, so that nothing hangs on the tip
GRIP_DIAMETERS = 2.5  # from the axis on, foam is held
SPARED_MM = 2.0  # beside what is held: stays elastic
THROUGH = replace(MARCH, softest_frac=0.0, loss_frac=0.02)  # beyond the peak in fewer, longer steps
TWELVE = tuple((d, length, e) for d in (4.0, 5.0, 6.5) for length in (12.0, 20.0) for e in (100.0, 400.0))
TURNED = ((1.0, 1.0, 0.0), (1.0, 1.0, 1.0), (3.0, 1.0, 0.5), (2.0, 0.3, 1.1))
OFF_VOXEL = (0.3, 0.45, 0.2)  # of an edge


@dataclass(frozen=True, slots=True)
class Screw:
    """A solid screw that ends flush with foam, in a direction of the lattice, off its nodes by a part of an edge."""

    diameter_mm: float
    length_mm: float
    foam_MPa: float  # its modulus
    out: tuple[float, float, float] = (1.0, 0.0, 0.0)
    off: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def closed_form_N(self) -> float:
        """Chapman's, for the shear strength that the model's compressive one gives."""
        compression_MPa = self.foam_MPa * mechanics().yield_strain.compression_frac
        shear_MPa = mechanics().thread.shear_per_compression_frac * compression_MPa
        return pull_out_N(shear_MPa, self.length_mm, self.diameter_mm, cannulated=False)

    def pulled(self, spacing_mm: float, *, thread: bool = True) -> Course:
        """Its head moves out, by nodes; foam is held around. Load in N. Without `thread` metal and foam are bonded."""
        placed, grid = self._placed(spacing_mm)
        deep, far = self._around(grid, np.indices(grid.shape))
        metal = rod_frac(placed.axis, self.diameter_mm, grid)
        there = (metal > 0) | (deep > 0) & (far < GRIP_DIAMETERS * self.diameter_mm + spacing_mm)
        there &= (metal > 0) | (deep < self.length_mm) | (far > self.diameter_mm / 2 + spacing_mm / 2)
        sound = np.where(there, self.foam_MPa, 0.0)
        foam = with_thread_damage(sound, placed, grid, cement_frac=None)
        modulus = foam + metal * (1000.0 * mechanics().material_of("titanium").modulus_GPa - foam)
        deep, off_axis = self._around(grid, np.indices([n + 1 for n in grid.shape]) - 0.5)
        head = (off_axis <= (self.diameter_mm - spacing_mm) / 2) & (np.abs(deep) < spacing_mm)
        held = np.repeat((head | (off_axis >= GRIP_DIAMETERS * self.diameter_mm))[..., None], 3, axis=3)
        moved = np.where(head[..., None], self._direction(), 0.0)
        spared, none = far > GRIP_DIAMETERS * self.diameter_mm - SPARED_MM, np.zeros(grid.shape, np.float32)
        label = labels(modulus, there, none, metal, spared)
        spacing_m = spacing_mm / 1000.0
        system = ElasticSystem(modulus * 1e6, held, spacing_m=spacing_m)
        softening = Softening(system.rows, label, limits(), spacing_m=spacing_m, poisson=POISSON)
        hold = threaded(label, metal, sound, [(placed, False)] if thread else [], grid)
        interface = Interface(system.rows, (hold,), modulus * 1e6, spacing_m=spacing_m, poisson=POISSON)
        return collapse(system, Load(displacement_m=moved), softening, interface=interface, march=THROUGH)

    def _direction(self) -> Array:
        return np.array(self.out) / np.linalg.norm(self.out)

    def _placed(self, spacing_mm: float) -> tuple[Placement, Grid]:
        """The screw, and a lattice of voxels that holds it with the foam that is held."""
        head, way = np.array(self.off) * spacing_mm, self._direction()
        tip, wide = head - self.length_mm * way, GRIP_DIAMETERS * self.diameter_mm + 2 * spacing_mm
        ends = np.stack([head, head - (self.length_mm + BELOW_MM) * way])
        aside = wide * np.sqrt(1 - way**2) + spacing_mm
        low, high = (np.round(of / spacing_mm) for of in (ends.min(axis=0) - aside, ends.max(axis=0) + aside))
        i, j, k = (int(n) for n in high - low)
        first = as_vector((low + 0.5) * spacing_mm)
        grid = Grid.aligned(origin_lps_mm=first, spacing_mm=(spacing_mm,) * 3, shape=(i, j, k))
        placed = Placement(
            device="screw", role="screw", name="screw-1", entry_lps_mm=as_vector(head), target_lps_mm=as_vector(tip),
            skin_lps_mm=as_vector(head), length_mm=self.length_mm, diameter_mm=self.diameter_mm,
        )  # fmt: skip
        return placed, grid

    def _around(self, grid: Grid, at: Array) -> tuple[Array, Array]:
        """How deep under the head and how far from the axis some points (3, ...) of a lattice are, mm."""
        away = grid.to_lps(np.moveaxis(at, 0, -1)) - np.array(self.off) * float(grid.spacing_mm[0])
        deep = -away @ self._direction()
        return deep, np.linalg.norm(away + deep[..., None] * self._direction(), axis=-1)


def main() -> None:
    """A row for each screw and for each lattice the slope through the origin: as threads hold, and as bonded."""
    spacings_mm, found = (2.0, 1.0, 0.5, 0.25), []
    lattices = [f"{how}, {h:g} mm" for how in ("threads", "bonded") for h in spacings_mm]
    _row("D x L mm, foam MPa", "closed form N", *lattices)
    _row(*["---"] * (2 + len(lattices)))
    for each in TWELVE:
        screw = Screw(*each)
        loads_N = [screw.pulled(h, thread=thread).peak_load for thread in (True, False) for h in spacings_mm]
        found.append([screw.closed_form_N(), *loads_N])
        of = f"{screw.diameter_mm:g} x {screw.length_mm:g}, {screw.foam_MPa:g}"
        _row(of, *(f"{newtons:.0f}" for newtons in found[-1]))
    closed, *voxels = np.array(found).T
    slopes = [float(closed @ each / (closed @ closed)) for each in voxels]
    squares = [float(np.corrcoef(closed, each)[0, 1] ** 2) for each in voxels]
    _row("slope (R2)", "", *(f"{slope:.2f} ({square:.3f})" for slope, square in zip(slopes, squares, strict=True)))
    sys.stdout.write("\n")
    _row("direction of 6.5 x 24, 400", "over the closed form, 2 mm", "1 mm")
    _row(*["---"] * 3)
    for out in ((1.0, 0.0, 0.0), *TURNED):
        for off in ((0.0, 0.0, 0.0), OFF_VOXEL):
            screw = Screw(6.5, 24.0, 400.0, out, off)
            ratios = (screw.pulled(h).peak_load / screw.closed_form_N() for h in (2.0, 1.0))
            _row(f"{out}, off by {off}", *(f"{ratio:.2f}" for ratio in ratios))


def _row(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
