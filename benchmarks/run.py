"""Run every benchmark, print its page, and keep it in results/ as markdown, JSON and a plot.

python benchmarks/run.py [--quick] [--output FOLDER] [NAME ...]
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import access
import corridors
import elastic
import electric
import four
import front
import margin
import needle
import pelvis
import probes
import ring
import start
from measure import machine
from page import RESULTS, Result, markdown, write

BUSY_SHARE = 0.5  # of the cores
BENCHMARKS = {
    "front": front.run,
    "needle": needle.run,
    "four": four.run,
    "pelvis": pelvis.run,
    "start": start.run,
    "margin": margin.run,
    "electric": electric.run,
    "access": access.run,
    "corridors": corridors.run,
    "probes": probes.run,
    "elastic": elastic.run,
    "ring": ring.run,
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="small sizes: a smoke test whose figures mean nothing")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="results/ here; with --quick, nowhere")
    asked = parser.parse_args(arguments)
    names, quick = asked.names, asked.quick
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"no benchmark called {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as nowhere:
        for name in names or BENCHMARKS:
            run(name, quick=quick, folder=asked.output or (Path(nowhere) if quick else RESULTS))
    return 0


def run(name: str, *, quick: bool, folder: Path) -> Result:
    """One benchmark, printed and kept in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = machine()
    result = BENCHMARKS[name](quick=quick, folder=folder)
    facts["load_average_after"] = round(os.getloadavg()[0], 2)
    if facts["load_average_before"] > BUSY_SHARE * facts["cores"]:
        result.notes.insert(0, "The machine was busy when this began: its times are not to be relied on.")
    if quick:
        result.notes.insert(0, "A quick run on small sizes: its figures mean nothing.")
    write(result, facts, folder=folder)
    print(markdown(result, facts))
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
