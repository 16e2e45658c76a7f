"""Where bone, cement and screws come nearest to yielding under a load: strains averaged near the lesion."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import signal

from trocar.assessment.supports import Bench, voxels_at
from trocar.catalog.mechanics import mechanics
from trocar.errors import CaseError
from trocar.imaging.distance import near
from trocar.imaging.resample import resample_mask
from trocar.imaging.surface import grown_bounds, slices
from trocar.model.case import Case, Structure
from trocar.model.space import Array, Grid, as_vector
from trocar.model.treatment import Placement
from trocar.physics.elastic import Deformation
from trocar.physics.elastic_strain import principal

BALL_MM = 2.5  # radius over which strains are averaged: raw peaks do not converge (mechanics reference 7)
PERCENTILE = 99.0
NEAR_MM, AWAY_MM = 25.0, 6.0  # of the lesion; of what is held or loaded
MOSTLY = 0.5
HALF_A_VOXEL = 0.5  # less than any ball around bone holds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Treated:
    """One state of the bone: what cement and screws are in it, and by how much its bone is softened."""

    name: str
    cement_frac: Array | None = None
    screws: tuple[Placement, ...] = ()
    bone_frac: float = 1.0
    filled: bool = False


@dataclass(slots=True)
class Worst:
    """What one law gave for one state and load: ratios, work, where it is worst."""

    bone: float
    cement: float | None
    screw: float | None
    work: float
    worst: str
    where: tuple[float, float, float]


def worst_of(
    bench: Bench, solid: Array, lesion: Structure, state: Treated, metal: Array, held: Array, force: Array,
    solved: Deformation, near_mm: float = NEAR_MM,
) -> Worst:  # fmt: skip
    """Ratios within a distance of the lesion, away from what is held or loaded."""
    box, close = looked_at(bench.case, bench.grid, lesion.name, near_mm)
    spacing = bench.grid.spacing_mm
    nodes = held.any(axis=3) | (force != 0).any(axis=3)
    touched = voxels_at(nodes[tuple(slice(side.start, side.stop + 1) for side in box)])
    if touched.any():
        close = close & ~near(touched, spacing, AWAY_MM)
    largest, smallest = principal(solved.strain()[box])
    solid, metal = solid[box], metal[box]
    cement = state.cement_frac[box] if state.cement_frac is not None else np.zeros(close.shape)
    bone = close & solid & (cement < MOSTLY) & (metal < 0.1)
    limits, pmma = mechanics().yield_strain, mechanics().material_of("pmma")
    titanium = mechanics().material_of("titanium")
    strained = np.maximum(largest / limits.tension_frac, -smallest / limits.compression_frac)
    cement_stress = 1000.0 * pmma.modulus_GPa * np.maximum(
        largest / (pmma.tension_MPa or np.inf), -smallest / (pmma.compression_MPa or np.inf)
    )  # fmt: skip
    metal_stress = 1000.0 * titanium.modulus_GPa * np.maximum(largest, -smallest) / (titanium.yield_MPa or np.inf)
    parts = {
        "bone": _worst(strained, bone, spacing),
        "cement": _worst(cement_stress, close & (cement >= MOSTLY) & (metal < 0.1), spacing),
        "screw": _worst(metal_stress, close & (metal > MOSTLY), spacing),
    }
    if parts["bone"] is None:
        raise CaseError("no bone is left beside the lesion to be looked at", hint="check the masks of bone and lesion")
    part = max((name for name in parts if parts[name] is not None), key=lambda name: parts[name][0])  # type: ignore[index]
    at = parts[part][1]  # type: ignore[index]
    pulled = largest[at] / limits.tension_frac > -smallest[at] / limits.compression_frac
    how = "bending" if part == "screw" else "tension" if pulled else "compression"
    return Worst(
        bone=parts["bone"][0],
        cement=None if parts["cement"] is None else parts["cement"][0],
        screw=None if parts["screw"] is None else parts["screw"][0],
        work=float((force * solved.displacement_m()).sum()),
        worst=f"{part}: {how}",
        where=as_vector(bench.grid.to_lps(np.add(at, [side.start for side in box]))),
    )


@lru_cache(maxsize=8)
def looked_at(case: Case, grid: Grid, lesion: str, near_mm: float) -> tuple[tuple[slice, ...], Array]:
    """The box of the lattice that is looked at, and its voxels near the lesion."""
    inside = resample_mask(case.structure(lesion).inside, case.grid, grid)
    margin = np.ceil((near_mm + AWAY_MM + BALL_MM) / grid.spacing_mm).astype(int)
    if not inside.any():
        raise CaseError(f"{lesion} is smaller than a voxel of the strength's lattice", hint="take a finer --spacing-mm")
    box = slices(*grown_bounds(inside, margin))
    return box, near(inside[box], grid.spacing_mm, near_mm)


def _worst(ratio: Array, of: Array, spacing_mm: Array) -> tuple[float, tuple[int, ...]] | None:
    """A high percentile of the means over a small ball, and the voxel nearest to it; `None` where there is nothing."""
    if not of.any():
        return None
    reach = np.maximum(1, np.round(BALL_MM / spacing_mm)).astype(int)
    offset = np.moveaxis(np.indices(tuple(int(n) for n in 2 * reach + 1)), 0, -1) - reach
    ball = (np.linalg.norm(offset * spacing_mm, axis=-1) <= max(BALL_MM, float(spacing_mm.max()) * 1.01)).astype(float)
    weight, total = (
        signal.fftconvolve(field, ball, mode="same") for field in (of.astype(float), np.where(of, ratio, 0.0))
    )
    mean = total / np.maximum(weight, HALF_A_VOXEL)
    value = float(np.percentile(mean[of], PERCENTILE))
    nearest = int(np.argmin(np.where(of, np.abs(mean - value), np.inf)))
    return value, tuple(int(n) for n in np.unravel_index(nearest, ratio.shape))
