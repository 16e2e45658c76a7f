"""Small bodies with a lesion of known size at a known place, for the assessment's tests."""

import numpy as np

from trocar.model.case import Case, Clinical, LesionContext, Role, Side, Structure
from trocar.model.space import Array, Grid, Volume

TUMOR_HU, MUSCLE_HU, BONE_HU = 45.0, 60.0, 400.0


def grid() -> Grid:
    return Grid.aligned(origin_lps_mm=(-75, -45, -40), spacing_mm=(1.5, 1.5, 1.5), shape=(101, 61, 54))


def points(on: Grid) -> Array:
    return on.to_lps(np.moveaxis(np.indices(on.shape), 0, -1))


def ellipsoid(on: Grid, center, semi_axes_mm) -> Array:
    return np.linalg.norm((points(on) - np.asarray(center)) / np.asarray(semi_axes_mm), axis=-1) < 1


def slab_case(*, side_sign: float = 1.0, stated: Side | None = Side.LEFT, matrix: str | None = None) -> Case:
    """A body with a left and a right plate of bone, and an ellipsoid across the outer face of one of them.

    The plates are x in [25, 40] and its mirror image; the lesion is centered on the face x = 40, so that half of it
    lies in bone; `side_sign` -1 puts it on the patient's right. A nerve runs at 60 in x.
    """
    on = grid()
    x, y, z = np.moveaxis(points(on), -1, 0)
    body = (np.abs(x) < 70) & (np.abs(y) < 40)
    plates = {sign: (sign * x > 25) & (sign * x < 40) & (np.abs(y) < 30) for sign in (1, -1)}
    lesion = ellipsoid(on, (side_sign * 40, 0, 0), (10, 18, 14))
    values = np.where(body, MUSCLE_HU, -1000.0)
    values = np.where(plates[1] | plates[-1], BONE_HU, values)
    values = np.where(lesion, TUMOR_HU, values).astype(np.float32)
    nerve_x = side_sign * 60
    structures = (
        Structure(name="lesion_1", role=Role.LESION, inside=lesion),
        Structure(name="hip_left", role=Role.BONE, inside=plates[1], side=Side.LEFT),
        Structure(name="hip_right", role=Role.BONE, inside=plates[-1], side=Side.RIGHT),
        Structure(name="body", role=Role.BODY, inside=body),
        Structure(
            name="nerve",
            role=Role.NERVE,
            inside=np.hypot(x - nerve_x, z) < 2,
            centerline_lps_mm=((nerve_x, -30, 0), (nerve_x, 30, 0)),
            diameter_mm=4.0,
        ),
    )
    context = LesionContext(name="lesion_1", site="iliac_wing", side=stated, matrix=matrix)
    return Case(
        case_id="slab",
        ct=Volume(grid=on, values=values, unit="HU"),
        structures=structures,
        clinical=Clinical(lesion=(context,)),
    )
