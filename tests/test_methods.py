"""Calls of the server's own methods: outside of `wire` and `server` they go through the declarations."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import autoflow
from autoflow.wire import methods
from autoflow.wire.contract.catalog import METHODS

pytestmark = pytest.mark.core

ROOT = Path(autoflow.__file__).parent
CONSTANTS = {constant for constant, name in vars(methods).items() if isinstance(name, str) and name in METHODS}


def names_of_methods(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the literals and the constants of `wire.methods` that name a declared method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in METHODS:
            yield node
        if isinstance(node, ast.Attribute) and node.attr in CONSTANTS and ast.unparse(node.value) == "methods":
            yield node


def test_a_client_calls_the_methods_by_their_declarations() -> None:
    """A call by name and dict escapes the type checker, so no client module names a declared method itself."""
    modules = (path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] not in {"wire", "server"})
    named = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        for path in modules
        for node in names_of_methods(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not named, "call them by `transport.typed.call` and `wire.contract`: " + ", ".join(named)


def test_the_rule_sees_both_forms() -> None:
    """A literal and a constant are detected, a method of Supervisely is not."""
    text = 'call("autoflow.graph", {}); call(methods.SNAPSHOT, {}); call(methods.PROJECT_INFO, {})'
    assert [ast.unparse(node) for node in names_of_methods(ast.parse(text))] == ["'autoflow.graph'", "methods.SNAPSHOT"]
