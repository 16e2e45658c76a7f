"""The bleeding-drug table says nothing until somebody has signed it."""

import pytest

from trocar.catalog.drugs import drug_table
from trocar.catalog.read import CATALOG
from trocar.errors import CatalogError

TEXT = (CATALOG / "bleeding_drugs.toml").read_text(encoding="utf-8")
UNSIGNED = 'name = ""\nrole = ""\n'


def written(folder, signature):
    assert UNSIGNED in TEXT
    path = folder / "ours.toml"
    path.write_text(TEXT.replace(UNSIGNED, signature, 1), encoding="utf-8")
    return path


def test_the_table_that_ships_is_switched_off():
    table = drug_table()
    assert not table.active and len(table.drug) > 10
    assert table.advice("apixaban") is None


def test_a_signed_copy_speaks_of_the_drugs_it_knows(tmp_path):
    table = drug_table(written(tmp_path, 'name = "Dr. A"\nrole = "pharmacist"\ndate = 2026-11-26\n'))
    assert table.active
    assert "4 doses" in table.advice("apixaban").hold.en and "4 prises" in table.advice("apixaban").hold.fr
    assert table.advice("an unheard-of drug") is None


@pytest.mark.parametrize("half", ['name = "Dr. A"\nrole = ""\n', 'name = ""\nrole = "pharmacist"\ndate = 2026-11-26\n'])
def test_half_a_signature_is_none(tmp_path, half):
    with pytest.raises(CatalogError, match=r"ours.toml: half a signature"):
        drug_table(written(tmp_path, half))
