"""What a person changes in a plan by hand."""

from dataclasses import dataclass

from trocar.model.record import Record, Vector, bounded
from trocar.model.shield import Shield


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedPath(Record):
    """A placement's new path: tip and skin, and where its own axis starts inside the body if not at the skin."""

    name: str
    target_lps_mm: Vector
    skin_lps_mm: Vector
    entry_lps_mm: Vector | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Embolized(Record):
    """The agent of the plan's embolization, what it leaves of the perfusion, and how much ethiodized oil stays."""

    agent: str  # id of the catalog
    perfusion_left_frac: float | None = bounded(0, 1)  # None: as the catalog says of the agent
    oil_ml: float | None = bounded(0, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits(Record):
    """Placements by name: `fixed` stay where they are, `moved` go elsewhere and stay, `deleted` are left out.

    `shield` is put in place before the first ice or heat, `embolization` says what the plan's own is done with.
    """

    fixed: tuple[str, ...] = ()
    moved: tuple[MovedPath, ...] = ()
    deleted: tuple[str, ...] = ()
    shield: Shield | None = None
    embolization: Embolized | None = None

    @property
    def kept(self) -> frozenset[str]:
        """The names that a new search must not touch."""
        return frozenset(self.fixed) | {each.name for each in self.moved}

    @property
    def names(self) -> frozenset[str]:
        """Every name that is spoken of."""
        return self.kept | frozenset(self.deleted)
