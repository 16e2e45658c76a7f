"""What every benchmark needs: the machine's facts and memory bandwidth, wall and CPU time, and files of results."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
import numpy as np

import trocar.physics.threads  # noqa: F401  sets how threads wait, before numba starts them

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("numpy", "scipy", "numba", "scikit-fem")
CHUNK = 1 << 15  # float32 numbers: three pieces of 128 kB, so that the second pass of a triad stays in a core's cache


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one run: the median of several."""

    wall_s: float
    cpu_s: float
    runs: int


@dataclass(slots=True)
class Result:
    """One benchmark: its rows (each with the same keys), what they show, and what limits the speed."""

    name: str
    title: str
    task: str
    rows: list[dict[str, Any]]
    ratios: list[str]
    limit: list[str]
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


def timed(run: Callable[[], Any], *, runs: int) -> tuple[Any, Timing]:
    """The last run's value and the median times; CPU seconds are those of all threads."""
    walls, cpus = [], []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        value = run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return value, Timing(statistics.median(walls), statistics.median(cpus), runs)


def machine() -> dict[str, Any]:
    """Facts that a reader needs to compare: no names of hosts, no paths."""
    return {
        "date": date.today().isoformat(),
        "cores": os.cpu_count(),
        "cpu": _cpu_model(),
        "last_level_cache_MB": _cache_MB(),
        "load_average_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "trocar": version("trocar"),
    }


def triad_GB_per_s(total_MB: float, *, threads: int, passes: int = 9) -> float:
    """The best rate of a = b + s c over three float32 arrays of `total_MB` together, by numpy; 12 bytes a number.

    The write-allocate of a is not counted (where the processor does it, a third more moves).
    """
    a, b, c = _arrays(total_MB, threads)
    shares = np.array_split(np.arange(0, a.size, CHUNK), threads)

    def triad(starts: Sequence[int]) -> None:
        for start in starts:
            piece = slice(start, start + CHUNK)
            np.multiply(c[piece], np.float32(0.5), out=a[piece])
            np.add(a[piece], b[piece], out=a[piece])

    with ThreadPoolExecutor(threads) as pool:
        best_s = _best_s(lambda: list(pool.map(triad, shares)), passes)
    return 12 * a.size / best_s / 1e9


def compiled_triad_GB_per_s(total_MB: float, *, threads: int, passes: int = 9) -> float:
    """The same in one compiled loop, as trocar's kernels are."""
    a, b, c = _arrays(total_MB, threads)
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        _triad(a, b, c)
        best_s = _best_s(lambda: _triad(a, b, c), passes)
    finally:
        numba.set_num_threads(before)
    return 12 * a.size / best_s / 1e9


@numba.njit(parallel=True, fastmath=True)
def _triad(a, b, c):  # type: ignore[no-untyped-def]
    for i in numba.prange(a.size):
        a[i] = b[i] + np.float32(0.5) * c[i]


def _arrays(total_MB: float, threads: int) -> list[Any]:
    count = max(threads, int(total_MB * 1e6 / 12 / CHUNK)) * CHUNK
    return [np.full(count, value, np.float32) for value in (0.0, 1.0, 2.0)]


def _best_s(run: Callable[[], Any], passes: int) -> float:
    times = []
    for _ in range(passes):
        start_s = time.perf_counter()
        run()
        times.append(time.perf_counter() - start_s)
    return min(times)


def write(result: Result, facts: dict[str, Any]) -> None:
    """One markdown and one JSON file."""
    RESULTS.mkdir(exist_ok=True)
    data = {"machine": facts, **asdict(result)}
    (RESULTS / f"{result.name}.json").write_text(json.dumps(data, indent=1, default=float) + "\n")
    (RESULTS / f"{result.name}.md").write_text(markdown(result, facts))


def markdown(result: Result, facts: dict[str, Any]) -> str:
    """The result as a page."""
    keys = list(result.rows[0])
    lines = [f"# {result.title}", "", result.task, ""]
    lines += ["| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    lines += ["| " + " | ".join(_cell(row[key]) for key in keys) + " |" for row in result.rows]
    for heading, texts in (("Ratios", result.ratios), ("Limit", result.limit), ("Notes", result.notes)):
        if texts:
            lines += ["", f"## {heading}", "", *(f"- {text}" for text in texts)]
    lines += ["", "## Machine", "", *(f"- {key.replace('_', ' ')}: {value}" for key, value in facts.items())]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 1e4 else str(value)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    family = f"family {found['cpu family']} model {found['model']}" if "cpu family" in found else ""
    wide = "AVX-512" if "avx512f" in found.get("flags", "") else ""
    return ", ".join(part for part in (found.get("model name", platform.processor()), family, wide) if part)


def _cache_MB() -> float | None:
    sizes = []
    for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = path.read_text().strip()
        sizes.append(float(text.rstrip("KM")) / (1 if text.endswith("M") else 1024))
    return max(sizes) if sizes else None
