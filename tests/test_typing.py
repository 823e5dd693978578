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
FILES = [FOLDER / "shapes.py", FOLDER / "mistakes.py"]


def mypy(folder: Path) -> set[tuple[str, int]]:
    """The file and line of each error that mypy reports, with what `make types` remembers of autoflow."""
    files = [str(file) for file in FILES]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--config-file",
            str(ROOT / "pyproject.toml"),
            "--cache-dir",
            str(ROOT / ".mypy_cache"),
            *files,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return {(name, int(line)) for name, line in re.findall(r"(\w+\.py):(\d+): error", done.stdout)}


def pyright(folder: Path) -> set[tuple[str, int]]:
    """The file and line of each error that pyright reports."""
    (folder / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict", "extraPaths": [str(ROOT)]}))
    files = [str(file) for file in FILES]
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, *files],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(FILES), done.stdout
    return {
        (Path(diagnostic["file"]).name, diagnostic["range"]["start"]["line"] + 1)
        for diagnostic in report["generalDiagnostics"]
        if diagnostic["severity"] == "error"
    }


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


CHECKERS = [
    pytest.param(mypy, marks=pytest.mark.skipif(not _installed("mypy"), reason="mypy is not installed")),
    pytest.param(
        pyright,
        marks=pytest.mark.skipif(
            not _installed("pyright") or not shutil.which("node"), reason="pyright is not installed"
        ),
    ),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("check", CHECKERS)
def test_every_shape_keeps_its_type_and_every_planned_mistake_is_reported(check, tmp_path):
    """Functions of every kind are what they were, and a wrong argument is wrong through the decorator too."""
    mistakes = (FOLDER / "mistakes.py").read_text().splitlines()
    planned = {("mistakes.py", number) for number, line in enumerate(mistakes, 1) if line.endswith("# mistake")}
    assert planned
    assert check(tmp_path) == planned
