"""Bladder, prostate, rectum, colon, small bowel, ureters (see `proportions` for the frame); not symmetric."""

import numpy as np

from trocar.phantoms.shapes import Knot, Shape, ellipsoid, tube, union

RECTUM: tuple[Knot, ...] = (
    (0, 44, -72, 9),
    (0, 40, -48, 12),
    (1, 46, -25, 15),
    (0, 57, 4, 17),
    (-3, 61, 26, 15),
    (2, 52, 44, 12),
)
SIGMOID: tuple[Knot, ...] = (
    (2, 52, 44, 12), (12, 36, 56, 12), (4, 14, 64, 13), (-18, -10, 66, 13), (-22, -38, 58, 14), (-2, -56, 56, 14),
    (20, -66, 66, 13), (40, -72, 82, 13), (62, -74, 97, 13), (84, -58, 109, 13),
)  # fmt: skip
DESCENDING: tuple[Knot, ...] = ((84, -58, 109, 13), (99, -43, 126, 14), (106, -36, 146, 15), (110, -28, 175, 16))
CAECUM: tuple[Knot, ...] = (
    (-84, -52, 62, 15),
    (-92, -44, 80, 22),
    (-98, -34, 104, 24),
    (-104, -24, 136, 22),
    (-108, -18, 175, 21),
)


def colon() -> Shape:
    """Sigmoid and descending colon on the left, caecum and ascending colon on the right."""
    return union(tube(SIGMOID), tube(DESCENDING), _haustra(CAECUM))


def _haustra(knots: tuple[Knot, ...]) -> Shape:
    return tube([(x, y, z, r * (1.0 if n % 2 else 0.9)) for n, (x, y, z, r) in enumerate(knots)])


def colon_gas() -> Shape:
    """Gas collects in front (the patient lies on his back)."""
    return union(
        *[
            tube([(x, y - 0.40 * r, z, 0.5 * r) for x, y, z, r in knots])
            for knots in (SIGMOID[4:8], DESCENDING, CAECUM[1:])
        ]
    )


def rectum() -> Shape:
    return tube(RECTUM)


def rectal_gas() -> Shape:
    return tube([(0, 40, -12, 4), (0, 48, 4, 7), (-2, 53, 22, 5)])


def small_bowel() -> Shape:
    """Loops in the lower abdomen, hung between colon and caecum."""
    return union(*[tube(knots) for knots in _loops()])


def small_bowel_gas() -> Shape:
    return union(*[tube([(x, y - 4.5, z, 3.8) for x, y, z, _ in knots[1:4]]) for knots in _loops()[::2]])


def _loops() -> list[list[Knot]]:
    loops = []
    for layer, (y, low, high) in enumerate(((-82.0, 92.0, 172.0), (-58.0, 84.0, 172.0))):
        for row, z in enumerate(np.arange(low, high, 25.0)):
            phase = 0.9 * row + 1.7 * layer
            reach = 58.0 - 8.0 * layer
            across = np.linspace(-reach, reach, 7)
            wave = 8.5 * np.sin(0.11 * across * 1.6 + phase)
            loops.append(
                [
                    (
                        float(x) + 4 * np.sin(phase),
                        y + 5.0 * float(np.cos(0.07 * x + phase)),
                        float(z + w),
                        10.0 + 1.5 * float(np.sin(3 * phase + x)),
                    )
                    for x, w in zip(across, wave, strict=True)
                ]
            )
    return loops


def bladder() -> Shape:
    return ellipsoid((0, -30, 10), (40, 35, 28), power=2.3)


def prostate() -> Shape:
    return union(
        ellipsoid((0, -4, -30), (21, 16, 17)), *[tube([(4, 10, -10, 4), (22, 20, 0, 5), (32, 22, 4, 3)])], blend_mm=3.0
    )


def ureter() -> Shape:
    """The left ureter: on the psoas, across the iliac vessels, along the side wall to the bladder."""
    return tube(
        [
            (46, -24, 175, 2),
            (44, -24, 140, 2),
            (42, -21, 108, 2),
            (42, -12, 88, 2),
            (45, 8, 64, 2),
            (40, 18, 36, 2),
            (26, 6, 14, 2),
            (15, -2, 6, 2),
        ]
    )
