"""Load over strength as bars: the bone's states under each load, with the range over the density laws; inline SVG."""

from trocar.model.strength import LoadedState, Strength
from trocar.reporting import strengths, svg
from trocar.reporting.language import Language
from trocar.reporting.words import word

WIDTH, LEFT, RIGHT = 900, 300, 90
ROW, GAP, TOP, BOTTOM = 24, 38, 34, 46
FILLS = {
    "intact_estimate": "#7a8793", "before": "#b2182b", "ablated": "#8c510a", "cement": "#e08214", "screws": "#6a51a3",
    "planned": "#1b6d3a",
}  # fmt: skip
MOST = 3.0  # a bar that is longer is cut, and says its figure
STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0)


def ratio_bars(found: Strength, language: Language) -> str:
    """One group per load, one bar per state: its length the median, the whisker the range, the line at 1 yielding."""
    groups = [(load, [row for row in found.rows if row.load == load]) for load in found.loads]
    reach = min(MOST, max(1.1, 1.08 * max(row.bone.high_frac for row in found.rows)))
    scale = (WIDTH - LEFT - RIGHT) / reach
    parts, y = [], float(TOP)
    for load, rows in groups:
        parts.append(svg.text(word(strengths.LOADS, load, language), 12, y + 4, class_="group"))
        y += 12
        for row in rows:
            parts.append(_bar(row, y, scale, reach, language))
            y += ROW
        y += GAP - 12
    height = y - GAP + ROW + BOTTOM
    axis = [_tick(at, scale, height, language) for at in _ticks(reach)]
    parts = [*axis, _yielding(scale, height, language), *parts]
    title = language("Load over strength, median and range over the density laws; 1 is where yielding begins.")
    return svg.tag(
        "svg", "".join(parts), viewBox=f"0 0 {WIDTH} {height:.0f}", role="img", aria_label=title, class_="curves ratios"
    )


def _bar(row: LoadedState, y: float, scale: float, reach: float, language: Language) -> str:
    middle = y + ROW / 2
    low, median, high = (min(value, reach) for value in (row.bone.low_frac, row.bone.median_frac, row.bone.high_frac))
    said = language.number(row.bone.median_frac, "", digits=2)
    return "".join((
        svg.text(word(strengths.STATES, row.state, language), LEFT - 10, middle + 5, class_="tick end"),
        svg.tag(
            "rect", x=LEFT, y=y + 3, width=max(median * scale, 1.0), height=ROW - 7, fill=FILLS.get(row.state, "#555")
        ),
        svg.path([(LEFT + low * scale, middle), (LEFT + high * scale, middle)], class_="whisker"),
        *(svg.path([(LEFT + at * scale, middle - 5), (LEFT + at * scale, middle + 5)], class_="whisker")
          for at in (low, high)),
        svg.text(said, LEFT + high * scale + 8, middle + 5, class_="tick"),
    ))  # fmt: skip


def _ticks(reach: float) -> list[float]:
    step = next(step for step in STEPS if reach / step <= 8)
    return [step * n for n in range(int(reach / step) + 1)]


def _tick(at: float, scale: float, height: float, language: Language) -> str:
    x = LEFT + at * scale
    line = svg.path([(x, TOP - 14), (x, height - BOTTOM + 4)], class_="grid")
    return line + svg.text(language.number(at, "", digits=2), x, height - BOTTOM + 22, class_="tick middle")


def _yielding(scale: float, height: float, language: Language) -> str:
    x = LEFT + scale
    line = svg.path([(x, TOP - 14), (x, height - BOTTOM + 4)], class_="limit")
    return line + svg.text(language("yielding begins"), x, height - 6, class_="tick middle limit-label")
