"""Finds the programs that the harness runs: beside this Python (the virtual environment), else on PATH."""
import shutil
import sys
from pathlib import Path

from .report import ToolMissing


def find_tool(name):
    beside = Path(sys.executable).parent / name
    path = str(beside) if beside.exists() else shutil.which(name)
    if not path:
        raise ToolMissing(name)
    return path
