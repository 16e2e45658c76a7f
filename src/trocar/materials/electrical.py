"""What each cell is to currents and to microwaves, at body temperature; where nobody has measured it, unknown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trocar.catalog.tissues import Tissue, tissues
from trocar.errors import CaseError
from trocar.materials.layers import layer_cells
from trocar.materials.mapping import native_tissue
from trocar.materials.oil import NO_OIL, oil_put, with_drops
from trocar.materials.oil import TISSUE as OIL
from trocar.materials.placing import shaft_frac
from trocar.materials.surroundings import beyond_the_ct
from trocar.model.case import Case
from trocar.model.shield import UNSHIELDED, Shield
from trocar.model.space import Array, Grid
from trocar.model.treatment import Placement

METAL_S_PER_M = 1e3  # at one potential, like titanium, and a thousandth as stiff for the solver
INSULATOR_S_PER_M = 1e-4  # of gas, cement and 5 % dextrose (about 0, recalled), no harder for the solver than need be
METAL_FRAC = 0.5  # of a cell, from which it counts as metal
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
    made = native.makeup
    vessels = native.held & ~native.outside
    metal = made.first == made.number(tissues()["titanium"])
    for shaft in treated.implants:
        placed = shaft_frac(shaft.axis, shaft.diameter_mm / 2, grid)
        if placed is not None:
            metal[placed[0]] |= placed[1] >= METAL_FRAC
    values = made.property(lambda tissue: np.nan if value(tissue) is None else float(value(tissue) or 0.0))
    for share in (native.oil_frac, oil_put(case, grid, treated.oil_frac)):
        values[:] = with_drops(values, value(tissues()[OIL]) or 0.0, share)
    values[beyond_the_ct(case, grid)] = value(tissues()[STAND_IN])  # else no current could leave the box
    for layer in treated.shield.layers:
        values[layer_cells(case, grid, native, layer)] = value(tissues()[LAYER_TISSUE[layer.fluid]])
    values[vessels] = value(tissues()["blood"])
    values[metal] = METAL_S_PER_M
    cement_frac = treated.cement_frac
    if cement_frac is not None:
        there = cement_frac > 0
        values[there] += cement_frac[there] * (np.float32(value(tissues()["cement"])) - values[there])
    unknown = ~np.isfinite(values)
    values[unknown] = value(tissues()[STAND_IN])
    here = np.unique(np.concatenate([made.first[unknown], made.second[unknown]]))
    names = sorted({made.known[n].name for n in here if value(made.known[n]) is None})
    return Electrical(values=values, unknown=unknown, unknown_names=tuple(names), metal=metal)
