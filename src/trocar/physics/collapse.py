"""A body loaded step by step until it gives way: secant stiffnesses, so that every state is one linear solution.

Under proportional forces the step is prescribed on their work-conjugate displacement and the load follows, so the path
goes on beyond the peak. Within a step damage only grows, pass by pass, each pass a few iterations of a linear solution.
theory/softening.md has the equations.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from trocar.errors import SolverError
from trocar.physics.elastic import ElasticSystem, Load
from trocar.physics.elastic_rows import Array
from trocar.physics.interface import Interface
from trocar.physics.softening import Softening

Progress = Callable[[float, str], None]
ENOUGH = 1e-5  # of the load: no residual needs to be smaller
BISECTIONS = 5
_Balanced = tuple[Array, float, float, int]  # displacement, multiple of the load, last change and passes
WEAK = 0.5  # share of its modulus below which a voxel counts as failed


@dataclass(frozen=True, slots=True, kw_only=True)
class March:
    """How the load goes up from first yield: by steps that at once cost `loss_frac` of the energy, `fastest` at most.

    `control` prescribes the path or, up to the peak only, the load. A step is in balance when a pass changes the energy
    by less than `tolerance`, or after `passes`; each pass brings the residual down by `forcing`. A step in which the
    load falls from its highest so far is taken again, half as long and twice as tight, until it is `finest` or less: no
    peak is stepped over. It all ends after `steps`, once the load is below `stop_frac` of its peak, or when the body is
    `softest_frac` as stiff as at first. `haste` is how much more than its loss at the strain of a pass a voxel loses.
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
    have less than half of their modulus left, the last column being the bond. `at_peak` and `at_end` [i, j, k] are the
    shares of modulus left.
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


