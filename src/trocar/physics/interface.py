"""Bonds between two materials that part under tension and slip under shear, and bear again when pressed shut."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trocar.physics.elastic_rows import Array, Rows

OPENED_FRAC = 1e-3  # of the modulus that is left where a bond has parted
SMALLEST_REACH = 1.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bonded:
    """The voxels (n, 3) at one kind of bond, with their strengths (n,).

    `normals` across the bond and `along` (n, 3) are units along the lattice's axes; `along` is the direction to which
    shear is confined, (0, 0, 0) where every one counts. After its strength a bond loses its stiffness over an opening
    or a slip of `parting_m`; `friction_frac` is Coulomb's.
    """

    voxels: Array
    normals: Array
    along: Array
    tension_Pa: Array
    shear_Pa: Array
    friction_frac: float
    parting_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """Strengths (Pa) of a bond that is the same everywhere, in every direction along it."""

    tension_Pa: float
    shear_Pa: float
    friction_frac: float
    parting_m: float

    def between(self, voxels: Array, normals: Array) -> Bonded:
        """The bond at these voxels, with normals across it."""
        whole = np.ones(len(voxels))
        return Bonded(
            voxels=voxels, normals=normals, along=np.zeros((len(voxels), 3)), tension_Pa=self.tension_Pa * whole,
            shear_Pa=self.shear_Pa * whole, friction_frac=self.friction_frac, parting_m=self.parting_m,
        )  # fmt: skip


class Interface:
    """The voxels at bonds: their shares of modulus, `kept` for good and `now`, by the traction on their normals.

    `kind` (n,) is the number of each voxel's bond among those given; no voxel may be given twice. `at` (n,) are their
    numbers as they are stored.
    """

    def __init__(self, rows: Rows, bonds: Sequence[Bonded], modulus_Pa: Array, *, spacing_m: float,
                 poisson: float) -> None:  # fmt: skip
        """`modulus_Pa` [i, j, k] is that of every voxel at first."""
        voxels, self._normals, self._along, self._tension_Pa, self._shear_Pa = (
            np.concatenate([getattr(part, name) for part in bonds])
            for name in ("voxels", "normals", "along", "tension_Pa", "shear_Pa")
        )
        self.kinds = len(bonds)
        self.kind = np.repeat(np.arange(self.kinds), [len(part.voxels) for part in bonds])
        self._friction = np.array([part.friction_frac for part in bonds])[self.kind]
        parting_m = np.array([part.parting_m for part in bonds])[self.kind]
        width, (i, j, k) = rows.shape[1] + 1, voxels.T
        self.at = rows.cells[i * rows.shape[1] + j, 2] + k
        corners = [rows.nodes[(i + (n >> 2)) * width + j + (n >> 1 & 1), 2] + k + (n & 1) for n in range(8)]
        size = rows.node_count
        self._numbers = np.stack([np.stack(corners, axis=1) + c * size for c in range(3)], axis=1)  # (n, 3, 8)
        sign = np.array([[1.0 if bit else -1.0 for bit in (n >> 2, n >> 1 & 1, n & 1)] for n in range(8)])
        self._slopes = sign / (4 * spacing_m)
        self._modulus_Pa, self._poisson = modulus_Pa[i, j, k], poisson
        shear_modulus = self._modulus_Pa / (2 * (1 + poisson))
        self._reach = np.maximum(parting_m * self._modulus_Pa / (self._tension_Pa * spacing_m), SMALLEST_REACH)
        self._slip = np.maximum(parting_m * shear_modulus / (self._shear_Pa * spacing_m), SMALLEST_REACH)
        self.kept, self.now, self.shut = np.ones(len(voxels)), np.ones(len(voxels)), np.ones(len(voxels))

    def attempt(self, u_m: Array, multiple: float = 1.0) -> float:
        """`now` and `shut` under a multiple of a displacement; the highest ratio of the traction to the strength."""
        normal, shear = (multiple * part for part in self._traction(u_m))
        pressed = np.maximum(-normal, 0.0)
        pull = np.maximum(normal, 0.0) / self._tension_Pa
        slide = np.maximum(shear - self._friction * pressed, 0.0) / self._shear_Pa
        ratio = np.hypot(pull, slide)
        safe = np.maximum(ratio, 1.0)
        part = np.clip((slide / safe) ** 2 / np.maximum((pull**2 + slide**2) / safe**2, 1e-30), 0.0, 1.0)
        reach = (1 - part) * self._reach + part * self._slip
        left = np.maximum((reach - safe) / (reach - 1) / safe, OPENED_FRAC)
        self.now = np.minimum(self.kept, left)
        self.shut = np.minimum(1.0, self._friction * pressed / np.maximum(shear, 1e-30))
        return float(ratio.max(initial=0.0))

    def shares(self) -> Array:
        """(n,) of the modulus: what the bond has left, and where it is pressed shut as much as does not slide."""
        return self.now + (1 - self.now) * self.shut

    def keep(self) -> None:
        """What has parted under the displacement last tried has parted for good."""
        self.kept = self.now

    def _traction(self, u_m: Array) -> tuple[Array, Array]:
        """(n,) Pa across the bond, positive in tension, and along it, as if it had lost nothing.

        Shear that is confined to a direction is the whole of it on planes that hold that direction.
        """
        slope = u_m[self._numbers] @ self._slopes
        strain = 0.5 * (slope + slope.transpose(0, 2, 1))
        lame = self._poisson / ((1 + self._poisson) * (1 - 2 * self._poisson))
        stress = strain / (1 + self._poisson)
        stress += (lame * np.trace(strain, axis1=1, axis2=2))[:, None, None] * np.eye(3)
        stress *= self._modulus_Pa[:, None, None]
        normal, every = _split(stress, self._normals)
        return normal, np.where(self._along.any(axis=1), _split(stress, self._along)[1], every)


def _split(stress: Array, units: Array) -> tuple[Array, Array]:
    """(n,) parts along some units of what stress does to planes across them, and the size of the rest."""
    pull = np.einsum("nab,nb->na", stress, units)
    normal = (pull * units).sum(axis=1)
    return normal, np.linalg.norm(pull - normal[:, None] * units, axis=1)
