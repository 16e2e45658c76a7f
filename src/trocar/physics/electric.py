"""The electric field of radiofrequency ablation: quasi-static, div(sigma grad V) = 0, with electrodes as lines.

An electrode's current enters through the same Gaussian weights by which a needle exchanges heat, so that resistance
and heat do not depend on how it lies between the cells. Fields are solved at a unit potential and scaled to a power.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from trocar.errors import SolverError
from trocar.physics import threads
from trocar.physics.compiled import COMPILED
from trocar.physics.linear import LinearSystem, Solution
from trocar.physics.lines import Line, lengthened, line_pieces, sigma_m
from trocar.physics.medium import Array

Float32 = NDArray[np.float32]
FACES = ("x-", "x+", "y-", "y+", "z-", "z+")  # outer faces of the lattice: below and above along i, j, k
TOLERANCE = 1e-4  # of the residual: resistance is a minimum, its error the square of the field's
END_SIGMAS, END_RADII = 0.34, -0.17  # by which each end is lengthened: fitted to a slender cylinder's resistance
JOINED_RADII = 0.1  # ends of two lines this close are one point of the metal
REFERENCE_DEGC = 37.0
SLOPE_PER_K = 0.02
VAPOR_FACTOR = 0.01
ICE_FACTOR = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Electrode:
    """Straight lines at one potential: one for a needle, several for an array of tines, curved ones in chords.

    Where two of its lines share an end the metal goes on: there neither is lengthened as a free end is.
    """

    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        if not self.lines:
            raise SolverError("an electrode has no active line", hint="give its tip, tail and radius")
        for line in self.lines:
            if not (np.isfinite(line.tip_m).all() and np.isfinite(line.tail_m).all() and 0 < line.radius_m < np.inf):
                raise SolverError("an electrode's ends or radius make no sense", hint="finite meters, a radius above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundedFaces:
    """The current returns to outer faces of the lattice at 0 V (a dispersive pad far away); the others insulate."""

    faces: tuple[str, ...] = FACES


@dataclass(frozen=True, slots=True, kw_only=True)
class Bipolar:
    """The current returns to the second of two electrodes, none elsewhere.

    `far_faces` are at the potential 0 of tissue far away and carry no net current; without any the lattice insulates.
    """

    far_faces: tuple[str, ...] = FACES


class ElectricField:
    """The field of electrodes in tissue, [i, j, k]; kept, and brought up to date by `refresh`.

    Raises `SolverError` where the input makes no sense, an electrode lies outside, or there is no return path.
    """

    def __init__(
        self,
        conductivity_S_per_m: Array,
        spacing_m: float,
        electrodes: tuple[Electrode, ...],
        return_path: GroundedFaces | Bipolar,
        *,
        tolerance: float = TOLERANCE,
    ) -> None:
        shape = np.shape(conductivity_S_per_m)
        _check(shape, spacing_m, electrodes, return_path, tolerance)
        self.spacing_m, self.tolerance = spacing_m, tolerance
        found = [
            (piece, number)
            for number, electrode in enumerate(electrodes)
            for line, free in zip(electrode.lines, _free_ends(electrode.lines), strict=True)
            for piece in line_pieces(_with_ends(line, spacing_m, free), (shape[0], shape[1], shape[2]), spacing_m)
        ]
        self.pieces = [piece for piece, _ in found]
        self._electrode = np.array([number for _, number in found])
        self._bipolar = isinstance(return_path, Bipolar)
        self._grounded = return_path.far_faces if isinstance(return_path, Bipolar) else return_path.faces
        self._system = LinearSystem((shape[0], shape[1], shape[2]), self.pieces)
        self._solved: list[Solution | None] = [None] * (2 if self._bipolar and self._grounded else 1)
        self._trends: list[Float32 | None] = [None] * len(self._solved)  # how each changed when it was last refreshed
        self.refresh(conductivity_S_per_m)

    def refresh(self, conductivity_S_per_m: Array) -> None:
        """The field in tissue whose conductivity has changed, from the field before. Raises `SolverError`."""
        sigma = np.ascontiguousarray(conductivity_S_per_m, np.float32)
        if sigma.shape != self._system.shape:
            raise SolverError("the conductivity has another shape than before", hint="make a new field for it")
        if not sigma.min() > 0 or not sigma.max() < np.inf:
            raise SolverError(
                "a conductivity is not a positive number", hint="give an insulator a small one, such as 1e-6 S/m"
            )
        self._sigma, self._sink = sigma, _sink(sigma, self.spacing_m, self._grounded)
        flat = sigma.reshape(-1)
        self._strengths_S = np.array([float(p.weights @ flat[p.cells]) * p.strength_m for p in self.pieces])
        self._system.refresh(sigma, self._sink, self._strengths_S, spacing=self.spacing_m)
        units = self._units()
        for number, unit in enumerate(units):
            before = self._solved[number]
            start = None if before is None else before.potential
            found = self._system.solve(self._given(unit), start, trend=self._trends[number], tolerance=self.tolerance)
            self._trends[number] = None if start is None else found.potential - start
            self._solved[number] = found
        self._superpose(units)

    def _units(self) -> list[Array]:
        """(pieces,) potentials of each solve: all electrodes at 1 V, or each of two in turn, or +1 V and -1 V."""
        if not self._bipolar:
            return [np.ones(self._electrode.size)]
        if self._grounded:
            return [(self._electrode == number).astype(float) for number in range(2)]
        return [1.0 - 2.0 * self._electrode]

    def _given(self, unit: Array) -> Array:
        given = np.zeros(self._system.shape)
        for piece, current in zip(self.pieces, self._strengths_S * unit, strict=True):
            given.reshape(-1)[piece.cells] += current * piece.weights
        return given

    def _superpose(self, units: list[Array]) -> None:
        """Potential, heat and power. The power is a minimum at the solution: its error is of second order."""
        solved = [s for s in self._solved if s is not None]
        self.iterations = sum(s.iterations for s in solved)
        self._volts, self._unit = solved[0].potential, units[0]
        if len(units) == 2:
            share = self._balance(solved, units)
            self._volts = self._volts + np.float32(share) * solved[1].potential
            self._unit = units[0] + share * units[1]
        self._drop = self._unit - self._system.means(self._volts)
        self._span_V = float(self._unit.max() - (self._unit.min() if self._bipolar else 0.0))
        self._heat_W = self._dissipated()
        self._watts = float(self._heat_W.sum(dtype=np.float64))
        if not self._watts > 0:
            raise SolverError("no current flows", hint="the tissue around the electrodes hardly conducts")

    def _balance(self, solved: list[Solution], units: list[Array]) -> float:
        """The second electrode's potential at which no net current leaves a pair whose first is at 1 V."""
        net = [
            float(np.sum(self._strengths_S * (unit - self._system.means(s.potential))))
            for s, unit in zip(solved, units, strict=True)
        ]
        return -net[0] / net[1]

    def _dissipated(self) -> Float32:
        """[i, j, k] watts in each cell at the unit potential."""
        heat = np.empty(self._system.shape, np.float32)
        threads.use_for(heat.size)
        _heat(self._sigma, self._volts, self._sink, np.float32(self.spacing_m), heat)
        for piece, watts in zip(self.pieces, self._strengths_S * self._drop**2, strict=True):
            heat.reshape(-1)[piece.cells] += (watts * piece.weights).astype(np.float32)
        return heat

    @property
    def resistance_ohm(self) -> float:
        """Between the electrodes and the grounded faces, or between the two electrodes."""
        return self._span_V**2 / self._watts

    def voltage_V(self, power_W: float) -> float:
        """Root mean square, across the resistance. Raises `SolverError` for a negative power."""
        return float(np.sqrt(_power(power_W) * self.resistance_ohm))

    def currents_A(self, power_W: float) -> Array:
        """(electrodes,) root mean square current out of each, negative where it flows in."""
        each = np.bincount(self._electrode, self._strengths_S * self._drop)
        return np.asarray(each * np.sqrt(_power(power_W) / self._watts))

    def potential_V(self, power_W: float) -> Float32:
        """[i, j, k] root mean square potential against the grounded faces."""
        return np.asarray(self._volts * np.float32(np.sqrt(_power(power_W) / self._watts)), np.float32)

    def unresolved_W(self, power_W: float) -> Array:
        """(pieces,) heat between each piece's surface and the field that the lattice resolves."""
        return np.asarray(self._strengths_S * self._drop**2 * (_power(power_W) / self._watts))

    def joule_W_per_m3(self, power_W: float, *, taken_frac: Array | None = None) -> Float32:
        """[i, j, k] heat whose integral is the power.

        The heat of a face is shared as the resistances on its two sides are; that between an electrode's surface and
        the field the lattice resolves is deposited by the weights through which its current enters, less the share
        `taken_frac` (pieces,) of it that a cooled metal takes.
        """
        heat = self._heat_W * np.float32(_power(power_W) / (self._watts * self.spacing_m**3))
        if taken_frac is not None:
            for piece, watts in zip(self.pieces, taken_frac * self.unresolved_W(power_W), strict=True):
                heat.reshape(-1)[piece.cells] -= (watts / self.spacing_m**3 * piece.weights).astype(np.float32)
        return heat


