"""Isotherm tables: read as documented, refused without a bath, and turned into an entry that the catalog reads."""

import pytest

from trocar.catalog import device
from trocar.catalog.calibrated import calibrate_probe, toml_block
from trocar.catalog.facts import read_devices
from trocar.catalog.isotherm_table import read_isotherm_table
from trocar.errors import CatalogError

PROBE = device("cryoprobe-17g-icesphere")
HEAD = "needle,medium,bath_degC,time_min,isotherm_degC,width_mm,width_sd_mm,length_mm,length_sd_mm,source"
# Sizes of a needle of -125 degC and 18 mm by the model itself, no product's.
ROWS = (
    "cryoprobe-17g-icesphere,agar,37,10,0,28.9,0.5,35.1,0.5,invented (for a test)",
    "cryoprobe-17g-icesphere,agar,37,10,-20,18.3,0.5,25.9,0.5,invented (for a test)",
    "cryoprobe-17g-icesphere,agar,37,10,-40,12.1,0.5,21.9,0.5,invented (for a test)",
)


def written(folder, *lines):
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_rows_are_read_with_their_sizes(tmp_path):
    rows = read_isotherm_table(written(tmp_path, "# a remark", HEAD, *ROWS), PROBE)
    assert [row.isotherm_degC for row in rows] == [0.0, -20.0, -40.0]
    assert (rows[0].medium, rows[0].bath_degC, rows[0].time_s) == ("gel", 37.0, 600.0)
    assert (rows[1].size("width").mean_mm, rows[1].size("length").sd_mm, rows[1].size("tip")) == (18.3, 0.5, None)


NO_BATH = HEAD.replace("bath_degC,", "")


@pytest.mark.parametrize(
    ("head", "row", "reason"),
    [
        (NO_BATH, "cryoprobe-17g-icesphere,agar,10,0,29,1,35,1,x", "does not say the bath"),
        (HEAD, ROWS[0].replace(",37,", ",,"), "bath's temperature is missing"),
        (HEAD, ROWS[0].replace(",37,", ",370,"), "in a bath at 370"),
        (HEAD, ROWS[0].replace("agar", "liver"), "no laws are known"),
        (HEAD, ROWS[0].replace("icesphere", "icerod"), "not of cryoprobe-17g-icesphere"),
        (HEAD, ROWS[0].replace("28.9", "28;9"), "is not a number"),
        (HEAD, ROWS[0].replace("28.9", "nan"), "is not finite"),
        (HEAD, ROWS[0].replace("28.9,0.5", "28.9,"), "without width_sd_mm"),
        (HEAD, ROWS[0].replace("28.9,0.5", "-28.9,0.5"), "makes no sense"),
        (HEAD, ROWS[0].replace("28.9,0.5,35.1,0.5", ",,,"), "no size"),
        (HEAD, ROWS[0].replace(",10,", ",0,"), "0 minutes"),
        (HEAD, ROWS[0].replace("invented (for a test)", " "), "no source"),
        (HEAD, ROWS[0] + ",1", "not as many cells"),
        (HEAD + ",height_mm", ROWS[0] + ",1", "unknown columns"),
        (HEAD + ",freeze_protocol", ROWS[0] + ",10-8-10", "is not modeled"),
        (HEAD + ",active_length_mm", ROWS[0] + ",40", "is not the catalog's 22"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_reason(tmp_path, head, row, reason):
    with pytest.raises(CatalogError, match=reason) as caught:
        read_isotherm_table(written(tmp_path, head, row), PROBE)
    assert caught.value.hint


def test_an_empty_or_missing_table_is_refused(tmp_path):
    with pytest.raises(CatalogError, match="holds no isotherm"):
        read_isotherm_table(written(tmp_path, HEAD), PROBE)
    with pytest.raises(CatalogError):
        read_isotherm_table(tmp_path / "none.csv", PROBE)


def test_the_entry_of_a_calibrated_probe_is_read_back(tmp_path):
    found = calibrate_probe(written(tmp_path, HEAD, *ROWS), PROBE, spacing_mm=1.0)
    assert found.probe.surface_degC == pytest.approx(-125.0, abs=8.0)
    assert found.probe.active_length_mm == pytest.approx(18.0, abs=0.5)
    assert not found.probe.model_prior
    assert set(found.probe.standard_errors) == {"surface_degC", "active_length_mm"}
    path = tmp_path / "own.toml"
    path.write_text(toml_block(found.probe))
    assert read_devices(path) == (found.probe,)


def test_a_probe_keeps_its_badge_where_the_table_hardly_tells_its_cold(tmp_path):
    only = "cryoprobe-17g-icesphere,agar,37,10,0,28.9,3,,,one width of wide spread"
    found = calibrate_probe(written(tmp_path, HEAD, only), PROBE, spacing_mm=1.0)
    assert found.probe.model_prior
    assert found.probe.isotherms == ()  # a row without both axes is no isotherm of the catalog


def test_a_convective_probe_names_its_fluid_and_no_surface(tmp_path):
    found = calibrate_probe(written(tmp_path, HEAD, *ROWS), PROBE, by_fluid=True, spacing_mm=2.0)
    assert found.probe.surface_degC is None
    assert found.probe.fluid_degC < -100 and found.probe.exchange_W_per_m2K > 100
    path = tmp_path / "own.toml"
    path.write_text(toml_block(found.probe))
    assert read_devices(path) == (found.probe,)
