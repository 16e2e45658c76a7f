"""Protection: fluid or gas around a structure and a cover on the skin, which every later step sees."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from trocar.materials.layers import layer_cells, pushed
from trocar.materials.native import native_tissue
from trocar.materials.placing import onto
from trocar.model.case import Case
from trocar.model.finding import Check, Verdict
from trocar.model.shield import UNSHIELDED, Shield
from trocar.model.space import Array, Grid, Segment
from trocar.model.state import TissueState
from trocar.model.treatment import Plan, Step
from trocar.simulation.domain import needles_of
from trocar.simulation.exposure import Watched
from trocar.simulation.fixation import retissued
from trocar.simulation.session import Played, Session, in_new_tissue

MOST_ML = 2000.0  # 10 ml to 2 l (clinical reference 4.1)


def protect(session: Session, state: TissueState, step: Step) -> Played:
    """The step's shield, clear of the session's needles: a bolus begins at its temperature, structures give way.

    Raises `CaseError` for a layer that cannot be.
    """
    if step.shield is None or step.shield == UNSHIELDED:
        return Played(state=state, session=session)
    added = clear_of(step.shield, session.needles)
    native = native_tissue(session.case, state.grid)
    cells = {layer.structure: layer_cells(session.case, state.grid, native, layer) for layer in added.layers}
    shielded = state.after(
        shield=state.shield.with_more(added), temperature_degC=_begun(state.temperature_degC, added, cells)
    )
    rebuilt = replace(
        session,
        tissue=retissued(session, shielded),
        watched=given_way(session.watched, session.case, state.grid, added),
    )
    return Played(
        state=in_new_tissue(shielded, rebuilt.tissue),
        session=rebuilt,
        checks=tuple(_volumes(session.case, cells, state.grid)),
        caveats=("layer_even_around_its_structure",) if added.layers else (),
    )


def clear_of(shield: Shield, needles: tuple[Segment, ...]) -> Shield:
    """The shield with needles that its layers leave free."""
    return replace(shield, layers=tuple(replace(layer, clear_of=needles) for layer in shield.layers))


def shield_of(plan: Plan) -> Shield:
    """What is there after the plan's last step."""
    found = UNSHIELDED
    for step in plan.steps:
        if step.shield is not None:
            found = found.with_more(clear_of(step.shield, needles_of(plan)))
    return found


def _begun(temperature_degC: Array, added: Shield, cells: dict[str, Array]) -> Array:
    """[i, j, k] the temperatures with those of the fluid as it is put there."""
    begun = temperature_degC
    for layer in added.layers:
        begun = np.where(cells[layer.structure], np.float32(layer.temperature_degC), begun)
    return begun


def given_way(watched: tuple[Watched, ...], case: Case, grid: Grid, shield: Shield) -> tuple[Watched, ...]:
    """The watched structures where their layers have pushed them."""
    layers = {layer.structure: layer for layer in shield.layers}
    return tuple(
        each.at(pushed(each.points_lps_mm, grid, native_tissue(case, grid), layers[each.name]), grid)
        if each.name in layers
        else each
        for each in watched
    )


def _volumes(case: Case, cells: dict[str, Array], grid: Grid) -> Iterator[Check]:
    """How much fluid each layer takes; none is a layer that is not there."""
    for structure, inside in cells.items():
        placed = onto(case.structure(structure), case.grid, grid)
        volume_ml = float(inside.sum()) * grid.voxel_ml
        if placed is None or not placed[1].any():
            value, verdict, message = None, Verdict.UNKNOWN, "it lies beyond what is simulated"
        elif volume_ml == 0:
            value, verdict, message = 0.0, Verdict.FAIL, "no soft tissue gives way around it"
        else:
            value, message = round(volume_ml, 1), ""
            verdict = Verdict.PASS if volume_ml <= MOST_ML else Verdict.FAIL
        yield Check(
            name="protection_layer_volume", subject=structure, value=value, limit=MOST_ML, unit="ml", verdict=verdict,
            source="V32", message=message,
        )  # fmt: skip
