"""A journal and a server for each test of the outbox."""

from __future__ import annotations

import pytest


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "journals"
    path.mkdir(mode=0o700)
    return str(path)
