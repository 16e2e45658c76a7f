"""Iliac arteries and veins and the superior gluteal arteries (see `proportions` for the frame)."""

from trocar.phantoms.shapes import Knot, Shape, tube, union

AORTA: tuple[Knot, ...] = ((9, -40, 175, 9.0), (8, -39, 150, 8.5), (4, -37, 134, 8.0))
VENA_CAVA: tuple[Knot, ...] = ((-14, -36, 175, 10.5), (-14, -35, 150, 10.0), (-13, -29, 126, 9.5))
COMMON_ARTERY: tuple[Knot, ...] = ((4, -37, 134, 6.0), (18, -26, 116, 5.6), (31, -10, 97, 5.2), (35, -6, 90, 5.0))
EXTERNAL_ARTERY: tuple[Knot, ...] = (
    (35, -6, 90, 4.6), (42, -14, 74, 4.5), (49, -28, 52, 4.4), (60, -45, 28, 4.4), (70, -54, 8, 4.4),
    (75, -55, -18, 4.3), (78, -54, -60, 4.2), (80, -52, -90, 4.0),
)  # fmt: skip
INTERNAL_ARTERY: tuple[Knot, ...] = ((35, -6, 90, 4.0), (40, 8, 78, 3.8), (46, 26, 65, 3.5), (50, 40, 55, 3.0))
SUPERIOR_GLUTEAL: tuple[Knot, ...] = (
    (50, 40, 55, 2.6), (58, 50, 49, 2.6), (69, 52, 47, 2.5), (80, 46, 51, 2.3), (92, 37, 60, 2.0), (106, 26, 68, 1.7),
)  # fmt: skip
COMMON_VEIN_LEFT: tuple[Knot, ...] = ((-12, -27, 124, 7.5), (8, -17, 110, 7.2), (28, 0, 92, 6.8), (38, 5, 80, 6.4))
COMMON_VEIN_RIGHT: tuple[Knot, ...] = ((-13, -29, 126, 7.5), (-22, -14, 108, 7.2), (-32, 0, 92, 6.8), (-38, 5, 80, 6.4))
EXTERNAL_VEIN: tuple[Knot, ...] = (
    (38, 5, 80, 5.8), (44, -6, 62, 5.6), (50, -22, 42, 5.4), (56, -37, 20, 5.4), (62, -44, 0, 5.2),
    (66, -45, -30, 5.0), (69, -44, -65, 4.8), (70, -43, -90, 4.8),
)  # fmt: skip
INTERNAL_VEIN: tuple[Knot, ...] = ((38, 5, 80, 5.0), (44, 20, 68, 4.6), (50, 36, 54, 4.0))


def aorta() -> Shape:
    """The lowest part of the aorta, to its division at L4."""
    return tube(AORTA)


def vena_cava() -> Shape:
    """The lowest part of the inferior vena cava."""
    return tube(VENA_CAVA)


def iliac_artery() -> Shape:
    """Common, external, internal and common femoral artery of the left side."""
    return union(tube(COMMON_ARTERY), tube(EXTERNAL_ARTERY), tube(INTERNAL_ARTERY))


def superior_gluteal_artery() -> Shape:
    """The left one, from the pelvis through the greater notch to between the gluteal muscles."""
    return tube(SUPERIOR_GLUTEAL)


def iliac_vein() -> Shape:
    """External, internal and common femoral vein of the left side, without the common one."""
    return union(tube(EXTERNAL_VEIN), tube(INTERNAL_VEIN))


def common_iliac_veins() -> tuple[Shape, Shape]:
    """The left one, which crosses the midline to the vena cava, and the right one."""
    return tube(COMMON_VEIN_LEFT), tube(COMMON_VEIN_RIGHT)


def sacral_feeders() -> Shape:
    """Lateral sacral and iliolumbar branches that a hypervascular tumor of the left ala draws; only when enhanced."""
    return union(
        tube([(42, 14, 74, 1.4), (38, 20, 80, 1.2), (36, 27, 82, 1.2), (34, 36, 86, 1.0), (30, 44, 92, 0.9)]),
        tube([(38, 2, 84, 1.4), (40, 12, 93, 1.2), (38, 24, 98, 1.1), (34, 36, 96, 1.0), (38, 46, 90, 0.9)]),
        tube([(46, 26, 65, 1.3), (38, 36, 68, 1.1), (32, 42, 74, 1.0), (28, 40, 84, 0.9)]),
    )
