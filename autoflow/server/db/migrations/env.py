"""Runs the migrations: on the connection the store hands over, else on the database of ``alembic -x url=...``."""

from __future__ import annotations

import sqlalchemy
from alembic import context

from autoflow.server.db.schema import metadata


def run(connection: sqlalchemy.Connection) -> None:
    """Apply what is missing, in the caller's transaction; SQLite's tables are changed by making them anew."""
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


handed = context.config.attributes.get("connection")
if handed is not None:
    run(handed)
else:
    engine = sqlalchemy.create_engine(context.get_x_argument(as_dictionary=True)["url"])
    with engine.begin() as own:
        run(own)
