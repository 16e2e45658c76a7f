"""Cement with no room for it is a place that was not found, never a deposit of nothing."""

from dataclasses import replace

import numpy as np

from trocar.model.case import Case, Role, Structure
from trocar.model.finding import Verdict
from trocar.model.treatment import Plan, Proposal, Technique
from trocar.planning.plan import plan
from trocar.simulation.simulate import simulate

BESIDE_MM = 7.0  # from the injection point: 0.5 ml keep 8.8


def mounted(case: Case, whole: Proposal) -> Plan:
    """One screw on its cement and nothing else."""
    steps = tuple(replace(item, after=()) for item in whole.sequence if item.id in ("screw-1", "cement-1"))
    return plan(case, replace(whole, intent="palliative", sequence=steps))


def with_joint_beside(case: Case, target_lps_mm: tuple[float, float, float]) -> Case:
    """A joint on the far side of the bone from where cement is injected."""
    points = case.grid.to_lps(np.moveaxis(np.indices(case.grid.shape), 0, -1))
    middle = np.add(target_lps_mm, (-BESIDE_MM - 2.0, 0.0, 0.0))
    joint = Structure(name="hip_joint_left", role=Role.JOINT, inside=np.linalg.norm(points - middle, axis=-1) <= 2.5)
    return replace(case, structures=(*case.structures, joint))


def test_no_room_for_cement_on_a_screws_axis_is_a_place_not_found(case, protected_proposal):
    """The screw keeps its wire, and the plan can be simulated."""
    free = mounted(case, protected_proposal)
    (bead,) = (item for step in free.of(Technique.CEMENT) for item in step.placements if item.role == "cement")
    assert bead.volume_ml > 0
    crowded = with_joint_beside(case, bead.target_lps_mm)

    made = mounted(crowded, protected_proposal)
    (step,) = made.of(Technique.CEMENT)
    assert step.placements == ()
    found = next(check for check in step.checks if check.name == "placement_found")
    assert found.verdict is Verdict.FAIL and "cement_room (hip_joint_left)" in found.message
    (screw,) = made.of(Technique.SCREW)
    assert [item.role for item in screw.placements] == ["wire", "screw"]
    simulation = simulate(crowded, made, spacing_mm=3.0)
    assert [c.subject for c in simulation.checks if c.name == "step_simulated"] == [step.id]
