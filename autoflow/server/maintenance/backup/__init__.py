"""Backups of a store: its rows and blobs in a folder, in one format for SQLite and PostgreSQL.

A backup folder has any number of backups of one store. They share blobs, so that the next backup copies only new ones::

    backup.json                             the folder's format and the store's id
    blobs/ab/<sha256>                       content, by its hash in hexadecimal digits
    backups/<number>-<time>/rows/<table>.jsonl.gz
                                            the rows of a table in the order of its key, a JSON array a line
    backups/<number>-<time>/manifest.json   written last: without it the backup is not complete

The manifest has the schema revision, the columns of each table, and the size and sha256 of each file of rows; the rows
of the table `blobs` name the blobs. Binary columns are base64. A backup of an older revision is loaded into tables of
that revision and migrated. `docs/server.md` describes the commands.
"""
