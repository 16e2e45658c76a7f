"""What cannot be used is refused: exit code 2, `error:` and `hint:`, and nothing written."""

import gzip
import json
import shutil

import nibabel
import numpy as np
import pytest

from trocar.cli.commands import run_command
from trocar.io.dossier import Dossier

from . import files


def changed(source, target, change):
    """A NIfTI file with its values and matrix changed."""
    image = nibabel.load(source)
    values, affine = change(np.asarray(image.dataobj), image.affine.copy())
    nibabel.save(nibabel.Nifti1Image(values, affine), target)
    return target


def text_file(given, folder):
    path = folder / "ct.nii.gz"
    path.write_text("this is no image")
    return {"--ct": path}


def absent(given, folder):
    return {"--ct": folder / "absent"}


def empty_folder(given, folder):
    (folder / "empty").mkdir()
    return {"--ct": folder / "empty"}


def empty_mask(given, folder):
    mask = changed(given["lesion"], folder / "lesion.nii.gz", lambda v, a: (np.zeros_like(v), a))
    return {"--structure": f"lesion_1={mask}"}


def mask_elsewhere(given, folder):
    def moved(values, affine):
        affine[:3, 3] += 600.0
        return values, affine

    return {"--structure": f"lesion_1={changed(given['lesion'], folder / 'lesion.nii.gz', moved)}"}


def empty_slice(given, folder):
    shutil.copytree(given["dicom"], folder / "dicom")
    (folder / "dicom/030.dcm").write_bytes(b"")
    return {"--ct": folder / "dicom"}


def truncated_slice(given, folder):
    shutil.copytree(given["dicom"], folder / "dicom")
    path = folder / "dicom/030.dcm"
    path.write_bytes(path.read_bytes()[:3000])
    return {"--ct": folder / "dicom"}


def missing_slice(given, folder):
    shutil.copytree(given["dicom"], folder / "dicom")
    (folder / "dicom/030.dcm").unlink()
    return {"--ct": folder / "dicom"}


def not_a_number(given, folder):
    def holed(values, affine):
        values = values.astype(np.float32)
        values[40:44, 40:44, 30:34] = np.nan
        return values, affine

    return {"--ct": changed(given["ct"], folder / "ct.nii.gz", holed)}


def tenfold(given, folder):
    return {"--ct": changed(given["ct"], folder / "ct.nii.gz", lambda v, a: (v.astype(np.int16) * 10, a))}


def sheared(given, folder):
    def shear(values, affine):
        affine[0, 1] += 0.5 * affine[1, 1]
        return values, affine

    return {"--ct": changed(given["ct"], folder / "ct.nii.gz", shear)}


def flipped_bit(given, folder):
    content = bytearray(given["ct"].read_bytes())
    content[-5000] ^= 0x10
    (folder / "ct.nii.gz").write_bytes(content)
    return {"--ct": folder / "ct.nii.gz"}


def impossible_unit(given, folder):
    image = bytearray(gzip.decompress(given["ct"].read_bytes()))
    image[123] = 7
    (folder / "ct.nii").write_bytes(image)
    return {"--ct": folder / "ct.nii"}


def single_slice(given, folder):
    return {"--ct": changed(given["ct"], folder / "ct.nii.gz", lambda v, a: (v[:, :, :1], a))}


def lesion_of_everything(given, folder):
    mask = changed(given["lesion"], folder / "lesion.nii.gz", lambda v, a: (np.ones_like(v), a))
    return {"--structure": f"lesion_1={mask}"}


def repeated_label(given, folder):
    (folder / "labels.json").write_text('{"1": "hip_left", "1": "hip_right"}')
    return {"--labels": folder / "labels.json"}


def endless_labels(given, folder):
    (folder / "labels.json").write_text("[" * 100_000)
    return {"--labels": folder / "labels.json"}


def damaged_control_points(given, folder):
    (folder / "nerve.mrk.json").write_text('{"markups": [{"name": "sciatic_nerve_left", "controlPoints": 5}]}')
    return {"--markups": folder / "nerve.mrk.json"}


def impossible_diameters(given, folder):
    (folder / "clinical.toml").write_text('[[lesion]]\nname = "lesion_1"\ndiameters_mm = [nan, 20.0, 10.0]\n')
    return {"--clinical": folder / "clinical.toml"}


def placeholder_date(given, folder):
    (folder / "clinical.toml").write_text("[laboratory]\ndate = 0001-01-01\n")
    return {"--clinical": folder / "clinical.toml", "--ct": given["dicom"]}


