"""Erasures: content that a team has removed for good, from every row, file and index of the store.

The stated exception to append-only facts, to the trash, and to "nothing that a version needs is collected". An erasure
is journaled in the database (`db.erasure_tables`): a process that is killed leaves one that any other completes.
"""
