"""Erasures: nothing of an image is left in any file of the store, and what versions say of themselves stays true."""

from __future__ import annotations

import json
import os
import signal
import time
import zlib
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from autoflow.errors import ServerRefused
from autoflow.model.run_code import gaps
from autoflow.model.run_contents import join, split
from autoflow.runtime.commit_pack import pack_commit
from autoflow.server.blobs.content import blob_path
from autoflow.server.db import copies, schema
from autoflow.server.db.engine import Store
from autoflow.server.maintenance.erasure import job, report, retention, signature
from autoflow.server.methods.images import previews
from autoflow.server.project_types.item_meta import FileRange, ItemMeta
from tests.cli.repository import git
from tests.postgres import on_sqlite
from tests.server.methods.lineage.test_models import train

BYTES, NAME, LABEL = b"MARKER-OF-BYTES", "marker-of-a-name.png", "marker-of-a-label"
MARKERS = (BYTES, b"marker-of-a-name", LABEL.encode())


class World:
    """A team with an image everywhere that one can be, and a version before and after a change of its labels."""

    def __init__(self, filled):
        self.filled, self.call = filled, filled.call
        self.call("webhooks.add", teamId=1, action="item.erased", url="http://127.0.0.1:9/")
        self.call("webhooks.add", teamId=1, action="run.failed", url="http://127.0.0.1:9/")
        self.bytes = filled.picture((1, 2, 3)) + BYTES
        self.project = filled.project()
        meta = {"classes": [], "tags": [{"name": "t", "value_type": "any_string"}]}
        tag = self.call("projects.meta.update", id=self.project, meta=meta)["tags"][0]["id"]
        self.dataset = filled.dataset(self.project)
        self.other = filled.image(self.dataset, "other.png")["id"]
        image = {"title": NAME, "hash": filled.content(self.bytes), "meta": {"camera": LABEL}}
        added = self.call("images.bulk.add", datasetId=self.dataset, images=[image])[0]
        self.image, self.hash = added["id"], added["hash"]
        self.versions = [filled.snapshot(self.project)["id"]]
        self.call("image-tags.bulk.add-to-image", ids=[self.image], tagId=tag, value=LABEL)
        self.call("images.editInfo", id=self.image, description=LABEL)
        self.versions.append(filled.snapshot(self.project)["id"])
        self.call("images.bulk.remove", imageIds=[self.image])
        again = {"title": NAME, "hash": self.hash, "description": "another"}
        self.again = self.call("images.bulk.add", datasetId=self.dataset, images=[again])[0]["id"]
        self.versions.append(filled.snapshot(self.project)["id"])
        self.restored = self.call("autoflow.versions.restore", id=self.versions[0])["id"]
        self.file = filled.file(f"/scans/{NAME}", self.bytes)["id"]
        filled.edge("input", "project", self.project, at=time.time_ns())
        patch, pieces = split(f'+open("{NAME}")\n'.encode())
        image, image_pieces = split(self.bytes)
        code = {
            "patch": {"base": "0" * 40, "files": 1, "content": patch},
            "untracked": [{"path": f"data/{NAME}", "size": image["size"], "used": True, "content": image}],
        }
        facts = {"parameters": {"source": f"/data/{NAME}"}, "epochs": 7, **code}
        filled.send(
            filled.record("facts", facts=facts, contents=pieces | image_pieces),
            filled.record("log", lines=f"read {NAME} twice", at=time.time_ns()),
            filled.record("finish", state="failed", error=f"cannot decode {NAME}"),
        )

    def erase(self, *refs):
        response = self.call("autoflow.erase.run", refs=list(refs))
        while not response["done"]:
            response = self.call("autoflow.erase.run", id=response["id"])
        return response["report"]


@pytest.fixture
def world(filled):
    return World(filled)


def left_in(folder):
    """Return the files of a folder that have a marker, with the marker."""
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return [(path.name, marker) for path in files for marker in MARKERS if marker in path.read_bytes()]


