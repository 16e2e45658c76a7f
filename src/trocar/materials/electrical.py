"""What each cell is to currents and to microwaves, at body temperature; where nobody has measured it, unknown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trocar.catalog.tissues import Tissue, tissues
from trocar.errors import CaseError
from trocar.materials.layers import layer_cells
from trocar.materials.native import Native, native_tissue
from trocar.materials.oil import NO_OIL, oil_put, with_drops
from trocar.materials.oil import TISSUE as OIL
from trocar.materials.placing import EVERYWHERE, nearest, shaft_frac
from trocar.materials.surroundings import beyond_the_ct
from trocar.model.case import Case
from trocar.model.shield import UNSHIELDED, Shield
from trocar.model.space import Array, Grid
from trocar.model.treatment import Placement

METAL_S_PER_M = 1e3  # at one potential, like titanium, and a thousandth as stiff for the solver
INSULATOR_S_PER_M = 1e-4  # of gas, cement and 5 % dextrose (about 0, recalled), no harder for the solver than need be
METAL_FRAC = 0.5  # of a cell, from which it counts as metal
MOSTLY = 0.5  # of a cell, from which its tissue counts as unknown
STAND_IN = "muscle"  # for tissue whose value is unknown, and for the body where the CT ends: said wherever it is used
LAYER_TISSUE = {"water": "dextrose", "gas": "gas"}  # saline is no fluid for a layer beside heat
FREQUENCIES_MHZ = (915.0, 2450.0)
BAND_FRAC = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Electrical:
    """[i, j, k] a property at 37 degC; `metal` cells, and `unknown` ones with the names of their tissues.

    Unknown cells carry the value of muscle: what is computed near them is a prior.
    """

    values: Array
    unknown: Array
    unknown_names: tuple[str, ...]
    metal: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Treated:
    """What was done to the tissue so far."""

    implants: Sequence[Placement]
    cement_frac: Array | None
    shield: Shield
    oil_frac: Mapping[str, float]


def radiofrequency_map(
    case: Case,
    grid: Grid,
    *,
    implants: Sequence[Placement] = (),
    cement_frac: Array | None = None,
    shield: Shield = UNSHIELDED,
    oil_frac: Mapping[str, float] = NO_OIL,
) -> Electrical:
    """Conductivity at 460 kHz, S/m. The layers of a shield, 5 % dextrose or gas, carry no current to speak of."""
    treated = _Treated(implants, cement_frac, shield, oil_frac)
    found = _map(case, grid, lambda tissue: tissue.radiofrequency_S_per_m, treated)
    return replace(found, values=np.maximum(found.values, np.float32(INSULATOR_S_PER_M)))


def microwave_maps(
    case: Case, grid: Grid, frequency_MHz: float, *, implants: Sequence[Placement] = (),
    cement_frac: Array | None = None, shield: Shield = UNSHIELDED, oil_frac: Mapping[str, float] = NO_OIL,
) -> tuple[Electrical, Electrical]:  # fmt: skip
    """Relative permittivity and conductivity in S/m. Raises `CaseError` for a frequency without tissue values.

    A layer of 5 % dextrose absorbs about as water does, one of gas nothing.
    """
    band = [f for f in FREQUENCIES_MHZ if abs(frequency_MHz / f - 1) <= BAND_FRAC]
    if not band:
        raise CaseError(f"no tissue is known at {frequency_MHz:g} MHz", hint="tissues are at 915 and 2450 MHz")
    high, treated = band[0] > 1000, _Treated(implants, cement_frac, shield, oil_frac)
    permittivity = _map(case, grid, lambda t: t.permittivity_2450 if high else t.permittivity_915, treated)
    conductivity = _map(case, grid, lambda t: t.microwave_2450_S_per_m if high else t.microwave_915_S_per_m, treated)
    return permittivity, conductivity


def _map(case: Case, grid: Grid, value: Callable[[Tissue], float | None], treated: _Treated) -> Electrical:
    native = native_tissue(case, grid)
    values, unknown, metal = _native(native, value)
    values[:] = with_drops(values, value(tissues()[OIL]) or 0.0, oil_put(case, grid, treated.oil_frac))
    known: list[tuple[Array, float | None]] = [  # later ones lie over earlier ones
        (beyond_the_ct(case, grid), value(tissues()[STAND_IN])),  # else no current could leave the box
        *(
            (layer_cells(case, grid, native, layer), value(tissues()[LAYER_TISSUE[layer.fluid]]))
            for layer in treated.shield.layers
        ),
        (native.held & ~native.outside, value(tissues()["blood"])),
    ]
    for shaft in treated.implants:
        placed = shaft_frac(shaft.axis, shaft.diameter_mm / 2, grid)
        if placed is not None:
            metal[placed[0]] |= placed[1] >= METAL_FRAC
    for where, known_value in (*known, (metal, METAL_S_PER_M)):
        values[where], unknown[where] = known_value, False
    cement_frac = treated.cement_frac
    if cement_frac is not None:
        there = cement_frac > 0
        values[there] += cement_frac[there] * (np.float32(value(tissues()["cement"])) - values[there])
    return Electrical(values=values, unknown=unknown, unknown_names=_names(native, unknown, value), metal=metal)


def _native(native: Native, value: Callable[[Tissue], float | None]) -> tuple[Array, Array, Array]:
    """The cells before treatment: means of their voxels without metal, which are mostly unknown, mostly metal."""
    made, stand_in = native.voxels.makeup, value(tissues()[STAND_IN])
    voxels = made.property(lambda tissue: np.nan if value(tissue) is None else float(value(tissue) or 0.0))
    missing = ~np.isfinite(voxels)
    voxels[missing] = stand_in
    voxels[:] = with_drops(voxels, value(tissues()[OIL]) or 0.0, native.voxels.oil_frac)
    metal = made.first == made.number(tissues()["titanium"])
    bare = native.mean(~metal, outside=1.0)
    values = native.mean(np.where(metal, np.float32(0), voxels), outside=float(stand_in or 0.0))
    values /= np.maximum(bare, np.float32(1 - METAL_FRAC) / 2)
    return values, native.mean(missing & ~metal) >= MOSTLY, bare <= 1 - METAL_FRAC


def _names(native: Native, unknown: Array, value: Callable[[Tissue], float | None]) -> tuple[str, ...]:
    """Of the tissues in unknown cells that have no value."""
    made, grid = native.voxels.makeup, native.voxels.case.grid
    here = {
        int(n)
        for tissue in (made.first, made.second)
        for n in np.unique(nearest(tissue, grid, native.grid, EVERYWHERE, outside=False)[unknown])
    }
    return tuple(sorted({made.known[n].name for n in here if value(made.known[n]) is None}))
