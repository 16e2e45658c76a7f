"""Where a bone is held and loaded: landmarks found from the labels, as weights on the nodes of a lattice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import ndimage

from trocar.catalog.mechanics import LoadCase
from trocar.errors import CaseError
from trocar.imaging.distance import near
from trocar.imaging.resample import resample_mask
from trocar.model.case import Case, Side, Structure
from trocar.model.space import Array, Grid

CONTACT_MM, ACROSS_JOINT_MM, HELD_END_MM = 4.0, 8.0, 15.0
BALL_FRAC, TALL_FRAC = 0.7, 0.6  # of a vertebral body: design
GRAVITY_N_PER_KG = 9.81
ACETABULAR = ("pelvis", "ring")  # sites that a femoral head presses on, not the head itself


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bench:
    """A bone on its lattice: voxels [i, j, k], the case they come from, the side and the kind of site."""

    case: Case
    grid: Grid
    voxels: Array
    site: str
    side: Side | None

    def beside(self, *names: str, within_mm: float = CONTACT_MM) -> Array:
        """Voxels of the bone within a distance of structures whose names begin so."""
        return _near(self.case, self.grid, names, within_mm) & self.voxels

    def end(self, direction: Sequence[float], depth_mm: float) -> Array:
        """Voxels of the bone within a depth of its end along a direction (LPS)."""
        along = self.along(np.asarray(direction))
        return self.voxels & (along >= along[self.voxels].max() - depth_mm)

    def endplate(self, *, upper: bool) -> Array:
        """Voxels of a vertebral body within a depth of its endplate: the articular processes reach beyond it.

        The body is what remains where a large ball fits, over columns at least 0.6 times as high as the highest.
        """
        body = _body(self.voxels, self.grid)
        axis = int(np.argmax(np.abs(self.grid.directions[2])))
        step, upwards = float(self.grid.spacing_mm[axis]), self.grid.directions[2, axis] > 0
        height = np.moveaxis(body, axis, 2).sum(axis=2)
        column = np.moveaxis(self.voxels, axis, 2) & (height >= TALL_FRAC * height.max())[..., None]
        ordered = column[..., ::-1] if upper == upwards else column
        depth = np.cumsum(ordered, axis=2) * step
        ordered = ordered & (depth <= max(CONTACT_MM, step))
        return np.moveaxis(ordered[..., ::-1] if upper == upwards else ordered, 2, axis)

    def along(self, direction: Array) -> Array:
        """[i, j, k] how far the voxels' centers lie along a direction (LPS, mm)."""
        slope = self.grid.matrix[:3, :3].T @ direction
        i, j, k = (each * np.arange(n) for each, n in zip(slope, self.grid.shape, strict=True))
        return np.asarray(i[:, None, None] + j[:, None] + (k + self.grid.matrix[:3, 3] @ direction))


@lru_cache(maxsize=32)
def _near(case: Case, grid: Grid, names: tuple[str, ...], within_mm: float) -> Array:
    """[i, j, k] within a distance of structures whose names begin so: the same for every law, state and load."""
    close = np.zeros(grid.shape, bool)
    for structure in (item for item in case.structures if item.name.startswith(names)):
        close |= near(resample_mask(structure.inside, case.grid, grid), grid.spacing_mm, within_mm)
    return close


def _body(voxels: Array, grid: Grid) -> Array:
    """The largest part of a vertebra in which a ball of 0.7 times its inner radius fits: its body."""
    away = ndimage.distance_transform_edt(np.pad(voxels, 1), sampling=grid.spacing_mm)[1:-1, 1:-1, 1:-1]
    radius = BALL_FRAC * float(away.max())
    label, _ = ndimage.label(away >= radius)
    core = label == label[np.unravel_index(int(away.argmax()), label.shape)]
    return voxels & near(core, grid.spacing_mm, radius + CONTACT_MM)


