"""Verdicts of reproductions, compared with the truth; `make soak` has every way of starting with every change."""

from __future__ import annotations

import pytest

from autoflow import Api
from tests.reproduction.matrix import CHANGES, RESTORED, WAYS, judge

# Each way and each change once. Changes that are restored are made together: none may be missed.
CELLS = [
    ("console", ["data", "code", "env"]),
    ("submodule", ["package"]),
    ("chdir", ["local data"]),
    ("module", ["seed"]),
    ("shell", ["secret"]),
    ("launcher", ["nothing"]),
]


def test_each_way_and_each_change_has_a_cell():
    """A new one needs one."""
    assert {way for way, _ in CELLS} == set(WAYS)
    assert {change for _, changes in CELLS for change in changes} == set(CHANGES)


@pytest.mark.parametrize(("way", "changes"), CELLS)
def test_the_verdict_is_true(tmp_path, monkeypatch, way, changes):
    """Equal where everything is restored, else different with the cause."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    api = Api()
    verdict, description = judge(api, tmp_path / "work", way, changes)
    api.transport.close()
    assert verdict == (CHANGES[changes[0]] if len(changes) == 1 else RESTORED), description
