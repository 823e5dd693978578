"""`autoflow.graph`: the cards around an entry, their style, and that hostile values are left out."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused
from autoflow.graph.graph import Graph
from autoflow.server.methods.lineage import graph as graph_operation


def relation(**settings):
    return {"customRelationSettings": settings}


def test_a_run_with_its_inputs_and_outputs(filled):
    """Arrows lead from the inputs to the run and from the run to its outputs."""
    project, file = filled.project(), filled.file()["id"]
    filled.send(filled.record("run", name="Train"))
    filled.edge("input", "project", project)
    filled.edge("output", "model_weight", file)
    answer = filled.graph(task=1)
    assert Graph.from_json(answer).to_json() == answer
    assert filled.arrows(task=1) == [("project:1", "task:1", "input"), ("task:1", f"file:{file}", "output")]
    assert answer["entry"] == "task:1"
    cards = filled.cards(task=1)
    assert cards["project:1"]["title"] == "lemons"
    assert cards["project:1"]["link"] == {"url": "/projects/1", "title": "Open Project"}
    assert cards["task:1"]["link"] == {"url": "/apps/sessions/1", "title": "Show Logs"}
    assert cards["task:1"]["state"] == "running"
    weights = cards[f"file:{file}"]
    assert (weights["type"], weights["title"], weights["link"]["url"]) == (
        "model_weight",
        "best.pt",
        f"/files/{file}/true",
    )


@pytest.mark.parametrize(
    "entry", [{"project": 1}, {"task": 1}, {"file": 1}, {"file": "/models/best.pt"}, {"workspace": 1}, {}]
)
def test_every_entry_shows_the_same_graph(filled, entry):
    """The cards are the same from a project, a task, a file by id or path, and the workspace."""
    filled.project()
    filled.file()
    filled.send(filled.record("run", name="Train"))
    filled.edge("input", "project", 1)
    filled.edge("output", "file", 1)
    assert set(filled.cards(**entry)) == {"project:1", "task:1", "file:1"}


def test_a_version_has_a_card_of_its_own(filled):
    """A version has a badge, a title with its number, its project as parent, and an arrow from the project."""
    project = filled.project()
    version = filled.snapshot(project, title="before")["id"]
    filled.edge("input", "project_version", version)
    card = filled.cards(project=project)[f"project_version:{version}"]
    assert (card["badge"], card["title"], card["parent"]) == ("V1", "(V1) before", "project:1")
    assert ("project:1", f"project_version:{version}", "version") in filled.arrows(task=1)


def test_a_project_shows_the_runs_on_its_datasets(filled):
    """A project's graph has the runs that used any of its datasets, though no arrow joins them."""
    dataset = filled.dataset(filled.project())
    filled.edge("input", "dataset", dataset)
    cards = filled.cards(project=1)
    assert set(cards) == {"project:1", f"dataset:{dataset}", "task:1"}
    assert cards[f"dataset:{dataset}"]["link"]["url"] == "/projects/1/datasets/1"


def test_an_unused_entry_is_shown_alone(filled):
    """A project without runs is a graph of one card."""
    filled.project()
    assert set(filled.cards(project=1)) == {"project:1"}
    assert not filled.graph()["cards"]


@pytest.mark.parametrize("entry", [{"project": 9}, {"task": 9}, {"file": 9}, {"file": "/none"}, {"workspace": 9}])
def test_an_unknown_entry_is_refused(filled, entry):
    """An entry that does not exist is refused with 404."""
    with pytest.raises(ServerRefused) as refusal:
        filled.graph(**entry)
    assert refusal.value.status == 404


def test_two_entries_are_refused(filled):
    """A graph starts from one entity."""
    with pytest.raises(ServerRefused, match="project and task"):
        filled.graph(project=1, task=1)


def test_the_last_edge_styles_a_card(filled):
    """Title, description, icon and link come from the last edge that customises its data card."""
    first = relation(title="<h4>One</h4>", description="<small>d</small>")
    icon = {"icon": "zmdi-archive", "color": "#33c94c", "backgroundColor": "#d9f7e4"}
    last = relation(title="<h4>Two <b>x</b></h4>", icon=icon, mainLink={"url": "/files/1/true", "title": "Download"})
    filled.edge("output", "folder", "/x", meta=first)
    filled.edge("input", "folder", "/x", run="r2", meta=last)
    filled.edge("input", "folder", "/x", run="r3")
    card = filled.cards()["folder:/x"]
    assert card["title"] == "Two <b>x</b>"
    assert card["icon"] == {"name": "archive", "color": "#33c94c", "background": "#d9f7e4"}
    assert card["link"] == {"url": "/files/1/true", "title": "Download"}
    filled.edge("output", "folder", "/x", meta=first)
    assert filled.cards()["folder:/x"]["title"] == "One"


def test_project_cards_are_never_customised(filled):
    """Settings of project, version and dataset cards are ignored, as the guide says."""
    dataset = filled.dataset(filled.project())
    version = filled.snapshot(1)["id"]
    for entity_type, number in (("project", 1), ("dataset", dataset), ("project_version", version)):
        filled.edge("input", entity_type, number, meta=relation(title="<h4>mine</h4>"))
    assert "mine" not in {card["title"] for card in filled.graph()["cards"]}


