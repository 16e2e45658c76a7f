"""What of rows of cells does not move, made from their tissue: T(u) curves, blood and faces."""

import numpy as np
from numba import njit

from trocar.physics.arrays import FREE, Tissue
from trocar.physics.compiled import COMPILED, KERNEL
from trocar.physics.enthalpy import LEAST_MUSH_K, Curve, Flat, Law
from trocar.physics.lattice import Faces, PackedFaces
from trocar.physics.layout import Layout
from trocar.physics.medium import Medium
from trocar.physics.threads import PARTS, share, together

AXES = 3
LEAST_W_PER_M3K = 1e-20  # of a face: a lattice in which nothing conducts has a unit too
F = np.float32


def lay_ground(
    medium: Medium, tissue: Tissue, law: Law, layout: Layout, curve: Curve, blood: Flat, faces: Faces
) -> PackedFaces:
    """Fills the arrays of a layout, as `enthalpy.curve_of` and `lattice.faces_of` fill those of a lattice.

    `curve.vapor` may be empty where nothing boils. The faces come back with their units, which are those of the
    greatest conductivities in the layout.
    """
    at, flat = (layout.start, layout.box, layout.length), Tissue(*(values.reshape(-1) for values in tissue))
    scale, exchange = F(1 / medium.spacing_m**2), F(medium.exchange_W_per_m2K / medium.spacing_m)
    greatest = np.zeros((PARTS, 2), np.float32)
    together(_greatest, layout.box.view(np.uint64), layout.length, flat.warm_W, flat.cold_W, greatest)
    warm_W, cold_W = greatest.max(axis=0)
    thawed = F(max(warm_W * scale, exchange, LEAST_W_PER_M3K) / 65535)
    freezing = F(max(max(warm_W, cold_W) * scale, LEAST_W_PER_M3K) / 32767)
    insulated = np.array([axis in medium.insulated for axis in range(AXES)])
    together(
        _fill, *at, flat, tissue.shape, law, scale, exchange, insulated, F(1) / thawed, F(1) / freezing, curve, blood,
        tuple(faces[:AXES]), tuple(faces[AXES:]),
    )  # fmt: skip
    return PackedFaces(faces, thawed, freezing)


@njit(**COMPILED)
def _greatest(number, threads, box, length, warm, cold, found):  # type: ignore[no-untyped-def]
    """The greatest conductivities of a share of the rows kept."""
    begin, end = share(box.size, number, threads)
    most = np.zeros((2, length.max() if length.size else 1), np.float32)  # one number would not become vectors
    _most(warm, cold, box, length, begin, end, most[0], most[1])
    found[number, 0], found[number, 1] = most[0].max(), most[1].max()


@njit(**KERNEL)
def _most(warm, cold, box, length, begin, end, most_warm, most_cold):  # type: ignore[no-untyped-def]
    for r in range(begin, end):
        for k in range(length[r]):
            p = box[r] + np.uint64(k)
            most_warm[k], most_cold[k] = max(most_warm[k], warm[p]), max(most_cold[k], cold[p])


@njit(**COMPILED)
def _fill(  # type: ignore[no-untyped-def]
    number, threads, start, box, length, tissue, shape, law, scale, exchange, insulated, per_thawed, per_freezing,
    curve, blood, thawed, freezing,
):  # fmt: skip
    """Curves, blood and faces of a share of the rows kept (`enthalpy.curve_of`, `lattice.faces_of`); flat tissue."""
    strides = shape[1] * shape[2], shape[2], 1
    begin, end = share(start.size, number, threads)
    _curve_rows(
        tissue.warm_J, tissue.cold_J, tissue.latent_J, tissue.perfusion_W, tissue.held, start, box, length, begin, end,
        law.interval, curve.mush, curve.frozen, curve.inverse, blood,
    )  # fmt: skip
    if tissue.vapor_J.size:
        _vapor_rows(tissue.vapor_J, tissue.warm_J, start, box, length, begin, end, law.boil_interval, curve.vapor)
    for axis in range(AXES):
        _face_rows(
            tissue.warm_W, tissue.cold_W, start, box, length, begin, end, strides[axis], F(2) * scale, per_thawed,
            per_freezing, thawed[axis], freezing[axis],
        )  # fmt: skip
    if tissue.outside.size:
        skin = np.int32(exchange * per_thawed + F(0.5))
        for axis in range(AXES):
            _skin_rows(
                tissue.outside, start, box, length, begin, end, strides[axis], skin, thawed[axis], freezing[axis]
            )
    for r in range(begin, end):
        at = box[r] // strides[0], box[r] // strides[1] % shape[1], box[r] % shape[2]
        for axis in range(2):
            if at[axis] == 0 or (insulated[axis] and (at[axis] == 1 or at[axis] == shape[axis] - 1)):
                shut(thawed[axis], freezing[axis], start[r], length[r])
        for k in (0, 1, shape[2] - 1):
            if at[2] <= k < at[2] + length[r] and (k == 0 or insulated[2]):
                shut(thawed[2], freezing[2], start[r] + k - at[2], 1)


