"""What does not change while heat flows: the coefficients of a lattice of cells, built once for a medium."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numba import njit, prange

from trocar.physics.compiled import COMPILED
from trocar.physics.enthalpy import Curve, Flat, Law, curve_of, law_of
from trocar.physics.medium import Array, Medium
from trocar.physics.memory import apart, place

LIMITS_DEGC = (0.0, -8.0, -40.0, -80.0, -120.0, -160.0)


class Faces(NamedTuple):
    """Conductances / spacing^2 of the faces below each cell along i, j, k (flat, W/m3K).

    The flux is unfrozen (T_j - T_i) + freezing (G_j - G_i), G the integral of the freezing curve: the harmonic mean
    of two tissues where both are thawed or both frozen, and Kirchhoff's exact mean within one tissue.
    """

    ax: Flat
    ay: Flat
    az: Flat
    bx: Flat
    by: Flat
    bz: Flat


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """A medium as the kernels see it, flat float32.

    `blood` is Pennes' coefficient, 0 in held cells; `sink` the conductance per volume to held parts of a coarse cell,
    and `sink_K` that times their temperature above rest: both are empty on a lattice whose cells are held whole.
    `fastest_per_s` is the bound on the rates at each of `ice`, values of the freezing curve.
    """

    medium: Medium
    curve: Curve
    law: Law
    faces: Faces
    blood: Flat
    sink: Flat
    sink_K: Flat
    ice: Array
    fastest_per_s: Array

    @classmethod
    def of(
        cls, medium: Medium, *, faces: Faces | None = None, sink: Flat | None = None, sink_K: Flat | None = None
    ) -> Self:
        """The lattice of a medium whose outermost layers are held (see `walled`); its faces, unless given."""
        curve, law = curve_of(medium), law_of(medium)
        faces = faces_of(medium) if faces is None else Faces(*map(apart, faces))
        none = np.zeros(0, np.float32)
        blood = np.where(medium.held, np.float32(0), medium.perfusion_W_per_m3K).astype(np.float32).reshape(-1)
        ice = np.array([float(medium.freezing.share(level)) for level in LIMITS_DEGC])
        fastest_per_s = _fastest(faces, curve, ice, medium.shape)
        curve = Curve(*map(apart, curve))
        sink, sink_K = (none if values is None else values for values in (sink, sink_K))
        return cls(medium, curve, law, faces, apart(blood), sink, sink_K, ice, fastest_per_s)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.medium.shape

    def explicit_s(self, coldest_degC: float) -> float:
        """The longest stable explicit step (Gershgorin) while no cell is colder than this."""
        share = float(self.medium.freezing.share(coldest_degC))
        fastest = float(np.interp(share, self.ice, self.fastest_per_s))  # convex in the share: never too low
        return 1.0 / (fastest * max(1.0, share / float(self.ice[-1])))


def faces_of(medium: Medium) -> Faces:
    """The face conductances of a medium."""
    warm, cold = (_whole(values) for values in (medium.unfrozen_W_per_mK, medium.frozen_W_per_mK))
    outside = np.zeros((0, 0, 0), bool) if medium.outside is None else np.ascontiguousarray(medium.outside)
    found = [place(warm.size) for _ in range(6)]
    scale, exchange = np.float32(1 / medium.spacing_m**2), np.float32(medium.exchange_W_per_m2K / medium.spacing_m)
    for axis in range(3):
        unfrozen, freezing = (found[axis + part].reshape(medium.shape) for part in (0, 3))
        _faces(warm, cold, outside, scale, exchange, axis, unfrozen, freezing)
        if axis in medium.insulated:
            for values in (unfrozen, freezing):
                for index in (1, -1):
                    values[tuple(index if a == axis else slice(None) for a in range(3))] = 0
    return Faces(*found)


def _whole(values: Array) -> Array:
    return np.ascontiguousarray(values, np.float32)


@njit(parallel=True, **COMPILED)
def _faces(warm, cold, outside, scale, exchange, axis, unfrozen, freezing):  # type: ignore[no-untyped-def]
    nx, ny, nz = warm.shape
    di, dj, dk = int(axis == 0), int(axis == 1), int(axis == 2)
    two = np.float32(2) * scale
    for i in prange(nx):
        for j in range(ny):
            if i < di or j < dj:
                unfrozen[i, j, :] = 0
                freezing[i, j, :] = 0
                continue
            unfrozen[i, j, 0] = 0
            freezing[i, j, 0] = 0
            for k in range(dk, nz):
                a, b = warm[i, j, k], warm[i - di, j - dj, k - dk]
                c, d = cold[i, j, k], cold[i - di, j - dj, k - dk]
                thawed = two * a * b / (a + b)
                unfrozen[i, j, k] = thawed
                freezing[i, j, k] = two * c * d / (c + d) - thawed
            if outside.size:
                for k in range(dk, nz):
                    if outside[i, j, k] != outside[i - di, j - dj, k - dk]:
                        unfrozen[i, j, k] = exchange
                        freezing[i, j, k] = 0


def _fastest(faces: Faces, curve: Curve, ice: Array, shape: tuple[int, int, int]) -> Array:
    """Per value of the freezing curve, the largest sum of a cell's conductances over its smallest heat capacity."""
    found = np.zeros((shape[0], ice.size), np.float32)
    _fastest_rows(*faces, curve.frozen, curve.inverse, ice.astype(np.float32), *shape, found)
    return found.max(axis=0).astype(float)


@njit(parallel=True, **COMPILED)
def _fastest_rows(ax, ay, az, bx, by, bz, frozen, inverse, ice, nx, ny, nz, found):  # type: ignore[no-untyped-def]
    sx, sy = ny * nz, nz
    zero, one = np.float32(0), np.float32(1)
    for i in prange(1, nx - 1):
        thawed, freezing, factor = np.zeros(nz, np.float32), np.zeros(nz, np.float32), np.ones(nz, np.float32)
        for j in range(1, ny - 1):
            row = i * sx + j * sy
            for k in range(1, nz - 1):
                p = row + k
                a = ax[p] + ax[p + sx] + ay[p] + ay[p + sy] + az[p] + az[p + 1]
                b = (
                    max(bx[p], zero) + max(bx[p + sx], zero) + max(by[p], zero) + max(by[p + sy], zero)
                    + max(bz[p], zero) + max(bz[p + 1], zero)
                )  # fmt: skip
                thawed[k], freezing[k], factor[k] = a * inverse[p], b * inverse[p], max(frozen[p], one)
            for n in range(ice.size):
                share = ice[n]
                most = zero
                if share > 0:
                    for k in range(1, nz - 1):
                        most = max(most, (thawed[k] + share * freezing[k]) * factor[k])
                else:
                    for k in range(1, nz - 1):
                        most = max(most, thawed[k])
                found[i, n] = max(found[i, n], most)
