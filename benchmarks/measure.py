"""Times, memory and the machine's memory bandwidth. Solvers run in processes of their own (child.py)."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
import numpy as np

import trocar.physics.threads  # noqa: F401  sets how threads wait, before numba starts them

HERE = Path(__file__).parent
PACKAGES = ("numpy", "scipy", "numba", "scikit-fem", "fipy")
CHUNK = 1 << 15  # float32 numbers: three pieces of 128 kB, so that the second pass of a triad stays in a core's cache
BEYOND_CACHE_MB = 1500.0
LONGEST_S = 1200.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one run: the median of several."""

    wall_s: float
    cpu_s: float
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """What a solver answered in a process of its own: the best of its runs in seconds, and its memory."""

    answer: dict[str, Any]
    wall_s: float
    cpu_s: float
    first_s: float
    whole_s: float  # the process from start to end, all runs
    import_s: float
    base_MB: float  # before the first run
    peak_MB: float  # after the first run
    runs: int


def solve(
    module: str,
    function: str,
    arguments: dict[str, Any],
    *,
    runs: int = 1,
    interpreter: str = sys.executable,
    environment: dict[str, str] | None = None,
) -> Solved:
    """Run a solver in a fresh process. Raises `RuntimeError` with the end of its errors when it fails."""
    paths = [str(HERE), *([os.environ.get("PYTHONPATH", "")] if interpreter == sys.executable else [])]
    command = [interpreter, str(HERE / "child.py"), module, function, str(runs), json.dumps(arguments)]
    started_s = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LONGEST_S, check=False,
        env={**os.environ, **(environment or {}), "PYTHONPATH": os.pathsep.join(path for path in paths if path)},
    )  # fmt: skip
    whole_s = time.perf_counter() - started_s
    if done.returncode != 0:
        raise RuntimeError(f"{module}.{function}: {done.stderr[-1500:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    best = int(np.argmin(found["walls_s"]))
    return Solved(
        answer=found["answer"], wall_s=found["walls_s"][best], cpu_s=found["cpus_s"][best],
        first_s=found["walls_s"][0], whole_s=whole_s, import_s=found["import_s"], base_MB=found["base_MB"],
        peak_MB=found["peak_MB"], runs=runs,
    )  # fmt: skip


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


@cache
def triads(size_MB: float = BEYOND_CACHE_MB) -> dict[str, float]:
    """GB/s of a triad of this size, by program and threads."""
    return {
        f"{name}, {n} thread{'s' * (n > 1)}": rate(size_MB, threads=n)
        for name, rate in (("numpy", triad_GB_per_s), ("compiled", compiled_triad_GB_per_s))
        for n in sorted({1, os.cpu_count() or 1})
    }


def memory_GB_per_s(*, quick: bool) -> float:
    """The machine's memory bandwidth: the best triad, beyond the cache unless it must be quick."""
    return max(triads(30.0 if quick else BEYOND_CACHE_MB).values())


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
