"""What a corridor through the pelvis or femur is called, where its bones and landmarks are segmented."""

import numpy as np

from trocar.model.case import Case, Role, Structure
from trocar.model.space import Array, Segment
from trocar.planning.obstacles import center_lps_mm

STEP_MM = 1.0
LEAST_MM = 8.0  # within a bone, to count as running through it
STEEP = 0.7  # of an axis' direction, to be called along it
ABOVE_HIP_MM = (8.0, 45.0)  # where the supra-acetabular bone lies over the head's center; recalled, R-m


def corridor_name(case: Case, axis: Segment) -> str:
    """`trans_sacral`, `iliosacral_s1`, `supra_acetabular`, `iliac_wing`, `posterior_column`, `anterior_column`, ...

    Empty where the bones or the head of the femur, the landmark within a hip bone, are not segmented, or where no
    name fits. Names and courses: mechanics of pelvic screws, recalled.
    """
    along = np.arange(0.0, axis.length_mm, STEP_MM)
    points = axis.at(along)
    through = {
        item.name: STEP_MM * int(_inside(item, case, points).sum())
        for item in case.with_role(Role.BONE)
        if item.inside.any()
    }
    crossed = {name for name, length in through.items() if length >= LEAST_MM}
    hips = {name for name in crossed if name.startswith("hip_")}
    sacral = {name for name in crossed if name == "sacrum" or name.startswith("vertebrae_S")}
    if sacral and len(hips) == 2:
        return "trans_sacral" + _level(sacral, through)
    if sacral and hips:
        return "iliosacral" + _level(sacral, through)
    if len(hips) == 1 and not sacral:
        return _within_hip(case, axis, next(iter(hips)))
    femurs = {name for name in crossed if name.startswith("femur_")}
    return "femoral_neck" if femurs and abs(axis.direction[0]) > 0.5 else ""


def _level(sacral: set[str], through: dict[str, float]) -> str:
    """`_s1` where the sacrum's levels are segmented and one holds most of the axis."""
    levels = {name: through[name] for name in sacral if name.startswith("vertebrae_S")}
    return f"_{max(levels, key=lambda name: levels[name]).removeprefix('vertebrae_').lower()}" if levels else ""


def _within_hip(case: Case, axis: Segment, hip: str) -> str:
    head = _femoral_head(case, hip.removeprefix("hip_"))
    if head is None:
        return ""
    middle = axis.at(axis.length_mm / 2) - head
    x, y, z = np.abs(axis.direction)
    low, high = ABOVE_HIP_MM
    if y > STEEP and low <= middle[2] <= high:
        return "supra_acetabular"
    if middle[2] > high:
        return "iliac_wing"
    if z > STEEP and middle[1] > 0:
        return "posterior_column"
    if middle[1] < 0 and middle[2] < high and max(x, z) > 0.5:
        return "anterior_column" if middle[2] > -10.0 else "pubic_ramus"
    return ""


def _femoral_head(case: Case, side: str) -> Array | None:
    """(3,) the middle of the joint, or of the femur's uppermost and innermost part."""
    for name in (f"hip_joint_{side}", f"femoral_head_{side}"):
        found = [item for item in case.structures if item.name == name and item.inside.any()]
        if found:
            return center_lps_mm(found[0], case.grid)
    femur = [item for item in case.structures if item.name == f"femur_{side}" and item.inside.any()]
    if not femur:
        return None
    points = case.grid.to_lps(np.argwhere(femur[0].inside)[::5])
    top = points[points[:, 2] > points[:, 2].max() - 50.0]
    inner = np.sort(np.abs(top[:, 0] - float(case.grid.center_lps_mm[0])))[len(top) // 3]
    near = top[np.abs(top[:, 0] - float(case.grid.center_lps_mm[0])) <= inner]
    return np.asarray(near.mean(axis=0))


def _inside(structure: Structure, case: Case, points: Array) -> Array:
    index = np.rint(case.grid.to_ijk(points)).astype(int)
    held = np.all((index >= 0) & (index < case.grid.shape), axis=1)
    found = np.zeros(len(points), dtype=bool)
    found[held] = structure.inside[tuple(index[held].T)]
    return found
