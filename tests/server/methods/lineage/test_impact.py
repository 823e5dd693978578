"""`autoflow.impact`: everything that was made from an entity or an image, by the time at which it was read."""

from __future__ import annotations

import hashlib
import io

import pytest

from autoflow.errors import ServerRefused
from autoflow.graph.impact import Impact
from autoflow.server.methods.lineage import impact as operation
from autoflow.wire.parts import Part

YEAR = 365 * 24 * 3600 * 10**9
PAST, FUTURE = 10**18, 10**18 + 40 * YEAR  # before and after all that a test stores


@pytest.fixture
def impact_of(filled):
    """A function that returns the impact of a reference."""
    return lambda ref, **more: Impact.from_json(filled.call("autoflow.impact", ref=ref, **more))


@pytest.fixture
def run(filled):
    """A function that records a run with its edges, a second apart from a time on, and returns its card's key."""
    names = iter(range(1, 10**6))

    def record(*edges, start=FUTURE):
        key = f"run-{next(names)}"
        filled.send(filled.record("run", key, name=key))
        for seconds, (direction, kind, number) in enumerate(edges):
            entity = {"type": kind, "id": number, "origin": ""}
            at = start + seconds * 10**9
            result = filled.send({**filled.record("edge", key, direction=direction, entity=entity), "at": at})
            assert result["results"][0]["status"] == "applied"
        return f"task:{filled.call('autoflow.runs.ensure', run=key)['task']}"

    return record


def keys(impact):
    return {card.key for card in impact.graph.cards}


def test_what_was_made_from_a_version(filled, run, impact_of):
    """The training that read it, the model, the evaluation of the model; not the run that imported the project."""
    project = filled.project()
    importer = run(("output", "project", project), start=PAST)
    version = filled.snapshot(project)["id"]
    model, report = filled.file("/best.pt")["id"], filled.file("/report.json")["id"]
    train = run(("input", "project_version", version), ("output", "model_weight", model))
    evaluate = run(("input", "file", model), ("output", "file", report), start=FUTURE + YEAR)
    impact = impact_of(f"version:{version}")
    expected = {f"project_version:{version}", train, f"file:{model}", evaluate, f"file:{report}"}
    assert keys(impact) == expected
    assert (impact.complete, impact.graph.entry, impact.omitted) == (True, f"project_version:{version}", 0)
    assert importer not in keys(impact)
    assert keys(impact_of(f"project:{project}")) == {*expected, f"project:{project}"}
    rows = {row.ref: row for row in impact.rows()}
    assert rows[f"file:{model}"].made_by == train
    assert rows[f"file:{model}"].type == "model_weight"
    assert rows[f"file:{model}"].created_by == "admin"
    assert rows[f"file:{model}"].last_used_at.startswith("2042")


def test_a_read_before_the_write_does_not_count(filled, run, impact_of):
    """A run that read a project before another wrote it is not downstream of that one."""
    project = filled.project()
    early = run(("input", "project", project), start=PAST)
    writer = run(("output", "project", project), start=PAST + YEAR)
    late = run(("input", "project", project), start=PAST + 2 * YEAR)
    assert keys(impact_of(writer)) == {writer, f"project:{project}", late}
    assert early in keys(impact_of(f"project:{project}"))


def test_an_image_is_followed_into_the_versions_that_hold_it(filled, run, impact_of):
    """Of three versions the second holds it: the runs that read the others, or the project before it came, are out."""
    project = filled.project()
    dataset = filled.dataset(project)
    before = filled.snapshot(project)["id"]
    image = filled.image(dataset)
    during = filled.snapshot(project)["id"]
    filled.call("images.bulk.remove", imageIds=[image["id"]])
    after = filled.snapshot(project)["id"]
    runs = {version: run(("input", "project_version", version)) for version in (before, during, after)}
    early = run(("input", "project", project), start=PAST)
    late = run(("input", "dataset", dataset))
    for ref in (f"image:{image['id']}", hashlib.sha256(filled.picture()).hexdigest()):
        impact = impact_of(ref)
        assert keys(impact) == {f"project_version:{during}", runs[during]}
        assert impact.roots == [f"project_version:{during}"]
        (holding,) = impact.images
        assert (holding["image"], holding["versions"], holding["firstVersion"], holding["current"]) == (
            image["id"],
            1,
            2,
            False,
        )
    assert early not in keys(impact)
    assert late not in keys(impact)


