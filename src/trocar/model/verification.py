"""What a control CT shows: how well it was placed, what froze, and the margins as measured."""

from dataclasses import dataclass, field

from trocar.model.finding import Finding
from trocar.model.record import Matrix4, Record, Vector
from trocar.model.space import Volume
from trocar.model.treatment import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration(Record):
    """`residual_mm`: root mean square shift, along its normal, of the bone's edge between the registered images.

    None where the edges could not be compared.
    """

    control_from_plan: Matrix4
    residual_mm: float | None
    method: str
    compared_frac: float = 0.0  # share of the bone's surface whose edge both images show


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSegment(Record):
    """An instrument's axis, `target_lps_mm` its tip."""

    entry_lps_mm: Vector
    target_lps_mm: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementError(Record):
    """A planned instrument and where it was found, both in the plan's frame; `found` is None when it was not.

    `found.entry_lps_mm` lies on the found axis, as far from the tip as the planned entry is from the planned tip.
    """

    name: str
    planned: FoundSegment
    found: FoundSegment | None
    tip_error_mm: float | None
    angle_error_deg: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenIce(Record):
    """Ice as the control CT shows it. `visible_frac` is the share of the predicted ice where it could be seen."""

    volume_ml: float | None
    visible_frac: float | None
    dice_with_prediction: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin(Record):
    """Signed distance from the lesion's surface to a zone's, negative where the lesion sticks out of it.

    `zone` says what bounds the zone and whether it was `seen` or `simulated`. Figures are over the assessable share
    of the lesion's surface; the interval is that of the minimum.
    """

    zone: str
    minimum_mm: float
    interval_mm: tuple[float, float]
    p1_mm: float
    p5_mm: float
    assessable_frac: float
    where_lps_mm: Vector
    below_0_mm2: float = 0.0  # lesion surface outside the zone
    below_5_mm2: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUpdate(Record):
    """Parameters re-estimated from the control, and the forecast they give; empty when nothing was re-estimated."""

    parameters: dict[str, float] = field(default_factory=dict)
    forecast: tuple[dict[str, float], ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Verification(Finding):
    """The control read against the plan, everything in the plan's frame.

    `as_placed` is the plan with its found placements in place of the planned ones; the others are as planned.
    """

    registration: Registration
    placements: tuple[PlacementError, ...]
    ice: SeenIce
    margins: tuple[Margin, ...] = ()
    update: ModelUpdate = ModelUpdate()
    as_placed: Plan | None = None
    fields: dict[str, Volume] = field(default_factory=dict)
