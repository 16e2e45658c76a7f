"""The synthetic cases: acceptance scenarios A1 (left iliac wing), A2 (left sacral ala), A6 (left femoral neck)."""

from collections.abc import Callable

import numpy as np

from trocar.model.case import Case, Clinical, Role, Side
from trocar.model.space import Array, Volume
from trocar.phantoms import clinical, vessels
from trocar.phantoms.lesions import Tumor, turned
from trocar.phantoms.pelvis import BLOOD_HU, Pelvis, grid
from trocar.phantoms.scanner import scanned
from trocar.phantoms.scene import Sample

Spacing = tuple[float, float, float]

ILIUM_TUMOR = Tumor(center=(99.8, 8.6, 70.0), diameters_mm=(46.6, 75.9, 53.0), axes=turned(28.0), seed=3)
SACRUM_TUMOR = Tumor(
    center=(33.2, 40.9, 88.2), diameters_mm=(30.5, 36.4, 30.4), axes=turned(20.0, -37.0), unevenness_mm=0.8, seed=5
)
FEMUR_TUMOR = Tumor(center=(100.0, 6.0, -12.0), diameters_mm=(32.0, 26.0, 30.0), axes=turned(40.0), seed=7)
TUMOR_HU = 42.0
ARTERY_ENHANCEMENT_HU, VEIN_ENHANCEMENT_HU, MUSCLE_ENHANCEMENT_HU, TUMOR_ENHANCEMENT_HU = 270.0, 25.0, 8.0, 125.0


def ilium(*, spacing_mm: Spacing = (1.0, 1.0, 1.25), seed: int = 0) -> Case:
    """Case A1: a lytic lesion of the left iliac wing, 78 x 55 x 48 mm, with a large soft-tissue part."""
    return _pelvic_case("phantom-ilium", ILIUM_TUMOR, clinical.ILIUM, spacing_mm, seed)


def sacrum(*, spacing_mm: Spacing = (1.0, 1.0, 1.25), seed: int = 0) -> Case:
    """Case A2: a hypervascular lytic lesion of the left sacral ala, 38 x 32 x 30 mm, touching the left S1 root.

    `phases["arterial"]` shows its blush.
    """
    return _pelvic_case("phantom-sacrum", SACRUM_TUMOR, clinical.SACRUM, spacing_mm, seed, enhance=_arterial)


def femur(*, spacing_mm: Spacing = (1.0, 1.0, 1.25), seed: int = 0) -> Case:
    """Case A6: a lytic lesion of the left femoral neck, 34 x 30 x 28 mm, over two thirds of its width; Mirels 12.

    Surgery was declined, so that the percutaneous branch is open. The shaft is cut off by the image at 7 cm below the
    head's middle.
    """
    return _pelvic_case("phantom-femur", FEMUR_TUMOR, clinical.FEMUR, spacing_mm, seed)


def _pelvic_case(
    case_id: str,
    tumor: Tumor,
    context: Clinical,
    spacing_mm: Spacing,
    seed: int,
    enhance: Callable[[Pelvis, Sample], Array] | None = None,
) -> Case:
    rng = np.random.default_rng(seed)
    on = grid(spacing_mm)
    pelvis = Pelvis(on, rng)
    pelvis.paint()
    sample = _paint_tumor(pelvis, tumor)
    lesion = pelvis.scene.region("lesion_1", Role.LESION, sample, side=Side.LEFT)
    native = scanned(pelvis.scene.values_HU, on, rng)
    phases = {}
    if enhance is not None:
        phases["arterial"] = Volume(grid=on, values=scanned(enhance(pelvis, sample), on, rng), unit="HU")
    return Case(
        case_id=case_id,
        ct=Volume(grid=on, values=native, unit="HU"),
        structures=(lesion, *pelvis.structures()),
        clinical=context,
        phases=phases,
        acquired=clinical.ACQUIRED,
        contrast_enhanced=False,
        synthetic=True,
    )


def _paint_tumor(pelvis: Pelvis, tumor: Tumor) -> Sample:
    """Tumor tissue in place of what was there: no cortex is left inside it."""
    sample = pelvis.scene.sampled(tumor.shape)
    tissue: Array = TUMOR_HU + 6.0 * pelvis.coarse[sample.window] + 4.0 * pelvis.fine[sample.window]
    pelvis.scene.paint(sample, tissue)
    return sample


def _arterial(pelvis: Pelvis, tumor: Sample) -> Array:
    """[i, j, k] HU of the arterial phase: bright arteries and feeders, a tumor that blushes unevenly."""
    scene = pelvis.scene
    values = scene.values_HU.copy()
    for organ in scene.organs():
        if organ.role is Role.VESSEL:
            arterial = "artery" in organ.name or organ.name == "aorta"
            values[organ.inside] += ARTERY_ENHANCEMENT_HU if arterial else VEIN_ENHANCEMENT_HU
        elif organ.role is Role.MUSCLE:
            values[organ.inside] += MUSCLE_ENHANCEMENT_HU
    blush = TUMOR_ENHANCEMENT_HU + 28.0 * pelvis.coarse[tumor.window]
    values[tumor.window] += scene.cover(tumor) * blush
    feeders = scene.sampled(vessels.sacral_feeders())
    part = values[feeders.window]
    part += scene.cover(feeders) * (BLOOD_HU + ARTERY_ENHANCEMENT_HU - part)
    return values
