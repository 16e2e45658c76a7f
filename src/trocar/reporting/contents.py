"""What the tables hold: rows picked and ordered from the findings, so that templates only lay them out."""

from dataclasses import dataclass

from markupsafe import Markup

from trocar import catalog
from trocar.model.case import Role
from trocar.model.device import Cryoprobe
from trocar.model.finding import Check, Exposure, State, Verdict
from trocar.model.record import Vector
from trocar.model.strength import Interval
from trocar.model.treatment import GateOutcome, Proposal, Step, Technique
from trocar.reporting import vocabulary
from trocar.reporting.citations import Citations, source_keys
from trocar.reporting.curves import curves
from trocar.reporting.entries import entry_figure
from trocar.reporting.gathered import SEVERITY, Gathered, StagedCheck
from trocar.reporting.language import Language
from trocar.reporting.ratios import ratio_bars
from trocar.reporting.tracing import trace_figure

STAGE_ORIGIN = {"assess": "M", "plan": "P", "simulate": "S", "strengthen": "F", "verify": "V"}
SYMBOLS = {Verdict.FAIL: "✖", Verdict.WARN: "▲", Verdict.UNKNOWN: "?", Verdict.PASS: "✔"}
ZONES = ("10_degC", "0_degC", "-20_degC", "-40_degC")
GUARDED_NERVES = (Role.NERVE, Role.CORD)


@dataclass(frozen=True, slots=True)
class ClockRow:
    """A step with the minutes at which it starts, were every step to take its typical time."""

    step: Step
    start_min: float


