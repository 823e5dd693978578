"""An app's function, and what tests of reliability ask: what arrived, and whether every record is accounted for."""

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
    """An app's function that reads a project."""
    return project_id


def ids(server):
    """The entities of the edges a server applied, in order."""
    return [edge["entity"]["id"] if "entity" in edge else edge["id"] for edge in server.edges]


def counts():
    """The outbox's counts over all destinations; every record written is accounted for."""
    found = {name: value for name, value in status().items() if name != "destinations"}
    assert found["recorded"] == found["sent"] + found["waiting"] + found["dead"]
    return found


def numbers(folder):
    """The records in a folder that can be read, by their subject's number."""
    found = []
    for name in sorted(journals(folder)):
        reader = Reader(folder, name, owned=False, from_start=True)
        while entries := reader.entries():
            for entry in entries:
                reader.advance(entry)
                body = json.loads(entry.line.body or b"{}")
                found += [body["subject"]["id"]] if "subject" in body else []
    return found


def sender():
    """The sender of this process for where a test's records go."""
    return outbox_for(resolve())._sender
