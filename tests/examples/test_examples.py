"""Size and imports of the demo's apps, and consistency of their expected graph."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.core

EXAMPLES = Path(__file__).parents[2] / "examples"
APPS = sorted(EXAMPLES.glob("[1-9]_*.py"))
LIBRARIES = {"autoflow", "numpy", "PIL", "sklearn"}


@pytest.fixture(scope="module", params=APPS, ids=lambda app: app.stem)
def app(request):
    """Text and syntax tree of an app."""
    text = request.param.read_text(encoding="utf-8")
    return text, ast.parse(text)


def _lines(node):
    return range(node.lineno, node.end_lineno + 1)


def _names(node):
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def test_there_are_five_apps():
    """Import, train, evaluate, export, serve."""
    assert [app.stem.partition("_")[0] for app in APPS] == ["1", "2", "3", "4", "5"]


def test_an_app_is_at_most_60_lines(app):
    """It has at most 60 lines."""
    assert len(app[0].splitlines()) <= 60


def test_at_most_6_lines_of_an_app_use_autoflow(app):
    """Counted are the import, the decorators, the `with` statement and the creation of the Api."""
    tree = app[1]
    imported, ours = set(), set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "autoflow":
            ours.update(_lines(node))
            imported |= {alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            ours.update(line for mark in node.decorator_list if _names(mark) & imported for line in _lines(mark))
        elif isinstance(node, ast.withitem) and _names(node) & imported:
            ours.update(_lines(node.context_expr))
        elif isinstance(node, ast.Assign) and _names(node) & imported:
            ours.update(_lines(node))
    assert 3 <= len(ours) <= 6


def test_imports_of_an_app(app):
    """The apps share no module, and use the public API of autoflow only."""
    modules = set()
    for node in ast.walk(app[1]):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module)
    tops = {module.partition(".")[0] for module in modules}
    assert tops - sys.stdlib_module_names <= LIBRARIES
    assert {module for module in modules if module.startswith("autoflow")} == {"autoflow"}


def test_the_expected_graph_is_consistent():
    """In `expected_graph.json` both ends of each edge are cards, and each card has an edge."""
    expected = json.loads((EXAMPLES / "expected_graph.json").read_text(encoding="utf-8"))
    cards = {f"{card['kind']} {card['name']}" for card in expected["cards"]}
    ends = {edge[end] for edge in expected["edges"] for end in ("from", "to")}
    assert sum(card["kind"] == "task" for card in expected["cards"]) == len(APPS)
    assert cards == ends
