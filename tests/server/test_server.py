"""The server as one object: its version, its initial rows, unknown methods, and that bad input changes nothing."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoflow.errors import ServerRefused
from autoflow.server import server
from autoflow.wire.parts import Part


def test_the_version(server):
    """`instance.version` returns a version that the SDK supports, and autoflow's own."""
    answer = server.call("instance.version", {})
    assert answer["version"] == "6.99.0"
    assert answer["autoflow"]


def test_a_new_store_has_a_team_a_workspace_and_a_user(filled):
    """Team, workspace and user 1 exist in a new store."""
    assert filled.call("teams.info", id=1)["id"] == 1
    assert filled.call("workspaces.info", id=1)["teamId"] == 1
    assert filled.call("users.me")["id"] == 1
    assert [team["id"] for team in filled.call("teams.list")["entities"]] == [1]


def test_an_unknown_method_is_named(server):
    """A method that does not exist is refused with 404 and its name, however it is called."""
    for ask in (server.call, server.download, lambda method, body: server.upload(method, [], body)):
        with pytest.raises(ServerRefused, match=r"projects\.explode") as refusal:
            ask("projects.explode", {})
        assert refusal.value.status == 404


def test_names_of_workspaces_are_unique(filled):
    """A second workspace of the same name is refused with 409."""
    made = filled.call("workspaces.add", teamId=1, name="mine")
    assert filled.call("workspaces.list", teamId=1)["total"] == 2
    with pytest.raises(ServerRefused, match="mine") as refusal:
        filled.call("workspaces.add", teamId=1, name="mine")
    assert refusal.value.status == 409
    assert made["name"] == "mine"


def test_opening_does_not_import_alembic(tmp_path):
    """Neither a new store nor an up-to-date one imports Alembic, which would slow down short scripts."""
    code = (
        "import sys; from autoflow.server.server import Server;"
        "[Server.open(sys.argv[1]).call('instance.version', {}) for _ in range(2)];"
        "print([name for name in ('alembic', 'PIL') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_closed_server_opens_again(server):
    """Calling a closed server works."""
    server.close()
    assert server.call("teams.info", {"id": 1})["id"] == 1


def test_every_write_advances_the_change_counter(filled):
    """A page that polls the counter sees each write, and nothing otherwise."""
    before = filled.call("autoflow.changes")["changes"]
    assert filled.call("autoflow.changes")["changes"] == before
    filled.project()
    assert filled.call("autoflow.changes")["changes"] == before + 1


WORDS = """
id projectId datasetId workspaceId teamId name title path paths type meta node entity direction records key run at
images hash link annotations annotation objects imageId imageIds ids tagId tagIds tags classes value filter field
operator sort sort_order page per_page pagination_mode after recursive parentId customData settings description
state lines facts task project workspace file origin silent items classTitle geometryType extraFields
filters data from to include integerCoords fields imageId figureId figureIds geometry priority projects datasets srcId
destId jobId entityId appId userId userIds reviewerId status limit sinceTime continuationToken title color settings
colour shape hotkey customSort width height resize quality ext teamIds taskId output integer value tagClassId classId
"""
MEMBERS = WORDS.split()
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "1", "55", "\0", "\ud800", "lemons", "/a/b", "image" * 50, "../..", "id"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    max_leaves=8,
)
bodies = st.dictionaries(st.sampled_from(MEMBERS), values, max_size=8)


@pytest.fixture(scope="module")
def shared(module_server):
    project = module_server.call("projects.add", {"workspaceId": 1, "name": "p"})["id"]
    module_server.call("datasets.add", {"projectId": project, "name": "d"})
    return module_server


METHODS = sorted({**server.READS, **server.WRITES, **server.BATCHES})


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(METHODS), body=bodies | st.lists(values, max_size=3))
def test_any_body_is_answered_or_refused(shared, method, body):
    """Any JSON that a client can send is answered with JSON, or refused with a status of 400, 404 or 409."""
    outcome = None
    try:
        json.dumps(shared.call(method, body))
    except ServerRefused as refusal:
        outcome = refusal
    assert outcome is None or (str(outcome) and outcome.status in {400, 404, 409})


def status_of(ask):
    try:
        ask()
    except ServerRefused as refusal:
        return refusal.status
    return 200


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(sorted(server.DOWNLOADS)), body=bodies)
def test_any_body_of_a_download_is_answered_or_refused(shared, method, body):
    """Any members are answered with bytes, or refused with a status of 400 or 404."""
    assert status_of(lambda: b"".join(shared.download(method, body))) in {200, 400, 404}


PARTS = st.lists(
    st.builds(
        lambda field, text, filed: Part(field, io.BytesIO(text.encode()), text or "f") if filed else Part(field, text),
        st.sampled_from(["name", "path", "file", "figureId", "geometry", "0-file"]),
        st.sampled_from(["", "1", "a", "/a/", "..", "{}", "[1]", "/system/versions/1/versions.json", "1048577"]),
        st.booleans(),
    ),
    max_size=6,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(sorted(server.UPLOADS)),
    parts=PARTS,
    query=st.dictionaries(st.sampled_from(["teamId", "path"]), st.sampled_from(["", "1", "9", "x", "/a/b", "/"])),
)
def test_any_form_of_an_upload_is_answered_or_refused(shared, method, parts, query):
    """Any parts in any order are accepted, or refused with a status of 400 or 404."""
    assert status_of(lambda: json.dumps(shared.upload(method, parts, query))) in {200, 400, 404}
