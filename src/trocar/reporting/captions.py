"""What a picture shows, in words."""

from trocar.reporting import vocabulary
from trocar.reporting.figures import Figure, nerve_label
from trocar.reporting.language import Language
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
    "cement": "{plane}: {subject}; arrow at the cement.",
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
    subject = structure_name(panel.subject, language) if panel.topic in ("nerve", "hot_nerve") else panel.subject
    said = language(TOPICS[panel.topic], plane=plane, subject=subject)
    said = said[0].upper() + said[1:]
    marked = "; ".join(f"{nerve_label(name)} = {structure_name(name, language)}" for name in figure.nerves)
    if not marked:
        return said
    nerves = language("Nerves: {names}.", names=marked)
    return f"{said} {nerves}"


def technique_name(key: str, language: Language) -> str:
    """A technique in words."""
    return word(vocabulary.TECHNIQUES, key, language)
