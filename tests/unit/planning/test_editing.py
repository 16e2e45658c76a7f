"""Plans edited by hand: what is kept stays, what is moved is checked, the rest is planned anew."""

from dataclasses import replace

import numpy as np
import pytest
from coldline import cold_line

from trocar.errors import CaseError
from trocar.model.edits import Edits, Embolized, MovedPath
from trocar.model.finding import Verdict
from trocar.model.shield import Layer, Shield
from trocar.model.treatment import Duration, Step, Technique, Text
from trocar.planning.cement import front_check, is_front_of
from trocar.planning.editing import Editor
from trocar.planning.leftover import OPENING
from trocar.planning.plan import plan
from trocar.planning.refine import Effort

STEP = "cryoablation-1"


@pytest.fixture(scope="module")
def editor(case, proposal):
    return Editor.of(case, plan(case, proposal, predictor=cold_line(case), effort=Effort(predictions=8, batch=4)))


def probes_of(editor_):
    return {item.name: item for item in editor_.plan.step(STEP).placements}


def shifted(item, offset_mm):
    return {
        "target_lps_mm": tuple(np.add(item.target_lps_mm, offset_mm).tolist()),
        "skin_lps_mm": tuple(np.add(item.skin_lps_mm, offset_mm).tolist()),
    }


def test_a_moved_probe_is_checked_and_nothing_else_changes(editor):
    before = probes_of(editor)
    after = editor.move("probe-1", **shifted(before["probe-1"], (0.0, 0.0, 2.0)))
    assert probes_of(after)["probe-1"].target_lps_mm[2] == pytest.approx(before["probe-1"].target_lps_mm[2] + 2.0)
    assert {name: item for name, item in probes_of(after).items() if name != "probe-1"} == {
        name: item for name, item in before.items() if name != "probe-1"
    }
    assert [step for step in after.plan.steps if step.id != STEP] == [
        step for step in editor.plan.steps if step.id != STEP
    ]


def test_what_was_predicted_is_unknown_after_a_move_and_known_again_once_predicted(case, editor):
    moved = MovedPath(name="probe-1", **shifted(probes_of(editor)["probe-1"], (0.0, 0.0, 1.0)))
    edits = Edits(moved=(moved,))
    old = [check for check in editor.apply(edits).plan.step(STEP).checks if check.name.startswith("coverage_planned")]
    assert old and all(check.verdict is Verdict.UNKNOWN and check.value is None for check in old)
    again = editor.replanned(
        edits, intent="palliative", predictor=cold_line(case), effort=Effort(predictions=4, batch=4)
    )
    new = [check for check in again.plan.step(STEP).checks if check.name.startswith("coverage_planned")]
    assert new and all(check.value is not None for check in new)


def test_a_preview_asks_for_one_prediction_and_makes_the_coverage_known(case, editor):
    cold, asked = cold_line(case), []

    def counting(case_, steps, **how):
        asked.append((len(steps), how["spacing_mm"]))
        return cold(case_, steps, **how)

    moved = editor.move("probe-1", **shifted(probes_of(editor)["probe-1"], (0.0, 0.0, 1.0)))
    seen = moved.previewed(intent="palliative", predictor=counting)
    assert asked == [(1, 3.0)]
    names = [check.name for check in moved.plan.step(STEP).checks]
    assert [check.name for check in seen.plan.step(STEP).checks] == names
    planned = [check for check in seen.plan.step(STEP).checks if check.name.startswith("coverage_planned")]
    assert planned and all(check.value is not None for check in planned)
    assert probes_of(seen) == probes_of(moved)
    assert seen.previewed(intent="palliative", predictor=counting).plan == seen.plan and len(asked) == 1
    far = editor.move("probe-1", **shifted(probes_of(editor)["probe-1"], (0.0, 0.0, 12.0)))
    less = far.previewed(intent="palliative", predictor=cold)
    value = {check.name: check.value for check in less.plan.step(STEP).checks}
    assert value["coverage_planned_0_degC"] < {c.name: c.value for c in planned}["coverage_planned_0_degC"]


