"""A schedule as lines for a person, and as values for `--json`."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from trocar.cli.summary import check_line
from trocar.model.schedule import Schedule
from trocar.model.treatment import Duration


def clock_lines(schedule: Schedule, order: tuple[str, ...]) -> Iterator[str]:
    """Steps in order with their start (low, typical, high) and end, the cement, the looks, the checks."""
    if len(order) > 1:
        yield f"lesions in this order: {', '.join(order)}"
    if not schedule.steps:
        yield "there is nothing to schedule: the option holds no step; see what trocar propose says"
        return
    for step in schedule.steps:
        held = ", ".join(step.resources) or "nothing"
        yield f"{_clock(step.start_min)} to {step.end_min.typical:4.0f}  {step.id}: {held} [{step.source}]"
    for change in schedule.position_changes:
        yield f"{change.step}: {change.before or 'not decided'} to {change.after or 'not decided'}"
    for batch in schedule.batches:
        window = "unknown" if batch.window_s is None else f"{batch.window_s:.0f} s"
        yield f"{batch.id}: {', '.join(batch.steps)} within {window} [{batch.source}]"
        if batch.set_at_s is not None:
            yield f"{batch.id}: set {batch.set_at_s / 60:.0f} min after the start of mixing [{batch.set_source}]"
    for point in schedule.controls:
        yield f"{_clock(point.at_min)}  look {point.id} ({point.step}): {point.text.en}"
    total = schedule.total_min
    yield f"in all {total.typical:.0f} min ({total.low:.0f} to {total.high:.0f})"
    for check in schedule.checks:
        yield check_line(check)


def clock_values(schedule: Schedule, order: tuple[str, ...]) -> dict[str, Any]:
    """The same for `--json`."""
    return {"schema": "trocar/schedule/1", "lesion_order": list(order), **dataclasses.asdict(schedule)}


def _clock(moment: Duration) -> str:
    return f"{moment.typical:4.0f} ({moment.low:.0f} to {moment.high:.0f}) min"
