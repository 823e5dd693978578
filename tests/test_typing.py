"""The decorators as type checkers see them: `F -> F`, and mistakes reported."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "typing"
ROOT = FOLDER.parent.parent


def mypy(file: Path, folder: Path) -> set[int]:
    """The lines mypy reports."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder), "--config-file", "", str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return {int(line) for line in re.findall(rf"{file.name}:(\d+): error", done.stdout)}


def pyright(file: Path, folder: Path) -> set[int]:
    """The lines pyright reports."""
    (folder / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict", "extraPaths": [str(ROOT)]}))
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert json.loads(done.stdout)["summary"]["filesAnalyzed"] == 1, done.stdout
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {one["range"]["start"]["line"] + 1 for one in found if one["severity"] == "error"}


def _there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


CHECKERS = [
    pytest.param(mypy, marks=pytest.mark.skipif(not _there("mypy"), reason="mypy is not installed")),
    pytest.param(
        pyright,
        marks=pytest.mark.skipif(not _there("pyright") or not shutil.which("node"), reason="pyright is not installed"),
    ),
]


@pytest.mark.parametrize("check", CHECKERS)
def test_every_shape_keeps_its_type(check, tmp_path):
    """Functions, methods, coroutines and generators are what they were."""
    assert check(FOLDER / "shapes.py", tmp_path) == set()


@pytest.mark.parametrize("check", CHECKERS)
def test_every_planned_mistake_is_reported_and_nothing_else(check, tmp_path):
    """A wrong argument is wrong through the decorator too."""
    file = FOLDER / "mistakes.py"
    planned = {number for number, line in enumerate(file.read_text().splitlines(), 1) if line.endswith("# mistake")}
    assert check(file, tmp_path) == planned
