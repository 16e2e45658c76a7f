"""A bath of water gel, as probes are tested in."""

from dataclasses import replace

import numpy as np

from trocar.model.case import Case, Role
from trocar.model.space import Grid, Volume
from trocar.phantoms import clinical
from trocar.phantoms.scanner import scanned
from trocar.phantoms.scene import Scene
from trocar.phantoms.shapes import ellipsoid

GEL_HU = 8.0


def gel_bath(
    *,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    size_mm: float = 120.0,
    temperature_degC: float = 20.0,
    target_mm: float = 40.0,
    seed: int = 0,
) -> Case:
    """A cube of homogeneous water gel around the origin, with a ball of `target_mm` in it (`lesion_1`, gel as well).

    The bath has no perfusion and no skin: the structure `body` is the bath, and its `origin` states the temperature.
    """
    spacing = np.asarray(spacing_mm, dtype=float)
    shape = tuple(int(n) for n in np.round(size_mm / spacing).astype(int))
    origin = -(np.asarray(shape) - 1) / 2 * spacing
    grid = Grid.aligned(
        origin_lps_mm=tuple(float(v) for v in origin),  # type: ignore[arg-type]
        spacing_mm=tuple(float(v) for v in spacing),  # type: ignore[arg-type]
        shape=shape,  # type: ignore[arg-type]
    )
    scene = Scene(grid)
    bath = scene.sampled(ellipsoid((0, 0, 0), (size_mm,) * 3, power=8.0))
    scene.paint(bath, GEL_HU)
    body = scene.region("body", Role.BODY, bath)
    target = scene.region("lesion_1", Role.LESION, scene.sampled(ellipsoid((0, 0, 0), (target_mm / 2,) * 3)))
    return Case(
        case_id="phantom-gel-bath",
        ct=Volume(grid=grid, values=scanned(scene.values_HU, grid, np.random.default_rng(seed)), unit="HU"),
        structures=(target, replace(body, origin=f"water gel at {temperature_degC:g} degC")),
        acquired=clinical.ACQUIRED,
        synthetic=True,
    )
