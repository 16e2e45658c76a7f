"""A map of the skin: from where a target can be reached, and what excludes every other point."""

import numpy as np

from trocar.model.space import Array, as_vector
from trocar.model.treatment import EntryExclusion, EntryMap
from trocar.planning.paths import Instrument, Paths, search
from trocar.planning.surroundings import Surroundings

DIRECTIONS = 1600


def entry_map(
    around: Surroundings, tool: Instrument, up: Array, *, position: str, target: Array | None = None
) -> EntryMap:
    """The skin as seen from a target (without one the lesion's center), for one instrument in one position.

    Points where the image ends before the skin are left out: nothing is known of the skin there.
    """
    center = around.lesion_frame[0] if target is None else target
    paths = search(around, center, tool, up, directions=DIRECTIONS)
    rows = np.flatnonzero(np.isfinite(paths.length_mm) & (paths.reason != paths.reasons.index("field_of_view")))
    refused = [_excluded_by(around, paths, int(row)) for row in rows]
    order = {key: number for number, key in enumerate(sorted({key for key in refused if key}), start=1)}
    return EntryMap(
        device=tool.device,
        position=position,
        target_lps_mm=as_vector(np.round(center, 2)),
        exclusions=tuple(EntryExclusion(constraint=key.split("|")[0], structure=key.split("|")[1]) for key in order),
        points_lps_mm=tuple(as_vector(point) for point in np.round(paths.ends_lps_mm(rows), 1)),
        excluded_by=tuple(order.get(key, 0) for key in refused),
    )


def _excluded_by(around: Surroundings, paths: Paths, row: int) -> str:
    """`constraint|structure` of what refuses a path, empty for an admissible one."""
    number = int(paths.reason[row])
    if number == 0:
        return ""
    constraint = paths.reasons[number]
    for column, barrier in enumerate(around.barriers):
        if barrier.rule.constraint == constraint:
            return f"{constraint}|{barrier.names[paths.nearest[row, column]]}"
    return f"{constraint}|"
