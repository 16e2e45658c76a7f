"""What a person changes in a plan by hand."""

from dataclasses import dataclass

from trocar.model.record import Record, Vector
from trocar.model.shield import Shield


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedPath(Record):
    """A placement's new path: tip and skin, and where its own axis starts inside the body if not at the skin."""

    name: str
    target_lps_mm: Vector
    skin_lps_mm: Vector
    entry_lps_mm: Vector | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits(Record):
    """Placements by name: `fixed` stay where they are, `moved` go elsewhere and stay, `deleted` are left out.

    `shield` is put in place before the first ice or heat.
    """

    fixed: tuple[str, ...] = ()
    moved: tuple[MovedPath, ...] = ()
    deleted: tuple[str, ...] = ()
    shield: Shield | None = None

    @property
    def kept(self) -> frozenset[str]:
        """The names that a new search must not touch."""
        return frozenset(self.fixed) | {each.name for each in self.moved}

    @property
    def names(self) -> frozenset[str]:
        """Every name that is spoken of."""
        return self.kept | frozenset(self.deleted)
