"""Small strains of isotropic voxels: conjugate gradients preconditioned by multigrid.

The iterations run in single precision but for the displacement; the residual is taken anew in double precision after
every three digits, so that any tolerance down to 1e-12 is reached. theory/strength.md has the equations; decisions 0021
and 0035 the choices.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from trocar.errors import SolverError
from trocar.physics import threads
from trocar.physics.elastic_forces import weights
from trocar.physics.elastic_kernels import DEFECT, FORCE, PRODUCT
from trocar.physics.elastic_levels import NOTHING, ONE, Array, Hierarchy, Level
from trocar.physics.elastic_modes import SlowModes
from trocar.physics.elastic_rows import Rows
from trocar.physics.elastic_strain import node_strains
from trocar.physics.elastic_transfer import advance, combine, displace

MOST_ITERATIONS = 400
ONE_PASS = 1e-3  # how far single precision brings the residual down before it is taken anew
CLOSE = 0.98  # to what is asked: the residual that the iterations keep is not quite the true one
STRAYED = 1.1  # true residual over the one kept, beyond which the last direction is no longer conjugate
SAME_ORDER = 1e-3  # of two residuals, so that single precision counts one in units of the other
MULTIPLE = 32  # the lattice is padded to it, with void, so that it can be halved
POISSON = 0.3
NONE = np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """What acts on the nodes [i, j, k, component]: displacements of the held ones (m), forces on the others (N)."""

    displacement_m: Array | None = None
    force_N: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Deformation:
    """A solved load case: iterations, the true relative residual, and what can be read from it."""

    system: "ElasticSystem"
    u_m: Array  # (3 x stored nodes)
    iterations: int
    relative_residual: float

    def displacement_m(self) -> Array:
        """[i, j, k, component] of every node of the lattice, 0 in the void."""
        return self.system.dense(self.u_m)

    def force_N(self) -> Array:
        """[i, j, k, component] internal forces: the loads, and at held nodes the reactions of the supports."""
        return self.system.dense(self.system.forces(self.u_m))

    def strain(self) -> Array:
        """[i, j, k, 6] engineering strains xx yy zz xy xz yz at the voxels' centers, 0 in the void."""
        return node_strains(self.u_m, self.system.rows, self.system.shape, self.system.spacing_m)


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """What a few iterations added to a displacement (3 x stored nodes, float32 m), and its product with its forces.

    The product is that of `ElasticSystem.product`; what is left of the residual does no work on what was added.
    """

    u_m: Array
    iterations: int
    product: float


