"""A bond between two materials that parts under tension and slips under shear, and bears again when pressed shut."""

from dataclasses import dataclass

import numpy as np

from trocar.physics.elastic_rows import Array, Rows

OPENED_FRAC = 1e-3  # of the modulus that is left where the bond has parted
SMALLEST_REACH = 1.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """Strengths (Pa) of a bond alone, Coulomb's friction once it has gone, and the opening after which it has."""

    tension_Pa: float
    shear_Pa: float
    friction_frac: float
    parting_m: float


class Interface:
    """The voxels at a bond: their shares of modulus, `kept` for good and `now`, by the traction on their normals.

    `voxels` (n, 3) indices, `normals` (n, 3) units along the lattice's axes, `modulus_Pa` (n,) at first.
    """

    def __init__(self, rows: Rows, voxels: Array, normals: Array, modulus_Pa: Array, bond: Bond, *, spacing_m: float,
                 poisson: float) -> None:  # fmt: skip
        width = rows.shape[1] + 1
        i, j, k = voxels.T
        self.at = rows.cells[i * rows.shape[1] + j, 2] + k
        corners = [rows.nodes[(i + (n >> 2)) * width + j + (n >> 1 & 1), 2] + k + (n & 1) for n in range(8)]
        size = rows.node_count
        self._numbers = np.stack([np.stack(corners, axis=1) + c * size for c in range(3)], axis=1)  # (n, 3, 8)
        sign = np.array([[1.0 if bit else -1.0 for bit in (n >> 2, n >> 1 & 1, n & 1)] for n in range(8)])
        self._slopes = sign / (4 * spacing_m)
        self._normals, self._modulus_Pa, self._bond, self._poisson = normals, modulus_Pa, bond, poisson
        shear_modulus = modulus_Pa / (2 * (1 + poisson))
        self._reach = np.maximum(bond.parting_m * modulus_Pa / (bond.tension_Pa * spacing_m), SMALLEST_REACH)
        self._slip = np.maximum(bond.parting_m * shear_modulus / (bond.shear_Pa * spacing_m), SMALLEST_REACH)
        self.kept, self.now, self.shut = np.ones(len(voxels)), np.ones(len(voxels)), np.ones(len(voxels))

    def attempt(self, u_m: Array, multiple: float = 1.0) -> float:
        """`now` and `shut` under a multiple of a displacement; the highest ratio of the traction to the strength."""
        normal, shear = (multiple * part for part in self._traction(u_m))
        bond = self._bond
        pressed = np.maximum(-normal, 0.0)
        pull = np.maximum(normal, 0.0) / bond.tension_Pa
        slide = np.maximum(shear - bond.friction_frac * pressed, 0.0) / bond.shear_Pa
        ratio = np.hypot(pull, slide)
        safe = np.maximum(ratio, 1.0)
        part = np.clip((slide / safe) ** 2 / np.maximum((pull**2 + slide**2) / safe**2, 1e-30), 0.0, 1.0)
        reach = (1 - part) * self._reach + part * self._slip
        left = np.maximum((reach - safe) / (reach - 1) / safe, OPENED_FRAC)
        self.now = np.minimum(self.kept, left)
        self.shut = np.minimum(1.0, bond.friction_frac * pressed / np.maximum(shear, 1e-30))
        return float(ratio.max(initial=0.0))

    def shares(self) -> Array:
        """(n,) of the modulus: what the bond has left, and where it is pressed shut as much as does not slide."""
        return self.now + (1 - self.now) * self.shut

    def keep(self) -> None:
        """What has parted under the displacement last tried has parted for good."""
        self.kept = self.now

    def _traction(self, u_m: Array) -> tuple[Array, Array]:
        """(n,) Pa across the bond, positive in tension, and along it, as if it had lost nothing."""
        slope = u_m[self._numbers] @ self._slopes
        strain = 0.5 * (slope + slope.transpose(0, 2, 1))
        lame = self._poisson / ((1 + self._poisson) * (1 - 2 * self._poisson))
        pull = np.einsum("nab,nb->na", strain, self._normals) / (1 + self._poisson)
        pull += lame * np.trace(strain, axis1=1, axis2=2)[:, None] * self._normals
        pull *= self._modulus_Pa[:, None]
        normal = (pull * self._normals).sum(axis=1)
        return normal, np.linalg.norm(pull - normal[:, None] * self._normals, axis=1)