def left_in_rows(store):
    """Return the tables that have a marker in a row, or in the bytes that it compresses."""
    with store.read() as conn:
        tables = schema.metadata.sorted_tables
        return [
            table.name
            for table in tables
            for row in conn.execute(select(table))
            if b"marker" in (zlib.decompress(row.data) if table.name == "run_contents" else repr(row).encode()).lower()
        ]


def copies_in_trash(server, world):
    """Put copies of the blob's file to where collectors and checks move files, and to where an upload was killed."""
    folder = Path(server._context.blobs.address)
    name = Path(blob_path(world.hash, "")).name
    for copy in (
        folder / "trash/2026-01-01" / f"{name}old-1",
        folder / "quarantine" / f"{name}old-2",
        folder / "new/gone-1",
    ):
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(world.bytes)


def test_nothing_of_an_erased_image_is_left(world, filled, tmp_path):
    """Neither bytes nor name nor labels, in rows, files, logs, facts and errors; versions are sound, and say so."""
    server, home = filled.server, tmp_path / "home"
    copies_in_trash(server, world)
    list(server.download("autoflow.previews", {"id": world.again}))
    digests = world.call("projects.versions.list", projectId=world.project)
    first, second, third = world.versions
    spans = [{"from": first, "to": second}, {"from": second, "to": third}, {"from": first, "to": third}]
    before = [world.call("autoflow.versions.diff", **span) for span in spans]
    plan = world.call("autoflow.erase.plan", refs=[f"image:{world.image}"])
    assert {name: plan["counts"][name] for name in ("images", "items", "history", "versions", "files", "texts")} == {
        "images": 3,
        "items": 2,
        "history": 2,
        "versions": 3,
        "files": 1,
        "texts": 4,
    }
    assert (plan["names"], plan["keptForOtherTeams"]) == ([NAME], [])
    assert [(made["type"], made["ref"]) for made in plan["made"]][:1] == [("task", "task:1")]
    assert left_in_rows(server.store)

    report = world.erase(f"image:{world.image}")
    assert left_in_rows(server.store) == []
    assert left_in(home) == []
    assert not any(world.hash == key.hash for key in previews._thumbnails._made._entries)
    assert report["contents"] == plan["contents"]
    assert report["made"] == [made["ref"] for made in plan["made"]] == ["task:1"]
    with server.store.read() as conn:
        (payload,) = conn.execute(text("SELECT payload FROM webhook_deliveries WHERE action = 'item.erased'")).scalars()
    assert json.loads(payload)["data"]["made"] == ["task:1"]
    assert {name: report["counts"][name] for name in ("items", "history", "files", "blobs", "texts", "uploads")} == {
        "items": 2,
        "history": 3,
        "files": 1,
        "blobs": 1,
        "texts": 4,
        "uploads": 1,
    }
    facts = world.call("tasks.info", id=1)["autoflow"]["facts"]
    assert facts["epochs"] == 7
    assert list(gaps(facts)) == [
        "changes from which an image or its name was erased",
        "data/erased-1-1, which is an erased image, or had the name of one",
    ]

    assert world.call("projects.versions.list", projectId=world.project) == digests
    assert world.call("autoflow.upkeep.verify", level=3)["counts"]["problems"] == 0
    after = [world.call("autoflow.versions.diff", **span) for span in spans]
    assert [response["counts"] for response in after] == [response["counts"] for response in before]
    assert after[0]["changes"][0]["before"]["name"] == "(erased)"
    assert [item["id"] for item in world.call("autoflow.versions.items", id=world.versions[1])["items"]] == [
        world.other
    ]
    again = world.call("autoflow.versions.restore", id=world.versions[1])
    assert (again["done"], again["copied"], again["erased"]) == (True, 1, 1)
    project = world.call("projects.info", id=again["id"])
    assert project["itemsCount"] == 1


@on_sqlite
def test_erased_content_cannot_come_back(world, filled):
    """An upload of the same bytes is refused, as an image and as a file, with the erasure that it is of."""
    world.erase(f"dataset:{world.dataset}/{NAME}")
    for upload in (lambda: filled.content(world.bytes), lambda: filled.file("/again", world.bytes)):
        with pytest.raises(ServerRefused, match=r"was erased from team 1 on .*erasure 1") as refusal:
            upload()
        assert refusal.value.status == 409
    assert filled.content(filled.picture((9, 9, 9)))


