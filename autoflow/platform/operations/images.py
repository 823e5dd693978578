"""Images: ``images.*``: bytes are uploaded once by their hash, then images are made that name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.platform import composed, documents, pictures
from autoflow.platform.blobs import Content
from autoflow.platform.body import Body, as_text
from autoflow.platform.composed import Composed
from autoflow.platform.intake import taking_in
from autoflow.platform.operations import Download, Operation, Place, Upload
from autoflow.platform.paging import page
from autoflow.platform.refusals import bad, taken, unknown
from autoflow.platform.store import access, blobs, datasets, items, projects
from autoflow.platform.store.edits import editing
from autoflow.platform.store.schema import items as table
from autoflow.wire.parts import Part

_COLUMNS = {
    "id": table.c.id,
    "name": table.c.name,
    "hash": table.c.hash,
    "link": table.c.link,
    "datasetId": table.c.dataset_id,
    "description": table.c.description,
    "labelsCount": table.c.labels,
    "createdAt": table.c.created_at,
    "updatedAt": table.c.updated_at,
}


def _shape(rows: Connection, row: RowMapping) -> dict[str, Any]:
    mime = row["mime"]
    content = f"/storage/images/{row['id']}" if row["hash"] is not None else None
    return {
        "id": row["id"],
        "name": row["name"],
        "link": row["link"],
        "hash": row["hash"],
        "mime": mime,
        "ext": mime.rpartition("/")[2] if mime else None,
        "size": row["size"],
        "width": row["width"],
        "height": row["height"],
        "pathOriginal": content,
        "fullStorageUrl": access.address(rows, content) if content is not None else row["link"],
        "labelsCount": row["labels"],
        "datasetId": row["dataset_id"],
        "projectId": row["project_id"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "meta": documents.load(row["meta"]),
        "tags": [{**tag, "entityId": row["id"]} for tag in documents.load(row["tags"])],
        "description": row["description"],
        "createdBy": row["created_by"],
    }


def shaped(rows: Connection, found: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Images as the wire shows them."""
    return [_shape(rows, row) for row in found]


def list_images(rows: Connection, body: Body) -> dict[str, Any]:
    """``images.list`` of a dataset (and with ``recursive`` of those in it), or of a project."""
    if body.array("filters", required=False):
        raise bad('"filters" is not known on this platform; use "filter"')
    query = items.listing(rows)
    if body.given("datasetId"):
        dataset = datasets.get(rows, body.number("datasetId"))
        deep = body.flag("recursive", default=False)
        numbers = datasets.within(rows, dataset) if deep else [dataset["id"]]
        query = query.where(table.c.dataset_id.in_(numbers))
    else:
        query = query.where(table.c.project_id == projects.get(rows, body.number("projectId"))["id"])
    return page(rows, query, _COLUMNS, body, lambda found: shaped(rows, found))


def image(rows: Connection, body: Body) -> dict[str, Any]:
    """``images.info`` by id."""
    number = body.number("id")
    return _shape(rows, items.find(rows, [number])[number])


def known_hashes(rows: Connection, body: Body) -> list[str]:
    """``images.internal.hashes.list``: which of these contents need not be uploaded; the body is a list."""
    hashes = [text for value in body.array("items") if (text := as_text(value)) is not None]
    found = blobs.find(rows, hashes)
    return [value for value in hashes if value in found]


def _content(rows: Connection, wanted: list[Body]) -> list[dict[str, Any]]:
    """What the images to be made are of: columns of the blobs they name, or their links."""
    hashes = [body.text("hash") for body in wanted if body.given("hash")]
    kept = blobs.find(rows, hashes)
    found = []
    for body in wanted:
        if not body.given("hash"):
            found.append({"link": body.text("link")})
            continue
        content = body.text("hash")
        if content not in kept:
            raise bad(f'"{body.place}hash": {content} has not been uploaded')
        columns = ("hash", "size", "mime", "width", "height")
        found.append({name: kept[content][name] for name in columns})
    return found


def add(rows: Connection, body: Body) -> list[dict[str, Any]]:
    """``images.bulk.add``: images by hash or link, answered in the order sent; all of them or none.

    Raises:
        ServerRefused: 400 with ``type`` NONUNIQUE and the names that are taken, as the SDK's conflict rules want it.
    """
    dataset = datasets.get(rows, body.number("datasetId"))
    with editing(rows, dataset["project_id"]) as edit:
        wanted = list(body.bodies("images"))
        names = [one.text("title" if one.given("title") else "name") for one in wanted]
        there = items.named(rows, dataset["id"], names)
        errors = [{"name": name, "id": there[name]} for name in names if name in there]
        if errors or len(set(names)) < len(names):
            details = {"type": "NONUNIQUE", "errors": errors}
            raise bad(f"dataset {dataset['id']} has images of these names already, or they are given twice", details)
        numbers = []
        for one, name, content in zip(wanted, names, _content(rows, wanted), strict=True):
            values = {"name": name, "meta": documents.dump(one.mapping("meta"), canonical=True), **content}
            numbers.append(items.add(edit, dataset["id"], {**values, "description": one.text("description", "")}))
    made = items.find(rows, numbers)
    return [_shape(rows, made[number]) for number in numbers]


