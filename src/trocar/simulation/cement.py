"""Cement where it is injected: beads in bone and in the lesion's cavity, never into ice."""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from trocar.catalog import limit
from trocar.errors import CaseError
from trocar.imaging.resample import resample_mask
from trocar.model.finding import CementDeposit, Check, Verdict
from trocar.model.space import Array, as_vector
from trocar.model.state import TissueState
from trocar.model.treatment import Placement, Step
from trocar.simulation.curing import curing_checks
from trocar.simulation.fixation import retissued
from trocar.simulation.session import Played, Session, at_point, in_new_tissue
from trocar.simulation.waiting import Thaw

LONGEST_WAIT_S = 5400.0
FURTHEST_RADII = 2.0  # a bead that must spread farther than this does not fit where it was planned


def inject(session: Session, state: TissueState, step: Step, *, waited_s: float) -> Played:
    """The step's beads, after `waited_s` and its own waits, in which ice thaws and heat goes; checks of the cavity."""
    waited_s += sum(phase.duration_s for phase in step.protocol if phase.phase == "wait")
    beads = tuple(placement for placement in step.placements if placement.role == "cement")
    if not beads:
        raise CaseError(f"{step.id} injects no cement", hint="a cement placement states volume_ml and its target")
    checks: list[Check] = []
    if waited_s > 0 and (state.minimum_degC.min() < 0 or state.heat_dose):
        passing = Thaw.after(session, state)
        passing.wait(waited_s)
        state = passing.reached(session, state)
    allowed = _may_fill(session, step.lesion) & (state.temperature_degC > 0)
    cement = state.cement_frac.copy()
    deposits = []
    for bead in beads:
        filled, deposit = _bead(bead, allowed, cement, state)
        cement = np.maximum(cement, filled)
        deposits.append(deposit)
        checks += [_cavity_check(session, state, bead), _room_check(bead, deposit)]
    filled_state = state.after(cement_frac=cement)
    rebuilt = replace(session, tissue=retissued(session, filled_state))
    filled_state = in_new_tissue(filled_state, rebuilt.tissue)
    checks += curing_checks(rebuilt, filled_state, cement - state.cement_frac, beads)
    return Played(
        state=filled_state,
        session=rebuilt,
        deposits=tuple(deposits),
        checks=tuple(checks),
        caveats=("cement_by_geometry", "cement_curing_prior"),
    )


def wait_needed_s(session: Session, state: TissueState, step: Step, *, waited_s: float) -> float:
    """How much longer than `waited_s` the injection points need to be warm enough; 0 when they are.

    To within five minutes, by passive thaw; `LONGEST_WAIT_S` when even that is not enough.
    """
    passing = Thaw.after(session, state)
    passing.wait(waited_s)
    warm_degC = limit("cavity_min_for_cement_degC").value
    needed_s = 0.0
    for bead in step.placements:
        if bead.role == "cement" and passing.at_degC(bead.target_lps_mm) < warm_degC:
            left_s = LONGEST_WAIT_S - needed_s
            more_s = passing.until_s(bead.target_lps_mm, warm_degC, longest_s=left_s) if left_s > 0 else None
            needed_s = LONGEST_WAIT_S if more_s is None else needed_s + more_s
    return needed_s


def _may_fill(session: Session, lesion: str) -> Array:
    """Cells cement may take: bone, and the lesion where it has replaced bone or left a cavity."""
    case, grid = session.case, session.tissue.grid
    return session.tissue.bone | resample_mask(case.structure(lesion).inside, case.grid, grid)


def _bead(bead: Placement, allowed: Array, cement_frac: Array, state: TissueState) -> tuple[Array, CementDeposit]:
    """The cells nearest to the injection point, connected to it, up to the bead's volume."""
    if not bead.volume_ml or bead.volume_ml <= 0:
        raise CaseError(f"cement {bead.name!r} has no volume", hint="state volume_ml")
    grid = state.grid
    free = np.where(allowed, 1.0 - cement_frac, 0.0)
    indices = np.moveaxis(np.indices(grid.shape), 0, -1)
    distance = np.linalg.norm(grid.to_lps(indices) - bead.target_lps_mm, axis=-1)
    sphere_mm = (3000.0 * bead.volume_ml / (4 * np.pi)) ** (1 / 3)
    reachable = _connected(free > 0, distance, FURTHEST_RADII * sphere_mm)
    order = np.flatnonzero(reachable)
    order = order[np.argsort(distance.ravel()[order], kind="stable")]
    volume_ml = np.cumsum(free.ravel()[order]) * grid.voxel_ml
    taken = order[: int(np.searchsorted(volume_ml, bead.volume_ml)) + 1]
    filled = np.zeros(grid.shape, np.float32)
    filled.ravel()[taken] = free.ravel()[taken]
    placed_ml = float(filled.sum()) * grid.voxel_ml
    if placed_ml > bead.volume_ml and taken.size:
        filled.ravel()[taken[-1]] -= (placed_ml - bead.volume_ml) / grid.voxel_ml
    reach = float(distance.ravel()[taken].max()) if taken.size else 0.0
    deposit = CementDeposit(
        name=bead.name,
        center_lps_mm=as_vector(bead.target_lps_mm),
        volume_ml=round(float(filled.sum()) * grid.voxel_ml, 4),
        radius_mm=round(reach, 3),
    )
    return np.clip(cement_frac + filled, 0, 1), deposit


def _connected(free: Array, distance_mm: Array, reach_mm: float) -> Array:
    """The free cells within reach that hang together with the one nearest to the injection point."""
    near = free & (distance_mm <= reach_mm)
    if not near.any():
        return near
    label, _ = ndimage.label(near)
    nearest = np.unravel_index(int(np.argmin(np.where(near, distance_mm, np.inf))), near.shape)
    return label == label[nearest]


def _cavity_check(session: Session, state: TissueState, bead: Placement) -> Check:
    """Whether the tissue is warm enough for cement; in a cold one, when it will be."""
    bound = limit("cavity_min_for_cement_degC")
    now = at_point(state.temperature_degC, state.grid, bead.target_lps_mm)
    cold = now < bound.value
    message = ""
    if cold:
        after_s = Thaw.after(session, state).until_s(bead.target_lps_mm, bound.value, longest_s=LONGEST_WAIT_S)
        message = (
            f"{bound.value:g} degC is reached after another {after_s / 60:.0f} min of passive thaw"
            if after_s is not None
            else f"{bound.value:g} degC is not reached within {LONGEST_WAIT_S / 60:.0f} min of passive thaw"
        )
    return Check(
        name="cavity_temperature_for_cement",
        subject=bead.name,
        value=round(now, 2),
        limit=bound.value,
        unit="degC",
        verdict=Verdict.FAIL if cold else Verdict.PASS,
        source=bound.source,
        message=message,
    )


def _room_check(bead: Placement, deposit: CementDeposit) -> Check:
    """Whether the bead found room in bone or cavity near its injection point."""
    planned = float(bead.volume_ml or 0.0)
    fits = deposit.volume_ml >= 0.99 * planned
    return Check(
        name="cement_volume_in_bone",
        subject=bead.name,
        value=deposit.volume_ml,
        limit=planned,
        unit="ml",
        verdict=Verdict.PASS if fits else Verdict.FAIL,
        source="software default",
        message="" if fits else "bone and cavity near the injection point hold less than the planned volume",
    )