def conductivity_S_per_m(
    base_S_per_m: Array,
    temperature_degC: Array,
    vapor_frac: Array | float = 0.0,
    ice_frac: Array | float = 0.0,
    *,
    slope_per_K: float = SLOPE_PER_K,
    vapor_factor: float = VAPOR_FACTOR,
    ice_factor: float = ICE_FACTOR,
) -> Float32:
    """[i, j, k] conductivity of tissue from that at 37 degC, its temperature, and its shares of vapor and ice.

    Defaults: +2 % per K (1.5 to 2 is published; held above 0.1 of the base, and at 100 degC beyond it) and x 0.01 in
    vapor, both of the MITA test case of an RF electrode; x 0.01 in ice, a prior (1 to 3 decades are told). Between,
    the logarithm is linear in the share. Raises `SolverError` for values that make no sense.
    """
    if not (slope_per_K >= 0 and 0 < vapor_factor <= 1 and 0 < ice_factor <= 1):
        raise SolverError("a slope or factor of the conductivity makes no sense", hint="at least 0, factors to 1")
    base, temperature = np.asarray(base_S_per_m, np.float32), np.asarray(temperature_degC, np.float32)
    if not (np.isfinite(base).all() and (base > 0).all() and np.isfinite(temperature).all()):
        raise SolverError("conductivity or temperature is not a number", hint="S/m above 0 and degC in every cell")
    for share in (vapor_frac, ice_frac):
        if not ((np.asarray(share) >= 0) & (np.asarray(share) <= 1)).all():
            raise SolverError("a share of vapor or ice is not of 0 to 1", hint="give fractions, not percent")
    warmed = np.maximum(1 + slope_per_K * (np.minimum(temperature, 100) - REFERENCE_DEGC), 0.1)
    lost = np.asarray(vapor_frac) * np.log(vapor_factor) + np.asarray(ice_frac) * np.log(ice_factor)
    return np.asarray(base * warmed * np.exp(lost), np.float32)


