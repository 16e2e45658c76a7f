"""How tissue lets cement through and how cement thickens: priors with their sources."""

from dataclasses import dataclass, field, fields
from functools import cache

import numpy as np
from pydantic import TypeAdapter

from trocar.catalog.read import CATALOG, read_toml
from trocar.catalog.sources import require_resolved
from trocar.errors import CatalogError
from trocar.model.device import Cement
from trocar.model.record import Record, bounded

FILE = CATALOG / "flow.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class CementFlow(Record):
    """Priors of a cement injection. `sources` holds the key of every field's source.

    Ratios are to `bone_permeability_m2`, that of bone of `bone_porosity_frac`; porosity is the share that cement takes.
    """

    bone_permeability_m2: float = bounded(1e-16, 1e-5, default=0.0)
    bone_spread_ln: float = bounded(0, 3, default=0.0)  # standard deviation of the logarithm
    bone_porosity_frac: float = bounded(0, 1, default=0.0)
    cortical_porosity_frac: float = bounded(0, 1, default=0.0)
    porosity_exponent: float = bounded(0, 20, default=0.0)
    closed_above_HU: float
    cortex_above_HU: float
    lytic_below_HU: float
    lytic_permeability_ratio: float = bounded(0, 1e6, default=0.0)
    lytic_porosity_frac: float = bounded(0, 1, default=0.0)
    cavity_below_HU: float
    cavity_permeability_ratio: float = bounded(0, 1e6, default=0.0)
    ablated_permeability_ratio: float = bounded(0, 1e6, default=0.0)
    liquid_until_Pa_s: float = bounded(1e-3, 1e7, default=0.0)
    paste_until_Pa_s: float = bounded(1e-3, 1e7, default=0.0)
    set_Pa_s: float = bounded(1e-3, 1e7, default=0.0)
    injected_ml_per_s: float = bounded(1e-4, 10, default=0.0)
    sources: dict[str, str] = field(default_factory=dict)
    notes: str = ""


@cache
def cement_flow() -> CementFlow:
    """The priors. Raises `CatalogError` when the file is malformed or a value has no source."""
    row = read_toml(FILE, TypeAdapter(CementFlow))
    named = {item.name for item in fields(row)} - {"sources", "notes"}
    if named != row.sources.keys():
        raise CatalogError(f"{FILE.name}: sources and fields differ: {named ^ set(row.sources)}")
    for name, source in row.sources.items():
        require_resolved(source, path=FILE, where=name)
    return row


def viscosity_Pa_s(cement: Cement, age_s: np.ndarray) -> np.ndarray | None:
    """The viscosity at ages since mixing, its logarithm linear between the ends of liquid and paste and setting.

    `None` when the catalog does not know the cement's times.
    """
    known = cement_flow()
    ages = (cement.liquid_until_s, cement.paste_until_s, cement.set_at_s)
    if None in ages:
        return None
    thick = np.log([known.liquid_until_Pa_s, known.paste_until_Pa_s, known.set_Pa_s])
    return np.exp(np.interp(age_s, np.asarray(ages, float), thick))