def test_a_probe_moved_through_the_nerve_fails(case, editor):
    x, y, z = case.structure("sciatic_nerve_left").centerline_lps_mm[1]
    after = editor.move("probe-1", target_lps_mm=(x, y - 10, z), skin_lps_mm=(x, y + 60, z))
    failed = {(check.name, check.subject) for check in after.plan.step(STEP).failed}
    assert ("nerve_clearance", "sciatic_nerve_left") in failed


def test_kept_probes_stay_and_the_others_are_planned_around_them(case, editor):
    before = probes_of(editor)
    edits = Edits(moved=(MovedPath(name="probe-1", **shifted(before["probe-1"], (0.0, 0.0, 3.0))),))
    after = editor.replanned(
        edits, intent="palliative", predictor=cold_line(case), effort=Effort(predictions=16, batch=8)
    )
    assert probes_of(after)["probe-1"] == probes_of(editor.apply(edits))["probe-1"]
    assert set(probes_of(after)) == set(before)


def test_a_deleted_probe_is_gone_from_the_step_and_the_kit(case, editor):
    (others,) = [item.quantity for item in editor.plan.kit if item.step == STEP]
    after = editor.replanned(
        Edits(deleted=("probe-1",)), intent="palliative", predictor=None, effort=Effort(predictions=0)
    )
    assert "probe-1" not in probes_of(after) and len(probes_of(after)) == others - 1
    assert [item.quantity for item in after.plan.kit if item.step == STEP] == [others - 1]


def test_edits_of_nothing_change_nothing(editor):
    assert editor.apply(Edits()).plan == replace(editor.plan, checks=editor.apply(Edits()).plan.checks)


@pytest.mark.parametrize(
    "edits",
    [
        Edits(deleted=("probe-99",)),
        Edits(fixed=("probe-1",), deleted=("probe-1",)),
        Edits(moved=(MovedPath(name="probe-1", target_lps_mm=(0, 0, 0), skin_lps_mm=(0, 0, 0)),)),
    ],
)
def test_edits_that_make_no_sense_are_refused(editor, edits):
    with pytest.raises(CaseError):
        editor.apply(edits)


@pytest.mark.parametrize("factor", [1e3, 1e-3])
def test_positions_in_another_unit_are_refused(editor, factor):
    """Micrometers or meters where mm are asked: not a plan with failed checks, but a word on units."""
    probe = next(item for step in editor.plan.steps for item in step.placements if item.role == "probe")
    target, skin = (tuple(factor * x for x in of) for of in (probe.target_lps_mm, probe.skin_lps_mm))
    with pytest.raises(CaseError, match=r"outside of the CT|a path of 0\.1 mm") as raised:
        editor.move(probe.name, target_lps_mm=target, skin_lps_mm=skin)
    assert "mm" in raised.value.hint


def moved_by(item, *, target_mm=(0, 0, 0), skin_mm=(0, 0, 0), entry=None):
    target, skin = np.add(item.target_lps_mm, target_mm), np.add(item.skin_lps_mm, skin_mm)
    path = MovedPath(
        name=item.name, target_lps_mm=tuple(target.tolist()), skin_lps_mm=tuple(skin.tolist()), entry_lps_mm=entry
    )
    return Edits(moved=(path,))


def one(editor, role):
    return next(item for step in editor.plan.steps for item in step.placements if item.role == role)


def test_a_path_that_does_not_begin_at_the_skin_is_refused(editor):
    probe = one(editor, "probe")
    inward = 40.0 * np.subtract(probe.target_lps_mm, probe.skin_lps_mm) / probe.length_mm
    with pytest.raises(CaseError, match="under the skin"):
        editor.apply(moved_by(probe, skin_mm=inward))
    with pytest.raises(CaseError, match="outside of the skin"):
        editor.apply(moved_by(probe, skin_mm=-0.6 * inward))
    editor.apply(moved_by(probe, skin_mm=0.2 * inward))  # as one draws


