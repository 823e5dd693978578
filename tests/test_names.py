"""Names say what they hold: no variable, parameter or function of the package is called `found`, `one` or the like."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import autoflow

pytestmark = [pytest.mark.core, pytest.mark.slow]

ROOT = Path(autoflow.__file__).parent
# Participles and pronouns that do not say what a value is (docs/names.md).
VAGUE = {"found", "told", "given", "one", "place", "moment", "wish", "brought", "kept"}


def _bound(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the names that a module binds, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno


@pytest.mark.parametrize("room", sorted({path.relative_to(ROOT).parts[0] for path in ROOT.rglob("*.py")}))
def test_no_name_is_vague(room):
    """A reader learns from a name what it holds."""
    files = [ROOT / room] if room.endswith(".py") else sorted((ROOT / room).rglob("*.py"))
    vague = [
        f"{file.relative_to(ROOT)}:{line}: {name}"
        for file in files
        if "migrations" not in file.parts  # as they were when they were released
        for name, line in _bound(ast.parse(file.read_text(encoding="utf-8")))
        if name.strip("_").lower() in VAGUE
    ]
    assert vague == []
