"""What does not change while heat flows: the coefficients of a lattice of cells, built once for a medium."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numba import njit
from numpy.typing import DTypeLike

from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.enthalpy import Curve, Flat, Law, curve_of, law_of
from trocar.physics.medium import Array, Medium
from trocar.physics.memory import apart, half_places, places
from trocar.physics.rates import Rates, fastest_rows, ice_at_limits
from trocar.physics.spans import beside_in_box
from trocar.physics.threads import PARTS, share, together


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


class PackedFaces(NamedTuple):
    """The same as numbers of two bytes, uint16 and int16, of the units `thawed` and `freezing` (W/m3K).

    They are right to 1/65535 of the greatest. A stage waits for memory, of which faces of four bytes were a third.
    """

    numbers: Faces
    thawed: np.float32
    freezing: np.float32

    @classmethod
    def of(cls, faces: Faces) -> "PackedFaces":
        """Rounded to the nearest."""
        unfrozen, thawed = _packed(faces[:3], 65535, np.uint16)
        beyond, freezing = _packed(faces[3:], 32767, np.int16)
        return cls(Faces(*unfrozen, *beyond), thawed, freezing)

    def unpacked(self) -> Faces:
        """As float32."""
        thawed, freezing = ([unit * values for values in part] for part, unit in (
            (self.numbers[:3], self.thawed), (self.numbers[3:], self.freezing)))  # fmt: skip
        return Faces(*thawed, *freezing)


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """A medium as the kernels see it, flat float32.

    `blood` is Pennes' coefficient, 0 in held cells; `sink` the conductance per volume to held parts of a coarse cell,
    and `sink_K` that times their temperature above rest: both are empty on a lattice whose cells are held whole.
    `rates`: by faces, blood and sinks.
    """

    medium: Medium
    curve: Curve
    law: Law
    faces: PackedFaces
    blood: Flat
    sink: Flat
    sink_K: Flat
    rates: Rates

    @classmethod
    def of(
        cls, medium: Medium, *, faces: Faces | None = None, sink: Flat | None = None, sink_K: Flat | None = None
    ) -> Self:
        """The lattice of a medium whose outermost layers are held (see `walled`); its faces, unless given."""
        curve, law = curve_of(medium), law_of(medium)
        faces = faces_of(medium) if faces is None else faces
        none = np.zeros(0, np.float32)
        blood = np.where(medium.held, np.float32(0), medium.perfusion_W_per_m3K).astype(np.float32).reshape(-1)
        ice = ice_at_limits(medium.freezing)
        sink, sink_K = (none if values is None else values for values in (sink, sink_K))
        fastest_per_s = _fastest(faces, blood + sink if sink.size else blood, curve, ice, medium.shape)
        rates = Rates(medium.freezing, ice, fastest_per_s)
        return cls(medium, curve, law, PackedFaces.of(faces), apart(blood), sink, sink_K, rates)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.medium.shape

    def explicit_s(self, coldest_degC: float) -> float:
        """The longest stable explicit step (Gershgorin) while no cell is colder than this."""
        return self.rates.explicit_s(coldest_degC)


def faces_of(medium: Medium) -> Faces:
    """The face conductances of a medium."""
    warm, cold = (_whole(values) for values in (medium.unfrozen_W_per_mK, medium.frozen_W_per_mK))
    outside = np.zeros((0, 0, 0), bool) if medium.outside is None else np.ascontiguousarray(medium.outside)
    found = places(6, warm.size)
    scale, exchange = np.float32(1 / medium.spacing_m**2), np.float32(medium.exchange_W_per_m2K / medium.spacing_m)
    for axis in range(3):
        unfrozen, freezing = (found[axis + part].reshape(medium.shape) for part in (0, 3))
        together(_faces, warm, cold, outside, scale, exchange, axis, unfrozen, freezing)
        if axis in medium.insulated:
            for values in (unfrozen, freezing):
                for index in (1, -1):
                    values[tuple(index if a == axis else slice(None) for a in range(3))] = 0
    return Faces(*found)


def _packed(part: tuple[Flat, ...], most: int, kind: DTypeLike) -> tuple[list[Array], np.float32]:
    """Arrays as numbers up to `most` of a unit, and the unit."""
    greatest = max(max(float(values.max()), -float(values.min())) for values in part)
    unit = np.float32(greatest / most if greatest > 0 else 1.0)
    numbers = half_places(len(part), part[0].size, kind)
    for values, found in zip(part, numbers, strict=True):
        together(_pack, values, np.float32(1) / unit, found)
    return numbers, unit


@njit(**COMPILED)
def _pack(number, threads, values, inverse, packed):  # type: ignore[no-untyped-def]
    first, past = share(values.size, number, threads)
    _round(values[first:past], inverse, packed[first:past])


@njit(**KERNEL)
def _round(values, inverse, packed):  # type: ignore[no-untyped-def]
    half = np.float32(0.5)
    for p in range(values.size):
        packed[p] = np.int32(values[p] * inverse + (half if values[p] > 0 else -half))


def _whole(values: Array) -> Array:
    return np.ascontiguousarray(values, np.float32)


@njit(**COMPILED)
def _faces(number, threads, warm, cold, outside, scale, exchange, axis, unfrozen, freezing):  # type: ignore[no-untyped-def]
    nx, ny, nz = warm.shape
    di, dj, dk = int(axis == 0), int(axis == 1), int(axis == 2)
    begin, end = share(nx, number, threads)
    for i in range(begin, end):
        for j in range(ny):
            if i < di or j < dj:
                for k in range(nz):
                    unfrozen[i, j, k], freezing[i, j, k] = 0, 0
                continue
            unfrozen[i, j, 0] = 0
            freezing[i, j, 0] = 0
            _face_row(
                warm[i, j, dk:], warm[i - di, j - dj], cold[i, j, dk:], cold[i - di, j - dj], np.float32(2) * scale,
                unfrozen[i, j, dk:], freezing[i, j, dk:],
            )  # fmt: skip
            if outside.size:
                for k in range(dk, nz):
                    if outside[i, j, k] != outside[i - di, j - dj, k - dk]:
                        unfrozen[i, j, k] = exchange
                        freezing[i, j, k] = 0


@njit(**KERNEL)
def _face_row(warm, warm_below, cold, cold_below, twice, unfrozen, freezing):  # type: ignore[no-untyped-def]
    for k in range(unfrozen.size):
        a, b, c, d = warm[k], warm_below[k], cold[k], cold_below[k]
        thawed = twice * a * b / (a + b)
        unfrozen[k] = thawed
        freezing[k] = twice * c * d / (c + d) - thawed


def _fastest(
    faces: Faces, taken: Flat, curve: Curve, ice: tuple[float, ...], shape: tuple[int, int, int]
) -> tuple[float, ...]:  # fmt: skip
    """Per value of the freezing curve, the bound on the rates of all cells within the rim."""
    _, ny, nz = shape
    i, j = np.meshgrid(np.arange(1, shape[0] - 1), np.arange(1, ny - 1), indexing="ij")
    start = ((i * ny + j) * nz + 1).reshape(-1).astype(np.uint64)
    length, beside = np.full(start.size, nz - 2), beside_in_box(start.size, shape)
    found = np.zeros((PARTS, len(ice)), np.float32)
    together(
        _fastest_rows, faces, taken, curve.frozen, curve.inverse, start, length, beside, np.array(ice, np.float32),
        found,
    )  # fmt: skip
    return tuple(found.max(axis=0).tolist())


@njit(**COMPILED)
def _fastest_rows(number, threads, faces, taken, frozen, inverse, start, length, beside, ice, found):  # type: ignore[no-untyped-def]
    one, (ax, ay, az, bx, by, bz) = np.float32(1), faces
    begin, end = share(start.size, number, threads)
    for n in range(ice.size):
        found[number, n] = fastest_rows(
            ax,
            ay,
            az,
            bx,
            by,
            bz,
            one,
            one,
            taken,
            frozen,
            inverse,
            start,
            length,
            beside,
            begin,
            end,
            ice[n],
            np.empty(length[0], np.float32),
        )
