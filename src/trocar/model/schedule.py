"""A session on the clock: when each step starts and ends, what it holds, the cement's own clock, the looks."""

from dataclasses import dataclass

from trocar.model.finding import Finding
from trocar.model.record import Record
from trocar.model.treatment import Duration, Technique, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedStep(Record):
    """One step on the session's clock, which starts at the first step. `source` is where its duration comes from."""

    id: str
    step: str  # step type of the vocabulary: BIOPSY, ABLATE ...
    technique: Technique | None = None
    start_min: Duration
    end_min: Duration
    resources: tuple[str, ...] = ()
    position: str | None = None  # None where nobody has decided it
    batch: str = ""  # the cement batch whose clock it runs on
    edges: tuple[str, ...] = ()  # the order rules into it
    source: str

    @property
    def duration_min(self) -> Duration:
        """From its start to its end, waits for cement included."""
        start, end = self.start_min, self.end_min
        return Duration(low=end.low - start.low, typical=end.typical - start.typical, high=end.high - start.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionChange(Record):
    """The patient is turned during `step`; None is a position that nobody has decided."""

    step: str
    before: str | None
    after: str | None
    at_min: Duration


SIMULATED = "model prior"  # the source of a setting time by simulated curing


@dataclass(frozen=True, slots=True, kw_only=True)
class CementBatch(Record):
    """One mix and its clock, in seconds from the start of mixing; None is not known.

    The working times are those of the cement at `room_degC`, the setting time that at `tissue_degC`, or where that is
    not known the one that was simulated: `set_source` says whose it is. `needed_s` is what the steps take
    from the start of injection to the last that needs soft cement; `window_s` is the paste phase.
    """

    id: str
    device: str
    mixed_at_min: Duration
    room_degC: float | None
    tissue_degC: float | None
    liquid_until_s: float | None
    paste_until_s: float | None
    set_at_s: float | None
    needed_s: Duration
    window_s: float | None
    steps: tuple[str, ...]
    source: str
    set_source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPoint(Record):
    """One look at the session."""

    id: str
    step: str
    at_min: Duration
    text: Text
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Finding):
    """A session in time. A FAIL check is a critical constraint violated; `yielded` names soft edges that gave way.

    `sequence_variant` is screw_then_cement (A), screw_mounted_on_cement (B) or empty without both screw and cement.
    """

    lesion: str
    sequence_variant: str = ""
    steps: tuple[TimedStep, ...]
    batches: tuple[CementBatch, ...] = ()
    position_changes: tuple[PositionChange, ...] = ()
    controls: tuple[ControlPoint, ...] = ()
    yielded: tuple[str, ...] = ()
    total_min: Duration  # to the end of the last step in the procedure room
    ruleset: str = ""

    def step(self, step_id: str) -> TimedStep:
        """The step of this id. Raises `StopIteration` when there is none."""
        return next(step for step in self.steps if step.id == step_id)
