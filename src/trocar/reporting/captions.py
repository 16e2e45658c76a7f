"""What a picture shows, in words."""

from trocar.catalog.structures import structure_name as catalog_name
from trocar.reporting import strengths, vocabulary
from trocar.reporting.figures import Figure
from trocar.reporting.language import Language
from trocar.reporting.marks import label
from trocar.reporting.sheets import Sheet
from trocar.reporting.staging import Stage
from trocar.reporting.words import step_name, structure_name, word

PLANES = {
    "axial": "axial",
    "coronal": "coronal",
    "sagittal": "sagittal",
    "oblique": "oblique, along the instrument",
}
TOPICS = {
    "lesion": "{plane}: the tumor (dotted outline) on the planning CT.",
    "needle": "{plane}: {subject} and its path.",
    "probe": "{plane}: {subject}, with the predicted ice around it.",
    "ice": "{plane}: predicted coldest temperatures; tumor dotted.",
    "applicator": "{plane}: {subject}, with the predicted zone of heat around it.",
    "heat": "{plane}: where the heat kills, by three models; tumor dotted.",
    "hot_nerve": "{plane}: where the step heats {subject} most.",
    "nerve": "{plane}: where the step cools {subject} most.",
    "screw": "{plane}: {subject}; arrowheads at its two ends.",
    "weakest": "{plane}: where bone is nearest to yielding before treatment (circle), {subject}.",
    "cement": "{plane}: {subject}; arrow at the cement.",
}
ZONES = {
    "ice": "Lines: predicted coldest temperatures until the end of this step.",
    "heat": "Lines: where heat is predicted to kill by the end of this step, by three models.",
}


def stage_name(stage: Stage, language: Language) -> str:
    """The step in words; the planning CT before the first step."""
    if stage.step is None:
        return language("planning CT")
    return step_name(stage.step.id, stage.step.action, language)


def caption(figure: Figure, language: Language) -> str:
    """The sentence below a panel, with the nerves that it marks."""
    panel = figure.panel
    plane = language(PLANES[panel.plane.name])
    subject = panel.subject
    if panel.topic in ("nerve", "hot_nerve"):
        subject = language.of(catalog_name(panel.subject).said)
    elif panel.topic == "weakest":
        subject = word(strengths.LOADS, panel.subject, language)
    said = language(TOPICS[panel.topic], plane=plane, subject=subject)
    said = said[0].upper() + said[1:]
    marked = _marked(figure.named, language)
    if not marked:
        return said
    nerves = language("Nerves: {names}.", names=marked)
    return f"{said} {nerves}"


def technique_name(key: str, language: Language) -> str:
    """A technique in words."""
    return word(vocabulary.TECHNIQUES, key, language)


def along(sheet: Sheet, language: Language) -> str:
    """What stands below the slice that holds an instrument, with the structures that it marks."""
    said = language("Oblique slice along {subject}, from the skin to its end.", subject=sheet.placement.name)
    if sheet.zone:
        said = f"{said} {language(ZONES[sheet.zone])}"
    marked = _marked(sheet.along.named, language)
    return f"{said} {marked}." if marked else said


def down(sheet: Sheet, language: Language) -> str:
    """The sentence below the view down an instrument."""
    return language("View down {subject} from the skin, at its end.", subject=sheet.placement.name)


def sections(sheet: Sheet, language: Language) -> str:
    """The sentence below the cuts across a screw."""
    said = language(
        "Across {subject}, from its head (top left) to its tip; a white line to the nearest cortex. The first cuts go "
        "through the cortex where it enters.",
        subject=sheet.placement.name,
    )
    return said


def beside(sheet: Sheet, language: Language) -> str:
    """What lies beside the way, how far from the instrument and how deep."""
    told = (
        language(
            "{what}, {gap} away at a depth of {depth}",
            what=short(each.structure.name, language),
            gap=language.number(each.gap_mm, "mm", digits=0),
            depth=language.number(each.depth_mm, "mm", digits=0),
        )
        for each in sheet.beside
    )
    return language.listed(told) + "."


def short(name: str, language: Language) -> str:
    """What marks a structure, and its name."""
    return f"{label(name)} = {structure_name(name, language)}"


def _marked(names: tuple[str, ...], language: Language) -> str:
    return language.listed(short(name, language) for name in names)