def test_reads_of_the_project_while_it_has_the_image_count(filled, run, impact_of):
    """Of the project and of the dataset, and of a project restored from a version, as it has the same bytes."""
    project = filled.project()
    dataset, other = filled.dataset(project), filled.dataset(project, "other")
    image = filled.image(dataset, "cat/a.png")
    version = filled.snapshot(project)["id"]
    copy = filled.call("autoflow.versions.restore", id=version)
    while not copy["done"]:
        copy = filled.call("autoflow.versions.restore", restoring=copy["id"])
    readers = {
        run(("input", "project", project)),
        run(("input", "dataset", dataset)),
        run(("input", "project", copy["id"])),
    }
    outside = {run(("input", "project", project), start=PAST), run(("input", "dataset", other))}
    impact = impact_of(f"dataset:{dataset}/cat/a.png")
    assert keys(impact) & {*readers, *outside} == readers
    assert [holding["projectId"] for holding in impact.images] == [project, copy["id"]]
    assert impact_of(f"image:{image['id']}").graph.arrows == impact.graph.arrows


def test_containment_is_followed(filled, run, impact_of):
    """A folder's file that no run wrote, a written dataset's project and its versions; not that project's others."""
    project = filled.project()
    dataset, other = filled.dataset(project), filled.dataset(project, "other")
    file = filled.file("/experiments/7/best.pt")["id"]
    writer = run(("output", "dataset", dataset), ("output", "folder", "/experiments/7"), start=PAST)
    version = filled.snapshot(project)["id"]
    readers = [
        run(("input", kind, number))
        for kind, number in (("project", project), ("project_version", version), ("file", file))
    ]
    sibling = run(("input", "dataset", other))
    assert {*readers} <= keys(impact_of(writer))
    assert sibling not in keys(impact_of(writer))
    assert sibling in keys(impact_of(f"project:{project}"))
    assert keys(impact_of("/experiments/7")) == {"folder:/experiments/7", f"file:{file}", readers[-1]}
    assert {*readers[:2]} <= keys(impact_of(f"dataset:{dataset}"))


def test_an_impact_is_bounded_and_says_so(filled, run, impact_of, monkeypatch):
    """The nearest cards, and how many more are known at least."""
    monkeypatch.setattr(operation, "CAP", 5)
    project = filled.project()
    for number in range(8):
        run(("input", "project", project), start=FUTURE + number * 10**9)
    impact = impact_of(f"project:{project}")
    assert len(impact.graph.cards) == 5
    assert (impact.complete, impact.omitted) == (False, 4)


@pytest.mark.parametrize("ref", ["image:99", "0" * 64, "dataset:1/none.png", "file:99", "/none", "image:x", "imagine"])
def test_what_is_unknown_is_refused(impact_of, ref):
    """With a message that names it, or the forms of a reference."""
    with pytest.raises(ServerRefused) as refusal:
        impact_of(ref)
    assert refusal.value.status in {400, 404}


def test_another_teams_runs_and_images_are_not_shown(filled, run):
    """An image with the same bytes in another team's project, and that team's run, stay unknown to each other."""
    own = filled.dataset(filled.project())
    filled.image(own)
    reader = run(("input", "dataset", own))
    caller = filled.server.tokens.caller(filled.server.tokens.create("eve", ("Rivals",)))
    sha256 = hashlib.sha256(filled.picture()).hexdigest()
    for ref in ("image:1", f"dataset:{own}/a.png", sha256, f"project:{own}", reader):
        with pytest.raises(ServerRefused) as refusal:
            filled.server.call("autoflow.impact", {"ref": ref}, caller)
        assert refusal.value.status == 404
    workspace = filled.server.call("workspaces.list", {"teamId": max(caller.teams)}, caller)["entities"][0]["id"]
    project = filled.server.call("projects.add", {"workspaceId": workspace, "name": "theirs"}, caller)["id"]
    dataset = filled.server.call("datasets.add", {"projectId": project, "name": "ds"}, caller)["id"]
    filled.image(own, "b.png")
    content = Part("0-file", io.BytesIO(filled.picture()), "0", "image/*")
    content_hash = filled.server.upload("images.bulk.upload", [content], {}, caller)[0]["hash"]
    images = [{"title": "c.png", "hash": content_hash}]
    filled.server.call("images.bulk.add", {"datasetId": dataset, "images": images}, caller)
    theirs = Impact.from_json(filled.server.call("autoflow.impact", {"ref": sha256}, caller))
    assert [holding["projectId"] for holding in theirs.images] == [project]
    assert reader not in keys(theirs)
