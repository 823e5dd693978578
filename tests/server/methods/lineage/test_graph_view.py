"""`autoflow.scene`: which part of the lineage the page shows, with places, and what is left out said on either side."""

from __future__ import annotations

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


def test_two_hops_are_shown_and_the_rest_is_counted_on_its_side(chain):
    """Around run 3: two arrows either way; the outermost cards say on which side there is more."""
    told = scene(chain, task=3)
    assert set(told["keys"]) == {
        "task:2",
        "task:3",
        "task:4",
        *(f"folder:/{n}" for n in (1, 2, 3, 4)),
        "folder:/aside",
    } - {
        "folder:/1",
        "folder:/4",
    }
    more = {told["keys"][int(n)]: sides for n, sides in told["more"].items()}
    assert more == {"task:2": [1, 0], "task:4": [0, 1]}
    assert told["title"] == 'Workflow for task "Step 3"'
    assert told["entry"] == "task:3"


def test_depth_says_how_many(chain):
    """None is the card alone, and a large depth everything on its ways."""
    assert scene(chain, task=3, depth=0)["keys"] == ["task:3"]
    assert len(scene(chain, task=3, depth=99)["keys"]) == 14
    assert "folder:/aside" not in scene(chain, task=2, depth=99)["keys"]


def test_a_cards_neighbours_can_be_shown(chain):
    """Asked for more on a side, that side's neighbours come and nothing else."""
    told = scene(
        chain, task=3, expand=[{"card": "task:4", "side": "downstream"}, {"card": "task:99", "side": "upstream"}]
    )
    assert "folder:/4" in told["keys"]
    assert "folder:/1" not in told["keys"]


def test_a_focus_shows_the_whole_way(chain):
    """Everything upstream of a card, or downstream, or both, and nothing beside it."""
    up = scene(chain, task=3, focus={"card": "task:2", "side": "upstream"})["keys"]
    assert set(up) == {"task:1", "task:2", "folder:/0", "folder:/1"}
    down = scene(chain, task=3, focus={"card": "folder:/5", "side": "downstream"})["keys"]
    assert set(down) == {"folder:/5", "task:6", "folder:/6"}
    assert len(scene(chain, task=3, focus={"card": "task:3", "side": "both"})["keys"]) == 14


def test_filters_narrow_and_facets_stay(chain):
    """What there is to choose from is that of the whole part, whatever is chosen."""
    told = scene(chain, workspace=1, kinds=["task"])
    assert {key.partition(":")[0] for key in told["keys"]} == {"task"}
    assert told["facets"]["kinds"] == {"folder": 8, "task": 6}
    assert scene(chain, workspace=1, apps=["Step 2"])["facets"]["apps"]["Step 5"] == 1
    assert set(scene(chain, workspace=1, apps=["Step 2"])["keys"]) == {"folder:/1", "task:2", "folder:/2"}


def test_like_cards_are_one_until_opened(filled):
    """Six runs of one app on a project are a card; opened, six."""
    project = filled.project()
    for n in range(6):
        filled.send(filled.record("run", run=f"r{n}", name="Train"))
        filled.edge("input", "project", project, run=f"r{n}")
    told = scene(filled, project=project)
    assert told["keys"] == ["cluster:task:1", "project:1"] or set(told["keys"]) == {"cluster:task:1", "project:1"}
    cluster = next(card for card in told["cards"] if card["key"] == "cluster:task:1")
    assert (cluster["title"], len(cluster["members"])) == ("6 runs of Train", 6)
    assert len(scene(filled, project=project, opened=["cluster:task:1"])["keys"]) == 7
    assert len(scene(filled, project=project, clusters=False)["keys"]) == 7
    assert "task:4" in scene(filled, project=project, keep=["task:4"])["keys"]


def test_places_are_the_layouts(chain):
    """Boxes and ways are those of `graph.layout`, flat."""
    told = scene(chain, workspace=1)
    placed = compute_layout(Graph.from_json(chain.graph(workspace=1)))
    assert (told["width"], told["height"]) == (placed.width, placed.height)
    assert len(told["boxes"]) == 3 * len(told["keys"]) == 3 * len(told["types"])
    ways, read = told["ways"], 0
    for _ in range(len(told["arrows"]) // 3):
        read += 1 + 2 * ways[read]
    assert read == len(ways)


def test_the_same_scene_is_not_sent_again(chain):
    """Who has it is told so in a line; after a change that shows, it comes."""
    told = scene(chain, task=3)
    again = scene(chain, task=3, have=told["digest"])
    assert again == {"changes": told["changes"], "digest": told["digest"], "same": True}
    chain.edge("output", "folder", "/new", run="r3")
    assert "folder:/new" in scene(chain, task=3, have=told["digest"])["keys"]


def test_what_is_new_moves_nothing(filled):
    """Parts of a workspace keep their places when another run begins a part of its own."""

    def run(n):
        filled.send(filled.record("run", run=f"r{n}", name="Step", at=10**18 + n * 10**9))
        filled.send(
            {
                **filled.record("edge", run=f"r{n}", direction="output", entity={"type": "folder", "id": f"/{n}"}),
                "at": 10**18 + n * 10**9,
            }
        )

    def places():
        told = scene(filled, workspace=1)
        return {key: told["boxes"][3 * n : 3 * n + 3] for n, key in enumerate(told["keys"])}

    for n in range(9):
        run(n)
    before = places()
    run(9)
    after = places()
    assert len(after) == len(before) + 2
    assert {key: after[key] for key in before} == before


def test_words_of_cards_are_given_by_key(chain):
    """As a scene's own cards; what is no card's key is passed over."""
    words = {card["key"]: card for card in scene(chain, task=3)["cards"]}
    told = chain.call("autoflow.scene.cards", keys=["task:3", "folder:/2", "cluster:task:1", "nonsense", "bogus:7"])
    assert {card["key"]: card for card in told["cards"]} == {key: words[key] for key in ("task:3", "folder:/2")}
    with pytest.raises(ServerRefused, match="more than 2000"):
        chain.call("autoflow.scene.cards", keys=["task:1"] * 3000)


@pytest.mark.parametrize("form", ["text", "json", "mermaid", "dot", "svg", "html"])
def test_a_scene_is_given_in_every_form(chain, form):
    """As it is narrowed, with its media type."""
    told = chain.call("autoflow.scene.export", workspace=1, form=form, apps=["Step 2"])
    assert "Step 2" in told["text"]
    assert "Step 5" not in told["text"]
    assert "/" in told["media"]


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
def test_what_makes_no_sense_is_refused(chain, body):
    """With 400, and the member named."""
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
def test_a_key_is_read_back(ref):
    """The key of a card names its entity."""
    assert parse_key(ref.key) == ref


def test_pictures_of_projects_versions_and_datasets(filled):
    """Their cards show the first image there is; a project without images has none."""
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
        f"project_version:{version}": picture,
        "dataset:1": picture,
        "project:2": None,
    }
