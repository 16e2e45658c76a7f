"""How far two straight instruments run from each other."""

import numpy as np

from trocar.model.space import Segment


def axis_gap_mm(first: Segment, second: Segment) -> float:
    """The least distance between two segments."""
    a, b = np.asarray(first.start_lps_mm), np.asarray(second.start_lps_mm)
    u, v = first.direction * first.length_mm, second.direction * second.length_mm
    offset = a - b
    uu, vv, uv = float(u @ u), float(v @ v), float(u @ v)
    uw, vw = float(u @ offset), float(v @ offset)
    across = uu * vv - uv * uv
    s = float(np.clip((uv * vw - vv * uw) / across, 0.0, 1.0)) if across > 1e-9 * uu * vv else 0.0
    t = (uv * s + vw) / vv
    if not 0.0 <= t <= 1.0:
        t = float(np.clip(t, 0.0, 1.0))
        s = float(np.clip((uv * t - uw) / uu, 0.0, 1.0))
    return float(np.linalg.norm(offset + s * u - t * v))


def angle_deg(first: Segment, second: Segment) -> float:
    """The angle between two axes, 0 to 90."""
    return float(np.degrees(np.arccos(np.clip(abs(first.direction @ second.direction), 0.0, 1.0))))
