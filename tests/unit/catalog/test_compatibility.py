"""What goes through what, and a hospital's own devices."""

from dataclasses import replace

import pytest

from trocar.catalog import device, devices
from trocar.catalog.compatibility import compatibilities, long_enough, passes, read_compatibilities
from trocar.catalog.facts import devices_with
from trocar.catalog.read import CATALOG
from trocar.errors import CatalogError
from trocar.model.finding import Verdict

WIRE, TROCAR, SCREW = device("wire-2.8"), device("trocar-8g"), device("screw-6.5")


# shows: R102
def test_a_wire_passes_only_a_lumen_that_is_known_and_wider():
    def verdict(inner_mm):
        return passes("wire_through_trocar", WIRE, replace(TROCAR, inner_diameter_mm=inner_mm), "t").verdict

    assert (verdict(2.7), verdict(2.8), verdict(None)) == (Verdict.FAIL, Verdict.PASS, Verdict.UNKNOWN)
    assert passes("wire_through_screw", WIRE, replace(SCREW, cannula_mm=2.5), "s").verdict is Verdict.FAIL


def test_a_needle_reaches_only_with_its_hub_outside():
    needle = device("needle-bone-11g")  # up to 150 mm
    assert long_enough(needle, 130.0).verdict is Verdict.PASS
    assert long_enough(needle, 130.1).verdict is Verdict.FAIL
    assert long_enough(device("cemented-pin"), 50.0).verdict is Verdict.UNKNOWN


def test_a_rule_speaks_of_its_kinds_only():
    with pytest.raises(CatalogError, match="K1"):
        passes("wire_through_trocar", SCREW, TROCAR, "x")
    assert {rule.id for rule in compatibilities().values()} == {"K1", "K2", "K3", "K4"}
    assert all(rule.text.en and rule.text.fr and rule.last_reviewed for rule in compatibilities().values())


def test_a_broken_compatibility_file_names_file_rule_and_reason(tmp_path):
    text = (CATALOG / "compatibility.toml").read_text(encoding="utf-8")
    path = tmp_path / "compatibility.toml"
    path.write_text(text.replace('id = "K1"\n', 'id = "K1"\nurgency = 3\n', 1), encoding="utf-8")
    with pytest.raises(CatalogError, match=r"compatibility.toml: line 5: K1.urgency"):
        read_compatibilities(path)


OWN = """
[[device]]
kind = "trocar"
id = "our-trocar"
name = "Trocar 8 G of our store"
diameter_mm = 4.2
inner_diameter_mm = 3.4
[device.sources]
name = "design"
diameter_mm = "design (measured here)"
inner_diameter_mm = "design (measured here)"
"""


def test_a_hospitals_own_list_stands_beside_the_catalog(tmp_path):
    path = tmp_path / "ours.toml"
    path.write_text(OWN, encoding="utf-8")
    known = devices_with(path)
    assert set(known) == {*devices(), "our-trocar"}
    assert passes("wire_through_trocar", WIRE, known["our-trocar"], "t").verdict is Verdict.PASS
    path.write_text(OWN.replace("our-trocar", "trocar-8g"), encoding="utf-8")
    with pytest.raises(CatalogError, match=r"ours.toml: device 'trocar-8g' is defined twice"):
        devices_with(path)
    path.write_text(OWN.replace('inner_diameter_mm = "design (measured here)"\n', ""), encoding="utf-8")
    with pytest.raises(CatalogError, match=r"ours.toml: our-trocar: no source for inner_diameter_mm"):
        devices_with(path)


def test_an_installed_packages_entry_point_is_read(tmp_path, monkeypatch):
    path = tmp_path / "ours.toml"
    path.write_text(OWN, encoding="utf-8")

    class Point:
        def load(self):
            return lambda: path

    monkeypatch.setattr("trocar.catalog.facts.entry_points", lambda group: [Point()])
    devices.cache_clear()
    try:
        assert "our-trocar" in devices()
    finally:
        monkeypatch.undo()
        devices.cache_clear()
    assert "our-trocar" not in devices()


# shows: R76
def test_the_catalog_holds_the_start_set_of_the_reference():
    for names in (
        "needle-bone-8g needle-bone-11g needle-bone-13g biopsy-drill-set power-driver needle-soft-tissue-18g",
        "trocar-8g trocar-10g trocar-11g trocar-13g coaxial-17g wire-2.8 cemented-pin",
        "screw-4.0 screw-5.0 screw-6.5 screw-7.3 screw-8.0 cement-simplex-p cement-osteopal-v",
        "cryoprobe-17g-iceseed cryoprobe-14g-icepearl cryoprobe-13g-iceedge cryo-console-icefx",
        "gelatin-sponge glue-nbca evoh coil-generic pva-355-500 microspheres-100-300",
        "dextrose-5 carbon-dioxide ionm-set arterial-closure microcatheter thermocouple cement-mixer",
    ):
        assert set(names.split()) <= set(devices())
