"""`autoflow.scene`: the part of the lineage that the page shows, its layout, and the counts of what is left out."""

from __future__ import annotations

from itertools import accumulate

import pytest

from autoflow.errors import ServerRefused
from autoflow.graph.graph import Graph
from autoflow.graph.layout import compute_layout
from autoflow.model.entity import EntityRef
from autoflow.server.methods.lineage.graph_view import parse_key


@pytest.fixture
def chain(filled):
    """/0 → run 1 → /1 → run 2 → ... → run 6 → /6; run 3 reads /aside too."""
    for n in range(1, 7):
        run = f"r{n}"
        filled.send(filled.record("run", run=run, name=f"Step {n}"))
        filled.edge("input", "folder", f"/{n - 1}", run=run)
        filled.edge("output", "folder", f"/{n}", run=run)
    filled.edge("input", "folder", "/aside", run="r3")
    return filled


def scene(filled, **body):
    return filled.call("autoflow.scene", **body)


def test_two_hops_are_shown_and_the_rest_is_counted(chain):
    """Around run 3, two arrows either way; the outermost cards count their other neighbours by side."""
    view = scene(chain, task=3)
    assert set(view["keys"]) == {
        "task:2",
        "task:3",
        "task:4",
        *(f"folder:/{n}" for n in (1, 2, 3, 4)),
        "folder:/aside",
    } - {
        "folder:/1",
        "folder:/4",
    }
    more = {view["keys"][int(n)]: sides for n, sides in view["more"].items()}
    assert more == {"task:2": (1, 0), "task:4": (0, 1)}
    assert view["title"] == 'Workflow for run "Step 3"'
    assert view["entry"] == "task:3"


def test_depth_limits_the_hops(chain):
    """Depth 0 is the card alone; a large depth shows everything upstream and downstream."""
    assert scene(chain, task=3, depth=0)["keys"] == ["task:3"]
    assert len(scene(chain, task=3, depth=99)["keys"]) == 14
    assert "folder:/aside" not in scene(chain, task=2, depth=99)["keys"]


def test_a_card_can_be_expanded(chain):
    """Expanding a side of a card shows its neighbours on that side and nothing else."""
    view = scene(
        chain, task=3, expand=[{"card": "task:4", "side": "downstream"}, {"card": "task:99", "side": "upstream"}]
    )
    assert "folder:/4" in view["keys"]
    assert "folder:/1" not in view["keys"]


def test_a_focus_shows_everything_upstream_or_downstream(chain):
    """Everything upstream of a card, or downstream, or both, and nothing beside it."""
    up = scene(chain, task=3, focus={"card": "task:2", "side": "upstream"})["keys"]
    assert set(up) == {"task:1", "task:2", "folder:/0", "folder:/1"}
    down = scene(chain, task=3, focus={"card": "folder:/5", "side": "downstream"})["keys"]
    assert set(down) == {"folder:/5", "task:6", "folder:/6"}
    assert len(scene(chain, task=3, focus={"card": "task:3", "side": "both"})["keys"]) == 14


def test_filters_do_not_change_the_facets(chain):
    """The facets are those of the unfiltered graph."""
    view = scene(chain, workspace=1, kinds=["task"])
    assert {key.partition(":")[0] for key in view["keys"]} == {"task"}
    assert view["facets"]["kinds"] == {"folder": 8, "task": 6}
    assert scene(chain, workspace=1, apps=["Step 2"])["facets"]["apps"]["Step 5"] == 1
    assert set(scene(chain, workspace=1, apps=["Step 2"])["keys"]) == {"folder:/1", "task:2", "folder:/2"}


def test_similar_cards_are_clustered_until_opened(filled):
    """Six runs of one app on a project are one card; opened, they are six."""
    project = filled.project()
    for n in range(6):
        filled.send(filled.record("run", run=f"r{n}", name="Train"))
        filled.edge("input", "project", project, run=f"r{n}")
    view = scene(filled, project=project)
    assert view["keys"] == ["cluster:task:1", "project:1"] or set(view["keys"]) == {"cluster:task:1", "project:1"}
    cluster = next(card for card in view["cards"] if card["key"] == "cluster:task:1")
    assert (cluster["title"], len(cluster["members"])) == ("6 runs of Train", 6)
    assert len(scene(filled, project=project, opened=["cluster:task:1"])["keys"]) == 7
    assert len(scene(filled, project=project, clusters=False)["keys"]) == 7
    assert "task:4" in scene(filled, project=project, keep=["task:4"])["keys"]


