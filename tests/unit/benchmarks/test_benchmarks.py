"""The benchmarks run, measure everything they promise, and measure it rightly. Their times are not looked at."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
MEASURED = ("wall s", "CPU s", "peak MB", "mean error mm", "mean abs mm", "p95 mm", "max mm")


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


@pytest.mark.parametrize(
    ("name", "more", "solvers"),
    [
        ("front", (), {"trocar", "scikit-fem", "FiPy", "numpy"}),
        ("needle", ("M cell updates/s", "of memory bandwidth"), {"trocar", "scikit-fem", "FiPy", "numpy"}),
    ],
)
def test_a_quick_run_measures_every_solver(tmp_path, name, more, solvers):
    command = [sys.executable, str(ROOT / "benchmarks/run.py"), "--quick", "--output", str(tmp_path), name]
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    subprocess.run(command, check=True, capture_output=True, timeout=300, env={**os.environ, "PYTHONPATH": path})
    result = json.loads((tmp_path / f"{name}.json").read_text())
    here = [row for row in result["rows"] if "not installed" not in row["solver"]]
    for row in here:
        assert all(np.isfinite(row[key]) for key in (*MEASURED, *more)), row
        assert row["wall s"] > 0
        assert row["peak MB"] > 1
    assert solvers <= {row["solver"].split(",")[0].split()[0] for row in here}
    for goal in result["goals"]:
        assert goal["met"] == (goal["measured"] <= goal["wanted"])
    assert (tmp_path / f"{name}.md").read_text().startswith(f"# {result['title']}")
    assert (tmp_path / f"{name}.png").stat().st_size > 1000


def test_neumann_of_the_benchmark_is_that_of_the_literature():
    from front import exact_mm

    assert exact_mm(60.0) == pytest.approx(6.6901, abs=1e-4)  # wall -100, water at 37 degC
    assert exact_mm(600.0) == pytest.approx(21.1559, abs=1e-4)


def test_peers_share_laws_that_invert_each_other():
    from laws import SOFT_TISSUE, WATER

    for tissue in (SOFT_TISSUE, WATER):
        t = np.linspace(-150.0, 40.0, 40_001)
        assert tissue.temperature(tissue.enthalpy(t)) == pytest.approx(t, abs=1e-9)
        back, slope = tissue.from_kirchhoff(tissue.kirchhoff(t))
        assert back == pytest.approx(t, abs=1e-9)
        u = tissue.kirchhoff(t)
        within = ~((np.diff(u > 0) != 0) | (np.diff(u > tissue.solidus_W_per_m) != 0))  # not across a kink
        secant = np.diff(tissue.enthalpy(t)) / np.diff(u)
        assert (0.5 * (slope[1:] + slope[:-1]))[within] == pytest.approx(secant[within], rel=0.02)
        total = tissue.enthalpy(np.float64(tissue.liquidus_degC)) - tissue.enthalpy(np.float64(tissue.solidus_degC))
        sensible = 0.5 * (tissue.unfrozen_J_per_m3K + tissue.frozen_J_per_m3K) * tissue.interval_K
        assert total == pytest.approx(tissue.latent_J_per_m3 + sensible)


def test_distance_between_two_spheres():
    from fronts import apart_mm, surface

    def ball(spacing_mm, radius_mm):
        axis = (np.arange(round(48 / spacing_mm)) + 0.5) * spacing_mm - 24.3
        r = np.sqrt(axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2)
        return surface(r - radius_mm, 1e-3 * spacing_mm)

    errors = apart_mm(ball(1.0, 15.2), ball(0.5, 15.0))
    assert errors == pytest.approx(0.2, abs=0.03)  # both ways positive: the found one lies outside
    assert apart_mm(ball(1.0, 15.0), ball(0.5, 15.0)) == pytest.approx(0.0, abs=0.03)


def test_split_cells_are_the_same_tissue():
    from engine import split, uniform
    from laws import SOFT_TISSUE

    tissue = uniform((4, 5, 6), 2e-3, SOFT_TISSUE, 37.0)
    tissue.perfusion_W_per_m3K[:] = np.arange(120).reshape(4, 5, 6)
    finer = split(tissue, 2)
    assert finer.shape == (8, 10, 12)
    assert finer.spacing_m == 1e-3
    heat = (finer.perfusion_W_per_m3K.sum() * finer.cell_m3, tissue.perfusion_W_per_m3K.sum() * tissue.cell_m3)
    assert heat[0] == pytest.approx(heat[1])
    assert np.all(finer.perfusion_W_per_m3K[::2, 1::2, ::2] == tissue.perfusion_W_per_m3K)


def test_front_along_directions():
    from questions import FOUR, ONE, Field, front_mm

    axis = np.linspace(-0.03, 0.03, 61)
    r = np.sqrt(axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2)
    for needles in (ONE, FOUR):
        assert np.linalg.norm(needles.directions, axis=1) == pytest.approx(1.0)
        found = front_mm(Field((axis,) * 3, 1e3 * r - 20.0), needles.directions)
        assert found == pytest.approx(20.0, abs=0.02)


def test_a_goal_is_met_by_its_figure_alone():
    from page import Goal

    assert Goal(name="time", measured=0.1, wanted=0.15, unit="s").met
    assert not Goal(name="time", measured=0.2, wanted=0.15, unit="s").met
    assert Goal(name="plans", measured=120.0, wanted=100.0, unit="per s", at_least=True).met
    assert "not met" in str(Goal(name="plans", measured=20.0, wanted=100.0, unit="per s", at_least=True))


def test_memory_of_a_process_is_its_own():
    """Not what its parent held when it was started (as the kernel's count of a forked process would be)."""
    from measure import solve

    held = np.ones(125_000_000)  # 1 GB here
    solved = solve("peers.explicit", "column", {"spacing_mm": 4.0})
    assert held[-1] == 1
    assert 5 < solved.peak_MB < 300
    assert solved.peak_MB >= solved.base_MB