def edit_image(rows: Connection, body: Body) -> dict[str, Any]:
    """``images.editInfo``: name, description, meta.

    Raises:
        ServerRefused: 409, the dataset has an image of that name.
    """
    number = body.number("id")
    row = items.find(rows, [number])[number]
    values: dict[str, Any] = {}
    if body.given("name"):
        values["name"] = body.text("name")
        if items.named(rows, row["dataset_id"], [values["name"]]).get(values["name"], number) != number:
            raise taken(f"dataset {row['dataset_id']} has an image named {values['name']!r} already")
    if body.given("description"):
        values["description"] = body.text("description", "")
    if body.given("meta"):
        values["meta"] = documents.dump(body.mapping("meta"), canonical=True)
    with editing(rows, row["project_id"]) as edit:
        items.change(edit, row, **values)
    return _shape(rows, items.find(rows, [number])[number])


def remove(rows: Connection, body: Body) -> dict[str, Any]:
    """``images.bulk.remove`` by ids, which may be of several projects."""
    found = items.find(rows, body.numbers("imageIds"))
    for project_id in sorted({row["project_id"] for row in found.values()}):
        with editing(rows, project_id) as edit:
            for row in found.values():
                if row["project_id"] == project_id:
                    edit.delete(table, row)
    return {"success": True}


def upload(place: Place, parts: Iterable[Part], _query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """``images.bulk.upload``: each file part answered in order with its hash, or with ``errors`` if it is no image."""
    answers: list[dict[str, Any]] = []
    with taking_in(place.blobs) as intake:
        taken = []
        for part in parts:
            if isinstance(part.value, str):
                raise bad(f"part {part.field!r} must be a file")
            received = intake.take(part.value)
            picture = pictures.look(place.blobs.path(received.hash, received.generation))
            if picture is None:
                answers.append({"errors": [{"message": f"part {part.field!r} is no image that can be read"}]})
                continue
            answers.append({"hash": received.hash, "size": received.size, **picture._asdict()})
            taken.append((received, picture))
        with place.store.write() as rows:
            for received, picture in taken:
                intake.name(rows, received, **picture._asdict())
    return answers


def download(place: Place, body: Body) -> Content:
    """``images.download`` by id."""
    number = body.number("id")
    with place.store.read() as rows:
        row = items.find(rows, [number])[number]
        if row["hash"] is None:
            raise bad(f"image {number} is a link; its bytes are at {row['link']}")
        kept = blobs.find(rows, [row["hash"]])
    if row["hash"] not in kept:
        raise unknown("content of image", number)
    return _content_of(place, kept[row["hash"]], row["name"])


def _content_of(place: Place, kept: RowMapping, name: str) -> Content:
    return place.blobs.content(kept["hash"], kept["generation"], kept["size"], name, kept["mime"])


def download_many(place: Place, body: Body) -> Composed:
    """``images.bulk.download`` by ids: a form with a part for each, of its number's name, in order."""
    numbers = body.numbers("imageIds")
    with place.store.read() as rows:
        found = items.find(rows, numbers)
        kept = blobs.find(rows, [row["hash"] for row in found.values() if row["hash"] is not None])
    for number in numbers:
        if found[number]["hash"] not in kept:
            raise bad(f"the bytes of image {number} are not here, but at {found[number]['link']}")
    contents = ((str(number), _content_of(place, kept[found[number]["hash"]], str(number))) for number in numbers)
    return composed.form(contents, "images")


def download_hashes(place: Place, body: Body) -> Composed:
    """``images.bulk.download-by-hash``: a form with a part for each content that is here, of its hash's name."""
    hashes = [text for value in body.array("hashes") if (text := as_text(value)) is not None]
    with place.store.read() as rows:
        kept = blobs.find(rows, hashes)
    contents = ((name, _content_of(place, kept[name], name)) for name in hashes if name in kept)
    return composed.form(contents, "images")


READS: Mapping[str, Operation] = {
    "images.list": list_images,
    "images.info": image,
    "images.internal.hashes.list": known_hashes,
}
WRITES: Mapping[str, Operation] = {
    "images.bulk.add": add,
    "images.editInfo": edit_image,
    "images.bulk.remove": remove,
}
UPLOADS: Mapping[str, Upload] = {"images.bulk.upload": upload}
DOWNLOADS: Mapping[str, Download] = {
    "images.download": download,
    "images.bulk.download": download_many,
    "images.bulk.download-by-hash": download_hashes,
}
