"""Cement where its flow takes it: through the pores of bone and lesion, never into ice, out wherever they are open."""

from dataclasses import replace

import numpy as np

from trocar.catalog import limit
from trocar.errors import CaseError
from trocar.model.finding import Check, Verdict
from trocar.model.state import TissueState
from trocar.model.treatment import Placement, Step
from trocar.simulation.curing import curing_checks
from trocar.simulation.fixation import retissued
from trocar.simulation.injection import injected
from trocar.simulation.leakage import deposit_checks, missing_ways
from trocar.simulation.session import Played, Session, at_point, in_new_tissue
from trocar.simulation.waiting import Thaw

LONGEST_WAIT_S = 5400.0
BESIDE_MM = 1.0


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
    deposits = []
    filled_state = state
    for bead in beads:
        done = injected(session, filled_state, bead, _trocar(step, bead))
        filled_state = filled_state.after(cement_frac=np.clip(filled_state.cement_frac + done.filled_frac, 0, 1))
        deposits.append(done.deposit)
        checks += [_cavity_check(session, state, bead), *deposit_checks(done)]
    checks += missing_ways(session.case, step)
    rebuilt = replace(session, tissue=retissued(session, filled_state))
    filled_state = in_new_tissue(filled_state, rebuilt.tissue)
    if session.measures:
        fresh_frac = filled_state.cement_frac - state.cement_frac
        checks += curing_checks(rebuilt, filled_state, fresh_frac, beads, step=step.id)
    return Played(
        state=filled_state,
        session=rebuilt,
        deposits=tuple(deposits),
        checks=tuple(checks),
        caveats=("cement_flow_prior", "cement_curing_prior"),
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


def _trocar(step: Step, bead: Placement) -> Placement | None:
    """The trocar of the step whose tip is where the bead is injected."""
    tips = [placement for placement in step.placements if placement.role == "trocar"]
    apart_mm = [float(np.linalg.norm(np.subtract(tip.target_lps_mm, bead.target_lps_mm))) for tip in tips]
    return tips[int(np.argmin(apart_mm))] if tips and min(apart_mm) <= BESIDE_MM else None


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
