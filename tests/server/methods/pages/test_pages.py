"""`autoflow.overview.*`: lists in parts, one response for each page, and errors for entities that do not exist."""

from __future__ import annotations

import hashlib
import time

import pytest

from autoflow.errors import ServerRefused

META = {
    "classes": [{"title": "lemon", "shape": "rectangle", "color": "#ffcc00"}, {"title": "leaf", "shape": "any"}],
    "tags": [{"name": "ripe", "value_type": "none"}],
}


def box(class_title="lemon", tags=()):
    points = {"exterior": [[0, 0], [2, 2]], "interior": []}
    return {"classTitle": class_title, "geometryType": "rectangle", "points": points, "tags": list(tags)}


@pytest.fixture
def lemons(filled):
    """A project of five images in two datasets, one nested in the other; three are labeled."""
    filled.id = filled.project()
    filled.meta = filled.call("projects.meta.update", id=filled.id, meta=META)
    filled.outer = filled.dataset(filled.id, "outer")
    filled.inner = filled.dataset(filled.id, "inner", parentId=filled.outer)
    filled.images = [filled.image(filled.outer, f"{n}.png")["id"] for n in range(3)]
    filled.images += [filled.image(filled.inner, f"{n}.png")["id"] for n in range(2)]
    for number, dataset_id in zip(filled.images[:3], [filled.outer] * 3, strict=True):
        annotation = {"objects": [box(), box("leaf", [{"name": "ripe"}])], "tags": [{"name": "ripe"}]}
        body = {"datasetId": dataset_id, "annotations": [{"imageId": number, "annotation": annotation}]}
        filled.call("annotations.bulk.add", **body)
    return filled


def test_the_start_page(lemons):
    """Workspaces with counts, projects with previews, runs with the numbers of their inputs and outputs."""
    lemons.send(lemons.record("run", name="Train"))
    lemons.edge("input", "project", lemons.id)
    lemons.edge("output", "folder", "/results")
    lemons.edge("output", "folder", "/more")
    shown = lemons.call("autoflow.overview.start")
    assert [(workspace["projects"], workspace["runs"]) for workspace in shown["workspaces"]] == [(1, 1)]
    project = shown["projects"]["projects"][0]
    assert (project["images"], project["datasets"], project["versions"]) == (5, 2, 0)
    assert project["previews"] == lemons.images[:4]
    run = shown["runs"]["runs"][0]
    assert (run["name"], run["state"], run["inputs"], run["outputs"]) == ("Train", "running", 1, 2)


def test_recent_days(lemons):
    """Runs that began or ended lately are counted by user and app, with the last line of an error."""
    now = {"at": time.time_ns()}
    weights = lemons.file("/models/best.pt", b"weights")["id"]
    lemons.call("autoflow.runs.ensure", run="old", name="Old")
    lemons.send(lemons.record("run", run="old", name="Old"), lemons.record("finish", run="old", state="finished"))
    lemons.send({**lemons.record("run", name="Train"), **now})
    lemons.edge("output", "model_weight", weights)
    lemons.send({**lemons.record("run", run="r2", name="Train"), **now})
    lemons.send({**lemons.record("finish", run="r2", state="failed", error="Traceback:\n  …\nValueError: no\n"), **now})
    lemons.snapshot(lemons.id, title="First")
    shown = lemons.call("autoflow.overview.recent")
    assert (shown["runs"], shown["failed"], shown["complete"]) == (2, 1, True)
    assert [work["apps"] for work in shown["people"]] == [[{"name": "Train", "runs": 2, "failed": 1}]]
    assert [work["versions"] for work in shown["people"]] == [1]
    assert [(failure["run"]["name"], failure["reason"]) for failure in shown["failures"]] == [
        ("Train", "ValueError: no")
    ]
    assert [(version["number"], version["title"]) for version in shown["versions"]] == [(1, "First")]
    assert [(model["file"]["name"], model["run"]["name"]) for model in shown["models"]] == [("best.pt", "Train")]


def test_lists_continue_from_their_cursor(filled):
    """Every project and every run is in exactly one part, in order, whatever the size of the parts."""
    projects = [filled.project(f"p{n}") for n in range(5)]
    runs = [filled.call("autoflow.runs.ensure", run=f"r{n}", name="App")["task"] for n in range(5)]
    ids, after = [], None
    for _ in range(3):
        part = filled.call("autoflow.overview.projects", limit=2, after=after)
        ids += [project["id"] for project in part["projects"]]
        after = part["next"]
    assert (sorted(ids), after) == (projects, None)
    ids, before = [], None
    for _ in range(3):
        part = filled.call("autoflow.overview.runs", limit=2, before=before)
        ids += [run["id"] for run in part["runs"]]
        before = part["next"]
    assert (ids, before) == (runs[::-1], None)


