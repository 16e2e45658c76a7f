"""The synthetic cases: acceptance scenarios A1 (left iliac wing) and A2 (left sacral ala)."""

import numpy as np

from trocar.model.case import Case, Clinical, Role, Side, Structure
from trocar.model.space import Array, Volume
from trocar.phantoms import clinical
from trocar.phantoms.lesions import Tumor, turned
from trocar.phantoms.pelvis import Pelvis, grid
from trocar.phantoms.scanner import scanned

Spacing = tuple[float, float, float]

ILIUM_TUMOR = Tumor(center=(100.2, 8.8, 70.0), diameters_mm=(47.2, 77.2, 54.2), axes=turned(28.0), seed=3)
SACRUM_TUMOR = Tumor(
    center=(33.0, 40.6, 88.4), diameters_mm=(30, 38, 32), axes=turned(20.0, -37.0), unevenness_mm=0.8, seed=5
)
TUMOR_HU = 44.0


def ilium(*, spacing_mm: Spacing = (1.0, 1.0, 1.25), seed: int = 0) -> Case:
    """Case A1: a lytic lesion of the left iliac wing, 78 x 55 x 48 mm, with a large soft-tissue part."""
    return _pelvic_case("phantom-ilium", ILIUM_TUMOR, clinical.ILIUM, spacing_mm, seed)


def sacrum(*, spacing_mm: Spacing = (1.0, 1.0, 1.25), seed: int = 0) -> Case:
    """Case A2: a hypervascular lytic lesion of the left sacral ala, 38 x 32 x 30 mm, touching the left S1 root."""
    return _pelvic_case("phantom-sacrum", SACRUM_TUMOR, clinical.SACRUM, spacing_mm, seed)


def _pelvic_case(case_id: str, tumor: Tumor, context: Clinical, spacing_mm: Spacing, seed: int) -> Case:
    rng = np.random.default_rng(seed)
    on = grid(spacing_mm)
    pelvis = Pelvis(on, rng)
    pelvis.paint()
    lesion = _paint_tumor(pelvis, tumor)
    values = scanned(pelvis.scene.values_HU, on, rng)
    return Case(
        case_id=case_id,
        ct=Volume(grid=on, values=values, unit="HU"),
        structures=(lesion, *pelvis.structures()),
        clinical=context,
        acquired=clinical.ACQUIRED,
        contrast_enhanced=False,
        synthetic=True,
    )


def _paint_tumor(pelvis: Pelvis, tumor: Tumor) -> Structure:
    scene = pelvis.scene
    sample = scene.sampled(tumor.shape)
    tissue: Array = TUMOR_HU + 7.0 * pelvis.coarse[sample.window] + 4.0 * pelvis.fine[sample.window]
    scene.paint(sample, tissue)
    return scene.region("lesion_1", Role.LESION, sample, side=Side.LEFT)
