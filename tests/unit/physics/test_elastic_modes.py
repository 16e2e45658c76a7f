"""Stiff parts that move on a thin soft layer, which coarse lattices average away: found apart, in few iterations."""

import numpy as np

from trocar.physics import threads
from trocar.physics.elastic import ElasticSystem, Load

SHAPE, WALL = (64, 48, 16), 12
EVERY = 40  # more than there are slow modes in the frame: the rest are found quickly anyway


def frame(gap=4, *, stiff_Pa=1e10, soft_Pa=5e6):
    """A closed frame held in the middle of one side and cut by a soft layer in the middle of the other; its loads."""
    modulus = np.full(SHAPE, stiff_Pa)
    modulus[WALL:-WALL, WALL:-WALL] = 0
    middle = SHAPE[0] // 2
    modulus[middle - gap // 2 : middle + gap // 2, :WALL] = soft_Pa
    held = np.zeros((*(n + 1 for n in SHAPE), 3), bool)
    held[middle - 4 : middle + 5, -1] = True
    forces = []
    for push in ((1.0, -2.0, 0.7), (0.0, 0.3, -1.0)):
        force = np.zeros(held.shape)
        force[0, SHAPE[1] // 2 - 6 : SHAPE[1] // 2 + 7] = push
        forces.append(Load(force_N=force))
    return modulus, held, forces


def solved(count, loads=slice(1)):
    modulus, held, forces = frame()
    system = ElasticSystem(modulus, held, spacing_m=0.001, slow_modes=count)
    return system.solve(forces[loads])


def test_what_a_soft_layer_makes_slow_is_found_in_few_iterations_and_is_the_same():
    (plain,), (quick, other) = solved(0), solved(6, slice(2))
    assert plain.iterations > 2 * quick.iterations and quick.iterations <= 24
    assert np.abs(quick.u_m - plain.u_m).max() < 1e-6 * np.abs(plain.u_m).max()
    assert other.iterations <= 36  # under a load that the modes were not looked for with


def test_more_modes_than_there_are_do_no_harm():
    ((few,), (many,)) = solved(6), solved(EVERY)
    assert many.iterations <= few.iterations + 2


def test_the_answer_does_not_depend_on_the_threads():
    with threads.alone():
        (alone,) = solved(6)
    (several,) = solved(6)
    assert alone.iterations == several.iterations
    assert np.array_equal(alone.u_m, several.u_m)
