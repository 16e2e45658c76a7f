"""The GPU's super-steps, on numba's simulator where there is no GPU: the same cells, so the same tissue."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import numpy as np
from trocar.physics.damage import Damage
from trocar.physics.heat import HeatSolver
from trocar.physics.lines import Line
from trocar.physics.medium import Freezing, Medium
from trocar.physics.source import Ramp

SHAPE, SPACING_M = (10, 12, 12), 3e-3

def full(value):
    return np.full(SHAPE, value, np.float32)

vary = np.random.default_rng(5).uniform(0.8, 1.2, SHAPE).astype(np.float32)
held = np.zeros(SHAPE, bool)
held[8, 5, 3:9] = True
medium = Medium(
    spacing_m=SPACING_M, unfrozen_W_per_mK=0.5 * vary, frozen_W_per_mK=1.7 * vary, unfrozen_J_per_m3K=full(3.7e6),
    frozen_J_per_m3K=full(1.9e6), latent_J_per_m3=full(2.5e8) * vary,
    perfusion_W_per_m3K=full(5e3), held=held, held_degC=full(37.0),
    vapor_J_per_m3=VAPOR, freezing=Freezing(ice_slope_per_K=0.0055),
)
middle = np.array(SHAPE) / 2 * SPACING_M
line = Line(tip_m=middle - [0, 1e-3, 3e-3], tail_m=middle + [0, 1e-3, 3e-3], radius_m=0.75e-3)
source = np.zeros(SHAPE, np.float32)
source[3:5, 4:6, 6:8] = HEAT
if GPU:
    import trocar.physics.cuda

    trocar.physics.cuda.BLOCK, trocar.physics.cuda.LINE = (1, 6, 12), 16  # each thread is one of Python's
begun = HeatSolver(medium, (line,), nested=False)
begun.advance(90.0, (Ramp(start_degC=37.0, end_degC=-140.0),))
found = []
for device in ("cpu", "cuda"):
    names = "minimum_degC", "open_frac", "freezes", "below_s"
    damage = Damage(*(getattr(begun.damage, name).copy() for name in names))
    solver = HeatSolver.restarted(
        medium, (line,), enthalpy_J_per_m3=begun.enthalpy_J_per_m3, damage=damage, time_s=90.0, device=device,
        nested=False,
    )
    cold = Ramp(start_degC=-90.0, end_degC=-140.0, time_s=2.5, exchange_W_per_m2K=EXCHANGE, power_limit_W=LIMIT)
    solver.advance(2.0, (cold,), heating=lambda now, step_s: source)
    found.append(solver)
cpu, gpu = found
assert np.abs(cpu.temperature_degC - gpu.temperature_degC).max() < 0.01
assert np.array_equal(cpu.damage.freezes, gpu.damage.freezes)
assert np.abs(cpu.damage.below_s - gpu.damage.below_s).max() < 0.01
assert abs(cpu.power_W[0] - gpu.power_W[0]) < 1e-3 * abs(cpu.power_W[0])
assert gpu.vapor_frac.max() > 0.0 or medium.vapor_J_per_m3 is None
assert gpu.balance().residual_frac < 1e-3, gpu.balance()
assert cpu.temperature_degC.min() < -20.0 and (cpu.ice_frac > 0.5).sum() > 8
"""


@pytest.mark.parametrize(
    "case",
    [
        {"VAPOR": "None", "HEAT": "0.0", "EXCHANGE": "None", "LIMIT": "None"},
        {"VAPOR": "full(1.9e9)", "HEAT": "2e8", "EXCHANGE": "8000.0", "LIMIT": "12.0"},
    ],
)
def test_a_gpu_finds_what_the_processor_finds(case):
    script = SCRIPT.replace("GPU", "True")
    for name, value in case.items():
        script = script.replace(name, value)
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False,
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"}, timeout=300,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr


def test_without_a_gpu_it_is_said():
    script = SCRIPT.replace("VAPOR", "None").replace("HEAT", "0.0").replace("EXCHANGE", "None")
    script = script.replace("LIMIT", "None").replace("GPU", "False")
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_ENABLE_CUDASIM"} | {"CUDA_VISIBLE_DEVICES": ""}
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment, timeout=300
    )
    assert found.returncode != 0
    assert "no CUDA device is available" in found.stderr
