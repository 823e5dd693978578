"""A store made before versions were reserved and workspaces hidden goes on with the versions it has."""

from __future__ import annotations

import contextlib
import sqlite3

from alembic import command
from alembic.config import Config

from autoflow.server.db import setup
from autoflow.server.db.engine import make_engine
from autoflow.server.server import Server

TIMESTAMP = "2026-01-01T00:00:00.000Z"


def _at_second_revision(path):
    """A store as the second revision made it, with a version of a project that changed since."""
    engine = make_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", setup.__file__.replace("setup.py", "migrations"))
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0002")
    engine.dispose()
    with contextlib.closing(sqlite3.connect(path)) as conn:
        for statement in (
            "INSERT INTO counters VALUES ('change', 3), ('task', 0), ('class', 0), ('tag', 0)",
            f"INSERT INTO teams VALUES (1, 'Team', '', '{TIMESTAMP}', '{TIMESTAMP}')",
            f"INSERT INTO users VALUES (1, 'admin', 'Admin', '{TIMESTAMP}', '{TIMESTAMP}')",
            "INSERT INTO members VALUES (1, 1)",
            f"INSERT INTO workspaces VALUES (1, 1, 'Workspace', '', '{TIMESTAMP}', '{TIMESTAMP}')",
            "INSERT INTO projects "
            "(id, workspace_id, name, created_by, created_at, updated_at, epoch, last_v, change_seq) "
            f"VALUES (7, 1, 'lemons', 1, '{TIMESTAMP}', '{TIMESTAMP}', 2, 1, 5)",
            "INSERT INTO versions (id, project_id, number, epoch, change_seq, digest, created_by, project_updated_at, "
            f"created_at, updated_at) VALUES (3, 7, 1, 1, 4, 'aa', 1, '{TIMESTAMP}', '{TIMESTAMP}', '{TIMESTAMP}')",
        ):
            conn.execute(statement)
        conn.commit()


def test_versions_stay_and_the_next_is_reserved(tmp_path):
    """Versions there were are committed ones, workspaces are seen, and the next version counts on."""
    _at_second_revision(tmp_path / "platform.db")
    server = Server.open(tmp_path)
    response = server.call("projects.versions.list", {"projectId": 7})["entities"]
    assert [(entry["id"], entry["version"], entry["status"]) for entry in response] == [(3, 1, "committed")]
    assert server.call("workspaces.info", {"id": 1})["hidden"] is False
    assert server.call("projects.versions.reserve", {"projectId": 7})["id"] > 3
    server.close()
