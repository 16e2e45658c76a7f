"""Embolization lowers the lesion's perfusion, and everything after it sees that."""

import numpy as np

from trocar.errors import CaseError
from trocar.imaging.resample import resample_mask
from trocar.model.space import Array
from trocar.model.state import TissueState
from trocar.model.treatment import Step
from trocar.simulation.session import Played, Session


def embolize(session: Session, state: TissueState, step: Step) -> Played:
    """The lesion's perfusion times the step's scale. Raises `CaseError` when the step does not say what is left."""
    if step.perfusion_scale is None or not 0 <= step.perfusion_scale <= 1:
        raise CaseError(f"{step.id}: no perfusion is stated for after the embolization", hint="perfusion_scale, 0 to 1")
    lesion = lesion_cells(session, step.lesion)
    left = np.where(lesion, state.perfusion_frac * np.float32(step.perfusion_scale), state.perfusion_frac)
    return Played(
        state=state.after(perfusion_frac=left.astype(np.float32)), session=session, caveats=("embolization_prior",)
    )


def lesion_cells(session: Session, name: str) -> Array:
    """[i, j, k] the cells of one lesion on the simulation's grid."""
    structure = session.case.structure(name)
    return resample_mask(structure.inside, session.case.grid, session.tissue.grid)