def test_node_settings_style_a_task_card(filled):
    """Node settings, sent with an edge or alone, style the app's card; the last ones apply."""
    filled.send(filled.record("run", name="Train"))
    filled.edge("output", "folder", "/x", meta={"customNodeSettings": {"title": "<h4>One</h4>"}})
    assert filled.cards()["task:1"]["title"] == "One"
    filled.send(filled.record("node", node={"title": "<h4>Two</h4>"}))
    card = filled.cards()["task:1"]
    assert (card["title"], card["name"]) == ("Two", "Train")


@pytest.mark.parametrize(
    "url", ["//evil.example", "/\\evil", "https://evil.example", "javascript:alert(1)", "/\t/evil", "", "x", "/a\nb"]
)
def test_a_link_must_stay_on_the_server(filled, url):
    """A link is shown only with exactly one leading slash and without control characters."""
    filled.edge("output", "folder", "/x", meta=relation(mainLink={"url": url, "title": "t"}))
    assert filled.cards()["folder:/x"]["link"] is None


@pytest.mark.parametrize("colour", ["red", "#12", "#1234567890", "url(x)", "#fff;x", None])
@pytest.mark.parametrize("name", ["zmdi-archive", "Zmdi", "a b", "<x>", ""])
def test_an_unsafe_icon_is_left_out(filled, colour, name):
    """An icon is shown only if its name is letters and dashes and its colours are hexadecimal."""
    icon = {"icon": name, "color": colour, "backgroundColor": "#fff"}
    filled.edge("output", "folder", "/x", meta=relation(icon=icon))
    assert filled.cards()["folder:/x"]["icon"] is None


def test_sessions_and_tasks_as_entities(filled):
    """A session has a card of its own by the task's number; a task as data is that task's card."""
    filled.send(filled.record("run", name="Serve"))
    filled.edge("output", "app_session", None)
    filled.edge("input", "task", 1, run="r2")
    cards = filled.cards()
    assert set(cards) == {"task:1", "task:2", "app_session:1"}
    assert cards["app_session:1"]["title"] == "Serve"
    assert cards["app_session:1"]["link"] == {"url": "/apps/sessions/1", "title": "Show Results"}
    assert ("task:1", "task:2", "input") in filled.arrows()


def test_a_foreign_task_has_one_card(filled):
    """Another server's task is one card, whether an edge names it or its run was recorded here."""
    origin = "https://sly.example"
    filled.edge("input", "task", 55, entity_origin=origin)
    filled.send(filled.record("run", "r2", name="Other", task=55, origin=origin))
    filled.edge("output", "folder", "/x", run="r2")
    cards = filled.cards()
    assert set(cards) == {"task:1", f"task:55@{origin}", "folder:/x"}
    assert cards[f"task:55@{origin}"]["title"] == "Other"


def test_foreign_entities_are_not_checked(filled):
    """Entities of another server are cards with their origin and a default name, or the name that was recorded."""
    origin = "https://sly.example"
    for entity_type, number in (("project", 7), ("project_version", 8), ("job", 9), ("file", 10)):
        filled.edge("input", entity_type, number, entity_origin=origin)
    entity = {"type": "dataset", "id": 3, "origin": origin, "name": "train"}
    filled.send(filled.record("edge", direction="input", entity=entity))
    titles = {key: card["title"] for key, card in filled.cards().items() if card["origin"]}
    assert titles == {
        f"project:7@{origin}": "project 7",
        f"project_version:8@{origin}": "project version 8",
        f"job:9@{origin}": "labeling job 9",
        f"file:10@{origin}": "file 10",
        f"dataset:3@{origin}": "train",
    }


def test_a_replaced_file_keeps_its_card(filled):
    """Uploading to an existing path creates a new file; the old file keeps its card."""
    old = filled.file()["id"]
    filled.edge("output", "model_weight", old)
    new = filled.file(data=b"better")["id"]
    assert filled.cards()[f"file:{old}"]["title"] == "best.pt"
    assert set(filled.cards(file=new)) == {f"file:{new}"}


def test_a_removed_project_stays_in_the_graph(filled):
    """A project that runs used is shown after it was removed."""
    filled.project()
    filled.edge("input", "project", 1)
    filled.call("projects.archive", id=1)
    assert filled.cards()["project:1"]["title"] == "lemons"


def test_a_large_graph_is_truncated_with_counts(filled, monkeypatch):
    """Over the cap the nearest cards are shown, each with the number of its neighbours that were left out."""
    filled.send(
        *(filled.record("edge", direction="output", entity={"type": "folder", "id": f"/{n}"}) for n in range(30))
    )
    monkeypatch.setattr(graph_operation, "CAP", 10)
    cards = filled.cards(task=1)
    assert len(cards) == 10
    assert cards["task:1"]["more"] == 21
    assert len(filled.arrows(task=1)) == 9


def test_a_walk_follows_cycles_and_long_chains(filled):
    """A chain of runs, one of which writes what it read, is complete from its end."""
    for step in range(1, 6):
        filled.edge("input", "folder", f"/{step}", run=f"r{step}")
        filled.edge("output", "folder", f"/{step + 1}", run=f"r{step}")
    filled.edge("output", "folder", "/1", run="r1")
    assert len(filled.cards(task=5)) == 11
    assert ("task:1", "folder:/1", "output") in filled.arrows(task=5)


def test_a_folder_is_an_entry_by_its_path(filled):
    """A path that is not a file but a folder that runs used selects that folder."""
    filled.edge("output", "folder", "/experiments/7/")
    assert filled.graph(file="/experiments/7")["entry"] == "folder:/experiments/7"
    assert filled.cards()["folder:/experiments/7"]["title"] == "Folder /experiments/7"
