"""Kernels that several threads run together: the same numbers however many, and nobody waits for ever."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numba import njit
from test_nesting import COLD, needles, textured

from trocar.physics import heat, nesting, threads
from trocar.physics.heat import HeatSolver
from trocar.physics.threads import alone, gate, meet, share, together


@pytest.fixture
def with_threads(monkeypatch):
    """Sets how many threads this Python thread has, whatever the machine."""

    def use(count):
        for module in (heat, nesting, threads):
            monkeypatch.setattr(module, "use_for", lambda cells: monkeypatch.setattr(threads._here, "count", count))
        monkeypatch.setattr(threads._here, "count", count, raising=False)

    return use


@njit(nogil=True)
def rounds(number, count, gate, values, times):
    """Everyone adds to its share; between, everyone must see what all have added."""
    first, past = share(values.size, number, count)
    for n in range(times):
        for k in range(first, past):
            values[k] += 1
        meet(gate, count)
        if values.min() != n + 1 or values.max() != n + 1:
            return False
        meet(gate, count)
    return True


@pytest.mark.parametrize("count", [1, 2, 3])
def test_threads_meet_and_see_what_the_others_wrote(with_threads, count):
    with_threads(count)
    here = gate()
    assert together(rounds, here, np.zeros(40), 200, gate=here)


def test_a_freeze_does_not_depend_on_the_number_of_threads(with_threads):
    found = []
    for count in (1, 3):
        with_threads(count)
        solver = HeatSolver(textured(), needles())
        solver.advance(40.0, (COLD, COLD))
        found.append((solver.temperature_degC.copy(), solver.damage.minimum_degC.copy(), solver.balance()))
    assert np.array_equal(found[0][0], found[1][0]) and np.array_equal(found[0][1], found[1][1])
    assert found[0][2] == found[1][2]


def test_many_callers_at_a_time_all_come_to_an_end(with_threads):
    with_threads(3)

    def call(_):
        threads._here.count = 3
        here = gate()
        return together(rounds, here, np.zeros(40), 20, gate=here)

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(call, range(60), timeout=60))


def test_an_interrupt_does_not_leave_the_others_waiting(with_threads):
    with_threads(2)
    here = gate()

    def kernel(number, count):
        if number == 0:
            raise KeyboardInterrupt
        meet(here, count)

    with pytest.raises(KeyboardInterrupt):
        together(kernel, gate=here)


def test_alone_uses_one_thread():
    with alone():
        assert together(lambda number, count: count) == 1


@njit(nogil=True)
def add_one(number, count, values):
    """Each thread to its own number."""
    values[number] += 1


@pytest.mark.parametrize("pause_s", [0.0, 0.05])
def test_helpers_that_sleep_and_those_that_wait_do_their_share(with_threads, pause_s):
    with_threads(3)
    done = np.zeros(3)
    for _ in range(20):
        together(add_one, done)
        time.sleep(pause_s)  # the longer one: they have gone to sleep
    assert (done == 20).all()


def test_what_a_helper_raises_is_raised_here_and_the_next_call_goes_on(with_threads):
    with_threads(2)

    def kernel(number, count):
        if number == 1:
            raise ValueError("a helper's")

    with pytest.raises(ValueError, match="a helper's"):
        together(kernel)
    done = np.zeros(2)
    together(add_one, done)
    assert (done == 1).all()


def test_an_interrupt_while_a_helper_is_being_asked_neither_hangs_nor_asks_it_twice(with_threads, monkeypatch):
    with_threads(2)
    together(add_one, np.zeros(2))
    ask = threads._Helper.ask

    def interrupted(helper, kernel, arguments):
        ask(helper, kernel, arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(threads._Helper, "ask", interrupted)
    before = threads._crew[0]
    with pytest.raises(KeyboardInterrupt):
        together(add_one, np.zeros(2))
    monkeypatch.undo()
    with_threads(2)
    done = np.zeros(2)
    together(add_one, done)
    assert (done == 1).all() and threads._crew[0] is not before
