"""Hip bone, proximal femur and their joints, left side (see `proportions` for the frame)."""

from trocar.model.record import Vector
from trocar.phantoms.proportions import ILIAC_WING
from trocar.phantoms.shapes import Shape, ellipsoid, halfspace, intersect, ribbon, subtract, tube, union

HIP_CENTER: Vector = (84.0, 0.0, 0.0)
FEMORAL_HEAD_RADIUS_MM = 24.0
SOCKET_RADIUS_MM = 27.5
SOCKET_OPENING = (0.70, -0.28, -0.66)  # lateral, anteverted, downward


def hip() -> Shape:
    """The left hip bone: wing, roof and walls of the socket, ischium with its spine, pubic body and rami."""
    wing = ribbon(ILIAC_WING)
    crest = tube(
        [(72, 44, 143, 4.5), (88, 35, 148, 5.6), (104, 23, 149, 5.8), (116, 10, 143, 5.6), (127, -6, 130, 6),
         (131, -24, 116, 6.4), (130, -38, 104, 6), (126, -50, 90, 5.6)]
    )  # fmt: skip
    spines = union(
        ellipsoid((122, -56, 78), (6, 6.5, 8)),  # anterior superior
        ellipsoid((102, -40, 40), (6.5, 6.5, 9)),  # anterior inferior
        ellipsoid((49, 81, 92), (5, 6, 9)),  # posterior superior
    )
    socket = subtract(
        intersect(ellipsoid((82, 0, 2), (36, 35, 34)), halfspace((88, -1, -4), SOCKET_OPENING)),
        blend_mm=0.0,
    )
    walls = union(
        socket,
        tube([(70, 34, 26, 9), (64, 44, 12, 8), (58, 47, 0, 8), (60, 40, -16, 11)]),
        tube([(76, -30, 26, 8), (70, -32, 10, 9), (58, -32, -4, 9)]),
        blend_mm=7.0,
    )
    ischium = union(
        tube([(66, 36, 4, 11), (64, 32, -18, 12), (62, 35, -36, 14), (57, 32, -54, 12), (53, 27, -63, 8)]),
        tube([(58, 48, 8, 6), (51, 54, 2, 4), (46, 58, -1, 2.4)]),
        blend_mm=5.0,
    )
    pubis = union(
        tube([(70, -28, 6, 11), (55, -33, -5, 9), (38, -42, -13, 7.5), (22, -47, -20, 8.5), (13, -46, -27, 9)]),
        ellipsoid((12, -40, -32), (10, 13, 18)),
        tube([(11, -34, -44, 7.5), (24, -18, -56, 5.5), (38, 4, -63, 6), (52, 24, -62, 9)]),
        blend_mm=5.0,
    )
    whole = union(union(wing, crest, spines, blend_mm=5.0), walls, ischium, pubis, blend_mm=7.0)
    return subtract(
        intersect(whole, halfspace((2.4, 0, 0), (-1, 0, 0))),  # the symphysis
        ellipsoid(HIP_CENTER, (SOCKET_RADIUS_MM,) * 3),
        _socket_mouth(),
        blend_mm=1.5,
    )


def _socket_mouth() -> Shape:
    """The room in front of the socket that the femoral neck needs."""
    reach = [HIP_CENTER[n] + 30 * SOCKET_OPENING[n] for n in range(3)]
    return tube([(*HIP_CENTER, SOCKET_RADIUS_MM), (reach[0], reach[1], reach[2], 34.0)], smooth=False)


def femur() -> Shape:
    """The left proximal femur: head, neck, both trochanters and the upper shaft."""
    head = ellipsoid(HIP_CENTER, (FEMORAL_HEAD_RADIUS_MM,) * 3)
    neck = tube([(*HIP_CENTER, 18.0), (96, 6, -9, 15.5), (112, 14, -24, 17)])
    greater = union(ellipsoid((127, 24, -20), (11, 15, 21)), tube([(124, 28, -6, 8), (121, 33, 0, 5)]), blend_mm=4.0)
    lesser = ellipsoid((101, 30, -56), (8, 8, 10))
    shaft = tube([(116, 18, -28, 19), (116, 17, -50, 16.5), (115, 15, -75, 15), (114, 13, -100, 14.5)])
    return union(head, union(neck, greater, lesser, shaft, blend_mm=9.0), blend_mm=3.0)


def hip_cartilage() -> Shape:
    """The ball of cartilage and fluid between femoral head and socket (the head itself not yet taken out)."""
    ball = ellipsoid(HIP_CENTER, (SOCKET_RADIUS_MM,) * 3)
    return intersect(ball, halfspace((90, -2.4, -5.7), SOCKET_OPENING))


def symphysis() -> Shape:
    """The disc between the pubic bodies."""
    return ellipsoid((0, -42, -30), (3.0, 12, 18), power=3)
