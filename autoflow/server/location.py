"""The location of a store: its database, its blobs, and the witnesses that keep its id."""

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
    """The parts of a store, and the command that inspects it when it is unavailable."""

    url: URL
    blobs: BlobStore
    witnesses: list[Witness]
    remedy: str


def locate(
    folder: str | os.PathLike[str], database: str | None = None, blobs: str | None = None, notes: str | None = None
) -> Location:
    """Return the parts of the store kept in a folder; nothing is created.

    Args:
        folder: where the blobs are, and the database unless `database` says otherwise.
        database: SQLAlchemy's url of the database; by default a SQLite file in the folder.
        blobs: where the bytes are, see `blobs.open_blob_store`; by default in the folder.
        notes: a folder in which this machine notes the stores that it has served, see `witnesses.MachineWitness`.

    Raises:
        ServerBusy: a bucket cannot be reached.
        ValueError, ServerExtraMissing: a url is not supported, or its driver is not installed.
    """
    root = os.path.abspath(folder)
    url = make_url(database or URL.create("sqlite", database=os.path.join(root, DATABASE)))
    address = url.render_as_string(hide_password=True)
    blob_store = open_blob_store(blobs or os.path.join(root, BLOBS))
    witnesses: list[Witness] = [BlobsWitness(blob_store)]
    if notes is not None:
        witnesses.append(MachineWitness(notes, address))
    options = {"--data": root, "--database": address if database else None, "--blobs": blobs}
    arguments = [f" {name} {shlex.quote(value)}" for name, value in options.items() if value is not None]
    return Location(url, blob_store, witnesses, RECOVER_COMMAND + "".join(arguments))
