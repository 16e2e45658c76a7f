"""A dossier keeps what was written, knows what is stale, and survives damage, killing and a second writer."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from trocar.catalog.ruleset import ruleset
from trocar.errors import DossierError, InputError, PlanningError
from trocar.io import commit
from trocar.io.dossier import Dossier, State
from trocar.model.space import Grid

from . import samples


@pytest.fixture
def dossier(tmp_path):
    return Dossier.create(tmp_path / "d", samples.case())


@pytest.fixture
def full(dossier):
    for name, noun in CHAIN.items():
        dossier.write(name, noun)
    return dossier


CHAIN = {
    "assessment": samples.assessment(),
    "proposals": (samples.proposal(),),
    "plan": samples.plan(),
    "simulation": samples.simulation(),
    "strength": samples.strength(),
    "control": samples.case(5),
    "verification": samples.verification(),
    "as_done": samples.simulation(1),
    "report": "<!doctype html><p>métastase\n</p>",
}


def states(dossier):
    return {status.name: status.state for status in dossier.status()}


def assert_same_case(read, case):
    assert (read.case_id, read.clinical, read.geometry) == (case.case_id, case.clinical, case.geometry)
    assert read.grid == case.grid
    assert read.ct.values.dtype == case.ct.values.dtype
    assert np.array_equal(read.ct.values, case.ct.values)
    assert [s.name for s in read.structures] == [s.name for s in case.structures]
    for found, structure in zip(read.structures, case.structures, strict=True):
        assert np.array_equal(found.inside, structure.inside)
        assert (found.role, found.side, found.origin) == (structure.role, structure.side, structure.origin)
        assert found.centerline_lps_mm == structure.centerline_lps_mm
        assert found.diameter_mm == structure.diameter_mm
    assert read.phases.keys() == case.phases.keys()
    for name, volume in case.phases.items():
        assert np.array_equal(read.phases[name].values, volume.values)


def test_everything_comes_back(full):
    again = Dossier.open(full.folder)
    assert_same_case(again.read("case"), samples.case())
    assert_same_case(again.read("control"), samples.case(5))
    for name in ("assessment", "proposals", "plan", "strength", "report"):
        assert again.read(name) == CHAIN[name]
    assert again.read("verification").as_placed == CHAIN["verification"].as_placed
    again.verify()
    assert set(states(again).values()) == {State.FRESH}


def test_fields_come_back_within_their_precision(full):
    written, read = CHAIN["simulation"].fields, full.read("simulation").fields
    assert read.keys() == written.keys()
    for name, tolerance in {"cryoablation-1/minimum_degC": 0.0051, "cement_frac": 0.0005, "ice": 0}.items():
        assert read[name].unit == written[name].unit
        assert read[name].grid == written[name].grid
        assert np.allclose(read[name].values, written[name].values, rtol=0, atol=tolerance, equal_nan=True)
    assert np.isnan(read["cryoablation-1/minimum_degC"].values[0, 0, 0])


def test_the_same_nouns_give_the_same_bytes(full, tmp_path):
    other = Dossier.create(tmp_path / "other", samples.case())
    for name, noun in CHAIN.items():
        other.write(name, noun)
    assert {name: other.digest(name) for name in states(other)} == {name: full.digest(name) for name in states(full)}


def test_the_ct_file_lies_where_the_ct_lies(dossier):
    """Read by an independent program: SimpleITK, which turns RAS into LPS itself."""
    import SimpleITK

    image = SimpleITK.ReadImage(str(dossier.folder / "ct.nii.gz"))
    case = samples.case()
    for index in ((0, 0, 0), (11, 9, 7), (3, 1, 6)):
        assert np.allclose(image.TransformIndexToPhysicalPoint(index), case.grid.to_lps(index), atol=1e-3)
        assert image[index] == case.ct.values[index]
    assert image.GetPixelID() == SimpleITK.sitkInt16


def test_staleness_passes_on(full):
    full.write("proposals", (samples.proposal(), samples.proposal(2)))
    found = states(full)
    fresh = {"case", "assessment", "proposals", "control"}
    assert {name for name, state in found.items() if state is State.FRESH} == fresh
    assert {name for name, state in found.items() if state is State.STALE} == found.keys() - fresh
    assert full.state_of("plan").reasons == ("proposals changed",)
    assert "plan is stale" in full.state_of("simulation").reasons


def test_the_same_result_written_again_makes_nothing_stale(full):
    full.write("proposals", (samples.proposal(),))
    assert set(states(full).values()) == {State.FRESH}


def test_a_new_input_that_would_be_used_makes_stale(dossier):
    dossier.write("report", "<p>", made_from=("case",))
    assert dossier.is_fresh("report")
    dossier.write("assessment", samples.assessment())
    assert dossier.state_of("report").reasons == ("assessment is new",)


@pytest.mark.parametrize("damage", [b"", b"{}", b"x"])
@pytest.mark.parametrize("name", ["plan.json", "ct.nii.gz", "report.html", "control/case.json"])
def test_damage_is_found(full, name, damage):
    (full.folder / name).write_bytes(damage)
    again = Dossier.open(full.folder)
    with pytest.raises(DossierError, match=name.split("/")[0]) as caught:
        again.verify()
    assert caught.value.hint
    with pytest.raises(DossierError):
        again.read({"plan.json": "plan", "ct.nii.gz": "case", "report.html": "report"}.get(name, "control"))


def test_damage_inside_the_arrays_is_found(full):
    chunk = next(p for p in (full.folder / "simulation.zarr").rglob("*") if p.is_file() and p.name != "zarr.json")
    chunk.unlink()
    with pytest.raises(DossierError, match=r"simulation\.zarr"):
        full.verify()


@pytest.mark.parametrize(
    ("manifest", "said"),
    [("{", "JSON"), ('{"schema": "trocar/dossier/9"}', "newer"), ('{"schema": "trocar/dossier/1", "x": 1}', "x")],
)
def test_a_manifest_that_cannot_be_believed_is_refused(dossier, manifest, said):
    (dossier.folder / "trocar.json").write_text(manifest)
    with pytest.raises(DossierError, match=said):
        Dossier.open(dossier.folder)


@pytest.mark.parametrize(
    "file", ["../beside", "/etc/hostname", "..", "", "a/../../beside", "c:\\beside", "notes.txt", "trocar.json"]
)
@pytest.mark.parametrize("name", ["assessment", "case"])
def test_a_manifest_cannot_have_files_of_others_removed(full, file, name):
    """A dossier may come by mail: what its manifest lists as an entry's is moved and removed when that is made anew."""
    beside = full.folder.parent / "beside"
    beside.mkdir()
    path = full.folder / "trocar.json"
    manifest = json.loads(path.read_text())
    manifest["entries"][name]["files"][file] = "00"
    path.write_text(json.dumps(manifest))
    with pytest.raises(DossierError, match="no file of"):
        Dossier.open(full.folder)
    assert beside.is_dir()


