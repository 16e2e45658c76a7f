"""Numbers of two bytes for faces, and needles' cells in vectors: what the stages read is what was meant."""

import numpy as np
import pytest

from trocar.physics.lattice import Faces, PackedFaces
from trocar.physics.source import LANES, Runs, ranges

RNG = np.random.default_rng(8)


def test_packed_faces_are_right_to_a_65535th_of_the_greatest_and_closed_ones_stay_closed():
    values = RNG.uniform(0.0, 5e5, (6, 4000)).astype(np.float32)
    values[:, ::7] = 0.0
    values[3:, ::11] *= -0.2  # tissue that conducts less when frozen
    found = np.stack(PackedFaces.of(Faces(*values)).unpacked())
    assert np.abs(found[:3] - values[:3]).max() <= 0.51 * values[:3].max() / 65535
    assert np.abs(found[3:] - values[3:]).max() <= 0.51 * values[3:].max() / 32767
    assert not found[:, ::7].any() and found[3:].min() < 0


def test_faces_that_are_all_closed_can_be_packed():
    assert not any(values.any() for values in PackedFaces.of(Faces(*np.zeros((6, 10), np.float32))).unpacked())


def test_runs_hold_every_weight_in_its_place_and_no_run_leaves_its_row():
    counts = RNG.integers(1, 40, 30)
    offset = np.concatenate([[0], np.cumsum(counts)])
    cell = np.concatenate([np.sort(RNG.choice(300, n, replace=False)) for n in counts]).astype(np.uint32)
    weight = RNG.uniform(0.1, 1.0, cell.size).astype(np.float32)
    row = cell.astype(int) // 13
    unfrozen, freezing = RNG.uniform(0.1, 2.0, (2, cell.size)).astype(np.float32)
    runs = Runs.of(offset, cell, row, weight, unfrozen, freezing)
    there = runs.weight > 0
    assert np.allclose(runs.unfrozen[there], weight * unfrozen) and np.allclose(runs.freezing[there], weight * freezing)
    assert not runs.unfrozen[~there].any() and not runs.freezing[~there].any()
    dense, wanted = np.zeros((30, 300 + LANES), np.float32), np.zeros((30, 300 + LANES), np.float32)
    np.add.at(wanted, (np.repeat(np.arange(30), counts), cell), weight)
    for n in range(30):
        for run in range(runs.offset[n], runs.offset[n + 1]):
            lanes = runs.weight[run * LANES : (run + 1) * LANES]
            dense[n, runs.cell[run] : runs.cell[run] + LANES] += lanes
            there = runs.cell[run] + np.flatnonzero(lanes)
            assert np.unique(there // 13).size == 1
    assert np.array_equal(dense, wanted)


@pytest.mark.parametrize("border", [0, 130, 169, 300])
def test_two_threads_share_the_runs_of_a_piece_between_them(border):
    cell = np.concatenate([np.arange(7) + 13 * n for n in range(20)]).astype(np.uint32)
    ones = np.ones((3, cell.size), np.float32)
    runs = Runs.of(np.array([0, cell.size]), cell, cell.astype(int) // 13, *ones)
    mine, theirs = ranges(runs, 0, border), ranges(runs, border, 300)
    assert mine[0, 0] == 0 and mine[0, 1] == theirs[0, 0] and theirs[0, 1] == runs.offset[-1]
    assert all(runs.cell[: mine[0, 1]] < border) and all(runs.cell[mine[0, 1] :] >= border)
