"""The documents name tests and rooms that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.core

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
DEFINED = {
    name
    for file in TESTS.rglob("test_*.py")
    for name in re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))
}
FILES = {file.stem for file in TESTS.rglob("test_*.py")}


def exists(name: str, *, shortened: bool) -> bool:
    """Return whether a test or a file of tests has this name, or begins with it where the document shortens it."""
    names = DEFINED | FILES
    return any(known.startswith(name) for known in names) if shortened else name in names


def test_every_test_that_reliability_names_exists():
    """A row of `docs/reliability.md` that names a test that is gone promises what nobody checks."""
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = re.findall(r"\b(test_\w+)([…*{]?)", text)
    assert named
    assert [name for name, short in named if not exists(name, shortened=bool(short))] == []


def test_the_architecture_names_every_room_and_no_other():
    """The drawings and tables of `docs/architecture.md` show the folders that there are."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "autoflow"
    drawing, inside = text.split("```")[1], text.rpartition("## Inside the server")[2].split("```")[1]
    for named, folder in ((drawing, package), (inside, package / "server")):
        rooms = {path.parent.name for path in folder.glob("*/*.py")}
        assert set(re.findall(r"\b([a-z_]+)/", named)) >= rooms
        assert all((folder / name).is_dir() for name in re.findall(r"\b([a-z_]+)/", named))
    assert set(re.findall(r"^\| `(\w+)/`", text, re.M)) == {path.parent.name for path in package.glob("*/*.py")}
