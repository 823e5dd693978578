"""Whatever is done in whatever order, every version reads, compares, verifies and restores as it was made."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from autoflow.errors import ServerRefused
from autoflow.server.db.schema import documents, items, items_history, projects, versions
from autoflow.server.maintenance import purge as purging
from autoflow.server.versions import verification
from autoflow.server.versions.snapshot import HISTORY
from tests.server.digests import compute_digest

NUMBERS = itertools.count(1)
small = st.integers(0, 5)
EDITS = (
    *("add_dataset", "rename_dataset", "move_dataset", "remove_dataset"),
    *("add_image", "add_image", "rename_image", "remove_image", "tag", "annotate", "change_meta"),
)
TAGS = [{"name": "t", "value_type": "any_string"}]
ASIDE = ("id", "createdAt", "updatedAt")


def entry(item, annotation, path):
    """An item's content, however it was read."""
    tags = sorted((tag["name"], tag["value"]) for tag in annotation["tags"])
    objects = [(figure["classId"], json.dumps(figure["points"])) for figure in annotation["objects"]]
    plain = (item["name"], item["hash"], item["description"], json.dumps(item["meta"], sort_keys=True))
    return {"place": path, "dataset": item["datasetId"], "content": (*plain, tags, objects)}


def placed(datasets):
    """The names that lead to each dataset."""
    by_id = {dataset["id"]: dataset for dataset in datasets}

    def path(number):
        dataset = by_id[number]
        return (*(path(dataset["parentId"]) if dataset["parentId"] else ()), dataset["name"])

    return {number: path(number) for number in by_id}


