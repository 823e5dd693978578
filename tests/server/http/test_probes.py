"""The probes: whether the process answers, and whether its store can be used; without a token."""

from __future__ import annotations

import os

from autoflow.distribution import VERSION
from tests.postgres import on_sqlite


def test_a_process_that_answers_is_alive(guarded):
    """Without a token."""
    response = guarded.send("GET", "/healthz")
    assert (response.status_code, response.json()) == (200, {"alive": True, "version": VERSION})


@on_sqlite
def test_a_server_without_its_database_is_alive_and_not_ready(guarded, tmp_path):
    """The status tells a load balancer, the body an operator."""
    assert guarded.send("GET", "/readyz").json()["ready"] is True
    os.unlink(tmp_path / "home" / "platform.db")
    response = guarded.send("GET", "/readyz")
    assert (response.status_code, response.json()["checks"]["database"]) == (503, "lost")
    assert response.headers["Retry-After"]
    assert guarded.send("GET", "/healthz").status_code == 200