def test_cards_say_what_tells_them_apart(filled):
    """A run's input, output, result and duration; what changed in a version; the project of clustered versions."""
    project = filled.project("Lemons")
    dataset = filled.dataset(project)
    images = [filled.image(dataset, f"{n}.png")["id"] for n in range(3)]
    filled.snapshot(project, description="As bought")
    filled.call("images.bulk.remove", imageIds=images[:2])
    content = filled.content(filled.picture((0, 0, 255)))
    filled.call("images.bulk.add", datasetId=dataset, images=[{"title": "new.png", "hash": content}])
    version = filled.snapshot(project, title="Cleaned")["id"]
    weights = filled.file("/experiments/5/best.pt")["id"]
    at = 10**18
    filled.send(filled.record("run", name="Train", at=at))
    filled.edge("input", "project_version", version)
    filled.edge("output", "folder", "/experiments/5")
    filled.edge("output", "model_weight", weights)
    facts = {"result.val loss": 0.3, "result.mAP": 0.8251}
    filled.send(
        filled.record("finish", at=at + 8 * 3600 * 10**9, state="finished"), filled.record("facts", facts=facts)
    )
    response = scene(filled, workspace=1)
    cards = {card["key"]: card for card in response["cards"]}
    assert cards["task:1"]["summary"] == "V2 → best.pt · mAP 0.825 · 8 h"
    assert cards[f"project_version:{version}"]["summary"] == "+1 -2"
    assert response["states"] == {"finished": [response["keys"].index("task:1")]}
    assert filled.call("autoflow.scene.cards", keys=["task:1"])["cards"][0]["summary"] == cards["task:1"]["summary"]


def test_containers_are_in_the_graph(filled):
    """A dataset's project and a written folder's files, in a workspace, up- and downstream, as a trace has them."""
    project, other = filled.project("Lemons"), filled.project("Pears")
    read, written = filled.dataset(project), filled.dataset(other)
    filled.send(filled.record("run", name="Import"))
    filled.edge("output", "project", project)
    filled.edge("output", "dataset", written)
    filled.edge("output", "folder", "/experiments")
    file, aside = (filled.file(path)["id"] for path in ("/experiments/5/best.pt", "/other/best.pt"))
    filled.send(filled.record("run", "r2", name="Train"))
    for kind, number in (("dataset", read), ("project", other), ("file", file), ("file", aside)):
        filled.edge("input", kind, number, run="r2")
    contained = {
        (f"project:{project}", f"dataset:{read}"),
        (f"dataset:{written}", f"project:{other}"),
        ("folder:/experiments", f"file:{file}"),
    }
    arrows = filled.arrows(workspace=1)
    assert {(source, target) for source, target, kind in arrows if kind == "version"} == contained
    trace = filled.call("autoflow.trace", ref="task:2")["graph"]["arrows"]
    assert {(arrow["source"], arrow["target"]) for arrow in trace if arrow["kind"] == "version"} == contained
    down = scene(filled, workspace=1, focus={"card": "task:1", "side": "downstream"})["keys"]
    assert {"task:2", f"dataset:{read}", f"file:{file}"} <= set(down)
    assert f"file:{aside}" not in down
    near = scene(filled, task=2, depth=1)
    more = {near["keys"][int(n)]: tuple(sides) for n, sides in near["more"].items()}
    assert more == dict.fromkeys((f"dataset:{read}", f"project:{other}", f"file:{file}"), (1, 0))


