"""Whether a freezing step can be simulated as it is planned: its needles, its phases, its lattice."""

from collections.abc import Iterator

import numpy as np

from trocar.errors import CaseError
from trocar.imaging.resample import sample
from trocar.materials import TissueMap
from trocar.model.finding import Check, Verdict
from trocar.model.treatment import Placement, Step
from trocar.simulation.domain import active_segment

CELLS_ALONG = 5.0  # of the lattice on a needle's active part, design
SAMPLES = 21


def require_sound(step: Step, needles: tuple[Placement, ...]) -> None:
    """Raises `CaseError` for a phase that takes no time forward, or that names a needle the step does not have."""
    known = {needle.name for needle in needles}
    for phase in step.protocol:
        if not (np.isfinite(phase.duration_s) and phase.duration_s >= 0):
            raise CaseError(f"{step.id}: a phase of {phase.duration_s:g} s", hint="durations are in seconds, 0 or more")
        unknown = {*phase.probes, *phase.settings} - known
        if unknown:
            raise CaseError(
                f"{step.id}: a phase names {', '.join(sorted(unknown))}, which the step does not place",
                hint=f"its probes are {', '.join(sorted(known))}",
            )
        for name in known:
            setting = phase.setting_of(name)
            if phase.phase == "freeze" and setting is not None and not 0 <= setting <= 1:
                raise CaseError(f"{step.id}: a duty of {setting:g}", hint="a duty is a share of time, 0 to 1")


def needle_checks(tissue: TissueMap, needles: tuple[Placement, ...]) -> Iterator[Check]:
    """Whether each needle's active part lies in tissue, and is long enough for the lattice to see its ends."""
    gas = ~np.isfinite(tissue.medium.unfrozen_W_per_mK) if tissue.medium.outside is None else tissue.medium.outside
    spacing_mm = float(tissue.grid.spacing_mm[0])
    for needle in needles:
        segment = active_segment(needle)
        points = np.stack([segment.at(s) for s in np.linspace(0, segment.length_mm, SAMPLES)])
        within = 1.0 - float(sample(gas.astype(np.float32), tissue.grid, points, outside=1.0).mean())
        yield Check(
            name="probe_in_tissue", subject=needle.name, value=round(within, 3), limit=1.0, unit="1",
            verdict=Verdict.PASS if within > 0.97 else Verdict.FAIL, source="software default",
            message="" if within > 0.97 else "part of its active length lies outside the body",
        )  # fmt: skip
        cells = segment.length_mm / spacing_mm
        yield Check(
            name="lattice_resolves_probe", subject=needle.name, value=round(cells, 2), limit=CELLS_ALONG, unit="",
            verdict=Verdict.PASS if cells >= CELLS_ALONG else Verdict.WARN, source="software default",
            message="cells along its active length",
        )  # fmt: skip