class Versions(RuleBasedStateMachine):
    """One project, its versions, and what each of them must be."""

    def __init__(self, filled):
        super().__init__()
        self.filled = filled
        self.store = filled.server._context.store
        self.saved = {}

    def call(self, method, **body):
        return self.filled.call(method, **body)

    @initialize()
    def begin(self):
        self.project = self.filled.project(f"laws {next(NUMBERS)}")
        self.call("projects.meta.update", id=self.project, meta={"classes": [{"title": "c0"}], "tags": TAGS})
        self.filled.dataset(self.project, "d")
        self.contents = [self.filled.content(self.filled.picture((shade, 0, 0))) for shade in range(3)]
        for number in range(3):
            self.add_image(0, number)
            self.edit_and_save(number)

    # -- what there is now

    def datasets(self, project=None):
        return self.call("datasets.list", projectId=project or self.project, recursive=True)["entities"]

    def images(self, project=None):
        return self.call("images.list", projectId=project or self.project)["entities"]

    def now(self, project=None):
        images = self.images(project)
        response = self.call("annotations.bulk.info", imageIds=[image["id"] for image in images])
        paths = placed(self.datasets(project))
        items = {
            image["id"]: entry(image, annotation["annotation"], paths[image["datasetId"]])
            for image, annotation in zip(images, response, strict=True)
        }
        meta = self.call("projects.meta", id=project or self.project)
        return {"items": items, "datasets": paths, "meta": (meta["classes"], meta["tags"])}

    def then(self, version):
        meta = self.call("autoflow.versions.meta", id=version)
        paths = placed(meta["datasets"])
        assert {dataset["id"]: tuple(dataset["path"]) for dataset in meta["datasets"]} == paths
        items, after = {}, 0
        while after is not None:
            page = self.call("autoflow.versions.items", id=version, after=after, limit=5, annotations=True)
            for item in page["items"]:
                assert tuple(item["dataset"]) == paths[item["datasetId"]]
                items[item["id"]] = entry(item, item["annotation"], paths[item["datasetId"]])
            after = page["after"]
        counts = [dataset["itemsCount"] for dataset in meta["datasets"]]
        assert sum(counts) == len(items) == meta["version"]["itemsCount"]
        return {"items": items, "datasets": paths, "meta": (meta["meta"]["classes"], meta["meta"]["tags"])}

    # -- edits

    def pick(self, things, number):
        return things[number % len(things)] if things else None

    def add_dataset(self, which, name):
        parent = self.pick([None, *self.datasets()], which)
        self.refusable("datasets.add", projectId=self.project, name=f"d{name}", parentId=parent and parent["id"])

    def rename_dataset(self, which, name):
        if dataset := self.pick(self.datasets(), which):
            self.refusable("datasets.editInfo", id=dataset["id"], name=f"d{name}")

    def move_dataset(self, which, target):
        datasets = self.datasets()
        if len(datasets) > 1:
            self.refusable(
                "datasets.move", srcId=self.pick(datasets, which)["id"], destId=self.pick(datasets, target)["id"]
            )

    def remove_dataset(self, which, _):
        datasets = self.datasets()
        if len(datasets) > 2:
            self.call("datasets.remove", id=self.pick(datasets, which)["id"])

    def add_image(self, which, name):
        if dataset := self.pick(self.datasets(), which):
            image = {"title": f"{name}.png", "hash": self.contents[name % 3], "meta": {"n": name % 2}}
            self.refusable("images.bulk.add", datasetId=dataset["id"], images=[image])

    def rename_image(self, which, name):
        if image := self.pick(self.images(), which):
            self.refusable("images.editInfo", id=image["id"], name=f"{name}.png")

    def remove_image(self, which, kind):
        if removed := self.pick(self.images(), which):
            self.call("images.bulk.remove", imageIds=[removed["id"]])
            if kind % 2:  # and added again
                image = {"title": removed["name"], "hash": self.contents[kind % 3], "meta": removed["meta"]}
                self.call("images.bulk.add", datasetId=removed["datasetId"], images=[image])

    def tag(self, which, value):
        number = self.call("projects.meta", id=self.project)["tags"][0]["id"]
        if image := self.pick(self.images(), which):
            if value > 2:
                self.call("image-tags.bulk.remove-from-images", ids=[image["id"]], tagIds=[number])
            else:
                self.call("image-tags.bulk.add-to-image", ids=[image["id"]], tagId=number, value=str(value))

    def annotate(self, which, kind):
        corner = 1 + kind % 3
        if image := self.pick(self.images(), which):
            points = {"exterior": [[0, 0], [corner, corner]], "interior": []}
            drawn = {"classTitle": "c0", "geometryType": "rectangle", "points": points}
            annotation = {"imageId": image["id"], "annotation": {"objects": [drawn] * corner}}
            self.call("annotations.bulk.add", datasetId=image["datasetId"], annotations=[annotation])

    def change_meta(self, count, _):
        classes = [{"title": f"c{number}"} for number in range(1 + count % 3)]
        self.call("projects.meta.update", id=self.project, meta={"classes": classes})

    @rule(edits=st.lists(st.tuples(st.sampled_from(EDITS), small, small), min_size=1, max_size=4))
    def edit(self, edits):
        for name, which, how in edits:
            getattr(self, name)(which, how)

    def refusable(self, method, **body):
        try:
            self.call(method, **body)
        except ServerRefused as refusal:
            assert refusal.status in {400, 409}  # noqa: PT017 - a name that is taken, a place that cannot be

    # -- versions

    @precondition(lambda self: len(self.saved) < 4)
    @rule(which=small)
    def edit_and_save(self, which):
        self.rename_image(which, which + 10)
        self.add_image(which, which)
        self.save()

    @precondition(lambda self: len(self.saved) < 4)
    @rule()
    def save(self):
        now = self.now()
        same = self.saved and max(self.saved)
        made = self.filled.snapshot(self.project)
        if same and self.saved[same] == now:
            assert (made["created"], made["id"]) == (False, same)
        elif made["created"]:
            self.saved[made["id"]] = now
        else:  # content is the same, and only ids differ: items were removed and added again
            plain = [
                sorted((item["place"], item["content"]) for item in of["items"].values())
                for of in (now, self.saved[same])
            ]
            assert plain[0] == plain[1]
        assert self.filled.snapshot(self.project)["created"] is False

    @precondition(lambda self: self.saved)
    @rule(which=small)
    def delete(self, which):
        number = self.pick(sorted(self.saved), which)
        del self.saved[number]
        self.call("autoflow.versions.delete", id=number)

    @rule()
    def reserve_and_cancel(self):
        try:
            made = self.call("projects.versions.reserve", projectId=self.project)
        except ServerRefused as refusal:
            assert refusal.details["useExistingVersion"]  # noqa: PT017 - nothing has changed
            return
        self.call("projects.versions.cancel-reservation", id=made["id"], commitToken=made["commitToken"])

    @rule(limit=st.integers(1, 50))
    def purge(self, limit):
        cursor, first = None, True
        while first or cursor is not None:
            with self.store.write() as conn:
                _, cursor = purging.purge(conn, limit, cursor)
            first = False
        self.nothing_is_left_over()

    def nothing_is_left_over(self):
        with self.store.read() as conn:
            for history in HISTORY.values():
                in_version = select(versions.c.id).where(
                    versions.c.project_id == history.c.project_id,
                    versions.c.status != "deleted",
                    versions.c.epoch >= history.c.valid_from,
                    versions.c.epoch < history.c.valid_to,
                )
                assert conn.execute(select(func.count()).select_from(history).where(~in_version.exists())).scalar() == 0
            named = [
                select(table.c.id).where(table.c.annotation == documents.c.hash) for table in (items, items_history)
            ]
            unnamed = [~query.exists() for query in named]
            assert conn.execute(select(func.count()).select_from(documents).where(*unnamed)).scalar() == 0
            gone = select(func.count()).select_from(items).join(projects).where(projects.c.state == "removed")
            assert conn.execute(gone).scalar() == 0

    @precondition(lambda self: self.saved)
    @rule(which=small, keep=st.booleans())
    def restore(self, which, keep):
        number = self.pick(sorted(self.saved), which)
        made = self.call("autoflow.versions.restore", id=number)
        while not made["done"]:  # a call ends after two seconds
            made = self.call("autoflow.versions.restore", restoring=made["id"])
        assert made["missed"]["count"] == 0
        before, after = self.saved[number], self.now(made["id"])
        assert sorted(before["datasets"].values()) == sorted(after["datasets"].values())
        assert before["meta"] == after["meta"]
        pairs = zip(before["items"].values(), after["items"].values(), strict=True)  # in the same order
        assert all((old["place"], old["content"]) == (new["place"], new["content"]) for old, new in pairs)
        with self.store.read() as conn:
            response = conn.execute(select(projects.c.digest).where(projects.c.id == made["id"])).scalar()
            version = conn.execute(select(versions.c.digest).where(versions.c.id == number)).scalar()
            assert response == version == compute_digest(conn, made["id"])
        self.call("projects.remove", id=made["id"])

    @precondition(lambda self: self.saved)
    @rule(index=small, other=st.one_of(st.none(), small))
    def compare(self, index, other):
        numbers = sorted(self.saved)
        first, second = self.pick(numbers, index), None if other is None else self.pick(numbers, other)
        response = self.call("autoflow.versions.diff", **{"from": first, "to": second, "limit": 1000, "labels": True})
        before = self.saved[first]
        after = self.saved[second] if second else self.now()
        expected = changes(before["items"], after["items"])
        reported = {
            (change["status"], *((change[side] or {"id": None})["id"] for side in ("before", "after")))
            for change in response["changes"]
        }
        assert reported == expected
        counted = response["counts"]["items"]
        assert sum(counted[how] for how in ("added", "removed", "changed")) == len(expected)
        labels = response["counts"]["labels"]
        assert labels["after"] - labels["before"] == labels["added"] - labels["removed"]

    # -- what is always true

    @invariant()
    def every_version_is_as_it_was_made(self):
        for number, content in self.saved.items():
            assert self.then(number) == content
            with self.store.read() as conn:
                version = conn.execute(select(versions).where(versions.c.id == number)).mappings().one()
                after, state = verification.check_version(conn, version, None, 5, {})
                while after is not None:
                    after, state = verification.check_version(conn, version, after, 5, state)
                assert verification.problems(version, state) == []


