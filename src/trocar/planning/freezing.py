"""A freezing step as data: its probes, its protocol, and what a predictor says of it."""

from dataclasses import dataclass

import numpy as np

from trocar.catalog import limit
from trocar.imaging.resample import sample
from trocar.model.case import Case, Role
from trocar.model.space import Array, Segment
from trocar.model.treatment import Forecast, Placement, Predictor, ProtocolPhase, Step, Technique
from trocar.planning import durations
from trocar.planning.access import Instrument, needle

PREDICTION_SPACING_MM = 3.0
STEP_ID = "cryoablation-1"
PENALTY_PER_DEGC = 0.05  # what a degree below a structure's limit costs against a share of coverage, design


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """Two freezes around a passive thaw, then an active one (V35, V43); `setting` is the gas flow's duty."""

    freeze_s: float = 600.0
    thaw_s: float = 480.0
    setting: float = 1.0

    @property
    def phases(self) -> tuple[ProtocolPhase, ...]:
        """The phases in order."""
        return (
            ProtocolPhase(phase="freeze", duration_s=self.freeze_s, setting=self.setting),
            ProtocolPhase(phase="thaw_passive", duration_s=self.thaw_s),
            ProtocolPhase(phase="freeze", duration_s=self.freeze_s, setting=self.setting),
            ProtocolPhase(phase="thaw_active", duration_s=300.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A prediction read against the case: shares of the lesion, and the coldest of each role that has a limit."""

    visible_frac: float
    lethal_frac: float
    nerve_degC: float | None
    coldest_nerve: str
    excess_degC: float  # summed shortfall below the temperatures wanted on nerves, skin and bowel

    @property
    def admissible(self) -> bool:
        """Whether every structure stays as warm as wanted: nerves at their warning, as a coarse prediction errs."""
        return self.excess_degC <= 0.0


def freezing_step(lesion: str, tool: Instrument, paths: tuple[Segment, ...], protocol: Protocol) -> Step:
    """The ablation step of these probes, without its checks."""
    phases = protocol.phases
    return Step(
        id=STEP_ID,
        technique=Technique.CRYOABLATION,
        action="ABLATE",
        lesion=lesion,
        duration_min=durations.freezing(len(paths), sum(phase.duration_s for phase in phases)),
        placements=probe_placements(tool, paths),
        protocol=phases,
    )


def probe_placements(tool: Instrument, paths: tuple[Segment, ...]) -> tuple[Placement, ...]:
    """The probes, numbered."""
    return tuple(needle(tool, path, f"probe-{number}") for number, path in enumerate(paths, start=1))


def outlook(
    case: Case, points_lps_mm: Array, step: Step, predictor: Predictor, *, lethal_degC: float, perfusion_scale: float
) -> Outlook:
    """What the predictor says of a step, on (n, 3) points of the lesion."""
    forecast = predictor(case, step, spacing_mm=PREDICTION_SPACING_MM, perfusion_scale=perfusion_scale)
    coldest = sample(forecast.minimum_degC.values, forecast.minimum_degC.grid, points_lps_mm, outside=37.0)
    nerve_degC, nerve, excess = _exposure(case, forecast)
    return Outlook(
        visible_frac=float(np.mean(coldest <= 0.0)),
        lethal_frac=float(np.mean(coldest <= lethal_degC)),
        nerve_degC=nerve_degC,
        coldest_nerve=nerve,
        excess_degC=excess,
    )


def _exposure(case: Case, forecast: Forecast) -> tuple[float | None, str, float]:
    keys = {
        Role.NERVE: "nerve_warn_min_degC",
        Role.CORD: "nerve_warn_min_degC",
        Role.SKIN: "skin_min_degC",
        Role.BOWEL: "bowel_min_degC",
        Role.BLADDER: "bowel_min_degC",
        Role.URETER: "bowel_min_degC",
    }
    nerve_degC, nerve, excess = None, "", 0.0
    for structure in case.structures:
        exposed = forecast.exposures.get(structure.name)
        if structure.role not in keys or exposed is None or not np.isfinite(exposed):
            continue
        excess += max(0.0, limit(keys[structure.role]).value - exposed)
        if structure.role in (Role.NERVE, Role.CORD) and (nerve_degC is None or exposed < nerve_degC):
            nerve_degC, nerve = exposed, structure.name
    return nerve_degC, nerve, excess


def lethal_degC(intent: str) -> float:
    """The temperature counted as lethal for an intent."""
    return limit("lethal_curative_degC" if intent == "curative" else "lethal_palliative_degC").value


def worth(seen: Outlook) -> float:
    """A layout's value: the lethal share, half of the visible share, less what crosses a limit."""
    return seen.lethal_frac + 0.5 * seen.visible_frac - PENALTY_PER_DEGC * seen.excess_degC
