"""A decorated function, and checks that records arrived and are accounted for."""

from __future__ import annotations

import json

import autoflow
from autoflow.outbox.journal_files import journals
from autoflow.outbox.reader import Reader
from autoflow.outbox.status import status
from autoflow.runtime.destination import outbox_for, resolve

ORIGIN = "http://127.0.0.1:9"
RECORD = b'"type":"edge","run":"r","direction":"input","kind":"project","subject":{"id":%d}'
TOKEN = "secret-token-0123456789"


@autoflow.workflow_input("project")
def load(project_id):
    """Read a project, as a function of an app."""
    return project_id


def ids(server):
    """Return the entity ids of the edges that a server applied, in order."""
    return [edge["entity"]["id"] if "entity" in edge else edge["id"] for edge in server.edges]


def counts():
    """Return the outbox's counts over all destinations; check that every record written is accounted for."""
    totals = {name: value for name, value in status().items() if name != "destinations"}
    assert totals["recorded"] == totals["sent"] + totals["waiting"] + totals["dead"]
    return totals


def numbers(folder):
    """Return the subject ids of the readable records in a folder."""
    collected = []
    for name in sorted(journals(folder)):
        reader = Reader(folder, name, owned=False, from_start=True)
        while entries := reader.entries():
            for entry in entries:
                reader.advance(entry)
                body = json.loads(entry.line.body or b"{}")
                collected += [body["subject"]["id"]] if "subject" in body else []
    return collected


def sender():
    """Return the sender of this process for the current destination."""
    return outbox_for(resolve())._sender
