"""The margins of a lesion: to the ice as seen, and to the zones as simulated."""

from collections.abc import Iterator

import numpy as np

from trocar.imaging.margin import Zone, cold_zone, mask_zone, surface_margin
from trocar.imaging.resample import resample_mask
from trocar.model.case import Case, Structure
from trocar.model.space import Volume, as_vector
from trocar.model.verification import Margin
from trocar.verification.iceball import IceImage

LEVELS_DEGC = (0.0, -20.0, -40.0)


def margins(
    case: Case, lesion: Structure, seen: IceImage, predicted_degC: Volume | None, *, registration_mm: float
) -> Iterator[Margin]:
    """The margin to the seen ice over the surface where ice can be seen, then to each simulated zone over all of it."""
    if seen.ice.any():
        around = resample_mask(seen.assessable, seen.grid, case.grid)
        yield from _margin(
            "0_degC_seen", case, lesion, mask_zone(seen.ice, seen.grid), around, registration_mm=registration_mm
        )
    if predicted_degC is None:
        return
    for level in LEVELS_DEGC:
        zone = cold_zone(predicted_degC.values, predicted_degC.grid, level)
        yield from _margin(f"{level:g}_degC_simulated", case, lesion, zone, None, registration_mm=0.0)


def _margin(
    name: str, case: Case, lesion: Structure, zone: Zone, assessable: np.ndarray | None, *, registration_mm: float
) -> Iterator[Margin]:
    found = surface_margin(lesion.inside, case.grid, zone, assessable=assessable, uncertainty_mm=registration_mm)
    if found is None:
        return
    yield Margin(
        zone=name,
        minimum_mm=found.minimum_mm,
        interval_mm=found.interval_mm,
        p1_mm=found.p1_mm,
        p5_mm=found.p5_mm,
        assessable_frac=found.assessable_frac,
        where_lps_mm=as_vector(found.where_lps_mm),
        below_0_mm2=found.below_0_mm2,
        below_5_mm2=found.below_5_mm2,
    )
