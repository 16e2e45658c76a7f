"""A CT-like field of voxels pulled between two faces, beside ParOSol, CalculiX and scipy's conjugate gradients."""

from pathlib import Path
from typing import Any

import numpy as np
from measure import Solved, solve
from page import Goal, Result
from peers import calculix, parosol
from scipy import sparse
from scipy.ndimage import gaussian_filter
from scipy.sparse.linalg import LinearOperator, cg

from trocar.physics.elastic import ElasticSystem, Load
from trocar.physics.elastic_direct import corner_matrix

TOLERANCE = 1e-6
GOALS_S = {128: 2.0, 192: 6.0}
GOAL_B, GOAL_ITERATIONS = 45.0, 20
SMALL = 16  # edge of the field that CalculiX and scipy solve too


def run(*, quick: bool, folder: Path) -> Result:
    """trocar at growing sizes; the peers at a small one, and there their displacements compared."""
    del folder
    sizes = (SMALL,) if quick else (SMALL, 64, 128, 192)
    solved = {n: solve("elastic", "by_trocar", {"n": n}, runs=2) for n in sizes}
    rows = [_row("trocar", n, found) for n, found in solved.items()]
    rows.append(_row("scipy CG + Jacobi", SMALL, solve("elastic", "by_scipy", {"n": SMALL}, runs=1)))
    notes = [
        "trocar: wall and CPU seconds of the faster of two runs, building the hierarchy included, compiling not.",
        "Bytes per unknown: the peak of the process, less what it held before; at small sizes libraries hide it. "
        "CalculiX runs as a process of its own, whose memory is not in its row.",
        "The goals are stated for a processor with AVX-512, on which a prototype (numerics reference 6) takes 3.9 to "
        "4.3 s at 128. On an idle machine with AVX2, within the hour, it took 5.8 s (10.3 CPU s) and trocar, with 16 "
        "iterations, 1.6: 27 %, where the goal is half. Since then the third lattice is solved within the cycle "
        "(decision 36), which takes a quarter of the iterations away.",
        "The limit: of a sweep on the finest lattice half is arithmetic on rows in the first cache, half is waiting "
        "for memory (44 bytes move per node and sweep).",
        "'off trocar': largest difference of a displacement from trocar's at a residual of 1e-9, relative.",
    ]
    if calculix.installed():
        rows.append(_row("CalculiX SPOOLES", SMALL, solve("elastic", "by_calculix", {"n": SMALL}, runs=1)))
    else:
        notes.append("CalculiX is not installed (Debian package calculix-ccx): no row.")
    if parosol.installed():
        rows += [_row("ParOSol, 1 process", n, solve("elastic", "by_parosol", {"n": n}, runs=1)) for n in sizes[:2]]
        notes.append(
            "ParOSol (parosol-py 0.1.26) is given the same voxels and faces as a file, and the same residual; seconds "
            "and memory are those of its program, reading and writing included. Of 4 to 7 levels, 7 take the fewest "
            "iterations at 64 (4: 75). At 128 it was stopped: with 7 it stayed at a residual of 0.02 for the last "
            "seven of 62 iterations (21 minutes), with 5 it had 0.21 after 46 (14 minutes); another build of this "
            "field, in 64 classes of modulus and on two processes, is told to have taken 160 s (numerics reference 6)."
        )
    else:
        notes.append("ParOSol is not installed (`make bench` does it where parosol-py has a wheel): no row.")
    goals = [
        Goal(name=f"{3 * (n + 1) ** 3 / 1e6:.2g} million unknowns", measured=found.wall_s, wanted=GOALS_S[n], unit="s")
        for n, found in solved.items() if n in GOALS_S
    ] + [
        Goal(name=f"iterations at {n}", measured=found.answer["iterations"], wanted=GOAL_ITERATIONS, unit="")
        for n, found in solved.items()
    ] + [
        Goal(name=f"memory at {n}", measured=_bytes_each(found, n), wanted=GOAL_B, unit="B per unknown")
        for n, found in solved.items() if n in GOALS_S
    ]  # fmt: skip
    return Result(
        name="elastic",
        title="Elasticity of a CT-like field",
        task="n x n x n voxels: a 12 GPa shell around spongy bone of about 280 MPa, in it a lesion of 5 MPa, in that "
        f"3 GPa of cement; 1 MPa outside. Pulled by 1 % between two held faces, residual {TOLERANCE:g}.",
        rows=rows,
        goals=goals,
        notes=notes,
    )


def _row(name: str, n: int, found: Solved) -> dict[str, Any]:
    answer = found.answer
    return {
        "solver": name, "n": n, "M unknowns": 3 * (n + 1) ** 3 / 1e6, "wall s": answer.get("wall_s", found.wall_s),
        "CPU s": answer.get("cpu_s", found.cpu_s), "iterations": answer["iterations"], "residual": answer["residual"],
        "force N": answer["force_N"], "off trocar": answer.get("off"),
        "peak MB": answer.get("peak_MB", found.peak_MB), "B per unknown": _bytes_each(found, n) if n >= 64 else None,
    }  # fmt: skip


