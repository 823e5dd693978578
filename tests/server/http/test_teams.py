"""Teams are apart: what one has is not there for another, whichever method asks, and by whatever number."""

from __future__ import annotations

import io
import re

import pytest

from autoflow.errors import ServerRefused
from autoflow.server import server
from autoflow.server.db.access import Caller
from autoflow.server.project_types.images import FIGURES
from autoflow.wire.parts import Part
from tests.server.http.naming import NAMING, OTHERS, edge

NONE = 999_999  # a number nobody was given


def picture():
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (4, 3), (7, 7, 7)).save(stream, "PNG")
    return stream.getvalue()


def file_parts(path="/f.bin", data=b"1"):
    folder, _, name = path.rpartition("/")
    return [Part("name", name), Part("path", folder + "/"), Part("file", io.BytesIO(data), name)]


class World:
    """What a team has, made by one of it; `other` is who is in another team, and has a project of their own."""

    def __init__(self, server):
        self.server = server
        self.mine = server.tokens.caller(server.tokens.create("ann", ["Team"]))
        self.other = server.tokens.caller(server.tokens.create("bob", ["Others"]))
        call = self.call
        self.project = call("projects.add", workspaceId=1, name="lemons")["id"]
        meta = {"classes": [{"title": "c", "shape": "any"}], "tags": [{"name": "t", "value_type": "none"}]}
        self.meta = call("projects.meta.update", id=self.project, meta=meta)
        self.tag = self.meta["tags"][0]["id"]
        setattr(self, "class", self.meta["classes"][0]["id"])
        self.dataset = call("datasets.add", projectId=self.project, name="d")["id"]
        part = Part("0-file", io.BytesIO(picture()), "0", "image/*")
        self.hash = server.upload("images.bulk.upload", [part], {}, self.mine)[0]["hash"]
        images = [{"title": "a.png", "hash": self.hash}]
        self.image = call("images.bulk.add", datasetId=self.dataset, images=images)[0]["id"]
        call("image-tags.bulk.add-to-image", ids=[self.image], tagId=self.tag)
        self.put = call("images.info", id=self.image)["tags"][0]["id"]
        self.clips = call("projects.add", workspaceId=1, name="clips", type="videos")["id"]
        meta = call("projects.meta.update", id=self.clips, meta=meta)
        self.scenes = call("datasets.add", projectId=self.clips, name="d")["id"]
        videos = [{"title": "v.mp4", "link": "https://x/v.mp4"}]
        self.video = call("videos.bulk.add", datasetId=self.scenes, videos=videos)[0]["id"]
        objects = [{"entityId": self.video, "classId": meta["classes"][0]["id"]}]
        added = call("annotation-objects.bulk.add", datasetId=self.scenes, annotationObjects=objects)
        self.object, clip_tag = added[0]["id"], meta["tags"][0]["id"]
        self.object_tag = call("annotation-objects.tags.add", objectId=self.object, tagId=clip_tag)["id"]
        self.video_tag = call("videos.tags.add", videoId=self.video, tagId=clip_tag)["id"]
        self.survey = call("projects.add", workspaceId=1, name="survey", type="point_clouds")["id"]
        self.drive = call("datasets.add", projectId=self.survey, name="d")["id"]
        clouds = [{"name": "c.pcd", "link": "https://x/c.pcd"}]
        self.cloud = call("point-clouds.bulk.add", datasetId=self.drive, pointClouds=clouds)[0]["id"]
        photo = {"entityId": self.cloud, "name": "cam.png", "hash": self.hash}
        self.camera = call("point-clouds.images.add", images=[photo])[0]["id"]
        self.scans = call("projects.add", workspaceId=1, name="scans", type="volumes")["id"]
        self.study = call("datasets.add", projectId=self.scans, name="d")["id"]
        scans = [{"name": "s.nrrd", "link": "https://x/s.nrrd"}]
        self.volume = call("volumes.bulk.add", datasetId=self.study, volumes=scans)[0]["id"]
        job = {"name": "j", "datasetId": self.dataset, "userIds": [self.mine.user]}
        self.job = call("jobs.add", **job)[0]["id"]
        self.collection = call("entities-collections.add", projectId=self.project, name="ripe")["id"]
        queue = {"name": "q", "datasetId": self.dataset, "userIds": [self.mine.user]}
        self.queue = call("labeling-queues.add", **queue)["id"]
        self.issue = call("issues.add", teamId=1, name="i")["id"]
        self.comment = call("issues.comments.add", issueId=self.issue, comment="c")["id"]
        self.report = call("reports.create", teamId=1, name="r", widgets=[{"id": "a"}])["id"]
        self.version = call("autoflow.versions.snapshot", projectId=self.project)["id"]
        self.file = server.upload("file-storage.bulk.upload", file_parts(), {"teamId": 1}, self.mine)[0]["id"]
        hook = {"teamId": 1, "url": "https://example.com/", "action": "run.failed"}
        self.webhook = server.call("webhooks.add", hook)["id"]
        self.view = call("autoflow.views.add", name="secret view", address="/", shared=True)["id"]
        self.task = call("autoflow.runs.ensure", run="r1", name="Train")["task"]
        foreign = call("autoflow.runs.ensure", run="r2", task=5, origin="http://x")
        self.foreign = foreign["task"]
        records = [
            self.edge("project", self.project),
            self.edge("project_version", self.version),
            self.edge("folder", "/shared"),
            self.edge("project", 5, origin="http://x", name="secret name"),
        ]
        assert {result["status"] for result in call("autoflow.records.add", records=records)["results"]} == {"applied"}
        self.theirs = self.ask("projects.add", {"workspaceId": 2, "name": "limes"})["id"]

    def call(self, method, **body):
        return self.server.call(method, body, self.mine)

    def ask(self, method, body):
        """Ask as the one of the other team."""
        return self.server.call(method, body, self.other)

    def edge(self, kind, number, run="r1", **more):
        self.count = getattr(self, "count", 0) + 1
        entity = {"type": kind, "id": number, **more}
        return {"key": f"{run}.{self.count}", "type": "edge", "run": run, "direction": "input", "entity": entity}


