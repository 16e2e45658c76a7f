"""Active rows side by side: each cell finds its tissue, its neighbors and its faces as in the lattice."""

from dataclasses import replace

import numpy as np
import pytest

from trocar.physics.arrays import Tissue
from trocar.physics.lattice import Lattice
from trocar.physics.layout import WIDEST
from trocar.physics.medium import Freezing, Medium
from trocar.physics.packing import NOTHING, Closed, Packed, pouring, unload
from trocar.physics.single import walled
from trocar.physics.source import NO_PIECES
from trocar.physics.spans import Spans, beside_in_box
from trocar.physics.whole import Whole

SHAPE = (14, 13, 37)
RNG = np.random.default_rng(5)


def medium(**changes):
    def between(low, high):
        return RNG.uniform(low, high, SHAPE).astype(np.float32)

    return Medium(
        spacing_m=1e-3, unfrozen_W_per_mK=between(0.2, 0.6), frozen_W_per_mK=between(0.3, 2.0),
        unfrozen_J_per_m3K=between(2e6, 4e6), frozen_J_per_m3K=between(1e6, 2e6), latent_J_per_m3=between(0, 3e8),
        perfusion_W_per_m3K=between(0, 1e4), held=RNG.random(SHAPE) < 0.1, held_degC=between(20, 37),
        freezing=Freezing(ice_slope_per_K=0.005), **changes,
    )  # fmt: skip


def spans():
    """A ragged part that touches the first and last cells that may move."""
    cells = np.zeros(SHAPE, bool)
    for i, j in np.ndindex(SHAPE[:2]):
        if 1 <= i < SHAPE[0] - 1 and 1 <= j < SHAPE[1] - 1 and (i + j) % 7:
            low = RNG.integers(1, 20)
            cells[i, j, low : RNG.integers(low + 1, SHAPE[2] - 1)] = True
    found = Spans(SHAPE)
    found.cover(cells)
    return found


def packed_of(tissue, rows, closed=None):
    whole = Whole.of(tissue, Tissue.of(tissue), Lattice.of(walled(tissue)).law, None, None, None)
    return whole, Packed.of(tissue, whole.tissue, whole.law, rows, NO_PIECES, closed, None)


def cells_of(rows):
    return np.concatenate([np.arange(int(a), int(a) + n) for a, n in zip(rows.start, rows.length, strict=True)])


