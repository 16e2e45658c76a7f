"""An injection into a bone with a cortex: it stays, or leaves by the way that is open, and says at which volume."""

from dataclasses import replace

import numpy as np
import pytest
import slab

from trocar.catalog import device, limit
from trocar.catalog.flow import cement_flow, viscosity_Pa_s
from trocar.errors import CaseError
from trocar.materials import tissue_map
from trocar.model.case import Case, Clinical, Role, Structure
from trocar.model.finding import CementDeposit, CementStop, Verdict
from trocar.model.space import Grid, Volume
from trocar.model.treatment import Placement
from trocar.physics.porous import tube_resistance_per_m3
from trocar.simulation import pores
from trocar.simulation.injection import Injected, injected
from trocar.simulation.leakage import deposit_checks, missing_ways
from trocar.simulation.session import Session, untouched
from trocar.simulation.syringe import Syringe

SHAPE, MIDDLE_MM = (41, 41, 41), 20.0
INNER_MM, OUTER_MM = 11.0, 13.0
GRID = Grid.aligned(origin_lps_mm=(0, 0, 0), spacing_mm=(1.0, 1.0, 1.0), shape=SHAPE)
POINTS = np.moveaxis(np.indices(SHAPE), 0, -1).astype(float)
FROM_MIDDLE_MM = np.linalg.norm(POINTS - MIDDLE_MM, axis=-1)
HOLE = (POINTS[..., 0] > MIDDLE_MM) & (np.abs(POINTS[..., 1:] - MIDDLE_MM).max(axis=-1) <= 2)
BEYOND = HOLE & (FROM_MIDDLE_MM > OUTER_MM) & (FROM_MIDDLE_MM <= OUTER_MM + 4)


def bone_case(*, hole=False, beyond=None):
    """A ball of cancellous bone in cortex; `hole` leaves the cortex out on one side, before a structure of a role."""
    bone = FROM_MIDDLE_MM <= OUTER_MM
    hu = np.where(FROM_MIDDLE_MM <= INNER_MM, 150.0, np.where(bone, 1200.0, 50.0))
    if hole:
        hu[HOLE & bone] = 50.0
    structures = [Structure(name="hip_left", role=Role.BONE, inside=bone)]
    if beyond is not None:
        structures.append(Structure(name=f"{beyond.value}_beyond", role=beyond, inside=BEYOND))
    ct = Volume(grid=GRID, values=hu.astype(np.float32), unit="HU")
    return Case(case_id="ball", ct=ct, structures=tuple(structures), clinical=Clinical(), synthetic=True)


def bead(volume_ml, x_mm=MIDDLE_MM, name="bead"):
    return Placement(
        device="cement-pmma-generic", role="cement", name=name, entry_lps_mm=(x_mm, 20, 38), length_mm=18.0,
        target_lps_mm=(x_mm, 20, 20), skin_lps_mm=(x_mm, 20, 40), diameter_mm=3.0, volume_ml=volume_ml,
    )  # fmt: skip


def begun(case, *, cold=None):
    state = untouched(GRID)
    if cold is not None:
        state = state.after(temperature_degC=np.where(cold, np.float32(-20), np.float32(37)))
    return Session(case=case, tissue=tissue_map(case, GRID)), state


def inject(case, volume_ml, *, cold=None, x_mm=MIDDLE_MM):
    return injected(*begun(case, cold=cold), bead(volume_ml, x_mm), None)


def checks(done):
    return {check.name: check for check in deposit_checks(done)}


def room_ml(radius_mm):
    return 4 / 3 * np.pi * radius_mm**3 / 1000 * cement_flow().bone_porosity_frac


def test_a_closed_cortex_holds_all_of_it():
    done = inject(bone_case(), 2.0)
    assert done.deposit.volume_ml == pytest.approx(2.0, rel=1e-6) and not done.deposit.leaks
    assert done.filled_frac.sum() * GRID.voxel_ml == pytest.approx(2.0, rel=1e-5)
    assert not done.filled_frac[FROM_MIDDLE_MM > INNER_MM + 1].any()
    assert done.deposit.radius_mm == pytest.approx((2.0 / room_ml(1)) ** (1 / 3), abs=0.7)
    found = checks(done)
    assert found["cement_volume_in_bone"].verdict is Verdict.PASS
    assert found["cement_stop_volume"].verdict is Verdict.PASS and found["cement_stop_volume"].value == 4.0


