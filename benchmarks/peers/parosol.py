"""The same voxels by ParOSol, as an external process: its program reads and writes an HDF5 file (one of parosol-py).

`make bench` puts program and h5py into an environment of their own (.venv-peers), where their wheels fit the machine.
"""

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

PLACE = Path(__file__).parents[2] / ".venv-peers"
FILES = Path(__file__).with_name("parosol_files.py")
ALONE = {  # one process, which needs no daemon and no network
    "OMPI_MCA_ess_singleton_isolated": "1", "OMPI_MCA_pml": "ob1", "OMPI_MCA_btl": "self",
}  # fmt: skip
LEVELS = "7"


class Stretched(NamedTuple):
    """Displacements [i, j, k, 3] in mm, and what the program told or took."""

    u_mm: NDArray[np.float32]
    iterations: int
    residual: float
    wall_s: float
    cpu_s: float
    peak_MB: float


def installed() -> bool:
    return _program() is not None


def stretched(modulus_MPa: NDArray[Any], pull_mm: float, *, tolerance: float) -> Stretched:
    """Under a pull along i between two held faces, voxels of 1 mm; times are those of the program, files included."""
    program = _program()
    assert program is not None
    runtime = program.parent / "openmpi"
    environment = os.environ | ALONE | {"OPAL_PREFIX": str(runtime), "LD_LIBRARY_PATH": str(runtime / "lib")}
    with tempfile.TemporaryDirectory() as folder:
        given, model, found, said = (Path(folder, name) for name in ("given.npz", "model.h5", "u.npy", "said.txt"))
        np.savez(given, modulus_MPa=modulus_MPa.astype(np.float32), pull_mm=pull_mm)
        _files("write", given, model)
        started_s = time.perf_counter()
        with said.open("w") as output:
            process = subprocess.Popen(
                [program, "--tol", f"{tolerance:g}", "--level", LEVELS, model], env=environment, stdout=output,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
            _, status, used = os.wait4(process.pid, 0)
        wall_s, text = time.perf_counter() - started_s, said.read_text()
        if status != 0:
            raise RuntimeError(text[-1500:])
        _files("read", model, found)
        u_mm = np.load(found)
    return Stretched(
        u_mm, int(_number(text, "Nr of It")), _number(text, "Relative residuum"), wall_s,
        used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3,
    )  # fmt: skip


def _program() -> Path | None:
    return next(PLACE.glob("lib/python3*/site-packages/parosol_py/bin/parosol"), None)


def _files(task: str, source: Path, target: Path) -> None:
    done = subprocess.run(
        [PLACE / "bin" / "python", FILES, task, source, target], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-1500:])


def _number(text: str, name: str) -> float:
    (found,) = re.findall(rf"#\s+{name}:\s+(\S+)", text)
    return float(found)
