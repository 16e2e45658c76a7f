"""One injection of cement: where it goes, by which ways it leaves the bone, and when to stop."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from trocar.catalog import limit
from trocar.errors import CaseError
from trocar.model.finding import CementDeposit, CementLeak
from trocar.model.space import Array, as_vector
from trocar.model.state import TissueState
from trocar.model.treatment import Placement
from trocar.physics.flow import Injection, fills
from trocar.physics.porous import Filling
from trocar.simulation.pores import Pores, pores
from trocar.simulation.session import Session
from trocar.simulation.syringe import Syringe

FOLLOWED = 2.0  # times the planned volume: how much more would be too much
WITHIN_FRAC = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Injected:
    """A deposit, and the cement that it adds to each cell of the simulation's grid (0..1).

    `syringe_MPa` is the highest pressure; `None` while the cement's times or the trocar's lumen are not known.
    """

    deposit: CementDeposit
    filled_frac: Array = field(repr=False)
    syringe_MPa: float | None = None


def injected(session: Session, state: TissueState, bead: Placement, trocar: Placement | None) -> Injected:
    """Inject a bead's volume through a trocar. Ice takes none, nor does bone without pores.

    Raises `CaseError` for no volume, something else than cement, or no bone at the injection point.
    """
    if not bead.volume_ml or bead.volume_ml <= 0:
        raise CaseError(f"cement {bead.name!r} has no volume", hint="state volume_ml")
    syringe = Syringe.of(bead, trocar)
    found = pores(session, state, np.asarray(bead.target_lps_mm))
    filled = np.zeros(state.grid.shape, np.float32)
    if found.entry is None:
        return Injected(deposit=_refused(bead, found.closed), filled_frac=filled)
    volume_m3 = bead.volume_ml * 1e-6
    entry = Injection(cells=(found.entry,), opening_m=bead.diameter_mm / 2000)
    planned, beyond = fills(found.porous, entry, (volume_m3, FOLLOWED * volume_m3))
    filled[found.box] = planned.saturation_frac * found.porous.porosity_frac
    pushed = syringe.syringe_MPa(planned)
    return Injected(
        deposit=_deposit(bead, found, (planned, beyond), syringe),
        filled_frac=filled,
        syringe_MPa=None if pushed is None else round(float(pushed.max()), 4),
    )


def _refused(bead: Placement, reason: str) -> CementDeposit:
    return CementDeposit(
        name=bead.name, center_lps_mm=as_vector(bead.target_lps_mm), volume_ml=0.0, radius_mm=0.0,
        planned_ml=bead.volume_ml, followed_ml=0.0, stop_ml=0.0, stop_reason=reason,
    )  # fmt: skip


def _deposit(bead: Placement, found: Pores, filled: tuple[Filling, Filling], syringe: Syringe) -> CementDeposit:
    planned, beyond = filled
    volume_ml, radius_mm = _extent(bead, found, planned)
    stop_ml, reason = _stop(bead, found, beyond, syringe)
    return CementDeposit(
        name=bead.name,
        center_lps_mm=as_vector(bead.target_lps_mm),
        volume_ml=volume_ml,
        radius_mm=radius_mm,
        planned_ml=bead.volume_ml,
        followed_ml=round(beyond.injected_m3 * 1e6, 3),
        stop_ml=stop_ml,
        stop_reason=reason,
        leaks=tuple(_leaks(found, planned, beyond)),
        volumes_ml=_listed(planned.volumes_m3 * 1e6),
        times_s=_listed(syringe.times_s(planned.volumes_m3)),
        pressures_MPa=_listed(syringe.bone_MPa(planned)),
    )


def _listed(values: Array | None) -> tuple[float, ...]:
    return () if values is None else tuple(round(float(value), 5) for value in values)


def _extent(bead: Placement, found: Pores, filling: Filling) -> tuple[float, float]:
    """How many milliliters the pores hold, and within which distance of the injection point nearly all of it lies."""
    held = filling.saturation_frac * found.porous.porosity_frac * found.grid.voxel_ml
    cells = np.argwhere(held > 0)
    apart_mm = np.linalg.norm(found.grid.to_lps(cells) - bead.target_lps_mm, axis=1)
    order = np.argsort(apart_mm, kind="stable")
    share = np.cumsum(held[tuple(cells[order].T)]) / held.sum()
    return round(float(held.sum()), 4), round(float(apart_mm[order[np.searchsorted(share, WITHIN_FRAC)]]), 3)


def _leaks(found: Pores, planned: Filling, beyond: Filling) -> Iterator[CementLeak]:
    """The ways out in the order they are reached, those that only more than the plan reaches included."""
    for number, way in sorted(beyond.exits.items(), key=lambda item: item[1].first_m3):
        known, within = found.ways[number], planned.exits.get(number)
        yield CementLeak(
            way=known.way,
            name=known.name,
            from_ml=round(way.first_m3 * 1e6, 3),
            volume_ml=round(within.volume_m3 * 1e6, 4) if within else 0.0,
            lps_mm=as_vector(found.grid.to_lps(way.cell)),
        )


def _stop(bead: Placement, found: Pores, beyond: Filling, syringe: Syringe) -> tuple[float | None, str]:
    """The injected volume at which to stop, and why; nothing where the volume followed gives no reason."""
    reasons = [(way.first_m3 * 1e6, found.ways[number].way) for number, way in beyond.exits.items()]
    if found.hazards.any():
        apart_mm = ndimage.distance_transform_edt(~found.hazards) * float(found.grid.spacing_mm[0])
        near_m3 = beyond.arrival_m3[apart_mm <= limit("cement_stop_mm").value]
        reasons.append((float(near_m3.min(initial=np.inf)) * 1e6, "distance"))
    if beyond.injected_m3 * 1e6 < 0.999 * FOLLOWED * float(bead.volume_ml or 0.0):
        reasons.append((beyond.injected_m3 * 1e6, "room"))
    pressure = syringe.syringe_MPa(beyond)
    pressure = syringe.bone_MPa(beyond) if pressure is None else pressure
    high = np.flatnonzero(pressure > limit("cement_pressure_max_MPa").value) if pressure is not None else np.zeros(0)
    if high.size:
        reasons.append((float(beyond.volumes_m3[high[0]]) * 1e6, "pressure"))
    stop_ml, why = min(reasons, default=(np.inf, ""))
    return (round(stop_ml, 2), why) if np.isfinite(stop_ml) else (None, "")
