"""What a prediction means for a case: shares of the lesion and its borders, and which limit of temperature it crosses.

The objective follows the intent. Curative: the lethal zone over the lesion and 5 mm around it. Palliative and
protected: the tumor's border with bone first, then the tumor.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trocar.catalog import limit
from trocar.catalog.tolerances import COLD_LIMIT_OF_ROLE
from trocar.imaging.resample import sample
from trocar.model.case import Role
from trocar.model.forecast import AfterEmbolization, Forecast, Predictor, TissueChange
from trocar.model.space import Array
from trocar.model.treatment import Placement, Step
from trocar.planning.bundles import scored_points
from trocar.planning.freezing import lethal_degC
from trocar.planning.surroundings import Surroundings

SEARCH_SPACING_MM = 3.0
VERIFY_SPACING_MM = 2.0
PENALTY_PER_DEGC = 0.05  # what a degree below a structure's limit costs against a share of coverage, design
BORDER_POINTS = 400
NERVES = (Role.NERVE, Role.CORD)


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """What is to be frozen, as (n, 3) points: the lesion, its border with bone, and a shell at the wanted margin."""

    around: Surroundings
    intent: str
    lesion_lps_mm: Array
    bone_border_lps_mm: Array
    shell_lps_mm: Array

    @classmethod
    def of(cls, around: Surroundings, intent: str) -> "Aim":
        """The aim of an intent; without bone at the lesion the border is empty."""
        outside_bone = around.in_bone & ~around.in_lesion
        border = around.in_lesion & ndimage.binary_dilation(outside_bone)
        distance = ndimage.distance_transform_edt(~around.in_lesion, sampling=around.grid.spacing_mm)
        margin = limit("margin_curative_min_mm").value
        half = float(around.grid.spacing_mm.max()) / 2
        shell = (np.abs(distance - margin) <= half) & (around.body > 0.5)
        return cls(around, intent, scored_points(around), _thinned(around, border), _thinned(around, shell))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A structure that gets colder than its limit."""

    structure: str
    role: Role
    minimum_degC: float
    limit_degC: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """A prediction read against the aim: shares, and the coldest of each structure that has a limit.

    `excess_degC` sums the shortfall below the temperatures wanted, a nerve's at its warning as a coarse lattice errs;
    `crossings` are those of the hard limits. `uncovered_lps_mm` are (n, 3) points of the lesion that stay too warm.
    """

    visible_frac: float
    lethal_frac: float
    border_frac: float | None  # lethal share of the border with bone
    shell_frac: float  # of the shell at the wanted margin, in ice
    nerve_degC: float | None
    coldest_nerve: str
    excess_degC: float
    crossings: tuple[Crossing, ...]
    uncovered_lps_mm: Array
    spacing_mm: float

    @property
    def admissible(self) -> bool:
        """Whether every structure stays as warm as wanted."""
        return self.excess_degC <= 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Foresight:
    """A predictor with an aim: what alternative steps would do, with what was implanted before them."""

    aim: Aim
    predictor: Predictor
    embolized: AfterEmbolization
    implants: tuple[Placement, ...] = ()

    def outlooks(
        self, steps: Sequence[Step], *, spacing_mm: float = SEARCH_SPACING_MM, changes: Sequence[TissueChange] = ()
    ) -> list[Outlook]:
        """One outlook for each step, in its changed tissue where changes are given."""
        forecasts = self.forecasts(steps, spacing_mm=spacing_mm, changes=changes)
        return [outlook(self.aim, forecast, spacing_mm=spacing_mm) for forecast in forecasts]

    def forecasts(
        self, steps: Sequence[Step], *, spacing_mm: float, changes: Sequence[TissueChange] = ()
    ) -> tuple[Forecast, ...]:
        """The predictor's own answers."""
        if not steps:
            return ()
        return self.predictor(
            self.aim.around.case,
            steps,
            spacing_mm=spacing_mm,
            embolized=self.embolized,
            changes=changes,
            implants=self.implants,
        )


def outlook(aim: Aim, forecast: Forecast, *, spacing_mm: float) -> Outlook:
    """A forecast read against an aim."""
    lethal = lethal_degC(aim.intent)
    lesion, border, shell = (
        sample(forecast.minimum_degC.values, forecast.minimum_degC.grid, points, outside=37.0)
        for points in (aim.lesion_lps_mm, aim.bone_border_lps_mm, aim.shell_lps_mm)
    )
    nerve_degC, nerve = _coldest_nerve(aim, forecast)
    return Outlook(
        visible_frac=float(np.mean(lesion <= 0.0)),
        lethal_frac=float(np.mean(lesion <= lethal)),
        border_frac=float(np.mean(border <= lethal)) if len(border) else None,
        shell_frac=float(np.mean(shell <= 0.0)) if len(shell) else 0.0,
        nerve_degC=nerve_degC,
        coldest_nerve=nerve,
        excess_degC=sum(max(0.0, wanted - degC) for _, _, degC, _, wanted in _limited(aim, forecast)),
        crossings=tuple(
            Crossing(structure=name, role=role, minimum_degC=degC, limit_degC=hard)
            for name, role, degC, hard, _ in _limited(aim, forecast)
            if degC < hard
        ),
        uncovered_lps_mm=aim.lesion_lps_mm[lesion > lethal],
        spacing_mm=spacing_mm,
    )


def worth(seen: Outlook, intent: str) -> float:
    """What layouts are ranked by: the shares that the intent asks for, less what crosses a limit."""
    if intent == "curative":
        value = seen.lethal_frac + 0.5 * seen.shell_frac
    else:
        border = seen.lethal_frac if seen.border_frac is None else seen.border_frac
        value = 0.5 * (seen.lethal_frac + border + seen.visible_frac)
    return value - PENALTY_PER_DEGC * seen.excess_degC


def _limited(aim: Aim, forecast: Forecast) -> list[tuple[str, Role, float, float, float]]:
    """(name, role, coldest, hard limit, wanted) of every structure with a limit that the prediction reaches."""
    found = []
    for structure in aim.around.case.structures:
        degC = forecast.exposures.get(structure.name)
        if structure.role not in COLD_LIMIT_OF_ROLE or degC is None or not np.isfinite(degC):
            continue
        hard = limit(COLD_LIMIT_OF_ROLE[structure.role]).value
        wanted = limit("nerve_warn_min_degC").value if structure.role in NERVES else hard
        found.append((structure.name, structure.role, degC, hard, wanted))
    return found


def _coldest_nerve(aim: Aim, forecast: Forecast) -> tuple[float | None, str]:
    nerves = [(degC, name) for name, role, degC, _, _ in _limited(aim, forecast) if role in NERVES]
    return min(nerves, default=(None, ""))


def _thinned(around: Surroundings, inside: Array) -> Array:
    """(~400, 3) points of a mask, every so many in each direction about the lesion's center: mirrored with the case."""
    ijk = np.argwhere(inside)
    stride = max(1, round((len(ijk) / BORDER_POINTS) ** 0.5))
    middle = (np.asarray(around.grid.shape) - 1) // 2
    kept = np.abs(ijk - middle).sum(axis=1) % stride == 0
    return around.grid.to_lps(ijk[kept]).reshape(-1, 3)
