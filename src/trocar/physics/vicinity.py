"""A part of a body around some of its voxels, as a body of its own that hangs on the rest: decision 0038."""

import numpy as np
from scipy import ndimage

from trocar.physics.elastic import ElasticSystem
from trocar.physics.elastic_rows import Array, Rows
from trocar.physics.softened import SoftenedBody

BLOCK = 4  # voxels along an edge of what parts are made of: those around the blocks that hold a voxel belong to it


class Vicinity:
    """The blocks around voxels (stored numbers) of a body. Nodes that the rest of the body touches are held.

    `scale`: the whole's unit of force over the one here. `voxels`, `nodes`: for what is stored here, (stored voxels,)
    and (3 x stored nodes), their numbers in the whole's vectors, -1 for none. The bond inside counts as it is and does
    not change.
    """

    def __init__(self, whole: SoftenedBody, voxels: Array) -> None:
        system = whole.system
        rows, modulus = system.rows, system.relative_modulus
        near, low = _blocks(rows, voxels)
        high = low + near.shape
        numbers = rows.numbers(low - 1, high + 1, of_nodes=False)
        stiff = (numbers >= 0) & (modulus[numbers] > 0)
        inner = (slice(1, -1),) * 3
        beyond = stiff.copy()
        beyond[inner] &= ~near
        near &= stiff[inner]
        nodes = rows.numbers(low, high + 1, of_nodes=True)
        held = np.stack([_touched(beyond) | (nodes >= 0) & part[nodes] for part in system.held.reshape(3, -1)], axis=-1)
        moduli_Pa = np.where(near, modulus[numbers[inner]] * (system.unit_N / system.spacing_m), 0.0)
        part = ElasticSystem(moduli_Pa, held, spacing_m=system.spacing_m, poisson=system.poisson)
        self.voxels = part.rows.gathered(np.where(near, numbers[inner], -1) + 1, of_nodes=False) - 1
        self._inside = np.zeros(rows.cell_count, bool)
        self._inside[self.voxels[self.voxels >= 0]] = True
        at, size = part.rows.gathered(nodes + 1, of_nodes=True) - 1, rows.node_count
        self.nodes = np.concatenate([np.where(at >= 0, at + c * size, -1) for c in range(3)])
        self.scale = system.unit_N / part.unit_N
        softening = whole.softening.part(part.rows, self.voxels)
        self.body = SoftenedBody(part, softening, None, first=self._first(whole))

    def follow(self, whole: SoftenedBody) -> None:
        """Takes over what the whole body has left here."""
        self.body.softening.kept[:] = np.where(self.voxels >= 0, whole.softening.kept[self.voxels], 1)
        self.body.softening.own[:] = np.where(self.voxels >= 0, whole.softening.own[self.voxels], 1)
        self.body.first = self._first(whole)
        self.body.present = self.body.softening.kept.copy()

    def stiffen_as(self, whole: SoftenedBody, present: Array) -> None:
        """Gives the solver here the moduli of other shares (stored voxels of the whole): products, but no cycles."""
        moduli = np.where(
            self.voxels >= 0, (whole.first[self.voxels] * present[self.voxels]) * np.float32(self.scale), 0
        )
        self.body.system.relative_modulus[:] = moduli

    def report(self, whole: SoftenedBody) -> None:
        """Tells the whole body what is left here and what was lost since it was last told."""
        here = self.voxels >= 0
        at, kept = self.voxels[here], self.body.softening.kept[here]
        whole.present[at] *= kept / whole.softening.kept[at]
        whole.softening.kept[at] = kept
        whole.lost_J[: self.body.lost_J.size] += self.body.lost_J  # those of bonds come after them
        self.body.lost_J[:] = 0

    def holds(self, voxels: Array) -> Array:
        """(voxels,) which of the whole's voxels are here."""
        return np.asarray(self._inside[voxels])

    def forces(self, given: Array) -> Array:
        """Forces on the whole's nodes, as forces on those here, each in its unit; none where none are given."""
        return given if given.size == 0 else self.taken(given) * self.scale

    def taken(self, u_m: Array) -> Array:
        """(3 x stored nodes) of a vector of the whole's, 0 where it has none."""
        return np.where(self.nodes >= 0, u_m[self.nodes], 0)

    def put(self, u_m: Array, onto: Array) -> None:
        """Writes a vector of the nodes here into one of the whole's."""
        known = self.nodes >= 0
        onto[self.nodes[known]] = u_m[known]

    def _first(self, whole: SoftenedBody) -> Array:
        """Moduli before anything gave way, but for what the bond has left, in the unit here."""
        at = self.voxels
        bond = whole.present[at] / whole.softening.kept[at]
        return np.where(at >= 0, whole.first[at] * bond * np.float32(self.scale), np.float32(0))


def _blocks(rows: Rows, voxels: Array) -> tuple[Array, Array]:
    """[i, j, k] which voxels of a box lie in or beside the blocks that hold one of some, and the box's first."""
    end = rows.cells[:, 1] + rows.cells[:, 2]
    row = np.searchsorted(end, voxels, side="right")
    at = np.stack([row // rows.shape[1], row % rows.shape[1], voxels - rows.cells[row, 2]]) // BLOCK
    low = at.min(axis=1) - 1
    block = np.zeros(at.max(axis=1) + 2 - low, bool)
    block[tuple(at - low[:, None])] = True
    near = ndimage.binary_dilation(block, np.ones((3, 3, 3), bool))
    for axis in range(3):
        near = np.repeat(near, BLOCK, axis=axis)
    first = np.maximum(low * BLOCK, 0)
    inside = tuple(slice(a, b) for a, b in zip(first - low * BLOCK, np.array(rows.shape) - low * BLOCK, strict=True))
    return near[inside], first


def _touched(voxels: Array) -> Array:
    """[i + 1, ...] the nodes inside a padded box that any of some voxels touches."""
    shape = np.array(voxels.shape) - 1
    touched = np.zeros(shape, bool)
    for corner in np.ndindex(2, 2, 2):
        touched |= voxels[tuple(slice(a, a + n) for a, n in zip(corner, shape, strict=True))]
    return touched