@on_sqlite
def test_other_teams_keep_what_they_have(world, filled):
    """Bytes stay that another team has, whose rows are untouched; nobody but an admin of a team erases in it."""
    server = filled.server
    admin = server.tokens.caller(server.tokens.create("ann", ["Vision"], scope="admin", role="admin"))
    editor = server.tokens.caller(server.tokens.create("bob", ["Vision"], scope="admin"))
    (team,) = admin.teams
    workspace = server.call("workspaces.list", {"teamId": team}, admin)["entities"][0]["id"]
    project = server.call("projects.add", {"workspaceId": workspace, "name": "p"}, admin)["id"]
    dataset = server.call("datasets.add", {"projectId": project, "name": "d"}, admin)["id"]
    images = [{"title": "theirs.png", "hash": world.hash}]
    with server.store.write() as conn:  # as an upload of theirs
        conn.execute(text("UPDATE blob_leases SET user_id = :user").bindparams(user=admin.user))
    theirs = server.call("images.bulk.add", {"datasetId": dataset, "images": images}, admin)[0]["id"]

    for who, refs, status in ((admin, [f"image:{world.image}"], 404), (editor, [f"image:{theirs}"], 403)):
        for method in ("autoflow.erase.plan", "autoflow.erase.run"):
            with pytest.raises(ServerRefused) as refusal:
                server.call(method, {"refs": refs}, who)
            assert refusal.value.status == status
    plan = server.call("autoflow.erase.plan", {"refs": [f"image:{world.image}"]})
    assert plan["keptForOtherTeams"] == plan["contents"]
    report = world.erase(f"image:{world.image}")
    assert report["keptForOtherTeams"] == report["contents"]
    assert b"".join(server.download("images.download", {"id": theirs}, admin)) == world.bytes
    with pytest.raises(ServerRefused):
        server.call("autoflow.erase.run", {"id": report["erasure"]}, admin)
    assert server.call("autoflow.erase.list", {}, admin) == {"erasures": []}
    assert server.call("autoflow.audit.list", {"action": "item.erase"}, admin)["entries"] == []
    assert server.call("autoflow.audit.list", {"action": "item.erase"})["entries"][0]["entity"] == "erasure:1"

    last = server.call("autoflow.erase.run", {"refs": [f"image:{theirs}"]}, admin)["report"]
    assert (last["keptForOtherTeams"], last["requestedBy"]) == ([], "ann")


@on_sqlite
def test_a_killed_erasure_is_completed(world, filled, tmp_path, monkeypatch):
    """Processes are killed after their first, second or third transaction; the next continues, and nothing is left."""
    server, home = filled.server, tmp_path / "home"
    copies_in_trash(server, world)
    (home / "platform.db.0023-1").write_text(NAME)  # as a migration leaves it
    commit, killed = Store.write, 0
    commits: list[Killing] = []

    class Killing:
        """A write transaction, after whose commit the process is killed."""

        def __init__(self, *arguments, **options):
            self._transaction = commit(*arguments, **options)

        def __enter__(self):
            return self._transaction.__enter__()

        def __exit__(self, *error):
            self._transaction.__exit__(*error)
            commits.append(self)
            if len(commits) > killed % 3:
                os.kill(os.getpid(), signal.SIGKILL)

    def continue_in_child(**request):
        child = os.fork()
        if not child:
            monkeypatch.setattr(Store, "write", lambda *arguments, **options: Killing(*arguments, **options))
            try:
                server.call("autoflow.erase.run", request)
            finally:
                os._exit(0)
        return os.waitpid(child, 0)[1]

    assert continue_in_child(refs=[f"image:{world.image}"]) == signal.SIGKILL
    killed = 1
    while killed < 12 and continue_in_child(teamId=1) == signal.SIGKILL:
        killed += 1
    assert killed == 12
    monkeypatch.setattr(job, "PATIENCE", -1.0)
    server.complete_erasures(60.0)  # as a server does in the background
    (erasure,) = world.call("autoflow.erase.list")["erasures"]
    assert signature.is_valid(erasure["report"])
    assert (left_in(home), left_in_rows(server.store)) == ([], [])
    assert world.call("autoflow.upkeep.verify", level=3)["counts"]["problems"] == 0


