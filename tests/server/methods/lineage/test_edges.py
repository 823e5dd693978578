"""`workflow.node.add-*`: edges as the SDK posts them."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused


def post(filled, direction="input", **body):
    full = {"teamId": 1, "node": {"type": "task", "id": "55"}, "type": "folder", "id": "/x", **body}
    return filled.call(f"workflow.node.add-{direction}", **full)


def test_numbers_may_be_text(filled):
    """The numbers of a node and an entity may be text; an unknown task is created with that number."""
    filled.project()
    assert post(filled, type="project", id="1") == {"success": True}
    assert filled.arrows(task=55) == [("project:1", "task:55", "input")]


def test_posting_an_edge_again_updates_it(filled):
    """The SDK repeats posts blindly: there remains one edge, with the last settings."""
    for title in ("one", "two"):
        post(filled, meta={"customRelationSettings": {"title": f"<h4>{title}</h4>"}})
    post(filled)
    assert len(filled.arrows()) == 1
    assert filled.cards()["folder:/x"]["title"] == "two"


def test_both_directions_are_two_edges(filled):
    """An entity that is read and written has an edge of each direction."""
    post(filled, "input")
    post(filled, "output")
    assert len(filled.arrows()) == 2


@pytest.mark.parametrize(
    ("entity_type", "word"),
    [
        ("project", "project"),
        ("dataset", "dataset"),
        ("project_version", "version"),
        ("file", "file"),
        ("model_weight", "file"),
    ],
)
def test_unknown_ids_of_this_server_are_refused(filled, entity_type, word):
    """An id that this server never issued is refused with 404, and nothing is created, not even the task."""
    with pytest.raises(ServerRefused, match=f"^{word} 999 is unknown on this server$") as refusal:
        post(filled, type=entity_type, id=999)
    assert refusal.value.status == 404
    assert filled.call("tasks.list", workspaceId=1)["entities"] == []


def test_an_output_file_may_be_named_by_path(filled):
    """The SDK posts a path as an output file's id: it names the current file at that path."""
    number = filled.file("/models/best.pt")["id"]
    post(filled, "output", type="file", id="models/best.pt")
    assert filled.arrows() == [("task:55", f"file:{number}", "output")]
    with pytest.raises(ServerRefused, match="/models/none"):
        post(filled, "output", type="file", id="/models/none")


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "rocket"},
        {"type": None},
        {"id": None},
        {"id": ""},
        {"id": {}},
        {"type": "project", "id": "seven"},
        {"node": None},
        {"node": {"type": "task"}},
        {"node": {"type": "job", "id": 1}},
        {"node": {"type": "task", "id": 0}},
        {"node": {"type": "task", "id": 2**70}},
        {"meta": "x"},
        {"meta": []},
    ],
)
def test_a_malformed_edge_is_refused(filled, wrong):
    """Missing, unknown or mistyped members are refused with 400, and nothing is stored."""
    with pytest.raises(ServerRefused) as refusal:
        post(filled, **wrong)
    assert refusal.value.status == 400
    assert not filled.graph()["cards"]


def test_a_labeling_job_has_a_card(filled):
    """A job of this server has a card with its name; the number of no job is refused."""
    job = filled.call("jobs.add", name="Label lemons", datasetId=filled.dataset(filled.project()), userIds=[1])[0]["id"]
    post(filled, type="job", id=job)
    assert filled.cards()[f"job:{job}"]["title"] == "Label lemons"
    with pytest.raises(ServerRefused) as refusal:
        post(filled, type="job", id=job + 1)
    assert refusal.value.status == 404
