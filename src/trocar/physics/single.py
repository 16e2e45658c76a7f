"""One lattice for all the tissue: small or insulated boxes, and the GPU."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from trocar.errors import SolverError
from trocar.physics.damage import Damage
from trocar.physics.dose import HeatDose
from trocar.physics.enthalpy import held_reduced, reduced_of
from trocar.physics.lattice import Lattice
from trocar.physics.lines import Line
from trocar.physics.medium import Array
from trocar.physics.patch import Moved, Patch
from trocar.physics.source import NO_PIECES, Needles, Pieces, pieces_of, touched_cells
from trocar.physics.spans import TOUCHED_K, Spans, reach
from trocar.physics.stage import fields_of
from trocar.physics.stepping import stages
from trocar.physics.threads import use_for

if TYPE_CHECKING:
    from trocar.physics.cuda import CudaLattice


@dataclass(slots=True, eq=False)
class Single:
    """A patch over the whole box, and which of its cells heat has reached."""

    patch: Patch
    device: Literal["cpu", "cuda"] = "cpu"
    active_cells: int = 0
    _spans: Spans = field(init=False)
    _pieces: Pieces = NO_PIECES
    _gpu: "CudaLattice | None" = None

    def __post_init__(self) -> None:
        if self.device == "cuda" and self.patch.dose is not None:
            raise SolverError("a dose of heat is not kept on a GPU", hint="leave device out")
        medium = self.patch.lattice.medium
        self._spans = Spans(medium.shape)
        self._spans.cover(inside(np.abs(self.temperature_degC - medium.rest_degC).reshape(medium.shape) > 0.01))

    @classmethod
    def of(
        cls, lattice: Lattice, enthalpy_J_per_m3: Array | None, damage: Damage | None, dose: HeatDose | None,
        device: Literal["cpu", "cuda"],
    ) -> Self:  # fmt: skip
        """Tissue at rest, or as it was saved."""
        medium = lattice.medium
        u = held_reduced(medium, lattice.curve, lattice.law)
        if enthalpy_J_per_m3 is not None:
            u = np.where(medium.held.reshape(-1), u, reduced_of(enthalpy_J_per_m3, medium))
        damage = Damage.fresh(u.size, medium.rest_degC) if damage is None else damage
        return cls(Patch.of(lattice, u, damage, dose), device)

    # --- what can be read, flat

    @property
    def temperature_degC(self) -> Array:
        self._fetch()
        return self.patch.t

    @property
    def reduced_K(self) -> Array:
        self._fetch()
        return self.patch.u

    @property
    def damage(self) -> Damage:
        self._fetch()
        return self.patch.damage

    @property
    def lowest_degC(self) -> float:
        return float(self.temperature_degC.min())

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.temperature_degC).all())

    def temperature_at(self, cells: Array) -> Array:
        """degC of some cells, by flat indices of any shape."""
        return self.temperature_degC[cells]

    def held_J(self) -> float:
        """The heat in the moving cells, from rest."""
        medium, law = self.patch.lattice.medium, self.patch.lattice.law
        u = self.reduced_K.reshape(medium.shape)
        heat = np.where(medium.held, 0, (u - (law.rest - law.liquidus)) * medium.unfrozen_J_per_m3K)
        return float(heat[1:-1, 1:-1, 1:-1].sum(dtype=np.float64)) * medium.cell_m3

    # --- what moves it

    def begin(self, lines: tuple[Line, ...]) -> None:
        """A phase with these needles at work."""
        self._pieces = pieces_of(lines, self.patch.lattice.medium)
        self._spans.cover(touched_cells(self._pieces, self.patch.lattice.shape))
        if self.device == "cuda":
            from trocar.physics.cuda import CudaLattice

            self._gpu = CudaLattice(self.patch.lattice)
            lattice = self.patch.lattice
            self._gpu.upload(fields_of(self.patch.u, lattice.curve, lattice.law), self.patch.damage)

    def end(self) -> None:
        """After a phase."""
        self._fetch()
        self._gpu = None

    def heat(self, heat_W_per_m3: Array | None) -> float:
        """Take in the other sources of the coming steps; their watts."""
        lattice, source = self.patch.lattice, self.patch.source
        self.patch.heated = heat_W_per_m3 is not None
        if heat_W_per_m3 is None:
            source[:] = 0
            return 0.0
        source[:] = np.where(inside(~lattice.medium.held), heat_W_per_m3, 0).reshape(-1)
        self._spans.cover(source.reshape(lattice.shape) != 0)
        return float(source.sum(dtype=np.float64)) * lattice.medium.cell_m3

    def step(self, step_s: float, coldest_degC: float, needles: Needles) -> Moved:
        """One super-step."""
        lattice = self.patch.lattice
        each = stages(step_s, lattice.explicit_s(coldest_degC))
        if self._gpu is not None:
            joules = self._gpu.super_step(self.patch.source, each, self._pieces, needles, step_s)
            self.active_cells = lattice.medium.held.size
            return Moved(joules, self._gpu.lowest_degC, len(each) * self.active_cells)
        rest = lattice.medium.rest_degC
        t = self.patch.t.reshape(lattice.shape)
        self._spans.grow(t, (rest - TOUCHED_K, rest + TOUCHED_K), reach=reach(len(each), lattice.medium.spacing_m))
        rows = self._spans.rows()
        self.active_cells = int(rows.length.sum())
        if not self.active_cells:
            return Moved(np.zeros(1 + needles.kind.size), rest, 0)
        use_for(self.active_cells)
        return self.patch.step(step_s, coldest_degC, rows, self._pieces, needles)

    def _fetch(self) -> None:
        if self._gpu is not None:
            self._gpu.download(self.patch.u, self.patch.t, self.patch.damage)


def inside(mask: Array) -> Array:
    """The mask without the lattice's rim, which is never updated."""
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1, 1:-1] = mask[1:-1, 1:-1, 1:-1]
    return inner
