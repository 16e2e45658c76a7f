"""How much of a bone's strength daily loads use, before treatment and after each option."""

from dataclasses import dataclass

from trocar.model.finding import Finding
from trocar.model.record import Record, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Record):
    """A figure over the ensemble of density laws."""

    low_frac: float
    median_frac: float
    high_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedState(Record):
    """One state of the bone under one load. Ratios of load to strength: 1 is where yielding begins.

    `against_before` is the bone's ratio over that before treatment, law by law; `stiffness_against_before` the gain in
    stiffness under this load. `fails_first` names the part with the highest ratio and how it fails.
    """

    state: str  # intact_estimate, before, ablated, cement, screws, planned
    load: str
    bone: Interval
    cement: Interval | None = None
    screw: Interval | None = None
    against_before: Interval | None = None
    stiffness_against_before: Interval | None = None
    fails_first: str
    where_lps_mm: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrewHold(Record):
    """A screw by closed form: length in bone that is no tumor, pull-out and how it is embedded for bending.

    `pull_out_N` is for 32 mm of thread at the tip, as the catalog knows no threads.
    """

    name: str
    anchored_mm: float
    pull_out_N: float | None
    pull_out_full_thread_N: float | None = None
    pull_out_cemented_N: float | None
    decay_length_mm: float | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionCheck(Record):
    """What the weakest section of a long bone keeps of its rigidities (CTRA), against the intact estimate."""

    against: str
    axial_frac: float
    bending_frac: float
    torsion_frac: float
    where_lps_mm: Vector
    flagged: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshCheck(Record):
    """The same figures on coarser voxels: the largest change of a ratio, and of a ratio against before treatment."""

    coarse_spacing_mm: float
    bone_change_frac: float
    bone_where: str
    against_before_change_frac: float
    against_before_where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionRow(Record):
    """Load over strength of the bone within 6 mm of the lesion, on the coarse lattice and on the finer one."""

    state: str
    load: str
    coarse_frac: float
    fine_frac: float
    against_before_frac: float  # of the finer lattice
    fails_first: str
    where_lps_mm: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionModel(Record):
    """The lesion alone on a finer lattice, driven by the coarse one's displacements; by one density law."""

    spacing_mm: float
    law: str
    rows: tuple[LesionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength(Finding):
    """Load-to-strength ratios of the bone that holds a lesion; what they rest on, and what they do not cover."""

    lesion: str
    bone: str
    site: str
    weight_kg: float
    spacing_mm: float
    laws: tuple[str, ...]
    catalog_version: str
    density_scale: str
    loads: tuple[str, ...]
    rows: tuple[LoadedState, ...]
    screws: tuple[ScrewHold, ...] = ()
    worst_residual_frac: float
    worst_imbalance_frac: float = 0.0
    most_iterations: int
    caveats: tuple[str, ...] = ()
    sections: SectionCheck | None = None  # of long bones only
    mesh: MeshCheck | None = None
    lesion_model: LesionModel | None = None

    def row(self, state: str, load: str) -> LoadedState:
        return next(row for row in self.rows if (row.state, row.load) == (state, load))
