"""Programs of the tests that are npm packages, each installed once into target/judge.  None is linked or shipped."""
import subprocess
from pathlib import Path

from .tools import find_tool

FOLDER = Path(__file__).resolve().parents[2] / "target" / "judge"


def package(name, version, *options):
    """The folder of a package at this version."""
    npm = find_tool("npm")
    folder = FOLDER / f"{name.replace('/', '+')}@{version}"
    installed = folder / "node_modules" / name
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--silent", "--no-audit", "--no-fund", *options, "--prefix", folder, f"{name}@{version}"]
        subprocess.run(command, check=True)
        (folder / "done").touch()
    return installed