def test_a_hidden_workspace_is_not_on_the_start_page(filled):
    """Its projects are listed by name of the workspace only."""
    hidden = filled.call("workspaces.add", teamId=1, name="previews")["id"]
    filled.call("projects.add", workspaceId=hidden, name="copy")
    filled.call("workspaces.visibility.set", id=hidden, hidden=True)
    shown = filled.call("autoflow.overview.start")
    assert [workspace["id"] for workspace in shown["workspaces"]] == [1]
    assert shown["projects"]["projects"] == []
    assert [project["name"] for project in filled.call("autoflow.overview.projects", workspace=hidden)["projects"]] == [
        "copy"
    ]


def test_a_project_has_its_content_and_users(lemons):
    """Datasets with counts and parents, classes and tags; a run that used several parts is listed once."""
    version = lemons.snapshot(lemons.id)["id"]
    lemons.send(lemons.record("run", name="Train"))
    lemons.edge("input", "project_version", version)
    lemons.edge("output", "dataset", lemons.inner)
    shown = lemons.call("autoflow.overview.project", id=lemons.id)
    tree = {
        dataset["name"]: (dataset["parentId"], dataset["images"], dataset["labels"]) for dataset in shown["datasets"]
    }
    assert tree == {"outer": (None, 3, 6), "inner": (lemons.outer, 2, 0)}
    assert [entry["title"] for entry in shown["meta"]["classes"]] == ["lemon", "leaf"]
    assert [(run["name"], run["directions"]) for run in shown["users"]["runs"]] == [("Train", ["input", "output"])]
    assert shown["users"]["total"] == 1
    assert shown["version"]["version"] == 1


def test_classes_and_tags_are_counted_in_batches(lemons, monkeypatch):
    """The counts of the batches add up, whatever the size of a batch."""
    from autoflow.server.methods.pages import counts

    monkeypatch.setattr(counts, "BATCH_IMAGES", 2)
    lemon, leaf = (str(entry["id"]) for entry in lemons.meta["classes"])
    ripe = str(lemons.meta["tags"][0]["id"])
    first = lemons.call("autoflow.overview.counts", id=lemons.id)
    assert first["images"] == 2
    second = lemons.call("autoflow.overview.counts", id=lemons.id, after=first["after"])
    assert (second["images"], second["after"]) == (1, None)
    assert first["classes"] == {lemon: {"objects": 2, "images": 2}, leaf: {"objects": 2, "images": 2}}
    assert second["tags"] == {ripe: {"objects": 1, "images": 1}}


def test_images_are_listed_by_position_with_their_labels(lemons):
    """By dataset and name from any position; a dataset's images include those of nested datasets."""
    part = lemons.call("autoflow.overview.images", project=lemons.id, start=1, limit=3)
    assert ([image["id"] for image in part["images"]], part["total"]) == (lemons.images[1:4], 5)
    first = part["images"][0]["objects"][0]
    assert (first["geometryType"], first["points"]["exterior"]) == ("rectangle", [[0, 0], [2, 2]])
    assert lemons.call("autoflow.overview.images", dataset=lemons.inner)["total"] == 2
    assert lemons.call("autoflow.overview.images", dataset=lemons.outer)["total"] == 5
    assert lemons.call("autoflow.overview.images", project=lemons.id, labeled=False)["total"] == 2
    named = lemons.call("autoflow.overview.images", project=lemons.id, q="2.PNG")
    assert [image["id"] for image in named["images"]] == [lemons.images[2]]
    assert lemons.call("autoflow.overview.images", project=lemons.id, start=99)["images"] == []


def test_a_large_mask_is_on_the_images_page_only(lemons, monkeypatch):
    """Lists leave it out; the image's own page has every label."""
    from autoflow.server.methods.pages import images

    monkeypatch.setattr(images, "MAX_LISTED_MASK", 5)
    mask = {"classTitle": "leaf", "geometryType": "bitmap", "bitmap": {"data": "abcdefgh", "origin": [0, 0]}}
    number = lemons.images[3]
    body = {"imageId": number, "annotation": {"objects": [mask]}}
    lemons.call("annotations.bulk.add", datasetId=lemons.inner, annotations=[body])
    part = lemons.call("autoflow.overview.images", dataset=lemons.inner)
    assert (part["images"][0]["objects"], part["images"][0]["labels"]) == ([], 1)
    shown = lemons.call("autoflow.overview.image", id=number)
    assert shown["objects"][0]["bitmap"]["data"] == "abcdefgh"


