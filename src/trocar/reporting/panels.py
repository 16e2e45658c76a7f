"""Which pictures a report shows: per step the planes in which a radiologist tells it, lettered in order."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trocar.model.space import Array
from trocar.model.treatment import Technique
from trocar.reporting import planes
from trocar.reporting.gathered import Gathered
from trocar.reporting.planes import Plane
from trocar.reporting.staging import Stage, stages
from trocar.reporting.strengths import worst_row

SOFT = (40.0, 400.0)
BONE = (400.0, 1800.0)
NEARLY_AXIAL = 0.98  # cosine: an oblique picture closer than this to the axial one shows nothing more


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """One picture: `topic` says what it shows (lesion, needle, ice, heat, screw, weakest ...), `subject` of what."""

    letter: str
    stage: Stage
    plane: Plane
    topic: str
    subject: str
    window_HU: tuple[float, float]  # center, width


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Draft:
    plane: Plane
    topic: str
    subject: str = ""
    window_HU: tuple[float, float] = SOFT


def panels(gathered: Gathered) -> tuple[Panel, ...]:
    """The lettered pictures of all steps."""
    lesion_points = gathered.lesion_points_lps_mm
    if not len(lesion_points):
        return ()
    center = lesion_points.mean(axis=0)
    size_mm = float(np.clip(np.ptp(lesion_points, axis=0).max() + 70.0, 110.0, 170.0))
    shown = stages(gathered)
    drafts = [(stage, draft) for stage in shown for draft in _of_stage(gathered, stage, center, size_mm)]
    if gathered.strength is not None:
        weakest = worst_row(gathered.strength)
        plane = planes.axial(weakest.where_lps_mm, size_mm)
        drafts.append((shown[0], _Draft(plane=plane, topic="weakest", subject=weakest.load, window_HU=BONE)))
    return tuple(
        Panel(
            letter=_letter(n),
            stage=stage,
            plane=draft.plane,
            topic=draft.topic,
            subject=draft.subject,
            window_HU=draft.window_HU,
        )
        for n, (stage, draft) in enumerate(drafts)
    )


def _letter(n: int) -> str:
    return chr(ord("A") + n % 26) * (n // 26 + 1)


def _of_stage(gathered: Gathered, stage: Stage, center: Array, size_mm: float) -> Iterator[_Draft]:
    if stage.step is None:
        for make in (planes.axial, planes.coronal, planes.sagittal):
            yield _Draft(plane=make(center, size_mm), topic="lesion", window_HU=SOFT)
        return
    match stage.step.technique:
        case Technique.BIOPSY | Technique.PROTECTION:
            yield from _needles(stage, size_mm)
        case technique if technique.ablates:
            yield from _ablation(gathered, stage, center, size_mm)
        case Technique.SCREW:
            yield from _screws(stage, size_mm)
        case Technique.CEMENT:
            yield from _cement(stage, size_mm)
        case Technique.EMBOLIZATION:
            return  # arteriography is not simulated: nothing to draw


def _needles(stage: Stage, size_mm: float) -> Iterator[_Draft]:
    assert stage.step is not None
    for placement in stage.step.placements[:1]:
        yield _Draft(plane=planes.axial(placement.target_lps_mm, size_mm), topic="needle", subject=placement.name)
        oblique = planes.along(placement.skin_lps_mm, placement.target_lps_mm, size_mm)
        if abs(oblique.normal[2]) < NEARLY_AXIAL:
            yield _Draft(plane=oblique.centered(placement.target_lps_mm), topic="needle", subject=placement.name)


def _ablation(gathered: Gathered, stage: Stage, center: Array, size_mm: float) -> Iterator[_Draft]:
    assert stage.step is not None
    heats = stage.step.technique.heats
    along, across, at_nerve = ("applicator", "heat", "hot_nerve") if heats else ("probe", "ice", "nerve")
    probes = [placement for placement in stage.step.placements if placement.role == "probe"]
    for placement in probes[:1]:
        oblique = planes.along(placement.skin_lps_mm, placement.target_lps_mm, size_mm)
        yield _Draft(plane=oblique.centered(placement.target_lps_mm), topic=along, subject=placement.name)
    for make in (planes.coronal, planes.axial):
        yield _Draft(plane=make(center, size_mm), topic=across)
    nerve = _worst_nerve(gathered, stage.step.id, heats=heats)
    if nerve is not None:
        name, where = nerve
        yield _Draft(plane=planes.axial(where, size_mm * 0.75), topic=at_nerve, subject=name)


def _worst_nerve(gathered: Gathered, step_id: str, *, heats: bool) -> tuple[str, Array] | None:
    """The nerve that a step cools or heats most, and where."""
    names = {nerve.name for nerve in gathered.nerves}
    exposures = [
        exposure
        for state in (gathered.simulation.states if gathered.simulation else ())
        if state.step == step_id
        for exposure in state.structures
        if exposure.name in names
    ]
    if not exposures:
        return None
    if heats:
        hottest = max(exposures, key=lambda exposure: exposure.maximum_degC)
        return hottest.name, np.asarray(hottest.maximum_lps_mm)
    coldest = min(exposures, key=lambda exposure: exposure.minimum_degC)
    return coldest.name, np.asarray(coldest.minimum_lps_mm)


def _screws(stage: Stage, size_mm: float) -> Iterator[_Draft]:
    assert stage.step is not None
    for placement in stage.step.placements:
        if placement.role != "screw":
            continue
        middle = np.mean([placement.entry_lps_mm, placement.target_lps_mm], axis=0)
        wide = max(size_mm, placement.length_mm + 40.0)
        oblique = planes.along(placement.entry_lps_mm, placement.target_lps_mm, wide).centered(middle)
        yield _Draft(plane=oblique, topic="screw", subject=placement.name, window_HU=BONE)
        yield _Draft(plane=planes.sagittal(middle, wide), topic="screw", subject=placement.name, window_HU=BONE)


def _cement(stage: Stage, size_mm: float) -> Iterator[_Draft]:
    assert stage.step is not None
    for placement in [p for p in stage.step.placements if p.role == "cement"][:2]:
        plane = planes.axial(placement.target_lps_mm, size_mm)
        yield _Draft(plane=plane, topic="cement", subject=placement.name, window_HU=BONE)
