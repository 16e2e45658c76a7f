"""How fast any cell may change at most: what the stability of explicit stages depends on."""

from bisect import bisect
from typing import NamedTuple

import numpy as np
from numba import njit

from trocar.physics.compiled import KERNEL
from trocar.physics.medium import Freezing

LIMITS_DEGC = (-40.0, -80.0, -120.0, -160.0)
NEARLY = 1e-6  # of the freezing curve: at the liquidus and at the solidus least heat capacities jump
F = np.float32


class Rates(NamedTuple):
    """`fastest_per_s`: the bound on the rates at each of `ice`, values of the freezing curve."""

    freezing: Freezing
    ice: tuple[float, ...]
    fastest_per_s: tuple[float, ...]

    def explicit_s(self, coldest_degC: float) -> float:
        """The longest stable explicit step (Gershgorin) while no cell is colder than this."""
        freezing = self.freezing
        below_K = freezing.liquidus_degC - coldest_degC
        deep_K = max(below_K - freezing.interval_K, 0.0)
        ice = min(max(below_K / freezing.interval_K, 0.0), 1.0) + freezing.ice_slope_per_K * deep_K  # `Freezing.share`
        above = min(max(bisect(self.ice, ice), 1), len(self.ice) - 1)
        low, high = self.ice[above - 1 : above + 1]
        part = min((ice - low) / (high - low), 1.0) if high > low else 1.0
        fastest = (1 - part) * self.fastest_per_s[above - 1] + part * self.fastest_per_s[above]  # convex: never too low
        return 1.0 / (fastest * max(1.0, ice / self.ice[-1]))


def ice_at_limits(freezing: Freezing) -> tuple[float, ...]:
    """The values of the freezing curve at which rates are looked at, in ascending order."""
    deep = (float(freezing.share(level)) for level in LIMITS_DEGC)
    return (0.0, NEARLY, 1.0 - NEARLY, 1.0, *(ice for ice in deep if ice > 1.0))


@njit(**KERNEL)
def fastest_rows(  # type: ignore[no-untyped-def]
    ax, ay, az, bx, by, bz, unit, freezing_unit, taken, frozen, inverse, start, length, beside, begin, end, ice,
    worst,
):  # fmt: skip
    """The fastest of some rows' cells where the freezing curve has a value: conductances over least heat capacity.

    Conductances are those of a cell's faces and half of what is `taken` in it: by blood, and by held parts, which may
    weigh most in a coarse cell. Heat capacities are those of unfrozen tissue where nothing freezes; of frozen tissue
    once anything is solid; until then at least the mean of both, which is that of a mush without water. `beside` as in
    `stage.play`. `worst`: scratch as long as the longest row; a maximum of one number would not become vectors.
    """
    zero, half, one, two, beyond = F(0), F(0.5), F(1), F(2), np.uint64(1)
    worst[:] = 0
    freezes, solid = ice > 0, ice >= 1
    for row in range(begin, end):
        east, north = beside[row, 1], beside[row, 3]
        for k in range(length[row]):
            p = start[row] + np.uint64(k)
            a = (F(ax[p]) + F(ax[p + east])) + (F(ay[p]) + F(ay[p + north])) + (F(az[p]) + F(az[p + beyond]))
            b = (
                (max(F(bx[p]), zero) + max(F(bx[p + east]), zero)) + (max(F(by[p]), zero) + max(F(by[p + north]), zero))
                + (max(F(bz[p]), zero) + max(F(bz[p + beyond]), zero))
            )  # fmt: skip
            conducts = unit * a + half * taken[p] + ice * freezing_unit * b
            stiff = max(frozen[p], one)
            stiff = stiff if solid else two * stiff / (one + stiff)
            worst[k] = max(worst[k], conducts * inverse[p] * (stiff if freezes else one))
    return worst.max()
