"""The pages on what trocar reads say what the code does: every field and word, every finding and threshold."""

import ast
import re
from pathlib import Path

import pytest

from trocar.io import dicom_stack, geometry, nifti, place, region, rtstruct
from trocar.io.clinical import read_clinical
from trocar.io.schema import json_schema
from trocar.io.vocabulary import OPEN, closed_words

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json_schema("clinical")
CLINICAL = (ROOT / "docs/reference/clinical.md").read_text()
GEOMETRY = (ROOT / "docs/reference/geometry.md").read_text()


def group_schema(group):
    """The JSON schema of a group's fields."""
    entry = SCHEMA["properties"][group]
    return SCHEMA["$defs"][(entry.get("$ref") or entry["items"]["$ref"]).rsplit("/", 1)[-1]]


def group_rows(group):
    """{field: (type, words)} as the page says."""
    (section,) = re.findall(rf"^## [^\n]*`\[+{group}\]+`\n(.*?)(?=^## |\Z)", CLINICAL, re.M | re.S)
    return {row[0]: row[1:] for row in re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]*)\| [^|]+ \|$", section, re.M)}


def described(field, schema):
    """(type, words) of a field from its schema and its vocabulary."""
    kind = next((item for item in schema.get("anyOf", ()) if item.get("type") != "null"), schema)
    several = kind.get("type") == "array"
    words = closed_words().get(field) or OPEN.get(field)
    if "$ref" in kind:
        words = SCHEMA["$defs"]["Side"]["enum"]
    if kind.get("format") == "date":
        name = "date"
    elif words or several or kind["type"] == "string":
        numbers = several and kind["items"]["type"] == "number"
        name = ("word" if words else "number" if numbers else "text") + "s" * several
    else:
        name = {"number": "number", "integer": "whole number", "boolean": "true or false"}[kind["type"]]
    if "minimum" in schema:
        name += f", {schema['minimum']:g} to {schema['maximum']:g}"
    return name, set(words or ()), field in OPEN


# shows: R69
@pytest.mark.parametrize("group", SCHEMA["properties"])
def test_the_page_lists_every_field_with_its_type_and_words(group):
    fields, rows = group_schema(group)["properties"], group_rows(group)
    assert list(rows) == list(fields)
    for name, schema in fields.items():
        kind, cell = rows[name]
        told = kind, set(re.findall(r"`(\w+)`", cell)), cell.strip().endswith("others")
        assert told == described(f"{group}.{name}", schema), name


def test_the_pages_groups_are_those_of_the_file():
    assert re.findall(r"^## .*`\[+(\w+)\]+`$", CLINICAL, re.M) == list(SCHEMA["properties"])
    for group in SCHEMA["properties"]:
        required = group_schema(group).get("required", [])
        section = CLINICAL.split(f"[{group}]")[-1].split("\n## ")[0]
        assert section.count("Required.") == len(required)


def test_every_vocabulary_is_of_a_field():
    fields = {f"{group}.{name}" for group in SCHEMA["properties"] for name in group_schema(group)["properties"]}
    assert closed_words().keys() | OPEN.keys() <= fields
    assert not closed_words().keys() & OPEN.keys()


def test_the_example_can_be_read(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", CLINICAL, re.S)
    path = tmp_path / "clinical.toml"
    path.write_text(example)
    assert read_clinical(path).lesion[0].site == "iliac_wing"


TWO_THRESHOLDS = {
    "slice_orientation": (dicom_stack.DIRECTION_SILENT_DEG, dicom_stack.DIRECTION_REFUSED_DEG),
    "pixel_spacing": (dicom_stack.PIXEL_SILENT_FRAC, dicom_stack.PIXEL_REFUSED_FRAC),
    "slice_spacing": (
        dicom_stack.SPACING_SILENT_MM,
        dicom_stack.SPACING_REFUSED_FRAC,
        dicom_stack.SPACING_REFUSED_MM,
    ),
    "slice_sideways": (dicom_stack.SIDEWAYS_SILENT_MM, dicom_stack.SIDEWAYS_REFUSED_MM),
    "shear": (geometry.SHEAR_SILENT_MM, geometry.SHEAR_REFUSED_MM),
    "qform_sform": (nifti.FORMS_SILENT_MM, nifti.FORMS_REFUSED_MM),
    "cut_off": (region.CUT_OFF_SILENT_FRAC, region.CUT_OFF_REFUSED_FRAC),
    "outside_image": (geometry.UNSHOWN_SAID_FRAC, geometry.UNSHOWN_REFUSED_FRAC),
    "outside_body": (place.OUTSIDE_SAID_FRAC, place.OUTSIDE_REFUSED_FRAC),
}


def numbers(text):
    return tuple(float(found) for found in re.findall(r"\d+(?:\.\d+)?", text))


def test_the_pages_thresholds_are_those_of_the_code():
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", GEOMETRY, re.M)
    assert {name: numbers(silent) + numbers(refused) for name, silent, refused in rows} == TWO_THRESHOLDS


@pytest.mark.parametrize(
    ("sentence", "thresholds"),
    [
        (r"below (\d+) HU is said \(`bone_density`\), below\n(\d+) HU refused", ("BONE_SAID_HU", "BONE_REFUSED_HU")),
        (r"less than (\d+) mm apart is said, (\d+) mm\nthe wrong way round is refused", ("PAIR_SAID_MM",) * 2),
        (r"more than (\d+) mm across the midline .+ is said, more than\n(\d+) mm is refused",
         ("MIDLINE_SAID_MM", "MIDLINE_REFUSED_MM")),
    ],
)  # fmt: skip
def test_the_sentences_on_places_hold(sentence, thresholds):
    (told,) = re.findall(sentence, GEOMETRY)
    assert tuple(map(float, told)) == tuple(getattr(place, name) for name in thresholds)


def test_the_steps_of_gantry_tilt_are_those_of_the_code():
    section = GEOMETRY.split("## Gantry tilt")[1].split("\n## ")[0]
    assert numbers(section) == (
        dicom_stack.DRIFT_SILENT_MM,
        dicom_stack.DRIFT_RESAMPLED_MM,
        dicom_stack.TILT_REFUSED_DEG,
    )
    refused = GEOMETRY.split("## Always refused")[1]
    assert f"closer than {dicom_stack.SAME_POSITION_MM:g} mm" in refused
    assert f"by more than {rtstruct.PLANE_REFUSED_VOX:g} voxels" in refused


def test_every_finding_of_the_readers_is_told_under_what_happens():
    """Which findings exist, and which two-threshold or repairing, is read from the calls that make them."""
    made = {"judged": set(), "said": set(), "repaired": set()}
    for call in (
        call for path in (ROOT / "src/trocar/io").glob("*.py") for call in ast.walk(ast.parse(path.read_text()))
    ):
        match call:
            case ast.Call(func=ast.Name(id="judged" | "said" as kind), args=[_, ast.Constant(value=name), *_]):
                repaired = any(item.arg == "repaired" for item in call.keywords)
                made["repaired" if repaired else kind].add(name)
    assert made["judged"] == TWO_THRESHOLDS.keys()
    for heading, kind in (("## Always repaired", "repaired"), ("## Always said", "said")):
        section = GEOMETRY.split(heading)[1].split("\n## ")[0]
        told = set(re.findall(r"^\| `(\w+)`", section, re.M))
        assert told == made[kind] - {"gantry_tilt", "bone_density", "side"}
    assert all(f"`{name}`" in GEOMETRY for names in made.values() for name in names)