@pytest.fixture(scope="module")
def world(module_server):
    return World(module_server)


NUMBERS = {"team": 1, "workspace": 1, "user": 1, "app": 1}


def test_every_method_is_asked_about():
    """A new method says here what it does when it is asked for what another team has."""
    assert set(server.METHODS) == NAMING.keys() | OTHERS


def refusal_of(world, method, body):
    asking = world.ask
    if method in server.UPLOADS:
        asking = lambda method, body: world.server.upload(method, file_parts(), body, world.other)  # noqa: E731
    elif method in server.DOWNLOADS:
        asking = lambda method, body: world.server.content(method, body, world.other)  # noqa: E731
    with pytest.raises(ServerRefused) as refusal:
        asking(method, body)
    return refusal.value


@pytest.mark.parametrize(
    ("method", "what", "body"),
    [pytest.param(name, what, body, id=f"{name} {what}") for name, all_of in NAMING.items() for what, body in all_of],
)
def test_what_another_team_has_is_not_there(world, method, what, body):
    """The number of another team's thing and one nobody was given are answered alike, with 404, and change nothing."""
    number = NUMBERS.get(what) or getattr(world, what)
    before = world.call("autoflow.changes")
    theirs, nobodys = (refusal_of(world, method, body(n)) for n in (number, NONE))
    assert theirs.status == nobodys.status == 404
    assert re.sub(rf"\b{number}\b", "N", str(theirs)) == re.sub(rf"\b{NONE}\b", "N", str(nobodys))
    assert world.call("autoflow.changes") == before


