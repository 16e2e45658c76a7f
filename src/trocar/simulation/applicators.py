"""The applicators of a heating step, and their lines as the physics knows them."""

from trocar.errors import CaseError
from trocar.model.space import Grid, Segment
from trocar.model.treatment import Placement, Step
from trocar.physics.lines import Line


def applicators(step: Step) -> tuple[Placement, ...]:
    """The electrodes or antennas of a heating step. Raises `CaseError` when it has none."""
    found = tuple(placement for placement in step.placements if placement.role == "probe")
    if not found:
        raise CaseError(f"{step.id} places nothing that heats", hint="place an electrode or an antenna with role probe")
    return found


def line_of(segment: Segment, radius: float, grid: Grid) -> Line:
    """A segment as the physics knows it, in meters from the center of the grid's first cell; radius in mm."""
    spacing_m = float(grid.spacing_mm[0]) / 1000.0
    return Line(
        tip_m=grid.to_ijk(segment.start_lps_mm) * spacing_m,
        tail_m=grid.to_ijk(segment.end_lps_mm) * spacing_m,
        radius_m=radius / 1000.0,
    )
