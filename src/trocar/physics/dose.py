"""What heat leaves behind: Arrhenius damage, thermal dose, and cells that may still recover.

The models disagree below 50 degC by orders of magnitude: all are kept, none is preferred here.
Equations and sources are in docs/theory/injury.md.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.medium import Array
from trocar.physics.spans import Rows
from trocar.physics.threads import share, together

GAS_J_PER_MOLK = 8.314462618
ZERO_K = 273.15
SAMPLES = 8  # of a step, in Gauss-Legendre order: a rate may double every two kelvin
FLAT_K, FLAT_SAMPLES = 1.0, 2  # most cells move less than this in a step: two equal parts are as good there
MOST_OMEGA, MOST_CEM43_MIN = 6e4, 1e7  # beyond, more makes no difference; half precision on disk holds the first
COLDEST_HARM_DEGC = 38.0  # below it, rates are nothing in any session
RESTING_VULNERABLE = 0.011  # a cell with more than this still recovers, or dies, after it has cooled


class Arrhenius(NamedTuple):
    """A rate A exp(-E / RT), 1/s."""

    frequency_per_s: float
    activation_J_per_mol: float

    def rate_per_s(self, temperature_degC: float) -> float:
        """The rate at a temperature."""
        kelvin = temperature_degC + ZERO_K
        return float(self.frequency_per_s * np.exp(-self.activation_J_per_mol / (GAS_J_PER_MOLK * kelvin)))


LIVER = Arrhenius(7.39e39, 2.577e5)  # cell death and coagulation (R: Jacques 1996; high)
SKIN = Arrhenius(3.1e98, 6.28e5)  # burns (R: Henriques 1947; high)


class Recovery(NamedTuple):
    """Three-state cell death (O'Neill and Payne; parameters S10): alive A, vulnerable V, dead 1 - A - V.

    k = forward exp(T / scale) (1 - A); dA/dt = -k A + backward V; dV/dt = k A - backward V - k V, T in degC.
    Tissue counts as dead where A stays below `dead_below`.
    """

    forward_per_s: float = 3.33e-3
    backward_per_s: float = 7.77e-3
    scale_degC: float = 40.5
    alive_at_start: float = 0.99
    dead_below: float = 0.8


@dataclass(slots=True, eq=False)
class HeatDose:
    """Flat float32 arrays per cell, brought up to date after every step.

    `omega` and `omega_skin` by the two Arrhenius sets, `cem43_min` equivalent minutes at 43 degC, `alive` and
    `vulnerable` shares of the three-state model, `least_alive` its lowest so far, `maximum_degC` the hottest so far.
    """

    omega: Array
    omega_skin: Array
    cem43_min: Array
    alive: Array
    vulnerable: Array
    least_alive: Array
    maximum_degC: Array

    @classmethod
    def fresh(cls, cells: int, rest_degC: float) -> "HeatDose":
        """Tissue that nothing has happened to."""
        zero = np.zeros(cells, np.float32)
        alive = np.full(cells, Recovery().alive_at_start, np.float32)
        hottest = np.full(cells, rest_degC, np.float32)
        return cls(zero, zero.copy(), zero.copy(), alive, 1 - alive, alive.copy(), hottest)

    def copy(self) -> "HeatDose":
        """Arrays of its own."""
        return HeatDose(*(getattr(self, name).copy() for name in self.__slots__))

    @property
    def open_frac(self) -> Array:
        """The share of perfusion that coagulation leaves: none once Omega has reached 1 (thermal reference 4.1)."""
        return (self.omega < 1).astype(np.float32)

    def record(self, before_degC: Array, now_degC: Array, step_s: float, rows: Rows, there: Array) -> None:
        """Take in a step that led from one temperature to another (flat, linear in time) on the active rows.

        `there`: where each row begins in `now_degC`.
        """
        points, weights = np.polynomial.legendre.leggauss(SAMPLES)
        shares, weights = (0.5 * (points + 1)).astype(np.float32), (0.5 * weights).astype(np.float32)
        laws = np.array([*_scaled(LIVER), *_scaled(SKIN)], np.float32)
        recovery = np.array(Recovery()[:3], np.float32)
        together(
            _record, before_degC, now_degC, np.float32(step_s), shares, weights, laws, recovery, rows, there,
            self.omega, self.omega_skin, self.cem43_min, self.alive, self.vulnerable, self.least_alive,
            self.maximum_degC,
        )  # fmt: skip


def _scaled(law: Arrhenius) -> tuple[float, float]:
    """ln A and E / R: A itself leaves float32."""
    return float(np.log(law.frequency_per_s)), law.activation_J_per_mol / GAS_J_PER_MOLK


@njit(**COMPILED)
def _record(  # type: ignore[no-untyped-def]
    number, threads, before, now, step_s, shares, weights, laws, recovery, rows, there, omega, omega_skin, cem43_min,
    alive, vulnerable, least_alive, maximum,
):  # fmt: skip
    start, length, bounds, _ = rows
    begin, end = share(bounds.size - 1, number, threads)
    for part in range(begin, end):
        _record_rows(
            before, now, step_s, shares, weights, laws, recovery, start, there, length, bounds, part,
            omega, omega_skin, cem43_min, alive, vulnerable, least_alive, maximum,
        )  # fmt: skip


@njit(**KERNEL)
def _record_rows(  # type: ignore[no-untyped-def]
    before, now, step_s, shares, weights, laws, recovery, start, there, length, bounds, part,
    omega, omega_skin, cem43_min, alive, vulnerable, least_alive, maximum,
):  # fmt: skip
    minute = np.float32(1 / 60)
    for row in range(bounds[part], bounds[part + 1]):
        for k in range(length[row]):
            p = start[row] + np.uint64(k)
            a, b = before[p], now[there[row] + np.uint64(k)]
            maximum[p] = max(maximum[p], max(a, b))
            if max(a, b) < COLDEST_HARM_DEGC and vulnerable[p] < RESTING_VULNERABLE:
                continue
            flat = abs(b - a) < np.float32(FLAT_K)
            count = FLAT_SAMPLES if flat else shares.size
            for n in range(count):
                share = (np.float32(n) + np.float32(0.5)) / np.float32(FLAT_SAMPLES) if flat else shares[n]
                t = a + share * (b - a)
                dt = step_s / np.float32(FLAT_SAMPLES) if flat else weights[n] * step_s
                inverse = np.float32(1) / (t + np.float32(ZERO_K))
                omega[p] = min(omega[p] + dt * np.exp(laws[0] - laws[1] * inverse), np.float32(MOST_OMEGA))
                rate = np.exp(min(laws[2] - laws[3] * inverse, np.float32(20)))
                omega_skin[p] = min(omega_skin[p] + dt * rate, np.float32(MOST_OMEGA))
                if t > np.float32(39):
                    doubling = np.float32(0.6931472) if t >= np.float32(43) else np.float32(1.3862944)
                    dose = dt * minute * np.exp(min(doubling * (t - np.float32(43)), np.float32(40)))
                    cem43_min[p] = min(cem43_min[p] + dose, np.float32(MOST_CEM43_MIN))
                _recover(alive, vulnerable, p, t, dt, recovery)
                least_alive[p] = min(least_alive[p], alive[p])


@njit(**COMPILED)
def _recover(alive, vulnerable, p, t, dt, recovery):  # type: ignore[no-untyped-def]
    """The three-state model over dt at one temperature: both rates exact while the others rest."""
    forward = recovery[0] * np.exp(min(t / recovery[2], np.float32(20))) * (np.float32(1) - alive[p])
    lost = alive[p] * (np.float32(1) - np.exp(-forward * dt))
    back = vulnerable[p] * (np.float32(1) - np.exp(-recovery[1] * dt))
    died = vulnerable[p] * (np.float32(1) - np.exp(-forward * dt))
    alive[p] = min(max(alive[p] - lost + back, np.float32(0)), np.float32(1))
    vulnerable[p] = min(max(vulnerable[p] + lost - back - died, np.float32(0)), np.float32(1))


@njit(**COMPILED)
def close_coagulated(omega, open_frac, rows):  # type: ignore[no-untyped-def]
    """No perfusion is left where tissue has coagulated (Omega 1 or more), on the active rows."""
    start, length, _, _ = rows
    for row in range(length.size):
        for k in range(length[row]):
            p = start[row] + np.uint64(k)
            if omega[p] >= np.float32(1):
                open_frac[p] = np.float32(0)
