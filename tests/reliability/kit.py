"""An app's function, and what tests of reliability ask: what arrived, and whether every record is accounted for."""

from __future__ import annotations

import autoflow
from autoflow.outbox.status import status

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
