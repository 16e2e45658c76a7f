"""How nouns with arrays look in JSON: the same fields, with the arrays replaced by where they are stored."""

import datetime
from dataclasses import dataclass, field

from trocar.model.case import Clinical, GeometryFinding, Role, Side
from trocar.model.record import Matrix4, Record, Vector
from trocar.model.treatment import Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVolume(Record):
    """A volume in a file beside the JSON. `lps_from_ijk` is exact; the file's header holds it in single precision."""

    file: str
    unit: str
    dtype: str  # of the values in memory; the file may hold fewer bytes when that loses nothing
    shape: tuple[int, int, int]
    lps_from_ijk: Matrix4


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStructure(Record):
    """A structure as a label of one layer of `structures.nii.gz`; structures that overlap lie in different layers."""

    name: str
    role: Role
    layer: int
    label: int
    side: Side | None = None
    centerline_lps_mm: tuple[Vector, ...] = ()
    diameter_mm: float | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCase(Record):
    """`case.json`: a `Case` whose arrays are in NIfTI files of the same folder."""

    case_id: str
    synthetic: bool = False
    ct: StoredVolume
    structures_file: str
    structures: tuple[StoredStructure, ...]
    phases: dict[str, StoredVolume] = field(default_factory=dict)
    contrast_enhanced: bool | None = None
    acquired: datetime.date | None = None
    geometry: tuple[GeometryFinding, ...] = ()
    clinical: Clinical


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals(Record):
    """`proposals.json`: every option for every lesion, ranked."""

    proposals: tuple[Proposal, ...]
