"""Straight paths from the skin to a target: how a path is chosen among those traced, and what it becomes."""

from collections.abc import Iterable

from trocar.model.space import Segment
from trocar.model.treatment import Placement
from trocar.planning.directions import spread
from trocar.planning.obstacles import Obstacle
from trocar.planning.paths import Instrument, Paths, instrument, search, trace
from trocar.planning.refusals import rejections, written
from trocar.planning.surroundings import Surroundings

__all__ = [
    "Instrument", "Paths", "clear", "diverse", "first_clear", "instrument", "needle", "rejections", "search", "trace",
    "written",
]  # fmt: skip


def clear(obstacles: Iterable[Obstacle], axis: Segment, tool: Instrument) -> bool:
    """Whether an instrument keeps every hard clearance, measured exactly."""
    return all(
        obstacle.is_clear(axis, tool.radius_mm, obstacle.rule.hard_mm + tool.kept_free_mm(obstacle.stray_mm))
        for obstacle in obstacles
        if obstacle.name not in tool.ignores
    )


def first_clear(around: Surroundings, paths: Paths, tool: Instrument, *, attempts: int = 40) -> int | None:
    """The cheapest admissible path that also passes the exact check; None when none of the first attempts does."""
    return next(
        (int(index) for index in paths.best_first[:attempts] if clear(around.obstacles, paths.segment(index), tool)),
        None,
    )


def diverse(paths: Paths, *, apart_deg: float, count: int) -> list[int]:
    """The cheapest admissible paths whose directions differ by at least `apart_deg`."""
    return spread(paths.outward, paths.best_first, apart_deg=apart_deg, count=count)


def needle(tool: Instrument, path: Segment, name: str, *, volume_ml: float | None = None) -> Placement:
    """A placement from the skin to the target along a path."""
    return Placement(
        device=tool.device,
        role=tool.role,
        name=name,
        entry_lps_mm=path.start_lps_mm,
        target_lps_mm=path.end_lps_mm,
        skin_lps_mm=path.start_lps_mm,
        length_mm=path.length_mm,
        diameter_mm=tool.diameter_mm,
        volume_ml=volume_ml,
    )
