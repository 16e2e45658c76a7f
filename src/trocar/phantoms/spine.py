"""Sacrum, lumbar vertebrae, discs and the canal (see `proportions` for the frame)."""

from dataclasses import dataclass

import numpy as np

from trocar.model.space import Array
from trocar.phantoms.shapes import Shape, ellipsoid, halfspace, intersect, subtract, tube, union


@dataclass(frozen=True, slots=True)
class Vertebra:
    """A lumbar vertebra: the middle of its body, its tilt about the left axis, and the body's size."""

    center: tuple[float, float, float]
    tilt_deg: float
    width_mm: float
    depth_mm: float
    height_mm: float
    wedge_mm: float = 0.0  # by how much the front is higher than the back

    @property
    def axes(self) -> Array:
        """(3, 3) columns: left, back and up of the vertebra."""
        c, s = np.cos(np.radians(self.tilt_deg)), np.sin(np.radians(self.tilt_deg))
        return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])

    def point(self, left: float, back: float, up: float) -> tuple[float, float, float]:
        """A point in the phantom's frame, given along the vertebra's own axes from the middle of its body."""
        x, y, z = np.asarray(self.center) + self.axes @ (left, back, up)
        return float(x), float(y), float(z)


L5 = Vertebra((0, 10, 113), 30, 52, 35, 29, wedge_mm=5)
L4 = Vertebra((0, -9, 148), 14, 50, 35, 29, wedge_mm=2)


def body(of: Vertebra) -> Shape:
    """The vertebral body: a waisted superellipsoid cut by its two endplates."""
    block = ellipsoid(of.center, (of.width_mm / 2, of.depth_mm / 2, of.height_mm * 0.9), axes=of.axes, power=2.6)
    slope = of.wedge_mm / 2 / of.depth_mm
    upper = halfspace(of.point(0, 0, of.height_mm / 2), of.axes @ (0, slope, 1))
    lower = halfspace(of.point(0, 0, -of.height_mm / 2), of.axes @ (0, slope, -1))
    waist = [
        tube([(*of.point(side * of.width_mm * 0.72, -4, 0), 12.5), (*of.point(side * of.width_mm * 0.72, 4, 0), 12.5)])
        for side in (-1, 1)
    ]
    hollow = ellipsoid(of.point(0, of.depth_mm * 0.80, 0), (17, 12, of.height_mm), axes=of.axes)
    return subtract(intersect(block, upper, lower), *waist, hollow, blend_mm=3.0)


def arch(of: Vertebra) -> Shape:
    """Pedicles, laminae, articular, transverse and spinous processes, both sides."""
    rear = of.depth_mm / 2
    parts = []
    for side in (-1.0, 1.0):

        def p(left: float, back: float, up: float, radius: float, s: float = side) -> tuple[float, float, float, float]:
            return (*of.point(s * left, rear + back, up), radius)

        parts += [
            tube([p(15, -6, 6, 7.5), p(17, 3, 6, 6.0), p(18.5, 11, 5, 6.0)]),  # pedicle
            tube([p(19, 10, 5, 5), p(29, 13, 6, 3.8), p(39, 16, 8, 3.4)]),  # transverse process
            tube([p(18, 13, 8, 5.5), p(19, 15, 17, 5.2), p(20, 14, 23, 4.0)]),  # upper articular process
            tube([p(17, 14, 2, 5.5), p(16, 20, -10, 5.0), p(17, 22, -21, 4.6)]),  # lower articular process
            tube([p(16, 15, -2, 4.4), p(9, 22, -4, 4.0), p(1, 28, -5, 4.0)]),  # lamina
        ]

    spinous = tube(
        [(*of.point(0, rear + 27, -4), 4.0), (*of.point(0, rear + 38, -8), 4.0), (*of.point(0, rear + 50, -11), 5.0)]
    )
    blade = tube([(*of.point(0, rear + 29, -11), 3.0), (*of.point(0, rear + 46, -15), 4.0)])
    return union(*parts, spinous, blade, blend_mm=3.0)


def vertebra(of: Vertebra) -> Shape:
    """A whole lumbar vertebra, its canal free."""
    rear = of.depth_mm / 2
    canal = ellipsoid(of.point(0, rear + 9, 0), (12.5, 9.5, 40), axes=of.axes)
    return subtract(union(body(of), arch(of), blend_mm=3.0), canal, blend_mm=1.5)