def test_the_words_of_another_teams_cards_are_not_told(world):
    """Asked by their keys, another team's cards say what those say that nobody has: their key."""
    for kind, number in (("project", world.project), ("task", world.task), ("file", world.file)):
        cards = {n: world.ask("autoflow.scene.cards", {"keys": [f"{kind}:{n}"]})["cards"][0] for n in (number, NONE)}
        assert str(cards[number]).replace(str(number), "N") == str(cards[NONE]).replace(str(NONE), "N")
        body = {"project": world.theirs, "focus": {"card": f"{kind}:{number}", "side": "both"}}
        assert len(world.ask("autoflow.scene", body)["keys"]) == 1
    (folder,) = world.ask("autoflow.scene.cards", {"keys": ["folder:/shared"]})["cards"]
    assert "at" not in folder


def test_lists_hold_what_is_the_teams_own(world):
    """A list without a place is of the caller's teams alone."""
    assert [entry["id"] for entry in world.ask("projects.list", {})["entities"]] == [world.theirs]
    assert [entry["name"] for entry in world.ask("teams.list", {})["entities"]] == ["Others"]
    assert world.ask("users.me", {})["login"] == "bob"
    assert [entry["login"] for entry in world.ask("users.list", {})["entities"]] == ["bob"]
    assert {entry["id"] for entry in world.ask("projects.list.all", {})["entities"]} == {world.theirs}
    assert {entry["projectId"] for entry in world.ask("datasets.list.all", {})["entities"]} <= {world.theirs}
    assert world.ask("projects.list", {"groupId": 1})["total"] == 0
    assert "Train" not in [entry["name"] for entry in world.ask("ecosystem.list", {})["entities"]]


def test_a_hash_is_no_key_to_another_teams_bytes(world):
    """Who knows the sha256 of another team's image can neither learn that it is here nor make it theirs."""
    assert world.ask("images.internal.hashes.list", [world.hash]) == []
    assert world.ask("autoflow.folders.look", {"hashes": [world.hash]}) == {"sizes": {}}
    assert picture() not in b"".join(
        world.server.content("images.bulk.download-by-hash", {"hashes": [world.hash]}, world.other)
    )
    dataset = world.ask("datasets.add", {"projectId": world.theirs, "name": "their own"})["id"]
    image = {"datasetId": dataset, "images": [{"title": "a", "hash": world.hash}]}
    refusal = refusal_of(world, "images.bulk.add", image)
    assert "not been uploaded" in str(refusal)
    part = Part("0-file", io.BytesIO(picture()), "0", "image/*")
    world.server.upload("images.bulk.upload", [part], {}, world.other)
    made = world.ask("images.bulk.add", image)[0]
    assert b"".join(world.server.content("images.download", {"id": made["id"]}, world.other)) == picture()
    assert world.call("images.internal.hashes.list", items=[world.hash]) == [world.hash]


def test_a_dataset_or_image_of_another_team_cannot_be_used_inside_ones_own(world):
    """A second number in a body is looked at as the first is."""
    own = world.ask("datasets.add", {"projectId": world.theirs, "name": "own"})["id"]
    assert (
        refusal_of(world, "datasets.add", {"projectId": world.theirs, "parentId": world.dataset, "name": "x"}).status
        == 404
    )
    annotations = [{"imageId": world.image, "annotation": {"objects": []}}]
    refusal = refusal_of(world, "datasets.move", {"srcId": own, "destId": world.dataset})
    assert refusal.status == 404
    images = [{"title": "copy", "imageId": world.image}]
    assert refusal_of(world, "images.bulk.add", {"datasetId": own, "images": images}).status == 404
    picked = {"datasetId": own, "filters": [{"type": "job", "data": {"jobId": world.job}}]}
    assert refusal_of(world, "images.list", picked).status == 404
    assert refusal_of(world, "annotations.bulk.add", {"datasetId": own, "annotations": annotations}).status == 404
    tags = [{"entityId": world.image, "tagId": 1}]
    assert refusal_of(world, "tags.entities.bulk.add", {"projectId": world.theirs, "tags": tags}).status in {400, 404}
    assert refusal_of(world, "autoflow.graph", {"file": "/f.bin", "teamId": 1}).status == 404
    geometry = [Part("figureId", str(world.image * FIGURES + 1)), Part("geometry", io.BytesIO(b"{}"), "g")]
    with pytest.raises(ServerRefused) as refusal:
        world.server.upload("figures.bulk.upload.geometry", geometry, {}, world.other)
    assert refusal.value.status == 404
    assert world.ask("figures.list", {"filter": [{"field": "entityId", "value": world.image}]})["total"] == 0