@dataclass(frozen=True, slots=True)
class Contents:
    """The rows of one report, in one language."""

    gathered: Gathered
    language: Language

    # --- checks

    def verdicts(self) -> list[tuple[Verdict, tuple[StagedCheck, ...]]]:
        """The checks by verdict, the worst first."""
        every = self.gathered.checks()
        return [(verdict, tuple(item for item in every if item.check.verdict is verdict)) for verdict in SEVERITY]

    def symbol(self, verdict: Verdict) -> str:
        """A sign that tells a verdict without its color."""
        return SYMBOLS[verdict]

    def origin(self, stage: str) -> str:
        """Where the values of a stage's checks come from."""
        return STAGE_ORIGIN[stage]

    def gates(self, proposal: Proposal) -> tuple[list[GateOutcome], list[GateOutcome]]:
        """The gates that passed, and the others, which want a reader."""
        passed = [gate for gate in proposal.gates if gate.outcome == "pass"]
        return passed, [gate for gate in proposal.gates if gate.outcome != "pass"]

    # --- plan

    def clock(self) -> list[ClockRow]:
        """The plan's steps with their typical start."""
        rows, start_min = [], 0.0
        for step in self.gathered.plan.steps if self.gathered.plan else ():
            rows.append(ClockRow(step, start_min))
            start_min += step.duration_min.typical
        return rows

    def total_min(self) -> tuple[float, float, float]:
        """The sum of the steps' low, typical and high durations."""
        steps = self.gathered.plan.steps if self.gathered.plan else ()
        durations = [step.duration_min for step in steps]
        return (
            sum(duration.low for duration in durations),
            sum(duration.typical for duration in durations),
            sum(duration.high for duration in durations),
        )

    def anchor_steps(self) -> list[Step]:
        """The screw and cement steps."""
        steps = self.gathered.plan.steps if self.gathered.plan else ()
        return [step for step in steps if step.technique in (Technique.SCREW, Technique.CEMENT)]

    def place(self, point: Vector) -> str:
        """A point by its directions, so that no sign can be misread: `L 84.2 · P 12.0 · F 31.5 mm`."""
        pairs = zip(point, ("LR", "PA", "HF"), strict=True)
        said = " · ".join(
            f"{names[0] if x >= 0 else names[1]}\u00a0{self.language.number(abs(x), '', digits=1)}"
            for x, names in pairs
        )
        return f"{said}\u00a0mm"

    # --- simulation

    def final_states(self, *, heat: bool | None = None) -> list[State]:
        """The last state of each ablation, or of those by heat or by cold; later steps change none of its zones."""
        last = {state.step: state for state in self._ablated()}
        return [state for state in last.values() if heat is None or self.heats(state.step) == heat]

    def earlier_states(self, *, heat: bool) -> list[State]:
        """The states of the ablations by heat or by cold before their last one."""
        final = {id(state) for state in self.final_states()}
        return [s for s in self._ablated() if id(s) not in final and self.heats(s.step) == heat]

    def zones(self, *, heat: bool) -> tuple[str, ...]:
        """The zones' keys: of heat the widest first, of cold the warmest."""
        return tuple(vocabulary.HOT_ZONES) if heat else ZONES

    def zone_name(self, key: str) -> str:
        """A zone in words."""
        if key in vocabulary.HOT_ZONES:
            return self.language(vocabulary.HOT_ZONES[key])
        return self.language.number(float(key.removesuffix("_degC")), "degC", digits=0)

    def exposures(self, state: State, *, nerves: bool) -> list[Exposure]:
        """What structures went through, the worst first; nerves or everything else but lesion and bone."""
        left_out = (Role.LESION, Role.BONE, Role.BODY, Role.MUSCLE, Role.FAT)
        chosen = [e for e in state.structures if (e.role in GUARDED_NERVES) == nerves and e.role not in left_out]
        if self.heats(state.step):
            return sorted(chosen, key=lambda exposure: -exposure.maximum_degC)
        return sorted(chosen, key=lambda exposure: exposure.minimum_degC)

    def verdict_on(self, subject: str) -> Check | None:
        """The worst simulated check on a structure."""
        simulation = self.gathered.simulation
        about = [check for check in (simulation.checks if simulation else ()) if check.subject == subject]
        return min(about, key=lambda check: SEVERITY.index(check.verdict)) if about else None

    def curves(self, step: str) -> Markup:
        """The temperature curves of a step's nerves; empty when the simulation kept none."""
        nerves = {nerve.name for nerve in self.gathered.nerves}
        simulation = self.gathered.simulation
        kept = [h for h in (simulation.histories if simulation else ()) if h.step == step and h.name in nerves]
        if not kept:
            return Markup("")
        heats = self.heats(step)
        keys = ("nerve_max_degC", "nerve_warn_max_degC") if heats else ("nerve_min_degC", "nerve_warn_min_degC")
        limits = [catalog.limit(key) for key in keys]
        lines = tuple((limit.value, source_keys(limit.source)[0]) for limit in limits)
        ends_s = next((state.time_s for state in self.final_states() if state.step == step), None)
        return Markup(curves(tuple(kept), lines, self.language, ends_s=ends_s, heats=heats))

    def traces(self, step: str) -> Markup:
        """What the generators of a heating step did; empty when the simulation kept nothing of it."""
        simulation = self.gathered.simulation
        kept = tuple(trace for trace in (simulation.traces if simulation else ()) if trace.step == step)
        return Markup(trace_figure(kept, self.language)) if kept else Markup("")

    def heats(self, step: str) -> bool:
        """Whether a step ablates by heat."""
        plan = self.gathered.plan
        return any(item.id == step and item.technique.heats for item in (plan.steps if plan else ()))

    def ablates_by(self, *, heat: bool) -> bool:
        """Whether any step of the plan ablates by heat, or by cold; both while there is no plan to tell."""
        plan = self.gathered.plan
        return plan is None or any(s.technique.ablates and s.technique.heats == heat for s in plan.steps)

    def ratio_bars(self) -> Markup:
        """The figure of the bone's strength; empty where it was not asked for."""
        found = self.gathered.strength
        return Markup(ratio_bars(found, self.language)) if found else Markup("")

    def interval(self, found: Interval | None, cite: Citations) -> Markup:
        """`0.42 (0.27 … 1.07)`."""
        if found is None:
            return Markup("")
        low, median, high = (
            self.language.number(value, "", digits=2) for value in (found.low_frac, found.median_frac, found.high_frac)
        )
        return cite.sourced(f"{median} ({low} … {high})", "F")

    def entries(self) -> Markup:
        """The map of the skin; empty when the plan has none."""
        found = self.gathered.plan.entry_map if self.gathered.plan else None
        return Markup(entry_figure(found, self.language)) if found else Markup("")

    def _ablated(self) -> list[State]:
        """The states with zones, of the steps that ablate; of all steps while there is no plan to tell them apart."""
        plan, simulation = self.gathered.plan, self.gathered.simulation
        states = [state for state in (simulation.states if simulation else ()) if state.zones]
        ablating = {step.id for step in (plan.steps if plan else ()) if step.technique.ablates}
        return [state for state in states if plan is None or state.step in ablating]

    # --- what is not known

    def unproven_probes(self) -> list[Cryoprobe]:
        """The plan's probes whose ice is a prior, as no isotherm table of theirs is in the catalog."""
        used = {p.device for step in (self.gathered.plan.steps if self.gathered.plan else ()) for p in step.placements}
        known = [catalog.devices()[device] for device in sorted(used) if device in catalog.devices()]
        return [device for device in known if isinstance(device, Cryoprobe) and device.model_prior]

    def unknown_checks(self) -> list[StagedCheck]:
        """The checks that could not be made."""
        return [item for item in self.gathered.checks() if item.check.verdict is Verdict.UNKNOWN]