def _free_ends(lines: tuple[Line, ...]) -> list[tuple[bool, bool]]:
    """Of each line, whether its tip and its tail are the end of no other line."""
    ends = np.array([[line.tip_m, line.tail_m] for line in lines], float).reshape(-1, 3)
    same = np.linalg.norm(ends[:, None] - ends, axis=-1) < JOINED_RADII * min(line.radius_m for line in lines)
    alone = same.sum(axis=1) == 1
    return [(bool(tip), bool(tail)) for tip, tail in alone.reshape(-1, 2)]


def _with_ends(line: Line, spacing_m: float, free: tuple[bool, bool]) -> Line:
    """A line of finite length loses current where its weights smear its free ends: so much longer, it loses none."""
    beyond = END_SIGMAS * sigma_m(line, spacing_m) + END_RADII * line.radius_m
    return lengthened(line, *(beyond * end for end in free))


def _check(
    shape: tuple[int, ...],
    spacing_m: float,
    electrodes: tuple[Electrode, ...],
    path: GroundedFaces | Bipolar,
    tolerance: float,
) -> None:
    faces = path.far_faces if isinstance(path, Bipolar) else path.faces
    if len(shape) != 3 or not 0 < spacing_m < np.inf or not 0 < tolerance < 1:
        raise SolverError("lattice or tolerance make no sense", hint="[i, j, k], a spacing in m, a tolerance below 1")
    if set(faces) - set(FACES) or len(set(faces)) < len(faces):
        raise SolverError("an outer face has no such name", hint=f"name each once: {', '.join(FACES)}")
    if isinstance(path, Bipolar) and len(electrodes) != 2:
        raise SolverError("a bipolar field needs two electrodes", hint="give two, or grounded faces")
    if not electrodes or (not isinstance(path, Bipolar) and not faces):
        raise SolverError("the current has no path", hint="give an electrode, and grounded faces or a second one")


def _power(power_W: float) -> float:
    if not 0 <= power_W < np.inf:
        raise SolverError("the power is negative or not a number", hint="give watts of at least 0")
    return power_W


def _sink(sigma: Float32, spacing_m: float, faces: tuple[str, ...]) -> Float32:
    """Conductance in S from each cell to grounded faces, half a cell away."""
    sink = np.zeros_like(sigma)
    for face in faces:
        outer = [slice(None)] * 3
        outer["xyz".index(face[0])] = slice(0, 1) if face[1] == "-" else slice(-1, None)
        sink[tuple(outer)] += np.float32(2 * spacing_m) * sigma[tuple(outer)]
    return sink


@njit(parallel=True, **COMPILED)
def _heat(sigma, volts, sink, spacing, heat):  # type: ignore[no-untyped-def]
    """W per cell at unit potential: of the faces, as the two sides' resistances, and of the way to grounded faces."""
    nx, ny, nz = sigma.shape
    two = np.float32(2) * spacing
    for i in prange(nx):
        for j in range(ny):
            here, u, grounded, found = sigma[i, j], volts[i, j], sink[i, j], heat[i, j]
            for k in range(nz):
                found[k] = grounded[k] * u[k] * u[k]
            for side in range(4):  # the rows beside it; each inner loop becomes vectors
                a, b = i + (side == 0) - (side == 1), j + (side == 2) - (side == 3)
                if 0 <= a < nx and 0 <= b < ny:
                    there, v = sigma[a, b], volts[a, b]
                    for k in range(nz):
                        pulled = there[k] * (v[k] - u[k]) / (here[k] + there[k])  # the drop within this cell's half
                        found[k] += two * here[k] * pulled * pulled
            for k in range(nz - 1):
                through = (u[k + 1] - u[k]) / (here[k] + here[k + 1])
                found[k] += two * here[k] * (here[k + 1] * through) ** 2
            for k in range(1, nz):
                through = (u[k] - u[k - 1]) / (here[k] + here[k - 1])
                found[k] += two * here[k] * (here[k - 1] * through) ** 2
