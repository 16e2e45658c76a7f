"""The clinical file: absent is unknown, misspelt or impossible is refused by name."""

import datetime
from dataclasses import replace

import pytest

from trocar.catalog.conditions import comparisons
from trocar.catalog.minimum import minimum_data, without_a_meaning
from trocar.catalog.ruleset import ruleset
from trocar.catalog.sites import sites
from trocar.errors import CaseError, ReadError
from trocar.io.clinical import LONGEST_MM, read_clinical, with_shifted_dates
from trocar.io.vocabulary import OPEN, closed_words
from trocar.model.case import Clinical, Laboratory, LesionContext, Patient, Side, unknown_fields

CONTRACT = """
[patient]
age_years = 74
sex = "male"
weight_kg = 78.0
ecog = 1
asa = 3
positions_tolerated = ["supine", "lateral", "prone"]
implants = []
allergies = []
cold_disorder = false
[oncology]
primary = "lung"
intent = ["palliative"]
metastases_total = 3
metastases_painful = 1
expected_survival_months = 12
biopsy_requested = true
biopsy_purpose = ["molecular"]
prior_radiotherapy_at_site = false
[pain]
worst_nrs = 8
character = ["mechanical", "inflammatory"]
concordant_with_lesion = true
[laboratory]
date = 2026-11-20
platelets_giga_per_l = 210
inr = 1.1
egfr_ml_per_min = 85
crp_mg_per_l = 4
[drugs]
anticoagulants = []
antiplatelets = []
antiangiogenic = false
[infection]
systemic = false
local = false
[decision]
tumor_board_date = 2026-11-12
tumor_board_participants = ["oncologist", "radiation_oncologist", "surgeon"]
consultation_date = 2026-11-16
side = "left"
[[lesion]]
name = "lesion_1"
site = "iliac_wing"
level = ""
side = "left"
matrix = "lytic"
vascularity_grade = 0
fracture = "none"
neurological_deficit = "none"
"""


def written(folder, text):
    path = folder / "clinical.toml"
    path.write_text(text, encoding="utf-8")
    return path


# shows: R53, R84
def test_the_contracts_example(tmp_path):
    clinical = read_clinical(written(tmp_path, CONTRACT))
    assert clinical.patient.age_years == 74
    assert clinical.patient.implants == ()  # a known absence
    assert clinical.laboratory.date == datetime.date(2026, 11, 20)
    assert clinical.lesion[0].side is Side.LEFT
    assert clinical.decision.tumor_board_participants == ("oncologist", "radiation_oncologist", "surgeon")


def test_absent_is_unknown(tmp_path):
    assert read_clinical(written(tmp_path, "")) == Clinical()
    assert read_clinical(written(tmp_path, "[patient]\necog = 2\n")).patient.implants is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[patient]\nage_yeers = 74\n", "age_yeers"),
        ("[patients]\nage_years = 74\n", "patients"),
        ("[patient]\nage_years = 740\n", "age_years"),
        ("[patient]\nage_years = -1\n", "age_years"),
        ("[patient]\nage_years = nan\n", "age_years"),
        ('[patient]\nage_years = "74"\n', "age_years"),
        ("[patient]\necog = 5\n", "ecog"),
        ("[patient]\necog = true\n", "ecog"),
        ('[patient]\nsex = "m"\n', "sex"),
        ('[patient]\nname = "Jane Doe"\n', "name"),
        ("[laboratory]\ninr = 30\n", "inr"),
        ("[laboratory]\nplatelets_giga_per_l = 210000\n", "platelets_giga_per_l"),
        ('[laboratory]\ndate = "yesterday"\n', "date"),
        ("[pain]\nworst_nrs = 11\n", "worst_nrs"),
        ('[oncology]\nintent = ["palliatve"]\n', "intent"),
        ('[oncology]\nintent = "palliative"\n', "intent"),
        ("[oncology]\nmetastases_total = 1\nmetastases_painful = 2\n", "painful"),
        ('[decision]\nside = "sinister"\n', "side"),
        ('[[lesion]]\nsite = "rib"\n', "name"),
        ('[[lesion]]\nname = "lesion_1"\nvascularity_grade = 4\n', "vascularity_grade"),
        ('[[lesion]]\nname = "lesion_1"\n[[lesion]]\nname = "lesion_1"\n', "lesion"),
        ('[[lesion]]\nname = "lesion_1"\nmatrix = "liquid"\n', "matrix"),
        ("lesion = 3\n", "lesion"),
        ('[patient]\npositions_tolerated = ["lateral_left"]\n', "positions_tolerated"),
        ('[oncology]\nprimary = "renal"\n', "primary"),
        ('[decision]\nsurgical_opinion = "inoperable"\n', "surgical_opinion"),
        ('[[lesion]]\nname = "lesion_1"\nsite = "illiac_wing"\n', "site"),
        ('[[lesion]]\nname = "lesion_1"\nposterior_wall = "broken"\n', "posterior_wall"),
        ('[[lesion]]\nname = "lesion_1"\nneurological_deficit = "nonee"\n', "neurological_deficit"),
        ('[[lesion]]\nname = "lesion_1"\nalignment = "kyphosis"\n', "alignment"),
    ],
)
def test_a_misspelt_or_impossible_value_is_named(tmp_path, text, key):
    with pytest.raises(CaseError, match=key) as caught:
        read_clinical(written(tmp_path, text))
    assert caught.value.hint
    assert caught.value.exit_code == 2