def site_of(bone: Structure) -> str:
    """pelvis, sacrum, vertebra or femur by the bone's name. Raises `CaseError` for another bone."""
    for begins, site in (("hip", "pelvis"), ("sacrum", "sacrum"), ("vertebrae", "vertebra"), ("femur", "femur")):
        if bone.name.startswith(begins):
            return site
    raise CaseError(f"no load case is known for {bone.name!r}", hint="hip, sacrum, vertebrae and femur have some")


def held_voxels(bench: Bench, load: LoadCase) -> tuple[Array, Array]:
    """Voxels held in every direction, and voxels held left-right only. Raises `CaseError` where there is nothing."""
    side, none = bench.side, np.zeros(bench.grid.shape, bool)
    if bench.site == "ring":
        return _first_sacral_endplate(bench), none
    if bench.site == "pelvis":
        joint = _first(bench.beside(f"sacroiliac_joint_{side}"), bench.beside("sacrum"), what="sacroiliac joint")
        return joint, bench.end([-_left(side), 0, 0], CONTACT_MM)
    if bench.site == "sacrum":
        sides = [side] if load.one_side and side in (Side.LEFT, Side.RIGHT) else [Side.LEFT, Side.RIGHT]
        names = [f"sacroiliac_joint_{one}" for one in sides]
        hips = [f"hip_{one}" for one in sides]
        return _first(bench.beside(*names), bench.beside(*hips), what="sacroiliac joint"), none
    if bench.site == "vertebra":
        return bench.endplate(upper=False), none
    shaft = bench.end([0, 0, -1], HELD_END_MM)
    return (shaft | _trochanter(bench, load) if load.on_trochanter else shaft), none


def _trochanter(bench: Bench, load: LoadCase) -> Array:
    """What of a femur touches the ground that a fall presses it onto: the farthest across the body that way."""
    assert load.force_frac is not None
    medial, anterior, _ = load.force_frac
    return bench.end(_lps((medial, anterior, 0.0), bench.side) / np.hypot(medial, anterior), CONTACT_MM)


@lru_cache(maxsize=8)
def load_on_nodes(bench: Bench, load: LoadCase, weight_kg: float) -> Array:
    """[i, j, k, component] N on the nodes, components along the lattice's axes: the same for every state. Read only."""
    if load.both_sides and bench.site == "ring":
        each = replace(load, both_sides=False)
        sides = (replace(bench, side=side) for side in (Side.LEFT, Side.RIGHT))
        return np.asarray(sum(load_on_nodes(one, each, weight_kg) for one in sides))
    force = np.zeros([*(n + 1 for n in bench.grid.shape), 3])
    target, weights = _target(bench, load)
    if load.force_frac is not None:
        whole = _lps(load.force_frac, bench.side) * weight_kg * GRAVITY_N_PER_KG
        _add(force, weights, whole @ bench.grid.directions)
    if load.torque_Nm is not None and load.axis is not None:
        force += _torque(bench, target, _turned(load.axis, bench.side), load.torque_Nm)
    if load.muscle is not None and load.muscle_frac is not None:
        pull = _lps(load.muscle_frac, bench.side) * weight_kg * GRAVITY_N_PER_KG
        attached = bench.beside(f"gluteus_medius_{bench.side}", f"gluteus_minimus_{bench.side}")
        if attached.any():
            _add(force, _corners(attached), pull @ bench.grid.directions)
    return force


def _target(bench: Bench, load: LoadCase) -> tuple[Array, Array]:
    """The loaded voxels, and weights of the nodes (sum 1)."""
    if load.on == "hip_joint":
        other = f"femur_{bench.side}" if bench.site in ACETABULAR else f"hip_{bench.side}"
        contact = _first(
            bench.beside(f"hip_joint_{bench.side}"), bench.beside(other, within_mm=ACROSS_JOINT_MM), what="hip joint"
        )
        if load.force_frac is None:
            return contact, _corners(contact)
        return contact, _lunate(bench, contact, _lps(load.force_frac, bench.side))
    if load.on == "endplate":
        plate = _first_sacral_endplate(bench)
        return plate, _corners(plate)
    if load.on == "seat":
        seat = bench.end([0, 0, -1], HELD_END_MM)
        return seat, _corners(seat)
    top = bench.endplate(upper=True)
    if load.on == "top_anterior":
        front = bench.along(np.array([0.0, -1.0, 0.0]))
        top = top & (front >= np.percentile(front[top], 67))
    return top, _corners(top)


