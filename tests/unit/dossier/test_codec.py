"""Every noun survives writing and reading, and what is not such a document is refused with the reason."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trocar.errors import DossierError, InputError, SolverError
from trocar.io.codec import DOCUMENTS, decode, document, encode, schema_id
from trocar.io.manifest import Entry, Manifest
from trocar.io.schema import json_schema
from trocar.io.stored import Proposals
from trocar.model.case import Clinical, LesionContext, Patient, Side

from . import samples

NOUNS = {
    "assessment": samples.assessment(),
    "proposals": Proposals(proposals=(samples.proposal(1), samples.proposal(2))),
    "plan": samples.plan(),
    "strength": samples.strength(),
    "clinical": Clinical(patient=Patient(age_years=74, allergies=()), lesion=(LesionContext(name="lesion_1"),)),
    "dossier": Manifest(entries={"case": Entry(files={"a": "b"}, made_when="now", made_by="trocar")}),
}


@pytest.mark.parametrize("kind", NOUNS)
def test_reading_gives_what_was_written(kind):
    content = encode(kind, NOUNS[kind])
    again = decode(kind, content, source="test")
    assert again == NOUNS[kind]
    assert encode(kind, again) == content


def test_nouns_with_arrays_keep_all_else():
    simulation, verification = samples.simulation(), samples.verification()
    read = decode("simulation", encode("simulation", simulation), source="test")
    assert (read.states, read.checks, read.fields) == (simulation.states, simulation.checks, {})
    read = decode("verification", encode("verification", verification), source="test")
    assert read.as_placed == verification.as_placed
    assert read.registration == verification.registration


def test_documents_open_with_their_schema_and_use_the_contract_s_keys():
    written = document("proposals", NOUNS["proposals"])
    assert list(written) == ["schema", "proposals"]
    assert written["schema"] == "trocar/proposals/1"
    technique = written["proposals"][0]["techniques"][0]
    assert technique["for"][0]["rule"] == "T1" and technique["against"] == []
    assert document("verification", samples.verification())["registration"]["control_from_plan"][3] == [0, 0, 0, 1]
    state = document("simulation", samples.simulation())["states"][0]
    assert state["zones"]["-20_degC"]["coverage_frac"] == {"lesion": 0.9, "bone": 0.8, "soft_tissue": 1.0}


def test_files_are_text_a_person_can_read():
    text = encode("proposals", NOUNS["proposals"]).decode()
    assert "métastase" in text
    assert '"target_lps_mm": [0.0, 0.0, 40.1]' in encode("plan", NOUNS["plan"]).decode()


@given(st.text())
def test_any_text_survives(name):
    noun = Clinical(lesion=(LesionContext(name=name, side=Side.LEFT),))
    assert decode("clinical", encode("clinical", noun), source="test") == noun


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d | {"schema": "trocar/plan/2"}, "newer"),
        (lambda d: d | {"schema": "trocar/assessment/1"}, "not 'trocar/plan/1'"),
        (lambda d: {k: v for k, v in d.items() if k != "schema"}, "None"),
        (lambda d: d | {"stepps": []}, "stepps"),
        (lambda d: d | {"steps": [d["steps"][0] | {"technique": "laser"}]}, "steps.0.technique"),
        (lambda d: d | {"lesion": 3}, "lesion"),
    ],
)
def test_what_is_no_such_document_is_refused_where_it_is_wrong(change, said):
    values = change(document("plan", samples.plan()))
    with pytest.raises(DossierError, match=said):
        decode("plan", json.dumps(values).encode(), source="plan.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b"null"])
def test_what_is_no_json_object_is_refused(content):
    with pytest.raises(DossierError, match=r"plan\.json"):
        decode("plan", content, source="plan.json")


def test_impossible_values_are_refused_on_reading():
    values = document("clinical", Clinical()) | {"patient": {"age_years": 300}}
    with pytest.raises(DossierError, match="age_years"):
        decode("clinical", json.dumps(values).encode(), source="x")


def test_a_number_that_is_not_finite_is_not_written():
    step = samples.plan().steps[0]
    placement = type(step.placements[0])(
        device="d", role="probe", name="p", entry_lps_mm=(0, 0, 0), target_lps_mm=(0, 0, 1), skin_lps_mm=(0, 0, 0),
        length_mm=float("inf"), diameter_mm=1,
    )  # fmt: skip
    plan = samples.plan(steps=(type(step)(id="s", technique=step.technique, action="ABLATE", lesion="l",
                                          duration_min=step.duration_min, placements=(placement,)),))  # fmt: skip
    with pytest.raises(SolverError, match=r"plan.steps\[0\].placements\[0\].length_mm"):
        encode("plan", plan)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_document_has_a_published_schema(kind):
    schema = json_schema(kind)
    assert schema["title"] == schema_id(kind)
    assert schema["additionalProperties"] is False
    assert "fields" not in schema["properties"]
    json.dumps(schema, allow_nan=False)


def test_the_clinical_schema_states_the_ranges():
    age = json_schema("clinical")["$defs"]["Patient"]["properties"]["age_years"]
    assert (age["minimum"], age["maximum"]) == (0, 120)


def test_the_clinical_schema_lists_the_words_of_closed_fields():
    schema = json_schema("clinical")
    lesion = schema["$defs"]["LesionContext"]["properties"]
    matrix = next(kind for kind in lesion["matrix"]["anyOf"] if kind["type"] == "string")
    assert matrix["enum"] == ["lytic", "mixed", "sclerotic"]
    declared = schema["$defs"]["Laboratory"]["properties"]["not_applicable"]
    assert declared["items"]["enum"] == ["pregnancy_test_positive"]


def test_an_unknown_schema_is_an_input_error():
    with pytest.raises(InputError, match="there is no schema 'x'"):
        json_schema("x")
