"""Draws docs/images/collapse.png: load against displacement of every state, from what `trocar collapse --json` wrote.

python scripts/collapse_picture.py docs/images/collapse.png "sacrum, torsion=torsion.json" ...
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

COLORS = {"before": "tab:gray", "cement": "tab:orange", "screws": "tab:blue", "planned": "tab:green"}
PANEL_INCHES, DPI = (3.3, 3.0), 100


def draw(path: Path, panels: list[tuple[str, Path]]) -> None:
    """One panel for each title and file."""
    width, height = PANEL_INCHES
    figure, axes = plt.subplots(1, len(panels), figsize=(width * len(panels), height), squeeze=False)
    for axis, (title, file) in zip(axes[0], panels, strict=True):
        for state in json.loads(file.read_text())["states"]:
            axis.plot(
                [0.0, *state["path_frac"]], [0.0, *state["load_frac"]], ".-",
                color=COLORS[state["state"]], label=state["state"],
            )  # fmt: skip
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("displacement / elastic one before, once loaded", fontsize=8)
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("multiple of the load")
    axes[0, 0].legend(fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=DPI)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), [(title, Path(file)) for title, _, file in (word.partition("=") for word in sys.argv[2:])])
