"""Options of an edge: its condition, version and task, and the fields of its two cards."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from autoflow import WorkflowMeta, WorkflowSettings, cards, current_run, workflow_input, workflow_output
from autoflow.runtime.recorder import LONGEST_CARD

pytestmark = pytest.mark.core

STATE = {"weights": "custom", "size": 3, "on": True, "off": False, "ids": [1, 2, 3, 4]}


def record(captured, decorator=workflow_input, value="x", **options):
    """Decorate a function of `x` and `state`, call it, and give the one edge it made, or None."""
    before = len(captured.edges)
    decorator("project", value=value, **options)(lambda x, state: SimpleNamespace(name="made", id=2))(7, STATE)
    new = captured.edges[before:]
    assert len(new) <= 1
    return new[0] if new else None


def tasks(captured):
    """The tasks that edges name themselves."""
    return [record.get("task") for record in captured.records if record["type"] == "edge"]


# -- when


@pytest.mark.parametrize(
    ("when", "recorded"),
    [
        ("state.on", True),
        ("state.off", False),
        ("state.size", True),
        ("state.nowhere", False),
        ({"state.weights": "custom"}, True),
        ({"state.weights": "custom", "state.size": 3}, True),
        ({"state.weights": "custom", "state.size": 4}, False),
        ({"state.nowhere": None}, True),
        ({}, True),
        (lambda call: call.state["on"], True),
        (lambda call: call.value == 8, False),
        (lambda call: None, False),
    ],
)
def test_an_edge_is_recorded_when_its_condition_holds(captured, when, recorded):
    """A path, a mapping of paths to values, a callable."""
    assert (record(captured, when=when) is not None) is recorded


def test_the_condition_is_evaluated_for_each_item(recorded_edges):
    """Of a list, some."""
    workflow_input("project", value="state.ids", when=lambda call: call.value % 2)(lambda state: None)(STATE)
    assert [number for _, _, number in recorded_edges()] == [1, 3]


def test_a_condition_over_the_value_itself(recorded_edges):
    """`value` is the item at hand."""
    many = [{"id": 1, "good": True}, {"id": 2, "good": False}]
    workflow_input("project", value="many", when="value.good")(lambda many: None)(many)
    workflow_input("dataset", value="many", when={"value.good": False})(lambda many: None)(many)
    assert recorded_edges() == [("input", "project", 1), ("input", "dataset", 2)]


# -- version and task


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (12, ("project_version", 12)),
        ("12", ("project_version", 12)),
        ("state.size", ("project_version", 3)),
        (lambda call: 12, ("project_version", 12)),
        (lambda call: {"id": 12}, ("project_version", 12)),
        (lambda call: None, ("project", 7)),
        ("state.nowhere", ("project", 7)),
        ("state.weights", ("project", 7)),
    ],
)
def test_a_version_is_an_id_a_number_a_path_or_a_callable(captured, version, expected):
    """Without one, the plain project is meant."""
    edge = record(captured, version=version)
    assert (edge.type, edge.id) == expected


@pytest.mark.parametrize("version", ["#3", lambda call: "#3"])
def test_a_version_by_its_number_is_looked_up_by_the_sender(monkeypatch, captured, version):
    """The call itself asks nobody."""
    requests = []
    monkeypatch.setattr(
        "autoflow.outbox.destinations.lookups.Lookups.version_numbered",
        lambda self, project, number: requests.append((project, number)) or 31,
    )
    edge = record(captured, version=version)
    assert (edge.type, edge.id) == ("project_version", 31)
    assert requests == [(7, 3)]


@pytest.mark.parametrize("task", [5, "5", "state.size", lambda call: 5, lambda call: {"id": 5}])
def test_an_edge_may_belong_to_another_task(captured, task):
    """A number, numeric text, a path, a callable."""
    record(captured, task_id=task)
    assert tasks(captured) == [3 if task == "state.size" else 5]


def test_task_id_names_the_parameter_task_id(captured):
    """The run's own number needs no saying."""
    workflow_input("project", value="x", task_id="task_id")(lambda x, task_id: None)(7, 9)
    assert tasks(captured) == [9]


# -- texts


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("plain", "plain"),
        ("{x} of {state.size:03d}", "7 of 003"),
        ("{state.ids[0]} {state.weights!r}", "1 'custom'"),
        ("{{x}}", "{x}"),
        ("{value}", "7"),
        ("{args.x}", "7"),
        ("{state.nowhere}", None),
        (lambda call: f"{call.x} {call.value} {call.args.x}", "7 7 7"),
        (lambda call: 5, "5"),
        (lambda call: None, None),
        (lambda call: "{x}", "{x}"),
        ("", ""),
        ("<b>{state.weights}</b>", "<b>custom</b>"),
        ("a\ud800b", "a\ud800b"),
    ],
)
def test_texts_are_templates_or_callables(captured, title, shown):
    """A template over the call; what a callable gives is taken as it is; None leaves the text out."""
    assert record(captured, title=title).card.get("title") == shown