def test_what_is_no_dossier_is_refused(tmp_path):
    with pytest.raises(DossierError, match="there is no"):
        Dossier.open(tmp_path / "absent")
    with pytest.raises(DossierError, match="no dossier"):
        Dossier.open(tmp_path)


def test_a_dossier_is_replaced_only_on_demand_and_nothing_else_ever(full, tmp_path):
    with pytest.raises(InputError, match="dossier already"):
        Dossier.create(full.folder, samples.case(1))
    sheets = full.folder / "documents"
    sheets.mkdir()
    for name in ("tumor-board-en.html", "tumor-board-fr.pdf", "my notes.txt"):
        (sheets / name).write_text("of the patient before")
    replaced = Dossier.create(full.folder, samples.case(1), replace_existing=True)
    assert [path.name for path in sheets.iterdir()] == ["my notes.txt"]
    shutil.rmtree(sheets)
    assert {n for n, s in states(replaced).items() if s is not State.MISSING} == {"case"}
    assert sorted(p.name for p in full.folder.iterdir() if not p.name.startswith(".")) == [
        "case.json", "ct.nii.gz", "phase-arterial.nii.gz", "structures.nii.gz", "trocar.json",
    ]  # fmt: skip
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("x")
    with pytest.raises(InputError, match="no dossier"):
        Dossier.create(tmp_path / "mine", samples.case(), replace_existing=True)


KILLED = """
import os, sys
from pathlib import Path
from trocar.io import commit
from trocar.io.dossier import Dossier
sys.path.insert(0, {tests!r})
from tests.unit.dossier import samples
calls = 0
def die_at(name):
    original = getattr(commit, name)
    def wrapped(*arguments, **options):
        global calls
        calls += 1
        if calls == {call}:
            os.kill(os.getpid(), 9)
        return original(*arguments, **options)
    setattr(commit, name, wrapped)
for name in ("sync", "sync_names", "write_atomically", "move_into_place", "sha256", "discard"):
    die_at(name)
dossier = Dossier.open({folder!r})
dossier.write("simulation", samples.simulation(3))
print("survived")
"""


@pytest.mark.parametrize("call", range(1, 40, 3))
def test_killed_while_writing_it_holds_the_old_or_the_new(full, call):
    old = full.digest("simulation")
    root = str(next(p for p in __import__("pathlib").Path(__file__).parents if (p / "pyproject.toml").exists()))
    program = KILLED.format(tests=root, call=call, folder=str(full.folder))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -9 or "survived" in done.stdout, done.stderr
    again = Dossier.open(full.folder)
    again.verify()
    new = samples.simulation(3)
    read = again.read("simulation")
    assert read.checks == new.checks
    is_new = np.allclose(read.fields["cement_frac"].values, new.fields["cement_frac"].values, atol=1e-3)
    assert is_new != (again.digest("simulation") == old)
    assert not (full.folder / commit.STAGING).exists()
    again.write("simulation", new)
    again.verify()
    assert not list(full.folder.glob(".*.new"))


