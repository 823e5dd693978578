"""Stores as an older autoflow made them."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from autoflow.platform.store import setup
from autoflow.platform.store.engine import make_engine

MOMENT = "'2026-01-01T00:00:00.000Z'"
FILLING = (
    "INSERT INTO counters VALUES ('change', 3), ('task', 0), ('class', 0), ('tag', 0)",
    f"INSERT INTO teams (name, created_at, updated_at) VALUES ('Team', {MOMENT}, {MOMENT})",
    f"INSERT INTO users (login, name, created_at, updated_at) VALUES ('admin', 'Admin', {MOMENT}, {MOMENT})",
    f"INSERT INTO workspaces (team_id, name, created_at, updated_at) VALUES (1, 'Workspace', {MOMENT}, {MOMENT})",
    f"INSERT INTO projects (workspace_id, name, created_by, created_at, updated_at, epoch, last_v, change_seq, "
    f"items_count) VALUES (1, 'lemons', 1, {MOMENT}, {MOMENT}, 2, 1, 5, 1)",
    f"INSERT INTO datasets (project_id, name, created_by, created_at, updated_at, f) "
    f"VALUES (1, 'ds', 1, {MOMENT}, {MOMENT}, 1)",
    f"INSERT INTO items (project_id, dataset_id, name, link, created_by, created_at, updated_at, f) "
    f"VALUES (1, 1, 'a.png', 'http://x/a.png', 1, {MOMENT}, {MOMENT}, 1)",
    f"INSERT INTO versions (project_id, number, epoch, change_seq, digest, created_by, project_updated_at, created_at, "
    f"updated_at) VALUES (1, 1, 1, 5, 'aa', 1, {MOMENT}, {MOMENT}, {MOMENT})",
)


def make_old(url, revision):
    """A store as an older autoflow made it, with a version of a project."""
    engine = make_engine(url)
    config = Config()
    config.set_main_option("script_location", setup.__file__.replace("store/setup.py", "migrations"))
    with engine.begin() as rows:
        config.attributes["connection"] = rows
        command.upgrade(config, revision)
        for statement in FILLING:
            rows.execute(text(statement))
    engine.dispose()
