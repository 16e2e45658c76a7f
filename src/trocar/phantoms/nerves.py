"""Courses of the nerves of the left side: curves with a diameter (see `proportions` for the frame)."""

from dataclasses import dataclass

import numpy as np

from trocar.model.space import Array
from trocar.phantoms.shapes import Shape, curve, tube
from trocar.phantoms.spine import FORAMINA

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Nerve:
    """A named course and the nerve's diameter."""

    name: str
    diameter_mm: float
    knots: tuple[Point, ...]

    @property
    def centerline(self) -> Array:
        """(n, 3) points about 2 mm apart."""
        return curve(self.knots, step_mm=2.0)

    def mirrored(self) -> "Nerve":
        return Nerve(self.name, self.diameter_mm, tuple((-x, y, z) for x, y, z in self.knots))

    @property
    def shape(self) -> Shape:
        line = self.centerline
        radius = np.full((len(line), 1), self.diameter_mm / 2)
        return tube(np.hstack([line, radius]).tolist(), smooth=False)


def nerves() -> tuple[Nerve, ...]:
    """The left nerves: L5 over the ala, S1 to S4 through their foramina, the sciatic through the greater notch, the
    femoral between psoas and iliacus, the obturator along the side wall."""
    return (
        Nerve(
            "nerve_root_l5", 5.0, ((6, 36, 125), (15, 37, 115), (24, 28, 108), (33, 13, 100), (41, 9, 90), (45, 14, 78))
        ),
        Nerve("nerve_root_s1", 5.5, (*_sacral(0, (6.5, 49, 108)), (33, 42, 60), (43, 44, 54))),
        Nerve("nerve_root_s2", 4.5, (*_sacral(1, (5, 63, 94)), (34, 60, 50), (47, 50, 47))),
        Nerve("nerve_root_s3", 3.5, (*_sacral(2, (4, 74, 78)), (34, 66, 38), (52, 56, 42))),
        Nerve("nerve_root_s4", 2.5, (*_sacral(3, (3, 82, 64)), (26, 68, 16), (34, 62, 8))),
        Nerve(
            "lumbosacral_trunk",
            5.0,
            ((38, 5, 122), (43, 6, 104), (45, 7, 91), (45, 14, 78), (44, 28, 66), (44, 43, 55)),
        ),
        Nerve(
            "sciatic_nerve",
            10.0,
            (
                (44, 43, 55),
                (51, 52, 44),
                (64, 58, 29),
                (74, 59, 12),
                (80, 56, -8),
                (86, 51, -30),
                (90, 48, -60),
                (91, 46, -90),
            ),
        ),
        Nerve(
            "femoral_nerve",
            5.0,
            (
                (46, 6, 134),
                (54, 5, 114),
                (58, -5, 97),
                (62, -19, 80),
                (70, -33, 62),
                (79, -44, 44),
                (84, -53, 22),
                (86, -57, 2),
                (88, -59, -24),
            ),
        ),
        Nerve(
            "obturator_nerve",
            3.5,
            (
                (38, 2, 124),
                (42, 9, 104),
                (45, 9, 84),
                (47, 10, 62),
                (46, 2, 38),
                (44, -12, 14),
                (40, -24, -2),
                (36, -32, -14),
                (34, -30, -36),
            ),
        ),
    )


def _sacral(level: int, leaves_sac: Point) -> tuple[Point, ...]:
    inner, bend, front, _, _ = FORAMINA[level]
    return leaves_sac, inner, bend, front


THECAL_SAC = (
    (0.0, 21.0, 175.0, 8.0), (0.0, 28.0, 150.0, 8.0), (0.0, 39.0, 126.0, 8.0), (0.0, 49.5, 109.0, 7.0),
    (0.0, 59.5, 97.0, 6.0), (0.0, 69.0, 85.0, 4.4), (0.0, 73.0, 80.0, 3.0),
)  # fmt: skip


def thecal_sac() -> Shape:
    """The dural sac, ending at S2."""
    return tube(THECAL_SAC)