def words_of_the_rules():
    """(field of the clinical file, word) of every word that a rule compares an entered value with."""
    rules = ruleset()
    kinds = (rules.gates, rules.classes, rules.techniques, rules.modifiers, rules.order)
    for test in (test for kind in kinds for rule in kind for test in comparisons(rule.when)):
        field = rules.inputs[test.input].field
        for word in test.value if isinstance(test.value, tuple) else (test.value,):
            if field and isinstance(word, str) and test.input != "mechanical_class":  # follows from the site
                yield field, word


def test_every_word_that_a_rule_reads_can_be_written():
    known = {**closed_words(), **OPEN}
    read = set(words_of_the_rules())
    assert len(read) > 30
    assert {(field, word) for field, word in read if word not in known.get(field, ())} == set()


def test_an_unknown_site_would_be_read_as_no_site_so_it_is_refused_with_those_known(tmp_path):
    with pytest.raises(CaseError) as caught:
        read_clinical(written(tmp_path, '[[lesion]]\nname = "lesion_1"\nsite = "ilium"\n'))
    assert all(site in caught.value.hint for site in sites())


@pytest.mark.parametrize("words", [["latex"], ["penicillin", "pmma"], ["nickel_alloy"], ["gadolinium"], []])
def test_allergies_may_be_any(tmp_path, words):
    assert read_clinical(written(tmp_path, f"[patient]\nallergies = {words}\n")).patient.allergies == tuple(words)


@pytest.mark.parametrize(
    ("key", "word", "meant"),
    [
        ("patient.allergies", "contrast_agent", "contrast"),
        ("patient.allergies", "iodinated", "iodinated_contrast"),
        ("patient.allergies", "metacrylate", "methacrylate"),
        ("patient.allergies", "PMMA", "lower_case"),
        ("patient.allergies", "iodinated contrast", "lower_case"),
        ("patient.implants", "cardiac_pacemaker", "pacemaker"),
        ("patient.implants", "neurostimulater", "neurostimulator"),
        ("decision.tumor_board_participants", "orthopedic_surgeon", "surgeon"),
    ],
)
def test_a_word_that_a_rule_would_pass_over_is_refused(tmp_path, key, word, meant):
    group, name = key.split(".")
    with pytest.raises(CaseError, match=meant) as caught:
        read_clinical(written(tmp_path, f'[{group}]\n{name} = ["{word}"]\n'))
    assert key in str(caught.value) and caught.value.hint.startswith("known words: ")


@pytest.mark.parametrize("content", [b"[patient\n", b"\xff\xfe\x00", b'a = "unclosed\n'])
def test_another_kind_of_file_is_refused(tmp_path, content):
    path = tmp_path / "clinical.toml"
    path.write_bytes(content)
    with pytest.raises(ReadError, match="not a TOML file") as caught:
        read_clinical(path)
    assert caught.value.hint
    with pytest.raises(ReadError, match="no file"):
        read_clinical(tmp_path / "absent.toml")


def test_every_date_is_shifted_and_nothing_else(tmp_path):
    clinical = read_clinical(written(tmp_path, CONTRACT))
    moved = with_shifted_dates(clinical, -70)
    assert "2026-11" not in repr(moved) and "(2026, 11" not in repr(moved)
    assert (clinical.laboratory.date - moved.laboratory.date).days == 70
    assert with_shifted_dates(moved, 70) == clinical


def test_every_field_has_a_name_and_a_reason_in_both_languages():
    wanted = minimum_data()
    assert [field for field in unknown_fields(Clinical()) if field not in wanted] == []
    assert all(item.label.en and item.label.fr and item.why.en and item.why.fr for item in wanted.values())


def test_what_the_site_makes_pointless_is_not_asked_for():
    ilium = Clinical(patient=Patient(sex="male"), lesion=(LesionContext(name="lesion_1", site="iliac_wing"),))
    pointless = without_a_meaning(ilium)
    assert {"lesion.epidural_grade", "lesion.axial_cortical_mm", "patient.pregnant"} <= pointless
    assert "lesion.matrix" not in pointless and "laboratory.inr" not in pointless
    spine = replace(ilium, lesion=(*ilium.lesion, LesionContext(name="lesion_2", site="vertebra")))
    assert "lesion.epidural_grade" not in without_a_meaning(spine)
    unknown = replace(ilium, lesion=(*ilium.lesion, LesionContext(name="lesion_2")))
    assert without_a_meaning(unknown) == {"patient.pregnant", "laboratory.pregnancy_test_positive"}


