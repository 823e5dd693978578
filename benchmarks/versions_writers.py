"""The processes that `versions_soak` kills: writers, the collector, and a naive collector to be found out."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import itertools
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from sqlalchemy import delete, select

from autoflow.errors import ServerBusy, ServerRefused
from autoflow.server.blobs.content import blob_path
from autoflow.server.db import blobs as leases
from autoflow.server.db import upload_leases
from autoflow.server.db.schema import blob_leases, blobs, files, items, items_history
from autoflow.server.maintenance import purge
from autoflow.server.server import Server
from autoflow.wire import methods
from autoflow.wire.parts import Part

PAUSE = 0.03  # seconds between two rounds of a collector
WINDOW = 12  # contents in use at a time: most die and come again several times
PACE = 6  # acts after which one of them goes out of use, and another comes
THOUGHT = 0.03  # seconds at the most between asking whether bytes are there and naming them
LEASE = 2.0  # seconds: a dead process is taken to be dead after so long
AGE = 0.2  # seconds: what the naive collector takes to be old enough
MARKING = 0.05  # seconds that marking takes it in a store larger than this one
SHARE_KEPT = 0.25  # of the versions of a life, those that are never deleted


class Setup(NamedTuple):
    """Locations of the server's folder, its database and blobs, and the writers' notes."""

    home: str
    database: str | None
    blobs: str | None
    notes: str
    seed: int

    def open(self) -> Server:
        """The server, as a process of its own uses it; with the leases of this run."""
        upload_leases.LEASE = leases.LEASE = LEASE
        return Server.open(self.home, self.database, blobs=self.blobs)


def content(number: int) -> bytes:
    """An image that is told by its number."""
    stream = io.BytesIO()
    Image.new("RGB", (2, 2), (number >> 16 & 255, number >> 8 & 255, number & 255)).save(stream, "PNG")
    return stream.getvalue()


def hash_of(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


class Notes:
    """Notes of a process; written lines survive its death."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **note: Any) -> None:
        os.write(self._file, json.dumps(note).encode() + b"\n")


def read_notes(path: str) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(FileNotFoundError):
        for line in Path(path).read_bytes().split(b"\n"):
            with contextlib.suppress(ValueError):
                yield json.loads(line)


class Project:
    """A project of one writer's, as the writer knows it."""

    def __init__(self, number: int, dataset: int) -> None:
        self.id = number
        self.dataset = dataset
        self.images: dict[str, dict[str, Any]] = {}  # name: id, hash, description

    def state(self) -> dict[str, list[str]]:
        return {name: [image["hash"], image["description"]] for name, image in self.images.items()}


