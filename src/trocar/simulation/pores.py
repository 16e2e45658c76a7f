"""Where cement may go around an injection: pores of bone and lesion, closed by cortex, ice, metal; and the ways out."""

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from trocar.catalog.flow import cement_flow
from trocar.errors import CaseError
from trocar.imaging.resample import resample
from trocar.imaging.surface import slices
from trocar.materials.native import CANCELLOUS_HU, CORTICAL_HU
from trocar.materials.placing import onto, shaft_frac
from trocar.model.case import Role
from trocar.model.space import Array, Grid
from trocar.model.state import TissueState
from trocar.physics.porous import Cell, Porous
from trocar.simulation.session import Session

REACH_MM = 30.0  # around an injection point: a ball of 5 ml has 11 mm
NEEDLE_MM = 3.0  # how far from its planned place a needle's opening may find room
ABLATED_DEGC, ABLATED_OMEGA = -20.0, 1.0
WAY_OF_ROLE = {
    Role.VESSEL: "vein",
    Role.JOINT: "joint",
    Role.CORD: "canal",
    Role.NERVE: "foramen",
}  # later over earlier
OUTLINED_FRAC = 0.2  # of a lesion within bone: less, and the bone's outline runs around the lesion
BREACH, EDGE = 1, 2
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way out of the bone, and the structure that it leads to."""

    way: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pores:
    """The medium of one injection on a part of the simulation's grid; `ways` are its exits by number.

    Without an `entry`, `closed` says why: ice, or no room in dense bone, metal or earlier cement.
    """

    grid: Grid
    box: Box
    porous: Porous
    ways: dict[int, Way]
    entry: Cell | None
    closed: str
    hazards: Array = field(repr=False)  # nerves, canal and joints


def pores(session: Session, state: TissueState, target_lps_mm: Array) -> Pores:
    """The pores around an injection point. Raises `CaseError` when no bone or lesion is within 3 mm."""
    box, grid = _box(state.grid, target_lps_mm)
    domain = _domain(session)[box]
    outlet, ways, hazards = _exits(session, grid, domain)
    permeability, porosity = _matrix(session, state, box, grid, domain)
    outlet[(outlet == 0) & _border(outlet.shape)] = EDGE
    warm = Porous(
        spacing_m=float(grid.spacing_mm[0]) / 1000,
        permeability_m2=permeability,
        porosity_frac=porosity,
        outlet=outlet,
    )
    _require_bone(grid, domain, target_lps_mm)
    entry = _nearest(grid, warm.open, target_lps_mm)
    ice = state.temperature_degC[box] <= 0
    porous = Porous(
        spacing_m=warm.spacing_m,
        permeability_m2=np.where(ice, 0.0, permeability),
        porosity_frac=porosity,
        outlet=np.where(ice, 0, outlet),
    )
    closed = "room" if entry is None else "ice" if ice[entry] else ""
    return Pores(
        grid=grid, box=box, porous=porous, ways=ways, entry=None if closed else entry, closed=closed, hazards=hazards
    )


def _box(grid: Grid, target_lps_mm: Array) -> tuple[Box, Grid]:
    middle, reach = grid.to_ijk(target_lps_mm), REACH_MM / grid.spacing_mm
    low = np.clip(np.floor(middle - reach).astype(int), 0, np.asarray(grid.shape) - 1)
    high = np.clip(np.ceil(middle + reach).astype(int) + 1, low + 1, grid.shape)
    return slices(low, high), grid.cropped(low, high)


def _domain(session: Session) -> Array:
    """Bone, and the lesion where its bone's outline leaves it out; its part outside an outlined bone is soft tissue."""
    tissue = session.tissue
    outlined = tissue.lesion.any() and tissue.bone[tissue.lesion].mean() >= OUTLINED_FRAC
    return tissue.bone if outlined else tissue.bone | tissue.lesion