KINDS = {
    "plain": {},
    "skin": {"exchange_W_per_m2K": 8.0, "outside": RNG.random(SHAPE) < 0.3},
    "boils": {"vapor_J_per_m3": RNG.uniform(1e9, 2e9, SHAPE).astype(np.float32)},
    "insulated": {"insulated": (0, 2)},
    "insulated along the rows' neighbors": {"insulated": (1,)},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_cell_has_the_tissue_and_the_faces_that_the_lattice_has(kind):
    tissue = medium(**KINDS[kind])
    rows = spans().rows()
    _, packed = packed_of(tissue, rows)
    lattice, layout, mine = Lattice.of(walled(tissue)), packed.layout, packed.working
    p = cells_of(rows)
    q = layout.places_of(p)
    for name, values in lattice.curve._asdict().items():
        if values.size:
            assert getattr(mine.curve, name)[q] == pytest.approx(values[p], rel=1e-6), name
    assert mine.blood.coefficient[q] == pytest.approx(lattice.blood[p])
    known, found = lattice.faces.unpacked(), mine.faces.unpacked()
    row = np.repeat(np.arange(rows.length.size), rows.length)
    beside = layout.beside.view(np.int64)[row]
    strides = SHAPE[1] * SHAPE[2], SHAPE[2], 1
    for axis in range(3):
        upper = q + (1 if axis == 2 else beside[:, 2 * axis + 1])
        for values, others, unit in (
            (known[axis], found[axis], mine.faces.thawed), (known[axis + 3], found[axis + 3], mine.faces.freezing)
        ):  # fmt: skip
            tolerance = 2 * float(unit)
            assert others[q] == pytest.approx(values[p], abs=tolerance)
            assert others[upper] == pytest.approx(values[p + strides[axis]], abs=tolerance)
        assert ((found[axis][q] == 0) == (known[axis][p] == 0)).all()  # closed ones are closed


def test_cells_see_the_temperatures_of_their_neighbors():
    rows = spans().rows()
    whole, packed = packed_of(medium(), rows)
    t = RNG.uniform(-50, 37, np.prod(SHAPE)).astype(np.float32)
    packed.load(t + 1, t, np.ones_like(t), None, whole.law, NOTHING)
    p = cells_of(rows)
    q = packed.layout.places_of(p)
    row = np.repeat(np.arange(rows.length.size), rows.length)
    here, box = (b.view(np.int64)[row] for b in (packed.layout.beside, beside_in_box(rows.length.size, SHAPE)))
    for copy in packed.working.fields.t:
        assert (copy[q] == t[p]).all()
        for side in range(4):
            assert (copy[q + here[:, side]] == t[p + box[:, side]]).all()
        assert (copy[q - 1] == t[p - 1]).all() and (copy[q + 1] == t[p + 1]).all()


def test_only_active_cells_come_back():
    rows = spans().rows()
    whole, packed = packed_of(medium(), rows)
    u, t = (RNG.uniform(-50, 37, np.prod(SHAPE)).astype(np.float32) for _ in range(2))
    packed.load(u, t, np.ones_like(t), None, whole.law, NOTHING)
    for pair in packed.working.fields[:2]:
        pair[1][:] = 5.0
    into_u, into_t = u.copy(), t.copy()
    unload(0, 1, *packed.unloading(1, into_u, into_t))
    active = np.zeros(t.size, bool)
    active[cells_of(rows)] = True
    assert (into_u[active] == 5).all() and (into_t[active] == 5).all()
    assert (into_u[~active] == u[~active]).all() and (into_t[~active] == t[~active]).all()


def test_sources_are_those_of_the_cells_and_of_what_passes_closed_faces():
    rows = spans().rows()
    whole, packed = packed_of(medium(), rows)
    heat = RNG.uniform(1, 2, np.prod(SHAPE)).astype(np.float32)
    p = cells_of(rows)
    q, zeros = packed.layout.places_of(p), np.zeros_like(heat)
    within = np.array([[q[3], q[7], -1, -1], [q[3], -1, -1, -1]])
    inflow = pouring(np.array([5.0, -3.0], np.float32), within, 2.0)  # J per m3 of a coarse cell, in 2 s
    wanted = {q[3]: 8 / 2 * (5 / 2 - 3), q[7]: 8 / 2 * 5 / 2}
    for given in (heat, None):
        packed.load(zeros, zeros, zeros, given, whole.law, inflow)
        more = packed.working.source[q] - (0 if given is None else given[p])
        assert more == pytest.approx([wanted.get(place, 0.0) for place in q], abs=1e-5)


def test_what_follows_a_row_stays_as_it_is():
    """Rows are gone through in whole vectors: cells beyond their end have no rate and a number for a temperature."""
    rows = spans().rows()
    _, packed = packed_of(medium(), rows)
    layout, curve = packed.layout, packed.working.curve
    active = layout.places_of(cells_of(rows))
    beyond = np.concatenate([
        np.arange(int(start) + n, int(start) - -n // WIDEST * WIDEST)
        for start, n in zip(layout.rows.start, layout.rows.length, strict=True)
    ])  # fmt: skip
    assert beyond.size > 0 and beyond.max() < curve.inverse.size
    assert not np.intersect1d(beyond, active).size
    assert (curve.inverse[beyond] == 0).all() and (curve.mush[beyond] > 0).all()


def test_closed_faces_conduct_nothing_and_others_still_do():
    tissue, rows = medium(), spans().rows()
    p = cells_of(rows)
    some = RNG.choice(p, 9, replace=False).reshape(3, 3)
    faces, axis = np.column_stack([some, np.full(3, -1)]), np.arange(3)
    _, packed = packed_of(tissue, rows, Closed(faces, axis, faces))
    _, whole = packed_of(tissue, rows)
    found, known = packed.working.faces.unpacked(), whole.working.faces.unpacked()
    for n in range(3):
        q = packed.layout.places_of(some[n])
        assert not found[n][q].any() and not found[n + 3][q].any()
        assert (packed.inlets[n] == [*q, -1]).all()
        others = np.setdiff1d(packed.layout.places_of(p), q)
        assert (found[n][others] == known[n][others]).all()


def test_the_bound_on_rates_is_that_of_the_fastest_active_cell():
    """Gershgorin's: conductances of a cell's faces and half its blood, over its least heat capacity."""
    tissue, rows = medium(), spans().rows()
    _, packed = packed_of(tissue, rows)
    lattice = Lattice.of(walled(tissue))
    known, p = lattice.faces.unpacked(), cells_of(rows)
    strides = SHAPE[1] * SHAPE[2], SHAPE[2], 1
    thawed = sum(known[a][p] + known[a][p + s] for a, s in enumerate(strides)) + lattice.blood[p] / 2
    more = sum(np.maximum(known[a + 3][p], 0) + np.maximum(known[a + 3][p + s], 0) for a, s in enumerate(strides))
    inverse, frozen = lattice.curve.inverse[p], np.maximum(lattice.curve.frozen[p], 1)
    assert packed.fastest_per_s(0.0) == pytest.approx((thawed * inverse).max(), rel=1e-3)
    mush = 2 / (1 + 1 / frozen)
    assert packed.fastest_per_s(0.4) == pytest.approx(((thawed + 0.4 * more) * inverse * mush).max(), rel=1e-3)
    assert packed.fastest_per_s(1.7) == pytest.approx(((thawed + 1.7 * more) * inverse * frozen).max(), rel=1e-3)


def test_room_serves_again_and_keeps_nothing_of_what_was_there():
    tissue = medium()
    large = spans()
    few = Spans(SHAPE)
    few.cover(np.pad(np.ones((3, 3, 5), bool), ((4, 7), (5, 5), (9, 23))))
    whole, first = packed_of(replace(tissue, perfusion_W_per_m3K=np.full(SHAPE, 7.0, np.float32)), large.rows())
    again = Packed.of(tissue, Tissue.of(tissue), whole.law, few.rows(), NO_PIECES, None, first)
    _, fresh = packed_of(tissue, few.rows())
    q = again.layout.places_of(cells_of(few.rows()))
    assert again.working.source is first.working.source
    assert (again.working.blood.coefficient[q] == fresh.working.blood.coefficient[q]).all()