def test_positions_are_those_of_the_layout(chain):
    """Boxes and routes are those of `graph.layout`, in flat lists."""
    view = scene(chain, workspace=1)
    layout = compute_layout(Graph.from_json(chain.graph(workspace=1)))
    assert (view["width"], view["height"]) == (layout.width, layout.height)
    assert len(view["boxes"]) == 3 * len(view["keys"]) == 3 * len(view["types"])
    ways, read = view["ways"], 0
    for _ in range(len(view["arrows"]) // 3):
        read += 1 + 2 * ways[read]
    assert read == len(ways)


def test_an_unchanged_view_is_not_sent_again(chain):
    """A client that has the view gets its digest only; after a visible change it gets the view."""
    view = scene(chain, task=3)
    again = scene(chain, task=3, have=view["digest"])
    assert again == {"changes": view["changes"], "digest": view["digest"], "same": True}
    chain.edge("output", "folder", "/new", run="r3")
    assert "folder:/new" in scene(chain, task=3, have=view["digest"])["keys"]


def test_new_cards_do_not_move_others(filled):
    """Parts of a workspace keep their positions when another run adds a part."""

    def run(n):
        filled.send(filled.record("run", run=f"r{n}", name="Step", at=10**18 + n * 10**9))
        filled.send(
            {
                **filled.record("edge", run=f"r{n}", direction="output", entity={"type": "folder", "id": f"/{n}"}),
                "at": 10**18 + n * 10**9,
            }
        )

    def boxes(positions):
        view = scene(filled, workspace=1, positions=positions)
        return {key: view["boxes"][3 * n : 3 * n + 3] for n, key in enumerate(view["keys"])}

    for n in range(9):
        run(n)
    before = boxes({})
    run(9)  # the sheet of ten parts is wider
    after = boxes({key: box[:2] for key, box in before.items()})
    assert len(after) == len(before) + 2
    assert {key: after[key] for key in before} == before


def test_texts_of_cards_are_returned_by_key(chain):
    """They equal the texts in the view; unknown keys are skipped."""
    words = {card["key"]: card for card in scene(chain, task=3)["cards"]}
    view = chain.call("autoflow.scene.cards", keys=["task:3", "folder:/2", "cluster:task:1", "nonsense", "bogus:7"])
    assert {card["key"]: card for card in view["cards"]} == {key: words[key] for key in ("task:3", "folder:/2")}
    with pytest.raises(ServerRefused, match="more than 2000"):
        chain.call("autoflow.scene.cards", keys=["task:1"] * 3000)


@pytest.mark.parametrize("form", ["text", "json", "mermaid", "dot", "svg", "html"])
def test_a_view_is_exported_in_every_form(chain, form):
    """The export is filtered like the view and has its media type."""
    view = chain.call("autoflow.scene.export", workspace=1, form=form, apps=["Step 2"])
    assert "Step 2" in view["text"]
    assert "Step 5" not in view["text"]
    assert "/" in view["media"]


@pytest.mark.parametrize(
    "body",
    [
        {"focus": {"card": "task:1"}},
        {"focus": {"card": "task:1", "side": "sideways"}},
        {"focus": {"card": "nothing", "side": "both"}},
        {"focus": 7},
        {"task": 3, "expand": [{}]},
        {"task": 3, "depth": "deep"},
        {"kinds": "task"},
        {"task": 3, "project": 1},
    ],
)
def test_malformed_requests_are_refused(chain, body):
    """The error is 400 and names the member."""
    with pytest.raises(ServerRefused) as refusal:
        scene(chain, **body)
    assert refusal.value.status == 400
    with pytest.raises(ServerRefused, match="form"):
        chain.call("autoflow.scene.export", form="docx")


@pytest.mark.parametrize(
    "ref",
    [
        EntityRef("", "task", 5),
        EntityRef("", "folder", "/a:b@c"),
        EntityRef("https://app.example:8080", "project", 7),
        EntityRef("http://x", "folder", "/a/b"),
    ],
)
def test_a_key_parses_to_its_entity(ref):
    """The key of a card names its entity."""
    assert parse_key(ref.key) == ref


def test_thumbnails_of_projects_and_datasets(filled):
    """Cards of projects and datasets show the first image; versions, which are rows, and empty projects none."""
    project = filled.project()
    dataset = filled.dataset(project)
    image = filled.image(dataset)["id"]
    version = filled.snapshot(project)["id"]
    empty = filled.project("empty")
    for kind, number in (("project", project), ("project_version", version), ("dataset", dataset), ("project", empty)):
        filled.edge("input", kind, number)
    cards = filled.cards(project=project)
    shown = {key: card["preview"] for key, card in cards.items() if key.startswith(("project", "dataset"))}
    picture = f"/storage/previews/{image}"
    assert shown == {
        "project:1": picture,
        f"project_version:{version}": None,
        "dataset:1": picture,
        "project:2": None,
    }


def test_groups_are_folded_as_the_request_says(filled):
    """None by default; all, some, or all but some; the arrow between two folded groups counts its edges."""
    projects = [filled.project(name) for name in ("Lemons", "Limes")]
    for n in range(4):
        run = f"r{n}"
        filled.send(filled.record("run", run=run, name=f"Step {n}"))
        filled.edge("input", "project", projects[n % 2], run=run)
        filled.edge("output", "folder", f"/{n}", run=run)
        if n > 1:
            filled.edge("input", "folder", "/0", run=run)
    plain = scene(filled, workspace=1)
    assert [(group["title"], group["cards"], group["folded"]) for group in plain["groups"]] == [
        ("Lemons", 5, False),
        ("Limes", 5, False),
    ]
    lemons, limes = (group["key"] for group in plain["groups"])
    assert set(plain["grouping"]) == {0, 1}
    assert len(plain["keys"]) == 10
    assert scene(filled, workspace=1, fold="large")["digest"] == plain["digest"]
    folded = scene(filled, workspace=1, fold="all")
    assert (folded["keys"], folded["grouping"]) == ([lemons, limes], [0, 1])
    assert (folded["arrows"], folded["edges"]) == ([0, 1, 0], {})
    assert folded["facets"] == plain["facets"]
    half = scene(filled, workspace=1, fold="all", unfolded=[limes])
    assert half["digest"] == scene(filled, workspace=1, folded=[lemons])["digest"]
    assert len(half["keys"]) == 6
    assert scene(filled, project=projects[0], fold="all")["entry"] == lemons
    appeared = dict(zip(plain["keys"], accumulate(plain["times"]), strict=True))
    assert (plain["begin"], min(appeared.values())) == (min(card["at"] for card in plain["cards"]), 0)
    assert appeared["project:1"] <= appeared["task:1"]
    assert {key: sum(times) for key, times in folded["member_times"].items()} == {
        str(n): max(
            time for time, group in zip(accumulate(plain["times"]), plain["grouping"], strict=True) if group == n
        )
        for n in (0, 1)
    }
    filtered = scene(filled, workspace=1, fold="all", kinds=["task"])
    assert [len(card["members"]) for card in filtered["cards"]] == [2, 2]
