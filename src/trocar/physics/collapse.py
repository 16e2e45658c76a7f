"""A body loaded step by step until it gives way: secant stiffnesses, so that every state is one linear solution.

Under proportional forces the step is prescribed on their work-conjugate displacement and the load follows, so the path
goes on beyond the peak. Within a step damage only grows, pass by pass, each pass a few iterations of a linear solution;
between those on the whole body what gives way is brought nearly into balance on a lattice of its own (local_balance).
theory/softening.md has the equations.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from trocar.errors import SolverError
from trocar.physics.elastic import Correction, ElasticSystem, Load
from trocar.physics.elastic_rows import Array
from trocar.physics.interface import Interface
from trocar.physics.local_balance import LocalBalance
from trocar.physics.softened import Damage, SoftenedBody
from trocar.physics.softening import Softening

Progress = Callable[[float, str], None]
ENOUGH = 1e-5  # of the load: no residual needs to be smaller
BISECTIONS = 5
BELOW = 2.0  # times the loss allowed to steps that end below the highest load so far: that is not at stake in them
NEARLY = 1.5  # times the finest step, below which a step that is made shorter is that one
_Balanced = tuple[float, float, int]  # multiple of the load, last change and passes
WEAK = 0.5  # share of its modulus below which a voxel counts as failed


@dataclass(frozen=True, slots=True, kw_only=True)
class March:
    """How the load goes up from first yield: by steps that at once cost `loss_frac` of the energy, `fastest` at most.

    Twice that where the load is below its highest so far.

    `control` prescribes the path or, up to the peak only, the load. A step is in balance when a pass on the whole body
    changes the energy by less than `tolerance`, its damage and its correction of the displacement together, or after
    `passes`; each pass brings the residual down by `forcing`. A step in which the load falls from its highest so far is
    taken again, a quarter as long and twice as tight, until it is `finest` or less: no peak is stepped over. All ends
    after `steps`, once the load is below `stop_frac` of its peak, or when the body is `softest_frac` as stiff as at
    first. `haste` is how much more than its loss at the strain of a pass a voxel loses.
    """

    control: Literal["path", "load"] = "path"
    steps: int = 60
    loss_frac: float = 0.01
    slowest: float = 1.005
    fastest: float = 1.25
    finest: float = 1.01
    stop_frac: float = 0.8
    softest_frac: float = 0.5
    tolerance: float = 1e-3
    passes: int = 30
    haste: float = 1.0
    forcing: float = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The path of a loading. Path x load is twice an energy in J; `load` counts multiples of given forces.

    Under prescribed displacements `path` counts their multiples, and `load` is the work of the reactions on them (J).
    `lost_J` and `failed` [step, material] are the energy that each material's voxels took for good and how many of them
    have less than half of their modulus left, the last columns being the kinds of bond. `at_peak` and `at_end`
    [i, j, k] are the shares of modulus left.
    """

    path: Array
    load: Array
    lost_J: Array
    failed: Array
    change_frac: Array
    passes: Array
    iterations: int
    at_peak: Array
    at_end: Array

    @property
    def peak(self) -> int:
        """The step of the highest load."""
        return int(np.argmax(self.load))

    @property
    def peak_load(self) -> float:
        """The highest load."""
        return float(self.load.max())

    def first_break(self, fall_frac: float) -> float | None:
        """The highest load before the first fall by a share of it; `None` where it never fell so far."""
        highest = np.maximum.accumulate(self.load)
        fallen = self.load < (1 - fall_frac) * highest
        return float(highest[fallen.argmax()]) if fallen.any() else None

    @property
    def past_peak(self) -> bool:
        """Whether the load fell after it: else the highest load is only the last one looked at."""
        return bool(self.load[-1] < 0.99 * self.load.max())

    @property
    def work_J(self) -> float:
        """The area under the path."""
        path, load = np.concatenate([[0.0], self.path]), np.concatenate([[0.0], self.load])
        return float(np.sum(np.diff(path) * (load[1:] + load[:-1]) / 2))

    @property
    def dissipated_J(self) -> float:
        """The work that would not come back on unloading."""
        return self.work_J - float(self.path[-1] * self.load[-1]) / 2


def collapse(
    system: ElasticSystem,
    load: Load,
    softening: Softening,
    *,
    interface: Interface | None = None,
    march: March | None = None,
    on_progress: Progress | None = None,
) -> Course:
    """The course of one proportional load, forces or displacements; the system is left as soft as it ends.

    Raises `SolverError` for a load that does nothing.
    """
    return _Loading(system, load, softening, interface, march or March()).run(on_progress)


