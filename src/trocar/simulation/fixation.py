"""Screws stay: metal in the tissue that later steps see."""

from dataclasses import replace

from trocar.materials import TissueMap
from trocar.model.state import TissueState
from trocar.model.treatment import Step
from trocar.simulation.session import Played, Session, in_new_tissue, tissue_of


def fix(session: Session, state: TissueState, step: Step) -> Played:
    """The step's screws as titanium in the tissue."""
    screws = tuple(placement for placement in step.placements if placement.role == "screw")
    implanted = state.after(implants=(*state.implants, *screws))
    rebuilt = replace(session, tissue=retissued(session, implanted))
    return Played(state=in_new_tissue(implanted, rebuilt.tissue), session=rebuilt)


def retissued(session: Session, state: TissueState) -> TissueMap:
    """The tissue with all that the state says was done to it; it goes on boiling where it could."""
    boils = session.tissue.medium.vapor_J_per_m3 is not None
    return tissue_of(session.case, state, boils=boils)