def test_only_one_writes(dossier):
    other = Dossier.open(dossier.folder)
    with dossier.writing(), pytest.raises(DossierError, match="another trocar"):
        other.write("assessment", samples.assessment())
    other.write("assessment", samples.assessment())
    dossier.write("proposals", (samples.proposal(),))  # sees what the other wrote
    assert dossier.is_fresh("assessment") and dossier.is_fresh("proposals")


PASSES = replace(samples.simulation(), checks=())


def test_an_approval_is_revoked_by_staleness(full):
    full.write("simulation", PASSES)
    approval = full.approve("Dr. A")
    assert full.approvals() == ((approval, True),)
    full.write("assessment", replace(samples.assessment(), checks=()))
    assert full.approvals() == ((approval, False),)


def test_exactly_the_approvals_that_rest_on_what_changed_are_revoked(tmp_path):
    dossier = Dossier.create(tmp_path / "d", samples.case())
    dossier.write("assessment", samples.assessment())
    dossier.write("proposals", (samples.proposal(),))
    dossier.write("plan", samples.plan())
    of_the_plan = dossier.approve("Dr. A")
    dossier.write("simulation", PASSES)
    of_both = dossier.approve("Dr. B")
    changed = replace(PASSES, model="another")
    dossier.write("simulation", changed)
    assert dossier.approvals() == ((of_the_plan, True), (of_both, False))
    dossier.write("control", samples.case())  # a control rests on nothing, and nothing approved rests on it
    assert dossier.approvals() == ((of_the_plan, True), (of_both, False))
    dossier.write("proposals", (replace(samples.proposal(), rank=7),))
    assert dossier.approvals() == ((of_the_plan, False), (of_both, False))


def test_other_rules_revoke_an_approval_and_refuse_another(tmp_path, monkeypatch):
    dossier = Dossier.create(tmp_path / "d", samples.case())
    dossier.write("assessment", samples.assessment())
    dossier.write("proposals", (samples.proposal(),))
    dossier.write("plan", replace(samples.plan(), ruleset=ruleset().version))
    approval = dossier.approve("Dr. A")
    assert dossier.approvals() == ((approval, True),)
    newer = replace(ruleset(), version="2027.01+000000000000")
    monkeypatch.setattr("trocar.io.dossier.ruleset", lambda: newer)
    assert dossier.approvals() == ((approval, False),)
    with pytest.raises(PlanningError, match="other rules"):
        dossier.approve("Dr. B")


def test_a_draft_or_stale_plan_cannot_be_approved(full):
    full.write("plan", samples.plan(blocked_by=("G4",)))
    with pytest.raises(PlanningError, match="G4"):
        full.approve("Dr. A")
    full.write("plan", samples.plan(checks=(samples.CHECK,)))
    with pytest.raises(PlanningError, match="nerve_minimum_temperature"):
        full.approve("Dr. A")
    full.write("proposals", ())
    with pytest.raises(PlanningError, match="up-to-date"):
        full.approve("Dr. A")
    assert full.approvals() == ()


def test_a_plan_whose_simulation_fails_cannot_be_approved(full):
    with pytest.raises(PlanningError, match="nerve_minimum_temperature l5"):
        full.approve("A. Reader")
    full.write("simulation", PASSES)
    assert full.approve(" A. Reader ").approved_by == "A. Reader"


@pytest.mark.parametrize("name", ["", "   "])
def test_an_approval_without_a_name_is_refused(full, name):
    with pytest.raises(InputError):
        full.approve(name)


def test_overlapping_structures_and_many_of_them_are_kept_apart(tmp_path):
    grid = Grid.aligned(origin_lps_mm=(0.0, 0.0, 0.0), spacing_mm=(1.0, 1.0, 1.0), shape=(20, 20, 2))
    base = samples.case(grid=samples.OBLIQUE)
    structure = base.structures[0]
    many = []
    for number in range(300):
        inside = np.zeros(grid.shape, bool)
        inside[number % 20, number // 20 : number // 20 + 2] = True
        many.append(replace(structure, name=f"s{number}", inside=inside))
    empty = replace(structure, name="empty", inside=np.zeros(grid.shape, bool))
    ct = replace(base.ct, grid=grid, values=np.zeros(grid.shape, np.int16))
    case = replace(base, ct=ct, structures=(*many, empty), phases={})
    read = Dossier.create(tmp_path / "d", case).read("case")
    assert_same_case(read, case)


def test_a_copied_dossier_is_a_dossier(full, tmp_path):
    shutil.copytree(full.folder, tmp_path / "copy")
    copy = Dossier.open(tmp_path / "copy")
    copy.verify()
    assert set(states(copy).values()) == {State.FRESH}


def test_no_file_names_the_machine(full):
    for path in full.folder.rglob("*.json"):
        assert os.sep + "tmp" not in path.read_text()
        json.loads(path.read_text())
