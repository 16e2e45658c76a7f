"""One treated state of a bone, loaded until it gives way, and what its course says."""

from dataclasses import dataclass

import numpy as np

from trocar.assessment.solving import cannula_mm, elastic_system, held_nodes, modulus_of
from trocar.assessment.supports import Bench, load_on_nodes
from trocar.assessment.yielding import Treated
from trocar.catalog.mechanics import LoadCase
from trocar.imaging.distance import near
from trocar.materials.limits import BONDS, BONE, MATERIALS, bonded, labels, limits
from trocar.materials.screw_threads import threaded, with_thread_damage
from trocar.materials.stiffness import with_cement
from trocar.model.case import Structure
from trocar.model.record import Vector
from trocar.model.space import Array, as_vector
from trocar.physics.collapse import Course, March, Progress, collapse
from trocar.physics.elastic import POISSON, Load
from trocar.physics.interface import Bond, Bonded, Interface
from trocar.physics.softening import Softening

SPARED_MM = 4.0  # of what is held or loaded: it stays elastic
LOADED_FRAC = 0.25  # of the largest force on a node: what muscles put on each is less
FAILED_ML = 0.05  # of a material that carries less than half of what it would: from here on it has failed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """The course of a state, the label of each voxel [i, j, k], and its bonds in the order of `BONDS`."""

    bench: Bench
    course: Course
    label: Array
    bonds: tuple[Bonded, ...]

    def failures(self) -> tuple[tuple[str, float], ...]:
        """Materials in the order in which they failed, each with the load of that step."""
        enough = FAILED_ML / self.bench.grid.voxel_ml
        failed = self.course.failed >= enough
        steps = [(int(column.argmax()), name) for column, name in zip(failed.T, MATERIALS, strict=True) if column.any()]
        return tuple((name, float(self.course.load[step])) for step, name in sorted(steps))

    def shares(self) -> dict[str, float]:
        """Each material's part of the energy spent until the peak."""
        lost = self.course.lost_J[self.course.peak]
        whole = float(lost.sum())
        return {name: float(part) / whole for name, part in zip(MATERIALS, lost, strict=True)} if whole > 0 else {}

    def where(self, material: str) -> Vector | None:
        """The middle of what a material has lost at the peak."""
        if material in BONDS:
            at = self.bonds[BONDS.index(material)].voxels
        else:
            at = np.argwhere(self.label == MATERIALS.index(material) + BONE)
        lost = 1 - self.course.at_peak[tuple(at.T)]
        return as_vector(np.average(self.bench.grid.to_lps(at), axis=0, weights=lost)) if lost.any() else None


def loaded(
    bench: Bench, native: tuple[Array, Array, Array], lesion: Structure, state: Treated, load: LoadCase, *,
    weight_kg: float, bond: Bond, thread_frac: float | None, march: March, on_progress: Progress | None = None,
) -> Loaded:  # fmt: skip
    """The course of a load on a treated state of the bone; what is near its supports and the load stays elastic."""
    none = np.zeros(bench.grid.shape, np.float32)
    cement = none if state.cement_frac is None else state.cement_frac
    untreated = native[0]
    for screw in state.screws:
        untreated = with_thread_damage(untreated, screw, bench.grid, cement_frac=cement, modulus_frac=thread_frac)
    modulus, metal = modulus_of(bench, (untreated, untreated, native[2]), lesion, state)
    held = held_nodes(bench, load, metal)
    spacing_m = float(bench.grid.spacing_mm[0]) / 1000.0
    system = elastic_system(bench, modulus, held)
    stored = system.dense(np.ones(3 * system.rows.node_count)) > 0
    force = np.where(held | ~stored, 0.0, load_on_nodes(bench, load, weight_kg))
    label = labels(modulus, native[2], cement, metal, _near(bench, held, force))
    sound = native[0] if state.cement_frac is None else with_cement(native[0], cement)
    screws = [(screw, cannula_mm(screw) > 0) for screw in state.screws]
    bonds = bonded(label, cement, bond), threaded(label, metal, sound, screws, bench.grid)
    softening = Softening(system.rows, label, limits(), spacing_m=spacing_m, poisson=POISSON)
    interface = Interface(system.rows, bonds, modulus * 1e6, spacing_m=spacing_m, poisson=POISSON)
    course = collapse(system, Load(force_N=force), softening, interface=interface, march=march, on_progress=on_progress)
    return Loaded(bench=bench, course=course, label=label, bonds=bonds)


def _near(bench: Bench, held: Array, force: Array) -> Array:
    """[i, j, k] voxels close to nodes that are held, or loaded as in a joint: supports are no part of the strength."""
    size = np.sqrt(np.einsum("ijkc,ijkc->ijk", force, force))
    touched = held.any(axis=3) | (size > LOADED_FRAC * size.max())
    return near(touched, bench.grid.spacing_mm, SPARED_MM)[:-1, :-1, :-1]
