"""What a prediction is asked and what it answers: planning is given predictors and never imports simulation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from trocar.model.case import Case
from trocar.model.record import Record
from trocar.model.shield import UNSHIELDED, Shield
from trocar.model.space import Volume
from trocar.model.treatment import Placement, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterEmbolization(Record):
    """What embolizations left of a lesion's own perfusion, and the share of its volume that they filled with oil."""

    perfusion_left_frac: float = 1.0
    oil_frac: float = 0.0

    def perfusion_of(self, lesion: str) -> dict[str, float]:
        """As a map of lesions whose perfusion has changed."""
        return {} if self.perfusion_left_frac == 1.0 else {lesion: self.perfusion_left_frac}

    def oil_of(self, lesion: str) -> dict[str, float]:
        """As a map of lesions that hold oil."""
        return {lesion: self.oil_frac} if self.oil_frac > 0.0 else {}


NOT_EMBOLIZED = AfterEmbolization()


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueChange(Record):
    """How the tissue of a prediction differs from what the CT and the catalog say; scales of 1 change nothing.

    Layers of its shield leave the step's own needles free.
    """

    bone_conductivity_scale: float = 1.0
    blood_scale: float = 1.0
    shield: Shield = UNSHIELDED


AS_SEEN = TissueChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast(Record):
    """What a predictor says of a freezing step: lowest temperature [i, j, k] on the predictor's grid.

    `volumes_ml` holds how much each layer of the tissue's change takes, by structure.
    """

    minimum_degC: Volume = field(repr=False)
    exposures: dict[str, float] = field(default_factory=dict)  # structure name -> lowest temperature on it, degC
    volumes_ml: dict[str, float] = field(default_factory=dict)


class Predictor(Protocol):
    """Predicts what each of several alternative steps does to tissue that was at most embolized, in the steps' order.

    `embolized` is what that left of the lesion, `implants` the screws that are in already; `changes` one change of the
    tissue for each step, or none at all.
    """

    def __call__(
        self,
        case: Case,
        steps: Sequence[Step],
        *,
        spacing_mm: float,
        embolized: AfterEmbolization,
        changes: Sequence[TissueChange] = (),
        implants: Sequence[Placement] = (),
    ) -> tuple[Forecast, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatForecast(Record):
    """What a predictor says of a heating step: highest temperature and doses [i, j, k] on its own grid.

    `peaks` holds the hottest of each instrument's axis; `heated_s` how long any generator was at work.
    """

    maximum_degC: Volume = field(repr=False)
    omega: Volume = field(repr=False)  # Arrhenius damage
    cem43_min: Volume = field(repr=False)  # equivalent minutes at 43 degC
    exposures: dict[str, float] = field(default_factory=dict)  # structure name -> highest temperature on it, degC
    peaks: dict[str, float] = field(default_factory=dict)  # instrument name -> highest temperature on it, degC
    skin_omega: float | None = None  # the skin's own damage where it is worst; None without skin in the box
    heated_s: float = 0.0


class HeatPredictor(Protocol):
    """As `Predictor`, for heating steps."""

    def __call__(
        self,
        case: Case,
        steps: Sequence[Step],
        *,
        spacing_mm: float,
        embolized: AfterEmbolization,
        implants: Sequence[Placement] = (),
    ) -> tuple[HeatForecast, ...]: ...
