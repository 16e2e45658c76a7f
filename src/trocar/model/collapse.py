"""How far a load can grow before the bone gives way, before treatment and after each option."""

from dataclasses import dataclass

from trocar.model.finding import Finding
from trocar.model.record import Record, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class CollapsedState(Record):
    """One state of the bone, loaded until it gave way; loads in multiples of the load case.

    `strength_frac` is the highest load, `passed` whether the load fell after it (else it is a lower bound),
    `first_frac` the load at which the first voxel passed its limit, `breaks_frac` the highest one before it first fell
    by a tenth (none: it never did): the load may rise again after that, and further. `failed_at_frac` names the
    materials as they failed, each with the load of that moment; `lost_frac` is each one's part of the energy spent
    until the peak.
    """

    state: str
    strength_frac: float
    against_before_frac: float
    first_frac: float
    breaks_frac: float | None = None
    passed: bool
    failed_at_frac: tuple[tuple[str, float], ...] = ()
    where_lps_mm: Vector | None = None
    lost_frac: dict[str, float]
    path_frac: tuple[float, ...]  # against that of the load once, had the untreated bone stayed elastic
    load_frac: tuple[float, ...]
    worst_change_frac: float
    iterations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapse(Finding):
    """The strength of a bone under one load by its collapse, and what that rests on.

    States whose highest loads differ by less than `resolved_frac` cannot be told apart; None: nobody knows by how much.
    """

    lesion: str
    bone: str
    site: str
    load: str
    law: str
    weight_kg: float
    spacing_mm: float
    catalog_version: str
    density_scale: str
    states: tuple[CollapsedState, ...]
    resolved_frac: float | None = None
    caveats: tuple[str, ...] = ()

    def state(self, name: str) -> CollapsedState:
        return next(state for state in self.states if state.state == name)
