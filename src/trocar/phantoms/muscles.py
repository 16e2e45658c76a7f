"""Muscles of the left side and the outline of the body (see `proportions` for the frame)."""

import numpy as np

from trocar.model.space import Array
from trocar.phantoms.proportions import GLUTEUS_MAXIMUS, GLUTEUS_MEDIUS, GLUTEUS_MINIMUS, ILIACUS
from trocar.phantoms.shapes import Shape, column, halfspace, intersect, ribbon, tube, union

# z, half width, depth to the back, depth to the front: a man of 78 kg lying on his back
BODY = (
    (-130, 172, 100, 78), (-72, 178, 112, 82), (-40, 181, 118, 86), (-10, 178, 121, 96), (20, 172, 121, 105),
    (45, 164, 119, 111), (70, 157, 116, 116), (100, 160, 110, 121), (130, 158, 106, 123), (165, 161, 105, 124),
    (220, 161, 104, 122),
)  # fmt: skip


def trunk() -> Shape:
    """The outline of trunk and thighs, as if one."""
    angles = np.radians(np.arange(0, 360, 15))
    levels = [(z, 0.0, 0.0, _outline(angles, width, back, front)) for z, width, back, front in BODY]
    return column(levels)


def cleft() -> Shape:
    """The furrow between the buttocks."""
    return tube([(0, 126, 52, 3), (0, 121, 30, 7), (0, 112, 0, 10), (0, 104, -40, 13), (0, 100, -80, 15)])


def _outline(angles: Array, width: float, back: float, front: float) -> list[float]:
    """Radii of an egg-shaped outline, flatter at the back than at the front."""
    depth = np.where(np.sin(angles) > 0, back, front)
    power = np.where(np.sin(angles) > 0, 2.9, 2.35)
    c, s = np.abs(np.cos(angles)) / width, np.abs(np.sin(angles)) / depth
    return [float(r) for r in (c**power + s**power) ** (-1 / power)]


def muscles() -> dict[str, Shape]:
    """Left muscles by name, in the order in which they are painted."""
    return {
        "quadriceps_femoris": quadriceps(),
        "adductors": adductors(),
        "quadratus_femoris": tube([(62, 40, -34, 8), (84, 40, -36, 8), (106, 34, -40, 7)]),
        "hamstrings": tube([(60, 42, -44, 7), (70, 44, -58, 13), (80, 40, -90, 22)]),
        "obturator_internus": obturator_internus(),
        "gluteus_maximus": ribbon(GLUTEUS_MAXIMUS),
        "gluteus_medius": ribbon(GLUTEUS_MEDIUS),
        "gluteus_minimus": ribbon(GLUTEUS_MINIMUS),
        "piriformis": tube(
            [
                (20, 68, 46, 8),
                (36, 66, 44, 9.5),
                (58, 60, 38, 10),
                (84, 46, 22, 8),
                (104, 36, 10, 5.5),
                (120, 27, 2, 3.5),
            ]
        ),
        "iliopsoas": union(psoas(), ribbon(ILIACUS), blend_mm=2.0),
        "autochthon": autochthon(),
    }


def psoas() -> Shape:
    """The psoas down to the lesser trochanter."""
    return tube(
        [(40, -14, 172, 13), (43, -13, 150, 14.5), (48, -8, 118, 14), (57, -8, 96, 13.5), (66, -8, 78, 13.5),
         (71, -16, 60, 13), (74, -28, 42, 12), (77, -37, 24, 11), (84, -41, 8, 10), (93, -39, -8, 10.5),
         (98, -30, -22, 9), (102, -6, -42, 7), (101, 20, -55, 5)]
    )  # fmt: skip


def autochthon() -> Shape:
    """Erector spinae and multifidus."""
    return union(
        tube(
            [(18, 97, 68, 4), (20, 86, 98, 10), (22, 74, 118, 15), (28, 66, 134, 19), (33, 58, 170, 22)]
        ),
        tube([(40, 72, 122, 6), (46, 60, 138, 12), (52, 52, 170, 15)]),
        blend_mm=4.0,
    )  # fmt: skip


def quadriceps() -> Shape:
    """Rectus femoris, vasti, tensor and sartorius of the upper thigh."""
    return union(
        tube([(103, -48, 30, 4), (107, -52, 10, 11), (110, -52, -20, 16), (108, -50, -60, 21), (107, -48, -95, 24)]),
        tube([(124, -56, 68, 4), (132, -50, 40, 8), (138, -40, 8, 10), (142, -30, -30, 11), (141, -22, -80, 11)]),
        tube([(130, -8, -26, 8), (132, -4, -45, 18), (130, 0, -90, 26)]),
        tube([(104, -20, -36, 7), (106, -16, -58, 14), (108, -12, -95, 19)]),
        tube([(118, -62, 62, 3), (106, -66, 22, 6.5), (92, -68, -20, 7.5), (78, -64, -80, 8)]),
        blend_mm=1.5,
    )


def adductors() -> Shape:
    """Pectineus, the adductors and obturator externus."""
    return union(
        tube([(26, -46, -28, 6), (44, -44, -48, 11), (66, -34, -90, 17)]),
        tube([(26, -20, -46, 7), (42, -12, -64, 18), (58, 4, -100, 30)]),
        tube([(56, -30, -22, 8), (70, -32, -45, 14), (80, -26, -90, 16)]),
        tube([(44, -30, -20, 8), (72, -6, -30, 9), (100, 22, -36, 6)]),  # obturator externus
        blend_mm=1.5,
    )


def obturator_internus() -> Shape:
    """From the inner face of the obturator foramen around the ischium to the trochanter."""
    return union(
        tube(
            [
                (34, -28, -26, 6),
                (41, -4, -22, 7.5),
                (46, 22, -14, 8),
                (50, 46, -8, 6),
                (70, 54, -8, 5),
                (104, 34, -4, 3.5),
            ]
        ),
        tube([(41, -12, 4, 4), (44, 12, 6, 5), (48, 38, 2, 4)]),
        blend_mm=6.0,
    )


def wall_cut() -> Shape:
    """Where the left half of the abdominal wall is: above the groin, in front of the iliac crest."""
    groin = halfspace((18, 0, -22), (0.69, 0.0, -0.72))
    front = halfspace((0, -60, 0), (0, 1, 0))
    above_crest = halfspace((0, -54, 78), (0, 1.0, -0.9))

    def before(x: Array, y: Array, z: Array) -> Array:
        return np.minimum(front.distance(x, y, z), above_crest.distance(x, y, z))

    middle = halfspace((1.5, 0, 0), (-1, 0, 0))
    return intersect(groin, Shape(groin.low, groin.high, before), middle)


WALL_MM = (17.0, 28.0)  # how deep under the skin the flat muscles begin and end


def hip_capsule() -> Shape:
    """Capsule and ligaments around the hip joint."""
    return tube([(84, 0, 0, 31.5), (98, 6, -10, 25), (112, 14, -24, 21)])


def levator_ani() -> Shape:
    """The sling of the pelvic floor, left half: from the side wall down to the anal canal."""
    return ribbon(
        (
            (-66, ((9, 30, 2.6), (11, 38, 3.2), (8, 47, 2.6))),
            (-44, ((14, 16, 2.4), (18, 30, 2.6), (13, 46, 2.4))),
            (-22, ((28, -8, 2.2), (33, 22, 2.2), (24, 54, 2.2))),
            (0, ((42, -14, 1.8), (45, 20, 1.8), (38, 58, 1.8))),
        )
    )
