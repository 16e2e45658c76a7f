"""The draft of the procedure report: planned values beside blanks for what happened. Nothing is claimed as done."""

from trocar.model.treatment import Placement, ProtocolPhase, Step, Technique
from trocar.reporting import vocabulary
from trocar.reporting.documents.facts import Facts
from trocar.reporting.documents.sheet import Fields, Lines, Section, Table
from trocar.reporting.language import Language
from trocar.reporting.words import step_name, word


def sections(facts: Facts) -> tuple[Section, ...]:
    """The parts in the usual order of such reports."""
    language = facts.language
    after = (
        language("Final CT"), language("Complication: scheme, grade"), language("Dose (CTDIvol, DLP, DAP, time)"),
        language("Contrast medium"), language("Lots of devices and implants"), language("Follow-up, next visit"),
        language("Bed rest until"), language("Getting up, weight-bearing"), language("Expected stay"),
        language("Anticoagulant restarted on"),
    )  # fmt: skip
    return (
        _heading(facts),
        _findings(facts),
        _done(facts),
        Section("after", language("End of the procedure"), (Fields(facts.blank(*after)),)),
        Section("deviation", language("Departures from the plan, and why"), (Lines(3),)),
        Section("conclusion", language("Conclusion, to be written by the operator"), (Lines(4),)),
    )


def _heading(facts: Facts) -> Section:
    language, decided = facts.language, facts.gathered.case.clinical.decision
    fields = (
        *facts.blank(language("Date, room"), language("Operators")),
        facts.known_or_blank(language("Tumor board"), facts.date(decided.tumor_board_date)),
        *facts.blank(language("Informed consent, anesthesia"), language("Position and guidance, as done")),
        facts.known(language("Skin punctures planned, widest instrument"), facts.punctures()),
    )
    return Section("heading", language("Procedure"), (Fields(fields),))


def _findings(facts: Facts) -> Section:
    language = facts.language
    fields = (
        facts.known(language("Lesion"), facts.target()),
        facts.known(language("Size on the planning CT"), facts.size()),
        *facts.blank(language("Changes since the planning CT")),
    )
    return Section("findings", language("Findings"), (Fields(fields),))


def _done(facts: Facts) -> Section:
    """Every technique of the session: what was planned, what is to be written, what happened."""
    language = facts.language
    asked = {
        Technique.EMBOLIZATION: language("access, vessels, grade of blush before and after, agent, volume, closure"),
        Technique.BIOPSY: language("path, needle, number and length of cores, sent to"),
        Technique.PROTECTION: language("type, volume, distance reached"),
        Technique.CRYOABLATION: language("cycles, size of the ice, coverage seen, distance to nerves, sensors"),
        Technique.RADIOFREQUENCY: language("power, time, coverage seen, distance to nerves, sensors"),
        Technique.MICROWAVE: language("power, time, coverage seen, distance to nerves, sensors"),
        Technique.SCREW: language("size, entry and end, anchorage in healthy bone"),
        Technique.CEMENT: language("product, mixing time, room temperature, volume, leak"),
    }
    rows = tuple(
        (facts.technique(item), _planned(facts, item), asked.get(item, "–"), "") for item in facts.techniques()
    )
    head = (language("Technique"), language("Planned"), language("To be written"), language("As done"))
    table = Table(head, rows, widths=(1.4, 3.0, 2.2, 3.4), roomy=True)
    return Section("done", language("Steps: planned, and as done"), (table,))


def _planned(facts: Facts, technique: Technique) -> str:
    return facts.language.listed(_step(facts, step) for step in facts.steps(technique)) or facts.language("no plan yet")


def _phase(phase: ProtocolPhase, language: Language) -> str:
    """`freeze 10 min`; with its setting where that has a unit, `heating 90 °C 10 min`."""
    setting = (
        "" if phase.setting is None or not phase.unit else f" {language.number(phase.setting, phase.unit, digits=0)}"
    )
    minutes = language.number(phase.duration_s / 60, "min", digits=1)
    return f"{word(vocabulary.PHASES, phase.phase, language)}{setting} {minutes}"


def _step(facts: Facts, step: Step) -> str:
    """`ablation 1: 3 × IceForce, freeze 10 min, ...`."""
    language = facts.language
    used = dict.fromkeys(placement.device for placement in step.placements)
    parts = [_device(facts, step, device_id) for device_id in used]
    parts += [_phase(phase, language) for phase in step.protocol]
    return f"{step_name(step.id, step.action, language)}{facts.language.colon} {', '.join(parts) or '–'}"


def _device(facts: Facts, step: Step, device_id: str) -> str:
    """`1 × Bone cement (cement-head 3.0 ml, cement-tip 2.5 ml)`: as many as the kit holds, with size or volume."""
    placements = [placement for placement in step.placements if placement.device == device_id]
    plan = facts.gathered.plan
    packed = [item.quantity for item in (plan.kit if plan else ()) if (item.device, item.step) == (device_id, step.id)]
    cement = all(placement.role == "cement" for placement in placements)
    count = sum(packed) if cement else len(placements)
    counted = f"{count}\u00a0×\u00a0" if count else ""
    sizes = ", ".join(filter(None, (_size(placement, facts.language) for placement in placements)))
    return f"{counted}{facts.device(device_id)}" + (f" ({sizes})" if sizes else "")


def _size(placement: Placement, language: Language) -> str:
    """A screw's diameter by its length, or what is injected where."""
    if placement.role == "screw":
        diameter = language.number(placement.diameter_mm, "", digits=1)
        return f"{diameter}\u00a0×\u00a0{language.number(placement.length_mm, 'mm', digits=0)}"
    if placement.volume_ml is None:
        return ""
    return f"{placement.name} {language.number(placement.volume_ml, 'ml')}"