@pytest.mark.parametrize(
    ("beyond", "way", "verdict"),
    [
        (None, "breach", Verdict.WARN),
        (Role.VESSEL, "vein", Verdict.FAIL),
        (Role.CORD, "canal", Verdict.FAIL),
        (Role.NERVE, "foramen", Verdict.FAIL),
        (Role.JOINT, "joint", Verdict.FAIL),
    ],
)
def test_through_a_hole_it_leaks_to_what_lies_beyond_and_says_from_when_on(beyond, way, verdict):
    done = inject(bone_case(hole=True, beyond=beyond), 5.0)
    leak = done.deposit.leaks[0]
    assert leak.way == way and (leak.name == (f"{beyond.value}_beyond" if beyond else ""))
    assert room_ml(INNER_MM - 2) < leak.from_ml < room_ml(OUTER_MM)
    assert leak.lps_mm[0] > MIDDLE_MM + INNER_MM
    lost_ml = sum(item.volume_ml for item in done.deposit.leaks)
    assert lost_ml > 0.1 and done.deposit.volume_ml + lost_ml == pytest.approx(5.0, abs=1e-3)
    found = checks(done)
    assert found[f"cement_leak_{way}"].verdict is verdict
    assert found["cement_stop_volume"].verdict is verdict
    assert done.deposit.stop_ml <= leak.from_ml + 0.01


def test_less_than_that_stays_and_the_reserve_is_told():
    done = inject(bone_case(hole=True, beyond=Role.VESSEL), 2.5)
    assert done.deposit.volume_ml == pytest.approx(2.5, rel=1e-4)
    assert 2.5 < done.deposit.stop_ml < 5.0 and done.deposit.stops[0].reason == "vein"
    assert checks(done)["cement_stop_volume"].verdict is Verdict.PASS
    assert "cement_leak_vein" not in checks(done)


def test_the_front_stops_before_a_nerve_that_it_does_not_reach():
    case = bone_case()
    nerve = Structure(name="root", role=Role.NERVE, inside=(FROM_MIDDLE_MM < 30) & (POINTS[..., 0] == 33))
    done = inject(replace(case, structures=(*case.structures, nerve)), 4.0)
    reach_mm = 33 - limit("cement_stop_mm").value - MIDDLE_MM
    assert done.deposit.stops[0].reason == "distance"
    assert done.deposit.stop_ml == pytest.approx(room_ml(reach_mm), rel=0.2)
    assert not done.deposit.leaks


def test_a_mild_reason_to_stop_does_not_hide_a_grave_one():
    deposit = CementDeposit(
        name="bead", center_lps_mm=(0, 0, 0), volume_ml=3.0, radius_mm=9.0, planned_ml=3.0, followed_ml=6.0,
        stops=tuple(CementStop(reason=reason, at_ml=at_ml) for reason, at_ml in (
            ("breach", 1.0), ("distance", 2.0), ("vein", 2.5), ("joint", 4.0)
        )),
    )  # fmt: skip
    done = Injected(deposit=deposit, filled_frac=np.zeros(1))
    found = [(c.verdict, c.value) for c in deposit_checks(done) if c.name == "cement_stop_volume"]
    assert found == [(Verdict.WARN, 1.0), (Verdict.FAIL, 2.0)] and deposit.stop_ml == 1.0
    less = replace(done, deposit=replace(deposit, planned_ml=0.5))
    assert [c.verdict for c in deposit_checks(less) if c.name == "cement_stop_volume"] == [Verdict.PASS]


def test_no_cement_enters_ice_and_a_shell_of_ice_holds_it():
    hole = bone_case(hole=True, beyond=Role.VESSEL)
    frozen = inject(hole, 2.0, cold=FROM_MIDDLE_MM < 3)
    assert frozen.deposit.volume_ml == 0 and not frozen.filled_frac.any()
    assert checks(frozen)["cement_stop_volume"].verdict is Verdict.FAIL
    shell = inject(hole, 5.0, cold=FROM_MIDDLE_MM > 8)
    assert not shell.deposit.leaks and shell.deposit.stops[0].reason == "room"
    assert shell.deposit.volume_ml == pytest.approx(room_ml(8.0), rel=0.03)
    assert checks(shell)["cement_volume_in_bone"].verdict is Verdict.FAIL


def test_bone_without_pores_takes_none_and_that_is_no_error():
    dense = bone_case()
    hu = np.where(FROM_MIDDLE_MM <= OUTER_MM, np.float32(900), np.float32(50))
    done = inject(replace(dense, ct=Volume(grid=GRID, values=hu, unit="HU")), 2.0)
    assert done.deposit.volume_ml == 0 and done.deposit.stops[0].reason == "room"
    assert checks(done)["cement_volume_in_bone"].verdict is Verdict.FAIL


