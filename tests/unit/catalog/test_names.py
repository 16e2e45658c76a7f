"""Structures and devices have names in both languages; articles, sides and contractions agree."""

import pytest

from trocar.catalog.devicenames import device_name, device_words
from trocar.catalog.facts import devices
from trocar.catalog.structures import DIRECTIONS, from_fr, structure_name, structure_names


@pytest.mark.parametrize(
    ("structure", "english", "french", "of"),
    [
        ("sciatic_nerve_left", "the left sciatic nerve", "le nerf sciatique gauche", "du nerf sciatique gauche"),
        ("iliac_artery_right", "the right iliac artery", "l'artère iliaque droite", "de l'artère iliaque droite"),
        ("urinary_bladder", "the urinary bladder", "la vessie", "de la vessie"),
        ("autochthon_right", "the right paraspinal muscles", "les muscles paravertébraux droits",
         "des muscles paravertébraux droits"),
        ("humerus_right", "the right humerus", "l'humérus droit", "de l'humérus droit"),
        ("nerve_root_s1_right", "the right S1 root", "la racine S1 droite", "de la racine S1 droite"),
        ("disc_l3_l4", "the L3-L4 disc", "le disque L3-L4", "du disque L3-L4"),
        ("rib_left_7", "left rib 7", "la côte 7 gauche", "de la côte 7 gauche"),
        ("lesion_2", "lesion 2", "la lésion 2", "de la lésion 2"),
        ("some_mass_left", "some mass (left)", "some mass (gauche)", "de some mass (gauche)"),
    ],
)  # fmt: skip
def test_a_name_within_a_sentence(structure, english, french, of):
    found = structure_name(structure)
    assert (found.said.en, found.said.fr, found.of_fr) == (english, french, of)


def test_every_structure_has_a_gender_and_no_name_is_left_open():
    assert len(structure_names()) > 50
    assert all(name.gender and not name.side for name in structure_names().values())


def test_only_brand_names_are_the_same_in_both_languages():
    brands = {"Vertebroplastic", "BonOs Inject"}  # without a maker in the catalog
    for known in devices().values():
        name = device_name(known.id)
        assert (name.en == name.fr) == (known.manufacturer is not None or known.name in brands), known.id


def test_no_phrase_of_a_generic_name_is_left_in_english():
    phrases = device_words().phrases
    for known in devices().values():
        if known.manufacturer is None:
            assert not [en for en, fr in phrases.items() if en not in fr and en in device_name(known.id).fr], known.id


def test_a_device_that_is_not_in_the_catalog_is_its_id():
    assert device_name("no-such-device").fr == "no-such-device"


def test_a_direction_is_said_part_by_part():
    assert from_fr("posterior left, cranial") == "par l'arrière gauche, par le haut"
    assert all(from_fr(way) == said for way, said in DIRECTIONS.items())
