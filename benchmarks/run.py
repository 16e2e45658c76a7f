"""Run every benchmark, print its page, and keep it in results/ as markdown and JSON.

python benchmarks/run.py [NAME ...]
"""

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a second thread costs the peers CPU time and saves no wall time

import heat
import margin
from measure import Result, machine, markdown, write

BUSY_SHARE = 0.5  # of the cores
BENCHMARKS = {"heat": heat.run, "margin": margin.run}


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"no benchmark called {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        facts = machine()
        result: Result = BENCHMARKS[name]()
        facts["load_average_after"] = round(os.getloadavg()[0], 2)
        if facts["load_average_before"] > BUSY_SHARE * facts["cores"]:
            result.notes.insert(0, "The machine was busy when this began: its times are not to be relied on.")
        write(result, facts)
        print(markdown(result, facts))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
