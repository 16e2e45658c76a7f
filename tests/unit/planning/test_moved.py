"""A case that is moved or stored otherwise has the same plan, moved; one without a way in ends by saying why."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from trocar.cli.commands import run_command
from trocar.io.dossier import Dossier
from trocar.model.case import Decision
from trocar.model.finding import Verdict
from trocar.model.space import Grid, Volume, as_matrix4
from trocar.planning.guidance import guidance, guidance_of
from trocar.planning.plan import plan

SHIFT_MM = (37.0, -12.0, 211.0)


def moved(case):
    """The patient elsewhere, its voxels stored with the axes in another order: (k, i, j) for (i, j, k)."""
    order = [2, 0, 1]
    matrix = case.grid.matrix.copy()
    matrix[:3, :3] = matrix[:3, order]
    matrix[:3, 3] += SHIFT_MM
    grid = Grid(shape=tuple(case.grid.shape[axis] for axis in order), lps_from_ijk=as_matrix4(matrix))

    def elsewhere(item):
        course = tuple(tuple(np.add(point, SHIFT_MM)) for point in item.centerline_lps_mm)
        return replace(item, inside=item.inside.transpose(order).copy(), centerline_lps_mm=course)

    ct = Volume(grid=grid, values=case.ct.values.transpose(order).copy(), unit="HU")
    return replace(case, ct=ct, structures=tuple(elsewhere(item) for item in case.structures))


@pytest.fixture(scope="module")
def needles_and_screw(proposal):
    """What of the combination needs no ice: a biopsy, a screw and its cement."""
    return replace(proposal, sequence=tuple(item for item in proposal.sequence if item.step != "ABLATE"))


@pytest.fixture(scope="module")
def planned(case, needles_and_screw):
    return plan(case, needles_and_screw)


def test_a_case_moved_and_stored_otherwise_has_the_moved_plan(case, planned, needles_and_screw):
    other = plan(moved(case), needles_and_screw)
    assert [step.id for step in planned.steps] == [step.id for step in other.steps]
    for one, two in zip(planned.steps, other.steps, strict=True):
        assert [item.name for item in one.placements] == [item.name for item in two.placements]
        for before, after in zip(one.placements, two.placements, strict=True):
            for key in ("skin_lps_mm", "entry_lps_mm", "target_lps_mm"):
                assert np.allclose(np.add(getattr(before, key), SHIFT_MM), getattr(after, key), atol=0.01), before.name


def test_paths_compared_and_not_chosen_are_told_with_figures(planned):
    told = [text.en for text in planned.alternatives if text.en.startswith("Biopsy: another path")]
    assert told and all("mm" in text or "puncture" in text for text in told)


def test_freehand_keeps_more_free_and_the_guidance_is_said(case, planned):
    decided = replace(case, clinical=replace(case.clinical, decision=Decision(guidance=("ct",))))
    assert guidance_of(decided).placement_error_mm > guidance("navigated").placement_error_mm
    assert guidance_of(case).name == "navigated" and not guidance_of(case).stated
    said = next(check for check in planned.checks if check.name == "guidance")
    assert said.verdict is Verdict.UNKNOWN and "navigated" in said.subject


def test_no_way_in_ends_with_exit_3_and_the_constraints(case, proposal, tmp_path, capsys):
    lesion, colon = case.structure("lesion_1"), case.structure("colon")
    shell = binary_dilation(lesion.inside, iterations=5) & ~binary_dilation(lesion.inside, iterations=2)
    closed = tuple(replace(item, inside=item.inside | shell) if item is colon else item for item in case.structures)
    dossier = Dossier.create(tmp_path / "closed", replace(case, structures=closed))
    from trocar.assessment.assess import assess

    dossier.write("assessment", assess(dossier.read("case")))
    dossier.write("proposals", (replace(proposal, sequence=proposal.sequence[:2]),))
    assert run_command(["plan", str(dossier.folder)]) == 3
    said = capsys.readouterr().err
    assert "organ_clearance (colon)" in said and "hint:" in said