def test_a_target_outside_of_the_patient_is_refused(editor):
    probe = one(editor, "probe")
    grid = editor.inspect.around.case.grid
    corner = grid.to_lps((1, 1, 1)) - np.asarray(probe.target_lps_mm)
    with pytest.raises(CaseError, match="outside of the patient"):
        editor.apply(moved_by(probe, target_mm=corner))


def test_a_screw_needs_to_know_where_its_head_lies_and_a_length_that_there_is(editor):
    screw = one(editor, "screw")
    with pytest.raises(CaseError, match="lacks entry_lps_mm"):
        editor.apply(moved_by(screw))
    with pytest.raises(CaseError, match="mm long") as raised:
        editor.apply(moved_by(screw, entry=tuple(np.add(screw.entry_lps_mm, (0, 0, 300.0)).tolist())))
    assert "made in" in raised.value.hint
    editor.apply(moved_by(screw, entry=screw.entry_lps_mm))


def test_cement_keeps_the_trocar_it_is_injected_through(editor):
    cement, trocar = one(editor, "cement"), one(editor, "trocar")
    with pytest.raises(CaseError, match="is injected through"):
        editor.apply(Edits(deleted=(trocar.name,)))
    made = editor.apply(Edits(deleted=(trocar.name, cement.name))).plan
    assert {trocar.name, cement.name}.isdisjoint(item.name for step in made.steps for item in step.placements)


def test_cement_goes_with_its_trocar_and_its_front_is_measured_anew(editor):
    cement, trocar = one(editor, "cement"), one(editor, "trocar")
    made = editor.apply(moved_by(trocar, target_mm=(2.0, 0.0, 0.0))).plan
    step = next(
        step for step in made.steps if cement in step.placements or cement.name in {p.name for p in step.placements}
    )
    moved = {item.name: item for item in step.placements}
    assert moved[cement.name].target_lps_mm == moved[trocar.name].target_lps_mm
    fronts = [check for check in step.checks if is_front_of(check, cement.name)]
    assert len(fronts) == 1
    assert fronts[0] == front_check(
        editor.inspect.around, moved[cement.name].target_lps_mm, cement.name, cement.volume_ml
    )


def test_no_check_of_what_was_there_before_is_left(editor):
    """Spacing and angles of an array of which one probe is left, and a fault of a path that is taken no longer."""
    names = tuple(probes_of(editor))
    assert len(names) > 1
    made = editor.apply(Edits(deleted=names[1:])).plan
    left = {check.name for check in made.step(STEP).checks}
    assert not left & {"probe_spacing_min", "probe_spacing_max", "probe_parallel"}
    probe = probes_of(editor)[names[0]]
    away = moved_by(probe, target_mm=(0.0, 12.0, 0.0))
    back = Edits(moved=(MovedPath(name=probe.name, target_lps_mm=probe.target_lps_mm, skin_lps_mm=probe.skin_lps_mm),))
    again, untouched = (made.plan.step(STEP) for made in (editor.apply(away).apply(back), editor))
    said = [{(c.name, c.subject, c.verdict) for c in s.checks if "planned" not in c.name} for s in (again, untouched)]
    assert said[0] == said[1]


def test_a_phase_of_a_probe_that_is_deleted_does_not_become_one_of_all(editor):
    step = editor.plan.step(STEP)
    last = replace(step.protocol[0], probes=("probe-1",))
    steps = tuple(replace(s, protocol=(*s.protocol, last)) if s is step else s for s in editor.plan.steps)
    made = replace(editor, plan=replace(editor.plan, steps=steps)).apply(Edits(deleted=("probe-1",))).plan
    assert len(made.step(STEP).protocol) == len(step.protocol)


def test_a_step_of_which_nothing_is_left_goes_and_is_said_to(editor):
    names = tuple(probes_of(editor))
    made = editor.apply(Edits(deleted=names)).plan
    assert all(step.id != STEP for step in made.steps)
    gone = next(check for check in made.checks if check.name == "step_left_out")
    assert gone.subject == STEP and gone.verdict is Verdict.WARN


