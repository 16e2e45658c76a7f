"""What a corridor through the pelvis or a long bone is called, where its bones and landmarks are segmented."""

from dataclasses import dataclass

import numpy as np

from trocar.model.case import Role, Structure
from trocar.model.space import Array, Grid, Segment
from trocar.model.treatment import Text
from trocar.planning.foramina import is_sacral
from trocar.planning.obstacles import center_lps_mm, course_points

CORRIDOR = "Corridor:"  # how a note on one opens
STEP_MM = 1.0
LEAST_MM = 8.0  # within a bone, to count as running through it
STEEP = 0.7  # of an axis' direction, to be called along it
BACKWARD = 0.55  # of its direction, to run from the anterior inferior to the posterior superior spine; recalled, R-m
ABOVE_HIP_MM = (8.0, 55.0)  # how high a supra-acetabular axis passes over the head's center; recalled, R-m
CREST_MM = 15.0  # below the top of the hip bone, over the corridor: the crest; recalled, R-m
RAMUS_BELOW_MM = -10.0  # of the head's center: the pubic ramus; recalled, R-m
ISCHIOPUBIC_BELOW_MM = -35.0  # of the head's center; recalled, R-m
NECK_MM = 18.0  # from the head's center, to run through the neck; recalled, R-m
LONG_DEG = 25.0  # from a long bone's own axis, to run along its shaft
ELONGATED = 2.5  # spread of a bone along its axis over that across it, to be long
LONG_BONES = ("femur_", "humerus", "tibia", "fibula", "radius", "ulna", "clavicula")
ROOT_MM = (14.0, 30.0)  # from the midline, where the roots of S1 and S2 run through their foramina; recalled, R-m
WORDS = {
    "supra_acetabular": Text(en="supra-acetabular", fr="sus-acétabulaire"),
    "iliac_wing": Text(en="iliac wing", fr="aile iliaque"),
    "iliac_crest": Text(en="iliac crest", fr="crête iliaque"),
    "iliosacral": Text(en="iliosacral", fr="ilio-sacré"),
    "trans_sacral": Text(en="trans-sacral", fr="trans-sacré"),
    "posterior_column": Text(en="posterior column", fr="colonne postérieure"),
    "anterior_column": Text(en="anterior column", fr="colonne antérieure"),
    "pubic_ramus": Text(en="superior pubic ramus", fr="branche supérieure du pubis"),
    "ischiopubic_ramus": Text(en="ischiopubic ramus", fr="branche ischio-pubienne"),
    "femoral_neck": Text(en="femoral neck", fr="col fémoral"),
    "femoral_shaft": Text(en="femoral shaft", fr="diaphyse fémorale"),
    "humerus_shaft": Text(en="shaft of the humerus", fr="diaphyse de l'humérus"),
    "tibia_shaft": Text(en="shaft of the tibia", fr="diaphyse du tibia"),
    "fibula_shaft": Text(en="shaft of the fibula", fr="diaphyse de la fibula"),
    "radius_shaft": Text(en="shaft of the radius", fr="diaphyse du radius"),
    "ulna_shaft": Text(en="shaft of the ulna", fr="diaphyse de l'ulna"),
    "clavicula_shaft": Text(en="shaft of the clavicle", fr="diaphyse de la clavicule"),
}
WHERE = {
    "left": Text(en=", left", fr=", à gauche"),
    "right": Text(en=", right", fr=", à droite"),
    "": Text(en="", fr=""),
}


@dataclass(frozen=True, slots=True)
class CorridorName:
    """`name` such as `supra_acetabular`, empty where none fits; `side` left, right, or empty across the midline."""

    name: str
    side: str = ""

    @property
    def words(self) -> Text:
        """As people say it; empty without a name."""
        stem, _, level = self.name.rpartition("_s")
        stem, level = (stem, f" S{level}") if level.isdecimal() else (self.name, "")
        said = WORDS.get(stem, Text(en="", fr=""))
        where = WHERE[self.side]
        return Text(en=said.en + level + where.en, fr=said.fr + level + where.fr) if said.en else said


