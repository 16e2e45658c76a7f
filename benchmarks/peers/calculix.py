"""The same voxels by CalculiX (Debian calculix-ccx), as an external process: C3D8, every voxel its own material."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CORNERS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))  # C3D8's order


def installed() -> bool:
    return shutil.which("ccx") is not None


def stretched(modulus_MPa: Array, pull_mm: float, *, solver: str = "SPOOLES") -> tuple[Array, float]:
    """[i, j, k, 3] mm under a pull along i between two held faces, voxels of 1 mm; and the seconds it took."""
    shape = modulus_MPa.shape
    number = np.arange(1, np.prod([n + 1 for n in shape]) + 1).reshape([n + 1 for n in shape])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "voxels.inp").write_text(_input(modulus_MPa, number, pull_mm, solver))
        started_s = time.perf_counter()
        done = subprocess.run(["ccx", "voxels"], cwd=folder, capture_output=True, text=True, timeout=1200, check=False)
        wall_s = time.perf_counter() - started_s
        result = Path(folder, "voxels.dat")
        if done.returncode != 0 or not result.exists():
            raise RuntimeError(done.stdout[-500:] + done.stderr[-500:])
        lines = [line.split() for line in result.read_text().splitlines()]
    values = np.array([[float(part) for part in line] for line in lines if len(line) == 4 and line[0].isdigit()])
    found = np.zeros((number.size + 1, 3))
    found[values[:, 0].astype(int)] = values[:, 1:]
    return found[number], wall_s


def _input(modulus_MPa: Array, number: NDArray[np.int64], pull_mm: float, solver: str) -> str:
    lines = ["*NODE, NSET=ALL"]
    lines += [f"{number[at]}, {at[0]}, {at[1]}, {at[2]}" for at in np.ndindex(number.shape)]
    cells = np.argwhere(modulus_MPa > 0)
    lines.append("*ELEMENT, TYPE=C3D8")
    for n, cell in enumerate(cells, 1):
        lines.append(f"{n}, " + ", ".join(str(number[tuple(cell + corner)]) for corner in CORNERS))
    for n, cell in enumerate(cells, 1):
        lines += [f"*ELSET, ELSET=E{n}", f"{n}", f"*MATERIAL, NAME=M{n}", "*ELASTIC"]
        lines += [f"{modulus_MPa[tuple(cell)]!r}, 0.3".replace("np.float64(", "").replace(")", "")]
        lines += [f"*SOLID SECTION, ELSET=E{n}, MATERIAL=M{n}"]
    lines += ["*NSET, NSET=LOW", *(f"{node}," for node in number[0].ravel())]
    lines += ["*NSET, NSET=HIGH", *(f"{node}," for node in number[-1].ravel())]
    lines += ["*STEP", f"*STATIC, SOLVER={solver}", "*BOUNDARY", "LOW, 1, 3", "HIGH, 2, 3", f"HIGH, 1, 1, {pull_mm}"]
    lines += ["*NODE PRINT, NSET=ALL", "U", "*END STEP"]
    return "\n".join(lines) + "\n"
