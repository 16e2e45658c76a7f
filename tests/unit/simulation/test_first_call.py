"""The first call ever is said; later ones find kept kernels."""

import os
import subprocess
import sys

import pytest
from slab import cryoablation, planned, synthetic_case

from trocar.model.treatment import ProtocolPhase
from trocar.simulation import simulate as stage

KERNEL = """
from numba import njit
from trocar.physics.compiled import is_kept

@njit(cache=True)
def twice(x):
    return 2 * x

print(is_kept(twice))
twice(1)
"""


def test_a_kernel_is_kept_after_its_first_call(tmp_path):
    script = tmp_path / "kernel.py"
    script.write_text(KERNEL)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    found = [
        subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, env=environment).stdout
        for _ in range(2)
    ]
    assert [text.strip() for text in found] == ["False", "True"]


@pytest.mark.parametrize("kept", [True, False])
def test_compiling_is_said(monkeypatch, kept):
    step, said = cryoablation(protocol=(ProtocolPhase(phase="freeze", duration_s=5.0),)), []
    monkeypatch.setattr(stage, "is_kept", lambda kernel: kept)
    stage.simulate(synthetic_case(), planned(step), spacing_mm=4.0, on_progress=lambda _, text: said.append(text))
    assert any("compiling" in text for text in said) is not kept
