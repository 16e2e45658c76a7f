"""A needle fitted to an isotherm table by least squares, and what the table does and does not tell about it.

Priors are kept as one more reading per unknown; a table that hardly narrows a prior does not identify that unknown,
which is then held at its prior. Derivation in docs/theory/calibration.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import optimize, special

from trocar.errors import SolverError
from trocar.physics.axisymmetric import Axisymmetric, Bath
from trocar.physics.medium import Array
from trocar.physics.source import Ramp
from trocar.physics.substance import Substance

IDENTIFIED, HELD = 0.5, 0.8  # of the prior's spread: at most this is left, or at least
_DIFFERENCE = 0.4  # of a prior's spread: the step of derivatives, well above the mesh's own unevenness
_ROUNDS = 3


class Unknown(StrEnum):
    """What can be fitted. The last is the ratio of the frozen medium's conductivity to its law's."""

    SURFACE = "surface_degC"
    FLUID = "fluid_degC"
    EXCHANGE = "exchange_W_per_m2K"
    LENGTH = "active_length_m"
    SHIFT = "tip_shift_m"
    FROZEN = "frozen_scale"


class Known(StrEnum):
    """How well a table determines an unknown."""

    IDENTIFIED = "identified"
    WEAKLY = "weakly"
    NOT_IDENTIFIED = "not identified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is believed of an unknown before the table; `logarithmic`: the spread is that of the logarithm."""

    value: float
    spread: float
    low: float
    high: float
    logarithmic: bool = False

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high or not self.spread > 0 or (self.logarithmic and self.low <= 0):
            raise SolverError(f"a prior of {self.value:g} within {self.low:g} to {self.high:g} makes no sense")

    def at(self, x: float) -> float:
        """The value at x spreads from the prior."""
        found = self.value * np.exp(self.spread * x) if self.logarithmic else self.value + self.spread * x
        return float(np.clip(found, self.low, self.high))

    def spreads_to(self, value: float) -> float:
        """How many spreads a value lies from the prior."""
        away = np.log(value / self.value) if self.logarithmic else value - self.value
        return float(away / self.spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One size of one isotherm: `what` is its width, its length, or how far it reaches beyond the needle's tip."""

    what: str
    level_degC: float
    time_s: float
    bath_degC: float
    medium: str
    size_m: float
    spread_m: float

    def __post_init__(self) -> None:
        numbers = (self.level_degC, self.time_s, self.bath_degC, self.size_m, self.spread_m)
        if not np.isfinite(numbers).all() or self.time_s <= 0 or self.size_m <= 0 or self.spread_m <= 0:
            raise SolverError(
                f"the {self.what} of {self.level_degC:g} degC cannot be used", hint="size, spread and time above 0"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A fitted or held unknown, and how it stands to the table."""

    unknown: Unknown
    value: float
    standard_error: float
    prior: Prior
    known: Known


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """The fit. `correlation` and `singular_values` are of all unknowns, in the order of `estimates`.

    Singular values are those of the weighted sensitivities per spread of the prior: well above 1, the table tells
    more than the prior did in that direction; well below 1, nothing.
    """

    estimates: tuple[Estimate, ...]
    correlation: Array
    singular_values: Array
    directions: Array  # rows: the combination of unknowns that belongs to each singular value
    readings: tuple[Reading, ...]
    fitted_m: Array
    chi_squared: float
    degrees: int

    def of(self, unknown: Unknown) -> Estimate:
        """The estimate of one unknown."""
        return next(estimate for estimate in self.estimates if estimate.unknown is unknown)

    @property
    def fits(self) -> bool:
        """Whether the readings lie within their spreads, at 1 in 100."""
        return self.chi_squared <= _chi_limit(max(self.degrees, 1))

    def statements(self, named: Callable[[Unknown], str] = lambda unknown: unknown.value) -> tuple[str, ...]:
        """What the table says and does not say, one sentence each."""
        lines = [self._statement(number, named) for number in range(len(self.estimates))]
        if not self.fits:
            lines.append(
                f"The model does not fit the table within its spreads (chi squared {self.chi_squared:.1f} for "
                f"{max(self.degrees, 1)} degrees of freedom): standard errors are enlarged in proportion."
            )
        return tuple(lines)

    def _statement(self, number: int, named: Callable[[Unknown], str]) -> str:
        estimate = self.estimates[number]
        name = named(estimate.unknown)
        if estimate.known is Known.IDENTIFIED:
            return f"{name}: identified by the table."
        others = np.abs(self.correlation[number]).copy()
        others[number] = 0
        twin = int(np.argmax(others))
        mixed = f"; it trades against {named(self.estimates[twin].unknown)} ({self.correlation[number, twin]:+.2f})"
        said = "weakly identified, the prior still counts"
        if estimate.known is Known.NOT_IDENTIFIED:
            said = "not identified by the table, held at its prior"
        return f"{name}: {said}{mixed if others[twin] > 0.5 else ''}."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeedleProblem:
    """A needle to calibrate. `media`: name -> its substance at a ratio of the frozen conductivity.

    `priors` names the unknowns, with either the surface's temperature or the fluid's and its exchange among them.
    `tip_m` is the distance from the tip to the middle of the nominal active part.
    """

    radius_m: float
    ramp_s: float
    tip_m: float
    media: dict[str, Callable[[float], Substance]]
    priors: dict[Unknown, Prior]
    readings: tuple[Reading, ...]
    spacing_m: float = 0.5e-3

    def __post_init__(self) -> None:
        given = set(self.priors)
        driven = {Unknown.SURFACE} if Unknown.SURFACE in given else {Unknown.FLUID, Unknown.EXCHANGE}
        if given != driven | {Unknown.LENGTH, Unknown.SHIFT, Unknown.FROZEN}:
            raise SolverError("a needle is calibrated by its surface, or by its fluid and its exchange")
        if not self.readings:
            raise SolverError("an isotherm table without a size calibrates nothing", hint="give widths or lengths")
        missing = {reading.medium for reading in self.readings} - set(self.media)
        if missing:
            raise SolverError(f"the laws of {', '.join(sorted(missing))} are not known")

    def sizes_m(self, values: dict[Unknown, float]) -> Array:
        """(readings,) the sizes that the model gives."""
        return self.shifted_m(self.centered_m(values), values[Unknown.SHIFT])

    def shifted_m(self, centered_m: Array, shift_m: float) -> Array:
        """Sizes of a needle whose cold lies nearer to its tip than nominal."""
        return centered_m + np.array([shift_m if reading.what == "tip" else 0.0 for reading in self.readings])

    def centered_m(self, values: dict[Unknown, float]) -> Array:
        """The sizes without a shift of the cold: what has to be simulated."""
        found = np.empty(len(self.readings))
        groups: dict[tuple[str, float], list[int]] = {}
        for number, reading in enumerate(self.readings):
            groups.setdefault((reading.medium, reading.bath_degC), []).append(number)
        for (medium, bath_degC), numbers in groups.items():
            model = Axisymmetric(
                self.media[medium](values[Unknown.FROZEN]), Bath(rest_degC=bath_degC), self.radius_m,
                values[Unknown.LENGTH], spacing_m=self.spacing_m,
            )  # fmt: skip
            for time_s in sorted({self.readings[number].time_s for number in numbers}):
                model.advance(time_s - model.time_s, self._ramp(values, bath_degC, model.time_s))
                for number in numbers:
                    if self.readings[number].time_s == time_s:
                        found[number] = self._size_m(model, self.readings[number])
        return found

    def _size_m(self, model: Axisymmetric, reading: Reading) -> float:
        if reading.what == "width":
            return model.width_m(reading.level_degC)
        tip, tail = model.ends_m(reading.level_degC)
        return tip + tail if reading.what == "length" else tip - self.tip_m

    def _ramp(self, values: dict[Unknown, float], bath_degC: float, since_s: float) -> Ramp:
        """The needle's cooling as it goes on after some time."""
        end = values[Unknown.SURFACE] if Unknown.SURFACE in values else values[Unknown.FLUID]
        passed = np.exp(-since_s / self.ramp_s) if self.ramp_s > 0 else 0.0
        return Ramp(
            start_degC=float(end + (bath_degC - end) * passed), end_degC=end, time_s=self.ramp_s,
            exchange_W_per_m2K=values.get(Unknown.EXCHANGE),
        )  # fmt: skip


def calibrate(problem: NeedleProblem) -> Calibration:
    """The most probable needle. Raises `SolverError` when nothing fits."""
    unknowns = tuple(problem.priors)
    misfit = _misfit(problem, unknowns)
    x, every = np.zeros(len(unknowns)), np.arange(len(unknowns))
    sensitivity = _sensitivity(misfit, x, every)
    free = np.zeros(0, dtype=int)
    for _ in range(_ROUNDS):
        chosen = np.flatnonzero(_left(sensitivity) <= HELD)
        if np.array_equal(chosen, free):
            break
        free = chosen
        x = _fitted(misfit, x, free, problem, unknowns)
        sensitivity = _sensitivity(misfit, x, every)
    return _report(problem, unknowns, x, free, sensitivity, misfit(x))


def _misfit(problem: NeedleProblem, unknowns: tuple[Unknown, ...]) -> Callable[[Array], Array]:
    """Misfits per spread of the readings, by unknowns in spreads of their priors; what was simulated is kept."""
    spreads = np.array([reading.spread_m for reading in problem.readings])
    measured = np.array([reading.size_m for reading in problem.readings])
    known: dict[tuple[float, ...], Array] = {}

    def misfit(x: Array) -> Array:
        values = {unknown: problem.priors[unknown].at(x[n]) for n, unknown in enumerate(unknowns)}
        key = tuple(value for unknown, value in values.items() if unknown is not Unknown.SHIFT)
        if key not in known:
            known[key] = problem.centered_m(values)
        return (problem.shifted_m(known[key], values[Unknown.SHIFT]) - measured) / spreads

    return misfit


def _fitted(
    misfit: Callable[[Array], Array], start: Array, free: Array, problem: NeedleProblem, unknowns: Sequence[Unknown]
) -> Array:
    """The unknowns with the free ones at the least squares of readings and priors, the others at their priors."""
    if not free.size:
        return np.zeros_like(start)

    def whole(part: Array) -> Array:
        x = np.zeros(start.size)
        x[free] = part
        return x

    priors = [problem.priors[unknowns[n]] for n in free]
    low = np.array([prior.spreads_to(prior.low) for prior in priors])
    high = np.array([prior.spreads_to(prior.high) for prior in priors])
    found = optimize.least_squares(
        lambda part: np.concatenate([misfit(whole(part)), part]),
        np.clip(start[free], low + 1e-6, high - 1e-6),
        jac=lambda part: np.vstack([_sensitivity(misfit, whole(part), free), np.eye(free.size)]),
        bounds=(low, high), xtol=2e-3, ftol=2e-4, gtol=1e-3, max_nfev=12,
    )  # fmt: skip
    if not np.isfinite(found.x).all():
        raise SolverError("the calibration did not converge", hint="check the table for a misplaced size")
    return whole(found.x)


def _sensitivity(misfit: Callable[[Array], Array], x: Array, columns: Array) -> Array:
    """Central differences of the misfits by some unknowns, per spread of their priors."""
    found = []
    for column in columns:
        step = np.zeros(x.size)
        step[column] = _DIFFERENCE
        found.append((misfit(x + step) - misfit(x - step)) / (2 * _DIFFERENCE))
    return np.stack(found, axis=1)


def _covariance(sensitivity: Array) -> Array:
    """Of the unknowns, in spreads of their priors, after readings and priors."""
    return np.linalg.inv(sensitivity.T @ sensitivity + np.eye(sensitivity.shape[1]))


def _left(sensitivity: Array) -> Array:
    """The share of each prior's spread that the table leaves."""
    return np.sqrt(np.diag(_covariance(sensitivity)))


def _report(
    problem: NeedleProblem, unknowns: tuple[Unknown, ...], x: Array, free: Array, sensitivity: Array, misfits: Array
) -> Calibration:
    covariance, left = _covariance(sensitivity), _left(sensitivity)
    squares, degrees = float(misfits @ misfits), misfits.size - free.size
    enlarged = np.sqrt(max(1.0, squares / max(degrees, 1)))
    estimates = []
    for n, unknown in enumerate(unknowns):
        prior = problem.priors[unknown]
        value = prior.at(x[n])
        known = (
            Known.NOT_IDENTIFIED if n not in free else Known.IDENTIFIED if left[n] <= IDENTIFIED else Known.WEAKLY
        )  # fmt: skip
        spread = prior.spread * (value if prior.logarithmic else 1.0)
        share = min(1.0, left[n] * enlarged) if n in free else 1.0
        estimates.append(
            Estimate(unknown=unknown, value=value, standard_error=spread * share, prior=prior, known=known)
        )
    _, singular, directions = np.linalg.svd(sensitivity, full_matrices=False)
    spreads = np.array([reading.spread_m for reading in problem.readings])
    measured = np.array([reading.size_m for reading in problem.readings])
    return Calibration(
        estimates=tuple(estimates), correlation=covariance / np.outer(left, left), singular_values=singular,
        directions=directions, readings=problem.readings, fitted_m=measured + misfits * spreads,
        chi_squared=squares, degrees=degrees,
    )  # fmt: skip


def _chi_limit(degrees: int) -> float:
    return float(special.chdtri(degrees, 0.01))
