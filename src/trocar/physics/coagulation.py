"""The heat dose of a simulation step by step, and the vessels that coagulation closes on the way."""

from dataclasses import dataclass, field

import numpy as np

from trocar.errors import SolverError
from trocar.physics.dose import HeatDose
from trocar.physics.heat import HeatSolver
from trocar.physics.medium import Array
from trocar.physics.spans import Rows, shares
from trocar.physics.threads import PARTS


@dataclass(slots=True, eq=False)
class Coagulation:
    """Give it to `HeatSolver.advance` as `on_step`: it keeps `dose` and closes vessels where Omega has reached 1.

    Works on every cell of one lattice: the solver must be made with `nested=False`, on the CPU.
    """

    solver: HeatSolver
    dose: HeatDose = field(init=False)
    _rows: Rows = field(init=False, repr=False)
    _before_degC: Array = field(init=False, repr=False)
    _since_s: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.solver.nested or self.solver.device != "cpu":
            raise SolverError(
                "coagulation needs a solver of one lattice on the CPU", hint="make the solver with nested=False"
            )
        nx, ny, nz = self.solver.medium.shape
        self.dose = HeatDose.fresh(nx * ny * nz, self.solver.medium.rest_degC)
        length = np.full(nx * ny, nz, np.int64)
        self._rows = Rows(np.arange(0, nx * ny * nz, nz, dtype=np.uint64), length, shares(length, PARTS))
        self._before_degC = self.solver.temperature_degC.reshape(-1).copy()
        self._since_s = self.solver.time_s

    def __call__(self, solver: HeatSolver) -> None:
        """Take in the step that the solver has just made."""
        now = solver.temperature_degC.reshape(-1).copy()
        self.dose.record(self._before_degC, now, solver.time_s - self._since_s, self._rows)
        self._before_degC, self._since_s = now, solver.time_s
        open_frac = solver.damage.open_frac
        np.minimum(open_frac, self.dose.open_frac, out=open_frac)
