"""From HU to calibrated density: by a phantom's rods, else by air, fat and muscle (mechanics reference 1.3)."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trocar.catalog.mechanics import mechanics
from trocar.errors import CaseError
from trocar.model.case import Case, Role
from trocar.model.space import Array

FAT_BETWEEN_HU, MUSCLE_BETWEEN_HU, AIR_BELOW_HU = (-150.0, -60.0), (10.0, 110.0), -900.0
ENOUGH_VOXELS = 500
SLOPE_BETWEEN = (3e-4, 2e-3)  # g/cm3 a HU that are believed of a phantom (design)


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityScale:
    """QCT density in g/cm3 = offset + slope x HU. `caveats` says what must be shown with every number."""

    slope_g_per_cm3_HU: float
    offset_g_per_cm3: float
    origin: str
    caveats: tuple[str, ...] = ()

    def __call__(self, hu: Array) -> Array:
        return self.offset_g_per_cm3 + self.slope_g_per_cm3_HU * hu


def phantom_scale(rods: dict[float, float]) -> DensityScale:
    """The line through a phantom's rods: HU by density in mg/cm3.

    Raises `CaseError` for fewer than two rods, and for a line that no scanner makes: HU and density exchanged.
    """
    if len(rods) < 2 or len(set(rods.values())) < 2:
        raise CaseError("a phantom needs at least two rods of different HU", hint="give mg/cm3 and HU of each")
    slope, offset = np.polyfit(list(rods.values()), np.array(list(rods)) / 1000.0, 1)
    if not SLOPE_BETWEEN[0] <= slope <= SLOPE_BETWEEN[1]:
        raise CaseError(
            f"the phantom's rods rise by {1000 * slope:.2g} mg/cm3 a HU, which no scanner does",
            hint="density in mg/cm3 comes first, then HU: 0=1.5,100=124",
        )
    return DensityScale(slope_g_per_cm3_HU=float(slope), offset_g_per_cm3=float(offset), origin="phantom")


def rods_of(text: str) -> dict[float, float]:
    """A phantom's rods from `0=1.5,100=124,200=246`: HU by density in mg/cm3. Raises `CaseError` for another form."""
    try:
        pairs = [(float(density), float(hu)) for density, hu in (part.split("=") for part in text.split(","))]
    except ValueError as error:
        raise CaseError(f"{text!r} tells no rods", hint="density in mg/cm3 = HU of each: 0=1.5,100=124") from error
    rods = dict(pairs)
    if len(rods) < len(pairs) or not np.isfinite(pairs).all():
        raise CaseError(f"{text!r} tells a rod twice or none", hint="density in mg/cm3 = HU of each: 0=1.5,100=124")
    return rods


def tissue_scale(case: Case) -> DensityScale:
    """The line through the CT's air, fat and muscle; on a contrast-enhanced CT through air and fat alone, and said so.

    Raises `CaseError` where the CT shows too little of them, or air that is none.
    """
    known = mechanics().calibration
    values = case.ct.values
    muscle = np.zeros(case.grid.shape, bool)
    for structure in case.with_role(Role.MUSCLE):
        muscle |= structure.inside
    within = ndimage.binary_erosion(muscle, iterations=2)
    seen = {
        "air": (_peak(values[values < AIR_BELOW_HU]), known.air_mg_per_cm3),
        "fat": (_peak(_between(values, FAT_BETWEEN_HU)), known.fat_mg_per_cm3),
        "muscle": (_peak(_between(values[within], MUSCLE_BETWEEN_HU)), known.muscle_mg_per_cm3),
    }
    caveats = ["density_scale_prior"]
    if case.contrast_enhanced or case.contrast_enhanced is None:
        seen.pop("muscle")
        caveats.append("contrast_enhanced_no_muscle" if case.contrast_enhanced else "contrast_unknown_no_muscle")
    points = [(hu, density) for hu, density in seen.values() if hu is not None]
    if len(points) < 2:
        raise CaseError(
            "the CT shows too little air, fat and muscle to scale its densities",
            hint="give the phantom's values, or a CT with a wider field of view",
        )
    hu, mg = np.array(points).T
    slope, offset = np.polyfit(hu, mg / 1000.0, 1)
    if not 0.0003 < slope < 0.0015:
        raise CaseError(f"the density scale comes out as {slope:.5f} g/cm3 per HU", hint="is the CT in HU?")
    found = "+".join(name for name, (value, _) in seen.items() if value is not None)
    return DensityScale(
        slope_g_per_cm3_HU=float(slope), offset_g_per_cm3=float(offset), origin=found, caveats=tuple(caveats)
    )


def _between(values: Array, bounds: tuple[float, float]) -> Array:
    return values[(values > bounds[0]) & (values < bounds[1])]


def _peak(values: Array) -> float | None:
    """The most frequent HU, to a few HU; `None` where there are too few voxels."""
    if values.size < ENOUGH_VOXELS:
        return None
    low, high = np.percentile(values, [1, 99])
    if high - low < 2:
        return float(np.median(values))
    count, edges = np.histogram(values, bins=60, range=(low, high))
    smooth = np.convolve(count, np.ones(5) / 5, mode="same")
    top = int(np.argmax(smooth))
    return float((edges[top] + edges[top + 1]) / 2)