def corridor_name(structures: tuple[Structure, ...], grid: Grid, axis: Segment) -> CorridorName:
    """`trans_sacral`, `iliosacral_s1`, `supra_acetabular`, `iliac_crest`, `iliac_wing`, `posterior_column`,
    `anterior_column`, `pubic_ramus`, `ischiopubic_ramus`, `femoral_neck`, `femoral_shaft`, `humerus_shaft` ...

    No name where the bones or the head of the femur, the landmark within a hip bone, are not segmented, or where none
    fits. Names and courses: mechanics of pelvic screws, recalled.
    """
    points = axis.at(np.arange(0.0, axis.length_mm, STEP_MM))
    bones = tuple(item for item in structures if item.role is Role.BONE and item.inside.any())
    through = {item.name: STEP_MM * int(_inside(item, grid, points).sum()) for item in bones}
    crossed = tuple(item for item in bones if through[item.name] >= LEAST_MM)
    hips = [item for item in crossed if item.name in ("hip_left", "hip_right")]
    sacral = [item for item in crossed if is_sacral(item.name)]
    if sacral and hips:
        name = "trans_sacral" if len(hips) == 2 else "iliosacral"
        level = _level(structures, grid, points, {item.name: through[item.name] for item in sacral})
        return CorridorName(name + level, "" if len(hips) == 2 else _side(hips[0].name))
    if len(hips) == 1:
        return CorridorName(_within_hip(structures, grid, axis, hips[0]), _side(hips[0].name))
    long = [item for item in crossed if item.name.startswith(LONG_BONES)]
    if len(long) == 1 and not sacral:
        return CorridorName(_within_long(structures, grid, axis, long[0]), _side(long[0].name))
    return CorridorName("")


def _side(name: str) -> str:
    return next((side for side in ("left", "right") if side in name.split("_")), "")


def _level(structures: tuple[Structure, ...], grid: Grid, points: Array, through: dict[str, float]) -> str:
    """`_s1` where the segment that holds most of the axis is segmented, else where the roots of S1 and S2 are.

    The corridor of S1 runs above the foramina of S1, that of S2 between them and those of S2.
    """
    levels = {name: mm for name, mm in through.items() if name.startswith("vertebrae_S")}
    if levels:
        return f"_{max(levels, key=lambda name: levels[name]).removeprefix('vertebrae_').lower()}"
    sacrum = next(item for item in structures if item.name == "sacrum")
    middle_x = float(center_lps_mm(sacrum, grid)[0])
    first, second = (_root(structures, grid, middle_x, level) for level in ("s1", "s2"))
    if first is None or second is None:
        return ""
    up = (first - second)[1:]
    lateral = np.abs(points[:, 0] - middle_x)
    beside = points[np.argmin(np.abs(lateral - np.mean(ROOT_MM)))]
    height = float((beside - second)[1:] @ up) / float(up @ up)  # 0 at the root of S2, 1 at that of S1
    if height > 1.0:
        return "_s1"
    return "_s2" if height > 0.0 else ""


def _root(structures: tuple[Structure, ...], grid: Grid, middle_x: float, level: str) -> Array | None:
    """(3,) the middle of both roots of a level as they run through the foramina; None where neither is segmented."""
    found = []
    for side in ("left", "right"):
        root = next((item for item in structures if item.name == f"nerve_root_{level}_{side}"), None)
        if root is None:
            continue
        points = course_points(root) if root.centerline_lps_mm else grid.to_lps(np.argwhere(root.inside))
        lateral = np.abs(points[:, 0] - middle_x)
        beside = points[(lateral >= ROOT_MM[0]) & (lateral <= ROOT_MM[1])]
        if len(beside):
            found.append(beside[beside[:, 2] >= np.percentile(beside[:, 2], 50)].mean(axis=0))
    return np.asarray(np.mean(found, axis=0)) if found else None