def latin_1(given, folder):
    (folder / "clinical.toml").write_bytes("# relevé\n[patient]\necog = 1\n".encode("latin-1"))
    return {"--clinical": folder / "clinical.toml"}


def unknown_label(given, folder):
    (folder / "labels.json").write_text(json.dumps({"1": "hip_left"}))
    return {"--labels": folder / "labels.json"}


def unknown_role(given, folder):
    (folder / "labels.json").write_text(json.dumps({str(n): {"name": f"x{n}", "role": "gizmo"} for n in range(1, 10)}))
    return {"--labels": folder / "labels.json"}


def misspelt_clinical_key(given, folder):
    (folder / "clinical.toml").write_text("[patient]\nage_yaers = 74\n")
    return {"--clinical": folder / "clinical.toml"}


def impossible_clinical_value(given, folder):
    (folder / "clinical.toml").write_text("[patient]\nage_years = 740\n")
    return {"--clinical": folder / "clinical.toml"}


def broken_clinical_file(given, folder):
    (folder / "clinical.toml").write_text("[patient\n")
    return {"--clinical": folder / "clinical.toml"}


def broken_markups(given, folder):
    (folder / "nerve.mrk.json").write_text("{}")
    return {"--markups": folder / "nerve.mrk.json"}


BAD = [
    text_file, absent, empty_folder, empty_mask, mask_elsewhere, empty_slice, truncated_slice, missing_slice,
    not_a_number, tenfold, sheared, unknown_label, unknown_role, misspelt_clinical_key, impossible_clinical_value,
    broken_clinical_file, broken_markups, flipped_bit, impossible_unit, single_slice, lesion_of_everything,
    repeated_label, endless_labels, damaged_control_points, impossible_diameters, placeholder_date, latin_1,
]  # fmt: skip


def arguments_of(given, changes):
    good = {
        "--ct": given["ct"],
        "--structures": given["structures"],
        "--labels": given["labels"],
        "--structure": f"lesion_1={given['lesion']}",
        "--clinical": given["clinical"],
    }
    return [str(part) for option in (good | changes).items() for part in option]


@pytest.mark.parametrize("damage", BAD, ids=lambda damage: damage.__name__)
def test_it_is_refused_with_a_hint_and_nothing_is_written(given, damage, tmp_path, capsys):
    (tmp_path / "input").mkdir()
    arguments = arguments_of(given, damage(given, tmp_path / "input"))
    target = tmp_path / "dossier"
    code = run_command(["new", str(target), *arguments])
    captured = capsys.readouterr()
    assert code == 2, captured.err
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[0].startswith("error: ") and lines[1].startswith("hint: ") and len(lines) == 2
    assert not target.exists()


def test_a_refused_replacement_leaves_the_old_dossier(given, tmp_path, capsys):
    target = tmp_path / "dossier"
    assert run_command(["new", str(target), *arguments_of(given, {})]) == 0
    before = Dossier.open(target).digest("case")
    bad = arguments_of(given, {"--ct": tmp_path / "absent"})
    assert run_command(["new", str(target), "--force", *bad]) == 2
    again = Dossier.open(target)
    again.verify()
    assert again.digest("case") == before


def test_a_bad_control_leaves_the_dossier_as_it_was(given, tmp_path, capsys):
    target = tmp_path / "dossier"
    assert run_command(["new", str(target), *arguments_of(given, {})]) == 0
    control = tmp_path / "control.nii.gz"
    control.write_bytes(b"")
    assert run_command(["verify", str(target), "--control", str(control)]) == 2
    assert "hint: " in capsys.readouterr().err
    assert "control" not in Dossier.open(target)


def test_the_good_files_are_read_alike_from_dicom_and_nifti(given, ilium, tmp_path, capsys):
    for kind in ("ct", "dicom"):
        code = run_command(["new", str(tmp_path / kind), *arguments_of(given, {"--ct": given[kind]})])
        assert code == 0, capsys.readouterr().err
    nifti, dicom = (Dossier.open(tmp_path / kind).read("case") for kind in ("ct", "dicom"))
    assert np.array_equal(nifti.ct.values, dicom.ct.values)
    assert nifti.grid.matches(dicom.grid, tolerance_mm=0.01)
    for name in (*files.LABELED, "lesion_1"):
        assert np.array_equal(nifti.structure(name).inside, dicom.structure(name).inside)
    assert np.array_equal(nifti.structure("lesion_1").inside, ilium.structure("lesion_1").inside)
    written = "".join(path.read_text(errors="ignore") for path in (tmp_path / "dicom").glob("*.json"))
    assert "DOE" not in written and "4711" not in written