def _bytes_each(found: Solved, n: int) -> float:
    """Of a program of its own all that it took."""
    used_MB = found.answer.get("peak_MB", found.peak_MB - found.base_MB)
    return float(used_MB) * 1e6 / (3 * (n + 1) ** 3)


def field_MPa(n: int) -> np.ndarray:
    """[i, j, k] MPa; seeded."""
    noise = gaussian_filter(np.random.default_rng(3).standard_normal((n, n, n)), 2.5, mode="wrap")
    noise /= noise.std()
    at = (np.arange(n) + 0.5) / n - 0.5
    x, y, z = at[:, None, None], at[None, :, None], at[None, None, :]
    round_ = np.sqrt((y / 0.42) ** 2 + (z / 0.36) ** 2) + 0 * x
    modulus = np.where(round_ < 1, 10 ** (2.45 + 0.22 * noise), 1.0)
    modulus = np.where((round_ < 1) & (round_ > 1 - 2.2 / (0.39 * n)), 12000.0, modulus)
    lesion = np.sqrt(x**2 + (y + 0.1) ** 2 + (z - 0.05) ** 2)
    return np.where(lesion < 0.09, 3000.0, np.where(lesion < 0.2, 5.0, modulus)).astype(np.float32)


def prepare(n: int) -> None:
    """The field is not timed; what it takes in memory counts as there before."""
    FIELDS[n] = field_MPa(n)


FIELDS: dict[int, np.ndarray] = {}


def pulled(modulus_MPa: np.ndarray, tolerance: float = TOLERANCE) -> tuple[Any, np.ndarray]:
    """The solved deformation, and the displacement it was given."""
    n = modulus_MPa.shape[0]
    held = np.zeros((n + 1, n + 1, n + 1, 3), bool)
    held[0] = held[-1] = True
    moved = np.zeros(held.shape, np.float32)
    moved[-1, ..., 0] = 0.01 * n
    system = ElasticSystem(modulus_MPa, held, spacing_m=1.0)  # in MPa and mm
    return system.solve_one(Load(displacement_m=moved), tolerance=tolerance), moved


def by_trocar(n: int) -> dict[str, Any]:
    found, _ = pulled(FIELDS[n])
    force = float(found.system.forces(found.u_m)[: found.system.rows.node_count][: (n + 1) ** 2].sum())
    return {"iterations": found.iterations, "residual": found.relative_residual, "force_N": -force}


def by_scipy(n: int) -> dict[str, Any]:
    """The assembled matrix, with its diagonal as preconditioner."""
    modulus = FIELDS[n].astype(float)
    number = np.arange((n + 1) ** 3).reshape((n + 1,) * 3)
    at = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    corners = [number[tuple((at + np.array([c >> 2, c >> 1 & 1, c & 1])).T)] for c in range(8)]
    unknowns = np.stack([3 * corner + c for corner in corners for c in range(3)], axis=1)
    values = modulus.ravel()[:, None, None] * corner_matrix(0.3)
    rows, columns = np.broadcast_arrays(unknowns[:, :, None], unknowns[:, None, :])
    matrix = sparse.coo_matrix((values.ravel(), (rows.ravel(), columns.ravel()))).tocsr()
    held = np.zeros(number.shape, bool)
    held[0] = held[-1] = True
    free = np.repeat(~held.ravel(), 3)
    u = np.zeros(free.size)
    u[3 * number[-1].ravel()] = 0.01 * n
    given = -(matrix @ u)[free]
    inner = matrix[free][:, free]
    inverse, counted = 1 / inner.diagonal(), []
    u[free], _ = cg(inner, given, rtol=TOLERANCE, maxiter=20000, callback=counted.append,
                    M=LinearOperator(inner.shape, matvec=lambda r: inverse * r))  # fmt: skip
    force = matrix @ u
    residual = float(np.linalg.norm(force[free]) / np.linalg.norm(given))
    return {"iterations": len(counted), "residual": residual, "force_N": -float(force[3 * number[0].ravel()].sum())}


def by_calculix(n: int) -> dict[str, Any]:
    u, _ = calculix.stretched(FIELDS[n].astype(float), 0.01 * n)
    found, _ = pulled(FIELDS[n], 1e-9)
    off = float(np.abs(found.displacement_m() - u).max() / np.abs(u).max())
    system = found.system
    force = float(system.forces(system.flat(u))[: system.rows.node_count][: (n + 1) ** 2].sum())
    return {"iterations": 1, "residual": None, "force_N": -force, "off": off}


def by_parosol(n: int) -> dict[str, Any]:
    told = parosol.stretched(FIELDS[n], 0.01 * n, tolerance=TOLERANCE)
    found, _ = pulled(FIELDS[n], 1e-9 if n == SMALL else TOLERANCE)
    off = float(np.abs(found.displacement_m() - told.u_mm).max() / np.abs(told.u_mm).max())
    system = found.system
    force = float(system.forces(system.flat(told.u_mm))[: system.rows.node_count][: (n + 1) ** 2].sum())
    return {
        "iterations": told.iterations, "residual": told.residual, "force_N": -force, "off": off, "wall_s": told.wall_s,
        "cpu_s": told.cpu_s, "peak_MB": told.peak_MB,
    }  # fmt: skip