def _within_hip(structures: tuple[Structure, ...], grid: Grid, axis: Segment, hip: Structure) -> str:
    head = _femoral_head(structures, grid, _side(hip.name))
    if head is None:
        return ""
    middle = axis.at(axis.length_mm / 2) - head
    x, y, z = np.abs(axis.direction)
    low, high = ABOVE_HIP_MM
    over = axis.at(np.linspace(0.0, axis.length_mm, 33)) - head
    if y > BACKWARD and low <= over[np.argmin(np.abs(over[:, 1])), 2] <= high and over[:, 2].min() >= low:
        return "supra_acetabular"
    if middle[2] > high:
        return "iliac_crest" if _below_top_mm(hip, grid, axis) <= CREST_MM and z < STEEP else "iliac_wing"
    if z > STEEP and middle[1] > 0 and over[:, 2].min() < low:
        return "posterior_column"
    if middle[2] < ISCHIOPUBIC_BELOW_MM and max(x, y) > 0.5:
        return "ischiopubic_ramus"
    if middle[1] < 0 and over[:, 2].min() < low and max(x, z) > 0.5:
        return "anterior_column" if middle[2] > RAMUS_BELOW_MM else "pubic_ramus"
    return ""


def _below_top_mm(hip: Structure, grid: Grid, axis: Segment) -> float:
    """How far an axis runs below the top of the bone over it, at most."""
    points = grid.to_lps(np.argwhere(hip.inside))
    depths = []
    for point in axis.at(np.linspace(0.0, axis.length_mm, 7)):
        over = np.abs(points[:, 1] - point[1]) <= grid.spacing_mm.max()
        if over.any():
            depths.append(points[over, 2].max() - point[2])
    return float(max(depths)) if depths else np.inf


def _within_long(structures: tuple[Structure, ...], grid: Grid, axis: Segment, bone: Structure) -> str:
    """`femoral_neck`, or `femoral_shaft`, `humerus_shaft` ... along the axis of a bone that is long."""
    femur = bone.name.startswith("femur_")
    head = _femoral_head(structures, grid, _side(bone.name)) if femur else None
    if head is not None and abs(axis.direction[0]) > 0.5 and float(axis.distance_mm(head)) <= NECK_MM:
        return "femoral_neck"
    points = grid.to_lps(np.argwhere(bone.inside))
    away = points[np.linalg.norm(points - head, axis=1) > 2 * NECK_MM] if head is not None else points
    spread, ways = np.linalg.eigh(np.cov((away if len(away) > 100 else points).T))
    elongated = np.sqrt(spread[2] / max(spread[1], 1e-9)) >= ELONGATED or (femur and abs(ways[2, 2]) > 0.9)
    along = abs(float(axis.direction @ ways[:, 2])) >= np.cos(np.radians(LONG_DEG))
    stem = "femoral" if femur else bone.name.removesuffix("_left").removesuffix("_right")
    return f"{stem}_shaft" if elongated and along else ""


def _femoral_head(structures: tuple[Structure, ...], grid: Grid, side: str) -> Array | None:
    """(3,) the middle of the joint, or of the femur's uppermost and innermost part."""
    for name in (f"hip_joint_{side}", f"femoral_head_{side}"):
        found = [item for item in structures if item.name == name and item.inside.any()]
        if found:
            return center_lps_mm(found[0], grid)
    femur = [item for item in structures if item.name == f"femur_{side}" and item.inside.any()]
    if not femur:
        return None
    points = grid.to_lps(np.argwhere(femur[0].inside)[::5])
    top = points[points[:, 2] > points[:, 2].max() - 50.0]
    outward = top[:, 0] * (1.0 if side == "left" else -1.0)
    near = top[outward <= np.sort(outward)[len(top) // 3]]
    return np.asarray(near.mean(axis=0))


def _inside(structure: Structure, grid: Grid, points: Array) -> Array:
    index = np.rint(grid.to_ijk(points)).astype(int)
    held = np.all((index >= 0) & (index < grid.shape), axis=1)
    found = np.zeros(len(points), dtype=bool)
    found[held] = structure.inside[tuple(index[held].T)]
    return found
