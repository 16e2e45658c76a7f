"""What may be done and what is planned: proposals with their reasons, plans with their placements."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from trocar.model.finding import Check, Finding
from trocar.model.record import Record, Vector, bounded
from trocar.model.shield import Shield
from trocar.model.space import Segment


class Technique(StrEnum):
    EMBOLIZATION = "embolization"
    BIOPSY = "biopsy"
    PROTECTION = "protection"
    CRYOABLATION = "cryoablation"
    RADIOFREQUENCY = "radiofrequency"
    MICROWAVE = "microwave"
    SCREW = "screw"
    CEMENT = "cement"

    @property
    def heats(self) -> bool:
        """Whether it destroys tissue by heat."""
        return self in (Technique.RADIOFREQUENCY, Technique.MICROWAVE)

    @property
    def ablates(self) -> bool:
        """Whether it destroys tissue, by cold or by heat."""
        return self is Technique.CRYOABLATION or self.heats


class ProposalVerdict(StrEnum):
    DISCUSS = "discuss"
    REFER = "refer"
    STOP = "stop"
    MISSING = "missing"
    NONE = "none"


class TechniqueStatus(StrEnum):
    INDICATED = "indicated"
    OPTIONAL = "optional"
    NOT_INDICATED = "not_indicated"
    CONTRAINDICATED = "contraindicated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Record):
    """One sentence in the languages of the reports."""

    en: str
    fr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Record):
    """A rule that fired, for or against."""

    rule: str
    strength: str
    grade: str
    text: Text
    source: str
    conflicting: bool = False  # the evidence behind it disagrees


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueOption(Record):
    """A technique of an option. The keys `for` and `against` of the JSON are `reasons_for`, `reasons_against`."""

    technique: Technique
    status: TechniqueStatus
    reasons_for: tuple[Reason, ...] = ()
    reasons_against: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChoice(Record):
    """An embolic of the catalog for this lesion: allowed, to_confirm (something is unknown) or refused, and why."""

    device: str
    status: str
    preferred: bool = False
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceStep(Record):
    """`step` is a step type of the vocabulary (BIOPSY, ABLATE ...); `hard` that an edge into it may not be broken."""

    id: str
    step: str
    technique: Technique | None = None
    after: tuple[str, ...] = ()
    hard: bool = False
    edges: tuple[str, ...] = ()  # ids of the order rules (E1 ...) behind `after`


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOutcome(Record):
    rule: str
    outcome: str  # pass, warn, info, require, refer, stop, missing; hold leaves the discussion open, not approval
    message: Text
    source: str

    @property
    def forbids_approval(self) -> bool:
        return self.outcome in ("stop", "missing", "refer", "require", "hold")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(Record):
    """An unknown input, the rules that need it and why it matters."""

    field: str
    rules: tuple[str, ...]
    why: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual(Record):
    change: Text
    effect: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal(Record):
    """One ranked combination for one lesion, to be discussed; it says why, and why not."""

    rank: int
    lesion: str
    verdict: ProposalVerdict
    variant: str = ""  # screw_then_cement, screw_mounted_on_cement
    intent: str = ""  # curative, palliative, protected
    summary: Text
    techniques: tuple[TechniqueOption, ...] = ()
    agents: tuple[AgentChoice, ...] = ()  # of an option that embolizes
    sequence: tuple[SequenceStep, ...] = ()
    yielded: tuple[str, ...] = ()  # soft order rules that gave way to the others
    gates: tuple[GateOutcome, ...] = ()
    missing: tuple[Missing, ...] = ()
    counterfactuals: tuple[Counterfactual, ...] = ()
    ruleset: str = ""  # version and digest of the rule files

    def indicates(self, technique: Technique) -> bool:
        """Whether the option contains this technique."""
        return any(
            option.technique is technique and option.status in (TechniqueStatus.INDICATED, TechniqueStatus.OPTIONAL)
            for option in self.techniques
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Record):
    low: float
    typical: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement(Record):
    """One instrument or implant in the body.

    For a probe or needle `entry` is where it starts inside the body, `target` the tip and `skin` the puncture;
    for a screw `entry`..`target` is the implant's own axis, head to tip. `length_mm` is that of `entry`..`target`.
    """

    device: str
    role: str  # probe, biopsy, screw, trocar, wire, cement, thermocouple ...
    name: str
    entry_lps_mm: Vector
    target_lps_mm: Vector
    skin_lps_mm: Vector
    length_mm: float
    diameter_mm: float
    volume_ml: float | None = None  # cement, fluid

    @property
    def axis(self) -> Segment:
        return Segment(start_lps_mm=self.entry_lps_mm, end_lps_mm=self.target_lps_mm)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolPhase(Record):
    """`phase` is freeze, thaw_passive, thaw_active, heat, inject, wait ...; `setting` a fraction, or in a `unit`.

    Heat in W is a constant power and in degC a temperature to be kept; without a setting the step's program gives it.

    `probes` names the instruments that take part, all where it is empty; the others are off. `settings` gives some of
    them a setting of their own. So instruments start and stop, and are throttled, independently.
    """

    phase: str
    duration_s: float
    setting: float | None = None
    unit: str = ""
    probes: tuple[str, ...] = ()
    settings: dict[str, float] = field(default_factory=dict)

    def takes_part(self, name: str) -> bool:
        """Whether an instrument is on."""
        return not self.probes or name in self.probes

    def setting_of(self, name: str) -> float | None:
        """The setting of an instrument."""
        return self.settings.get(name, self.setting)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatingProgram(Record):
    """How a radiofrequency console gives its power: what is stated here goes before its entry in the catalog.

    Starting power, step and ceiling belong to the electrode and stand in its instructions for use; so do the signs of
    a roll-off: resistance over `rise_factor` times its lowest, or power under `collapse_frac` of what is set.
    """

    generator: str  # id of the catalog
    start_W: float | None = bounded(1, 500)
    step_W: float | None = bounded(0, 500)
    step_every_s: float | None = bounded(1, 600)
    ceiling_W: float | None = bounded(1, 500)
    rise_factor: float | None = bounded(1, 20)
    collapse_frac: float | None = bounded(0, 1)
    pause_s: float | None = bounded(0, 600)
    second_frac: float | None = bounded(0, 1)
    longest_s: float | None = bounded(1, 7200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Finding):
    id: str
    technique: Technique
    action: str  # the step type of the vocabulary: EMBOLISE, BIOPSY, ABLATE, SCREW, CEMENT_INJECT ...
    lesion: str
    after: tuple[str, ...] = ()
    duration_min: Duration
    placements: tuple[Placement, ...] = ()
    protocol: tuple[ProtocolPhase, ...] = ()
    position: str | None = None
    notes: tuple[Text, ...] = ()
    perfusion_scale: float | None = None  # an embolization's: what is left of the lesion's perfusion
    embolic: str | None = None  # an embolization's agent, of the catalog
    oil_ml: float | None = bounded(0, 100)  # an embolization's: ethiodized oil left in the lesion
    program: HeatingProgram | None = None  # a radiofrequency step's, where a phase states no setting
    shield: Shield | None = None  # a protection's: what is there from then on


@dataclass(frozen=True, slots=True, kw_only=True)
class KitItem(Record):
    device: str
    quantity: int
    spare: int = 0
    step: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection(Record):
    """Something that was considered and refused: by which constraint, because of what, by how many millimeters."""

    what: str
    constraint: str
    structure: str
    value_mm: float
    limit_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryExclusion(Record):
    """What keeps an instrument from points of the skin; `structure` is empty for what is none."""

    constraint: str
    structure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryMap(Record):
    """The skin as seen from a target: `excluded_by` numbers the exclusions from 1; 0 is a point that may be used."""

    device: str
    position: str
    target_lps_mm: Vector
    exclusions: tuple[EntryExclusion, ...] = ()
    points_lps_mm: tuple[Vector, ...] = ()
    excluded_by: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy(Record):
    """A way to keep a structure within its limit of temperature, with what it changes as far as it can be simulated.

    `kind` is hydrodissection, carbon_dioxide, warming, lower_duty, shorter_freeze, probe_moved, partial_coverage or
    thermocouple. `opens` is whether no limit is crossed with it, None where that was not simulated.
    """

    kind: str
    structure: str
    text: Text
    simulated: bool
    before_degC: float
    after_degC: float | None
    lethal_before_frac: float
    lethal_after_frac: float | None
    opens: bool | None
    volume_ml: float | None = None  # of the layer all around, where soft tissue gives way: the most it takes
    layer_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Finding):
    """Ordered steps with placements; approvable only without a STOP, a MISSING or a failed hard check."""

    lesion: str
    steps: tuple[Step, ...]
    kit: tuple[KitItem, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    alternatives: tuple[Text, ...] = ()  # compared and not chosen, with figures
    remedies: tuple[Remedy, ...] = ()  # where a limit of temperature is crossed
    blocked_by: tuple[str, ...] = ()  # rule ids of the gates that forbid approval
    entry_map: EntryMap | None = None
    ruleset: str = ""

    def all_checks(self) -> Iterator[Check]:
        yield from self.checks
        for step in self.steps:
            yield from step.checks

    def step(self, step_id: str) -> Step:
        return next(step for step in self.steps if step.id == step_id)

    def of(self, technique: Technique) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.technique is technique)

    @property
    def approvable(self) -> bool:
        return not self.blocked_by and not self.failed
