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
    """The rectum along the sacral hollow, down to the anal canal."""
    return tube(RECTUM)


def rectal_gas() -> Shape:
    """A pocket of gas in the rectal ampulla."""
    return tube([(0, 40, -12, 4), (0, 48, 4, 7), (-2, 53, 22, 5)])


def small_bowel_loops(count: int = 22) -> tuple[tuple[Shape, Shape | None], ...]:
    """Arcs of small bowel between colon, caecum and bladder, each with the gas in it or none; always the same ones."""
    rng = np.random.default_rng(2026)
    loops = []
    for n in range(count):
        z = 56.0 + 118.0 * (n + 0.5) / count
        center = np.array([rng.uniform(-52, 52), rng.uniform(-86, -48), z])
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        angle = np.linspace(0, rng.uniform(0.9, 1.5) * np.pi, 7)
        reach, radius = rng.uniform(19, 27), rng.uniform(9.0, 12.5)
        arc = center + reach * (np.cos(angle)[:, None] * turn[0] + np.sin(angle)[:, None] * turn[1]) * (1, 0.6, 0.7)
        knots: list[Knot] = [(float(x), float(y), float(h), float(radius)) for x, y, h in arc]
        gas = tube([(x, y - 0.4 * r, h, 0.45 * r) for x, y, h, r in knots[2:5]]) if n % 3 == 0 else None
        loops.append((tube(knots), gas))
    return tuple(loops)


def mesentery(count: int = 26) -> Shape:
    """Small vessels in the fat between the loops; always the same ones."""
    rng = np.random.default_rng(7)
    twigs = []
    for _ in range(count):
        root = np.array([rng.uniform(-12, 12), -34.0, rng.uniform(95, 150)])
        end = np.array([rng.uniform(-68, 68), rng.uniform(-88, -46), rng.uniform(50, 165)])
        middle = (root + end) / 2 + rng.normal(scale=7, size=3)
        path = ((root + middle) / 2, middle, end)
        twigs.append(tube([(*(float(v) for v in p), r) for p, r in zip(path, (1.7, 1.4, 0.9), strict=True)]))  # type: ignore[misc]
    return union(*twigs)


def bladder() -> Shape:
    """A half-filled bladder."""
    return ellipsoid((0, -30, 10), (40, 35, 28), power=2.3)


def prostate() -> Shape:
    """Prostate and seminal vesicles."""
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
