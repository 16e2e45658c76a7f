"""Editing by hand: placements fixed, moved or deleted, checked as the planner's own are; the rest planned anew."""

import re
from collections.abc import Set
from dataclasses import dataclass, field, replace

from trocar.errors import CaseError
from trocar.model.case import Case
from trocar.model.edits import Edits, MovedPath
from trocar.model.finding import Check, Verdict
from trocar.model.forecast import Predictor
from trocar.model.record import Vector
from trocar.model.shield import Shield
from trocar.model.space import Segment
from trocar.model.treatment import Placement, Plan, ProtocolPhase, Step, Technique, Text
from trocar.planning import durations
from trocar.planning.access import instrument
from trocar.planning.array import STAYS, Probes
from trocar.planning.cement import front_check, is_front_of
from trocar.planning.checks import Inspector, implant_checks, inspector, rechecked_step
from trocar.planning.coverage import Ablation, ablation, coverage_checks, search_for
from trocar.planning.demands import TROCAR, require_sense
from trocar.planning.embolizing import after_embolization, embolized
from trocar.planning.freezing import Protocol
from trocar.planning.guidance import Guidance
from trocar.planning.kit import kit
from trocar.planning.leftover import leftover, without_leftover
from trocar.planning.naming import CORRIDOR
from trocar.planning.notices import left_out, risk_checks
from trocar.planning.outlook import SEARCH_SPACING_MM, VERIFY_SPACING_MM, Aim
from trocar.planning.position import upward
from trocar.planning.protected import KEPT_OFF, partial_checks, temperature_check
from trocar.planning.refine import BOUNDED, Effort, Search
from trocar.planning.shielding import shielded

NERVE_PREDICTED = "nerve_minimum_temperature_planned"
PREDICTED = ("coverage_planned", "robust_")  # and every other name that ends so: _planned
_NAME = re.compile(r"[A-Za-z]+-[\w-]*\w")
OF_PLACEMENTS = ("implant_gap", "risk_more_than_3_probes", "risk_age_over_70")


