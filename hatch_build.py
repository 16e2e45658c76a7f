"""Wheels carry the built viewer; an editable install leaves building it to `make setup`."""

import subprocess
import sys
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ViewerBuildHook(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def initialize(self, version, build_data):
        root = Path(self.root)
        if version == "editable" or (root / "src/trocar/reporting/static/viewer.js").exists():
            return
        subprocess.run([sys.executable, root / "scripts/build_viewer.py"], check=True)
