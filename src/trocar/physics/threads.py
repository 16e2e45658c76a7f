"""How many threads a step deserves, and kernels that several threads run together.

A kernel that is run `together` is called once in every thread, with the thread's number and how many there are; threads
wait for each other at a `meet`. That costs a few hundred nanoseconds a time, and none of the code for numba's own
parallel loops, which take three quarters of the time it takes to compile a kernel. A helper that has done its share
looks for the next one for a while before it sleeps: waking it takes three times as long as most shares (decision 0041).
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, local
from time import monotonic
from typing import Any

# Read when the threads start. A thread that has done its share spins some 20 us for the next (a barrier then takes 2 us
# and not 90), and sleeps after that: threads that spin for long spoil shared machines.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import numba
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core.cgutils import get_item_pointer
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from trocar.physics.compiled import COMPILED
from trocar.physics.medium import Array

PARTS = 8  # shares of the work, fixed: sums are added in their order, so results do not depend on the threads
SMALL_CELLS = 20_000  # cells that move: fewer are not worth waking a thread that sleeps
BUSY_LOAD = 1.25  # processes waiting per processor
LOOK_S = 1.0  # how often that is looked at
SPINS = 4000  # looks at a gate before a waiting thread lets others run: some 10 us
LINGERS = 1000  # times that a helper without work lets others run before it sleeps: some half a millisecond
ARRIVED, TURN, STOPPED, GATE_WORDS = 0, 16, 32, 48  # places in a gate, on cache lines of their own
POST, DONE, DESK_WORDS = 0, 16, 32  # places on a helper's desk: what it is to do, and whether it has
ASLEEP, WAITING, ASKED = 0, 1, 2  # what may stand in POST

_here = local()
_yield = types.ExternalFunction("sched_yield", types.int32()) if os.name == "posix" else None
_pool: list[ThreadPoolExecutor] = []
_crew: "list[_Helper]" = []
_looked = -LOOK_S, False  # when it was last looked at, and whether they were busy
_helpers = Lock()  # held by the Python thread that has the crew


def use_for(cells: int) -> int:
    """Set the number of threads for a step on this many cells, and return it."""
    count = _deserved(cells)
    numba.set_num_threads(count)
    _here.count = min(count, PARTS)
    return count


def _deserved(cells: int) -> int:
    alone = getattr(_here, "alone", False) or cells < SMALL_CELLS or _busy()
    return 1 if alone else int(numba.config.NUMBA_NUM_THREADS)


@contextmanager
def alone() -> Iterator[None]:
    """Within it, this Python thread uses no other: for many lattices at a time, one in each."""
    before = getattr(_here, "alone", False)
    _here.alone, _here.count = True, 1
    try:
        numba.set_num_threads(1)
        yield
    finally:
        _here.alone = before


def together(kernel: Callable[..., Any], *arguments: Any, gate: Array | None = None, cells: int | None = None) -> Any:
    """Call `kernel(number, threads, *arguments)` in as many threads as `use_for` has set; the first one's result.

    With `cells` in as many as that many deserve: of lattices so small that setting a number would take longer.

    `gate`: where they `meet`, if they do. While another Python thread has the helpers, this one goes alone: helpers
    shared by two would wait for each other.
    """
    count = getattr(_here, "count", 1) if cells is None else min(_deserved(cells), PARTS)
    if count == 1 or not _helpers.acquire(blocking=False):
        return kernel(0, 1, *arguments)
    asked: list[_Helper] = []
    try:
        for number in range(1, count):
            if number > len(_crew):
                _crew.append(_Helper())
            _crew[number - 1].ask(kernel, (number, count, *arguments))
            asked.append(_crew[number - 1])
        return kernel(0, count, *arguments)
    except BaseException:
        if gate is not None:  # an interrupt before this thread came to the gate: the others must not wait for it
            gate[STOPPED] = 1
        del _crew[len(asked) :]  # one that was being asked may come or not: nobody asks it again
        raise
    finally:
        for helper in asked:
            _wait(helper.desk)
        _helpers.release()
        for helper in asked:
            helper.raise_error()


@dataclass(slots=True, eq=False)
class _Helper:
    """A thread that does the shares it is asked for; after each it looks for the next one, and sleeps after a while."""

    desk: Array = field(default_factory=lambda: np.zeros(DESK_WORDS, np.int64))
    _job: tuple[Callable[..., Any], tuple[Any, ...]] | None = None
    _error: BaseException | None = None

    def ask(self, kernel: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Begin a share; `_wait` tells when it is done."""
        self._job, self._error = (kernel, arguments), None
        self.desk[DONE] = 0
        if not _ask(self.desk):
            if not _pool:
                _pool.append(ThreadPoolExecutor(PARTS, thread_name_prefix="trocar"))
            _pool[0].submit(self._serve)

    def raise_error(self) -> None:
        """What the latest share raised, if anything."""
        if self._error is not None:
            raise self._error

    def _serve(self) -> None:
        wanted = True
        while wanted:
            assert self._job is not None
            (kernel, arguments), self._job = self._job, None
            try:
                kernel(*arguments)
            except BaseException as error:  # told by the thread that asked
                self._error = error
            wanted = _attend(self.desk)


