"""``projects.stats``: numbers of images and objects of each class and with each tag, by dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from autoflow.model.json_object import JsonObject
from autoflow.server.db import attachments, items, json_codec, projects
from autoflow.server.db.schema import datasets
from autoflow.server.db.schema import items as table
from autoflow.server.operations import Operation
from autoflow.server.paging import chunks
from autoflow.server.request_parser import RequestParser

Counts = Counter[tuple[int, int]]  # by class or tag, and dataset


class _Tally:
    """Counters over the images of a project."""

    def __init__(self) -> None:
        self.images: Counter[int] = Counter()
        self.marked: Counter[int] = Counter()
        self.drawn: Counter[int] = Counter()
        self.images_of_class: Counts = Counter()
        self.objects_of_class: Counts = Counter()
        self.images_with_tag: Counts = Counter()
        self.objects_with_tag: Counts = Counter()

    def add(self, dataset: int, tags: Sequence[Mapping[str, Any]], objects: Sequence[Mapping[str, Any]]) -> None:
        """Count an image, its tags and its objects."""
        self.images[dataset] += 1
        self.marked[dataset] += bool(objects or tags)
        self.drawn[dataset] += len(objects)
        self.images_of_class.update((number, dataset) for number in {stored["classId"] for stored in objects})
        self.objects_of_class.update((stored["classId"], dataset) for stored in objects)
        self.images_with_tag.update((number, dataset) for number in {tag["tagId"] for tag in tags})
        for stored in objects:
            self.objects_with_tag.update((number, dataset) for number in {tag["tagId"] for tag in stored["tags"]})


def _counted(conn: Connection, project_id: int) -> _Tally:
    tally = _Tally()
    query = select(table.c.dataset_id, table.c.tags, table.c.annotation).where(
        table.c.project_id == project_id, attachments.is_item()
    )
    for part in chunks(conn.execute(query).all()):
        texts = items.read_documents(conn, [row.annotation for row in part if row.annotation])
        for row in part:
            tally.add(row.dataset_id, json_codec.load(row.tags), texts.get(row.annotation, {}).get("objects", ()))
    return tally


def stats(conn: Connection, request: RequestParser) -> JsonObject:
    """``projects.stats`` by the project's ``id``: counted at each request."""
    project = projects.get(conn, request.number("id"))
    document, tally = projects.meta(conn, project["id"]), _counted(conn, project["id"])
    query = select(datasets.c.id, datasets.c.name).where(datasets.c.project_id == project["id"])
    dataset_names = [(row.id, row.name) for row in conn.execute(query.order_by(datasets.c.id))]

    def items_of(name: str, entries: Iterable[Mapping[str, Any]], counts: Counts) -> list[JsonObject]:
        return [_item(name, entry, counts, dataset_names) for entry in entries]

    def by_dataset(**counts: Counter[int]) -> list[JsonObject]:
        return [{"id": number, "name": name, **_of(counts, number)} for number, name in dataset_names]

    images = {
        "imagesInDataset": tally.images,
        "imagesMarked": tally.marked,
        "imagesNotMarked": tally.images - tally.marked,
    }
    return {
        "id": project["id"],
        "name": project["name"],
        "createdAt": project["created_at"],
        "updatedAt": project["updated_at"],
        "datasets": {
            "total": {"datasetsCount": len(dataset_names), "imagesCount": sum(tally.images.values())},
            "items": by_dataset(imagesCount=tally.images),
        },
        "images": {
            "total": {name: sum(counts.values()) for name, counts in images.items()},
            "datasets": by_dataset(**images),
            "objectClasses": items_of("objectClass", document["classes"], tally.images_of_class),
        },
        "objects": {
            "total": {"objectsInDataset": sum(tally.drawn.values())},
            "datasets": by_dataset(objectsInDataset=tally.drawn),
            "items": items_of("objectClass", document["classes"], tally.objects_of_class),
        },
        "imageTags": {"items": items_of("tagMeta", document["tags"], tally.images_with_tag)},
        "objectTags": {"items": items_of("tagMeta", document["tags"], tally.objects_with_tag)},
    }


def _of(counts: Mapping[str, Counter[int]], dataset: int) -> dict[str, int]:
    return {name: counted[dataset] for name, counted in counts.items()}


def _item(name: str, entry: Mapping[str, Any], counts: Counts, dataset_names: Sequence[tuple[int, str]]) -> JsonObject:
    """Return the counts of a class or tag, in total and by dataset."""
    number = entry["id"]
    named = {"id": number, "name": entry.get("title", entry.get("name")), "color": entry.get("color")}
    each = [
        {"id": dataset_id, "name": title, "count": counts[number, dataset_id]} for dataset_id, title in dataset_names
    ]
    return {name: named, "total": sum(entry_count["count"] for entry_count in each), "datasets": each}


READS: Mapping[str, Operation] = {"projects.stats": stats}
WRITES: Mapping[str, Operation] = {}
