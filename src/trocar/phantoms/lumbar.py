"""Case A3: three lumbar vertebrae with a lytic lesion in the body of L3 (origin: the middle of that body)."""

import numpy as np

from trocar.model.case import Case, Role, Side, Structure
from trocar.model.space import Grid, Volume
from trocar.phantoms import clinical, spine
from trocar.phantoms.lesions import Tumor, turned
from trocar.phantoms.scanner import scanned, texture
from trocar.phantoms.scene import ORIGIN, Sample, Scene
from trocar.phantoms.shapes import Knot, Shape, column, curve, ellipsoid, tube, union

LEVELS = {
    "vertebrae_L2": spine.Vertebra((0, -1, 37), -2, 46, 33, 28),
    "vertebrae_L3": spine.Vertebra((0, 0, 0), 3, 48, 34, 26.5, wedge_mm=-2.5),  # it has begun to collapse
    "vertebrae_L4": spine.Vertebra((0, -5, -38), 9, 50, 35, 29, wedge_mm=1),
}
DISCS = {
    "disc_l2_l3": ellipsoid((0, -1, 18.6), (23, 16.5, 7.5), axes=LEVELS["vertebrae_L3"].axes, power=3.0),
    "disc_l3_l4": ellipsoid((0, -3, -18.6), (24, 16.5, 8.0), axes=LEVELS["vertebrae_L3"].axes, power=3.0),
}
TUMOR = Tumor(center=(6.0, -4.0, 0.0), diameters_mm=(22, 20, 18), axes=turned(0.0, 3.0), unevenness_mm=0.4, seed=11)
SAC: tuple[Knot, ...] = ((0, 26, 80, 8), (0, 26, 37, 8), (0, 27, 0, 8), (0, 24, -38, 8), (0, 18, -80, 8))
LOW_MM, HIGH_MM = (-165.0, -140.0, -56.0), (165.0, 110.0, 56.0)


def vertebra(*, spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.25), seed: int = 0) -> Case:
    """Case A3: a lytic lesion of 22 x 20 x 18 mm in the body of L3, posterior wall intact."""
    rng = np.random.default_rng(seed)
    scene = Scene(_grid(spacing_mm))
    grain = texture(scene.grid, rng, grain_mm=3.0)
    extra = _soft_tissue(scene, grain)
    for name, disc in DISCS.items():
        sample = scene.sampled(disc)
        scene.paint(sample, 85.0)
        scene.claim(name, Role.ORGAN, sample)
    for name, level in LEVELS.items():
        sample = scene.sampled(spine.vertebra(level))
        scene.paint(sample, 1350.0)
        scene.paint(sample, 150.0 + 28.0 * grain[sample.window], inset_mm=1.1)
        scene.claim(name, Role.BONE, sample)
    extra += _nerves(scene)
    tumor = scene.sampled(TUMOR.shape)
    scene.paint(tumor, 45.0 + 6.0 * grain[tumor.window])
    lesion = scene.region("lesion_1", Role.LESION, tumor, side=Side.LEFT)
    return Case(
        case_id="phantom-vertebra",
        ct=Volume(grid=scene.grid, values=scanned(scene.values_HU, scene.grid, rng), unit="HU"),
        structures=(lesion, *scene.organs(), *extra),
        clinical=clinical.VERTEBRA,
        acquired=clinical.ACQUIRED,
        contrast_enhanced=False,
        synthetic=True,
    )


def _grid(spacing_mm: tuple[float, float, float]) -> Grid:
    spacing = np.asarray(spacing_mm, dtype=float)
    shape = np.round(np.subtract(HIGH_MM, LOW_MM) / spacing).astype(int)
    origin = (-(shape[0] - 1) / 2 * spacing[0], LOW_MM[1], LOW_MM[2])
    return Grid.aligned(
        origin_lps_mm=origin,
        spacing_mm=tuple(float(v) for v in spacing),  # type: ignore[arg-type]
        shape=tuple(int(n) for n in shape),  # type: ignore[arg-type]
    )


def _trunk() -> Shape:
    angles = np.radians(np.arange(0, 360, 15))
    wide, depth = 158.0, np.where(np.sin(angles) > 0, 98.0, 128.0)
    c, s = np.abs(np.cos(angles)) / wide, np.abs(np.sin(angles)) / depth
    radii = [float(r) for r in (c**2.4 + s**2.4) ** (-1 / 2.4)]
    return column([(-140, 0, 0, radii), (140, 0, 0, radii)])