class Writer:
    """One life of a writer."""

    def __init__(self, setup: Setup, slot: int, life: int) -> None:
        self.setup = setup
        self.server = setup.open()
        self.notes = Notes(os.path.join(setup.notes, f"{slot}-{life}"))
        self.before = os.path.join(setup.notes, f"{slot}-{life - 1}")
        self.random = random.Random(f"{setup.seed} {slot} {life}")
        self.name = f"{slot}-{life}"
        self.projects: list[Project] = []
        self.versions: list[tuple[int, dict[str, list[str]]]] = []
        self.moment = 0  # acts of all writers so far
        self._numbers = itertools.count()

    def run(self, acted: Callable[[], int]) -> None:
        """Do this and that until killed; what is refused or busy is left."""
        acts: list[tuple[Callable[[], None], int]] = [
            (self.ingest, 8),
            (self.remove, 6),
            (self.edit, 2),
            (self.save, 2),
            (self.restore, 1),
            (self.forget, 2),
            (self.replace_file, 1),
        ]
        self.attempt(self.clean)
        while True:
            if self.projects:
                (act,) = self.random.choices([act for act, _ in acts], [weight for _, weight in acts])
            else:
                act = self.begin
            self.attempt(act)
            self.moment = acted()

    def attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (ServerBusy, ServerRefused) as error:
            self.notes.write(failed=act.__name__, why=str(error)[:300])

    def call(self, method: str, **body: Any) -> Any:
        return self.server.call(method, body)

    def clean(self) -> None:
        """Remove most of what the life before left."""
        for note in list(read_notes(self.before)):
            if "project" in note:
                self.notes.write(removing=note["project"])
                self.call("projects.remove", id=note["project"])
            if "version" in note and self.random.random() > SHARE_KEPT:
                self.delete(note["version"])

    def begin(self) -> None:
        number = self.call("projects.add", workspaceId=1, name=f"{self.name}-{next(self._numbers)}")["id"]
        self.notes.write(project=number)
        dataset = self.call("datasets.add", projectId=number, name="d")["id"]
        self.projects.append(Project(number, dataset))

    def upload(self, numbers: list[int]) -> list[str]:
        """See that contents are there, uploading only those that are not."""
        data = {hash_of(entry): entry for entry in map(content, numbers)}
        present = set(self.server.call("images.internal.hashes.list", list(data)))
        parts = [Part("file", io.BytesIO(data[entry]), entry) for entry in data if entry not in present]
        if parts:
            self.server.upload("images.bulk.upload", parts, {})
        return list(data)

    def window(self, count: int) -> list[int]:
        """Contents that others use at this time, too."""
        first = self.moment // PACE
        return self.random.sample(range(first, first + WINDOW), count)

    def ingest(self) -> None:
        project = self.random.choice(self.projects)
        hashes = self.upload(self.window(self.random.randint(1, 4)))
        time.sleep(self.random.uniform(0, THOUGHT))
        images = [{"title": f"{self.name}-{next(self._numbers)}", "hash": entry} for entry in hashes]
        for made in self.call("images.bulk.add", datasetId=project.dataset, images=images):
            stored = {"id": made["id"], "hash": made["hash"], "description": ""}
            project.images[made["name"]] = stored
        self.look(project)

    def look(self, project: Project) -> None:
        """Read one image: it must be what it was."""
        if project.images:
            name = self.random.choice(list(project.images))
            image = project.images[name]
            try:
                data = b"".join(self.server.download("images.download", {"id": image["id"]}))
            except (ServerBusy, ServerRefused) as error:
                if "database" not in str(error):
                    self.notes.write(violated=f"image {image['id']} cannot be read: {error}")
                return
            if hash_of(data) != image["hash"]:
                self.notes.write(violated=f"image {image['id']} is not what it was")

    def remove(self) -> None:
        project = self.random.choice(self.projects)
        if project.images:
            names = self.random.sample(list(project.images), self.random.randint(1, len(project.images)))
            self.call("images.bulk.remove", imageIds=[project.images[name]["id"] for name in names])
            for name in names:
                del project.images[name]

    def edit(self) -> None:
        project = self.random.choice(self.projects)
        if project.images:
            image = self.random.choice(list(project.images.values()))
            text = f"edited {next(self._numbers)}"
            self.call("images.editInfo", id=image["id"], description=text)
            image["description"] = text

    def save(self) -> None:
        project = self.random.choice(self.projects)
        number = self.call(methods.SNAPSHOT, projectId=project.id)["id"]
        self.notes.write(version=number, project=project.id, state=project.state())
        if number not in {version for version, _ in self.versions}:
            self.versions.append((number, project.state()))

    def restore(self) -> None:
        if not self.versions:
            return
        number, state = self.random.choice(self.versions)
        response = self.call(methods.VERSION_RESTORE, id=number)
        while not response["done"]:
            response = self.call(methods.VERSION_RESTORE, restoring=response["id"])
        self.notes.write(project=response["id"])
        result = self.call("images.list", projectId=response["id"], per_page=10_000)["entities"]
        if {entry["name"]: [entry["hash"], entry["description"]] for entry in result} != state:
            self.notes.write(violated=f"version {number} restored as project {response['id']} is not what it was")
            return
        (dataset,) = self.call("datasets.list", projectId=response["id"])["entities"]
        project = Project(response["id"], dataset["id"])
        project.images = {
            entry["name"]: {"id": entry["id"], "hash": entry["hash"], "description": entry["description"]}
            for entry in result
        }
        self.look(project)
        self.projects = [*self.projects[-1:], project]

    def forget(self) -> None:
        """Delete a version."""
        if len(self.versions) > 1:
            number, _ = self.versions.pop(self.random.randrange(len(self.versions)))
            self.delete(number)

    def delete(self, number: int) -> None:
        self.notes.write(deleting=number)
        with contextlib.suppress(ServerRefused):  # it was deleted already
            self.call(methods.VERSION_DELETE, id=number)

    def replace_file(self) -> None:
        """Put another file at a path of this slot's, and read it."""
        name = self.name.partition("-")[0]
        data = content(self.random.choice(self.window(1)))
        parts = [Part("name", name), Part("path", "/soak/"), Part("file", io.BytesIO(data), name)]
        self.server.upload("file-storage.bulk.upload", parts, {"teamId": 1})
        result = b"".join(self.server.download("file-storage.download", {"teamId": 1, "path": f"/soak/{name}"}))
        if result != data:
            self.notes.write(violated=f"team file /soak/{name} is not what was put there")