# --- sacrum: middle of each segment's body, its downward axis (y, z), half width, half depth, half height
SEGMENTS = (
    ((0.0, 37.0, 88.0), (0.80, -0.60), 27.0, 15.0, 17.5),
    ((0.0, 60.0, 71.5), (0.76, -0.65), 20.0, 10.0, 14.5),
    ((0.0, 77.0, 53.0), (0.50, -0.87), 16.0, 7.5, 12.5),
    ((0.0, 84.5, 33.0), (0.14, -0.99), 13.5, 6.5, 11.5),
    ((0.0, 85.0, 14.0), (-0.18, -0.98), 10.0, 5.5, 10.0),
)
CANAL = (
    (0.0, 28.0, 150.0, 9.5), (0.0, 39.0, 126.0, 9.5), (0.0, 49.0, 109.0, 9.0), (0.0, 59.0, 97.0, 8.5),
    (0.0, 70.0, 84.5, 7.0), (0.0, 80.0, 70.0, 6.0), (0.0, 88.0, 56.0, 5.0), (0.0, 93.0, 38.0, 4.0),
    (0.0, 95.0, 22.0, 3.0),
)  # fmt: skip
# Where each root leaves: in the canal, at the bend in the bone, out of the front, out of the back (left side).
FORAMINA = (
    ((11.0, 61.0, 92.0), (20.0, 58.0, 81.0), (23.0, 44.0, 67.0), (24.0, 82.0, 98.0), 5.6),
    ((10.0, 77.0, 74.0), (19.0, 75.0, 66.0), (22.0, 62.0, 55.0), (20.0, 96.0, 74.0), 4.9),
    ((8.0, 86.0, 54.0), (16.0, 84.0, 47.0), (19.0, 71.0, 41.0), (16.0, 101.0, 51.0), 4.0),
    ((6.0, 91.0, 33.0), (13.0, 88.0, 27.0), (15.0, 74.0, 24.0), (13.0, 101.0, 29.0), 3.3),
)


def segment_axes(down: tuple[float, float]) -> Array:
    """(3, 3) columns: left, back and up of a sacral segment whose axis points `down` (y, z)."""
    y, z = np.asarray(down) / np.hypot(*down)
    return np.array([[1, 0, 0], [0, -z, -y], [0, y, -z]])


def sacrum() -> Shape:
    """Five fused segments and the coccyx with alae, lateral masses, arch, four pairs of foramina and the canal.

    It still overlaps the hip bones; the sacroiliac joint is cut by whoever has both.
    """
    bodies = [
        ellipsoid(center, (wide, deep, high), axes=segment_axes(down), power=3.2)
        for center, down, wide, deep, high in SEGMENTS
    ]
    first = intersect(bodies[0], halfspace((0, 23.0, 98.5), (0, -0.72, 0.69)))
    coccyx = tube([(0, 84, 6, 5), (0, 81, -4, 4.5), (0, 74, -14, 3.5), (0, 67, -20, 2.4)])
    middle = union(first, *bodies[1:], coccyx, blend_mm=5.0)
    sides = [mass for side in (-1.0, 1.0) for mass in _lateral_mass(side)]
    rear = _arch()
    solid = union(union(middle, *sides, blend_mm=6.0), rear, blend_mm=4.0)
    canal = tube([(x, y, z, r * 1.08) for x, y, z, r in CANAL], flat=0.85)
    return subtract(solid, canal, *[hole for side in (-1.0, 1.0) for hole in _foramina(side)], blend_mm=2.0)


def _lateral_mass(side: float) -> list[Shape]:
    axes = segment_axes((0.80, -0.60))
    return [
        ellipsoid((side * 38, 42, 88), (29, 17, 18), axes=axes, power=2.6),
        ellipsoid((side * 48, 52, 86), (13, 20, 18), axes=axes, power=2.6),
        tube(
            [
                (side * 40, 56, 80, 15.5),
                (side * 35, 68, 66, 13.0),
                (side * 26, 78, 50, 10.5),
                (side * 20, 84, 34, 8.5),
                (side * 14, 86, 18, 6.0),
            ]
        ),
    ]


# Per segment: how far the lamina lies behind the middle of the body, and where it meets the lateral mass.
_LAMINAE = ((34.0, 25.0), (28.0, 21.0), (22.5, 17.0), (18.5, 13.0))


def _arch() -> Shape:
    """Laminae and crests behind the canal, and the facets that carry L5."""
    bars = []
    for (center, down, _, deep, high), (behind, wide) in zip(SEGMENTS, _LAMINAE, strict=False):
        axes = segment_axes(down)
        for up in (-0.66 * high, -0.22 * high, 0.22 * high, 0.66 * high):
            course = [(-wide, deep + 2, 0), (-0.72 * wide, 0.8 * behind, 0), (0.0, behind, 0)]
            course += [(-left, back, 0) for left, back, _ in course[1::-1]]
            points = [np.asarray(center) + axes @ (left, back, up) for left, back, _ in course]
            bars.append(tube([(float(x), float(y), float(z), 4.4) for x, y, z in points]))
    crest = tube([(0, 64, 121, 4.0), (0, 79, 108, 5.0), (0, 92, 88, 4.5), (0, 102, 66, 4.0), (0, 105, 44, 3.0)])
    facets = [tube([(side * 25, 53, 103, 8), (side * 23, 50, 114, 6.5), (side * 21, 46, 121, 4.5)]) for side in (-1, 1)]
    return union(*bars, crest, *facets, blend_mm=4.0)


def _foramina(side: float) -> list[Shape]:
    holes = []
    for inner, bend, front, back, radius in FORAMINA:

        def knot(p: tuple[float, float, float], r: float) -> tuple[float, float, float, float]:
            return (side * p[0], p[1], p[2], r)

        holes.append(tube([knot(inner, radius * 0.85), knot(bend, radius), knot(front, radius * 1.3)]))
        holes.append(tube([knot(bend, radius * 0.75), knot(back, radius * 0.8)]))
    return holes


DISC_L5_S1 = ellipsoid((0, 20, 99), (25, 17, 9), axes=segment_axes((0.64, -0.77)), power=3.0)
DISC_L4_L5 = ellipsoid((0, 0, 131), (25, 17, 7.5), axes=segment_axes((0.39, -0.92)), power=3.0)
