"""What a prediction of heat means for a case: shares of the lesion that die, and which limit of temperature it crosses.

Dead is what both models of dose say is dead, Arrhenius and equivalent minutes: they disagree widely below 50 degC.
The objective follows the intent, as for ice. Curative: the lesion and 5 mm around it. Palliative and protected: the
tumor's border with bone, then the tumor.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trocar.catalog import limit
from trocar.catalog.tolerances import HOT_LIMIT_OF_ROLE
from trocar.imaging.resample import sample
from trocar.model.case import Role
from trocar.model.forecast import AfterEmbolization, HeatForecast, HeatPredictor
from trocar.model.space import Array
from trocar.model.treatment import Placement, Step
from trocar.planning.freezing import lethal_share_key
from trocar.planning.outlook import NERVES, PENALTY_PER_DEGC, Aim
from trocar.planning.surroundings import Surroundings

REST_DEGC = 37.0
LEAST = 1e-4  # of a lethal dose


@dataclass(frozen=True, slots=True, kw_only=True)
class Overheated:
    """A structure that gets warmer than its limit."""

    structure: str
    role: Role
    maximum_degC: float
    limit_degC: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HotOutlook:
    """A prediction read against the aim.

    `excess_degC` sums what lies above the temperatures wanted: a nerve's warning, and a margin below any other limit
    as a coarse lattice errs. `crossings` are those of the limits themselves. `uncovered_lps_mm` are (n, 3) points of
    the lesion that survive.
    """

    lethal_frac: float  # by both models of dose
    hot_frac: float  # at the temperature that is lethal at once
    border_frac: float | None  # lethal share of the border with bone
    shell_frac: float  # of the shell at the wanted margin, lethal
    nerve_degC: float | None
    hottest_nerve: str
    others_degC: tuple[tuple[str, Role, float, float], ...]  # name, role, hottest, limit of what is no nerve
    skin_omega: float | None
    excess_degC: float
    crossings: tuple[Overheated, ...]
    uncovered_lps_mm: Array
    zone_ml: float  # dead in all, the lesion and what lies around it
    peaks_degC: tuple[float, ...]
    heated_s: float
    spacing_mm: float

    @property
    def admissible(self) -> bool:
        """Whether every structure stays as cool as wanted."""
        return self.excess_degC <= 0.0

    def worth(self, intent: str) -> float:
        """What placements are ranked by: the shares that the intent asks for, less what crosses a limit."""
        if intent == "curative":
            value = self.lethal_frac + 0.5 * self.shell_frac
        else:
            value = 0.5 * (self.lethal_frac + self.border) + 0.25 * self.hot_frac
        return value - PENALTY_PER_DEGC * self.excess_degC

    @property
    def border(self) -> float:
        """The lethal share of the border with bone, the lesion's own where there is none."""
        return self.lethal_frac if self.border_frac is None else self.border_frac

    def sufficient(self, intent: str) -> bool:
        """Whether it reaches the coverage asked for, and nothing gets too hot.

        Curative: the whole tumor and its margin die. No share is allowed for what is seen, as with ice: heat is not.
        """
        least = min(self.lethal_frac, self.shell_frac if intent == "curative" else self.border)
        return self.admissible and least >= limit(lethal_share_key(intent)).value


@dataclass(frozen=True, slots=True, eq=False)
class HotForesight:
    """A predictor of heat with an aim: what alternative steps would do, with what was implanted before them."""

    aim: Aim
    predictor: HeatPredictor
    embolized: AfterEmbolization
    implants: tuple[Placement, ...] = ()

    @property
    def around(self) -> Surroundings:
        return self.aim.around

    def outlooks(self, steps: Sequence[Step], *, spacing_mm: float) -> list[HotOutlook]:
        """One outlook for each step."""
        forecasts = self.predictor(
            self.around.case,
            steps,
            spacing_mm=spacing_mm,
            embolized=self.embolized,
            implants=self.implants,
        )
        return [hot_outlook(self.aim, forecast, spacing_mm=spacing_mm) for forecast in forecasts]


def hot_outlook(aim: Aim, forecast: HeatForecast, *, spacing_mm: float) -> HotOutlook:
    """A forecast of heat read against an aim."""
    dose, grid = _least_dose(forecast), forecast.omega.grid
    lesion, border, shell = (
        sample(dose, grid, points, outside=float(np.log(LEAST))) >= 0.0
        for points in (aim.lesion_lps_mm, aim.bone_border_lps_mm, aim.shell_lps_mm)
    )
    hot = sample(forecast.maximum_degC.values, grid, aim.lesion_lps_mm, outside=REST_DEGC)
    limited = tuple(_limited(aim, forecast))
    nerves = [(degC, name) for name, role, degC, _, _ in limited if role in NERVES]
    nerve_degC, nerve = max(nerves, default=(None, ""))
    crossings = [
        Overheated(structure=name, role=role, maximum_degC=degC, limit_degC=hard)
        for name, role, degC, hard, _ in limited
        if degC > hard
    ]
    return HotOutlook(
        lethal_frac=float(np.mean(lesion)),
        hot_frac=float(np.mean(hot >= limit("lethal_heat_degC").value)),
        border_frac=float(np.mean(border)) if len(border) else None,
        shell_frac=float(np.mean(shell)) if len(shell) else 0.0,
        nerve_degC=nerve_degC,
        hottest_nerve=nerve,
        others_degC=tuple((name, role, degC, hard) for name, role, degC, hard, _ in limited if role not in NERVES),
        skin_omega=forecast.skin_omega,
        excess_degC=sum(max(0.0, degC - wanted) for _, _, degC, _, wanted in limited) + _burnt(forecast),
        crossings=tuple(crossings),
        uncovered_lps_mm=aim.lesion_lps_mm[~lesion],
        zone_ml=float((dose >= 0.0).sum()) * grid.voxel_ml,
        peaks_degC=tuple(forecast.peaks.values()),
        heated_s=forecast.heated_s,
        spacing_mm=spacing_mm,
    )


def _least_dose(forecast: HeatForecast) -> Array:
    """[i, j, k] logarithm of the dose by the model that counts less, in lethal doses: 0 where both say dead."""
    doses = (
        forecast.omega.values / limit("lethal_omega").value,
        forecast.cem43_min.values / limit("lethal_cem43_min").value,
    )
    least: Array = np.log(np.maximum(np.minimum(*doses), LEAST))
    return least


def _limited(aim: Aim, forecast: HeatForecast) -> Iterator[tuple[str, Role, float, float, float]]:
    """(name, role, hottest, hard limit, wanted) of every structure with a limit that the prediction reaches."""
    for structure in aim.around.case.structures:
        degC = forecast.exposures.get(structure.name)
        if structure.role in HOT_LIMIT_OF_ROLE and degC is not None and np.isfinite(degC):
            hard = limit(HOT_LIMIT_OF_ROLE[structure.role]).value
            wanted = hard - limit("hot_margin_degC").value
            if structure.role in NERVES:
                wanted = limit("nerve_warn_max_degC").value
            yield structure.name, structure.role, degC, hard, wanted


def _burnt(forecast: HeatForecast) -> float:
    """A burn of the skin, as degrees too many."""
    return max(0.0, (forecast.skin_omega or 0.0) - limit("skin_burn_omega").value)
