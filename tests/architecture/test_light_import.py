"""`import trocar` is light: heavy libraries load on use."""

import json
import subprocess
import sys

HEAVY = ["scipy", "SimpleITK", "pydicom", "numba", "matplotlib", "zarr", "skimage", "pydantic", "highdicom", "nibabel"]
PROGRAM = """
import json, sys, resource
before = resource.getrusage(resource.RUSAGE_SELF)
import trocar
dir(trocar)
after = resource.getrusage(resource.RUSAGE_SELF)
cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps({"cpu_s": cpu_s, "modules": [name for name in sys.modules if "." not in name]}))
"""


def test_import_loads_no_heavy_library():
    best_cpu_s = 99.0
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
        result = json.loads(done.stdout)
        assert not set(HEAVY) & set(result["modules"])
        best_cpu_s = min(best_cpu_s, result["cpu_s"])
    assert best_cpu_s < 0.5
