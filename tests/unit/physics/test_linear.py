"""The multigrid-preconditioned solver: it solves, in few iterations, whatever the shape and the medium."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve

from trocar.errors import SolverError
from trocar.physics.linear import LinearSystem
from trocar.physics.lines import Line, line_pieces


def dense(conductivity, sink, pieces, strengths):
    """The same operator, assembled."""
    number = np.arange(conductivity.size).reshape(conductivity.shape)
    matrix = np.diag(sink.ravel().astype(float))
    for axis in range(3):
        a, b = (np.moveaxis(number, axis, 0)[part].ravel() for part in (slice(None, -1), slice(1, None)))
        c = conductivity.ravel()
        g = 2 * c[a] * c[b] / (c[a] + c[b])
        for p, q, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
            np.add.at(matrix, (p, q), sign * g)
    for piece, strength in zip(pieces, strengths, strict=True):
        matrix[np.ix_(piece.cells, piece.cells)] += strength * np.outer(piece.weights, piece.weights)
    return sparse.csr_matrix(matrix)


def test_it_solves_the_assembled_system_of_an_odd_shape_with_rank_one_terms():
    random = np.random.default_rng(3)
    shape = (11, 12, 13)
    conductivity = np.exp(random.standard_normal(shape)).astype(np.float32)
    sink = np.zeros(shape, np.float32)
    sink[0] = 2 * conductivity[0]
    line = Line(tip_m=np.array([5.0, 5.2, 5.0]), tail_m=np.array([5.0, 5.2, 7.5]), radius_m=0.2)
    pieces = list(line_pieces(line, shape, 1.0))
    strengths = np.full(len(pieces), 3.0)
    given = random.standard_normal(shape)
    system = LinearSystem(shape, pieces)
    system.refresh(conductivity, sink, strengths)
    found = system.solve(given, tolerance=1e-6).potential
    known = spsolve(dense(conductivity, sink, pieces, strengths), given.ravel()).reshape(shape)
    assert np.linalg.norm(found - known) < 1e-4 * np.linalg.norm(known)


def rough(count, contrast):
    """Random in blobs of some 4 cells, with an insulator and a conductor 1e4 times better inside for "both"."""
    coarse = np.random.default_rng(1).uniform(-0.5, 0.5, (count // 4,) * 3)
    conductivity = np.kron(coarse, np.ones((4, 4, 4)))
    conductivity = (100.0 if contrast == "both" else contrast) ** conductivity
    if contrast == "both":
        conductivity[count // 4 : count // 3, :, count // 4 : count // 2] = 1e-6
        conductivity[count // 2 : count // 2 + 2, count // 4 : 3 * count // 4, count // 2 : count // 2 + 2] *= 1e4
    return conductivity


@pytest.mark.parametrize(("contrast", "most"), [(1.0, 14), (100.0, 18), ("both", 30)])
def test_iterations_stay_flat_with_size(contrast, most):
    counts = []
    for size in (32, 64, 96):
        conductivity = rough(size, contrast)
        sink, given = np.zeros((2, size, size, size))
        sink[0], sink[-1] = 2 * conductivity[0], 2 * conductivity[-1]
        given[size // 2, size // 3, size // 2] = 1
        system = LinearSystem(given.shape)
        system.refresh(conductivity, sink, np.zeros(0))
        counts.append(system.solve(given, tolerance=1e-5).iterations)
    assert max(counts) <= most
    assert counts[-1] <= 1.5 * counts[0] + 1


def test_a_warm_start_at_the_solution_needs_no_iteration():
    system = LinearSystem((16, 16, 16))
    system.refresh(np.ones((16,) * 3), np.ones((16,) * 3), np.zeros(0))
    given = np.random.default_rng(0).standard_normal((16,) * 3)
    first = system.solve(given, tolerance=1e-5)
    assert first.iterations > 0
    assert system.solve(given, first.potential, tolerance=1e-4).iterations == 0


def test_a_trend_saves_iterations_and_a_wrong_one_costs_none():
    shape, random = (24,) * 3, np.random.default_rng(5)
    given, spot = random.standard_normal(shape), random.uniform(0, 1, shape)
    system, found = LinearSystem(shape), []
    for moment in range(3):  # a medium that changes steadily
        system.refresh(1 + moment * spot, np.ones(shape), np.zeros(0))
        found.append(system.solve(given, tolerance=1e-7).potential)
    plain = system.solve(given, found[1], tolerance=1e-3)
    led = system.solve(given, found[1], trend=found[1] - found[0], tolerance=1e-3)
    misled = system.solve(given, found[1], trend=random.standard_normal(shape).astype(np.float32), tolerance=1e-3)
    assert led.iterations < plain.iterations
    assert misled.iterations <= plain.iterations + 1
    for solution in (led, misled):
        assert np.linalg.norm(solution.potential - found[2]) < 2e-3 * np.linalg.norm(found[2])


@pytest.mark.parametrize("wrong", [np.nan, -1.0, np.inf])
def test_conductivities_that_are_no_numbers_are_refused(wrong):
    conductivity = np.ones((8, 8, 8))
    conductivity[3, 3, 3] = wrong
    with pytest.raises(SolverError):
        LinearSystem((8, 8, 8)).refresh(conductivity, None, np.zeros(0))