@dataclass(frozen=True, eq=False)
class Editor:
    """A plan in its case, with what its checks need built once: each edit then takes milliseconds."""

    inspect: Inspector
    plan: Plan
    _aims: dict[str, Aim] = field(default_factory=dict, repr=False)  # by intent, for previews

    @classmethod
    def of(cls, case: Case, plan: Plan, *, guidance: Guidance | None = None) -> "Editor":
        """An editor of a plan whose instruments are led as given, else as the case says; all is measured once."""
        inspect = inspector(case, plan.lesion, guidance=guidance)
        for step in plan.steps:
            for placement in step.placements:
                inspect.measured(placement)
        return cls(inspect, plan)

    def move(self, name: str, *, target_lps_mm: Vector, skin_lps_mm: Vector) -> "Editor":
        """One instrument elsewhere, checked again; what was predicted of its step is unknown until it is simulated."""
        moved = MovedPath(name=name, target_lps_mm=target_lps_mm, skin_lps_mm=skin_lps_mm)
        return self.apply(Edits(moved=(moved,)))

    def apply(self, edits: Edits) -> "Editor":
        """All edits, every changed step checked again.

        Steps of which nothing is left are taken out, notes that name what is elsewhere now are dropped. Raises
        `CaseError` for a name that the plan does not have and for a path that no instrument can take.
        """
        require_sense(self.inspect.around, self.plan, edits)
        edits = _with_cement(self.plan, edits)
        changed = {step.id for step in self.plan.steps if edits.names & {item.name for item in step.placements}}
        edited = {step.id: _edited(step, edits) for step in self.plan.steps}
        emptied = {step.id for step in self.plan.steps if step.placements and not edited[step.id].placements}
        steps = tuple(
            self._rechecked(edited[step.id], step, edits) if step.id in changed else edited[step.id]
            for step in self.plan.steps
            if step.id not in emptied
        )
        made = Editor(self.inspect, self._composed(steps, emptied=emptied), self._aims)
        if edits.embolization is not None:
            made = made._beyond(embolized(self.inspect.around.case, made.plan, edits.embolization))
        return made if edits.shield is None else made._shielded(edits.shield)

    def previewed(self, *, intent: str, predictor: Predictor) -> "Editor":
        """The plan as it stands, its freezing steps of unknown coverage predicted once at 3 mm, nothing searched.

        The first preview of a plan prepares its tissue; later ones find it and take a fraction of that. Behind
        a shield, which a preview does not know, they stay unknown.
        """
        return self if self._unseen else self._as_it_stands(intent, predictor, spacing_mm=SEARCH_SPACING_MM)

    def _as_it_stands(self, intent: str, predictor: Predictor, *, spacing_mm: float) -> "Editor":
        """Freezing steps of unknown coverage predicted on a lattice, nothing searched."""
        steps = tuple(
            self._predicted(step, intent, predictor, spacing_mm) if _is_outdated(step) else step
            for step in self.plan.steps
        )
        return Editor(self.inspect, replace(self.plan, steps=steps), self._aims)

    def _predicted(self, step: Step, intent: str, predictor: Predictor, spacing_mm: float) -> Step:
        search = self._search(step, intent, predictor, BOUNDED)
        (seen,) = search.scout.see([_probes(step, Edits())], spacing_mm=spacing_mm)
        lesion, nerve = self.plan.lesion, next((c.subject for c in step.checks if c.name == KEPT_OFF), None)
        covered = (
            coverage_checks(seen, lesion, intent) if nerve is None else partial_checks(seen, lesion, nerve, intent)
        )
        known = {check.name: check for check in covered}
        checks = (
            temperature_check(seen, check.subject) if check.name == NERVE_PREDICTED else known.get(check.name, check)
            for check in step.checks
        )
        left = () if seen.outlook is None else leftover(self.inspect.around, seen.outlook)
        return replace(step, checks=tuple(checks), notes=(*without_leftover(step.notes), *left))

    def replanned(
        self, edits: Edits, *, intent: str, predictor: Predictor | None, effort: Effort = BOUNDED, samples: int = 0
    ) -> "Editor":
        """The edits applied, then the probes beside them searched anew around those that are kept.

        Every freezing step that the edits touch is predicted again, after another embolization as it stands; steps they
        do not touch stay as they are.
        """
        made = self.apply(edits)
        steps = []
        before = {step.id: step for step in self.plan.steps}
        for step in made.plan.steps:
            touched = step.id in before and edits.names & {item.name for item in before[step.id].placements}
            if step.technique is Technique.CRYOABLATION and touched and step.placements:
                found = made._searched(step, edits, intent, predictor, effort, samples)
                assert found.step is not None
                step = rechecked_step(self.inspect, _merged(step, found.step))
                made = Editor(self.inspect, replace(made.plan, remedies=found.remedies), self._aims)
            steps.append(step)
        done = Editor(self.inspect, made._composed(tuple(steps)), self._aims)
        if done._unseen:
            return done._unpredicted()
        return done if predictor is None else done._as_it_stands(intent, predictor, spacing_mm=VERIFY_SPACING_MM)

    @property
    def _unseen(self) -> bool:
        return any(step.shield is not None for step in self.plan.steps)

    def _shielded(self, shield: Shield) -> "Editor":
        return self._beyond(shielded(self.inspect.around.case, self.plan, shield))

    def _beyond(self, steps: tuple[Step, ...]) -> "Editor":
        """Steps in tissue that has changed: what was predicted of them is unknown until they are simulated."""
        return Editor(self.inspect, self._composed(steps), self._aims)._unpredicted()

    def _unpredicted(self) -> "Editor":
        steps = tuple(
            replace(step, checks=tuple(map(_outdated, step.checks)), notes=without_leftover(step.notes))
            if step.technique.ablates
            else step
            for step in self.plan.steps
        )
        return Editor(self.inspect, replace(self.plan, steps=steps), self._aims)

    def _searched(
        self, step: Step, edits: Edits, intent: str, predictor: Predictor | None, effort: Effort, samples: int
    ) -> Ablation:
        search = self._search(step, intent, predictor, effort)
        probes = _probes(step, edits)
        (start,) = search.scout.see([probes])
        found = search.best(start) if probes.free else start
        return ablation(search, search.verified(found), (), (), samples=samples)

    def _search(self, step: Step, intent: str, predictor: Predictor | None, effort: Effort) -> Search:
        around = self.inspect.around
        tool = instrument(_first_probe(step).device, "probe", what="cryoprobe")
        up = upward(step.position or "supine", around)
        inside, left = self._inside_before(step), after_embolization(around.case, self.plan)
        if intent not in self._aims:
            self._aims[intent] = Aim.of(around, intent)
        return search_for(around, tool, up, intent, predictor, left, effort, inside, aim=self._aims[intent])

    def _inside_before(self, step: Step) -> tuple[Placement, ...]:
        earlier = self.plan.steps[: [each.id for each in self.plan.steps].index(step.id)]
        return tuple(item for each in earlier for item in each.placements if item.role in STAYS)

    def _rechecked(self, step: Step, before: Step, edits: Edits) -> Step:
        """The step measured anew, with the fronts of the cement that was moved."""
        made = rechecked_step(self.inspect, step, before=before)
        moved = {path.name for path in edits.moved}
        for item in (item for item in made.placements if item.role == "cement" and item.name in moved):
            others = (check for check in made.checks if not is_front_of(check, item.name))
            front = front_check(self.inspect.around, item.target_lps_mm, item.name, item.volume_ml or 0.0)
            made = replace(made, checks=(*others, front))
        return made

    def _composed(self, steps: tuple[Step, ...], *, emptied: Set[str] = frozenset()) -> Plan:
        placements = tuple(item for step in steps for item in step.placements)
        kept = tuple(check for check in self.plan.checks if check.name not in OF_PLACEMENTS)
        measured = (*implant_checks(placements), *risk_checks(self.inspect.around.case, placements))
        gone = tuple(left_out(step.technique, step.id) for step in self.plan.steps if step.id in emptied)
        return replace(self.plan, steps=steps, kit=kit(steps), checks=kept + measured + gone)