def test_another_teams_task_is_refused(world):
    """Nothing is recorded for a task, a run or a team of others."""
    body = {"teamId": 2, "node": {"type": "task", "id": world.task}, "type": "folder", "id": "/x"}
    assert refusal_of(world, "workflow.node.add-input", body).status == 404
    assert refusal_of(world, "workflow.node.add-input", edge("folder", "/x", team=1)).status == 404
    assert refusal_of(world, "workflow.node.add-input", edge("task", world.task)).status == 404
    assert refusal_of(world, "autoflow.tasks.ensure", {"id": world.task}).status == 404
    assert refusal_of(world, "tasks.output.set", {"taskId": world.task, "output": {}}).status == 404
    assert refusal_of(world, "tasks.status.update", {"id": world.task, "status": "error"}).status == 404
    for method in ("tasks.meta.update", "tasks.data.set", "tasks.app-v2.data.set"):
        assert refusal_of(world, method, {"taskId": world.task}).status == 404
    assert refusal_of(world, "autoflow.runs.ensure", {"run": "r1"}).status == 404


def test_another_servers_number_is_a_teams_own(world):
    """What another team says of it is neither read nor changed, and keeps nobody from saying something of it."""
    own = world.ask("autoflow.runs.ensure", {"run": "new", "task": 5, "origin": "http://x"})
    assert own["number"] == 5
    assert own["task"] != world.task
    assert refusal_of(world, "autoflow.runs.ensure", {"run": "r1"}).status == 404


def test_records_of_another_teams_run_are_refused_one_by_one(world):
    """A record for another team's run costs that record alone, and the response names no number of theirs."""
    records = [world.edge("folder", "/x"), world.edge("folder", "/mine", run="theirs")]
    response = world.ask("autoflow.records.add", {"records": records})
    assert [result["status"] for result in response["results"]] == ["refused", "applied"]
    assert set(response["tasks"]) == {"theirs"}


def test_another_teams_reservation_stands(world):
    """Cancelling what is not there, or another team's, does nothing and says the same."""
    made = world.call("projects.add", workspaceId=1, name="reserved")["id"]
    reserved = world.call("projects.versions.reserve", projectId=made)
    for number in (reserved["id"], NONE):
        body = {"id": number, "commitToken": reserved["commitToken"]}
        assert world.ask("projects.versions.cancel-reservation", body) == {"success": True}
    commit = {"id": reserved["id"], "commitToken": reserved["commitToken"], "teamFileId": world.file}
    assert world.call("projects.versions.commit", **commit) == {"success": True}


def test_runs_belong_to_the_callers_own_team(world):
    """A run goes to the team of whoever recorded it, also when it names another."""
    run = world.ask("autoflow.runs.ensure", {"run": "own", "team": 1, "workspace": 1})
    assert (run["teamId"], run["workspaceId"]) == (2, 2)


def test_graphs_meet_in_nothing(world):
    """Folders and foreign things of the same name are drawn for each team as if there were no other."""
    records = [
        world.edge("folder", "/shared", run="g"),
        world.edge("project", 5, run="g", origin="http://x"),
        world.edge("project", world.theirs, run="g"),
    ]
    response = world.ask("autoflow.records.add", {"records": records})
    assert {result["status"] for result in response["results"]} == {"applied"}
    task = response["tasks"]["g"]
    for entry in ({"file": "/shared"}, {"project": world.theirs}, {"task": task}, {"workspace": 2}):
        cards = {card["key"]: card for card in world.ask("autoflow.graph", entry)["cards"]}
        runs = [card["id"] for card in cards.values() if card["type"] == "task"]
        assert world.task not in runs
        assert task in runs
        assert not [card for card in cards.values() if card["name"] == "secret name"]
        assert all(card["more"] == 0 for card in cards.values())
    names = [card["name"] for card in world.call("autoflow.graph", project=world.project)["cards"]]
    assert "secret name" in names