class ElasticSystem:
    """Voxels of modulus [i, j, k] (Pa, 0 is void), held where `held` [i, j, k, component] of their nodes says so.

    Kept for any number of load cases. `slow_modes`: how many displacements are solved apart, where stiff parts move on
    thin soft ones; found with the first load. Raises `SolverError` for a modulus that is negative or no number, and for
    a part that nothing holds.
    """

    def __init__(self, modulus_Pa: Array, held: Array, *, spacing_m: float, poisson: float = POISSON,
                 degree: int = 2, damped: float = 10.0, slow_modes: int = 0) -> None:  # fmt: skip
        self.shape, self.spacing_m, self.poisson = modulus_Pa.shape, float(spacing_m), poisson
        _refuse(modulus_Pa, held)
        self._unit_Pa = float(modulus_Pa.max())
        self.rows = Rows.around(modulus_Pa > 0, MULTIPLE)
        relative = self.rows.gathered(modulus_Pa, of_nodes=False).astype(np.float32) / np.float32(self._unit_Pa)
        finest = Level.of(self.rows, relative, finest=True)
        self.held = self.flat(held)
        self._w = weights(poisson)
        self.hierarchy = Hierarchy(finest, self.held, poisson=poisson, degree=degree, damped=damped)
        self._direction = np.zeros_like(finest.given)
        self._mode_count = slow_modes if len(self.hierarchy.levels) > 1 else 0
        self._modes: SlowModes | None = None
        self._seen = 1.0  # norm of a residual: the next one is counted in it

    def solve(self, loads: Sequence[Load], *, tolerance: float = 1e-6) -> tuple[Deformation, ...]:
        """One deformation for each load case, to a residual relative to what the loads put in."""
        return tuple(self.solve_one(load, tolerance=tolerance) for load in loads)

    def solve_one(self, load: Load, *, tolerance: float = 1e-6, start: Array | None = None) -> Deformation:
        """The deformation under one load case, from a start (3 x stored nodes, m) where one is given."""
        u = np.zeros(3 * self.rows.node_count) if start is None else start.copy()
        if load.displacement_m is not None:
            np.copyto(u, self.flat(load.displacement_m), where=self.held)
        elif start is not None:
            u[self.held] = 0
        given = NONE if load.force_N is None else self.flat(load.force_N).astype(np.float64) / self.unit_N
        size = self.residual(u if start is None else np.where(self.held, u, 0.0), given)
        if size == 0:
            return Deformation(self, u, 0, 0.0)
        count, norm = self.approach(u, given, tolerance * size)
        return Deformation(self, u, count, norm / size)

    def approach(self, u_m: Array, given: Array, below: float) -> tuple[int, float]:
        """Improves u (3 x stored nodes) in place until its residual is at most `below`: iterations, and the residual.

        `given` and the residual are forces in units of `unit_N`. Raises `SolverError` where that takes too long.
        """
        norm, count, before = self.residual(u_m, given), 0, 0.0
        while norm > below:
            if count >= MOST_ITERATIONS or not np.isfinite(norm):
                raise SolverError(
                    f"the deformation did not converge: {norm / below:.1e} of the asked residual after {count} steps",
                    hint="look for parts that hang by an edge, or for a contrast of moduli above 1e6",
                )
            self._defect(u_m, given, 1 / norm)
            if self._modes is None and self._mode_count:
                self._modes = SlowModes(self.hierarchy, self._mode_count)
                self.hierarchy.correction = self._modes.correct
            least, most = max(CLOSE * below / norm, ONE_PASS), MOST_ITERATIONS - count
            steps, before, left, _ = self._descend(u_m, norm, 1.0, least, most, before)
            was, norm = norm, self.residual(u_m, given)
            count, before = count + steps, before * was / norm
            if norm > STRAYED * left * was:
                before = 0.0
        return count, norm

    def improve(self, u_m: Array, given: Array, share: float, enough: float) -> Correction:
        """Improves u in place until its residual is `share` of what it was, or `enough`, as the iterations tell it.

        It is not taken anew at the end, so a share is to be well above single precision.
        """
        moved, unit, energy, count = np.zeros(u_m.size, np.float32), self._seen, 0.0, 0
        norm = self._defect(u_m, given, 1 / unit)
        if norm == 0:
            return Correction(moved, 0, 0.0)
        if not SAME_ORDER < norm / unit < 1 / SAME_ORDER:
            unit = self._defect(u_m, given, 1 / norm)
        self._seen, left, least = norm, norm / unit, max(share * norm, enough) / unit
        while left > least and count < MOST_ITERATIONS:
            steps, _, left, gained = self._descend(moved, unit, left, least, MOST_ITERATIONS - count, 0.0)
            count, energy = count + steps, energy + unit**2 * gained
        self.displace(u_m, moved, 1.0)
        return Correction(moved, count, energy)

    def displace(self, u_m: Array, moved: Array, factor: float) -> None:
        """Adds a multiple of a displacement (3 x stored nodes, float32 m) to another in place."""
        self.hierarchy.levels[0].run(displace, u_m, moved, factor)

    def residual(self, u_m: Array, given: Array) -> float:
        """The norm of what the free nodes lack of balance, in units of `unit_N`."""
        return self._defect(u_m, given, 1.0)

    @property
    def unit_N(self) -> float:
        """The force that the solver counts in: the largest modulus times the square of an edge, per edge."""
        return self._unit_Pa * self.spacing_m

    @property
    def relative_modulus(self) -> Array:
        """(stored voxels,) float32 moduli over the largest one; written to, they count after `restiffened`."""
        return self.hierarchy.levels[0].modulus

    def restiffened(self) -> None:
        """Lets the solver know that `relative_modulus` has changed."""
        self.hierarchy.renew()

    def mixed(self, load: Load, earlier: Sequence[Array]) -> Array:
        """The combination of earlier displacements [i, j, k, component] with the least energy under this load: a start.

        Held nodes are at 0 in it. Each costs one product; they may come from other moduli or other lattices' rows.
        """
        given = self.flat(load.force_N) if load.force_N is not None else np.zeros(3 * self.rows.node_count)
        basis = []
        for dense in earlier:
            u = self.flat(dense.astype(np.float64))
            u[self.hierarchy.levels[0].free == 0] = 0
            basis.append(u)
        pushed = [self.forces(u) for u in basis]
        matrix = np.array([[float(np.dot(u, f)) for f in pushed] for u in basis])
        scale = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
        share = np.linalg.lstsq(
            matrix / np.outer(scale, scale), np.array([float(np.dot(u, given)) for u in basis]) / scale, rcond=1e-6
        )[0]
        return np.asarray(sum(c * u for c, u in zip(share / scale, basis, strict=True)))

    def forces(self, u_m: Array) -> Array:
        """(3 x stored nodes) N: the product of the stiffness with a displacement, held nodes included."""
        finest = self.hierarchy.levels[0]
        finest.apply(u_m, NONE, finest.left, FORCE, ONE.astype(float), self._w)
        forces = finest.left.astype(float)
        forces *= self.unit_N
        return forces

    def product(self, u_m: Array) -> float:
        """The product of a displacement (float32) with its forces, held nodes included, in `unit_N` times m."""
        finest = self.hierarchy.levels[0]
        return finest.apply(u_m, NOTHING, finest.left, FORCE, ONE, self.hierarchy.w)

    def dense(self, flat: Array) -> Array:
        """[i, j, k, component] of a vector on the stored nodes."""
        nodes = tuple(n + 1 for n in self.shape)
        dense = np.zeros((*nodes, 3), flat.dtype)
        for c, part in enumerate(flat.reshape(3, -1)):
            dense[..., c] = self.rows.scattered(part, nodes, of_nodes=True)
        return dense

    def flat(self, dense: Array) -> Array:
        """(3 x stored nodes) of an array [i, j, k, component]."""
        flat = np.empty((3, self.rows.node_count), dense.dtype)
        for c, part in enumerate(flat):
            part[:] = self.rows.gathered(dense[..., c], of_nodes=True)
        return flat.reshape(-1)

    def _defect(self, u: Array, given: Array, scale: float) -> float:
        """The residual in double precision, times `scale` as the finest level's right-hand side; its norm unscaled."""
        finest = self.hierarchy.levels[0]
        square = finest.apply(u, given, finest.given, DEFECT, np.array([scale]), self._w)
        return float(np.sqrt(square)) / scale

    def _descend(
        self, u: Array, unit: float, left: float, least: float, most: int, before: float
    ) -> tuple[int, float, float, float]:
        """Conjugate gradients until a residual of `left` units is at most `least`.

        Their number, the last product, what is left, and the product of what they add with the residual. They go on
        from the direction of the last ones, whose last product was `before`, unless it was 0.
        """
        finest, direction, squares = self.hierarchy.levels[0], self._direction, np.zeros(threads.PARTS)
        count, gained = 0, 0.0
        while left > least and count < most:
            now = self.hierarchy.cycle()
            if now <= 0:  # an eigenvalue beyond what the smoothers are for
                self.hierarchy.widen()
                return count + 1, 0.0, left, gained
            finest.run(combine, direction, finest.found, np.float32(now / before if before else 0.0))
            length = now / finest.apply(direction, NOTHING, finest.left, PRODUCT, ONE, self.hierarchy.w)
            finest.run(advance, u, finest.given, direction, finest.left, np.float32(length), length * unit, squares)
            left = float(np.sqrt(squares.sum()))
            before, count, gained = now, count + 1, gained + length * now
        return count, before, left, gained


def _refuse(modulus_Pa: Array, held: Array) -> None:
    if modulus_Pa.ndim != 3 or held.shape != (*(n + 1 for n in modulus_Pa.shape), 3):
        raise SolverError("the supports do not fit the voxels", hint="held is [i + 1, j + 1, k + 1, 3]")
    if not np.isfinite(modulus_Pa).all() or modulus_Pa.min() < 0:
        raise SolverError("a modulus is negative or not a number", hint="give Pa of at least 0 in every voxel")
    if not modulus_Pa.any():
        raise SolverError("nothing is stiff in this lattice", hint="check the bone mask")
    label, count = ndimage.label(modulus_Pa > 0)
    node_held: Array = np.asarray(held.any(axis=3))
    supported = np.zeros(count + 1, bool)
    nx, ny, nz = modulus_Pa.shape
    for a in (0, 1):
        for b in (0, 1):
            for c in (0, 1):
                supported[label[node_held[a : nx + a, b : ny + b, c : nz + c]]] = True
    loose = int(count - supported[1:].sum())
    if loose:
        raise SolverError(
            f"{loose} part(s) of the body are held by nothing", hint="keep the part that the supports hold"
        )
