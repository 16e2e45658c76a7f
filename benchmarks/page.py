"""One benchmark as a page: rows, goals, ratios, what limits the speed. Kept as markdown and JSON, with its plot."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A figure that was aimed at, and whether the measured one reaches it."""

    name: str
    measured: float
    wanted: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.measured >= self.wanted if self.at_least else self.measured <= self.wanted

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        verdict = "met" if self.met else "not met"
        return f"{self.name}: {self.measured:.3g} {self.unit}, goal {sign} {self.wanted:g}: **{verdict}**."


@dataclass(slots=True, kw_only=True)
class Result:
    """One benchmark: its rows (each with the same keys), what they show, and what limits the speed."""

    name: str
    title: str
    task: str
    rows: list[dict[str, Any]]
    goals: list[Goal] = field(default_factory=list)
    ratios: list[str] = field(default_factory=list)
    limit: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    plot: bool = False


def write(result: Result, facts: dict[str, Any], *, folder: Path = RESULTS) -> None:
    """One markdown and one JSON file."""
    folder.mkdir(exist_ok=True)
    data = {"machine": facts, **asdict(result)}
    data["goals"] = [{**asdict(goal), "met": goal.met} for goal in result.goals]
    (folder / f"{result.name}.json").write_text(json.dumps(data, indent=1, default=float) + "\n")
    (folder / f"{result.name}.md").write_text(markdown(result, facts))


def markdown(result: Result, facts: dict[str, Any]) -> str:
    """The result as a page."""
    keys = list(result.rows[0])
    lines = [f"# {result.title}", "", result.task, ""]
    lines += ["| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    lines += ["| " + " | ".join(_cell(row[key]) for key in keys) + " |" for row in result.rows]
    if result.plot:
        lines += ["", f"![{result.title}]({result.name}.png)"]
    goals = [str(goal) for goal in result.goals]
    sections = (("Goals", goals), ("Ratios", result.ratios), ("Limit", result.limit), ("Notes", result.notes))
    for heading, texts in sections:
        if texts:
            lines += ["", f"## {heading}", "", *(f"- {text}" for text in texts)]
    lines += ["", "## Machine", "", *(f"- {key.replace('_', ' ')}: {value}" for key, value in facts.items())]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 1e4 else str(value)