@njit(**COMPILED | {"nogil": False})
def _ask(desk):  # type: ignore[no-untyped-def]
    """Whether a helper that waits has been asked; else it sleeps, and must be woken to do it."""
    return _exchanged(desk, POST, WAITING, ASKED)


@njit(**COMPILED)
def _attend(desk):  # type: ignore[no-untyped-def]
    """Tell that a share is done, and wait for the next one; whether it came."""
    _exchanged(desk, POST, ASKED, WAITING)
    _exchanged(desk, POST, ASLEEP, WAITING)
    _added(desk, DONE, 1)
    for look in range(SPINS + LINGERS):
        if _seen(desk, POST) == ASKED:
            return True
        if look > SPINS:
            _let_others_run()
    return not _exchanged(desk, POST, WAITING, ASLEEP)


@njit(**COMPILED)
def _wait(desk):  # type: ignore[no-untyped-def]
    """Wait until a helper has done its share."""
    spins = 0
    while _seen(desk, DONE) == 0:
        spins += 1
        if spins > SPINS:
            _let_others_run()


def gate() -> Array:
    """Where the threads of a kernel `meet`."""
    return np.zeros(GATE_WORDS, np.int64)


@njit(**COMPILED)
def share(count, number, threads):  # type: ignore[no-untyped-def]
    """The first and the past-the-last of a thread's share of things."""
    return count * number // threads, count * (number + 1) // threads


@njit(**COMPILED)
def meet(gate, threads):  # type: ignore[no-untyped-def]
    """Wait until all threads have come here; what each wrote before, all see after."""
    if threads == 1 or _seen(gate, STOPPED) > 0:
        return
    turn = _seen(gate, TURN)
    if _added(gate, ARRIVED, 1) == threads - 1:
        _added(gate, ARRIVED, -threads)
        _added(gate, TURN, 1)
        return
    spins = 0
    while _seen(gate, TURN) == turn:
        spins += 1
        if spins > SPINS:
            if _seen(gate, STOPPED) > 0:
                return
            _let_others_run()


@njit(**COMPILED)
def _let_others_run():  # type: ignore[no-untyped-def]
    if _yield is not None:
        _yield()


@intrinsic  # type: ignore[untyped-decorator]
def _added(typingctx: Any, words: Any, place: Any, more: Any) -> Any:
    """Add to a word at once for all threads; what it was."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", _pointer(context, builder, signature, args), args[2], "seq_cst")

    return types.int64(words, types.int64, types.int64), code


@intrinsic  # type: ignore[untyped-decorator]
def _exchanged(typingctx: Any, words: Any, place: Any, old: Any, new: Any) -> Any:
    """Whether a word was `old`, and has at once become `new`."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, signature, args)
        return builder.extract_value(builder.cmpxchg(pointer, args[2], args[3], "seq_cst", "seq_cst"), 1)

    return types.boolean(words, types.int64, types.int64, types.int64), code


@intrinsic  # type: ignore[untyped-decorator]
def _seen(typingctx: Any, words: Any, place: Any) -> Any:
    """A word as other threads have left it."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_pointer(context, builder, signature, args), "acquire", 8)

    return types.int64(words, types.int64), code


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
    kind = signature.args[0]
    array = make_array(kind)(context, builder, args[0])
    return get_item_pointer(context, builder, kind, array, [args[1]])


def _busy() -> bool:
    """Whether others want the processors: looked at once a second, since asking takes as long as a small share."""
    global _looked
    now_s = monotonic()
    if now_s - _looked[0] > LOOK_S:
        try:
            _looked = now_s, os.getloadavg()[0] > BUSY_LOAD * (os.cpu_count() or 1)
        except OSError:
            _looked = now_s, False
    return _looked[1]


def _begin_anew() -> None:
    """A child has no threads but the one that made it."""
    global _helpers
    _pool.clear()
    _crew.clear()
    _helpers = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