def _with_cement(plan: Plan, edits: Edits) -> Edits:
    """Cement goes where the trocar that it is injected through goes, unless it is spoken of itself."""
    cement = {item.name for step in plan.steps for item in step.placements if item.role == "cement"} - edits.names
    along = tuple(
        replace(path, name=name)
        for path in edits.moved
        if path.name.startswith(TROCAR) and (name := "cement" + path.name.removeprefix(TROCAR)) in cement
    )
    return replace(edits, moved=edits.moved + along)


def _edited(step: Step, edits: Edits) -> Step:
    """The step with its placements moved or left out; what was predicted of it no longer holds."""
    paths = {each.name: each for each in edits.moved}
    placements = tuple(
        _moved(item, paths[item.name]) if item.name in paths else item
        for item in step.placements
        if item.name not in edits.deleted
    )
    same = placements == step.placements
    checks = step.checks if same else tuple(map(_outdated, step.checks))
    notes = _still_true(step.notes if same else without_leftover(step.notes), step, edits)
    protocol = _protocol_without(step, edits.deleted)
    return replace(step, placements=placements, checks=checks, notes=notes, protocol=protocol)


def _still_true(notes: tuple[Text, ...], step: Step, edits: Edits) -> tuple[Text, ...]:
    """Without what is said of a placement that is elsewhere now, or of the corridor of a screw that is."""
    elsewhere = {path.name for path in edits.moved} | set(edits.deleted)
    screws = elsewhere & {item.name for item in step.placements if item.role == "screw"}
    return tuple(
        note
        for note in notes
        if not elsewhere & set(_NAME.findall(note.en)) and not (screws and note.en.startswith(CORRIDOR))
    )


def _moved(item: Placement, path: MovedPath) -> Placement:
    entry = path.entry_lps_mm or path.skin_lps_mm
    axis = Segment(start_lps_mm=entry, end_lps_mm=path.target_lps_mm)
    if axis.length_mm < 1e-3:
        raise CaseError(f"{item.name!r} is moved to a path of no length", hint="give two distinct points, skin first")
    return replace(
        item,
        entry_lps_mm=entry,
        target_lps_mm=path.target_lps_mm,
        skin_lps_mm=path.skin_lps_mm,
        length_mm=axis.length_mm,
    )


def _outdated(check: Check) -> Check:
    if not (check.name.startswith(PREDICTED) or check.name.endswith("_planned")):
        return check
    return replace(check, value=None, verdict=Verdict.UNKNOWN, message="edited since it was predicted: simulate it")


def _is_outdated(step: Step) -> bool:
    """Whether a freezing step's coverage is unknown since its probes were edited."""
    unknown = any(check.name.startswith("coverage_planned") and check.value is None for check in step.checks)
    return step.technique is Technique.CRYOABLATION and unknown and any(p.role == "probe" for p in step.placements)


def _protocol_without(step: Step, names: tuple[str, ...]) -> tuple[ProtocolPhase, ...]:
    """The protocol of the probes that are left; a phase of none of them is gone, for one that names none is of all."""
    return tuple(
        replace(
            phase,
            probes=tuple(name for name in phase.probes if name not in names),
            settings={name: value for name, value in phase.settings.items() if name not in names},
        )
        for phase in step.protocol
        if not phase.probes or not set(phase.probes) <= set(names)
    )


def _first_probe(step: Step) -> Placement:
    return next(item for item in step.placements if item.role == "probe")


def _probes(step: Step, edits: Edits) -> Probes:
    """The step's probes, those that are kept fixed, with the protocol and the duties that the step has."""
    items = [item for item in step.placements if item.role == "probe"]
    freeze = next(phase for phase in step.protocol if phase.phase == "freeze")
    thaw = next((phase.duration_s for phase in step.protocol if phase.phase == "thaw_passive"), Protocol().thaw_s)
    setting = 1.0 if freeze.setting is None else freeze.setting
    return Probes(
        tool=instrument(items[0].device, "probe", what="cryoprobe"),
        paths=tuple(Segment(start_lps_mm=item.skin_lps_mm, end_lps_mm=item.target_lps_mm) for item in items),
        duties=tuple((freeze.setting_of(item.name) or setting) / setting for item in items),
        protocol=Protocol(freeze_s=freeze.duration_s, thaw_s=thaw, setting=setting),
        fixed=frozenset(number for number, item in enumerate(items) if item.name in edits.kept),
        names=tuple(item.name for item in items),
    )


def _merged(step: Step, found: Step) -> Step:
    """The step with the placements, protocol, checks and notes that were found for it."""
    others = tuple(item for item in step.placements if item.role != "probe")
    active_s = sum(phase.duration_s for phase in found.protocol)
    return replace(
        step,
        placements=found.placements + others,
        protocol=found.protocol,
        duration_min=durations.freezing(len(found.placements), active_s),
        checks=found.checks,
        notes=found.notes,
    )