def test_every_property_may_be_a_template(captured):
    """All seven, on the data's card."""
    edge = record(
        captured,
        workflow_output,
        value="result",
        title="{result.name}",
        description="D {x}",
        icon="{state.weights}",
        icon_color="#{x}",
        icon_bg_color="#b{x}",
        url="/files/{result.id}",
        url_title="Open {x}",
    )
    assert edge.card == {
        "title": "made",
        "description": "D 7",
        "icon": {"name": "custom", "color": "#7", "background": "#b7"},
        "link": {"url": "/files/2", "title": "Open 7"},
    }


def test_template_fields_that_the_value_lacks_are_left_to_the_sender(captured):
    """A path's name and number, the run's task and team."""
    workflow_output("file", title="{value.name} {value.id} {task_id} {team_id} {value.team_id}")(lambda: "/a/b.pt")()
    (edge,) = captured.edges
    task = current_run().task_id
    assert edge.card["title"] == f"b.pt /a/b.pt {task} 1 1"


@pytest.mark.parametrize(
    "value",
    [{"id": 9, "name": "n", "teamId": 4}, SimpleNamespace(id=9, name="n", team_id=4)],
    ids=["mapping", "object"],
)
def test_template_fields_are_read_from_the_value(captured, value):
    """Nobody is asked."""
    workflow_output("file", title="{value.id} {value.name} {value.team_id}")(lambda: value)()
    assert captured.edges[0].card["title"] == "9 n 4"


def test_reserved_words_take_precedence_over_parameters(captured):
    """`args.` reaches the parameter."""

    @workflow_output("project", title="{result} {value} {args.result} {args.value}")
    def f(result, value):
        return 2

    f("a", "b")
    assert captured.edges[0].card["title"] == "2 2 a b"


@pytest.mark.parametrize(
    ("start", "has_link"), [("/files", True), ("files", False), ("//evil", False), ("http://x", False)]
)
def test_a_url_that_begins_with_a_placeholder_is_checked_when_known(captured, start, has_link):
    """A link that leads elsewhere is left out, the edge stays."""
    workflow_input("project", value="x", url="{start}/{x}", url_title="Open")(lambda x, start: None)(7, start)
    (edge,) = captured.edges
    assert edge.card == ({"link": {"url": f"{start}/7", "title": "Open"}} if has_link else {})


@pytest.mark.parametrize(
    "options",
    [
        {"title": lambda call: call.nobody},
        {"title": "{x:no format}"},
        {"description": lambda call: 1 / 0},
        {"card": lambda call: 1 / 0},
        {"node": lambda call: 1 / 0},
        {"node_title": lambda call: 1 / 0},
        {"meta": lambda call: 1 / 0},
        {"card": lambda call: WorkflowSettings(url="nowhere", url_title="x")},
        {"card": lambda call: WorkflowSettings(title="{nobody}")},
        {"card": lambda call: "no settings"},
    ],
)
def test_a_text_that_fails_is_left_out_of_the_card(captured, non_strict, options):
    """The edge is recorded with what is left."""
    edge = record(captured, url_title="Open", url="/x", **options)
    assert (edge.type, edge.id) == ("project", 7)
    assert edge.card["link"] == {"url": "/x", "title": "Open"}
    assert edge.node == {}


def test_a_card_too_long_for_a_record_is_left_out_of_the_edge(captured):
    """Fifty megabytes of title, and the edge is there."""
    edge = record(captured, title=lambda call: "x" * (50 << 20))
    assert (edge.id, edge.card) == (7, {})
    assert str(LONGEST_CARD) in str(current_run().failures[-1])


# -- cards


BASE = WorkflowSettings(title="base {x}", icon="folder", icon_color="#1", icon_bg_color="#2", description="from base")


def test_single_options_override_the_card_and_meta_overrides_both(captured):
    """Property by property, last wins."""
    meta = WorkflowMeta(WorkflowSettings(description="from meta"))
    edge = record(captured, card=BASE, title="single", meta=meta)
    assert edge.card == {
        "title": "single",
        "description": "from meta",
        "icon": {"name": "folder", "color": "#1", "background": "#2"},
    }


def test_a_card_may_be_a_callable(captured):
    """It gives settings, whose texts are templates still, or None."""
    assert record(captured, card=lambda call: BASE, description="single").card["title"] == "base 7"
    assert record(captured, card=lambda call: None, title="only").card == {"title": "only"}
    assert record(captured, card=lambda call: None).card == {}


