"""The voxel solver beside CalculiX on the same mesh, where it is installed (Debian package calculix-ccx)."""

from pathlib import Path

import numpy as np
import pytest

from trocar.physics.elastic import ElasticSystem, Load

ROOT = Path(__file__).resolve().parents[2]


def test_displacements_of_mixed_materials_agree_with_calculix(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from peers import calculix

    if not calculix.installed():
        pytest.skip("CalculiX is not installed: apt-get install calculix-ccx")
    rng = np.random.default_rng(7)
    modulus = 10 ** rng.uniform(1, 4, (7, 6, 8))  # 10 MPa to 10 GPa
    modulus[:, 2:4, 3:5] = 110e3  # a screw
    modulus[4:, 0, :] = 0.0
    theirs, _ = calculix.stretched(modulus, 0.07)
    held = np.zeros((8, 7, 9, 3), bool)
    held[0] = held[-1] = True
    moved = np.zeros(held.shape)
    moved[-1, ..., 0] = 0.07e-3
    ours = ElasticSystem(modulus * 1e6, held, spacing_m=1e-3).solve_one(Load(displacement_m=moved), tolerance=1e-9)
    stored = np.abs(ours.displacement_m()).sum(axis=3) > 0
    difference = np.abs(1e3 * ours.displacement_m() - theirs)[stored]
    assert difference.max() < 1e-5 * np.abs(theirs).max()
