"""What the generators of a heating step did over time: power, resistance and temperature, one below the other."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from trocar.model.finding import HeatingTrace
from trocar.reporting import svg
from trocar.reporting.curves import DASHES
from trocar.reporting.language import Language

WIDTH, STRIP, GAP = 900, 150, 34
LEFT, RIGHT, TOP, BOTTOM = 70, 240, 26, 50


class _Strip(NamedTuple):
    """One quantity of all instruments."""

    title: str
    values_of: Callable[[HeatingTrace], tuple[float, ...]]


def trace_figure(traces: tuple[HeatingTrace, ...], language: Language) -> str:
    """The traces of one step, one line for each instrument; the resistance where any measures it."""
    strips = [_Strip(language("power (W)"), lambda trace: trace.power_W)]
    if any(trace.resistance_ohm for trace in traces):
        strips.append(_Strip(language("resistance (Ω)"), lambda trace: trace.resistance_ohm))
    strips.append(_Strip(language("temperature at the instrument (°C)"), lambda trace: trace.temperature_degC))
    end_min = max(max(trace.time_s) - min(trace.time_s) for trace in traces) / 60.0
    parts = [_strip(n, strip, traces, max(end_min, 0.1), language) for n, strip in enumerate(strips)]
    height = TOP + len(strips) * (STRIP + GAP) - GAP + BOTTOM
    parts += [_minutes(max(end_min, 0.1), height, language), _legend(traces, language)]
    title = language("Power, resistance and temperature of each instrument over time.")
    return svg.tag(
        "svg", "".join(parts), viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=title, class_="curves"
    )


def _strip(n: int, strip: _Strip, traces: tuple[HeatingTrace, ...], end_min: float, language: Language) -> str:
    top = TOP + n * (STRIP + GAP)
    known = [(trace, strip.values_of(trace)) for trace in traces if strip.values_of(trace)]
    ticks = _ticks(min(min(values) for _, values in known), max(max(values) for _, values in known))
    low, high = ticks[0], ticks[-1]
    right = WIDTH - RIGHT

    def row(value: float) -> float:
        return top + STRIP * (high - value) / (high - low)

    parts = [svg.text(strip.title, LEFT, top - 8, class_="tick")]
    for tick in ticks:
        parts.append(svg.path([(LEFT, row(tick)), (right, row(tick))], class_="grid"))
        parts.append(svg.text(language.number(tick, "", digits=0), LEFT - 8, row(tick) + 5, class_="tick end"))
    for trace, values in known:
        at = traces.index(trace)
        minutes = (np.asarray(trace.time_s) - trace.time_s[0]) / 60.0
        line = [(LEFT + (right - LEFT) * t / end_min, row(v)) for t, v in zip(minutes, values, strict=True)]
        dashes = DASHES[at % len(DASHES)] or "none"
        parts.append(svg.path(line, class_=f"curve c{at % len(DASHES)}", stroke_dasharray=dashes))
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round values that hold both ends; from 0 where that is near."""
    if low < 0.5 * high:
        low = 0.0
    step = next(
        s for s in (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 1e4, 1e6) if (high - low) / s <= 5
    )
    first, last = step * np.floor(low / step), step * np.ceil(high / step)
    count = max(round((last - first) / step), 1)
    return [float(first + n * step) for n in range(count + 1)]


def _minutes(end_min: float, height: float, language: Language) -> str:
    right, parts = WIDTH - RIGHT, []
    step = next(step for step in (0.5, 1, 2, 5, 10, 20, 50) if end_min / step <= 10)
    for minute in np.arange(0, end_min + 0.01, step):
        x = LEFT + (right - LEFT) * float(minute) / end_min
        shown = language.number(float(minute), "", digits=0 if step >= 1 else 1)
        parts.append(svg.text(shown, x, height - BOTTOM + 20, class_="tick middle"))
    middle = (LEFT + right) / 2
    parts.append(svg.text(language("time in the step (min)"), middle, height - BOTTOM + 42, class_="tick middle"))
    return "".join(parts)


def _legend(traces: tuple[HeatingTrace, ...], language: Language) -> str:
    parts, x = [], WIDTH - RIGHT + 16
    for n, trace in enumerate(traces[: len(DASHES)]):
        row = TOP + 14 + 40 * n
        parts.append(svg.path([(x, row), (x + 34, row)], class_=f"curve c{n}", stroke_dasharray=DASHES[n] or "none"))
        parts.append(svg.text(trace.name, x + 42, row + 5, class_="tick"))
        energy = language.number(trace.energy_J / 1000.0, "kJ", digits=2)
        parts.append(svg.text(energy, x + 42, row + 22, class_="tick faint"))
    return "".join(parts)