def _soft_tissue(scene: Scene, grain: np.ndarray) -> list[Structure]:
    skin = scene.sampled(_trunk())
    scene.paint(skin, 20.0)
    scene.paint(skin, -102.0 + 3.0 * grain[skin.window], inset_mm=2.0)
    wall = np.maximum(skin.distance + 15.0, -29.0 - skin.distance)
    _, y, _ = scene.axes(skin.window)
    scene.paint(Sample(skin.window, np.maximum(wall, (y - 42.0).astype(np.float32))), 54.0)
    shell = Sample(skin.window, np.maximum(skin.distance, -2.0 - skin.distance))
    for name, shape in _muscles().items():
        for side, sample in scene.pair(shape):
            scene.paint(sample, 56.0 + 5.0 * grain[sample.window], inset_mm=0.5)
            scene.claim(f"{name}_{side}", Role.MUSCLE, sample, side=side)
    for name, role, value_HU, shape in _organs():
        sample = scene.sampled(shape)
        scene.paint(sample, value_HU)
        scene.claim(name, role, sample)
    return [scene.region("body", Role.BODY, skin), scene.region("skin", Role.SKIN, shell)]


def _muscles() -> dict[str, Shape]:
    return {
        "iliopsoas": tube([(36, 2, 80, 9), (37, 2, 37, 13), (40, 1, 0, 16), (44, -1, -38, 18), (48, -6, -80, 19)]),
        "autochthon": union(
            tube([(24, 56, 80, 19), (26, 56, 0, 20), (27, 52, -80, 20)]),
            tube([(50, 52, 80, 15), (52, 50, 0, 16), (53, 46, -80, 15)]),
            blend_mm=5.0,
        ),
        "quadratus_lumborum": tube([(68, 26, 80, 9), (70, 24, 0, 11), (74, 18, -80, 12)], flat=0.7),
    }


def _organs() -> tuple[tuple[str, Role, float, Shape], ...]:
    return (
        ("kidney_left", Role.ORGAN, 34.0, ellipsoid((74, -16, 46), (27, 25, 46))),
        ("kidney_right", Role.ORGAN, 34.0, ellipsoid((-74, -16, 36), (27, 25, 46))),
        ("colon", Role.BOWEL, 25.0, union(tube([(112, -30, 80, 16), (114, -28, -80, 16)]),
                                          tube([(-110, -34, 80, 19), (-112, -32, -80, 20)]))),
        ("small_bowel", Role.BOWEL, 30.0, _loops()),
        ("inferior_vena_cava", Role.VESSEL, 44.0, tube([(-15, -28, 80, 11), (-15, -29, 0, 11), (-14, -34, -80, 11)])),
        ("aorta", Role.VESSEL, 44.0, tube([(10, -28, 80, 9.5), (9, -30, 0, 9.5), (7, -35, -80, 9)])),
    )  # fmt: skip


def _loops() -> Shape:
    """Small bowel in front of the great vessels."""
    rows = ((-44.0, 0.0), (-16.0, -8.0), (14.0, 4.0), (42.0, -6.0))
    return union(
        *[
            tube([(-62, y - 72, z, 12), (-20, y - 80, z + 7, 12), (25, y - 70, z - 6, 12), (66, y - 78, z + 4, 12)])
            for z, y in rows
        ]
    )


def _nerves(scene: Scene) -> list[Structure]:
    """The dural sac with the cauda equina, and the roots of L2 to L4 below their pedicles."""
    sac = scene.sampled(tube(SAC))
    scene.paint(sac, 22.0)
    kept = [scene.region("thecal_sac", Role.CORD, sac, side=Side.MIDLINE)]
    for name, level in LEVELS.items():
        below = [(6, 26, 8), (15, 23, -7), (24, 15, -14), (34, 4, -26), (40, -4, -40)]
        knots = [level.point(*point) for point in below]
        line = curve(knots, step_mm=2.0)
        tubed = tube([(float(x), float(y), float(z), 2.4) for x, y, z in line], smooth=False)
        for side, sample in scene.pair(tubed):
            scene.paint(sample, 32.0)
            sign = 1.0 if side is Side.LEFT else -1.0
            region = scene.region(f"nerve_root_{name[-2:].lower()}_{side}", Role.NERVE, sample, side=side)
            kept.append(
                Structure(
                    name=region.name,
                    role=region.role,
                    inside=region.inside,
                    side=side,
                    centerline_lps_mm=tuple((float(sign * x), float(y), float(z)) for x, y, z in line),
                    diameter_mm=4.8,
                    origin=ORIGIN,
                )
            )
    return kept
