"""How long each step of a sequence takes: from the catalog, and from the plan where it knows better."""

from dataclasses import dataclass, field

from trocar.catalog.timing import Timing, timing
from trocar.model.treatment import Duration, Plan, Proposal, SequenceStep, Step

S_PER_MIN = 60.0
PROBE_PLACEMENT = Duration(low=3.0, typical=5.0, high=9.0)  # per applicator with its image, design
INJECTION_MIN_PER_ML = Duration(low=0.25, typical=1 / 3, high=0.45)  # 20 s for a 1 ml syringe, watched; design


@dataclass(frozen=True, slots=True)
class StepTime:
    """Minutes of one step, minutes to wait before it, what it holds, and where the figure comes from."""

    duration: Duration
    resources: tuple[str, ...]
    source: str
    wait_min: float = 0.0


@dataclass(frozen=True, slots=True)
class StepTimes:
    """The times of a proposal's steps; a plan, when given, tells the probes, the protocol and the volumes."""

    proposal: Proposal
    plan: Plan | None = None
    _planned: dict[str, Step] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.plan is not None:
            self._planned.update({step.id: step for step in self.plan.steps})

    def of(self, item: SequenceStep) -> StepTime:
        """The time of one step."""
        row = self._row(item)
        plain = StepTime(row.duration, row.resources, row.source)
        match item.step:
            case "APPLICATOR_PLACE":
                return self._placing(plain)
            case "ABLATE":
                return self._ablating(plain, item)
            case "THAW":
                return self._thawing(plain)
            case "CEMENT_INJECT":
                return self._injecting(plain, item)
            case "EMBOLISE" | "BIOPSY" | "PROTECT" if item.id in self._planned:
                return StepTime(self._planned[item.id].duration_min, row.resources, f"plan; {row.source}")
            case _:
                return plain

    def freezes_min(self, item: SequenceStep) -> tuple[list[float], list[float]]:
        """Minutes into an ablation at which each freeze starts, and at which each thaw inside it ends."""
        starts, ends, clock = [], [], 0.0
        for phase, minutes in self._phases(item):
            if phase == "freeze":
                starts.append(clock)
            clock += minutes
            if phase.startswith("thaw"):
                ends.append(clock)
        return starts, ends

    def _row(self, item: SequenceStep) -> Timing:
        compartment = ("soft_tissue",) if item.step == "BIOPSY" and self._is_soft(item) else ()
        technique = () if item.technique is None else (str(item.technique),)
        return timing(item.step, self.proposal.variant, *compartment, *technique)

    def _is_soft(self, item: SequenceStep) -> bool:
        planned = self._planned.get(item.id)
        return planned is not None and any("soft-tissue" in placement.device for placement in planned.placements)

    def _ablation(self) -> Step | None:
        return next((step for step in self._planned.values() if step.action == "ABLATE" and step.protocol), None)

    def _placing(self, plain: StepTime) -> StepTime:
        planned = self._ablation()
        count = 0 if planned is None else sum(item.role == "probe" for item in planned.placements)
        if not count:
            return plain
        return StepTime(scaled(PROBE_PLACEMENT, count), plain.resources, f"design (5 min for each of {count})")

    def _phases(self, item: SequenceStep) -> list[tuple[str, float]]:
        """The phases of an ablation but its last thaw, which is a step of its own."""
        planned = self._planned.get(item.id)
        if planned is None or not planned.protocol:
            return [("freeze", 10.0), ("thaw", 7.0), ("freeze", 10.0)] if item.technique == "cryoablation" else []
        phases = [(phase.phase, phase.duration_s / S_PER_MIN) for phase in planned.protocol]
        while phases and phases[-1][0].startswith("thaw"):
            phases.pop()
        return phases

    def _ablating(self, plain: StepTime, item: SequenceStep) -> StepTime:
        planned = self._planned.get(item.id)
        if planned is None or not planned.protocol:
            return plain
        active = sum(minutes for _, minutes in self._phases(item))
        return StepTime(
            Duration(low=active, typical=active, high=active + 10.0), plain.resources, "plan (protocol; 10 min reserve)"
        )

    def _thawing(self, plain: StepTime) -> StepTime:
        planned = self._ablation()
        if planned is None:
            return plain
        thaw_s = 0.0
        for phase in reversed(planned.protocol):
            if not phase.phase.startswith("thaw"):
                break
            thaw_s += phase.duration_s
        minutes = thaw_s / S_PER_MIN
        low = max(plain.duration.low, minutes)
        longest = max(plain.duration.high, low)
        duration = Duration(low=low, typical=max(plain.duration.typical, low), high=longest)
        return StepTime(duration, plain.resources, f"plan; {plain.source}")

    def _injecting(self, plain: StepTime, item: SequenceStep) -> StepTime:
        planned = self._planned.get(item.id)
        if planned is None:
            return plain
        volume_ml = sum(placement.volume_ml or 0.0 for placement in planned.placements)
        wait_min = sum(phase.duration_s for phase in planned.protocol if phase.phase == "wait") / S_PER_MIN
        duration = scaled(INJECTION_MIN_PER_ML, volume_ml) if volume_ml else plain.duration
        return StepTime(duration, plain.resources, f"design (20 s per ml, {volume_ml:g} ml)", wait_min)


def scaled(duration: Duration, factor: float) -> Duration:
    """A duration times a factor."""
    return Duration(low=duration.low * factor, typical=duration.typical * factor, high=duration.high * factor)