def test_an_image_has_its_path_and_neighbours(lemons):
    """Its project, its datasets from the outermost on, and the previous and next image by name."""
    first, second = lemons.images[3:]
    shown = lemons.call("autoflow.overview.image", id=second)
    assert [dataset["name"] for dataset in shown["datasets"]] == ["outer", "inner"]
    assert (shown["previous"], shown["next"], shown["position"], shown["total"]) == (first, None, 2, 2)
    assert shown["project"] == {"id": lemons.id, "name": "lemons"}
    assert [entry["title"] for entry in shown["classes"]["classes"]] == ["lemon", "leaf"]
    middle = lemons.call("autoflow.overview.image", id=lemons.images[1])
    assert (middle["previous"], middle["next"]) == (lemons.images[0], lemons.images[2])


def test_a_preview_is_small_and_has_the_images_colours(lemons):
    """A thumbnail has at most 320 pixels a side; an image behind a link has none."""
    import io

    from PIL import Image

    content = lemons.content(lemons.picture((10, 200, 30), (1000, 500)))
    large = lemons.call("images.bulk.add", datasetId=lemons.outer, images=[{"title": "large", "hash": content}])[0]
    written = b"".join(lemons.server.content("autoflow.previews", {"id": large["id"]}))
    with Image.open(io.BytesIO(written)) as picture:
        assert (picture.size, picture.format) == ((320, 160), "JPEG")
        assert abs(picture.getpixel((5, 5))[1] - 200) < 8
    link = lemons.call("images.bulk.add", datasetId=lemons.outer, images=[{"title": "link", "link": "http://x/y.png"}])
    with pytest.raises(ServerRefused) as refusal:
        lemons.server.content("autoflow.previews", {"id": link[0]["id"]})
    assert refusal.value.status == 404


