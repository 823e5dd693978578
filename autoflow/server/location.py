"""Where a store is: its database, its blobs, and the witnesses that know its id."""

from __future__ import annotations

import os
import shlex
from typing import NamedTuple

from sqlalchemy import URL

from autoflow.server.blobs import BlobStore, open_blob_store
from autoflow.server.db.engine import make_url
from autoflow.server.db.identity import Witness
from autoflow.server.db.opening import RECOVER_COMMAND
from autoflow.server.witnesses import BlobsWitness, MachineWitness

DATABASE, BLOBS = "platform.db", "blobs"


class Location(NamedTuple):
    """The parts of a store, and the command that looks at it when it is unavailable."""

    url: URL
    blobs: BlobStore
    witnesses: list[Witness]
    remedy: str


def locate(
    folder: str | os.PathLike[str], database: str | None = None, blobs: str | None = None, notes: str | None = None
) -> Location:
    """Return the parts of the store kept in a folder; nothing is made.

    Args:
        folder: where the blobs are, and the database unless `database` says otherwise.
        database: SQLAlchemy's url of the database; by default a SQLite file in the folder.
        blobs: where the bytes are, see `blobs.open_blob_store`; by default in the folder.
        notes: a folder in which this machine keeps which stores it had, see `witnesses.MachineWitness`.

    Raises:
        ServerBusy: a bucket cannot be reached.
        ValueError, ServerExtraMissing: a url is none that is known here, or its driver is not installed.
    """
    root = os.path.abspath(folder)
    url = make_url(database or URL.create("sqlite", database=os.path.join(root, DATABASE)))
    shown = url.render_as_string(hide_password=True)
    kept = open_blob_store(blobs or os.path.join(root, BLOBS))
    witnesses: list[Witness] = [BlobsWitness(kept)]
    if notes is not None:
        witnesses.append(MachineWitness(notes, shown))
    options = {"--data": root, "--database": shown if database else None, "--blobs": blobs}
    said = [f" {name} {shlex.quote(value)}" for name, value in options.items() if value is not None]
    return Location(url, kept, witnesses, RECOVER_COMMAND + "".join(said))
