"""The sentences of checks are said in both languages, with their numbers as each writes them."""

import pytest

from trocar.reporting.language import Language
from trocar.reporting.remarks import REMARKS, remark

EN, FR = Language("en"), Language("fr")


@pytest.mark.parametrize(
    ("message", "french"),
    [
        ("nerves not segmented", "nerfs non segmentés"),
        ("10 degC is crossed at 31.5 min", "10 °C est franchi à 31,5 min"),
        (
            "measured -7.6 mm over 21% of the lesion's surface",
            "mesurée à \u22127,6 mm sur 21\u00a0% de la surface de la lésion",
        ),
        (
            "predicted at 3 mm; partial by choice: the probe is kept off nerve_root_s1_left",
            "prédit à 3 mm ; partiel à dessein : la sonde reste à distance de la racine S1 gauche",
        ),
        (
            "rigid on hip_left, sacrum; correlation search, then Gauss-Newton",
            "rigide sur os coxal (gauche), sacrum ; recherche par corrélation, puis Gauss-Newton",
        ),
        (
            "no admissible place: nerve_clearance (canal_vertebrae_L4), needle_length (needle-bone-11g); "
            "needle-bone-11g is 3.2 mm too short on the nearest way",
            "aucune place admissible : distance à un nerf (canal en regard de L4), longueur de l'aiguille suffisante "
            "(Trépan osseux 11 G) ; sur le trajet le plus proche, il manque 3,2 mm à Trépan osseux 11 G",
        ),
        (
            "image: left (by paired bones); hip_left: left",
            "image : gauche (d'après les os pairs)\u00a0; os coxal (gauche)\xa0: gauche",
        ),
        (
            "cryoprobe: 12 paths from posterior left, cranial, nearest miss from (1.00, -2.50, 3.00) "
            "to (4.00, 5.00, 6.00)",
            "cryosonde : 12 trajet(s), par l'arrière gauche, par le haut, le moins en défaut de "
            "(1,00 ; \u22122,50 ; 3,00) à (4,00 ; 5,00 ; 6,00)",
        ),
        (
            "cement at the screw's head: no bone beside it holds a trocar",
            "ciment à la tête de la vis : aucun os voisin ne contient un trocart",
        ),
        (
            "48 samples at 3 mm: tips off by 2.5 mm and 1.5 deg, bone conductivity and blood flow by 20 % (standard "
            "deviations). Coldest: sciatic_nerve_left 4 degC; colon 8 degC",
            "48 tirages à 3 mm : pointes déviées de 2,5 mm et 1,5°, conductivité de l'os et débit sanguin de 20 % "
            "(écarts-types). Le plus froid : nerf sciatique (gauche) 4\u00a0°C\u00a0; côlon 8\u00a0°C",
        ),
    ],
)
def test_a_sentence_is_said_in_french(message, french):
    assert remark(message, FR) == french


def test_an_unknown_sentence_is_not_guessed():
    assert remark("the moon is made of cheese", FR) is None


def test_the_name_of_an_instrument_needs_no_translation():
    assert remark("probe-1", FR) == "probe-1"


@pytest.mark.parametrize("template", REMARKS.values())
def test_each_sentence_finds_its_own_template(template):
    filled = template.format(**dict.fromkeys([part.split("}")[0] for part in template.split("{")[1:]], "7"))
    assert remark(filled, EN) == EN.units(filled)
    assert remark(filled, FR) not in (None, filled) or "{" in template
    assert "deg" not in (remark(filled, EN) or "").replace("degrees", "")
