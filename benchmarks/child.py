"""One solver in a process of its own, so that its memory and its first call are its own. Standard library only.

python benchmarks/child.py MODULE FUNCTION RUNS ARGUMENTS    arguments and the answer (last line printed) are JSON
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path

for _library in ("OPENBLAS", "OMP", "MKL"):
    # A second thread costs the peers CPU time and saves no wall time; trocar's own threads are numba's.
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")


def peak_MB() -> float:
    """The most memory this process has held so far (its own, not that of the process it was forked from)."""
    try:
        status = Path("/proc/self/status").read_text()
        return float(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        import resource

        unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(module: str, function: str, runs: str, arguments: str) -> int:
    started_s = time.perf_counter()
    home = import_module(module)
    import_s = time.perf_counter() - started_s
    solve, prepare = getattr(home, function), getattr(home, "prepare", None)
    if prepare is not None:  # what is read from files is not timed
        prepare(**json.loads(arguments))
    base_MB = peak_MB()
    walls_s, cpus_s, first_MB = [], [], 0.0
    for _ in range(int(runs)):
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        answer = solve(**json.loads(arguments))
        walls_s.append(time.perf_counter() - wall_s)
        cpus_s.append(time.process_time() - cpu_s)
        first_MB = first_MB or peak_MB()
    found = {
        "answer": answer, "walls_s": walls_s, "cpus_s": cpus_s, "import_s": import_s, "base_MB": base_MB,
        "peak_MB": first_MB,
    }  # fmt: skip
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
