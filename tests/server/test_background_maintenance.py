"""What a server does beside its requests: checks its store, keeps its marks, opens it again."""

from __future__ import annotations

import os
import time

import pytest
from sqlalchemy import text

from autoflow.errors import StoreUnavailable
from autoflow.server import background_maintenance
from autoflow.server.background_maintenance import BackgroundMaintenance
from autoflow.server.server import Server
from tests.postgres import on_sqlite


def test_a_sound_store_is_checked(filled, monkeypatch):
    """Afterwards readiness says when that was, and that nothing was found."""
    monkeypatch.setattr(background_maintenance, "STEP_PAUSE", 0.0)
    filled.snapshot(filled.project())
    BackgroundMaintenance(filled.server).check()
    ready = filled.server.ready()
    assert (ready["ready"], ready["problems"]) == (True, 0)
    assert ready["checked_at"]


def test_a_version_whose_rows_changed_is_found(filled, monkeypatch, caplog):
    """It is logged with its number, and counted in what readiness says."""
    monkeypatch.setattr(background_maintenance, "STEP_PAUSE", 0.0)
    filled.snapshot(filled.project())
    with filled.server.store.write() as conn:
        conn.execute(text("UPDATE versions SET digest = 'another'"))
    BackgroundMaintenance(filled.server).check()
    assert filled.server.ready()["problems"] == 1
    assert any("version:1" in line and "digest" in line for line in caplog.messages)


@on_sqlite
def test_a_damaged_page_stops_the_store(filled, tmp_path, monkeypatch):
    """Damage that no request has met yet is found by the check, and from then on the store is unavailable."""
    monkeypatch.setattr(background_maintenance, "STEP_PAUSE", 0.0)
    for number in range(200):
        filled.project(f"p{number}", description="x" * 500)
    store = filled.server.store
    with store.read() as conn:
        (root,) = conn.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'jobs'").one()
        (size,) = conn.exec_driver_sql("PRAGMA page_size").one()
    filled.server.close()
    with open(tmp_path / "home" / "platform.db", "r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\x55" * 16)
    with pytest.raises(StoreUnavailable, match=r"jobs|malformed"):
        BackgroundMaintenance(filled.server).check()
    with pytest.raises(StoreUnavailable):
        filled.call("projects.list", workspaceId=1)


def test_its_thread_opens_a_store_that_comes_back(tmp_path, monkeypatch):
    """Without any request, a store that was away is open again soon after it is back."""
    monkeypatch.setattr(background_maintenance, "POLL_INTERVAL", 0.01)
    Server.open(tmp_path / "home").close()
    os.rename(tmp_path / "home", tmp_path / "away")
    (tmp_path / "home" / "blobs").mkdir(parents=True)
    (tmp_path / "away" / "blobs" / "store.json").rename(tmp_path / "home" / "blobs" / "store.json")
    server = Server.open(tmp_path / "home", lazy=True)
    looking = BackgroundMaintenance(server)
    looking.start()
    try:
        time.sleep(0.1)
        assert server.store.key is None
        os.rename(tmp_path / "away" / "platform.db", tmp_path / "home" / "platform.db")
        deadline = time.monotonic() + 60
        while server.store.key is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.store.key is not None
    finally:
        looking.stop()
        server.close()
