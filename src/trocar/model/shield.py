"""What keeps healthy tissue from the cold or the heat: fluid or gas around a structure, a cover on the skin."""

from dataclasses import dataclass

from trocar.model.record import Record, bounded
from trocar.model.space import Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer(Record):
    """Fluid or gas put around a structure, as far as soft tissue gives way: `fluid` is water (5 % dextrose) or gas.

    It pushes the structure away from the nearest needle by its thickness, where no bone is in the way, and leaves free
    the lines of `clear_of`: needles that lie there. Flowing, it stays at its temperature; a bolus only begins at it.
    """

    structure: str
    fluid: str
    thickness_mm: float
    temperature_degC: float = 37.0
    flowing: bool = False
    clear_of: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shield(Record):
    """All of it at once. `skin_W_per_m2K` is the exchange with what covers the skin, still air where it is `None`."""

    layers: tuple[Layer, ...] = ()
    skin_W_per_m2K: float | None = bounded(0, 1000)

    def with_more(self, other: "Shield") -> "Shield":
        """Both; a layer or cover of the other takes the place of one at the same structure."""
        again = {layer.structure for layer in other.layers}
        kept = tuple(layer for layer in self.layers if layer.structure not in again)
        skin = self.skin_W_per_m2K if other.skin_W_per_m2K is None else other.skin_W_per_m2K
        return Shield(layers=kept + other.layers, skin_W_per_m2K=skin)


UNSHIELDED = Shield()
