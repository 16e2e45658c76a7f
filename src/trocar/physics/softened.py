"""An elastic body whose voxels and bond give way: what each has left of its modulus, and the energy that took."""

from dataclasses import dataclass

import numpy as np

from trocar.physics.elastic import ElasticSystem
from trocar.physics.elastic_rows import Array
from trocar.physics.interface import Interface
from trocar.physics.softening import Softening


@dataclass(frozen=True, slots=True, eq=False)
class Damage:
    """What a body can be taken back to."""

    kept: Array
    bond: Array | None
    present: Array
    lost_J: Array


class SoftenedBody:
    """A system with its laws. `first`: its moduli before anything gave way, over the largest of all.

    `present` (stored voxels,): shares of these that are left. `lost_J`: energy lost for good by the voxels of each
    label, the last entries being those of the kinds of bond. What opens at a bond strains nothing beside it: what
    softens by strain there is told which part of it is its own.
    """

    def __init__(
        self, system: ElasticSystem, softening: Softening, interface: Interface | None, *, first: Array
    ) -> None:
        self.system, self.softening, self.interface, self.first = system, softening, interface, first
        self._materials = len(softening.limits) + 1
        self.lost_J = np.zeros(self._materials + (0 if interface is None else interface.kinds))
        self.present = self._shares()

    def attempt(self, u_m: Array, multiple: float, *, known: float = 1.0) -> float:
        """The highest ratio to a limit, of strain or traction, under a multiple of a displacement."""
        opened = self._open(u_m, multiple)
        return max(opened, self.softening.attempt(u_m, multiple, known=known))

    def attempt_again(self, u_m: Array, multiple: float, rows: Array) -> None:
        """The same by a smaller multiple than before, which changes nothing but in `rows`: energies are theirs only."""
        self._open(u_m, multiple)
        self.softening.attempt(u_m, multiple, rows)

    def changing(self) -> Array:
        """Numbers of the voxels that the displacement last tried changes, and of those at the bond."""
        at = np.flatnonzero(self.softening.now < self.softening.kept)
        return at if self.interface is None else np.union1d(at, self.interface.at)

    def changes_J(self, voxels: Array) -> Array:
        """(voxels,) the elastic energy that the damage and the bond's closing change at once."""
        share = np.abs(self._shares()[voxels] - self.present[voxels])
        return np.asarray(share * self._energy_J(voxels))

    def elastic_J(self) -> float:
        """The energy under the displacement last tried, of all that can give way, with what is left."""
        return float((self.softening.energy * self.first * self.present).sum()) * self._unit_J

    def keep(self, haste: float) -> None:
        """Damage under the displacement last tried is for good, and its energy is counted."""
        soft, bond = self.softening, self.interface
        soft.hasten(haste)
        at = np.flatnonzero(soft.now < soft.kept)
        lost_J = self._energy_J(at) * (soft.kept[at] - soft.now[at])
        self.lost_J[: self._materials] += np.bincount(soft.label[at], lost_J, self._materials)
        soft.keep()
        if bond is not None:
            lost_J = self._energy_J(bond.at) * soft.kept[bond.at] * (bond.kept - bond.now)
            self.lost_J[self._materials :] += np.bincount(bond.kind, lost_J, bond.kinds)
            bond.keep()
        self.present = self._shares()

    def stiffen(self) -> None:
        """The solver gets the moduli that are left."""
        np.multiply(self.first, self.present, out=self.system.relative_modulus)
        self.system.restiffened()

    def failed(self, weak_frac: float) -> Array:
        """Voxels of each label that have less than a share of their modulus left, then those of each kind of bond."""
        soft, bond = self.softening, self.interface
        failed = np.bincount(soft.label[soft.kept < weak_frac], minlength=self._materials)
        if bond is None:
            return failed
        return np.concatenate([failed, np.bincount(bond.kind[bond.kept < weak_frac], minlength=bond.kinds)])

    def damage(self) -> Damage:
        """What there is, to go back to."""
        bond = None if self.interface is None else self.interface.kept
        return Damage(self.softening.kept.copy(), bond, self.present.copy(), self.lost_J.copy())

    def restore(self, damage: Damage) -> None:
        """Goes back to an earlier damage; the solver is not told."""
        self.softening.kept[:], self.present, self.lost_J = damage.kept, damage.present.copy(), damage.lost_J.copy()
        if self.interface is not None and damage.bond is not None:
            self.interface.kept = damage.bond

    def _open(self, u_m: Array, multiple: float) -> float:
        """Bonds under a multiple of a displacement: the highest ratio of a traction to its strength."""
        if self.interface is None:
            return 0.0
        worst = self.interface.attempt(u_m, multiple)
        self.softening.own[self.interface.at] = self.interface.shares()
        return worst

    def _shares(self) -> Array:
        shares = self.softening.now.copy()
        if self.interface is not None:
            shares[self.interface.at] *= self.interface.shares()
        return shares

    def _energy_J(self, voxels: Array) -> Array:
        """Elastic energies of voxels as if they had lost nothing."""
        return np.asarray(self.softening.energy[voxels] * self.first[voxels] * np.float64(self._unit_J))

    @property
    def _unit_J(self) -> float:
        return self.system.unit_N * self.system.spacing_m**2