def test_a_file_has_its_users_and_its_successor(filled):
    """Also for a file that is not current any more; a run that read and wrote it is listed once."""
    old, new = filled.file()["id"], filled.file(data=b"other")["id"]
    filled.send(filled.record("run", name="Train"))
    filled.edge("output", "model_weight", old)
    filled.edge("input", "file", old)
    shown = filled.call("autoflow.overview.file", id=old)
    assert (shown["current"], shown["replacedBy"], shown["folder"]) == (False, new, "/models")
    assert shown["sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert [(run["name"], run["directions"]) for run in shown["users"]["runs"]] == [("Train", ["input", "output"])]
    assert filled.call("autoflow.overview.file", id=new)["replacedBy"] is None


def test_a_folder_lists_its_direct_content(filled):
    """Each folder once, files in parts; a folder that only an edge names exists, any other does not."""
    for path in ("/a/1.txt", "/a/2.txt", "/a/3.txt", "/a/b/4.txt", "/a/b/5.txt", "/a/c/d/6.txt", "/ab/7.txt"):
        filled.file(path)
    first = filled.call("autoflow.overview.folder", path="/a", limit=2)
    assert first["folders"] == ["/a/b/", "/a/c/"]
    assert [file["name"] for file in first["files"]] == ["1.txt", "2.txt"]
    rest = filled.call("autoflow.overview.folder", path="/a/", after=first["next"])
    assert ([file["name"] for file in rest["files"]], rest["next"]) == (["3.txt"], None)
    assert filled.call("autoflow.overview.folder", path="/")["folders"] == ["/a/", "/ab/"]
    filled.edge("output", "folder", "/results")
    assert filled.call("autoflow.overview.folder", path="/results/")["users"]["total"] == 1
    with pytest.raises(ServerRefused) as refusal:
        filled.call("autoflow.overview.folder", path="/nowhere")
    assert refusal.value.status == 404


def test_a_run_has_its_facts_and_links(lemons):
    """Facts, attempts, and links to inputs and outputs; another server's project has a name and no link."""
    task = lemons.call("autoflow.runs.ensure", run="r1", name="Train")["task"]
    lemons.send(lemons.record("run", name="Train", facts={"command": ["python", "train.py"]}))
    lemons.edge("input", "project", lemons.id)
    lemons.edge("input", "project", 5, entity_origin="http://other")
    file = lemons.file()["id"]
    lemons.edge("output", "model_weight", file)
    lemons.edge("output", "folder", "/results")
    lemons.send(lemons.record("finish", state="failed", error="ValueError: no"))
    shown = lemons.call("autoflow.overview.run", id=task)
    assert (shown["name"], shown["state"], shown["error"]) == ("Train", "failed", "ValueError: no")
    assert shown["facts"]["command"] == ["python", "train.py"]
    assert [link["name"] for link in shown["inputs"]] == ["lemons", "project 5"]
    assert [link["link"] for link in shown["inputs"]] == [f"/projects/{lemons.id}", None]
    assert [link["type"] for link in shown["outputs"]] == ["model_weight", "folder"]
    assert (shown["inputsTotal"], shown["outputsTotal"], shown["attempts"]) == (2, 2, 1)


def test_a_log_is_read_from_its_end(filled):
    """The last parts first, earlier ones on request, and only new ones while it runs."""
    task = filled.call("autoflow.runs.ensure", run="r1", name="Train")["task"]
    for n in range(5):
        filled.send(filled.record("log", lines=f"line {n}"))
    part = filled.call("autoflow.overview.log", id=task, limit=2)
    assert ([chunk["lines"] for chunk in part["parts"]], part["earlier"]) == (["line 3", "line 4"], True)
    earlier = filled.call("autoflow.overview.log", id=task, limit=5, before=part["parts"][0]["id"])
    assert ([part["lines"] for part in earlier["parts"]], earlier["earlier"]) == (["line 0", "line 1", "line 2"], False)
    last = part["parts"][-1]["id"]
    assert filled.call("autoflow.overview.log", id=task, after=last)["parts"] == []
    filled.send(filled.record("log", lines="line 5"), filled.record("finish", state="finished"))
    since = filled.call("autoflow.overview.log", id=task, after=last)
    assert ([part["lines"] for part in since["parts"]], since["state"]) == (["line 5"], "finished")


def test_a_job_has_its_people_and_images(lemons):
    """Its project and dataset, its assignee, and the first of its images as links."""
    made = lemons.call("jobs.add", name="j", datasetId=lemons.outer, userIds=[1], meta={"classes": ["lemon"]})[0]["id"]
    shown = lemons.call("autoflow.overview.job", id=made)
    assert (shown["project"]["name"], shown["dataset"]["name"], shown["classes"]) == ("lemons", "outer", ["lemon"])
    assert ([image["id"] for image in shown["images"]], shown["imagesTotal"]) == (lemons.images[:3], 3)
    assert shown["status"] == "pending"


def test_versions_are_listed_latest_first(lemons):
    """In parts, each with the runs that used it, and whether the project changed since."""
    first = lemons.snapshot(lemons.id, title="one", description="before task 3")
    lemons.image(lemons.outer, "new.png")
    second = lemons.snapshot(lemons.id)
    lemons.send(lemons.record("run", name="Train"))
    lemons.edge("input", "project_version", first["id"])
    shown = lemons.call("autoflow.overview.versions", id=lemons.id)
    assert [(version["number"], version["title"], version["images"]) for version in shown["versions"]] == [
        (2, None, 6),
        (1, "one", 5),
    ]
    assert [run["name"] for run in shown["versions"][1]["users"]["runs"]] == ["Train"]
    assert shown["versions"][0]["users"] == {"runs": [], "total": 0}
    assert (shown["changed"], shown["next"]) == (False, None)
    lemons.image(lemons.outer, "newer.png")
    part = lemons.call("autoflow.overview.versions", id=lemons.id, limit=1)
    assert (part["changed"], part["next"], part["versions"][0]["id"]) == (True, 2, second["id"])
    rest = lemons.call("autoflow.overview.versions", id=lemons.id, limit=1, before=part["next"])
    assert ([version["id"] for version in rest["versions"]], rest["next"]) == ([first["id"]], None)


def test_images_have_the_labels_of_a_version(lemons):
    """Labels at the version, and a thumbnail even of a removed image; nothing that the version lacks."""
    version = lemons.snapshot(lemons.id)["id"]
    gone, changed = lemons.images[0], lemons.images[1]
    lemons.call("images.bulk.remove", imageIds=[gone])
    body = {"imageId": changed, "annotation": {"objects": [box()]}}
    lemons.call("annotations.bulk.add", datasetId=lemons.outer, annotations=[body])
    new = lemons.image(lemons.outer, "new.png")["id"]
    image_ids = [gone, changed, new]
    was = lemons.call("autoflow.overview.drawn", version=version, images=image_ids)
    assert [(image["id"], len(image["objects"])) for image in was["images"]] == [(gone, 2), (changed, 2)]
    assert [entry["title"] for entry in was["classes"]] == ["lemon", "leaf"]
    now = lemons.call("autoflow.overview.drawn", project=lemons.id, images=image_ids)
    assert [(image["id"], len(image["objects"])) for image in now["images"]] == [(changed, 1), (new, 0)]
    picture = lemons.server.content("autoflow.versions.picture", {"version": version, "id": gone})
    assert picture.mime == "image/jpeg"
    with pytest.raises(ServerRefused) as refusal:
        lemons.server.content("autoflow.versions.picture", {"version": version, "id": new})
    assert refusal.value.status == 404
