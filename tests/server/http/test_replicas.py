"""Two server processes on one PostgreSQL and one folder of blobs, of which one is killed while clients write."""

from __future__ import annotations

import collections
import contextlib
import hashlib
import threading

import pytest
import requests
import sqlalchemy

from autoflow.errors import ServerBusy, ServerRefused, ServerUnreachable
from autoflow.server.db import schema
from autoflow.server.server import Server
from autoflow.transport.http import HttpTransport
from tests.server.digests import compute_digest
from tests.serving import serving

METHOD = "/public/api/v3/"
BATCH = 20
SENDERS, MAKERS, UPLOADERS = 4, 2, 2


class Load:
    """Clients that go on with the other server when one does not answer, and what each was acknowledged.

    Args:
        urls: the servers'.
        until: acknowledged batches of each sender, after the kill too.
    """

    def __init__(self, urls, until):
        self.urls = urls
        self.until = until
        self.acknowledged = collections.Counter()
        self.files = {}
        self.failed = []
        self.retried = 0
        self.progress = threading.Condition()
        self.threads = [
            threading.Thread(target=self.guarded, args=(work, f"{work.__name__}{number}", number))
            for work, count in ((self.send, SENDERS), (self.make, MAKERS), (self.upload, UPLOADERS))
            for number in range(count)
        ]

    def guarded(self, work, name, number):
        try:
            for turn in range(self.until):
                work(name, turn, number)
        except BaseException as error:
            self.failed.append(error)
        finally:
            with self.progress:
                self.progress.notify_all()

    def insist(self, ask, number):
        """Ask a server, another when it gives no answer, until there is one."""
        for turn in range(100):
            try:
                return ask(self.urls[(number + turn) % len(self.urls)])
            except (ServerUnreachable, ServerBusy, requests.ConnectionError):
                with self.progress:
                    self.retried += 1
        raise AssertionError("no server answers")

    def note(self, kind, count=1):
        with self.progress:
            self.acknowledged[kind] += count
            self.progress.notify_all()

    def wait_for(self, count):
        with self.progress:
            assert self.progress.wait_for(lambda: self.failed or self.acknowledged["batch"] >= count, timeout=60)

    # -- what clients do; anything may be asked twice, as an answer may be lost

    def send(self, name, turn, number):
        """A batch of a recorder: log lines, and an edge."""
        run = {"run": name, "at": 10**18}
        batch = [
            {"key": f"{name}.{turn}.{n}", "type": "log", "lines": f"{name}.{turn}.{n}", **run} for n in range(BATCH - 1)
        ]
        entity = {"type": "folder", "id": f"/{name}/{turn}"}
        batch.append({"key": f"{name}.{turn}.e", "type": "edge", "direction": "output", "entity": entity, **run})

        def ask(url):
            transport = HttpTransport(url, lambda: None)
            with contextlib.closing(transport):
                return transport.deliver(batch)

        results = self.insist(ask, number + turn)["results"]
        assert {result["status"] for result in results} <= {"applied", "duplicate"}
        self.note("batch")

    def call(self, number, method, **body):
        def ask(url):
            with contextlib.closing(HttpTransport(url, lambda: None)) as transport:
                return transport.call(method, body)

        return self.insist(ask, number)

    def make(self, name, turn, number):
        """A project with a dataset of many images, made in one request."""
        number += turn
        with contextlib.suppress(ServerRefused):  # it was made, and the answer was lost
            self.call(number, "projects.add", workspaceId=1, name=f"{name}.{turn}")
        listed = self.call(number, "projects.list", filter=[{"field": "name", "value": f"{name}.{turn}"}])["entities"]
        project = listed[0]["id"]
        with contextlib.suppress(ServerRefused):
            self.call(number, "datasets.add", projectId=project, name="ds")
        dataset = self.call(number, "datasets.list", projectId=project)["entities"][0]["id"]
        images = [{"title": f"{n}.png", "link": f"http://x/{n}"} for n in range(BATCH)]
        with contextlib.suppress(ServerRefused):
            self.call(number, "images.bulk.add", datasetId=dataset, images=images)
        self.call(number, "autoflow.versions.snapshot", projectId=project)
        self.note("project")

    def upload(self, name, turn, number):
        """A file, under a path of its own."""
        content = f"{name}.{turn}".encode() * 5000
        fields = [("path", (None, "/up/")), ("name", (None, f"{name}.{turn}")), ("file", ("f", content))]

        def ask(url):
            path = f"{url}{METHOD}file-storage.bulk.upload?teamId=1"
            return requests.post(path, files=fields, timeout=30)

        answer = self.insist(ask, number + turn)
        assert answer.status_code == 200, answer.text
        self.files[answer.json()[0]["id"]] = hashlib.sha256(content).hexdigest()
        self.note("file")


@pytest.mark.timeout(180)
def test_a_server_killed_under_load_costs_nothing(postgres, tmp_path):
    """Clients go on with the other server, and everything that was acknowledged by either is there, once and whole."""
    with postgres.database() as database:
        options = ["--data", str(tmp_path / "data"), "--database", database]
        with serving(*options) as (killed, first, _), serving(*options) as (stays, second, _):
            load = Load([first, second], until=8)
            for thread in load.threads:
                thread.start()
            load.wait_for(SENDERS * 3)
            killed.kill()
            for thread in load.threads:
                thread.join(100)
            assert load.failed == []
            assert load.retried > 0
            before = load.call(1, "autoflow.changes")["changes"]
            load.call(1, "projects.add", workspaceId=1, name="last")
            assert load.call(1, "autoflow.changes")["changes"] == before + 1
            assert before >= sum(load.acknowledged.values())
            for number, digest in load.files.items():
                content = requests.get(f"{second}/storage/files/{number}", timeout=30).content
                assert hashlib.sha256(content).hexdigest() == digest
            stays.terminate()
            assert stays.wait(30) == 0
        check(database, tmp_path, load)


def check(database, tmp_path, load):
    server = Server.open(tmp_path / "data", database)
    with server._context.store.read() as conn:
        lines = collections.Counter(conn.execute(sqlalchemy.select(schema.logs.c.lines)).scalars())
        expected = {
            f"send{s}.{turn}.{n}" for s in range(SENDERS) for turn in range(load.until) for n in range(BATCH - 1)
        }
        assert lines == dict.fromkeys(expected, 1)
        assert conn.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(schema.edges)).scalar_one() == (
            SENDERS * load.until
        )
        assert (
            conn.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(schema.tasks)).scalar_one() == SENDERS
        )
        projects = conn.execute(sqlalchemy.select(schema.projects).where(schema.projects.c.name != "last")).mappings()
        made = {project["name"]: project for project in projects}
        assert made.keys() == {f"make{m}.{turn}" for m in range(MAKERS) for turn in range(load.until)}
        for project in made.values():
            assert (project["items_count"], project["last_version_epoch"]) == (BATCH, 1)
            assert project["digest"] == compute_digest(conn, project["id"])
    server.close()
