"""Every load on one state of a bone: its moduli, its supports, its deformation, and what yields first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from trocar.assessment.supports import Bench, corners_of, held_voxels, load_on_nodes
from trocar.assessment.yielding import MOSTLY, Treated, Worst, worst_of
from trocar.catalog.facts import devices
from trocar.catalog.mechanics import LoadCase
from trocar.errors import SolverError
from trocar.imaging.distance import near
from trocar.imaging.resample import resample_mask
from trocar.materials.stiffness import with_cement, with_screw
from trocar.model.case import Role, Structure
from trocar.model.device import Screw
from trocar.model.space import Array, Grid
from trocar.model.treatment import Placement
from trocar.physics.elastic import Deformation, ElasticSystem, Load

TOLERANCE = 5e-3  # ratios and stiffness differ by less than 0.1 % between 1e-2 and 1e-4 (theory/strength.md)
MOST_UNBALANCED = 0.01  # of the load: what the supports do not bear
LOST_FRAC = 0.05  # of the load that falls on what is held, above which it is said
KEPT_STARTS = 3
RIM_MM = 5.0  # beyond the lesion: bone that an ablation reached
SLOW_MODES, RESOLVED_MM = 6, 1.25  # of a ring, on lattices whose next coarser one still shows its joints


@dataclass(slots=True)
class Tally:
    """Residuals, iterations, balance and remarks on the way; deformations to start the next ones from."""

    residual: float = 0.0
    iterations: int = 0
    unbalanced: float = 0.0
    caveats: set[str] = field(default_factory=set)
    starts: dict[str, list[Array]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solved:
    """A state under a load: lattice, moduli, share of metal, nodes held and forces on them, deformation."""

    grid: Grid
    modulus: Array
    metal: Array
    held: Array
    force_N: Array
    deformation: Deformation


def solve(
    bench: Bench, native: tuple[Array, Array, Array], lesion: Structure, state: Treated, loads: Sequence[LoadCase],
    weight_kg: float, tally: Tally, *, also: Callable[[LoadCase, Solved], None] | None = None,
) -> list[tuple[LoadCase, Worst]]:  # fmt: skip
    """Every load on one state; loads that are held alike share a system. `also` is told of every solution.

    Raises `SolverError` where the supports do not bear the load.
    """
    modulus, metal = modulus_of(bench, native, lesion, state)
    found = []
    groups: dict[tuple[bool, bool], list[LoadCase]] = {}
    for load in loads:
        groups.setdefault((load.one_side, load.on_trochanter), []).append(load)
    for group in groups.values():
        held = held_nodes(bench, group[0], metal)
        system = elastic_system(bench, modulus, held)
        stored = system.dense(np.ones(3 * system.rows.node_count)) > 0
        for load in group:
            asked = load_on_nodes(bench, load, weight_kg)
            force = np.where(held | ~stored, 0.0, asked)
            if np.abs(force).sum() < (1 - LOST_FRAC) * np.abs(asked).sum():
                tally.caveats.add("load_partly_on_supports")
            solved = _solved(system, load, force, tally)
            tally.unbalanced = max(tally.unbalanced, _unbalanced(solved, held, force))
            found.append((load, worst_of(bench, native[2], lesion, state, metal, held, force, solved)))
            if also is not None:
                also(
                    load,
                    Solved(grid=bench.grid, modulus=modulus, metal=metal, held=held, force_N=force, deformation=solved),
                )
    if tally.unbalanced > MOST_UNBALANCED:
        raise SolverError(
            f"the supports' reactions miss {tally.unbalanced:.1%} of the load", hint="take a finer --spacing-mm"
        )
    return found


def _solved(system: ElasticSystem, load: LoadCase, force: Array, tally: Tally) -> Deformation:
    """The deformation, started from the best mix of those under the same load in earlier states and laws."""
    earlier = tally.starts.setdefault(load.id, [])
    given = Load(force_N=force)
    start = system.mixed(given, earlier) if earlier else None
    solved = system.solve_one(given, tolerance=TOLERANCE, start=start)
    tally.residual = max(tally.residual, solved.relative_residual)
    tally.iterations = max(tally.iterations, solved.iterations)
    earlier.append(solved.displacement_m().astype(np.float32))
    del earlier[:-KEPT_STARTS]
    return solved


def elastic_system(bench: Bench, modulus_MPa: Array, held: Array) -> ElasticSystem:
    """The lattice's system; the bones of a ring move on its joints, which coarse lattices do not see."""
    spacing_mm = float(bench.grid.spacing_mm[0])
    slow = SLOW_MODES if bench.site == "ring" and spacing_mm <= RESOLVED_MM else 0
    return ElasticSystem(modulus_MPa * 1e6, held, spacing_m=spacing_mm / 1000.0, slow_modes=slow)


def held_nodes(bench: Bench, load: LoadCase, metal: Array) -> Array:
    """[i, j, k, component] of the nodes that are held."""
    firm, sideways = held_voxels(bench, load)
    held = np.repeat(corners_of(firm | _gripped(bench, metal))[..., None], 3, axis=3)
    if sideways.any():
        left = int(np.argmax(np.abs(bench.grid.directions[0])))
        held[..., left] |= corners_of(sideways)
    return held


def _unbalanced(solved: Deformation, held: Array, force: Array) -> float:
    """How far loads and reactions are from adding up to nothing, over the sum of the loads' magnitudes."""
    reaction = np.where(held, solved.force_N(), 0.0)
    missing = force.sum(axis=(0, 1, 2)) + reaction.sum(axis=(0, 1, 2))
    return float(np.linalg.norm(missing) / np.linalg.norm(force, axis=3).sum())


def modulus_of(
    bench: Bench, native: tuple[Array, Array, Array], lesion: Structure, state: Treated
) -> tuple[Array, Array]:
    """MPa of a treated state and the share of metal in each voxel."""
    modulus, metal = native[1] if state.filled else native[0], np.zeros(bench.grid.shape, np.float32)
    if state.bone_frac != 1.0:
        inside = resample_mask(lesion.inside, bench.case.grid, bench.grid)
        rim = near(inside, bench.grid.spacing_mm, RIM_MM)
        modulus = np.where(rim, state.bone_frac * modulus, modulus)
    if state.cement_frac is not None:
        modulus = np.where(modulus > 0, with_cement(modulus, state.cement_frac), modulus)
    for screw in state.screws:
        modulus, share = with_screw(modulus, screw, bench.grid, cannula_mm=cannula_mm(screw))
        metal = np.maximum(metal, share)
    if state.screws:
        label, count = ndimage.label(modulus > 0)
        bony = np.zeros(count + 1, bool)
        bony[label[native[0] > 0]] = True
        modulus = np.where(bony[label], modulus, 0)
    return modulus, np.where(modulus > 0, metal, 0)


def cannula_mm(screw: Placement) -> float:
    """The bore of a placed screw, 0 where it has none or is not known."""
    device = devices().get(screw.device)
    return (device.cannula_mm or device.wire_mm or 0.0) if isinstance(device, Screw) else 0.0


def _gripped(bench: Bench, metal: Array) -> Array:
    """Voxels of metal within a neighboring bone, which counts as rigid."""
    others = {"pelvis": ("sacrum",), "sacrum": (f"hip_{bench.side}",)}.get(bench.site, ())
    grip = np.zeros(bench.grid.shape, bool)
    if metal.any():
        for name in others:
            for bone in (item for item in bench.case.with_role(Role.BONE) if item.name.startswith(name)):
                grip |= resample_mask(bone.inside, bench.case.grid, bench.grid) & (metal > MOSTLY) & ~bench.voxels
    return grip
