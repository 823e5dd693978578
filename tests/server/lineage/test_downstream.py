"""Impacts of random histories: exact against a brute-force model, and never more than the inverse of the traces."""

from __future__ import annotations

import hashlib
import itertools
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from autoflow.errors import ServerRefused
from autoflow.graph.impact import Impact
from autoflow.graph.trace import Trace
from autoflow.model.entity import EntityRef
from autoflow.server import timestamps
from autoflow.server.db import schema
from autoflow.server.lineage.reachability import Reachability
from tests.postgres import on_sqlite

IMAGES = 3
# What happens to a project, one event after another; runs are numbered.
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["add", "remove"]), st.integers(0, IMAGES - 1)),
        st.tuples(st.just("version")),
        st.tuples(st.just("edge"), st.integers(1, 4), st.sampled_from(["project", "version", "read /1", "write /1"])),
    ),
    max_size=16,
)


class History:
    """A project of images and the runs around it, and a model of them that remembers what each read included.

    The model knows edges as (time, task, direction, key of the entity, images included). A deleted image that a version
    has is included until the next version is saved, because the time of a deletion is not stored.
    """

    def __init__(self, filled):
        self.filled = filled
        self.time = 0
        self.project = filled.project(f"lemons {next(_NAMES)}")
        self.dataset = filled.dataset(self.project)
        colour = next(_NAMES)
        pictures = [filled.picture((colour % 256, colour // 256, image)) for image in range(IMAGES)]
        self.contents = [filled.content(picture) for picture in pictures]
        self.sha256 = [hashlib.sha256(picture).hexdigest() for picture in pictures]
        self.present: dict[int, int] = {}  # ids of items by image
        self.deleted: set[int] = set()  # since the last version, which has them
        self.versions: dict[int, frozenset[int]] = {}
        self.edges: list[tuple[int, int, str, str, frozenset[int]]] = []

    def now(self):
        return f"2026-01-01T00:{self.time // 60:02}:{self.time % 60:02}.000Z"

    def add(self, image):
        if image not in self.present:
            images = [{"title": f"{image}.png", "hash": self.contents[image]}]
            added = self.filled.call("images.bulk.add", datasetId=self.dataset, images=images)
            self.present[image] = added[0]["id"]

    def remove(self, image):
        if image in self.present:
            self.filled.call("images.bulk.remove", imageIds=[self.present.pop(image)])
            if self.versions and image in self.versions[max(self.versions)]:
                self.deleted.add(image)

    def version(self):
        number = self.filled.snapshot(self.project)["id"]
        if number not in self.versions:
            self.versions[number] = frozenset(self.present)
            self.deleted.clear()

    def edge(self, run, what):
        kind, number, images = "folder", "/1", frozenset()
        if what == "project":
            kind, number, images = "project", self.project, frozenset(self.present) | self.deleted
        elif what == "version":
            if not self.versions:
                return
            number = max(self.versions)
            kind, images = "project_version", self.versions[number]
        direction = "output" if what == "write /1" else "input"
        number = f"/{self.project}" if kind == "folder" else number
        entity = {"type": kind, "id": number, "origin": ""}
        key = f"{self.project} {run}"
        at = int(datetime.fromisoformat(self.now()).timestamp()) * 10**9
        self.filled.send({**self.filled.record("edge", key, direction=direction, entity=entity), "at": at})
        task = self.filled.call("autoflow.runs.ensure", run=key)["task"]
        known = (task, direction, f"{kind}:{number}")
        if known not in {edge[1:4] for edge in self.edges}:
            self.edges.append((self.time, *known, images))


_NAMES = itertools.count()


def downstream(edges, seeds):
    """Return the runs and entities reached from some edges: a plain fixed point over all pairs of edges."""
    runs = {edge[1] for edge in seeds}
    while True:
        written = [edge for edge in edges if edge[1] in runs and edge[2] == "output"]
        reached = {
            read[1]
            for read in edges
            for write in written
            if read[2] == "input" and read[3] == write[3] and read[0] >= write[0]
        }
        if reached <= runs:
            return {f"task:{run}" for run in runs} | {edge[3] for edge in written}
        runs |= reached


@on_sqlite
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    reads=st.lists(
        st.tuples(st.integers(0, 9), st.integers(1, 4), st.booleans(), st.integers(1, 4)), max_size=14, unique=True
    )
)
def test_an_impact_is_the_inverse_of_all_traces(filled, reads):
    """Of runs that read and write folders at random times, several at the same time."""
    with filled.server._context.store.write() as conn:
        conn.execute(delete(schema.edges))
    edges = []
    for at, run, is_read, folder in reads:
        direction = "input" if is_read else "output"
        entity = {"type": "folder", "id": f"/{folder}", "origin": ""}
        result = filled.send(
            {**filled.record("edge", f"r{run}", direction=direction, entity=entity), "at": 10**18 + at * 10**9}
        )
        task = filled.call("autoflow.runs.ensure", run=f"r{run}")["task"]
        known = (task, direction, f"folder:/{folder}")
        if result["results"][0]["status"] == "applied" and known not in {edge[1:] for edge in edges}:
            edges.append((at, *known))
    entities = {edge[3] for edge in edges}
    reached: dict[str, set[str]] = {}
    for entity in sorted(entities):
        path = entity.removeprefix("folder:")
        impact = Impact.from_json(filled.call("autoflow.impact", ref=path))
        impacted = {card.key for card in impact.graph.cards}
        readers = [edge for edge in edges if edge[2] == "input" and edge[3] == entity]
        assert impacted == {entity} | downstream(edges, readers)
        reached[entity] = impacted
        for other in sorted(entities - {entity}):
            trace = Trace.from_json(filled.call("autoflow.trace", ref=other.removeprefix("folder:"), every=True))
            assert (entity in {card.key for card in trace.graph.cards}) == (other in impacted)
    with filled.server._context.store.read() as conn:
        for target in entities:  # one search after the other remembers what led to nothing
            search = Reachability(conn, {target})
            for entity in sorted(entities):
                key = search.first_target(EntityRef("", "folder", entity.removeprefix("folder:")))
                assert key == (target if target in reached[entity] else None)


@on_sqlite
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS)
def test_the_impact_of_an_image_is_exact(filled, monkeypatch, events):
    """The runs that read a version that has it, or the project while it had it, and all that followed."""
    history = History(filled)
    monkeypatch.setattr(timestamps, "now", history.now)
    for event in events:
        history.time += 1
        getattr(history, event[0])(*event[1:])
    for image, sha256 in enumerate(history.sha256):
        readers = [edge for edge in history.edges if image in edge[4]]
        expected = downstream(history.edges, readers) | {edge[3] for edge in readers}
        try:
            answer = filled.call("autoflow.impact", ref=sha256)
        except ServerRefused:
            assert not readers
            continue
        assert {card["key"] for card in answer["graph"]["cards"]} == expected
