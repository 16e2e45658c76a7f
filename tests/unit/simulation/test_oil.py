"""Ethiodized oil in a lesion: less water, less conduction, smaller ice; told from the CT, or put there by a step."""

from dataclasses import replace

import numpy as np
import pytest
from slab import cryoablation, embolization, heater, heating, planned, synthetic_case

from trocar.catalog.tissues import tissues
from trocar.errors import CaseError
from trocar.materials import radiofrequency_map, tissue_map
from trocar.materials.native import native_tissue
from trocar.materials.oil import FULL_HU, oil_in_ct, oil_share_frac, with_drops
from trocar.model.case import Clinical, LesionContext, Role, Structure
from trocar.model.finding import Verdict
from trocar.model.forecast import AfterEmbolization
from trocar.model.space import Grid, Volume
from trocar.model.treatment import ProtocolPhase
from trocar.simulation.heatpreview import predict_heat
from trocar.simulation.preview import predict
from trocar.simulation.resume import last_state
from trocar.simulation.simulate import simulate
from trocar.simulation.zones import ice_mesh

GRID = Grid.aligned(origin_lps_mm=(9, 9, 9), spacing_mm=(2.0,) * 3, shape=(41, 41, 41))
GLUE, SPHERES = "glue-nbca", "microspheres-300-500"  # of the catalog; a case names their forms


def case_of(*, agents=("glue",), matrix="lytic", bright_HU=None):
    """The slab's case; with the lesion's half below z = 49 mm bright where a HU is given."""
    case = synthetic_case()
    context = LesionContext(name="lesion_1", vascularity_grade=2, matrix=matrix, embolized_with=agents)
    hu = case.ct.values.copy()
    if bright_HU is not None:
        lesion = case.structure("lesion_1").inside
        hu[lesion & (np.indices(lesion.shape)[2] < 25)] = bright_HU
    ct = Volume(grid=case.grid, values=hu, unit="HU")
    clinical = Clinical(oncology=case.clinical.oncology, lesion=(context,))
    return replace(case, ct=ct, clinical=clinical)


def frozen_ml(case, *steps):
    minutes = ProtocolPhase(phase="freeze", duration_s=360.0, setting=1.0)
    simulation = simulate(case, planned(*steps, cryoablation(protocol=(minutes,))), spacing_mm=2.0)
    return simulation.states[-1].zones["0_degC"].volume_ml, simulation


def with_oil(oil_ml, *, agent=GLUE):
    return replace(embolization(0.3), embolic=agent, oil_ml=oil_ml)


def test_ice_shrinks_with_every_share_of_oil():
    """Monotone, as in the phantoms of S32: 0 to 4 ml in a lesion of about 4 ml, at 6 minutes."""
    case = case_of(agents=())
    found = [frozen_ml(case, with_oil(oil_ml))[0] for oil_ml in (0.0, 0.5, 1.0, 2.0, 4.0)]
    assert (np.diff(found) < -0.01).all(), found
    assert found[-1] < 0.9 * found[0]


def test_a_forecast_knows_of_the_oil_that_is_in():
    case, oil_ml = case_of(agents=()), 2.0
    share = oil_share_frac(case, with_oil(oil_ml))
    minutes = ProtocolPhase(phase="freeze", duration_s=360.0, setting=1.0)
    ice_ml = []
    for oil_frac in (0.0, share):
        after = AfterEmbolization(perfusion_left_frac=0.3, oil_frac=oil_frac)
        (found,) = predict(case, (cryoablation(protocol=(minutes,)),), spacing_mm=2.0, embolized=after)
        ice_ml.append(ice_mesh(found.minimum_degC.values, found.minimum_degC.grid, 0.0).volume_ml)
    _, simulation = frozen_ml(case, with_oil(oil_ml))
    simulated = simulation.fields["cryoablation-1/minimum_degC"]
    assert ice_ml[1] == pytest.approx(ice_mesh(simulated.values, simulated.grid, 0.0).volume_ml, rel=0.005)
    assert ice_ml[1] < 0.97 * ice_ml[0]
    shifts = {c.subject for c in simulation.checks if c.name == "grid_refinement" and c.value is not None}
    assert any("0_degC" in subject for subject in shifts)  # the coarser lattice has the oil too


def test_a_forecast_of_heat_knows_of_it_too():
    case = case_of(agents=())
    electrode = heater(49.0, device="rf-straight-generic-20mm")
    hot = heating(electrode, protocol=(ProtocolPhase(phase="heat", duration_s=120.0, setting=15.0, unit="W"),))
    found = [
        predict_heat(case, (hot,), spacing_mm=2.0, embolized=AfterEmbolization(oil_frac=share))[0].maximum_degC.values
        for share in (0.0, 0.3)
    ]
    assert np.abs(found[1] - found[0]).max() > 1.0


def test_drops_conduct_by_maxwells_law():
    around = np.array([1.69])
    assert with_drops(around, 0.15, np.array([0.0])) == pytest.approx(1.69)
    assert with_drops(around, 0.15, np.array([1.0])) == pytest.approx(0.15)
    few = with_drops(around, 0.0, np.array([0.01]))
    assert few / 1.69 == pytest.approx(1 - 1.5 * 0.01, abs=1e-4)  # drops that conduct nothing
    shares = np.linspace(0, 1, 11)
    assert (np.diff(with_drops(np.full(11, 1.69), 0.15, shares)) < 0).all()