def test_what_was_said_of_a_placement_goes_when_it_is_elsewhere(editor):
    biopsy = next(step for step in editor.plan.steps if step.technique is Technique.BIOPSY)
    shared = Text(en="On the path of probe-1, before it.", fr="Sur le trajet de probe-1, avant elle.")
    kept = Text(en="On the path of probe-12.", fr="Sur le trajet de probe-12.")
    steps = tuple(
        replace(step, notes=(*step.notes, shared, kept)) if step is biopsy else step for step in editor.plan.steps
    )
    again = replace(editor, plan=replace(editor.plan, steps=steps))
    made = again.apply(Edits(deleted=("probe-1",))).plan
    notes = next(step for step in made.steps if step.technique is Technique.BIOPSY).notes
    assert shared not in notes and kept in notes
    assert shared in next(s for s in again.apply(Edits()).plan.steps if s.technique is Technique.BIOPSY).notes


def test_a_position_that_is_no_number_is_refused(editor):
    with pytest.raises(CaseError, match="no number"):
        editor.apply(moved_by(one(editor, "probe"), target_mm=(np.inf, 0.0, 0.0)))


def test_a_path_longer_than_any_instrument_is_refused(editor):
    probe = one(editor, "probe")
    far = tuple(np.add(probe.target_lps_mm, (0.0, 5000.0, 0.0)))
    with pytest.raises(CaseError, match=r"a path of \d{4}\.\d mm"):
        editor.move(probe.name, target_lps_mm=probe.target_lps_mm, skin_lps_mm=far)


def test_a_shield_comes_before_the_ice_and_leaves_its_prediction_unknown(case, editor):
    shield = Shield(layers=(Layer(structure="sciatic_nerve_left", fluid="water", thickness_mm=8.0),))
    made = editor.apply(Edits(shield=shield)).plan
    order = [step.id for step in made.steps]
    (step,) = [step for step in made.steps if step.shield is not None]
    assert step.shield == shield and order.index(step.id) < order.index(STEP)
    assert all(c.verdict is Verdict.UNKNOWN for c in made.step(STEP).checks if c.name.startswith("coverage_planned"))
    with pytest.raises(CaseError):
        editor.apply(Edits(shield=Shield(layers=(Layer(structure="nobody", fluid="water", thickness_mm=8.0),))))


def with_embolization(editor, oil_ml=None):
    step = Step(
        id="embolization-1", technique=Technique.EMBOLIZATION, action="EMBOLISE", lesion="lesion_1",
        duration_min=Duration(low=5, typical=10, high=20), perfusion_scale=0.3, embolic="microspheres-300-500",
        oil_ml=oil_ml, notes=(Text(en="the agent", fr="l'agent"), Text(en="the evidence", fr="les preuves")),
    )  # fmt: skip
    return replace(editor, plan=replace(editor.plan, steps=(step, *editor.plan.steps)))


def test_an_embolic_chosen_by_hand_is_on_its_step_and_leaves_predictions_unknown(editor):
    chosen = Embolized(agent="glue-nbca", perfusion_left_frac=0.1, oil_ml=2.0)
    made = with_embolization(editor).apply(Edits(embolization=chosen)).plan
    step = made.step("embolization-1")
    assert (step.embolic, step.perfusion_scale, step.oil_ml) == ("glue-nbca", 0.1, 2.0)
    assert any("2 ml" in note.en and "2 ml" in note.fr for note in step.notes)
    assert [c.verdict for c in step.checks if c.name == "embolic_agent"] == [Verdict.UNKNOWN]
    planned = [c for c in made.step(STEP).checks if c.name.startswith("coverage_planned")]
    assert planned and all(c.verdict is Verdict.UNKNOWN for c in planned)


