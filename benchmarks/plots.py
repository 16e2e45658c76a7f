"""The plots beside the pages: small PNG files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt

SIZE_INCHES, DPI = (7.0, 4.4), 110
OURS = "tab:red"
THEIRS = [f"tab:{name}" for name in ("blue", "orange", "green", "purple", "brown", "cyan", "olive", "gray")]
MARKS = "osD^vP*X<>"


def error_over_time(path: Path, rows: Sequence[dict[str, Any]], *, title: str, time_key: str) -> None:
    """One mark for each solver: its mean absolute front error over its wall time. Lower left is better."""
    figure, axes = plt.subplots(figsize=SIZE_INCHES)
    found = [row for row in rows if row["wall s"] is not None and row["mean abs mm"] is not None]
    for n, row in enumerate(found):
        ours = row["solver"].startswith("trocar")
        axes.loglog(
            row[time_key], max(row["mean abs mm"], 1e-3), MARKS[n % len(MARKS)],
            color=OURS if ours else THEIRS[n % len(THEIRS)], markersize=9, label=row["solver"], linestyle="none",
        )  # fmt: skip
    axes.set_xlabel(time_key)
    axes.set_ylabel("mean absolute error of the 0 degC front, mm")
    axes.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False)
    _finish(figure, axes, path, title)


def error_over_spacing(path: Path, series: dict[str, dict[float, float]], *, title: str) -> None:
    """One line for each solver over the spacing in mm, and the slope of first order."""
    figure, axes = plt.subplots(figsize=SIZE_INCHES)
    for n, (name, points) in enumerate(series.items()):
        spacing = np.array(sorted(points))
        errors = [max(points[s], 1e-4) for s in spacing]
        axes.loglog(
            spacing,
            errors,
            MARKS[n % len(MARKS)] + "-",
            label=name,
            color=OURS if name == "trocar" else THEIRS[n % len(THEIRS)],
        )
    ends = np.array([min(min(p) for p in series.values()), max(max(p) for p in series.values())])
    top = max(points[max(points)] for points in series.values())
    axes.loglog(ends, top * ends / ends[-1], "k:", linewidth=1, label="first order")
    axes.set_xticks(sorted({s for points in series.values() for s in points}), minor=False)
    axes.set_xticks([], minor=True)
    axes.set_xlabel("spacing, mm")
    axes.set_ylabel("mean absolute error of the front, mm")
    axes.legend(fontsize=8, frameon=False)
    _finish(figure, axes, path, title)


def error_shares(path: Path, errors: dict[str, Any], *, title: str, limit_mm: float) -> None:
    """How much of a front lies within which distance of the reference."""
    figure, axes = plt.subplots(figsize=SIZE_INCHES)
    for name, values in errors.items():
        size = np.sort(np.abs(values))
        axes.plot(size, np.linspace(0, 1, size.size), label=name)
    axes.axvline(limit_mm, color="k", linestyle=":", linewidth=1)
    axes.axhline(0.95, color="k", linestyle=":", linewidth=1)
    axes.set_xlim(0, max(4 * limit_mm, *(float(np.percentile(np.abs(v), 98)) for v in errors.values())))
    axes.set_xlabel("distance from the reference front, mm")
    axes.set_ylabel("share of the front within it")
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    _finish(figure, axes, path, title)


def _finish(figure: Any, axes: Any, path: Path, title: str) -> None:
    axes.set_title(title, fontsize=10)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(True, which="both", alpha=0.25)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=DPI, bbox_inches="tight")
    plt.close(figure)
