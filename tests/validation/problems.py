"""Problems with known answers, as pure functions and lattices: analytic solutions and fine one-dimensional references.

P1 and P2 are the property sets of the literature review: soft tissue with a mushy range, and water with a sharp front.
"""

from dataclasses import replace

import numpy as np
from scipy import optimize, special

from trocar.physics.medium import Freezing, Medium
from trocar.physics.substance import Substance, constant

REST_DEGC = 37.0
P2_SOLID_W_PER_MK, P2_LIQUID_W_PER_MK = 2.2, 0.6
P2_SOLID_J_PER_M3K, P2_LIQUID_J_PER_M3K, P2_LATENT_J_PER_M3 = 1.9e6, 4.18e6, 334e6


def soft_tissue(shape, spacing_m, *, perfusion_W_per_m3K=0.0, rest_degC=REST_DEGC):
    """P1: k 0.5 / 2.0, C 3.6 / 1.7964 MJ/m3K, latent heat 250 MJ/m3 over -8..-1 degC."""
    return _medium(
        shape, spacing_m, (0.5, 2.0, 3.6e6, 1.7964e6, 250e6), perfusion_W_per_m3K, rest_degC,
        Freezing(solidus_degC=-8.0, liquidus_degC=-1.0),
    )  # fmt: skip


def uniform(shape, spacing_m, *, conductivity_W_per_mK, capacity_J_per_m3K):
    """Tissue at rest of one conductivity and heat capacity, without blood: for what never freezes."""
    return _medium(
        shape, spacing_m, (conductivity_W_per_mK,) * 2 + (capacity_J_per_m3K,) * 2 + (2.5e8,), 0.0, REST_DEGC,
        Freezing(solidus_degC=-8.0, liquidus_degC=-1.0),
    )  # fmt: skip


def water(shape, spacing_m, *, rest_degC, insulated=(), interval_K=0.5):
    """P2: water and ice with a front at 0 degC; the lattice spreads it over `interval_K` below 0."""
    return _medium(
        shape, spacing_m,
        (P2_LIQUID_W_PER_MK, P2_SOLID_W_PER_MK, P2_LIQUID_J_PER_M3K, P2_SOLID_J_PER_M3K, P2_LATENT_J_PER_M3),
        0.0, rest_degC, Freezing(solidus_degC=-interval_K, liquidus_degC=0.0), insulated,
    )  # fmt: skip


def _medium(shape, spacing_m, properties, perfusion, rest_degC, freezing, insulated=()):
    warm, cold, c_warm, c_cold, latent = (np.full(shape, value) for value in properties)
    return Medium(
        spacing_m=spacing_m,
        unfrozen_W_per_mK=warm,
        frozen_W_per_mK=cold,
        unfrozen_J_per_m3K=c_warm,
        frozen_J_per_m3K=c_cold,
        latent_J_per_m3=latent,
        perfusion_W_per_m3K=np.full(shape, perfusion),
        held=np.zeros(shape, dtype=bool),
        held_degC=np.full(shape, rest_degC),
        rest_degC=rest_degC,
        freezing=freezing,
        insulated=insulated,
    )


def planar_front_m(wall_degC, far_degC, time_s):
    """Neumann's two-phase front in P2 at a time."""
    a_s = P2_SOLID_W_PER_MK / P2_SOLID_J_PER_M3K
    a_l = P2_LIQUID_W_PER_MK / P2_LIQUID_J_PER_M3K
    ratio = np.sqrt(a_s / a_l)

    def balance(x):
        cold = -wall_degC * P2_SOLID_W_PER_MK / np.sqrt(a_s) * np.exp(-x * x) / special.erf(x)
        warm = far_degC * P2_LIQUID_W_PER_MK / np.sqrt(a_l) * np.exp(-((x * ratio) ** 2)) / special.erfc(x * ratio)
        return cold - warm - np.sqrt(np.pi) * x * P2_LATENT_J_PER_M3 * np.sqrt(a_s)

    return 2 * optimize.brentq(balance, 1e-6, 3.0) * np.sqrt(a_s * time_s)


def steady_frozen_cylinder_m(needle_m, surface_degC, perfusion, *, frozen=2.0, unfrozen=0.5, blood_degC=37.0):
    """Radius of the ice around an endless isothermal needle in steady Pennes tissue that freezes at 0 degC."""
    m = np.sqrt(perfusion / unfrozen)

    def balance(radius):
        inward = frozen * -surface_degC / np.log(radius / needle_m)
        return inward - unfrozen * blood_degC * m * radius * special.k1(m * radius) / special.k0(m * radius)

    return optimize.brentq(balance, needle_m * 1.01, 0.2)


def steady_frozen_sphere_m(needle_m, surface_degC, perfusion, *, frozen=2.0, unfrozen=0.5, blood_degC=37.0):
    """The same around an isothermal sphere."""
    m = np.sqrt(perfusion / unfrozen)

    def balance(radius):
        inward = frozen * -surface_degC * needle_m * radius / (radius - needle_m)
        return inward - unfrozen * blood_degC * radius * (1 + m * radius)

    return optimize.brentq(balance, needle_m * 1.001, 0.2)


