"""Embolization lowers the lesion's perfusion and may leave oil in it, and everything after it sees that."""

from dataclasses import replace

import numpy as np

from trocar.catalog import device
from trocar.errors import CaseError
from trocar.imaging.resample import resample_mask
from trocar.materials.oil import holds_oil, oil_share_frac
from trocar.model.case import Case
from trocar.model.finding import Check, Verdict
from trocar.model.space import Array
from trocar.model.state import TissueState
from trocar.model.treatment import Plan, Step, Technique
from trocar.simulation.fixation import retissued
from trocar.simulation.session import Played, Session, in_new_tissue


def embolize(session: Session, state: TissueState, step: Step) -> Played:
    """The lesion's perfusion times the step's scale, and its oil spread evenly over the lesion.

    Raises `CaseError` when the step does not say what is left of the perfusion, or for more oil than the lesion holds.
    """
    if step.perfusion_scale is None or not 0 <= step.perfusion_scale <= 1:
        raise CaseError(f"{step.id}: no perfusion is stated for after the embolization", hint="perfusion_scale, 0 to 1")
    lesion = lesion_cells(session, step.lesion)
    left = np.where(lesion, state.perfusion_frac * np.float32(step.perfusion_scale), state.perfusion_frac)
    after = state.after(perfusion_frac=left.astype(np.float32))
    caveats: tuple[str, ...] = ("embolization_prior",)
    share = oil_share_frac(session.case, step)
    if share > 0:
        whole = state.oil_frac.get(step.lesion, 0.0) + share
        after = after.after(oil_frac={**state.oil_frac, step.lesion: min(whole, 1.0)})
        session = replace(session, tissue=retissued(session, after))
        after, caveats = in_new_tissue(after, session.tissue), (*caveats, "oil_spread_evenly")
    return Played(state=after, session=session, checks=_oil_checks(step, share), caveats=caveats)


def oil_of(case: Case, plan: Plan) -> dict[str, float]:
    """Lesion -> the share of its volume that the plan's embolizations fill with oil."""
    found: dict[str, float] = {}
    for step in plan.of(Technique.EMBOLIZATION):
        share = oil_share_frac(case, step)
        if share > 0:
            found[step.lesion] = min(found.get(step.lesion, 0.0) + share, 1.0)
    return found


def _oil_checks(step: Step, share: float) -> tuple[Check, ...]:
    """How much oil stays: UNKNOWN where the agent has some and nobody says how much."""
    if step.oil_ml is None and (step.embolic is None or not holds_oil(step.embolic)):
        return ()
    known = step.oil_ml is not None
    name = device(step.embolic).name if step.embolic else "oil"
    return (
        Check(
            name="oil_in_lesion", subject=step.lesion, value=round(share, 4) if known else None, limit=None, unit="1",
            verdict=Verdict.PASS if known else Verdict.UNKNOWN, source="S32",
            message="spread evenly: ice grows less in it" if known
            else f"{name}: how much oil stays is not stated, so that none is simulated; ice will be smaller",
        ),
    )  # fmt: skip


def lesion_cells(session: Session, name: str) -> Array:
    """[i, j, k] the cells of one lesion on the simulation's grid."""
    structure = session.case.structure(name)
    return resample_mask(structure.inside, session.case.grid, session.tissue.grid)
