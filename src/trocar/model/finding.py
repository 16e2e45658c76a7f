"""What was found: checks, and the results of the stages that measure and simulate."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from trocar.model.case import Role, Side
from trocar.model.record import Record, Vector
from trocar.model.space import Volume


class Verdict(StrEnum):
    PASS = "PASS"
    WARN = "WARN"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Record):
    """One number against one limit. `source` is the limit's literature key, or "software default".

    `name` says what is compared (`nerve_minimum_temperature`), `subject` of which thing (`sacral_root_s1_left`).
    A value that could not be had is `None` with verdict UNKNOWN, and `message` says why.
    """

    name: str
    subject: str = ""
    value: float | None
    limit: float | None
    unit: str
    verdict: Verdict
    source: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Record):
    """A result with checks."""

    checks: tuple[Check, ...] = ()

    def all_checks(self) -> Iterator[Check]:
        """Every check of the result, those of its parts included."""
        yield from self.checks

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.all_checks() if check.verdict is Verdict.FAIL)


# --- assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbor(Record):
    """A structure near a lesion; the distance is between surfaces, 0 when they touch or overlap."""

    name: str
    role: Role
    distance_mm: float
    nearest_lps_mm: Vector
    on_lesion_lps_mm: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Compartments(Record):
    bone_ml: float
    soft_tissue_ml: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionMeasure(Record):
    name: str
    site: str | None
    side: Side | None
    volume_ml: float
    diameters_mm: tuple[float, float, float]
    diameter_axes: tuple[Vector, Vector, Vector]
    center_lps_mm: Vector
    compartments: Compartments
    lytic_frac: float | None
    cortical_breach_mm2: float | None
    skin_distance_mm: float | None
    skin_nearest_lps_mm: Vector | None = None
    host_bones: tuple[str, ...] = ()
    neighbors: tuple[Neighbor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreItem(Record):
    item: str
    points: float | None
    origin: str  # measured, entered, assumed, unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Score(Record):
    """A published score or classification; `total` is `None` while an item that decides it is unknown.

    `grade` is a class as its source writes it (`3A`, `II`); empty for a sum of points.
    """

    name: str
    lesion: str
    total: float | None
    maximum: float
    items: tuple[ScoreItem, ...]
    source: str
    grade: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment(Finding):
    lesions: tuple[LesionMeasure, ...]
    scores: tuple[Score, ...] = ()
    absent_roles: tuple[Role, ...] = ()  # roles a planner looks for that no structure of the case has

    def lesion(self, name: str) -> LesionMeasure:
        return next(lesion for lesion in self.lesions if lesion.name == name)


# --- simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneCoverage(Record):
    """Fractions of a lesion inside a temperature zone; `None` where the lesion has no such compartment."""

    lesion: float
    bone: float | None
    soft_tissue: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone(Record):
    """Tissue that was colder (or hotter) than a temperature at any time up to this state."""

    volume_ml: float
    coverage_frac: ZoneCoverage
    minimal_margin_mm: float | None  # signed, from the lesion's surface to the zone's; negative where it sticks out
    minimal_margin_lps_mm: Vector | None = None
    refinement_mm: float | None = (
        None  # how far a lattice twice as coarse moves the isotherm: above its error, as a rule
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure(Record):
    """What a structure has been through up to this state; after a step's last phase, until it has turned."""

    name: str
    role: Role
    minimum_degC: float
    maximum_degC: float
    minimum_lps_mm: Vector
    distance_to_ice_mm: float | None  # from its surface to the 0 degC surface; None without ice
    first_crossing_s: float | None = None  # when its limit of cold was first crossed, on the procedure's thermal clock
    maximum_lps_mm: Vector | None = None
    first_hot_crossing_s: float | None = None  # the same for its limit of heat


@dataclass(frozen=True, slots=True, kw_only=True)
class State(Record):
    """The tissue after one moment of one step."""

    step: str
    moment: str  # after, freeze_1, thaw_1, freeze_2 ...
    time_s: float
    lesion: str
    zones: dict[str, Zone] = field(default_factory=dict)
    structures: tuple[Exposure, ...] = ()
    kill_frac: ZoneCoverage | None = None  # expected share of cells killed by cold: a probability, not a count
    heat_kill_frac: ZoneCoverage | None = None  # expected share of cells killed by heat (Arrhenius, liver)
    strength: dict[str, float] = field(default_factory=dict)
    energy_residual_frac: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History(Record):
    """The coldest and warmest temperature on a structure over a step, and after it until they have turned."""

    step: str
    name: str
    time_s: tuple[float, ...]
    minimum_degC: tuple[float, ...]
    maximum_degC: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CementLeak(Record):
    """Cement that leaves the bone: by which way, from which injected volume on, and how much of the planned one does.

    `way` is breach, foramen, canal, vein, joint, or edge (it leaves the simulated box, and what then is unknown).
    """

    way: str
    name: str  # of the structure it reaches; empty for a breach
    from_ml: float
    volume_ml: float
    lps_mm: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class CementStop(Record):
    """A reason to stop injecting, and the injected volume at which it comes up.

    `reason` is the way of a leak, or distance (to a nerve, the canal or a joint), pressure, room, or ice.
    """

    reason: str
    at_ml: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatingTrace(Record):
    """What a radiofrequency electrode or a microwave antenna did in each time step of a heating step.

    `power_W` is the mean of the time step that begins at `time_s`, `resistance_ohm` what the generator saw (empty for
    an antenna), `temperature_degC` the hottest of an electrode's metal or on an antenna's axis. `phase` is the
    generator's own.
    """

    step: str
    name: str
    time_s: tuple[float, ...]
    power_W: tuple[float, ...]
    resistance_ohm: tuple[float, ...]
    temperature_degC: tuple[float, ...]
    phase: tuple[str, ...]
    energy_J: float  # given by the generator


@dataclass(frozen=True, slots=True, kw_only=True)
class CementDeposit(Record):
    """Where the cement of one injection lies after a step: `volume_ml` in bone, 95 % of it within `radius_mm`.

    `stops` come in the order of their volumes, up to `followed_ml`. The pressure is that in the bone at the needle's
    opening while `volumes_ml` are injected.
    """

    name: str
    center_lps_mm: Vector
    volume_ml: float
    radius_mm: float
    planned_ml: float | None = None
    followed_ml: float | None = None
    stops: tuple[CementStop, ...] = ()
    leaks: tuple[CementLeak, ...] = ()
    volumes_ml: tuple[float, ...] = ()
    times_s: tuple[float, ...] = ()
    pressures_MPa: tuple[float, ...] = ()

    @property
    def stop_ml(self) -> float | None:
        """The injected volume at which to stop; `None` when nothing asks for it up to `followed_ml`."""
        return self.stops[0].at_ml if self.stops else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation(Finding):
    """The tissue before and after each step; `fields` holds the arrays (minimum temperature, ice, cement ...)."""

    states: tuple[State, ...]
    histories: tuple[History, ...] = ()
    traces: tuple[HeatingTrace, ...] = ()
    deposits: tuple[CementDeposit, ...] = ()
    model: str = ""
    caveats: tuple[str, ...] = ()  # keys of what the model does not know, said in every report
    fields: dict[str, Volume] = field(default_factory=dict)