def test_projects_and_runs_are_removed_for_good(world, filled, tmp_path):
    """With their versions, logs and facts, and with the bytes that nothing else needs, which may be uploaded again."""
    server = filled.server
    with server.store.write() as conn:
        rows = {"project": world.project, "version": world.versions[0], "dataset": world.dataset, "file": world.file}
        for kind, number in {**rows, "task": 1}.items():
            copies.add(conn, 1, "elsewhere", kind, {7: number}, {"author": "marker"})
    plan = world.call("autoflow.erase.plan", refs=[f"project:{world.project}", "task:1"])
    assert (plan["counts"]["projects"], plan["counts"]["runs"], plan["counts"]["versions"]) == (1, 1, 3)
    report = world.erase(f"project:{world.project}", f"project:{world.restored}", "task:1")
    assert (report["counts"]["projects"], report["counts"]["runs"], report["contents"]) == (2, 1, [])
    assert left_in_rows(server.store) == ["copies", "files"]
    with server.store.read() as conn:
        remaining = [conn.execute(select(table)).all() for table in (schema.projects, schema.tasks, schema.versions)]
        assert [row["type"] for row in copies.find(conn, 1, "elsewhere", "file", [7])] == ["file"]
        assert [
            kind for kind in ("project", "version", "dataset", "task") if copies.find(conn, 1, "elsewhere", kind, [7])
        ] == []
    assert remaining == [[], [], []]
    world.call("file-storage.remove", teamId=1, path=f"/scans/{NAME}")
    assert filled.content(world.bytes) == world.hash
    assert world.call("autoflow.upkeep.verify", level=3)["counts"]["problems"] == 0


@on_sqlite
def test_code_that_is_stored_with_runs(filled, tmp_path):
    """A patch and cells lose the name, a binary patch and a pack of git's with the bytes go, also where two runs share
    them; other code, and that of other teams, stays.
    """
    image = filled.picture((4, 5, 6))
    number = filled.image(filled.dataset(filled.project()), "lemon.png", hash=filled.content(image))["id"]
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    (tmp_path / "image.bin").write_bytes(image)
    git(tmp_path, "add", "image.bin")
    binary = git(tmp_path, "diff", "--binary", "HEAD").encode()
    assert b"GIT binary patch" in binary
    git(tmp_path, "commit", "-q", "-m", "second")
    packed, pieces = pack_commit(str(tmp_path), git(tmp_path, "rev-parse", "HEAD"))
    contents = {
        "cells": b"[\"open('lemon.png')\"]",
        "text": b"-lemon.png\n+lime.png\n",
        "same": b"print(2)",
        "binary": binary,
    }
    facts = {"unpublished": packed}
    for name, data in contents.items():
        content, more = split(data)
        facts[name] = {"content": content}
        pieces |= more
    other = filled.call("teams.add", name="Other")["id"]
    for run, team in (("r1", 1), ("r2", 1), ("r3", other)):
        filled.send(
            filled.record("run", run, name="app", team=team), filled.record("facts", run, facts=facts, contents=pieces)
        )
    assert filled.call("autoflow.erase.plan", refs=[f"image:{number}"])["counts"]["code of runs"] == 2
    report = filled.call("autoflow.erase.run", refs=[f"image:{number}"])["report"]
    assert (report["counts"]["code of runs"], report["counts"]["pieces of code"]) == (2, 4)
    for run in ("r1", "r2"):
        task = filled.call("autoflow.runs.ensure", run=run)["task"]
        facts_left = filled.call("tasks.info", id=task)["autoflow"]["facts"]
        after = {name: part for name, part in facts_left.items() if name in facts}
        names = [name for part in after.values() for name in part.get("content", {"pieces": []})["pieces"]]
        stored = filled.call("autoflow.runs.contents", task=task, pieces=names)["contents"]
        left = {name: join(part["content"], stored) for name, part in after.items() if "content" in part}
        assert left == {
            "cells": b"[\"open('erased-1-1')\"]",
            "text": b"-erased-1-1\n+lime.png\n",
            "same": b"print(2)",
        }
        assert {name for name, part in after.items() if part.get("erased")} == {
            "cells",
            "text",
            "binary",
            "unpublished",
        }
    theirs = filled.call("tasks.info", id=filled.call("autoflow.runs.ensure", run="r3")["task"])["autoflow"]["facts"]
    assert {name: theirs[name] for name in facts} == facts


