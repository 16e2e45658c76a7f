"""The skin unrolled around a target: from where it can be reached, and what excludes every other point; inline SVG."""

import numpy as np

from trocar.model.treatment import EntryMap
from trocar.reporting import svg
from trocar.reporting.language import Language
from trocar.reporting.words import check_name, subject_name

WIDTH, HEIGHT = 1080, 420
LEFT, RIGHT, TOP, BOTTOM = 60, 480, 30, 50  # room at the right for the longest French reason
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
COLORS = ("#b2182b", "#2166ac", "#e08214", "#762a83", "#8c510a", "#35978f", "#c51b7d", "#4d4d4d")
FREE = "#1a9850"
SIDES = ((-180.0, "front"), (-90.0, "right"), (0.0, "back"), (90.0, "left"), (180.0, "front"))


def entry_figure(found: EntryMap, language: Language) -> str:
    """Points of the skin by their way around the target (from the back) and their height; color and letter say why."""
    points = np.asarray(found.points_lps_mm).reshape(-1, 3) - found.target_lps_mm
    around_deg = np.degrees(np.arctan2(points[:, 0], points[:, 1]))
    low, high = float(points[:, 2].min(initial=-1.0)), float(points[:, 2].max(initial=1.0))
    x = LEFT + (around_deg + 180.0) / 360.0 * (WIDTH - LEFT - RIGHT)
    y = TOP + (high - points[:, 2]) / (high - low) * (HEIGHT - TOP - BOTTOM)
    marks = [_mark(float(a), float(b), number) for a, b, number in zip(x, y, found.excluded_by, strict=True)]
    title = language("The skin around the lesion: free entries, and what excludes the others.")
    return svg.tag(
        "svg",
        "".join([*marks, _frame(language), _legend(found, language)]),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=title,
        class_="curves",
    )


def _color(number: int) -> str:
    return FREE if number == 0 else COLORS[(number - 1) % len(COLORS)]


def _mark(x: float, y: float, number: int) -> str:
    """A ring where an instrument may enter, a letter elsewhere."""
    if number == 0:
        return svg.tag("circle", cx=x, cy=y, r=3.5, fill="none", stroke=FREE, stroke_width=1.6)
    style = f"font-size:8px;fill:{_color(number)};stroke:none"
    return svg.text(LETTERS[(number - 1) % len(LETTERS)], x - 3, y + 3, style=style)


def _frame(language: Language) -> str:
    """The sides of the patient below, head and feet at the left."""
    words = {
        "front": language("front"),
        "right": language("right side"),
        "back": language("back"),
        "left": language("left side"),
    }
    parts = [
        svg.text(words[side], LEFT + (turn + 180.0) / 360.0 * (WIDTH - LEFT - RIGHT), HEIGHT - 20, class_="tick middle")
        for turn, side in SIDES
    ]
    parts.append(svg.text(language("head"), 8, TOP + 8, class_="tick"))
    parts.append(svg.text(language("feet"), 8, HEIGHT - BOTTOM, class_="tick"))
    return "".join(parts)


def _legend(found: EntryMap, language: Language) -> str:
    """Each reason with its letter, color and share of the points."""
    counts = np.bincount(np.asarray(found.excluded_by, dtype=int), minlength=len(found.exclusions) + 1)
    total = max(1, int(counts.sum()))
    rows = sorted(range(1, len(counts)), key=lambda number: (-counts[number], number))[:14]
    parts, left = [], WIDTH - RIGHT + 20
    for line, number in enumerate([0, *rows]):
        y = TOP + 10 + 26 * line
        parts.append(_mark(left + 4, y - 4, number))
        share = language.number(100.0 * counts[number] / total, "", digits=0)
        parts.append(svg.text(f"{_reason(found, number, language)} {share} %", left + 16, y, class_="tick"))
    return "".join(parts)


def _reason(found: EntryMap, number: int, language: Language) -> str:
    if number == 0:
        return language("free")
    exclusion = found.exclusions[number - 1]
    if exclusion.structure:
        return subject_name(exclusion.structure, language)
    return check_name(exclusion.constraint, language)