@njit(**KERNEL)
def _curve_rows(  # type: ignore[no-untyped-def]
    warm_J, cold_J, latent_J, perfusion_W, held, start, box, length, begin, end, interval, mush, frozen, inverse, blood
):
    half, zero = F(0.5) * interval, F(0)
    for r in range(begin, end):
        first, place = np.uint64(box[r]), np.uint64(start[r])
        for k in range(length[r]):
            p, q = first + np.uint64(k), place + np.uint64(k)
            warm, cold = warm_J[p], cold_J[p]
            one_over, free = F(1) / warm, held[p] == FREE
            mush[q] = max(one_over * (latent_J[p] + half * (warm + cold)), F(LEAST_MUSH_K))
            frozen[q] = warm / cold
            inverse[q] = one_over if free else zero
            blood[q] = perfusion_W[p] if free else zero


@njit(**KERNEL)
def _vapor_rows(vapor_J, warm_J, start, box, length, begin, end, boil_interval, vapor):  # type: ignore[no-untyped-def]
    for r in range(begin, end):
        first, place = np.uint64(box[r]), np.uint64(start[r])
        for k in range(length[r]):
            p = first + np.uint64(k)
            vapor[place + np.uint64(k)] = vapor_J[p] / warm_J[p] + boil_interval


@njit(**KERNEL)
def _face_rows(  # type: ignore[no-untyped-def]
    warm, cold, start, box, length, begin, end, stride, twice, per_thawed, per_freezing, thawed, freezing
):
    """Faces below cells; those of a line's first cell, or of the first lines, mean nothing."""
    half = F(0.5)
    for r in range(begin, end):
        first, place = np.uint64(box[r]), np.uint64(start[r])
        below = np.uint64(max(box[r] - stride, 0))
        for k in range(length[r]):
            p, o, q = first + np.uint64(k), below + np.uint64(k), place + np.uint64(k)
            a, b, c, d = warm[p], warm[o], cold[p], cold[o]
            unfrozen = twice * a * b / (a + b)
            more = (twice * c * d / (c + d) - unfrozen) * per_freezing
            thawed[q] = np.int32(unfrozen * per_thawed + half)
            freezing[q] = np.int32(more + (half if more > 0 else -half))


@njit(**KERNEL)
def _skin_rows(outside, start, box, length, begin, end, stride, skin, thawed, freezing):  # type: ignore[no-untyped-def]
    """Where one of the two cells lies outside the body, its surface conducts."""
    for r in range(begin, end):
        first, place, below = np.uint64(box[r]), np.uint64(start[r]), np.uint64(max(box[r] - stride, 0))
        apart = 0
        for k in range(length[r]):
            apart += outside[first + np.uint64(k)] != outside[below + np.uint64(k)]
        if apart == 0:
            continue
        for k in range(length[r]):
            q, passes = place + np.uint64(k), outside[first + np.uint64(k)] != outside[below + np.uint64(k)]
            thawed[q] = skin if passes else np.int32(thawed[q])
            freezing[q] = 0 if passes else np.int32(freezing[q])


@njit(**COMPILED)
def shut(thawed, freezing, place, count):  # type: ignore[no-untyped-def]
    """Faces that conduct nothing."""
    for p in range(place, place + count):
        thawed[p], freezing[p] = 0, 0
