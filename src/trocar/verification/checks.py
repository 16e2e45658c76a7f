"""What of a verification is within its limits, what is not, and what could not be judged."""

from collections.abc import Iterator, Sequence

from trocar.imaging.likeness import Likeness
from trocar.model.finding import Check, Verdict
from trocar.model.verification import Margin, PlacementError, Registration, SeenIce

RESIDUAL_LIMIT_MM = 2.0  # design: mean target error of margin software is 1.2-2.2 mm (systematic review DII 2022)
COMPARED_LEAST_FRAC = 0.4
TIP_WARN_MM, TIP_LIMIT_MM = 5.0, 10.0  # design: freehand probes err by 4-6 mm per axis
ANGLE_LIMIT_DEG = 5.0
ALIKE = 0.5  # correlation below which two images are not of one patient's region; design
SLICE_WARN_MM = 2.0  # margins on thicker slices are hardly a measurement (peers reference 3.5)
DESIGN = "design"


def registration_checks(registration: Registration) -> Iterator[Check]:
    """Whether the control may be read against the plan at all."""
    residual, compared = registration.residual_mm, registration.compared_frac
    if residual is None:
        verdict = Verdict.UNKNOWN
    elif residual > RESIDUAL_LIMIT_MM or compared < COMPARED_LEAST_FRAC:
        verdict = Verdict.FAIL
    else:
        verdict = Verdict.PASS
    yield Check(
        name="registration_residual",
        value=residual,
        limit=RESIDUAL_LIMIT_MM,
        unit="mm",
        verdict=verdict,
        source="HZ15",
        message=f"{compared:.0%} of the bone's surface compared"
        + ("" if verdict is Verdict.PASS else ": nothing below may be relied on"),
    )


def likeness_checks(found: Likeness | None, *, same_image: bool) -> Iterator[Check]:
    """Whether the control is another image than the plan's, and not its mirror image."""
    if same_image:
        message = "this is the planning CT itself: nothing below is a control"
        yield _check("control_is_another_image", "", None, None, "", Verdict.FAIL, message)
    if found is None or max(found.as_it_is, found.mirrored) < ALIKE:
        message = "the images share too little to tell left from right"
        yield _check("control_not_mirrored", "", None, None, "", Verdict.UNKNOWN, message)
        return
    flipped = found.mirrored > found.as_it_is
    message = "the control is more like the plan's MIRROR IMAGE: is it flipped? nothing below may be relied on"
    verdict = Verdict.FAIL if flipped else Verdict.PASS
    yield _check("control_not_mirrored", "", found.as_it_is, found.mirrored, "", verdict, message if flipped else "")


def placement_checks(errors: Sequence[PlacementError]) -> Iterator[Check]:
    """Each probe's tip and angle against the plan; UNKNOWN for one that was not found."""
    for error in errors:
        if error.tip_error_mm is None or error.angle_error_deg is None:
            message = "no straight metal was found near its planned place"
            yield _check("tip_error", error.name, None, TIP_WARN_MM, "mm", Verdict.UNKNOWN, message)
            continue
        tip = error.tip_error_mm
        verdict = Verdict.PASS if tip <= TIP_WARN_MM else Verdict.WARN if tip <= TIP_LIMIT_MM else Verdict.FAIL
        yield _check("tip_error", error.name, tip, TIP_WARN_MM, "mm", verdict)
        angle = error.angle_error_deg
        verdict = Verdict.PASS if angle <= ANGLE_LIMIT_DEG else Verdict.WARN
        yield _check("angle_error", error.name, angle, ANGLE_LIMIT_DEG, "deg", verdict)


def ice_checks(ice: SeenIce, coarsest_mm: float) -> Iterator[Check]:
    """What the control can show of the ice."""
    if not ice.volume_ml:
        yield _check("ice_seen", "", ice.volume_ml, None, "ml", Verdict.UNKNOWN, "no ice is seen around the probes")
    if ice.visible_frac is None:
        message = "no simulated ice to compare with: how much of the ice the image can show is unknown"
    else:
        message = f"{1 - ice.visible_frac:.0%} of the simulated ice lies where CT cannot show it (bone, fat, metal)"
    yield _check("ice_visible", "", ice.visible_frac, None, "frac", Verdict.UNKNOWN, message)
    verdict = Verdict.PASS if coarsest_mm <= SLICE_WARN_MM else Verdict.WARN
    yield _check("control_voxel_size", "", coarsest_mm, SLICE_WARN_MM, "mm", verdict)


def margin_checks(
    lesion: str, margins: Sequence[Margin], needed_mm: float, *, intent: Sequence[str] | None
) -> Iterator[Check]:
    """The lower end of each seen margin's interval against what is needed; UNKNOWN where none could be measured.

    A lesion that sticks out of the ice fails unless the intent is known not to be curative: then the ice is there for
    the tumor-bone interface (V4), and the margin wants a look.
    """
    short = Verdict.FAIL if intent is None or "curative" in intent else Verdict.WARN
    seen = [margin for margin in margins if margin.zone.endswith("_seen")]
    if not seen:
        yield _check("ice_margin", lesion, None, needed_mm, "mm", Verdict.UNKNOWN, "no margin to seen ice")
    for margin in seen:
        low, high = margin.interval_mm
        share = f"measured {margin.minimum_mm:.1f} mm over {margin.assessable_frac:.0%} of the lesion's surface"
        verdict = Verdict.PASS if low >= needed_mm else Verdict.WARN if high >= needed_mm else short
        if margin.assessable_frac < 1.0 and verdict is Verdict.PASS:
            verdict = Verdict.UNKNOWN
        yield _check("ice_margin", lesion, low, needed_mm, "mm", verdict, share)


def _check(
    name: str, subject: str, value: float | None, limit: float | None, unit: str, verdict: Verdict, message: str = ""
) -> Check:
    return Check(
        name=name,
        subject=subject,
        value=value,
        limit=limit,
        unit=unit,
        verdict=verdict,
        source=DESIGN,
        message=message,
    )
