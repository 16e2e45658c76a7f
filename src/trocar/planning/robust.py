"""How a freezing step fares when the probes miss their places and the tissue is not what the tables say."""

from dataclasses import dataclass, replace

import numpy as np

from trocar.catalog import limit
from trocar.model.finding import Check, Verdict
from trocar.model.forecast import TissueChange
from trocar.model.space import Array, as_vector
from trocar.model.treatment import Placement, Step
from trocar.planning.freezing import lethal_share_key
from trocar.planning.guidance import Guidance
from trocar.planning.outlook import SEARCH_SPACING_MM, Foresight, Outlook, worth

ANGLE_SD_DEG = {"navigated": 1.3, "freehand": 3.4}  # on a phantom, with laser navigation or none (peers reference 4.3)
PROPERTY_SD_FRAC = 0.15  # so that +/- 30 % is two standard deviations (thermal reference 7)
HOLDS_FRAC = 0.95  # of the samples (clinical reference 5, peers reference 4.3)
SOURCE = "peers 4.3, thermal 7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """What holds for 95 % of the samples, and how many keep every limit of temperature."""

    samples: int
    worth: float  # what layouts are ranked by
    lethal_frac: float
    visible_frac: float
    within_limits_frac: float
    coldest_degC: dict[str, float]  # structure that crosses its limit in some sample -> the least there


def robustness(foresight: Foresight, step: Step, *, samples: int, seed: int = 0) -> Robustness:
    """Predictions of a step with its probes displaced and tilted, and bone conductivity and blood flow scaled."""
    rng, led = np.random.default_rng(seed), foresight.aim.around.guidance
    steps, changes = [], []
    for _ in range(samples):
        placements = tuple(_missed(item, rng, led) if item.role == "probe" else item for item in step.placements)
        steps.append(replace(step, placements=placements))
        bone, blood = np.clip(1.0 + PROPERTY_SD_FRAC * rng.standard_normal(2), 0.5, 1.5)
        changes.append(TissueChange(bone_conductivity_scale=float(bone), blood_scale=float(blood)))
    seen = foresight.outlooks(steps, spacing_mm=SEARCH_SPACING_MM, changes=changes)
    return Robustness(
        samples=samples,
        worth=_held([worth(each, foresight.aim.intent) for each in seen]),
        lethal_frac=_held([each.lethal_frac for each in seen]),
        visible_frac=_held([each.visible_frac for each in seen]),
        within_limits_frac=float(np.mean([not each.crossings for each in seen])),
        coldest_degC=_coldest(seen),
    )


def robust_checks(foresight: Foresight, step: Step, *, samples: int, seed: int = 0) -> tuple[Check, ...]:
    """Coverage that 95 % of the samples reach, and whether 95 % of them keep every limit."""
    found, led = robustness(foresight, step, samples=samples, seed=seed), foresight.aim.around.guidance
    error = f"{led.placement_error_mm:g} mm and {_angle(led):g} deg"
    how = (
        f"{samples} samples at {SEARCH_SPACING_MM:g} mm: tips off by {error}, "
        f"bone conductivity and blood flow by {100 * PROPERTY_SD_FRAC:.0f} % (standard deviations)"
    )
    shares = [
        ("robust_coverage_lethal", found.lethal_frac, limit(lethal_share_key(foresight.aim.intent)).value),
        ("robust_coverage_0_degC", found.visible_frac, limit("coverage_visible_frac").value),
    ]
    rows = [_check(name, step.lesion, value, bound, Verdict.WARN, how) for name, value, bound in shares]
    crossed = "; ".join(f"{name} {degC:.0f} degC" for name, degC in sorted(found.coldest_degC.items()))
    message = how if not crossed else f"{how}. Coldest: {crossed}"
    rows.append(_check("robust_limits", step.lesion, found.within_limits_frac, HOLDS_FRAC, Verdict.FAIL, message))
    return tuple(rows)


def _check(name: str, subject: str, value: float, bound: float, below: Verdict, message: str) -> Check:
    return Check(
        name=name,
        subject=subject,
        value=round(value, 4),
        limit=bound,
        unit="1",
        verdict=Verdict.PASS if value >= bound else below,
        source=SOURCE,
        message=message,
    )


def _angle(led: Guidance) -> float:
    """The standard deviation of a direction, in degrees; what is neither of both strays like navigated."""
    return ANGLE_SD_DEG.get(led.name, ANGLE_SD_DEG["navigated"])


def _missed(probe: Placement, rng: np.random.Generator, led: Guidance) -> Placement:
    """The probe with its tip displaced, by the guidance's error along each axis, and its direction tilted."""
    tip, outward = np.asarray(probe.target_lps_mm), -probe.axis.direction
    tilt = np.radians(_angle(led)) * rng.standard_normal(3)
    turned = outward + np.cross(tilt, outward)
    turned /= np.linalg.norm(turned)
    tip = tip + led.placement_error_mm * rng.standard_normal(3)
    start = tip + turned * probe.length_mm
    return replace(probe, target_lps_mm=as_vector(tip), entry_lps_mm=as_vector(start), skin_lps_mm=as_vector(start))


def _held(values: list[float]) -> float:
    """What 95 % of the values reach."""
    ordered: Array = np.sort(values)
    return float(ordered[int(np.floor((1.0 - HOLDS_FRAC) * len(ordered)))])


def _coldest(seen: list[Outlook]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for each in seen:
        for crossing in each.crossings:
            found.setdefault(crossing.structure, []).append(crossing.minimum_degC)
    return {name: min(values) for name, values in found.items()}
