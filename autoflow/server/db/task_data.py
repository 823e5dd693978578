"""The data of apps' own pages: a JSON object for each task, which its app sets and reads field by field."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from autoflow.model.json_object import JsonObject
from autoflow.server.db import json_codec
from autoflow.server.db.app_tables import task_data
from autoflow.server.errors import TooLarge

MAX_LENGTH = 4_000_000  # characters of a document


def read(conn: Connection, task_id: int) -> JsonObject:
    """Return the data of a task, empty if its app has set none."""
    text = conn.execute(select(task_data.c.document).where(task_data.c.task_id == task_id)).scalar()
    document: JsonObject = json_codec.load(text) or {}
    return document


def write(conn: Connection, task_id: int, document: JsonObject) -> None:
    """Replace the data of a task.

    Raises:
        TooLarge: it is longer than `MAX_LENGTH`.
    """
    text = json_codec.dump(document)
    if len(text) > MAX_LENGTH:
        raise TooLarge(f"the data of task {task_id} would be longer than {MAX_LENGTH} characters")
    replaced = conn.execute(update(task_data).where(task_data.c.task_id == task_id).values(document=text)).rowcount
    if not replaced:
        conn.execute(insert(task_data).values(task_id=task_id, document=text))
