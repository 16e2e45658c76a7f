"""Devices, limits and sources: every number has a source that resolves, and a broken file says what is wrong."""

import dataclasses

import pytest

import trocar.catalog
from trocar.catalog import device, devices, limit, limits, references
from trocar.catalog.facts import read_devices, read_limits
from trocar.catalog.read import CATALOG
from trocar.catalog.sites import sites
from trocar.catalog.sources import cited_keys
from trocar.errors import CatalogError
from trocar.model.device import Cryoprobe, MicrowaveAntenna, RfElectrode

DEVICE_IDS = """
cryoprobe-14g-iceforce cryoprobe-17g-icesphere cryoprobe-17g-icerod cryoprobe-17g-generic needle-soft-tissue-18g
needle-bone-11g trocar-8g trocar-10g trocar-11g wire-2.8 screw-6.5 screw-7.3 screw-8.0 cement-pmma-generic
microspheres-300-500 coil-generic thermocouple spinal-needle-20g sheath-5f
"""
GAUGE_OUTER_MM = {"8g": 4.19, "10g": 3.40, "11g": 3.05, "20g": 0.91}  # Birmingham gauge


def test_the_start_set_is_there():
    assert set(DEVICE_IDS.split()) <= set(devices())


@pytest.mark.parametrize("item", list(devices().values()), ids=lambda item: item.id)
def test_every_known_field_has_a_source_that_resolves(item):
    known = {
        field.name
        for field in dataclasses.fields(item)
        if field.name not in {"id", "kind", "sources", "notes", "isotherms", "zones", "model_prior", "standard_errors"}
        and getattr(item, field.name) not in (None, ())
    }
    assert known == set(item.sources)
    assert all(key in references() for source in item.sources.values() for key in cited_keys(source))


def test_gauges_have_their_outer_diameter():
    for item in devices().values():
        gauge = item.id.split("-")[-1]
        if gauge in GAUGE_OUTER_MM and item.kind != "cryoprobe":
            assert item.diameter_mm == pytest.approx(GAUGE_OUTER_MM[gauge])


def test_no_cryoprobe_claims_to_be_calibrated():
    probes = [item for item in devices().values() if isinstance(item, Cryoprobe)]
    assert probes and all(probe.model_prior for probe in probes)


def test_what_heats_claims_nothing_of_low_confidence_and_no_calibration():
    heaters = [
        item for item in devices().values() if item.kind in ("rf_electrode", "rf_generator", "microwave_antenna")
    ]
    assert {item.kind for item in heaters} == {"rf_electrode", "rf_generator", "microwave_antenna"}
    assert not [item.id for item in heaters for source in item.sources.values() if "R-l" in cited_keys(source)]
    assert all(item.model_prior for item in heaters if isinstance(item, MicrowaveAntenna))


def test_an_array_has_its_diameter_and_a_zone_lies_around_the_antenna():
    for item in devices().values():
        if isinstance(item, RfElectrode):
            assert (item.form == "array") is (item.array_diameter_mm is not None)
        if isinstance(item, MicrowaveAntenna) and item.zones:
            for zone in item.zones:  # the middle of the ellipsoid stays where the antenna radiates most
                assert zone.length_mm / 2 - zone.beyond_tip_mm == pytest.approx(item.center_from_tip_mm)


def test_limits_of_heat_and_cold_do_not_cross():
    for part in ("nerve", "skin", "bowel"):
        assert limit(f"{part}_min_degC").value < 37 < limit(f"{part}_max_degC").value
    assert limit("nerve_warn_max_degC").value < limit("nerve_max_degC").value < limit("lethal_heat_degC").value


def test_a_screw_takes_its_wire_and_an_8g_trocar_does_not_claim_a_lumen():
    assert device("screw-7.3").wire_mm == device("wire-2.8").diameter_mm
    assert device("trocar-8g").inner_diameter_mm is None


@pytest.mark.parametrize("item", list(limits().values()), ids=lambda item: item.key)
def test_every_limit_has_a_unit_a_resolved_source_and_both_texts(item):
    assert item.unit and item.text.en and item.text.fr
    assert all(key in references() for key in cited_keys(item.source))
    suffix = {
        "mm": "mm",
        "ml": "_ml",
        "degC": "degC",
        "d": "_d",
        "months": "_months",
        "deg": "_deg",
        "min": "_min",
        "MPa": "_MPa",
        "1": ("frac", "_omega", "_factor"),
    }[item.unit]
    assert item.key.endswith(suffix)


def test_the_limits_of_nerves_are_those_of_the_literature():
    assert (limit("nerve_min_degC").value, limit("nerve_max_degC").value) == (10.0, 45.0)
    assert limit("nerve_min_degC").source == "V26"


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(CatalogError, match="no-such-device") as error:
        device("no-such-device")
    assert "trocar-8g" in error.value.hint
    with pytest.raises(CatalogError, match="no_such_limit"):
        limit("no_such_limit")
    with pytest.raises(AttributeError):
        trocar.catalog.no_such_thing  # noqa: B018


# shows: R19
def test_every_site_has_a_mechanical_class_with_a_source():
    assert sites()["iliac_wing"].mechanical_class == "torsion_shear"
    assert sites()["vertebra"].mechanical_class == "compression"
    assert all(key in references() for site in sites().values() for key in cited_keys(site.source))


@pytest.mark.parametrize(
    ("source", "keys"),
    [("V26", ("V26",)), ("design (42 in V31), R-h", ("design", "R-h")), ("V12, V90", ("V12", "V90"))],
)
def test_a_source_is_a_list_of_keys_with_details(source, keys):
    assert cited_keys(source) == keys


@pytest.mark.parametrize("source", ["", "  ", "V26;V27", "somewhere in a book"])
def test_what_cites_nothing_readable_is_refused(source):
    with pytest.raises(CatalogError):
        cited_keys(source)


BROKEN_DEVICES = {
    "unknown key": ("diameter_mm = 4.19", "diametre_mm = 4.19", "diametre_mm"),
    "out of range": ("diameter_mm = 4.19", "diameter_mm = 419.0", "diameter_mm"),
    "wrong type": ("diameter_mm = 4.19", 'diameter_mm = "wide"', "diameter_mm"),
    "missing source": ('diameter_mm = "R-h (gauge table)"\n', "", "no source for diameter_mm"),
    "unresolved source": ('"R-h (gauge table)"', '"V9999"', "V9999"),
    "unknown kind": ('kind = "trocar"', 'kind = "sword"', "kind"),
    "not TOML": ("[[device]]", "[[device", "trocars.toml"),
}


@pytest.mark.parametrize(("old", "new", "said"), list(BROKEN_DEVICES.values()), ids=list(BROKEN_DEVICES))
def test_a_broken_device_file_is_refused_with_file_key_and_reason(tmp_path, old, new, said):
    text = (CATALOG / "devices/trocars.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "trocars.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogError) as error:
        read_devices(path)
    assert "trocars.toml" in str(error.value) and said in str(error.value)


def test_a_limit_without_a_source_is_refused(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text('[x_mm]\nvalue = 1.0\nunit = "mm"\ntext = { en = "a", fr = "b" }\n', encoding="utf-8")
    with pytest.raises(CatalogError, match=r"limits.toml: x_mm.source"):
        read_limits(path)
