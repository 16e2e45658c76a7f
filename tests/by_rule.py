"""Probes on a parallel grid placed by rule: what the search must beat."""

from collections.abc import Iterator
from dataclasses import replace

from trocar.model.space import as_vector
from trocar.planning.bundles import approaches, place
from trocar.planning.coverage import chosen_probe
from trocar.planning.layout import Bundle

GRID_MM = 12.0


def grids_by_rule(around, up, step) -> Iterator:
    """The step with as many probes on a grid of 12 mm, along each way in that takes them, the cheapest first."""
    tool, _ = chosen_probe(around)
    count = len(step.placements)
    paths, directions = approaches(around, tool, up)
    for index in directions:
        bundle = Bundle(
            outward=as_vector(paths.outward[index]),
            pattern={1: "single", 2: "row", 3: "row", 4: "rectangle"}[count],
            count=count,
            spacing_mm=GRID_MM,
            stretch_frac=1.0,
            turn_deg=0.0,
        )
        placed = place(around, tool, up, bundle)
        if placed is not None:
            yield replace(step, placements=_along(step, placed.paths))


def _along(step, paths):
    return tuple(
        replace(
            item,
            entry_lps_mm=path.start_lps_mm,
            skin_lps_mm=path.start_lps_mm,
            target_lps_mm=path.end_lps_mm,
            length_mm=path.length_mm,
        )
        for item, path in zip(step.placements, paths, strict=True)
    )