def _first_sacral_endplate(bench: Bench) -> Array:
    return _first(
        bench.beside("disc_l5_s1"), bench.beside("vertebrae_L5", within_mm=ACROSS_JOINT_MM), what="endplate of S1"
    )


def _lunate(bench: Bench, contact: Array, direction: Array) -> Array:
    """Weights that fall with the cosine between a sphere's normal and the force: pressure of a hip joint."""
    points = bench.grid.to_lps(np.argwhere(contact))
    system = np.column_stack([2 * points, np.ones(len(points))])
    center = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0][:3]
    outward = (points - center) / np.linalg.norm(points - center, axis=1, keepdims=True)
    sign = 1.0 if bench.site in ACETABULAR else -1.0
    cosine = np.zeros(bench.grid.shape)
    cosine[contact] = np.maximum(sign * outward @ (direction / np.linalg.norm(direction)), 0.0)
    if not cosine.any():
        raise CaseError("the hip joint has no surface that faces the load", hint="check the joint's label")
    return _corners(cosine)


def _torque(bench: Bench, target: Array, axis: Array, torque_Nm: float) -> Array:
    """Forces across an axis through the middle of the loaded nodes, that add up to a torque and to no force."""
    weights = _corners(target)
    nodes = bench.grid.to_lps(np.moveaxis(np.indices(weights.shape), 0, -1) - 0.5)
    middle = (nodes * weights[..., None]).sum(axis=(0, 1, 2))
    arm = np.cross(axis, nodes - middle)
    lever = (weights[..., None] * np.cross(nodes - middle, arm) @ axis[:, None]).sum() / 1000.0
    return weights[..., None] * (arm @ bench.grid.directions) * torque_Nm / lever


def _corners(voxels: Array) -> Array:
    """[i + 1, j + 1, k + 1] weights of the nodes of voxels, sum 1."""
    weights, at = np.zeros([n + 1 for n in voxels.shape]), np.nonzero(voxels)
    each = voxels[at]
    for corner in np.ndindex(2, 2, 2):
        weights[tuple(index + step for index, step in zip(at, corner, strict=True))] += each
    return weights / weights.sum()


def corners_of(voxels: Array) -> Array:
    """[i + 1, j + 1, k + 1] nodes that belong to any of the voxels."""
    return _corners(voxels) > 0


def voxels_at(nodes: Array) -> Array:
    """[i, j, k] voxels with any of the nodes [i + 1, j + 1, k + 1] at a corner."""
    found = np.zeros([n - 1 for n in nodes.shape], bool)
    nx, ny, nz = found.shape
    for a in (0, 1):
        for b in (0, 1):
            for c in (0, 1):
                found |= nodes[a : nx + a, b : ny + b, c : nz + c]
    return found


def _add(force: Array, weights: Array, whole: Array) -> None:
    """Spreads a force over the nodes by their weights."""
    at = np.nonzero(weights)
    force[at] += weights[at][:, None] * whole


def _lps(frac: Sequence[float], side: Side | None) -> Array:
    """Medial, anterior, cranial as LPS."""
    medial, anterior, cranial = frac
    return np.array([-_left(side) * medial, -anterior, cranial])


def _turned(axis: Sequence[float], side: Side | None) -> Array:
    """An axis of turning, given for the left side: a mirror keeps its left-right part and turns the others round."""
    x, y, z = axis
    return np.array([x, _left(side) * y, _left(side) * z])


def _left(side: Side | None) -> float:
    return -1.0 if side is Side.RIGHT else 1.0


def _first(*found: Array, what: str) -> Array:
    for voxels in found:
        if voxels.any():
            return voxels
    raise CaseError(
        f"the {what} was not found from the labels", hint="give the neighboring bone or the joint as a mask"
    )
