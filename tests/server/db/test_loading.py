"""Rows of an older revision, loaded into a new database of either kind and migrated there."""

from __future__ import annotations

import pytest
from sqlalchemy import MetaData, select

from autoflow.server.db import loading, setup
from autoflow.server.db.engine import make_engine
from autoflow.server.server import Server
from tests.postgres import DATABASES
from tests.server.db.old_stores import make_recorded

REVISION = "0009"


def rows_of_old_store(url):
    """The rows of a store as an autoflow of `REVISION` made it, by table."""
    make_recorded(url, REVISION)
    engine, tables = make_engine(url), MetaData()
    with engine.connect() as conn:
        tables.reflect(conn, only=lambda name, _: name != "alembic_version")
        rows = {
            table.name: [dict(row) for row in conn.execute(select(table)).mappings()]
            for table in tables.tables.values()
        }
    engine.dispose()
    return rows


@pytest.fixture(params=DATABASES)
def empty_database(request):
    """The url of an empty database, None for a file."""
    if request.param == "sqlite":
        yield None
        return
    with request.getfixturevalue("postgres").database("template0") as url:
        yield url


def test_rows_of_an_older_revision_are_loaded_and_migrated(tmp_path, empty_database):
    """They go into tables of their revision, so that the migrations find them as they were; runs and versions stay."""
    rows = rows_of_old_store(f"sqlite:///{tmp_path / 'old.db'}")
    (tmp_path / "home").mkdir()
    engine = make_engine(empty_database or f"sqlite:///{tmp_path / 'home' / 'platform.db'}")
    counted = []
    with setup.writing(engine) as conn:
        last = {
            table: max(row["id"] for row in rows[table]) for table in rows if rows[table] and "id" in rows[table][0]
        }
        loading.load(conn, REVISION, last, rows, rows.__getitem__, counted.append)
    engine.dispose()
    server = Server.open(tmp_path / "home", empty_database)
    assert server.call("projects.info", {"id": 1})["name"] == "lemons"
    run = server.call("autoflow.overview.run", {"id": 1})
    assert [entry["id"] for entry in run["inputs"]] == ["/in"]
    assert server.call("autoflow.search", {"q": "lemons"})["results"][0]["id"] == 1
    assert [token.prefix for token in server.tokens.list()] == ["0a1b2c"]
    record = {"key": "j.1", "type": "facts", "run": "r", "facts": {"b": 1}}
    assert server.call("autoflow.records.add", {"records": [record]})["results"][0]["status"] == "duplicate"
    assert server.call("projects.add", {"workspaceId": 1, "name": "new"})["id"] > 1
    assert sum(counted) == sum(map(len, rows.values()))
    server.close()


def test_datasets_are_inserted_after_their_parents():
    """Whatever their ids: a dataset may have been moved into a newer one."""
    rows = [{"id": number, "parent_id": parent} for number, parent in ((1, 3), (2, None), (3, 4), (4, 2))]
    assert [row["id"] for row in loading.parents_first(rows, "parent_id")] == [2, 4, 3, 1]