def collect(server: Server) -> dict[str, int]:
    """Collect until all is done, however large the share of blobs that goes; return the counts."""
    state = None
    while True:
        response = server.call(methods.COLLECT, {"state": state, "confirm": True})
        if response["done"]:
            counts: dict[str, int] = response["counts"]
            return counts
        state = response["state"]


def collector(setup: Setup, notes: Notes, acted: Callable[[], int]) -> None:
    """Collect over and over, until killed."""
    server = setup.open()
    while True:
        with contextlib.suppress(ServerBusy):
            notes.write(collected=collect(server))
        acted()
        time.sleep(PAUSE)


def naive_collector(setup: Setup, notes: Notes, acted: Callable[[], int]) -> None:
    """A naive collector: mark what is in use, then remove what is not, if it is old enough."""
    server = setup.open()
    context = server._context
    while True:
        with contextlib.suppress(ServerBusy, ServerRefused):
            with context.store.write(count_change=False) as conn:
                step = purge.purge(conn, 10_000)
                while step.cursor is not None:
                    step = purge.purge(conn, 10_000, step.cursor)
                conn.execute(delete(files).where(~files.c.current))
            with context.store.read() as conn:
                marked = {hash_ for column in NAMING for hash_ in conn.execute(select(column)).scalars()}
                stored = conn.execute(select(blobs.c.hash, blobs.c.generation)).all()
            time.sleep(MARKING)
            swept = [row for row in stored if row.hash not in marked and _age(setup, row) > AGE]
            for row in swept:
                context.blobs.remove(blob_path(row.hash, row.generation))
                with contextlib.suppress(ServerRefused), context.store.write(count_change=False) as conn:
                    conn.execute(delete(blob_leases).where(blob_leases.c.hash == row.hash))
                    conn.execute(delete(blobs).where(blobs.c.hash == row.hash))
            notes.write(collected={"blobs": len(swept)})
        acted()
        time.sleep(PAUSE)


NAMING = (items.c.hash, items_history.c.hash, files.c.hash)


def _age(setup: Setup, row: Any) -> float:
    """Return the age of a file; files in a bucket count as old."""
    if setup.blobs is not None and "://" in setup.blobs:
        return AGE * 2
    folder = setup.blobs or os.path.join(setup.home, "blobs")
    with contextlib.suppress(FileNotFoundError):
        return time.time() - os.stat(os.path.join(folder, blob_path(row.hash, row.generation))).st_mtime
    return 0.0
