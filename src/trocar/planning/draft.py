"""One draft of a plan: the steps of a proposal with the patient in one position."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from trocar.catalog import device
from trocar.catalog.devicenames import device_name
from trocar.model.case import Case
from trocar.model.device import Embolic
from trocar.model.finding import Check
from trocar.model.forecast import NOT_EMBOLIZED, AfterEmbolization, HeatPredictor, Predictor
from trocar.model.segmented import knows_nerves
from trocar.model.space import Array, Segment
from trocar.model.treatment import Duration, Placement, Proposal, Rejection, Remedy, SequenceStep, Step, Technique, Text
from trocar.planning import durations
from trocar.planning.access import Instrument, needle
from trocar.planning.array import STAYS
from trocar.planning.biopsy import Sampling, biopsy, shared
from trocar.planning.bonefield import BoneField
from trocar.planning.cement import Rod, deposit_at_end, deposit_in_lesion, mounted_deposit
from trocar.planning.checks import Inspector, rechecked_step, step_checks
from trocar.planning.coverage import Ablation, cover
from trocar.planning.fixation import Fixation, Screwed
from trocar.planning.front import compared
from trocar.planning.heat import warm
from trocar.planning.naming import CORRIDOR, corridor_name
from trocar.planning.notices import agent_check, nerve_unknown, no_nerve_near, protection_text, unplaced
from trocar.planning.order import earlier, technique_steps
from trocar.planning.position import upward
from trocar.planning.protected import spare
from trocar.planning.protection import endangered, protect
from trocar.planning.refine import BOUNDED, Effort
from trocar.planning.surroundings import Surroundings

EMBOLIC = "microspheres-300-500"
SHARES_PUNCTURE = ("probe", "trocar")


@dataclass(eq=False)
class Draft:
    """One position's placements while they are being made."""

    around: Surroundings
    inspect: Inspector
    proposal: Proposal
    position: str
    fixation: Fixation
    rejected: list[Rejection] = field(default_factory=list)
    alternatives: list[Text] = field(default_factory=list)
    remedies: list[Remedy] = field(default_factory=list)
    effort: Effort = BOUNDED
    samples: int = 0
    heat_predictor: HeatPredictor | None = None
    embolized: AfterEmbolization = NOT_EMBOLIZED
    sampling: Sampling | None = None
    inside: tuple[Placement, ...] = ()  # in the body when the next step begins
    trocars: tuple[Rod, ...] = ()  # of the cement at the ends of screws

    @property
    def promising(self) -> bool:
        """Whether every screw asked for has a place; what else is asked for rarely decides the position."""
        return len(self.fixation.screws) == sum(item.step == "SCREW" for item in technique_steps(self.proposal))

    @property
    def rank(self) -> int:
        """How many screws it places."""
        return len(self.fixation.screws)

    @property
    def up(self) -> Array:
        """What points to the ceiling."""
        return upward(self.position, self.around)

    def steps(self, predictor: Predictor | None) -> tuple[Step, ...]:
        """Every technique-bearing step of the proposal."""
        self.rejected += self.fixation.rejected
        self.alternatives += self.fixation.alternatives
        made = tuple(self._step(item, predictor) for item in technique_steps(self.proposal))
        return tuple(self._sharing(step, made) if step.action == "BIOPSY" else step for step in made)

    def _sharing(self, step: Step, made: tuple[Step, ...]) -> Step:
        """The biopsy through the puncture of a later probe or trocar, where one crosses what is to be sampled."""
        later = made[made.index(step) + 1 :]
        paths = {
            item.name: Segment(start_lps_mm=item.skin_lps_mm, end_lps_mm=item.target_lps_mm)
            for other in later
            for item in other.placements
            if item.role in SHARES_PUNCTURE
        }
        found = shared(self.around, self.sampling, paths) if self.sampling else None
        if found is None or found.placement is None or not found.shared_with:
            return step
        note = Text(
            en=f"Through the puncture and on the path of {found.shared_with}, before it: no puncture of its own.",
            fr=f"Par la ponction et sur le trajet de {found.shared_with}, avant lui : pas de ponction propre.",
        )
        notes = (*(step.notes or (_compartment_note(found.compartment),)), note)
        moved = replace(step, placements=(found.placement,), notes=notes)
        return rechecked_step(self.inspect, replace(moved, checks=()))

    def _step(self, item: SequenceStep, predictor: Predictor | None) -> Step:
        match item.step:
            case "EMBOLISE":
                made = self._embolization(item)
            case "BIOPSY":
                made = self._biopsy(item)
            case "PROTECT":
                made = self._protection(item)
            case "ABLATE":
                made = self._ablation(item, predictor)
            case "SCREW":
                made = self._screw(item)
            case _:
                made = self._cement(item)
        self.inside += tuple(placement for placement in made.placements if placement.role in STAYS)
        measured = tuple(step_checks(self.inspect, made))
        position = "supine" if item.step == "EMBOLISE" else self.position
        return replace(made, checks=made.checks + measured, after=earlier(self.proposal, item.id), position=position)

    def _embolization(self, item: SequenceStep) -> Step:
        known = device(EMBOLIC)
        assert isinstance(known, Embolic)
        left = known.residual_perfusion_frac
        self.embolized = AfterEmbolization(perfusion_left_frac=1.0 if left is None else left)
        share = "unknown" if left is None else f"{100 * left:.0f} %"
        part = "inconnue" if left is None else share
        name = device_name(EMBOLIC)
        notes = (
            Text(
                en=f"{name.en}; perfusion left in the lesion: {share} (recalled range, uncertain).",
                fr=f"{name.fr} ; perfusion restante de la lésion : {part} (intervalle de mémoire, incertain).",
            ),
            Text(
                en="Evidence for embolization before percutaneous treatment is extrapolated from surgery, conflicting.",
                fr="Les preuves d'une embolisation avant traitement percutané sont extrapolées de la chirurgie, "
                "discordantes.",
            ),
        )
        step = self._bare(item, Technique.EMBOLIZATION, durations.EMBOLIZATION)
        return replace(
            step, notes=notes, perfusion_scale=left, embolic=EMBOLIC, checks=(agent_check(self.proposal, EMBOLIC),)
        )

    def _biopsy(self, item: SequenceStep) -> Step:
        found = self.sampling = biopsy(self.around, self.up)
        self.rejected += found.rejected
        self.alternatives += compared(Text(en="Biopsy", fr="Biopsie"), found.options)
        minutes = durations.BIOPSY_BONE if found.compartment == "bone" else durations.BIOPSY_SOFT_TISSUE
        step = self._bare(item, Technique.BIOPSY, minutes)
        if found.placement is None:
            return replace(step, checks=(unplaced("biopsy", found.rejected),))
        return replace(step, placements=(found.placement,), notes=(_compartment_note(found.compartment),))

    def _protection(self, item: SequenceStep) -> Step:
        step = self._bare(item, Technique.PROTECTION, durations.PROTECTION)
        near = endangered(self.around)
        if near is None:
            known = knows_nerves(self.around.case, self.around.lesion.name)
            return replace(step, checks=(no_nerve_near() if known else nerve_unknown(self.around.case),))
        found = protect(self.around, *near, self.up)
        self.rejected += found.rejected
        note = protection_text(found.nerve, found.distance_mm, heats=self._heats)
        missing = {"thermocouple", "needle"} - {placement.role for placement in found.placements}
        checks = (unplaced(" and ".join(sorted(missing)), found.rejected),) if missing else ()
        return replace(step, placements=found.placements, notes=(note,), checks=checks)

    @property
    def _heats(self) -> bool:
        """Whether the session ablates by heat."""
        return any(item.technique is not None and item.technique.heats for item in technique_steps(self.proposal))

    def _ablation(self, item: SequenceStep, predictor: Predictor | None) -> Step:
        technique = item.technique or Technique.CRYOABLATION
        found = self._applicators(technique) if technique.heats else self._probes(predictor)
        self.rejected += found.rejected
        self.alternatives += found.alternatives
        self.remedies += found.remedies
        if found.step is not None:
            return replace(found.step, id=item.id)
        usual = durations.heating_unplaced(technique) if technique.heats else Duration(low=25, typical=35, high=50)
        refused = unplaced(str(technique) if technique.heats else "cryoprobes", found.rejected)
        return replace(self._bare(item, technique, usual), checks=(refused,))

    def _applicators(self, technique: Technique) -> Ablation:
        return warm(
            self.around,
            self.up,
            technique,
            intent=self.proposal.intent,
            predictor=self.heat_predictor,
            embolized=self.embolized,
            inside=self.inside,
        )

    def _probes(self, predictor: Predictor | None) -> Ablation:
        intent, near = self.proposal.intent, endangered(self.around)
        place: Callable[..., Ablation] = partial(cover, self.around, self.up)
        if intent == "protected" and near is not None:
            place = partial(spare, self.around, self.up, near[0])
        return place(
            intent=intent,
            predictor=predictor,
            embolized=self.embolized,
            effort=self.effort,
            samples=self.samples,
            inside=self.inside,
        )

    def _number(self, item: SequenceStep) -> int:
        same = [other for other in technique_steps(self.proposal) if other.step == item.step]
        return [other.id for other in same].index(item.id)

    def _screw(self, item: SequenceStep) -> Step:
        step = self._bare(item, Technique.SCREW, durations.SCREW)
        number = self._number(item)
        if number >= len(self.fixation.screws):
            return replace(step, checks=(unplaced("screw", self.fixation.rejected),))
        chosen = self.fixation.screws[number]
        placed = _screw_placement(chosen, number + 1)
        step = replace(step, notes=(*step.notes, *_corridor_notes(self.around.case, chosen)))
        if self.proposal.variant == "screw_mounted_on_cement":
            mounted = self._mounted(chosen, number + 1)
            wires = tuple(item for item in mounted if item.role == "wire")
            return replace(step, placements=(*wires, placed))
        return replace(step, placements=(placed,))

    def _mounted(self, chosen: Screwed, number: int) -> tuple[Placement, ...]:
        assert self.inspect.bone is not None
        return mounted_deposit(self.around, self.inspect.bone, chosen, number).placements

    def _cement(self, item: SequenceStep) -> Step:
        step = self._bare(item, Technique.CEMENT, durations.CEMENT)
        number = self._number(item)
        bone = self.inspect.bone
        if bone is not None and not any(other.step == "SCREW" for other in technique_steps(self.proposal)):
            made = deposit_in_lesion(self.around, bone, self.up)
            self.rejected += made.rejected
            refused = () if made.placements else (unplaced("cement", made.rejected),)
            return replace(step, placements=made.placements, checks=made.checks + refused)
        if bone is None or not self.fixation.screws[number : number + 1]:
            return replace(step, checks=(unplaced("cement", self.fixation.rejected, "it has no screw to hold"),))
        if self.proposal.variant == "screw_mounted_on_cement":
            made = mounted_deposit(self.around, bone, self.fixation.screws[number], number + 1)
            self.rejected += made.rejected
            placements = tuple(item for item in made.placements if item.role != "wire")
            refused = () if placements else (unplaced("cement", made.rejected),)
            return replace(step, placements=placements, checks=made.checks + refused)
        placements, checks = self._both_ends(bone, self.fixation.screws[number])
        return replace(step, placements=placements, checks=checks)

    def _both_ends(self, bone: BoneField, screw: Screwed) -> tuple[tuple[Placement, ...], tuple[Check, ...]]:
        placements: tuple[Placement, ...] = ()
        checks: tuple[Check, ...] = ()
        screws = [item.corridor for item in self.fixation.screws if item is not screw]
        for end in ("head", "tip"):
            others = (*((item.axis, item.diameter_mm) for item in screws), *self.trocars)
            made = deposit_at_end(self.around, bone, screw, self.up, end=end, others=others)
            self.rejected += made.rejected
            placements += made.placements
            self.trocars += tuple((item.axis, item.diameter_mm) for item in made.placements if item.role == "trocar")
            checks += made.checks
            if not made.placements:
                checks += (unplaced(f"cement at the screw's {end}", made.rejected),)
        return placements, checks

    def _bare(self, item: SequenceStep, technique: Technique, minutes: Duration) -> Step:
        return Step(
            id=item.id, technique=technique, action=item.step, lesion=self.proposal.lesion, duration_min=minutes
        )


