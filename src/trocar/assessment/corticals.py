"""Two fracture classifications that a person reads off the image: axial cortical involvement, Harrington's classes."""

from trocar.model.case import LesionContext
from trocar.model.finding import Score, ScoreItem

AXIAL_MM, CIRCUMFERENTIAL_FRAC = 30.0, 0.5  # M1


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
    return Score(name="Harrington", lesion=context.name, total=total, maximum=4, items=items, source="M2")


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