def _exits(session: Session, grid: Grid, domain: Array) -> tuple[Array, dict[int, Way], Array]:
    """Numbers of exits on the cells, what each is, and the cells of nerves, canal and joints."""
    outlet = np.where(domain, 0, BREACH)
    hazards = np.zeros(grid.shape, bool)
    ways = {BREACH: Way(way="breach"), EDGE: Way(way="edge")}
    for role, way in WAY_OF_ROLE.items():
        for structure in session.case.with_role(role):
            placed = onto(structure, session.case.grid, grid)
            if placed is None or not placed[1].any():
                continue
            number = len(ways) + 1
            ways[number] = Way(way=way, name=structure.name)
            outlet[placed[0]][placed[1]] = number
            if role is not Role.VESSEL:
                hazards[placed[0]] |= placed[1]
    return outlet, ways, hazards


def _matrix(session: Session, state: TissueState, box: Box, grid: Grid, domain: Array) -> tuple[Array, Array]:
    """Permeability [m2] and porosity of the cells as the CT shows them, with what has been put in since."""
    known = cement_flow()
    hu = resample(session.case.ct, grid, outside=-1000.0).values.astype(float)
    mineral = np.clip((hu - CANCELLOUS_HU) / (CORTICAL_HU - CANCELLOUS_HU), 0, 1)
    porosity = known.bone_porosity_frac + mineral * (known.cortical_porosity_frac - known.bone_porosity_frac)
    ratio = (porosity / known.bone_porosity_frac) ** known.porosity_exponent
    lytic = session.tissue.lesion[box] & (hu < known.lytic_below_HU)
    dead = lytic & _ablated(state)[box]
    ratio[lytic], porosity[lytic] = known.lytic_permeability_ratio, known.lytic_porosity_frac
    ratio[dead] *= known.ablated_permeability_ratio
    cavity = domain & (hu < known.cavity_below_HU)
    ratio[cavity], porosity[cavity] = known.cavity_permeability_ratio, 1.0
    closed = ~domain | (hu > known.closed_above_HU) | _cortex(domain, hu, known.cortex_above_HU)
    for shaft in state.implants:
        metal = shaft_frac(shaft.axis, shaft.diameter_mm / 2, grid)
        if metal is not None:
            porosity[metal[0]] *= 1 - metal[1]
            closed[metal[0]] |= metal[1] > 0.5
    for role in (Role.IMPLANT, Role.CEMENT):
        for structure in session.case.with_role(role):
            placed = onto(structure, session.case.grid, grid)
            if placed is not None:
                closed[placed[0]] |= placed[1]
    earlier = state.cement_frac[box]
    closed |= earlier > porosity / 2
    return np.where(closed, 0.0, known.bone_permeability_m2 * ratio), np.clip(porosity - earlier, 0, 1)


def _ablated(state: TissueState) -> Array:
    """Where cold or heat has killed."""
    cold = state.minimum_degC <= ABLATED_DEGC
    omega = state.heat_dose.get("omega")
    return cold if omega is None else cold | (omega.reshape(cold.shape) >= ABLATED_OMEGA)


def _cortex(domain: Array, hu: Array, above_HU: float) -> Array:
    """The bone's outermost cells where they, or the bone right beneath them, are mineral: closed at any spacing."""
    six = ndimage.generate_binary_structure(3, 1)
    surface = domain & ~ndimage.binary_erosion(domain, six, border_value=1)
    densest = ndimage.maximum_filter(np.where(domain, hu, -np.inf), footprint=six, mode="nearest")
    return np.asarray(surface & (densest >= above_HU))


def _border(shape: tuple[int, ...]) -> Array:
    border = np.ones(shape, bool)
    border[1:-1, 1:-1, 1:-1] = False
    return border


def _require_bone(grid: Grid, domain: Array, target_lps_mm: Array) -> None:
    if _nearest(grid, domain, target_lps_mm) is None:
        raise CaseError(
            f"neither bone nor lesion lies within {NEEDLE_MM:g} mm of the injection point",
            hint="move the cement's target into bone",
        )


def _nearest(grid: Grid, cells: Array, target_lps_mm: Array) -> Cell | None:
    """The cell nearest to the injection point; `None` when none is in the needle's reach."""
    index = np.argwhere(cells)
    if not len(index):
        return None
    apart_mm = np.round(np.linalg.norm(grid.to_lps(index) - target_lps_mm, axis=1), 6)
    nearest = int(np.argmin(apart_mm))
    if apart_mm[nearest] > max(NEEDLE_MM, float(np.linalg.norm(grid.spacing_mm))):
        return None
    i, j, k = (int(n) for n in index[nearest])
    return i, j, k