def test_oil_takes_the_place_of_water_and_of_what_conducts():
    bare, oiled = (tissue_map(case_of(agents=()), GRID, oil_frac=share) for share in ({}, {"lesion_1": 0.2}))
    lesion = bare.lesion
    for name in ("unfrozen_W_per_mK", "frozen_W_per_mK", "latent_J_per_m3", "perfusion_W_per_m3K"):
        before, after = getattr(bare.medium, name)[lesion], getattr(oiled.medium, name)[lesion]
        assert (after < before).all() and np.array_equal(
            getattr(bare.medium, name)[~lesion], getattr(oiled.medium, name)[~lesion]
        )
    assert oiled.medium.latent_J_per_m3[lesion] == pytest.approx(0.8 * bare.medium.latent_J_per_m3[lesion], rel=1e-5)
    assert oiled.water_frac[lesion] == pytest.approx(0.8 * bare.water_frac[lesion], rel=1e-5)
    current = [radiofrequency_map(case_of(agents=()), GRID, oil_frac=s).values[lesion] for s in ({}, {"lesion_1": 0.2})]
    assert current[1] / current[0] == pytest.approx(2 * 0.8 / 2.2, rel=1e-3)  # Maxwell, insulating drops


def test_bright_voxels_of_a_lytic_lesion_embolized_with_oil_are_oil():
    case = case_of(bright_HU=3000.0)
    native = native_tissue(case, GRID)
    share = native.oil_frac[native.lesion]
    assert share.max() == pytest.approx((3000 - 40) / (FULL_HU - 40), rel=0.01)
    voxels = native.voxels
    assert voxels.oil_frac[~voxels.case.structure("lesion_1").inside].max() == 0
    inside = native.oil_frac > 0.24
    bright, water = native.fields["latent_J_per_m3"][inside], tissues()["soft_metastasis"].latent_J_per_m3
    assert bright == pytest.approx((1 - native.oil_frac[inside]) * water, rel=1e-4)
    assert "oil_share_from_ct" in native.caveats and "oil_or_bone" not in native.caveats


@pytest.mark.parametrize(
    ("agents", "matrix", "doubt"),
    [
        (("glue",), "mixed", True), (("oil",), None, True), (("microspheres",), "lytic", False), (None, "lytic", False),
    ],
)  # fmt: skip
def test_what_may_be_bone_stays_bone(agents, matrix, doubt):
    native = native_tissue(case_of(agents=agents, matrix=matrix, bright_HU=900.0), GRID)
    assert not native.oil_frac.any()
    assert ("oil_or_bone" in native.caveats) == doubt
    plain = native_tissue(case_of(agents=None, bright_HU=900.0), GRID)
    assert np.array_equal(native.fields["unfrozen_W_per_mK"], plain.fields["unfrozen_W_per_mK"])


def test_a_labelled_deposit_is_oil_by_its_brightness():
    case = case_of(agents=None, bright_HU=2000.0)
    deposit = Structure(name="lipiodol_deposit", role=Role.FLUID, inside=case.ct.values > 1500)
    labelled = replace(case, structures=(*case.structures, deposit))
    hu = np.full(GRID.shape, 2000.0, np.float32)
    share = oil_in_ct(labelled, GRID, hu)
    assert share.max() == pytest.approx(1960 / (FULL_HU - 40), rel=1e-4) and (share == 0).any()
    assert native_tissue(labelled, GRID).oil_frac.any()


def test_bright_oil_on_the_ct_makes_smaller_ice():
    bare, bright = frozen_ml(case_of())[0], frozen_ml(case_of(bright_HU=3000.0))[0]
    assert bright < bare - 0.05


def test_an_agent_with_oil_of_unknown_amount_is_unknown_and_one_without_is_not_asked():
    case = case_of(agents=())
    _, simulation = frozen_ml(case, with_oil(None))
    (found,) = [check for check in simulation.checks if check.name == "oil_in_lesion"]
    assert found.verdict is Verdict.UNKNOWN and found.value is None and "not stated" in found.message
    _, simulation = frozen_ml(case, with_oil(None, agent=SPHERES))
    assert not [check for check in simulation.checks if check.name == "oil_in_lesion"]


def test_oil_is_kept_with_a_saved_state_and_said():
    case, step = case_of(agents=()), with_oil(1.0)
    _, simulation = frozen_ml(case, step)
    (found,) = [check for check in simulation.checks if check.name == "oil_in_lesion"]
    assert found.verdict is Verdict.PASS and 0.2 < found.value < 0.3
    assert "oil_spread_evenly" in simulation.caveats
    minutes = ProtocolPhase(phase="freeze", duration_s=360.0, setting=1.0)
    state = last_state(case, planned(step, cryoablation(protocol=(minutes,))), simulation)
    assert state.oil_frac == {"lesion_1": pytest.approx(found.value, abs=1e-3)}


def test_more_oil_than_lesion_is_refused():
    with pytest.raises(CaseError, match="more than the lesion"):
        frozen_ml(case_of(agents=()), with_oil(50.0))


def test_current_meets_more_resistance_in_oil():
    electrode = heater(49.0, device="rf-straight-generic-20mm")
    phase = ProtocolPhase(phase="heat", duration_s=30.0, setting=5.0, unit="W")
    found = [
        simulate(case_of(agents=()), planned(with_oil(oil_ml), heating(electrode, protocol=(phase,))), spacing_mm=3.0)
        for oil_ml in (0.0, 1.5)
    ]
    first, second = (simulation.traces[0].resistance_ohm[0] for simulation in found)
    assert second > 1.05 * first
