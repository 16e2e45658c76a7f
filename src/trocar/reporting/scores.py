"""How a score is said: its total or its class, and which items were measured, entered, assumed, or are missing."""

from trocar.model.finding import Score, ScoreItem
from trocar.reporting import vocabulary
from trocar.reporting.language import Language
from trocar.reporting.words import word

CLASSIFICATIONS = ("Harrington", "MAC")  # their items are findings, not points
ORIGINS = ("measured", "entered", "assumed", "unknown")


def score_name(score: Score, language: Language) -> str:
    """The score's name in this language."""
    return word(vocabulary.SCORES, score.name, language)


def score_total(score: Score, language: Language) -> str | None:
    """`9 / 18`, `class 3A`, or that no class fits; `None` while an item that decides it is unknown."""
    if score.grade:
        return language("class {grade}", grade=score.grade)
    if score.name in CLASSIFICATIONS:
        decided = score.total is not None or all(item.points is not None for item in score.items)
        return language("no class fits these findings") if decided else None
    if score.total is None:
        return None
    total, most = (language.number(value, "", digits=0) for value in (score.total, score.maximum))
    return f"{total} / {most}"


def score_items(score: Score, language: Language) -> str:
    """`measured: lesion 2; entered: pain 3; missing: alignment`; in French with its own spaces."""
    groups = []
    for origin in ORIGINS:
        said = [_item(score, item, language) for item in score.items if item.origin == origin]
        if said:
            groups.append(f"{word(vocabulary.SCORE_ORIGINS, origin, language)}{language.colon} {', '.join(said)}")
    return language.listed(groups)


def _item(score: Score, item: ScoreItem, language: Language) -> str:
    name = word(vocabulary.SCORE_ITEMS, item.item, language)
    if item.points is None:
        return name
    if item.item == "solitary_for_cure":
        answer = language("yes") if item.points else language("no")
        return f"{name} ({answer})"
    if score.name in CLASSIFICATIONS:
        state = language("deficient") if item.points else language("intact")
        return f"{name} ({state})"
    return f"{name} {language.number(item.points, '', digits=0)}"