def changes(before, after):
    """Return the changes that a diff must report: by ids, then by datasets and names, then by bytes."""
    reported = set()
    for number in before.keys() & after.keys():
        was, item = before[number], after[number]
        if (was["dataset"], was["content"]) != (item["dataset"], item["content"]):
            reported.add(("changed", number, number))
    gone, new = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    for same in (
        lambda item: (item["place"], item["content"][0]),
        lambda item: item["content"][:2],  # name and bytes: it was moved
        lambda item: item["content"][1],  # bytes: it was renamed
    ):
        for old in list(gone):
            number = next((number for number in new if same(after[number]) == same(before[old])), None)
            if number is not None:
                gone.remove(old)
                new.remove(number)
                if (before[old]["place"], before[old]["content"]) != (after[number]["place"], after[number]["content"]):
                    reported.add(("changed", old, number))
    return reported | {("removed", old, None) for old in gone} | {("added", None, number) for number in new}


@pytest.mark.timeout(400)  # some machines make many versions of many images, each read at every step
def test_versions_are_what_they_were(module_server, fill):
    """A machine that edits, saves, deletes, purges, compares and restores at random; a model holds each version."""
    run_state_machine_as_test(
        lambda: Versions(fill(module_server)), settings=settings(max_examples=6, stateful_step_count=12, deadline=None)
    )
