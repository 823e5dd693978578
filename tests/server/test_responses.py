"""Responses of the server's own methods are as declared, member by member."""

from __future__ import annotations

import json

import msgspec
import pytest

from autoflow.server.validation import translate
from autoflow.wire.contract.catalog import METHODS
from tests.server.world import World

# These remove, restore or download something, or need a token of a reproduction: they have tests of their own.
ELSEWHERE = {
    "autoflow.folders.put",
    "autoflow.folders.remove",
    "autoflow.folders.upload",
    "autoflow.items.table",
    "autoflow.members.remove",
    "autoflow.reproduction.discard",
    "autoflow.reproduction.revoke",
    "autoflow.reproduction.view",
    "autoflow.transfers.finish",
    "autoflow.versions.delete",
    "autoflow.versions.map",
    "autoflow.versions.restore",
    "autoflow.views.remove",
}
# Documents in Supervisely's format may have further members.
OPEN = {
    "autoflow.overview.drawn",
    "autoflow.overview.image",
    "autoflow.overview.images",
    "autoflow.overview.project",
    "autoflow.versions.meta",
}
# With the bodies of `World` these select nothing.
WIDER = {
    "autoflow.overview.folder": {"path": "/"},
    "autoflow.overview.images": {"q": "", "labeled": None},
    "autoflow.overview.log": {"after": None, "before": None},
    "autoflow.overview.projects": {"after": None},
    "autoflow.overview.runs": {"app": None, "before": None},
    "autoflow.overview.versions": {"before": None},
    "autoflow.scene": {"kinds": [], "apps": [], "since": None},
    "autoflow.search": {"kinds": []},
}
ANSWERED = [name for name, method in METHODS.items() if method.response is not bytes and name not in ELSEWHERE]


@pytest.fixture(scope="module")
def world(module_server, fill):
    filled = fill(module_server)
    world = World(filled)
    filled.send(filled.record("log", run="world", lines="a line\n"))
    return world


@pytest.mark.parametrize("name", ANSWERED)
def test_a_response_is_as_declared(world, name):
    """Every member has its declared type, and every member of a closed form is declared."""
    response = world.call(name, **{**world.bodies()[name], **WIDER.get(name, {})})
    response = json.loads(json.dumps(response))
    read = json.loads(msgspec.json.encode(msgspec.convert(response, translate(METHODS[name].response))))
    if name not in OPEN:
        assert read == response
