"""A store made before there were teams to keep apart goes on with all that was in it."""

from __future__ import annotations

import contextlib
import sqlite3

from alembic import command
from alembic.config import Config

from autoflow.server.db import setup
from autoflow.server.db.engine import make_engine
from autoflow.server.server import Server


def _at_first_revision(path):
    """A store as the first revision made it, with a file and a foreign entity."""
    engine = make_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", setup.__file__.replace("setup.py", "migrations"))
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0001")
    engine.dispose()
    timestamp = "'2026-01-01T00:00:00.000Z'"
    with contextlib.closing(sqlite3.connect(path)) as conn:
        for statement in (
            "INSERT INTO counters VALUES ('change', 3), ('task', 0), ('class', 0), ('tag', 0)",
            f"INSERT INTO teams VALUES (1, 'Team', '', {timestamp}, {timestamp})",
            f"INSERT INTO users VALUES (1, 'admin', 'Admin', {timestamp}, {timestamp})",
            f"INSERT INTO workspaces VALUES (1, 1, 'Workspace', '', {timestamp}, {timestamp})",
            f"INSERT INTO blobs VALUES ('h=', 1, 'g', NULL, NULL, NULL, {timestamp})",
            f"INSERT INTO files VALUES (1, 1, '/a.txt', 'a.txt', 'h=', 1, '', 1, 1, {timestamp}, {timestamp})",
            f"INSERT INTO entities VALUES ('http://x', 'project', '5', 'lemons', {timestamp})",
        ):
            conn.execute(statement)
        conn.commit()


def test_what_there_was_is_the_first_teams(tmp_path):
    """Team 1 keeps its names of foreign entities and its bytes, and user 1 is its member."""
    _at_first_revision(tmp_path / "platform.db")
    server = Server.open(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "platform.db")) as conn:
        assert conn.execute("SELECT team_id, name FROM entities").fetchall() == [(1, "lemons")]
        assert conn.execute("SELECT team_id, user_id FROM members").fetchall() == [(1, 1)]
    caller = server.tokens.caller(server.tokens.create("admin", []))
    assert (caller.user, caller.teams) == (1, frozenset({1}))
    assert server.call("images.internal.hashes.list", ["h="], caller) == ["h="]
    assert server.call("autoflow.changes", {})["changes"] > 3
    server.close()