def test_node_settings_are_recorded_with_the_edge_and_node_title_overrides(captured):
    """The run's own card, said on an edge."""
    edge = record(captured, node=WorkflowSettings(title="node", description="D {x}"), node_title="better {x}")
    assert edge.node == {"title": "better 7", "description": "D 7"}
    assert edge.card == {}
    assert record(captured, node=lambda call: WorkflowSettings(title="called")).node == {"title": "called"}


@pytest.mark.parametrize("form", ["object", "dict", "callable object", "callable dict"])
def test_meta_in_each_of_its_forms(captured, form):
    """The guide's class, its wire form, or a callable giving either; it reaches both cards."""
    meta = WorkflowMeta(WorkflowSettings(title="data"), WorkflowSettings(title="node"))
    wire = meta.as_dict
    option = {"object": meta, "dict": wire, "callable object": lambda call: meta, "callable dict": lambda call: wire}[
        form
    ]
    edge = record(captured, meta=option)
    assert (edge.card, edge.node) == ({"title": "data"}, {"title": "node"})


@pytest.mark.parametrize("meta", [{}, {"customRelationSettings": 3}, "text", None])
def test_meta_from_a_callable_that_is_no_meta_is_left_out(captured, non_strict, meta):
    """The edge stays."""
    assert record(captured, meta=lambda call: meta).card == {}


def test_ready_made_cards_render(captured):
    """Those that apps record most, with the words, icons and links of the guide."""
    file = SimpleNamespace(id=9, name="a.zip", team_id=4)
    for card in (cards.archive, cards.checkpoints, cards.report):
        workflow_output("file", card=card, node=cards.session)(lambda: file)()
    archive, checkpoints, report = captured.edges
    assert archive.card == {
        "title": "a.zip",
        "icon": {"name": "archive", "color": "#33c94c", "background": "#d9f7e4"},
        "link": {"url": "/files/9/true/?teamId=4", "title": "Download"},
    }
    assert checkpoints.card == {
        "title": "Checkpoints",
        "icon": {"name": "folder", "color": "#FFA500", "background": "#FFE8BE"},
        "link": {"url": "/files/9/true", "title": "Open Folder"},
    }
    assert report.card == {
        "title": "Model Benchmark",
        "icon": {"name": "assignment", "color": "#dcb0ff", "background": "#faebff"},
        "link": {"url": "/model-benchmark?id=9", "title": "Open Benchmark Report"},
    }
    assert archive.node == {"link": {"url": f"/apps/sessions/{current_run().task_id}", "title": "Show Results"}}


# -- once


def test_the_same_edge_is_recorded_once(captured):
    """However often, through whichever decorator, and from the run itself."""
    read = workflow_input("project")(lambda project_id: None)
    also = workflow_input("project", value="p")(lambda p: None)
    for _ in range(3):
        read(7)
        also("7")
        current_run().input("project", {"id": 7})
    read(8)
    workflow_output("project")(lambda: 7)()
    assert [(edge.direction, edge.id) for edge in captured.edges] == [("input", 7), ("input", 8), ("output", 7)]


def test_it_is_recorded_again_when_its_card_has_changed(captured):
    """The last card is the one that counts."""
    for title in ("a", "a", "b", "b", "a"):
        current_run().input("project", 7, title=title)
    assert [edge.card["title"] for edge in captured.edges] == ["a", "b", "a"]


@pytest.mark.parametrize("task", [None, 5])
def test_it_is_recorded_again_when_the_node_settings_differ_from_the_tasks_last(captured, task):
    """The node is one, whichever edge speaks of it; another task has its own."""
    run = current_run()
    for number, title in [(7, "a"), (7, "a"), (8, "a"), (8, "b"), (8, "b"), (7, "b"), (7, "a"), (7, "a")]:
        run.input("project", number, node_title=title, task_id=task)
    assert [(edge.id, edge.node["title"]) for edge in captured.edges] == [
        (7, "a"),
        (8, "a"),
        (8, "b"),
        (7, "a"),
    ]


def test_versions_and_tasks_make_other_edges(captured):
    """The same project twice, at two versions, for two tasks."""
    run = current_run()
    for options in ({}, {"version": 1}, {"version": 2}, {"task_id": 5}, {"version": 1}, {}):
        run.input("project", 7, **options)
    assert [(edge.type, edge.id) for edge in captured.edges] == [
        ("project", 7),
        ("project_version", 1),
        ("project_version", 2),
        ("project", 7),
    ]


def test_naming_the_runs_own_task_makes_no_other_edge(captured):
    """It is the task it is."""
    from autoflow import workflow

    with workflow("known", task_id=5) as run:
        run.input("project", 7)
        run.input("project", 7, task_id=5)
    assert len(captured.edges) == 1
