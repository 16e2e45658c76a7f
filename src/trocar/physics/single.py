"""One lattice for all the tissue: small or insulated boxes, and the GPU."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from trocar.errors import SolverError
from trocar.physics.arrays import FREE, HELD, Tissue
from trocar.physics.damage import Damage
from trocar.physics.dose import HeatDose
from trocar.physics.enthalpy import law_of
from trocar.physics.lattice import Lattice
from trocar.physics.lines import Line
from trocar.physics.medium import Array, Medium
from trocar.physics.patch import Moved, Patch, kept
from trocar.physics.source import NO_PIECES, Needles, Pieces, touched_cells
from trocar.physics.spans import TOUCHED_K, Spans, reach
from trocar.physics.stage import fields_of
from trocar.physics.stepping import stages
from trocar.physics.threads import together, use_for
from trocar.physics.whole import Whole

if TYPE_CHECKING:
    from trocar.physics.cuda import CudaLattice


@dataclass(slots=True, eq=False)
class Single:
    """A patch over the whole box, and which of its cells heat has reached."""

    patch: Patch
    device: Literal["cpu", "cuda"] = "cpu"
    active_cells: int = 0
    _spans: Spans = field(init=False)
    _followed: Spans | None = None  # the patch's, since the needles were last changed
    _pieces: Pieces = NO_PIECES
    _ground: Lattice | None = None  # of the GPU
    _gpu: "CudaLattice | None" = None

    def __post_init__(self) -> None:
        whole = self.patch.whole
        if self.device == "cuda" and whole.dose is not None:
            raise SolverError("a dose of heat is not kept on a GPU", hint="leave device out")
        shape = whole.tissue.shape
        self._spans = Spans(shape)
        self._spans.cover(inside(np.abs(self.temperature_degC - whole.medium.rest_degC).reshape(shape) > 0.01))

    @classmethod
    def of(
        cls, medium: Medium, tissue: Tissue, enthalpy_J_per_m3: Array | None, damage: Damage | None,
        dose: HeatDose | None, device: Literal["cpu", "cuda"],
    ) -> Self:  # fmt: skip
        """Tissue at rest, or as it was saved."""
        return cls(Patch.of(Whole.of(medium, tissue, law_of(medium), enthalpy_J_per_m3, damage, dose)), device)

    # --- what can be read, flat

    @property
    def temperature_degC(self) -> Array:
        self._fetch()
        return self.patch.whole.state()[1]

    @property
    def reduced_K(self) -> Array:
        self._fetch()
        return self.patch.whole.state()[0]

    @property
    def damage(self) -> Damage:
        self._fetch()
        return self.patch.whole.harm()

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
        whole = self.patch.whole
        u = self.reduced_K.reshape(whole.tissue.shape)
        rest = whole.law.rest - whole.law.liquidus
        heat = np.where(whole.tissue.held != FREE, 0, (u - rest) * whole.tissue.warm_J)
        return float(heat[1:-1, 1:-1, 1:-1].sum(dtype=np.float64)) * whole.medium.cell_m3

    # --- what moves it

    def begin(self, lines: tuple[Line, ...]) -> None:
        """A phase with these needles at work."""
        whole = self.patch.whole
        self._pieces, self._followed = whole.pieces_of(lines), None
        self._spans.cover(touched_cells(self._pieces, whole.tissue.shape))
        if self.device == "cuda":
            from trocar.physics.cuda import CudaLattice

            if self._ground is None:
                self._ground = Lattice.of(walled(whole.medium))
            gpu = CudaLattice(self._ground)
            gpu.upload(fields_of(self.reduced_K, self._ground.curve, whole.law), whole.harm())
            self._gpu = gpu

    def end(self) -> None:
        """After a phase."""
        self._fetch()
        self._gpu = None

    def heat(self, heat_W_per_m3: Array | None) -> float:
        """Take in the other sources of the coming steps; their watts."""
        whole = self.patch.whole
        if heat_W_per_m3 is None:
            self.patch.heat_W_per_m3 = None
            return 0.0
        heat = np.where(inside(whole.tissue.held == FREE), heat_W_per_m3, 0).astype(np.float32)
        self.patch.heat_W_per_m3 = heat.reshape(-1)
        self._spans.cover(heat != 0)
        return float(heat.sum(dtype=np.float64)) * whole.medium.cell_m3

    def step(self, step_s: float, coldest_degC: float, needles: Needles) -> Moved:
        """One super-step."""
        whole = self.patch.whole
        if self._gpu is not None and self._ground is not None:
            each, heat = stages(step_s, self._ground.explicit_s(coldest_degC)), self.patch.heat_W_per_m3
            source = np.zeros(whole.tissue.held.size, np.float32) if heat is None else heat
            joules = self._gpu.super_step(source, each, self._pieces, needles, step_s)
            self.active_cells = whole.tissue.held.size
            return Moved(joules, self._gpu.lowest_degC, len(each) * self.active_cells)
        if not self._spans.high.any():
            self.active_cells = 0
            return Moved(np.zeros(1 + needles.kind.size), whole.medium.rest_degC, 0)
        self._grow(step_s, coldest_degC)
        led = self.patch.step(step_s, coldest_degC, needles)
        together(kept, led.recording, led.unloading)
        return self.patch.moved(led)

    def _grow(self, step_s: float, coldest_degC: float) -> None:
        """Let the spans reach as far as heat goes in a step of as many stages as they then need."""
        rest, whole, far = self.patch.whole.medium.rest_degC, self.patch.whole, 0
        t = whole.state()[1].reshape(whole.tissue.shape)
        while True:
            self._follow()
            count = len(stages(step_s, self.patch.explicit_s(coldest_degC)))
            wanted = reach(count, whole.medium.spacing_m)
            if wanted <= far:
                return
            far = wanted
            self._spans.grow(t, (rest - TOUCHED_K, rest + TOUCHED_K), reach=far)

    def _follow(self) -> None:
        """Let the patch's rows follow the spans."""
        if self._followed is None or not self._followed.same_as(self._spans):
            rows = self._spans.rows()
            self.active_cells = int(rows.length.sum())
            use_for(self.active_cells)
            self.patch.follow(rows, self._pieces)
            self._followed = self._spans.copy()

    def _fetch(self) -> None:
        if self._gpu is not None:
            self._gpu.download(*self.patch.whole.state(), self.patch.whole.harm())


def walled(medium: Medium) -> Medium:
    """The medium with its outermost updated layer held at rest along every axis that is not insulated."""
    held = Tissue.of(medium).held
    return replace(
        medium, held=held != FREE, held_degC=np.where(held == HELD, medium.held_degC, np.float32(medium.rest_degC))
    )


def inside(mask: Array) -> Array:
    """The mask without the lattice's rim, which is never updated."""
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1, 1:-1] = mask[1:-1, 1:-1, 1:-1]
    return inner