@on_sqlite
def test_names_that_are_numbers_or_paths_of_entities(filled):
    """A name is not replaced in the number of an entity, and its two forms in paths stay two entities of a run."""
    elsewhere = {"entity_origin": "https://elsewhere.example"}
    filled.edge("input", "project", 1234, **elsewhere)
    for path in ("/x/a scan", "/x/a%20scan", "/x/1234"):
        filled.edge("input", "folder", path, **elsewhere)
    dataset = filled.dataset(filled.project())
    images = [filled.image(dataset, name)["id"] for name in ("1234", "a scan")]
    filled.call("autoflow.erase.run", refs=[f"image:{number}" for number in images])
    with filled.server.store.read() as conn:
        entities = list(conn.execute(select(schema.edges.c.entity).order_by(schema.edges.c.id)).scalars())
    assert entities == ["1234", "/x/erased-1-2", "/x/erased-1-2q", "/x/erased-1-1"]
    assert filled.call("autoflow.graph")["cards"]


@on_sqlite
def test_files_that_images_are_ranges_of(filled):
    """The file that contains an erased image is deleted, and no other that the image's meta names by chance."""
    dataset, picture = filled.dataset(filled.project()), filled.picture((1, 2, 3))
    containing, other = (
        filled.file(path, b"begin" + content)["id"] for path, content in (("/a", picture), ("/b", b""))
    )
    image = {"teamFileId": containing, "sourceBlob": {"offsetStart": 5, "offsetEnd": 5 + len(picture)}, "title": "a"}
    own = filled.call("images.bulk.add", datasetId=dataset, images=[image])[0]["id"]
    copied = filled.image(dataset, "b.png")["id"]  # as a version of another store has it, with that store's file
    meta = ItemMeta({}, {}, {}, FileRange(other, 0, 4)).to_text()
    with filled.server.store.write() as conn:
        conn.execute(update(schema.items).where(schema.items.c.id == copied).values(meta=meta))
    filled.call("autoflow.erase.run", refs=[f"image:{own}", f"image:{copied}"])
    with filled.server.store.read() as conn:
        assert list(conn.execute(select(schema.files.c.id)).scalars()) == [other]


def with_alias(world, reads):
    """Record a run that makes a model from entities, and give the model an alias; return the run's reference."""
    train(world.filled, "train", b"weights", reads=reads)
    world.call("autoflow.models.alias", name="lemons", alias="champion", version=1)
    return f"task:{world.call('autoflow.runs.ensure', run='train')['task']}"


@on_sqlite
def test_what_an_alias_needs_is_not_removed(world):
    """Neither the project nor the run; the image is erased all the same. Both reports are signed by one key."""
    task = with_alias(world, [("project_version", world.versions[0])])
    for ref in (f"project:{world.project}", task):
        with pytest.raises(ServerRefused, match=r"model:lemons@1 \(champion\) needs it"):
            world.erase(ref)
    assert world.call("autoflow.erase.list") == {"erasures": []}
    made = world.call("autoflow.erase.plan", refs=[f"image:{world.image}"])["made"]
    assert "best.pt" in {entity["name"] for entity in made}
    first = world.erase(f"image:{world.image}")
    world.call("autoflow.models.alias", name="lemons", alias="champion")
    second = world.erase(task)
    assert second["counts"]["runs"] == 1

    assert first["publicKey"] == second["publicKey"]
    assert signature.is_valid(first)
    for forged in ({**first, "counts": {}}, {**first, "publicKey": "x"}, {**first, "signature": "!"}, {}):
        assert not signature.is_valid(forged)


