"""The pressure that an injection takes while its cement thickens: in the bone, and in the trocar before it."""

from dataclasses import dataclass

import numpy as np

from trocar.catalog import device
from trocar.catalog.flow import cement_flow, viscosity_Pa_s
from trocar.errors import CaseError
from trocar.model.device import Cement, Trocar
from trocar.model.space import Array
from trocar.model.treatment import Placement
from trocar.physics.porous import Filling, tube_resistance_per_m3


@dataclass(frozen=True, slots=True, kw_only=True)
class Syringe:
    """A cement of a mix of its own, injected at a steady rate from the moment it is a paste.

    `lumen_per_m3` is the resistance of the trocar; `None` while its lumen is not known.
    """

    cement: Cement
    lumen_per_m3: float | None

    @classmethod
    def of(cls, bead: Placement, trocar: Placement | None) -> "Syringe":
        """The syringe of a bead. Raises `CaseError` when what is injected is no cement."""
        cement = device(bead.device)
        if not isinstance(cement, Cement):
            raise CaseError(f"{bead.device!r} is not a cement", hint="`trocar devices` lists them")
        tool = device(trocar.device) if trocar is not None else None
        inner_mm = tool.inner_diameter_mm if isinstance(tool, Trocar) else None
        if trocar is None or inner_mm is None:
            return cls(cement=cement, lumen_per_m3=None)
        return cls(cement=cement, lumen_per_m3=tube_resistance_per_m3(trocar.length_mm / 1000, inner_mm / 2000))

    def times_s(self, volumes_m3: Array) -> Array:
        """When each volume has been injected, from the first drop on."""
        return volumes_m3 * 1e6 / cement_flow().injected_ml_per_s

    def bone_MPa(self, filling: Filling) -> Array | None:
        """(n,) the pressure at the opening at `filling.volumes_m3`; `None` for a cement of unknown times."""
        return self._MPa(filling.volumes_m3, filling.resistance_per_m3)

    def syringe_MPa(self, filling: Filling) -> Array | None:
        """(n,) that in the syringe; `None` also for a trocar of unknown lumen."""
        if self.lumen_per_m3 is None:
            return None
        return self._MPa(filling.volumes_m3, filling.resistance_per_m3 + self.lumen_per_m3)

    def _MPa(self, volumes_m3: Array, resistance_per_m3: Array) -> Array | None:
        age_s = (self.cement.liquid_until_s or 0.0) + self.times_s(volumes_m3)
        viscosity = viscosity_Pa_s(self.cement, age_s)
        if viscosity is None:
            return None
        return np.asarray(viscosity * resistance_per_m3 * cement_flow().injected_ml_per_s * 1e-6 / 1e6)