class _Loading:
    def __init__(self, system: ElasticSystem, load: Load, softening: Softening, interface: Interface | None,
                 march: March) -> None:  # fmt: skip
        given = load.force_N if load.displacement_m is None else load.displacement_m
        if given is None or not (load.force_N is None or load.displacement_m is None):
            raise SolverError("a collapse takes either forces or displacements", hint="give one of the two")
        self.system, self.softening, self.interface, self.march = system, softening, interface, march
        self.moved = load.displacement_m is not None
        self.pattern = system.flat(given)
        self.given = np.zeros(0) if self.moved else self.pattern / system.unit_N
        solved = system.solve_one(load, tolerance=1e-5)
        self.iterations, self.unit = solved.iterations, solved.u_m  # the displacement under the load once
        still = np.where(system.held, self.pattern, 0.0) if self.moved else np.zeros_like(self.unit)
        self.enough = ENOUGH * system.residual(still, self.given)
        self.first = system.relative_modulus.copy()
        self.response = self._response()
        if self.response == 0:
            raise SolverError("this load does nothing", hint="is it on the body, and off what is held?")
        self.steps, self.lost = _Steps(), np.zeros(len(softening.limits) + 2)
        self.present = self.at_peak = np.ones_like(self.first)

    def run(self, on_progress: Progress | None) -> Course:
        march, steps = self.march, self.steps
        worst = self._attempt(self.unit)
        multiple = 1 / worst if worst > 0 else 1.0
        u = multiple * self.unit
        self._note(multiple, 0.0, 0)
        while worst > 0 and len(steps.path) <= march.steps:
            u, multiple, change, passes = self._step(u, multiple)
            if march.control == "load" and change > march.tolerance:
                break
            self._note(multiple, change, passes)
            if on_progress is not None:
                on_progress(len(steps.path) / march.steps, f"load x {steps.load[-1]:.3g}")
            stiff = steps.load[-1] / steps.path[-1] * steps.path[0] / steps.load[0]
            if steps.load[-1] < march.stop_frac * max(steps.load) or stiff < march.softest_frac:
                break
        return self._course()

    def _step(self, u: Array, multiple: float) -> _Balanced:
        """Displacement, multiple of the load, last change and passes of the next balanced state."""
        growth, tolerance, kept = self._growth(u), self.march.tolerance, self._state()
        while True:
            found = self._balance(growth, u, multiple, tolerance)
            if found is not None:
                return found
            growth, tolerance = float(np.sqrt(growth)), tolerance / 2
            self._restore(kept)

    def _least(self, growth: float) -> float:
        """The load below which a step is to be taken again: it has passed a peak, and could have come nearer to it."""
        last, finest = self.steps.load[-1], self.march.finest
        higher = self.march.control == "path" and growth * last > max(self.steps.load)
        return last / finest if higher and growth > finest else 0.0

    def _growth(self, u: Array) -> float:
        """The step that at once costs a given share of the energy, as near as a few bisections come."""
        low, high = self.march.slowest, self.march.fastest
        if self._cost(high * u) <= self.march.loss_frac:
            return high
        for _ in range(BISECTIONS):
            middle = float(np.sqrt(low * high))
            low, high = (middle, high) if self._cost(middle * u) <= self.march.loss_frac else (low, middle)
        return low

    def _cost(self, u: Array) -> float:
        """The share of the elastic energy that the damage and the bond's closing under a displacement change."""
        self._attempt(u)
        energy = self._energies()
        return float((energy * np.abs(self._shares() - self.present)).sum() / (energy * self.present).sum())

    def _balance(self, growth: float, u: Array, multiple: float, tolerance: float) -> _Balanced | None:
        """The state one step on, none as soon as it bears less than `_least`: more passes only lose more."""
        target = growth * (self.steps.load if self.march.control == "load" else self.steps.path)[-1]
        u, multiple, least = growth * u, growth * multiple, self._least(growth)
        change, count = np.inf, 0
        while change > tolerance and count < self.march.passes:
            change = self._cost(u)
            self._keep()
            self.unit = u / multiple
            below = max(self.march.forcing * self.system.residual(self.unit, self.given), self.enough)
            self.iterations += self.system.approach(self.unit, self.given, below)[0]
            self.response = self._response()
            multiple = target if (self.march.control == "path") == self.moved else target / self.response
            u = multiple * self.unit
            count += 1
            if self._load(multiple) < least:
                return None
        return u, multiple, change, count

    def _state(self) -> tuple[Array, Array | None, Array, Array, float, Array]:
        """What a step changes, to go back to."""
        bond = None if self.interface is None else self.interface.kept
        return self.softening.kept.copy(), bond, self.present, self.unit, self.response, self.lost.copy()

    def _restore(self, state: tuple[Array, Array | None, Array, Array, float, Array]) -> None:
        kept, bond, self.present, self.unit, self.response, lost = state
        self.softening.kept[:], self.lost[:] = kept, lost
        if self.interface is not None and bond is not None:
            self.interface.kept = bond

    def _load(self, multiple: float) -> float:
        return multiple * self.response if self.moved else multiple

    def _attempt(self, u: Array) -> float:
        worst = self.softening.attempt(u)
        return worst if self.interface is None else max(worst, self.interface.attempt(u))

    def _shares(self) -> Array:
        shares = self.softening.now.copy()
        if self.interface is not None:
            shares[self.interface.at] *= self.interface.shares()
        return shares

    def _keep(self) -> None:
        """Damage under the displacement last tried is for good; the solver gets the moduli, its energy is counted."""
        soft, bond = self.softening, self.interface
        soft.hasten(self.march.haste)
        energy = self._energies()
        self.lost[:-1] += np.bincount(soft.label, energy * (soft.kept - soft.now), self.lost.size - 1)
        soft.keep()
        if bond is not None:
            self.lost[-1] += float((energy * soft.kept)[bond.at] @ (bond.kept - bond.now))
            bond.keep()
        self.present = self._shares()
        np.multiply(self.first, self.present, out=self.system.relative_modulus)
        self.system.restiffened()

    def _response(self) -> float:
        """Path under the forces once, or load under the displacements once (J)."""
        if self.moved:
            return float((self.pattern * self.system.forces(self.unit)).sum(where=self.system.held))
        return float((self.pattern * self.unit).sum())

    def _energies(self) -> Array:
        """Elastic energy of each voxel (J) as if it had lost nothing."""
        return self.softening.energy * self.first * (self.system.unit_N * self.system.spacing_m**2)

    def _note(self, multiple: float, change: float, passes: int) -> None:
        steps = self.steps
        path, load = multiple if self.moved else multiple * self.response, self._load(multiple)
        failed = np.zeros(self.lost.size, int)
        failed[:-1] = np.bincount(self.softening.label[self.softening.kept < WEAK], minlength=failed.size - 1)
        if self.interface is not None:
            failed[-1] = int((self.interface.kept < WEAK).sum())
        if not steps.load or load > max(steps.load):
            self.at_peak = self.present
        for kept, value in ((steps.path, path), (steps.load, load), (steps.change, change)):
            kept.append(value)
        steps.passes.append(passes)
        steps.lost.append(self.lost[1:].copy())
        steps.failed.append(failed[1:])

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
            at_end=self._dense(self.present),
        )

    def _dense(self, stored: Array) -> Array:
        """[i, j, k] of values on the stored voxels, 1 in the void."""
        return self.softening.rows.scattered(stored, self.system.shape, of_nodes=False, fill=1.0)
