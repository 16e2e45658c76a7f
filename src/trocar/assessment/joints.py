"""The bones of the pelvic ring and the soft layers between them, found from the labels of the bones alone."""

import numpy as np
from scipy import ndimage

from trocar.catalog.mechanics import mechanics
from trocar.errors import CaseError
from trocar.model.case import Case, Structure
from trocar.model.space import Array

BONES = ("hip_left", "hip_right", "sacrum")
PAIRS = (("hip_left", "sacrum"), ("hip_right", "sacrum"), ("hip_left", "hip_right"))
GAP_MM = {"sacroiliac_joint": 6.0, "interpubic_disc": 9.0}  # the widest between two bones that still is a joint


def ring_bones(case: Case) -> tuple[Structure, ...]:
    """Both hip bones and the sacrum. Raises `CaseError` where one is missing."""
    names = {structure.name for structure in case.structures}
    missing = [name for name in BONES if name not in names]
    if missing:
        raise CaseError(f"the pelvic ring lacks {', '.join(missing)}", hint="give both hip bones and the sacrum")
    return tuple(case.structure(name) for name in BONES)


def joint_modulus(case: Case) -> Array:
    """[i, j, k] MPa of the joints of the ring on the CT's voxels, 0 elsewhere.

    A joint is what lies between two bones no farther apart than `GAP_MM`; where their labels touch, the voxels that
    do. Raises `CaseError` where two bones have no joint.
    """
    bones = {bone.name: bone.inside for bone in ring_bones(case)}
    every = np.logical_or.reduce(list(bones.values()))
    found = np.zeros(case.grid.shape, np.float32)
    for one, other in PAIRS:
        kind = "interpubic_disc" if "sacrum" not in (one, other) else "sacroiliac_joint"
        box = _between(bones[one], bones[other], GAP_MM[kind], case.grid.spacing_mm)
        layer = _layer(bones[one][box], bones[other][box], every[box], GAP_MM[kind], case.grid.spacing_mm)
        if not layer.any():
            raise CaseError(f"no joint between {one} and {other}", hint="are both bones whole in the CT?")
        found[box][layer] = 1000.0 * mechanics().material_of(kind).modulus_GPa
    return found


def _layer(one: Array, other: Array, every: Array, gap_mm: float, spacing_mm: Array) -> Array:
    if not one.any() or not other.any():
        return np.zeros(one.shape, bool)
    to_one, to_other = (ndimage.distance_transform_edt(~bone, sampling=spacing_mm) for bone in (one, other))
    touching = 1.01 * float(spacing_mm.max())
    between = ~every & (to_one + to_other <= gap_mm)
    return between | (one & (to_other <= touching)) | (other & (to_one <= touching))


def _between(one: Array, other: Array, gap_mm: float, spacing_mm: Array) -> tuple[slice, ...]:
    """The box that both bones reach, grown by the gap."""
    margin = np.ceil(gap_mm / spacing_mm).astype(int)
    ranges = [ndimage.find_objects(bone.astype(np.uint8))[0] for bone in (one, other)]
    return tuple(
        slice(
            max(0, max(a.start, b.start) - int(more)),
            max(0, min(size, min(a.stop, b.stop) + int(more))),
        )
        for a, b, more, size in zip(*ranges, margin, one.shape, strict=True)
    )