def test_probes_searched_again_after_an_embolization_with_oil_are_predicted_in_it(case, editor):
    asked = []

    def predictor(case, steps, *, embolized, **how):
        asked.append(embolized)
        return cold_line(case)(case, steps, embolized=embolized, **how)

    before = with_embolization(editor).apply(
        Edits(embolization=Embolized(agent="glue-nbca", perfusion_left_frac=0.1, oil_ml=2.0))
    )
    after = before.replanned(
        Edits(deleted=("probe-1",)), intent="palliative", predictor=predictor, effort=Effort(predictions=4, batch=4)
    )
    lesion_ml = float(case.structure("lesion_1").inside.sum()) * case.grid.voxel_ml
    (left,) = set(asked)
    assert (left.perfusion_left_frac, left.oil_frac) == (0.1, pytest.approx(2.0 / lesion_ml))
    planned = [c for c in after.plan.step(STEP).checks if c.name.startswith("coverage_planned")]
    assert planned and all(c.verdict is not Verdict.UNKNOWN for c in planned)


def test_a_freeze_after_another_embolization_is_predicted_as_it_stands(case, editor):
    asked = []

    def predictor(case, steps, **how):
        asked.append((steps, how))
        return cold_line(case)(case, steps, **how)

    edits = Edits(embolization=Embolized(agent="glue-nbca", perfusion_left_frac=0.1, oil_ml=2.0))
    before = with_embolization(editor)
    after = before.replanned(edits, intent="palliative", predictor=predictor)
    assert after.plan.step(STEP).placements == editor.plan.step(STEP).placements
    ((steps, how),) = asked
    assert len(steps) == 1 and how["spacing_mm"] == 2.0 and how["embolized"].oil_frac > 0
    planned = [c for c in after.plan.step(STEP).checks if c.name.startswith("coverage_planned")]
    assert planned and all(c.value is not None and "2 mm" in c.message for c in planned)
    said = [[note.en for note in step.notes if note.en.startswith(OPENING)] for step in
            (after.plan.step(STEP), before.apply(edits).plan.step(STEP))]  # fmt: skip
    lethal = next(c.value for c in planned if "-20" in c.name)
    assert said[0] == [] if lethal > 0.99 else f"({100 * (1 - lethal):.0f} %)" in said[0][0]
    assert said[1] == []  # until it is predicted nobody knows what is left
    unseen = before.replanned(edits, intent="palliative", predictor=None).plan.step(STEP)
    assert all(c.value is None for c in unseen.checks if c.name.startswith("coverage_planned"))


def test_a_probe_kept_off_a_nerve_stays_partial_by_choice_when_it_is_predicted_again(case, spared):
    """The same embolization once more: each check of the freeze is what it was."""
    edits = Edits(embolization=Embolized(agent="microspheres-300-500"))
    made = with_embolization(Editor.of(case, spared))
    again = made.replanned(edits, intent="protected", predictor=cold_line(case)).plan.step(STEP)
    planned = [check for check in again.checks if check.name.endswith("_planned") or "coverage_planned" in check.name]
    assert planned == [check for check in spared.step(STEP).checks if check.name in {c.name for c in planned}]
    assert any("partial by choice" in check.message for check in planned)


def test_an_agent_chosen_again_leaves_no_note_of_the_one_before(editor):
    before = with_embolization(editor)
    for oil_ml in (2.0, 3.0):
        before = before.apply(Edits(embolization=Embolized(agent="glue-nbca", perfusion_left_frac=0.1, oil_ml=oil_ml)))
    said = [note.en for note in before.plan.step("embolization-1").notes]
    assert sum("oil" in text and " ml " in text for text in said) == 1 and any("3 ml" in text for text in said)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (Embolized(agent="glue-nbca"), "not known"),
        (Embolized(agent="microspheres-300-500", oil_ml=1.0), "no ethiodized oil"),
        (Embolized(agent="glue-nbca", perfusion_left_frac=0.1, oil_ml=90.0), "more than the lesion"),
        (Embolized(agent="cryoprobe-17g-icesphere"), "no embolic"),
        (Embolized(agent="coils"), "no embolic"),
    ],
)
def test_an_embolization_that_makes_no_sense_is_refused(editor, chosen, message):
    with pytest.raises(CaseError, match=message):
        with_embolization(editor).apply(Edits(embolization=chosen))
