"""Classifications of destroyed walls: axial cortical involvement, and two of the acetabulum (Harrington, MAC)."""

from trocar.assessment.acetabulum import WALLS
from trocar.model.case import LesionContext
from trocar.model.finding import Score, ScoreItem

AXIAL_MM, CIRCUMFERENTIAL_FRAC = 30.0, 0.5  # M1
MAC_SOURCE = "M3, design (the highest class of the parts taken)"


def axial_cortical(context: LesionContext) -> Score:
    """One point for more than 30 mm of destroyed cortex along a long bone, one for over half of its circumference."""
    measures = {
        "axial": (context.axial_cortical_mm, AXIAL_MM, "axial_cortical_mm"),
        "circumferential": (context.cortex_destroyed_frac, CIRCUMFERENTIAL_FRAC, "cortex_destroyed_frac"),
    }
    items = tuple(
        ScoreItem(
            item=item,
            points=None if value is None else float(value > bound),
            origin=_origin(context, field, known=value is not None),
        )
        for item, (value, bound, field) in measures.items()
    )
    return _score("axial cortical involvement", context.name, 2, items, "M1")


def harrington(context: LesionContext) -> Score:
    """Harrington's class of an acetabulum, I to IV as 1 to 4; unknown while a wall that decides is unknown.

    IV solitary and resectable for cure; III medial wall, lateral cortex and roof deficient; II the medial wall only;
    I all intact. Other combinations have no class in the source: the class stays unknown.
    """
    walls = {name: getattr(context, name) for name in ("medial_wall", "lateral_cortex", "acetabular_roof")}
    total = _harrington_class(context.solitary_for_cure, tuple(walls.values()))
    items = tuple(
        ScoreItem(
            item=name,
            points=None if value is None else float(value == "deficient"),
            origin=_origin(context, name, known=value is not None),
        )
        for name, value in walls.items()
    )
    cure = context.solitary_for_cure
    items += (
        ScoreItem(
            item="solitary_for_cure",
            points=None if cure is None else float(cure),
            origin=_origin(context, "solitary_for_cure", known=cure is not None),
        ),
    )
    grade = ("", "I", "II", "III", "IV")[int(total or 0)]
    return Score(name="Harrington", lesion=context.name, total=total, maximum=4, items=items, source="M2", grade=grade)


def mac(context: LesionContext) -> Score:
    """The metastatic acetabular classification: 1 dome, 2 medial wall, 3 one column (A or P), 4 both columns.

    Where several parts are taken the highest class counts (software default: the source was recalled, not read). The
    class is unknown while an unknown part could change it; 0, without a class, when all four parts are intact.
    """
    dome, wall, front, back = (_taken(getattr(context, name)) for name in WALLS)
    total, grade = _mac_class(dome, wall, front, back)
    items = tuple(
        ScoreItem(
            item=name,
            points=None if taken is None else float(taken),
            origin=_origin(context, name, known=taken is not None),
        )
        for name, taken in zip(WALLS, (dome, wall, front, back), strict=True)
    )
    return Score(name="MAC", lesion=context.name, total=total, maximum=4, items=items, source=MAC_SOURCE, grade=grade)


def _taken(state: str | None) -> bool | None:
    return None if state is None else state == "deficient"


def _mac_class(dome: bool | None, wall: bool | None, front: bool | None, back: bool | None) -> tuple[float | None, str]:
    """The number and the name of the class, from the highest down; an unknown part stops the search."""
    if front and back:
        return 4.0, "4"
    if front is None or back is None:
        return None, ""
    if front or back:
        return 3.0, "3A" if front else "3P"
    for number, taken in ((2, wall), (1, dome)):
        if taken is None:
            return None, ""
        if taken:
            return float(number), str(number)
    return 0.0, ""


def _harrington_class(cure: bool | None, walls: tuple[str | None, ...]) -> float | None:
    if cure:
        return 4.0
    if cure is None:
        return None
    classes = {
        ("intact", "intact", "intact"): 1.0,
        ("deficient", "intact", "intact"): 2.0,
        ("deficient", "deficient", "deficient"): 3.0,
    }
    return next((number for pattern, number in classes.items() if pattern == walls), None)


def _origin(context: LesionContext, field: str, *, known: bool) -> str:
    return "unknown" if not known else "measured" if field in context.from_imaging else "entered"


def _score(name: str, lesion: str, maximum: float, items: tuple[ScoreItem, ...], source: str) -> Score:
    points = [item.points for item in items if item.points is not None]
    total = float(sum(points)) if len(points) == len(items) else None
    return Score(name=name, lesion=lesion, total=total, maximum=maximum, items=items, source=source)