def test_a_field_without_a_meaning_is_declared_not_left_out(tmp_path):
    declared = read_clinical(written(tmp_path, '[patient]\nnot_applicable = ["pregnant"]\n'))
    assert "patient.pregnant" not in unknown_fields(declared)
    assert "patient.pregnant" in unknown_fields(read_clinical(written(tmp_path, "")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[laboratory]\nnot_applicable = ["inr"]\n', "inr"),  # a blood test always applies
        ('[patient]\npregnant = false\nnot_applicable = ["pregnant"]\n', "has a value"),
        ("[oncology]\nmetastases_total = 1\nmetastases_bone = 2\n", "bone metastases"),
        ('[[lesion]]\nname = "lesion_1"\ndiameters_mm = [30.0, 20.0]\n', "three"),
        ('[[lesion]]\nname = "lesion_1"\nvolume_ml = 3.0\nsoft_tissue_ml = 4.0\n', "lesion_1.soft_tissue_ml 4 above"),
        ("[pain]\nworst_nrs = 3\naverage_nrs = 4\n", "pain.average_nrs 4 above pain.worst_nrs 3"),
        ('[patient]\nsex = "male"\npregnant = true\n', "patient.sex is male"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, text, said):
    with pytest.raises(CaseError, match=said):
        read_clinical(written(tmp_path, text))


@pytest.mark.parametrize("length", ["nan", "inf", "-5.0", "0.0", "50000.0"])
def test_a_diameter_that_no_lesion_has_is_refused(tmp_path, length):
    text = f'[[lesion]]\nname = "lesion_1"\ndiameters_mm = [30.0, 20.0, {length}]\n'
    with pytest.raises(CaseError, match=r"lesion_1.diameters_mm") as caught:
        read_clinical(written(tmp_path, text))
    assert caught.value.hint and caught.value.exit_code == 2
    longest = f'[[lesion]]\nname = "lesion_1"\ndiameters_mm = [{LONGEST_MM}, 0.1, 0.1]\n'
    assert read_clinical(written(tmp_path, longest)).lesion[0].diameters_mm == (LONGEST_MM, 0.1, 0.1)


def test_a_field_out_of_its_range_is_named_as_the_file_names_it(tmp_path):
    with pytest.raises(CaseError, match=r"clinical.toml: patient.age_years = 740"):
        read_clinical(written(tmp_path, "[patient]\nage_years = 740\n"))
    with pytest.raises(CaseError, match=r"clinical.toml: lesion.volume_ml = 9000"):
        read_clinical(written(tmp_path, '[[lesion]]\nname = "lesion_1"\nvolume_ml = 9000\n'))


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31"])
def test_a_date_that_stands_for_none_is_refused(tmp_path, date):
    with pytest.raises(CaseError, match=f"laboratory.date = {date}") as caught:
        read_clinical(written(tmp_path, f"[laboratory]\ndate = {date}\n"))
    assert "leave the field out" in caught.value.hint


def test_a_date_that_cannot_be_shifted_is_an_error_of_the_case():
    first = replace(Clinical(), laboratory=Laboratory(date=datetime.date.min))
    with pytest.raises(CaseError, match="0001-01-01") as caught:
        with_shifted_dates(first, -7)
    assert caught.value.hint


def test_utf8_is_read_with_or_without_its_mark_and_another_encoding_is_named(tmp_path):
    path = tmp_path / "clinical.toml"
    path.write_bytes(b"\xef\xbb\xbf[patient]\necog = 1\n")
    assert read_clinical(path).patient.ecog == 1
    path.write_bytes("# éventuel\n[patient]\necog = 1\n".encode("latin-1"))
    with pytest.raises(ReadError, match="not in UTF-8") as caught:
        read_clinical(path)
    assert "UTF-8" in caught.value.hint


def test_a_lesion_is_named_as_its_structure_is(tmp_path):
    assert read_clinical(written(tmp_path, '[[lesion]]\nname = "lesion"\n')).lesion[0].name == "lesion_1"
    with pytest.raises(CaseError, match="one name"):
        read_clinical(written(tmp_path, '[[lesion]]\nname = "lesion"\n[[lesion]]\nname = "lesion_1"\n'))
    with pytest.raises(CaseError, match=r"clinical.toml: lesion.name") as caught:
        read_clinical(written(tmp_path, '[[lesion]]\nname = "../x"\n'))
    assert caught.value.hint
