"""Synthetic cases through every stage, with a control CT made from their own plan and ice."""

from pathlib import Path

import numpy as np

from trocar.errors import InputError
from trocar.io.dossier import Dossier
from trocar.model.case import Case
from trocar.model.space import Volume
from trocar.model.treatment import Technique
from trocar.workflow.running import Outcome, run
from trocar.workflow.stages import Progress

DEMOS = ("ilium", "sacrum")
FREEZES_BETWEEN_degC = (-1.0, -8.0)


def demo(
    name: str,
    folder: str | Path,
    *,
    replace_existing: bool = False,
    voxel_mm: float | None = None,
    spacing_mm: float | None = None,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> tuple[Dossier, Outcome]:
    """A synthetic case (`ilium` or `sacrum`) through every stage, with a control CT made from its plan and its ice.

    `voxel_mm` is the edge of the synthetic CT's voxels. Raises `InputError` for another name or a folder in use.
    """
    from trocar import phantoms

    if name not in DEMOS:
        raise InputError(f"there is no demo {name!r}", hint=f"there are: {', '.join(DEMOS)}")
    Dossier.require_free(folder, replace_existing=replace_existing)
    voxels = {} if voxel_mm is None else {"spacing_mm": (voxel_mm, voxel_mm, voxel_mm)}
    synthetic = getattr(phantoms, name)
    dossier = Dossier.create(folder, synthetic(seed=seed, **voxels), replace_existing=replace_existing)
    before = run(dossier, until="simulation", spacing_mm=spacing_mm, on_progress=_half(on_progress, 0))
    if before.refusal is None:
        dossier.write("control", _control(dossier, seed))
    after = run(dossier, on_progress=_half(on_progress, 1))
    return dossier, Outcome(made=(*before.made, *after.made), refusal=before.refusal or after.refusal)


def _control(dossier: Dossier, seed: int) -> Case:
    """The phantom's control CT: at the end of the last freeze where one is planned, else with the screws in."""
    from trocar import phantoms

    case, treatment = dossier.read("case"), dossier.read("plan")
    placed = [item for step in treatment.steps for item in step.placements]
    frozen: Volume | None = None
    role = "screw"
    if freezing := treatment.of(Technique.CRYOABLATION):
        role = "probe"
        frozen = _frozen_frac(dossier.read("simulation").fields[f"{freezing[-1].id}/temperature_end_freeze_degC"])
    control: Case = phantoms.control(case, [item for item in placed if item.role == role], frozen, seed=seed).case
    return control


def _frozen_frac(temperature_degC: Volume) -> Volume:
    """The frozen share of the water at these temperatures: none at -1 degC, all at -8, linear between [S11]."""
    begins, ends = FREEZES_BETWEEN_degC
    share = np.clip((begins - temperature_degC.values) / (begins - ends), 0.0, 1.0)
    return Volume(grid=temperature_degC.grid, values=share.astype(np.float32), unit="frac")


def _half(on_progress: Progress | None, half: int) -> Progress | None:
    return None if on_progress is None else lambda fraction, text: on_progress((half + fraction) / 2, text)