def test_what_the_pages_list_is_the_teams_own(world):
    """The start page counts and lists, and the search finds, what the caller's teams have and nothing else."""
    shown = world.ask("autoflow.overview.start", {})
    assert [entry["id"] for entry in shown["workspaces"]] == [2]
    assert {entry["workspaceId"] for entry in shown["projects"]["projects"]} == {2}
    assert {entry["workspaceId"] for entry in shown["runs"]["runs"]} <= {2}
    recent = world.ask("autoflow.overview.recent", {"days": 366})
    assert [*recent["failures"], *recent["versions"], *recent["models"]] == []
    assert world.call("autoflow.overview.recent")["versions"] != []
    named = {"lemons": "project", "d": "dataset", "a.png": "image", "f.bin": "file", "Train": "run", "j": "job"}
    for text, kind in named.items():
        assert kind in {entry["kind"] for entry in world.call("autoflow.search", q=text)["results"]}
        assert [entry for entry in world.ask("autoflow.search", {"q": text})["results"] if entry["title"] == text] == []
    for kind, number in {"project": world.project, "version": world.version, "run": world.task}.items():
        assert world.call("autoflow.search", q=f"{kind}:{number}")["results"]
        assert world.ask("autoflow.search", {"q": f"{kind}:{number}"})["results"] == []


def test_one_of_both_teams_shows_neither_the_others_names(world):
    """An edge between two teams, drawn by one who is in both, tells a member of one nothing but the number."""
    both = Caller(world.mine.user, frozenset({1, 2}))
    record = {**world.edge("project", world.project, run="both"), "team": 2}
    world.server.call("autoflow.runs.ensure", {"run": "both", "team": 2}, both)
    assert world.server.call("autoflow.records.add", {"records": [record]}, both)["results"][0]["status"] == "applied"
    cards = {card["key"]: card for card in world.ask("autoflow.graph", {"workspace": 2})["cards"]}
    card = cards[f"project:{world.project}"]
    assert (card["name"], card["link"]) == (f"project {world.project}", None)


def test_upkeep_is_for_who_sees_all(world):
    """Collecting and verifying concern every team, so that no member of one may ask for it."""
    for method in ("autoflow.upkeep.collect", "autoflow.upkeep.verify"):
        assert refusal_of(world, method, {}).status == 403
        assert "done" in world.server.call(method, {})


def test_the_local_user_sees_all(world):
    """Embedded, and served without tokens, every team is one's own."""
    assert world.server.call("projects.list", {})["total"] >= 2
    assert world.server.call("tasks.info", {"id": world.task})["teamId"] == 1


def test_over_http_a_token_is_its_teams(guarded):
    """Two tokens, one server: each finds its own and nothing else, by method and by address."""
    ann = guarded.as_(guarded.server.tokens.create("ann", ["Team"]))
    bob = guarded.as_(guarded.server.tokens.create("bob", ["Others"]))
    uploaded = ann.put()
    url = uploaded["fullStorageUrl"]
    assert ann.session.get(url, headers={"x-api-key": ann.token}, timeout=60).content == b"weights"
    assert bob.session.get(url, headers={"x-api-key": bob.token}, timeout=60).status_code == 404
    bob.refused(404, "file-storage.info", json={"id": uploaded["id"]})
    task = ann.call("autoflow.runs.ensure", run="r")["task"]
    assert bob.refused(404, "tasks.info", json={"id": task}, headers={"x-task-id": str(task)})
    pages = [entry.send("GET", f"/apps/sessions/{number}").text for entry, number in ((bob, task), (bob, NONE))]
    assert pages[0].replace(f'"{task}"', "N") == pages[1].replace(f'"{NONE}"', "N")
    bob.refused(404, "autoflow.scene", json={"task": task})