def _compartment_note(compartment: str) -> Text:
    where = {"bone": ("bone", "os"), "soft_tissue": ("soft tissue", "tissu mou")}[compartment]
    return Text(
        en=f"Sampled compartment: {where[0]}, away from necrosis.",
        fr=f"Compartiment prélevé : {where[1]}, hors nécrose.",
    )


def _screw_placement(chosen: Screwed, number: int) -> Placement:
    corridor = chosen.corridor
    tool = Instrument(what="screw", device=corridor.device, role="screw", diameter_mm=corridor.diameter_mm)
    placed = needle(tool, corridor.axis, f"screw-{number}")
    return replace(placed, skin_lps_mm=chosen.path.start_lps_mm)


def _corridor_notes(case: Case, chosen: Screwed) -> tuple[Text, ...]:
    """Where the screw runs, if that has a name, and how wide the bone is there."""
    said = corridor_name(case.structures, case.grid, chosen.corridor.axis).words
    wide = f"{chosen.corridor.width_mm:.0f}"
    if not said.en:
        return ()
    return (
        Text(
            en=f"{CORRIDOR} {said.en} (recalled course), {wide} mm wide at its narrowest.",
            fr=f"Corridor : {said.fr} (trajet de mémoire), {wide} mm au plus étroit.",
        ),
    )
