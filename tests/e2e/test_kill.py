"""A run that is killed at any moment loses nothing that was finished, and the next run completes it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trocar.io.dossier import Dossier

KILLS = 10
SPACING_MM = 4.0
LONGEST_S = 60.0
WITHOUT_ICE = ("--proposal", "3")  # embolize, biopsy, cement and screws: every stage, and none of them long


def started(folder: Path, *options: str) -> subprocess.Popen:
    """`trocar run` as the leader of a process group of its own."""
    command = [
        str(Path(sys.executable).parent / "trocar"),
        "run",
        str(folder),
        "--spacing-mm",
        str(SPACING_MM),
        *options,
    ]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finished(folder: Path, *options: str) -> None:
    running = started(folder, *options)
    _, said = running.communicate(timeout=900)
    assert running.returncode == 0, said


def fresh(dossier: Dossier) -> dict[str, str]:
    return {status.name: dossier.digest(status.name) for status in dossier.status() if dossier.is_fresh(status.name)}


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_killed_at_ten_random_moments_a_run_completes(sacrum, tmp_path):
    whole = tmp_path / "whole"
    Dossier.create(whole, sacrum)
    shutil.copytree(whole, tmp_path / "killed")
    begun = time.monotonic()
    finished(whole, *WITHOUT_ICE)
    lasts_s = min(time.monotonic() - begun, LONGEST_S)  # on a fresh machine this run also compiled

    killed = tmp_path / "killed"
    moments = random.Random(2)
    deaths = 0
    before = fresh(Dossier.open(killed))
    for _ in range(KILLS):
        running = started(killed, *WITHOUT_ICE)
        try:
            running.wait(timeout=moments.uniform(0.02, 0.6) * lasts_s)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            deaths += 1
        running.communicate()
        dossier = Dossier.open(killed)
        dossier.verify()
        after = fresh(dossier)
        assert before.items() <= after.items()  # nothing finished was lost
        before = after
        if "report" in after:  # all is done: begin again from the case
            shutil.rmtree(killed)
            Dossier.create(killed, sacrum)
            before = fresh(Dossier.open(killed))
    assert deaths >= KILLS // 2
    finished(killed, *WITHOUT_ICE)
    dossier = Dossier.open(killed)
    dossier.verify()
    assert fresh(dossier) == fresh(Dossier.open(whole))
    assert not [path for path in killed.iterdir() if path.name.startswith(".") and path.name != ".lock"]
