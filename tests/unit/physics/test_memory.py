"""What one solver frees, the next one has: the system does not clear it again."""

import subprocess
import sys

import pytest

COUNTED = """
import ctypes, resource
import numpy as np
import trocar.physics.memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def used():
    arrays = [np.empty(3_000_000, np.float32) for _ in range(8)]
    for values in arrays:
        values[:] = 1.0

for _ in range(3):
    used()
before = faults()
used()
print(faults() - before, hasattr(ctypes.CDLL(None), "mallopt"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_arrays_that_were_freed_are_had_again_without_the_system():
    done = subprocess.run([sys.executable, "-c", COUNTED], capture_output=True, text=True, check=True)
    faults, keeps = done.stdout.split()
    if keeps == "False":
        pytest.skip("this C library has no mallopt")
    assert int(faults) < 500  # of some 23,000 pages
