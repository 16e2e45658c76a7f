"""Ethiodized oil (Lipiodol) in tissue: where a CT shows it, where an embolization leaves it, and what it does.

Oil takes the place of water: less latent heat, and it conducts heat and current badly, so that ice stays smaller.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from trocar.catalog import device, devices
from trocar.catalog.tissues import tissues
from trocar.errors import CaseError
from trocar.materials.placing import onto
from trocar.model.case import Case, LesionContext, Role
from trocar.model.device import Embolic
from trocar.model.space import Array, Grid
from trocar.model.treatment import Step

TISSUE = "ethiodized_oil"
NAMES = ("lipiodol", "ethiodized", "ethiodised")  # a fluid structure called so
BARE_HU, FULL_HU = 40.0, 12_000.0  # pure oil, 480 mg of iodine per ml at 25 HU per mg/ml and 120 kVp (R-m)
NO_OIL: Mapping[str, float] = MappingProxyType({})  # lesion name -> share of its volume
CONDUCTIVITIES = ("unfrozen_W_per_mK", "frozen_W_per_mK")


def holds_oil(agent: str) -> bool:
    """Whether an embolic of the catalog is mixed with ethiodized oil."""
    found = device(agent)
    return isinstance(found, Embolic) and bool(found.ethiodized_oil)


def oil_share_frac(case: Case, step: Step) -> float:
    """The share of the lesion's volume that an embolization fills with oil; 0 where none is stated.

    Raises `CaseError` for more oil than the lesion holds.
    """
    if not step.oil_ml:
        return 0.0
    lesion_ml = float(case.structure(step.lesion).inside.sum()) * case.grid.voxel_ml
    if step.oil_ml > lesion_ml:
        raise CaseError(
            f"{step.id}: {step.oil_ml:g} ml of oil is more than the lesion's {lesion_ml:.1f} ml",
            hint="oil_ml is what stays within the lesion",
        )
    return step.oil_ml / lesion_ml


def oiled(context: LesionContext) -> bool:
    """Whether a lesion was embolized with oil before its CT: by an agent of a form that the catalog says has some."""
    with_it = {item.form for item in devices().values() if isinstance(item, Embolic) and item.ethiodized_oil}
    return bool(with_it & {*(context.embolized_with or ())})


def oil_in_ct(case: Case, grid: Grid, hu: Array) -> Array:
    """[i, j, k] share of each cell's volume that is oil by its HU; 0 where nothing says that there is oil.

    In a fluid structure of that name, and in a lytic lesion that was embolized with oil: in one that is not lytic, what
    is bright may be bone, and stays that.
    """
    found = np.zeros(grid.shape, np.float32)
    lesions = [each for each in case.lesions if oiled(case.context(each.name))]
    lytic = [each for each in lesions if case.context(each.name).matrix == "lytic"]
    labelled = [each for each in case.with_role(Role.FLUID) if is_oil(each.name)]
    for structure in (*lytic, *labelled):
        placed = onto(structure, case.grid, grid)
        if placed is not None:
            box, inside = placed
            share = np.clip((hu[box] - BARE_HU) / (FULL_HU - BARE_HU), 0, 1)
            found[box][inside] = share[inside]
    return found


def is_oil(name: str) -> bool:
    """Whether a structure's name says that it is oil."""
    return any(word in name.lower() for word in NAMES)


def oil_put(case: Case, grid: Grid, shares: Mapping[str, float]) -> Array:
    """[i, j, k] share of each cell's volume that planned embolizations fill, even over each lesion."""
    found = np.zeros(grid.shape, np.float32)
    for name, share in shares.items():
        placed = onto(case.structure(name), case.grid, grid)
        if placed is not None:
            found[placed[0]][placed[1]] = share
    return found


def disperse(values: dict[str, Array], share: Array, properties: Mapping[str, Callable[..., float]]) -> None:
    """A share of each cell becomes drops of oil, in place: conductivities by Maxwell's law, the rest by volume."""
    where = share > 0
    part, oil = share[where], tissues()[TISSUE]
    for name, value in properties.items():
        cells, of_oil = values[name], float(value(oil))
        if name in CONDUCTIVITIES:
            cells[where] = with_drops(cells[where], of_oil, part)
        else:
            cells[where] += part * (of_oil - cells[where])


def with_drops(around: Array, drops: float, share: Array) -> Array:
    """What a medium with drops in it conducts (Maxwell): exact without drops and of drops alone."""
    reach = drops + 2 * around
    gain = share * (drops - around)
    return np.asarray(around * (reach + 2 * gain) / (reach - gain), around.dtype)
