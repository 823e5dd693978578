"""Readiness: the state of each part of a server, without anything that only callers with a token may know."""

from __future__ import annotations

import json
import os

import pytest
from sqlalchemy import text

from autoflow.server import readiness
from autoflow.server.server import Server
from tests.postgres import on_sqlite

READY = {"database": "ok", "schema": "ok", "blobs": "ok", "integrity": "unchecked"}


@pytest.fixture(autouse=True)
def _every_time(monkeypatch):
    monkeypatch.setattr(readiness, "BLOBS_INTERVAL", 0.0)


def test_a_sound_server_is_ready(server):
    """All parts are named, and nothing remains of the trial of the blobs."""
    assert server.ready() == {"ready": True, "checks": READY, "checked_at": None, "problems": 0}


def test_a_store_that_a_newer_autoflow_migrated_is_not_ready(server):
    """Its reads still work, while every write is refused."""
    with server.store.write() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    report = server.ready()
    assert (report["ready"], report["checks"]["schema"]) == (False, "migrated")


@on_sqlite
def test_a_lost_database_is_not_ready(server, tmp_path):
    """The report says that it is lost, and not where it was."""
    os.unlink(tmp_path / "home" / "platform.db")
    report = server.ready()
    assert (report["ready"], report["checks"]["database"], report["checks"]["schema"]) == (False, "lost", "unknown")
    assert str(tmp_path) not in json.dumps(report)


@on_sqlite
def test_blobs_that_cannot_be_written_are_not_ready(server, tmp_path):
    """A folder of blobs that was unmounted is noticed, and so is its return."""
    os.rename(tmp_path / "home" / "blobs", tmp_path / "away")
    assert server.ready()["checks"] == {**READY, "blobs": "not writable"}
    os.rename(tmp_path / "away", tmp_path / "home" / "blobs")
    assert server.ready()["ready"] is True


@on_sqlite
def test_blobs_are_tried_once_in_a_while(server, tmp_path, monkeypatch):
    """However often it is asked for, as a bucket charges for each request."""
    monkeypatch.setattr(readiness, "BLOBS_INTERVAL", 3600.0)
    assert server.ready()["ready"] is True
    os.rename(tmp_path / "home" / "blobs", tmp_path / "away")
    assert server.ready()["ready"] is True


def test_damage_of_a_version_leaves_a_server_ready(server):
    """All other data can be used; the report counts the problems."""
    server.health = readiness.Health("2026-01-01T00:00:00.000Z", 2)
    report = server.ready()
    assert (report["ready"], report["checks"]["integrity"], report["problems"]) == (True, "damaged", 2)


def test_a_server_of_no_store_is_not_ready(tmp_path):
    """A database server that does not answer is unavailable."""
    server = Server.open(tmp_path, "postgresql+psycopg://nobody:secret@127.0.0.1:1/none", lazy=True)
    report = server.ready()
    assert (report["ready"], report["checks"]["database"]) == (False, "unavailable")
    server.close()