def test_rules_of_retention_remove_old_logs_and_versions(world, filled):
    """Rows older than the days of a rule are removed, but for the last version of a project; first it is counted."""
    server = filled.server
    assert world.call("autoflow.retention")["rules"] == {}
    rules = world.call("autoflow.retention.set", logs=90, versions=365)
    assert (rules["rules"], rules["due"]) == ({"logs": 90, "versions": 365}, {"logs": 0, "versions": 0})
    with server.store.write() as conn:
        for table, column in (("logs", "at"), ("versions", "created_at")):
            conn.execute(text(f"UPDATE {table} SET {column} = '2020-01-01T00:00:00.000Z'"))
    due = world.call("autoflow.retention")
    assert (due["due"], due["versions"], due["needed"]) == (
        *({"logs": 1, "versions": 2}, [f"version:{number}" for number in world.versions[:2]], 1),
    )
    with_alias(world, [("project_version", world.versions[0])])
    assert (world.call("autoflow.retention")["needed"], world.call("autoflow.retention")["versions"]) == (
        *(2, [f"version:{world.versions[1]}"]),
    )
    with server.store.write() as conn:  # as if the alias had moved after the erasure began
        erasure_id = job.begin(conn, 1, 1, [("version", str(world.versions[0]))])
    assert job.Erasure(server.store, server._context.blobs, erasure_id).work(60.0)
    assert world.call("autoflow.erase.list")["erasures"][0]["report"]["counts"]["versions needed"] == 1
    world.call("autoflow.models.alias", name="lemons", alias="champion")
    report = world.call("autoflow.retention.apply")["report"]
    assert {name: report["counts"][name] for name in ("logs", "versions")} == {"logs": 1, "versions": 2}
    assert world.call("autoflow.retention.apply") == {"id": None, "done": True, "report": None}
    assert [row["id"] for row in world.call("projects.versions.list", projectId=world.project)["entities"]] == [
        world.versions[2]
    ]
    assert [entry["action"] for entry in world.call("autoflow.audit.list", action="retention.")["entries"]] == [
        *("retention.apply", "retention.set", "retention.set"),
    ]


def test_servers_apply_rules_once_a_day(filled):
    """The first time a day after they were set, with the server as author in the audit log, and to one team alone."""
    server, project = filled.server, filled.project()
    versions = [filled.snapshot(project)["id"]]
    filled.dataset(project)
    versions.append(filled.snapshot(project)["id"])
    other = filled.call("teams.add", name="Other")["id"]
    filled.call("autoflow.retention.set", teamId=other, versions=1)
    rules = filled.call("autoflow.retention.set", versions=365)
    server.apply_retention(60.0)
    old = "2020-01-01T00:00:00.000Z"
    with server.store.write() as conn:
        conn.execute(update(schema.versions).values(created_at=old))
    assert not server.is_retention_due()
    for team in (other, 1):
        with server.store.write() as conn:
            due = retention.retention_rules.c.team_id == team
            conn.execute(update(retention.retention_rules).where(due).values(next_at=old))
        assert server.is_retention_due()
        server.apply_retention(60.0)
        server.apply_retention(60.0)
        listed = [row["id"] for row in filled.call("projects.versions.list", projectId=project)["entities"]]
        assert sorted(listed) == (versions if team == other else versions[1:])
    (entry,) = filled.call("autoflow.audit.list", action="retention.apply")["entries"]
    assert (entry["who"], entry["reason"], entry["teamId"]) == (retention.SERVER, "once a day", 1)
    (erasure,) = filled.call("autoflow.erase.list")["erasures"]
    assert report.FREE_PAGES in erasure["report"]["outOfReach"]
    assert filled.call("autoflow.retention")["nextAt"] >= rules["nextAt"] > old
