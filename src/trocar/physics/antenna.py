"""Microwave antennas: the heat that one deposits around it, wherever it lies between the cells of the lattice.

A template with two numbers per device, its efficiency and the length over which it radiates, instead of a solution of
Maxwell's equations. Equations, assumptions and what is known of their error: docs/theory/microwave.md.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit, prange

from trocar.errors import SolverError
from trocar.physics.compiled import COMPILED
from trocar.physics.lines import Line
from trocar.physics.medium import Array

LIGHT_M_PER_S = 299_792_458.0
VACUUM_F_PER_M = 8.8541878128e-12
BODY_DEGC = 37.0
MOST_SAMPLES, FEWEST_SAMPLES = 8, 2  # to a cell's edge: beside the axis, and far from it
STEPS_PER_CELL = 2  # of a ray


@dataclass(frozen=True, slots=True, kw_only=True)
class Antenna:
    """`line` is the stretch that radiates, most at its middle; `efficiency_frac` of the power heats tissue."""

    line: Line
    efficiency_frac: float

    def __post_init__(self) -> None:
        if not 0 < self.efficiency_frac <= 1:
            raise SolverError(f"an antenna's efficiency of {self.efficiency_frac:g} makes no sense", hint="0 to 1")
        length = float(np.linalg.norm(np.subtract(self.line.tail_m, self.line.tip_m)))
        if not (length > 0 and self.line.radius_m > 0):
            raise SolverError("an antenna needs a length and a radius")


def attenuation_per_m(relative_permittivity: Array, conductivity_S_per_m: Array, frequency_Hz: float) -> Array:
    """How fast the field of a plane wave decays, 1/m; its power decays twice as fast."""
    if not frequency_Hz > 0:
        raise SolverError(f"a frequency of {frequency_Hz:g} Hz makes no sense")
    pulsation = 2 * np.pi * frequency_Hz
    loss = np.asarray(conductivity_S_per_m) / (pulsation * VACUUM_F_PER_M)
    permittivity = np.asarray(relative_permittivity)
    return pulsation / LIGHT_M_PER_S * np.sqrt(0.5 * (np.hypot(permittivity, loss) - permittivity))


def hot_permittivity(at_body: Array, temperature_degC: Array) -> Array:
    """Relative permittivity of tissue at a temperature: falls as water leaves, by the curve of liver at 2.45 GHz (S10).

    Other tissues are taken to lose the same share; 1 (a vacuum) is the least.
    """
    return 1 + (np.asarray(at_body) - 1) * _wet(temperature_degC, 6.286, 0.0764) / _wet(BODY_DEGC, 6.286, 0.0764)


def hot_conductivity_S_per_m(at_body_S_per_m: Array, temperature_degC: Array) -> Array:
    """Conductivity at a temperature, by the curve of liver at 2.45 GHz (S10)."""
    return np.asarray(at_body_S_per_m) * _wet(temperature_degC, 5.951, 0.0697) / _wet(BODY_DEGC, 5.951, 0.0697)


def _wet(temperature_degC: Array | float, offset: float, slope_per_K: float) -> Array:
    return 1 - 1 / (1 + np.exp(np.clip(offset - slope_per_K * np.asarray(temperature_degC), -60, 60)))


def antenna_heat_W_per_m3(
    antenna: Antenna, power_W: float, attenuation: Array, spacing_m: float, free: Array | None = None
) -> Array:
    """[i, j, k] W/m3 whose sum over the `free` cells is efficiency x power; float32.

    `attenuation` [i, j, k] in 1/m of every cell as it is now; a ray is damped by each cell it crosses. `free` cells
    take heat, the others (held, or of metal) none. Raises `SolverError` for an antenna outside the lattice.
    """
    if not (np.isfinite(power_W) and power_W >= 0):
        raise SolverError(f"an antenna's power of {power_W:g} W makes no sense")
    if not (np.isfinite(attenuation).all() and (attenuation >= 0).all()):
        raise SolverError("the attenuation is not finite and positive everywhere", hint="check the dielectric table")
    open_to_heat = np.ones(attenuation.shape, bool) if free is None else free
    tip, tail = (np.asarray(end, float) / spacing_m for end in (antenna.line.tip_m, antenna.line.tail_m))
    inside = np.asarray(attenuation.shape) - 1.0
    if (np.minimum(tip, tail) < 0).any() or (np.maximum(tip, tail) > inside).any():
        raise SolverError("an antenna lies outside the simulated tissue", hint="enlarge the simulated box")
    pattern = np.zeros(attenuation.shape, np.float32)
    damping = np.ascontiguousarray(attenuation, np.float32)
    _deposit(
        damping, np.ascontiguousarray(open_to_heat), tip, tail, antenna.line.radius_m / spacing_m, spacing_m, pattern
    )
    total = float(pattern.sum(dtype=np.float64)) * spacing_m**3
    if not total > 0:
        raise SolverError("an antenna heats nothing around it", hint="all the tissue around it is held, metal or gas")
    pattern *= np.float32(antenna.efficiency_frac * power_W / total)
    return pattern


@njit(parallel=True, **COMPILED)
def _deposit(attenuation, free, tip, tail, radius, spacing_m, pattern):  # type: ignore[no-untyped-def]
    """The mean over each cell of 2 a exp(-2 a r) / r x shape, not yet normalized; lengths in cells."""
    along = tail - tip
    length = np.sqrt(along @ along)
    axis, middle = along / length, 0.5 * (tip + tail)
    nx, ny, nz = attenuation.shape
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                x, y, z = i - middle[0], j - middle[1], k - middle[2]
                height = x * axis[0] + y * axis[1] + z * axis[2]
                if not free[i, j, k] or abs(height) > 0.5 * length + 0.9:
                    continue
                distance = np.sqrt(max(x * x + y * y + z * z - height * height, 0.0))
                local = attenuation[i, j, k] * spacing_m
                depth = _depth(attenuation, i, j, k, axis, middle, height, distance, radius) * spacing_m
                mean = _cell_mean(x, y, z, axis, length, distance, radius, local)
                pattern[i, j, k] = 2 * local * np.exp(-2 * depth) * mean


@njit(**COMPILED)
def _depth(attenuation, i, j, k, axis, middle, height, distance, radius):  # type: ignore[no-untyped-def]
    """The integral of the attenuation along the ray from the antenna's surface to a cell, times cells."""
    if distance <= radius:
        return attenuation[i, j, k] * (distance - radius)
    a, b, c = (middle[0] + height * axis[0], middle[1] + height * axis[1], middle[2] + height * axis[2])
    nx, ny, nz = attenuation.shape
    count = int(np.ceil((distance - radius) * STEPS_PER_CELL))
    total = 0.0
    for n in range(count):
        share = (radius + (n + 0.5) * (distance - radius) / count) / distance
        p = min(max(round(a + share * (i - a)), 0), nx - 1)
        q = min(max(round(b + share * (j - b)), 0), ny - 1)
        r = min(max(round(c + share * (k - c)), 0), nz - 1)
        total += attenuation[p, q, r]
    return total * (distance - radius) / count


@njit(**COMPILED)
def _cell_mean(x, y, z, axis, length, distance, radius, local):  # type: ignore[no-untyped-def]
    """The mean of exp(-2 a (r - r_cell)) / r x cos2(pi height / length) over a cell, by samples."""
    samples = min(max(int(np.ceil(4.0 / max(distance, 0.5))), FEWEST_SAMPLES), MOST_SAMPLES)
    total = 0.0
    for n in range(samples**3):
        u = x + ((n % samples) + 0.5) / samples - 0.5
        v = y + ((n // samples % samples) + 0.5) / samples - 0.5
        w = z + ((n // (samples * samples)) + 0.5) / samples - 0.5
        height = u * axis[0] + v * axis[1] + w * axis[2]
        away = np.sqrt(max(u * u + v * v + w * w - height * height, 0.0))
        if away > radius and abs(height) < 0.5 * length:
            total += np.exp(-2 * local * (away - distance)) / away * np.cos(np.pi * height / length) ** 2
    return total / samples**3