# Radial references in P1 (implicit enthalpy, 1200 cells): needle radius m, surface degC, rest degC, perfusion W/m3K,
# radii in mm of 0, -20 and -40 degC at 300 s and at 600 s, and W/m at 600 s.
RADIAL = {
    "17 G": (0.75e-3, -140.0, 37.0, 0.0, (11.89, 8.20, 5.48), (15.77, 10.50, 6.73), 574.0),
    "17 G in gel at 22": (0.75e-3, -140.0, 22.0, 0.0, (13.32, 8.90, 5.85), (17.78, 11.45, 7.22), 556.0),
    "17 G, perfused": (0.75e-3, -140.0, 37.0, 40e3, (10.53, 7.50, 5.09), (12.59, 8.84, 5.85), 612.0),
    "14 G": (1.05e-3, -140.0, 37.0, 0.0, (12.73, 9.08, 6.30), (16.79, 11.57, 7.71), 631.0),
    "17 G at -100": (0.75e-3, -100.0, 37.0, 0.0, (10.20, 6.29, 3.69), (13.44, 7.90, 4.37), 428.0),
}
# Axisymmetric references in P1, 600 s, -140 degC, no perfusion: needle radius m, active length m;
# width x length in mm of 0, -20, -40 degC; cm3 of each; W.
NEEDLES = {
    "17 G, 20 mm": (0.75e-3, 0.020, ((28.2, 36.7), (17.7, 27.7), (11.3, 23.6)), (15.6, 4.7, 1.7), 14.7),
    "17 G, 40 mm": (0.75e-3, 0.040, ((30.9, 56.8), (20.3, 47.8), (13.0, 43.6)), (31.2, 11.4, 4.3), 26.2),
    "14 G, 40 mm": (1.05e-3, 0.040, ((32.9, 57.9), (22.3, 48.7), (14.8, 44.1)), (35.9, 13.9, 5.6), 29.2),
}


def line_sink_radius_m(watts_per_m, far_degC, time_s):
    """Paterson's front around a line that draws a constant power from P2."""
    a_s, a_l = P2_SOLID_W_PER_MK / P2_SOLID_J_PER_M3K, P2_LIQUID_W_PER_MK / P2_LIQUID_J_PER_M3K

    def balance(x):
        drawn = watts_per_m / (4 * np.pi) * np.exp(-x * x)
        brought = P2_LIQUID_W_PER_MK * far_degC * np.exp(-x * x * a_s / a_l) / special.exp1(x * x * a_s / a_l)
        return drawn - brought - x * x * a_s * P2_LATENT_J_PER_M3

    return 2 * optimize.brentq(balance, 1e-3, 2.0) * np.sqrt(a_s * time_s)


def steady_warm_sphere_degC(ball_m, surface_degC, perfusion, at_m, *, conductivity=0.5, blood_degC=37.0):
    """Temperatures around an isothermal sphere in steady Pennes tissue."""
    m = np.sqrt(perfusion / conductivity)
    return blood_degC + (surface_degC - blood_degC) * ball_m / at_m * np.exp(-m * (at_m - ball_m))


def soft_tissue_tables(*, shut_at_liquidus=False):
    """P1 for the axisymmetric solver; `shut_at_liquidus`: perfusion stops where freezing begins, not with the ice."""
    made = Substance.of(
        conductivity_W_per_mK=(constant(2.0), constant(0.5)),
        capacity_J_per_m3K=(constant(1.7964e6), constant(3.6e6)),
        latent_J_per_m3=250e6, solidus_degC=-8.0, liquidus_degC=-1.0,
    )  # fmt: skip
    return replace(made, unfrozen_frac=(made.unfrozen_frac > 0.999).astype(float)) if shut_at_liquidus else made


# Ice in gel by the literature review (OD 1.5 mm, 22 mm active, 600 s): surface degC, bath degC,
# width x length in mm of 0, -20, -40 degC; W.
GEL = (
    (-90.0, 22.0, ((27.1, 37.8), (14.3, 27.1), (7.8, 23.5)), 13.9),
    (-120.0, 22.0, ((31.4, 41.5), (19.0, 30.1), (12.0, 25.6)), 19.5),
    (-120.0, 37.0, ((28.2, 38.5), (17.7, 29.3), (11.4, 25.3)), 20.0),
    (-150.0, 37.0, ((32.2, 41.7), (22.1, 32.3), (15.4, 27.6)), 26.7),
)
# IceSphere in a shallow dish of saline at 28 to 31 degC (S1): the thermocouple on the needle, s and degC; those at
# 1.8 and 2.8 mm from its axis; where the front was found, s and mm.
ON_NEEDLE = ((0, 29.5), (1, -10), (2, -31), (5, -59), (10, -70.4), (20, -74.3), (30, -75.6), (60, -79.4), (110, -81.9))
BESIDE_NEEDLE = {50.0: (-27.5, 6.0), 110.0: (-35.0, -2.0), 170.0: (-39.0, -6.7)}
FRONTS = {60.0: 2.26, 120.0: 2.88, 180.0: 3.49}
