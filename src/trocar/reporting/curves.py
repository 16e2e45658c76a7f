"""Temperature over time at the nerves, the lowest under ice, the highest under heat, as inline SVG in a language."""

import numpy as np

from trocar.model.finding import History
from trocar.reporting import svg
from trocar.reporting.language import Language
from trocar.reporting.words import structure_name

WIDTH, HEIGHT = 900, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 240, 20, 50
FOLLOWED_MIN = 0.5  # beyond a protocol's end, from which on that end is marked
DASHES = ("", "9 4", "2 4", "12 4 2 4", "5 5", "16 5", "3 3 9 3", "1 5")


def curves(
    histories: tuple[History, ...],
    limits: tuple[tuple[float, str], ...],
    language: Language,
    *,
    ends_s: float | None = None,
    heats: bool = False,
) -> str:
    """The lowest temperature on each structure over the minutes of a step, with limit lines (degC, source key).

    The highest one of a step that heats. `ends_s`: when its protocol ends, after which tissue is only followed on.
    """
    end_min = max(max(history.time_s) for history in histories) / 60.0
    frame = _frame(histories, max(end_min, 1.0), heats=heats)
    shown = sorted(histories, key=lambda history: _worst(history, heats) * (-1 if heats else 1))[: len(DASHES)]
    parts = [_axes(frame, language), *(_limit(frame, value, key, language) for value, key in limits)]
    if ends_s is not None and ends_s / 60.0 < end_min - FOLLOWED_MIN:
        parts.append(_end(frame, ends_s / 60.0, language))
    for n, history in enumerate(shown):
        times = np.asarray(history.time_s) / 60.0
        points = [frame.at(t, v) for t, v in zip(times, _followed(history, heats), strict=True)]
        dashes = DASHES[n] or "none"
        parts.append(svg.path(points, class_=f"curve c{n}", stroke_dasharray=dashes))
    parts.append(_legend(shown, language, heats=heats))
    title = language(
        "Highest temperature on each nerve over time, in degrees Celsius; the table above gives the figures."
    ) if heats else language(
        "Lowest temperature on each nerve over time, in degrees Celsius; the table above gives the figures."
    )  # fmt: skip
    return svg.tag(
        "svg", "".join(parts), viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=title, class_="curves"
    )


def _followed(history: History, heats: bool) -> tuple[float, ...]:
    return history.maximum_degC if heats else history.minimum_degC


def _worst(history: History, heats: bool) -> float:
    return max(history.maximum_degC) if heats else min(history.minimum_degC)


def _frame(histories: tuple[History, ...], end_min: float, *, heats: bool) -> "_Frame":
    worst = [_worst(history, heats) for history in histories]
    if heats:
        high_degC = 10.0 * np.ceil(max(*worst, 50.0) / 10.0)
        return _Frame(end_min=end_min, low_degC=30.0, high_degC=float(high_degC))
    low_degC = 10.0 * np.floor(min(*worst, 0.0) / 10.0)
    return _Frame(end_min=end_min, low_degC=float(low_degC), high_degC=40.0)


class _Frame:
    """Where a time and a temperature stand on the drawing."""

    def __init__(self, *, end_min: float, low_degC: float, high_degC: float) -> None:
        self.end_min, self.low_degC, self.high_degC = end_min, low_degC, high_degC

    def at(self, time_min: float, degC: float) -> tuple[float, float]:
        across = (WIDTH - LEFT - RIGHT) * time_min / self.end_min
        down = (HEIGHT - TOP - BOTTOM) * (self.high_degC - degC) / (self.high_degC - self.low_degC)
        return LEFT + float(across), TOP + float(down)


def _axes(frame: _Frame, language: Language) -> str:
    parts = []
    for degC in np.arange(frame.low_degC, frame.high_degC + 1, 10.0):
        (x0, y), (x1, _) = frame.at(0, degC), frame.at(frame.end_min, degC)
        parts.append(svg.path([(x0, y), (x1, y)], class_="grid"))
        parts.append(svg.text(language.number(float(degC), "", digits=0), x0 - 8, y + 5, class_="tick end"))
    step = next(step for step in (1, 2, 5, 10, 20, 50) if frame.end_min / step <= 10)
    for minute in np.arange(0, frame.end_min + 0.01, step):
        x, y = frame.at(float(minute), frame.low_degC)
        parts.append(svg.text(language.number(float(minute), "", digits=0), x, y + 20, class_="tick middle"))
    bottom = frame.at(frame.end_min / 2, frame.low_degC)
    parts.append(svg.text(language("time in the step (min)"), bottom[0], bottom[1] + 42, class_="tick middle"))
    parts.append(svg.text("°C", 16, TOP + 5, class_="tick"))
    return "".join(parts)


def _limit(frame: _Frame, degC: float, key: str, language: Language) -> str:
    start, end = frame.at(0, degC), frame.at(frame.end_min, degC)
    label = f"{language.number(degC, 'degC', digits=0)} [{key}]"
    return svg.path([start, end], class_="limit") + svg.text(
        label, start[0] + 6, start[1] - 5, class_="tick limit-label"
    )


def _end(frame: _Frame, time_min: float, language: Language) -> str:
    foot, top = frame.at(time_min, frame.low_degC), frame.at(time_min, frame.high_degC)
    label = svg.text(language("end of the protocol"), foot[0] + 5, foot[1] - 6, class_="tick faint")
    return svg.path([foot, top], class_="grid", stroke_dasharray="4 4") + label


def _legend(histories: list[History], language: Language, *, heats: bool) -> str:
    parts = []
    for n, history in enumerate(histories):
        row = TOP + 14 + 40 * n
        x = WIDTH - RIGHT + 16
        dashes = DASHES[n] or "none"
        parts.append(svg.path([(x, row), (x + 34, row)], class_=f"curve c{n}", stroke_dasharray=dashes))
        parts.append(svg.text(structure_name(history.name, language), x + 42, row + 5, class_="tick"))
        worst = language.number(_worst(history, heats), "degC")
        parts.append(svg.text(worst, x + 42, row + 22, class_="tick faint"))
    return "".join(parts)