@pytest.mark.parametrize("killed_by", ["cold", "heat"])
def test_what_ablation_does_to_a_lesions_pores_is_one_fact_of_the_catalog(killed_by, monkeypatch):
    """The catalog leaves them as they were; less permeable, the cement would turn away from the ablated half."""
    case, half = bone_case(), POINTS[..., 0] > MIDDLE_MM
    tumor = Structure(name="lesion_1", role=Role.LESION, inside=FROM_MIDDLE_MM <= INNER_MM)
    session, state = begun(replace(case, structures=(*case.structures, tumor)))
    dead = np.where(half, np.float32(1), np.float32(0))
    ablated = (
        state.after(minimum_degC=37 - 80 * dead) if killed_by == "cold" else state.after(heat_dose={"omega": 5 * dead})
    )

    def in_half(tissue_state):
        filled = injected(session, tissue_state, bead(2.0), None).filled_frac
        return filled[half].sum() / filled.sum()

    assert in_half(ablated) == in_half(state) > 0.4
    monkeypatch.setattr(pores, "cement_flow", lambda: replace(cement_flow(), ablated_permeability_ratio=0.05))
    assert in_half(ablated) < 0.2 and in_half(state) > 0.4


def test_a_second_bead_goes_around_the_first():
    session, state = begun(bone_case())
    first = injected(session, state, bead(1.0, 17.0), None)
    second = injected(session, state.after(cement_frac=first.filled_frac), bead(1.0, 23.0), None)
    both = first.filled_frac + second.filled_frac
    assert both.sum() * GRID.voxel_ml == pytest.approx(2.0, rel=1e-5)
    assert both.max() <= 1 and second.filled_frac[first.filled_frac > 0.5].sum() == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (bead(0.0), "no volume"),
        (bead(-1.0), "no volume"),
        (bead(2.0, x_mm=39.0), "injection point"),
        (replace(bead(2.0), device="trocar-11g"), "not a cement"),
    ],
)
def test_what_cannot_be_injected_is_refused(wrong, said):
    with pytest.raises(CaseError, match=said) as refused:
        injected(*begun(bone_case()), wrong, None)
    assert refused.value.hint


def test_ways_that_no_structure_shows_are_unknown():
    found = list(missing_ways(bone_case(beyond=Role.VESSEL), slab.cement()))
    assert {check.name for check in found} == {"cement_leak_joint", "cement_leak_canal", "cement_leak_foramen"}
    assert {check.verdict for check in found} == {Verdict.UNKNOWN}


# --- the pressure


def test_cement_thickens_with_its_own_clock():
    cement, known = device("cement-pmma-generic"), cement_flow()
    ages_s = np.array([cement.liquid_until_s, cement.paste_until_s, cement.set_at_s])
    assert viscosity_Pa_s(cement, ages_s) == pytest.approx(
        [known.liquid_until_Pa_s, known.paste_until_Pa_s, known.set_Pa_s]
    )
    middle = viscosity_Pa_s(cement, ages_s[:2].mean())
    assert middle == pytest.approx(np.sqrt(known.liquid_until_Pa_s * known.paste_until_Pa_s))
    assert viscosity_Pa_s(replace(cement, set_at_s=None), ages_s) is None


def test_through_the_lumen_of_an_11_g_trocar_it_takes_the_pressure_that_was_measured():
    """1.7 +/- 0.65 MPa at the syringe, at most 3.2 (C2), nearly all of it in the cannula (95 %, C3)."""
    lumen = tube_resistance_per_m3(0.125, 2.4e-3 / 2)  # a usual lumen: the catalog does not claim it
    syringe = Syringe(cement=device("cement-pmma-generic"), lumen_per_m3=lumen)
    deposit = inject(bone_case(), 4.0).deposit
    in_bone = np.array(deposit.pressures_MPa)
    filled = _Curve(np.array(deposit.volumes_ml) * 1e-6, np.zeros(in_bone.size))
    in_lumen = syringe.syringe_MPa(filled)
    assert 0.7 < (in_lumen + in_bone).max() < 3.2
    assert in_lumen[-1] / (in_lumen + in_bone)[-1] > 0.9
    assert (np.diff(in_bone) > 0).all()  # the front recedes and the cement thickens


class _Curve:
    def __init__(self, volumes_m3, resistance_per_m3):
        self.volumes_m3, self.resistance_per_m3 = volumes_m3, resistance_per_m3


def test_a_tube_resists_as_hagen_and_poiseuille_say():
    assert tube_resistance_per_m3(0.1, 1e-3) == pytest.approx(8 * 0.1 / (np.pi * 1e-12))


def test_a_pressure_beyond_a_hand_fails_and_an_unknown_lumen_is_unknown():
    done = inject(bone_case(), 1.0)
    assert checks(done)["cement_injection_pressure"].verdict is Verdict.UNKNOWN
    high = limit("cement_pressure_max_MPa").value
    for pressure, verdict in ((high + 0.1, Verdict.FAIL), (high - 0.1, Verdict.PASS)):
        assert checks(replace(done, syringe_MPa=pressure))["cement_injection_pressure"].verdict is verdict
