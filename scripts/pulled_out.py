"""Screws pulled out of foam: the voxels that give way, beside Chapman's closed form.

python scripts/pulled_out.py    prints twelve screws on four lattices (some minutes)
"""

import sys
from dataclasses import dataclass

import numpy as np

from trocar.assessment.collapse import MARCH
from trocar.assessment.holding import SHEAR_PER_COMPRESSION, pull_out_N
from trocar.catalog.mechanics import mechanics
from trocar.materials.limits import labels, limits, with_thread_damage
from trocar.materials.stiffness import rod_frac
from trocar.model.space import Grid
from trocar.model.treatment import Placement
from trocar.physics.collapse import Course, collapse
from trocar.physics.elastic import POISSON, ElasticSystem, Load
from trocar.physics.softening import Softening

BELOW_MM = 8.0  # of foam under the tip
GRIP_DIAMETERS = 2.5  # from the axis on, the top is held: a ring of five diameters (ASTM F543)
TWELVE = tuple((d, length, e) for d in (4.0, 5.0, 6.5) for length in (12.0, 20.0) for e in (100.0, 400.0))


@dataclass(frozen=True, slots=True)
class Screw:
    """A screw that ends flush with a block of foam."""

    diameter_mm: float
    length_mm: float
    foam_MPa: float  # its modulus

    def closed_form_N(self) -> float:
        """Chapman's, for a solid screw and the shear strength that the model's compressive one gives."""
        compression_MPa = self.foam_MPa * mechanics().yield_strain.compression_frac
        shear_MPa = SHEAR_PER_COMPRESSION * compression_MPa
        return float(pull_out_N(shear_MPa, self.length_mm, self.diameter_mm, cannulated=False))

    def by_voxels_N(self, spacing_mm: float) -> float:
        """The highest load of the same screw among voxels, its thread's damage included."""
        course = self.pulled(spacing_mm)
        assert course.past_peak
        return course.peak_load

    def pulled(self, spacing_mm: float) -> Course:
        """Its head moves out along i, by nodes on the block's top; the ring around it is held. Load in N."""
        half = int(np.ceil((GRIP_DIAMETERS * self.diameter_mm + 3) / spacing_mm))
        shape = (round((self.length_mm + BELOW_MM) / spacing_mm), 2 * half, 2 * half)
        first = (0.5 - half) * spacing_mm  # the axis goes through the origin
        grid = Grid.aligned(origin_lps_mm=(0.5 * spacing_mm, first, first), spacing_mm=(spacing_mm,) * 3, shape=shape)
        top_mm = shape[0] * spacing_mm
        ends = (top_mm, 0.0, 0.0), (top_mm - self.length_mm, 0.0, 0.0)
        placed = Placement(
            device="screw", role="screw", name="screw-1", entry_lps_mm=ends[0], target_lps_mm=ends[1],
            skin_lps_mm=ends[0], length_mm=self.length_mm, diameter_mm=self.diameter_mm,
        )  # fmt: skip
        metal = rod_frac(placed.axis, self.diameter_mm, grid)
        foam = with_thread_damage(np.full(shape, self.foam_MPa), placed, grid, cement_frac=None)
        modulus = foam + metal * (1000.0 * mechanics().material_of("titanium").modulus_GPa - foam)
        across = np.arange(2 * half + 1) - half
        away_mm = spacing_mm * np.hypot(across[:, None], across)
        grip = away_mm >= GRIP_DIAMETERS * self.diameter_mm
        head = away_mm <= (self.diameter_mm - spacing_mm) / 2
        held = np.zeros([*(n + 1 for n in shape), 3], bool)
        held[-1, grip | head] = True
        moved = np.zeros(held.shape)
        moved[-1, head, 0] = 1.0
        spared = np.zeros(shape, bool)
        spared[-1] = away_mm[:-1, :-1] > GRIP_DIAMETERS * self.diameter_mm - 2
        none = np.zeros(shape, np.float32)
        label = labels(modulus, np.ones(shape, bool), none, metal, spared)
        spacing_m = spacing_mm / 1000.0
        system = ElasticSystem(modulus * 1e6, held, spacing_m=spacing_m)
        softening = Softening(system.rows, label, limits(), spacing_m=spacing_m, poisson=POISSON)
        return collapse(system, Load(displacement_m=moved), softening, march=MARCH)


def main() -> None:
    """A row for each screw, and for each lattice the slope through the origin."""
    spacings_mm, found = (2.0, 1.0, 0.5, 0.25), []
    _row("D x L mm, foam MPa", "closed form N", *(f"voxels of {h:g} mm" for h in spacings_mm))
    _row(*["---"] * (2 + len(spacings_mm)))
    for each in TWELVE:
        screw = Screw(*each)
        found.append([screw.closed_form_N(), *(screw.by_voxels_N(h) for h in spacings_mm)])
        of = f"{screw.diameter_mm:g} x {screw.length_mm:g}, {screw.foam_MPa:g}"
        _row(of, *(f"{newtons:.0f}" for newtons in found[-1]))
    closed, *voxels = np.array(found).T
    slopes = [float(closed @ each / (closed @ closed)) for each in voxels]
    squares = [float(np.corrcoef(closed, each)[0, 1] ** 2) for each in voxels]
    _row("slope (R2)", "", *(f"{slope:.2f} ({square:.3f})" for slope, square in zip(slopes, squares, strict=True)))


def _row(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
