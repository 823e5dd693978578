"""The server side: the store of lineage and versions, the blobs, and the methods of the wire over them.

Embedded and served are the same `dispatcher.Server`. SQLAlchemy is imported with that module, Alembic only when
a store has to be migrated: a short script's last flush has two seconds in all.
"""