@dataclass(slots=True)
class _Steps:
    path: list[float] = field(default_factory=list)
    load: list[float] = field(default_factory=list)
    lost: list[Array] = field(default_factory=list)
    failed: list[Array] = field(default_factory=list)
    change: list[float] = field(default_factory=list)
    passes: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """What a step changes: the displacement under the load once, its path, and what the body has left."""

    unit: Array
    response: float
    damage: Damage
    correction: Correction | None


class _Loading:
    def __init__(self, system: ElasticSystem, load: Load, softening: Softening, interface: Interface | None,
                 march: March) -> None:  # fmt: skip
        given = load.force_N if load.displacement_m is None else load.displacement_m
        if given is None or not (load.force_N is None or load.displacement_m is None):
            raise SolverError("a collapse takes either forces or displacements", hint="give one of the two")
        self.system, self.march = system, march
        self.body = SoftenedBody(system, softening, interface, first=system.relative_modulus.copy())
        self.moved = load.displacement_m is not None
        self.pattern = system.flat(given)
        self.pushed = np.flatnonzero(self.pattern)
        self.given = np.zeros(0) if self.moved else self.pattern / system.unit_N
        self.nearby = LocalBalance(self.body, self.given)
        solved = system.solve_one(load, tolerance=1e-5)
        self.iterations, self.unit = solved.iterations, solved.u_m  # the displacement under the load once
        still = np.where(system.held, self.pattern, 0.0) if self.moved else np.zeros_like(self.unit)
        self.enough = ENOUGH * system.residual(still, self.given)
        self.response = self._response()
        if self.response == 0:
            raise SolverError("this load does nothing", hint="is it on the body, and off what is held?")
        self.steps, self.at_peak = _Steps(), self.body.present
        self.broken_at = np.inf  # the shortest path whose step was given up

    def run(self, on_progress: Progress | None) -> Course:
        march, steps = self.march, self.steps
        worst = self.body.attempt(self.unit, 1.0, known=0.0)
        multiple = 1 / worst if worst > 0 else 1.0
        self._note(multiple, 0.0, 0)
        while worst > 0 and len(steps.path) <= march.steps:
            multiple, change, passes = self._step(multiple)
            if march.control == "load" and change > march.tolerance:
                break
            self._note(multiple, change, passes)
            if on_progress is not None:
                on_progress(len(steps.path) / march.steps, f"load x {steps.load[-1]:.3g}")
            stiff = steps.load[-1] / steps.path[-1] * steps.path[0] / steps.load[0]
            if steps.load[-1] < march.stop_frac * max(steps.load) or stiff < march.softest_frac:
                break
        return self._course()

    def _step(self, multiple: float) -> _Balanced:
        """Multiple of the load, last change and passes of the next balanced state."""
        path, tolerance, state = self.steps.path[-1], self.march.tolerance, self._state()
        growth = min(self._growth(multiple), self._shorter(self.broken_at / path, 2))
        while True:
            found = self._balance(growth, multiple, tolerance)
            if found is not None:
                if self._load(found[0]) < self.steps.load[-1]:
                    self.broken_at = np.inf
                return found
            self.broken_at = path * growth
            growth, tolerance = self._shorter(growth, 4), tolerance / 2
            self._restore(state)

    def _shorter(self, growth: float, times: int) -> float:
        """A step that many times shorter, or the finest where that is nearly as short."""
        shorter, finest = float(growth ** (1 / times)), self.march.finest
        return shorter if shorter - 1 > NEARLY * (finest - 1) else finest

    def _least(self, growth: float) -> float:
        """The load below which a step is to be taken again: it has passed a peak, and could have come nearer to it."""
        last, finest = self.steps.load[-1], self.march.finest
        higher = self.march.control == "path" and growth * last > max(self.steps.load)
        return last / finest if higher and growth > finest else 0.0

    def _growth(self, multiple: float) -> float:
        """The step that at once costs a given share of the energy, as near as a few bisections come."""
        body, (low, high) = self.body, (self.march.slowest, self.march.fastest)
        body.attempt(self.unit, high * multiple)
        at, reaches = body.changing(), max(self.steps.load) / self.steps.load[-1]
        least_J = self.march.loss_frac * body.elastic_J() / high**2

        def allowed_J(growth: float) -> float:
            return least_J * growth**2 * (1 if growth >= reaches else BELOW)

        if body.changes_J(at).sum() <= allowed_J(high):
            return high
        rows = body.softening.rows_of(at)
        for _ in range(BISECTIONS):
            middle = float(np.sqrt(low * high))
            body.attempt_again(self.unit, middle * multiple, rows)
            low, high = (middle, high) if body.changes_J(at).sum() <= allowed_J(middle) else (low, middle)
        return low

    def _balance(self, growth: float, multiple: float, tolerance: float) -> _Balanced | None:
        """The state one step on, none as soon as it bears less than `_least`: more passes only lose more."""
        target = growth * (self.steps.load if self.march.control == "load" else self.steps.path)[-1]
        multiple, least, body = growth * multiple, self._least(growth), self.body
        change, count = np.inf, 0
        while change > tolerance and count < self.march.passes:
            before = body.present
            body.attempt(self.unit, multiple)
            at, whole_J = body.changing(), body.elastic_J()
            change_J = body.changes_J(at)
            lost = float(change_J.sum()) / whole_J
            body.keep(self.march.haste)
            if lost > tolerance:
                bears = self._settle((at, change_J), before, target, multiple, tolerance * whole_J, least)
                if bears < least:
                    return None
            multiple, eased = self._solve(target)
            change, count = lost + eased, count + 1
            if self._load(multiple) < least:
                return None
        return multiple, change, count

    def _settle(self, changes: tuple[Array, Array], before: Array, target: float, multiple: float, tolerance_J: float,
                least: float) -> float:  # fmt: skip
        """Balances what changes on a lattice of its own; the load that then is borne, inf where that is not known."""
        unit_N = self.system.unit_N

        def multiple_at(added: float) -> float:
            return multiple if self.moved else self._multiple(target, self.response + added * unit_N)

        added = self.nearby.settle(
            self.unit, changes, before, multiple_at,
            haste=self.march.haste, tolerance_J=tolerance_J, least=0.0 if self.moved else least,
        )  # fmt: skip
        return np.inf if self.moved else multiple_at(added)

    def _solve(self, target: float) -> tuple[float, float]:
        """Brings the whole body nearer to balance: the multiple of the load on its path, the share of energy eased."""
        self.body.stiffen()
        found = self.system.improve(self.unit, self.given, self.march.forcing, self.enough)
        self.nearby.correction, self.iterations = found, self.iterations + found.iterations
        self.response = self._response()
        return self._multiple(target, self.response), found.product * self.system.unit_N / self.response

    def _multiple(self, target: float, response: float) -> float:
        return target if (self.march.control == "path") == self.moved else target / response

    def _state(self) -> _State:
        """What a step changes, to go back to."""
        return _State(self.unit.copy(), self.response, self.body.damage(), self.nearby.correction)

    def _restore(self, state: _State) -> None:
        self.unit[:], self.response, self.nearby.correction = state.unit, state.response, state.correction
        self.body.restore(state.damage)

    def _load(self, multiple: float) -> float:
        return multiple * self.response if self.moved else multiple

    def _response(self) -> float:
        """Path under the forces once, or load under the displacements once (J)."""
        if self.moved:
            return float((self.pattern * self.system.forces(self.unit)).sum(where=self.system.held))
        return float((self.pattern[self.pushed] * self.unit[self.pushed]).sum())

    def _note(self, multiple: float, change: float, passes: int) -> None:
        steps = self.steps
        path, load = multiple if self.moved else multiple * self.response, self._load(multiple)
        if not steps.load or load > max(steps.load):
            self.at_peak = self.body.present
        for kept, value in ((steps.path, path), (steps.load, load), (steps.change, change)):
            kept.append(value)
        steps.passes.append(passes)
        steps.lost.append(self.body.lost_J[1:].copy())
        steps.failed.append(self.body.failed(WEAK)[1:])

    def _course(self) -> Course:
        steps = self.steps
        return Course(
            path=np.array(steps.path),
            load=np.array(steps.load),
            lost_J=np.array(steps.lost),
            failed=np.array(steps.failed),
            change_frac=np.array(steps.change),
            passes=np.array(steps.passes),
            iterations=self.iterations,
            at_peak=self._dense(self.at_peak),
            at_end=self._dense(self.body.present),
        )

    def _dense(self, stored: Array) -> Array:
        """[i, j, k] of values on the stored voxels, 1 in the void."""
        return self.system.rows.scattered(stored, self.system.shape, of_nodes=False, fill=1.0)
