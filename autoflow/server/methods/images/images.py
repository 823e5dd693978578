"""Images: ``images.*``. Bytes are uploaded once, by their hash; images then name them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select

from autoflow.model.json_object import JsonObject
from autoflow.server.blobs import Content, composite_content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import access, attachments, blobs, datasets, items, json_codec, projects
from autoflow.server.db.change_tracking import ProjectEdit, edit_project
from autoflow.server.db.schema import items as table
from autoflow.server.errors import Conflict, Invalid, NotFound
from autoflow.server.methods.images import filters
from autoflow.server.operations import Batch, Download, Operation, OperationContext, Upload, UploadQuery
from autoflow.server.paging import ListPage, apply_filter, page, page_of_values
from autoflow.server.project_types import registry
from autoflow.server.project_types.images import IMAGES
from autoflow.server.project_types.item_meta import FileRange, ItemMeta
from autoflow.server.project_types.volumes import VOLUMES
from autoflow.server.request_parser import RequestParser, as_text
from autoflow.server.uploads import external_files
from autoflow.server.uploads.item_upload import receive_items
from autoflow.wire.contract.method import Success
from autoflow.wire.parts import Part

_COLUMNS = {
    "id": table.c.id,
    "name": table.c.name,
    "hash": table.c.hash,
    "link": table.c.link,
    "datasetId": table.c.dataset_id,
    "description": table.c.description,
    "labelsCount": table.c.labels,
    "size": table.c.size,
    "mime": table.c.mime,
    "createdAt": table.c.created_at,
    "updatedAt": table.c.updated_at,
}


def _shape(conn: Connection, row: RowMapping) -> JsonObject:
    mime, meta = row["mime"], ItemMeta.of(row)
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
        "fullStorageUrl": access.absolute_url(conn, content) if content is not None else row["link"],
        "labelsCount": row["labels"],
        "datasetId": row["dataset_id"],
        "projectId": row["project_id"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "meta": meta.sent,
        **(meta.source.to_wire() if meta.source is not None else {}),
        "tags": [{**tag, "entityId": row["id"]} for tag in json_codec.load(row["tags"])],
        "description": row["description"],
        "createdBy": row["created_by"],
    }


def shaped(conn: Connection, image_rows: Sequence[RowMapping]) -> list[JsonObject]:
    """Return images in the wire's shape."""
    return [_shape(conn, row) for row in image_rows]


def _scope(conn: Connection, request: RequestParser) -> tuple[RowMapping, Select[Any]]:
    """Return the project of a request, and its images: of a dataset (``recursive``: and of those in it), or all."""
    if not request.has("datasetId"):
        project = projects.get(conn, request.number("projectId"))
        registry.check_images_project(project)
        return project, items.listing(conn).where(table.c.project_id == project["id"])
    dataset = datasets.get(conn, request.number("datasetId"))
    recursive = request.flag("recursive", default=False)
    numbers = datasets.descendants(conn, dataset) if recursive else [dataset["id"]]
    project = projects.get(conn, dataset["project_id"])
    registry.check_images_project(project)
    return project, items.listing(conn).where(table.c.dataset_id.in_(numbers))


def find_images(conn: Connection, numbers: Sequence[int]) -> dict[int, RowMapping]:
    """Return images by id.

    Raises:
        NotFound: naming the first that is unknown.
        Invalid: one is an item of a project of another type.
    """
    image_rows = items.find(conn, numbers)
    registry.check_images(conn, image_rows.values())
    return image_rows


def reference(conn: Connection, image_id: int | None) -> str | None:
    """Return the address of the thumbnail of a project or dataset: one of its images, if it has any."""
    return access.absolute_url(conn, "/assets/icon.svg" if image_id is None else f"/storage/previews/{image_id}")


def list_images(conn: Connection, request: RequestParser) -> ListPage:
    """``images.list`` of a dataset or a project: by columns (``filter``), and by labels and tags (``filters``)."""
    project, query = _scope(conn, request)
    conditions = filters.conditions(conn, request)
    query = filters.narrow(query, conditions)
    if not filters.needs_scan(conditions, request):
        return page(conn, query, _COLUMNS, request, lambda image_rows: shaped(conn, image_rows))
    query = apply_filter(query, _COLUMNS, request.objects("filter", required=False))
    numbers = filters.scan(conn, project, query, _COLUMNS, request, conditions)

    def shape(part: Sequence[int]) -> list[JsonObject]:
        image_rows = items.find(conn, list(part))
        return [_shape(conn, image_rows[number]) for number in part]

    return page_of_values(numbers, request, shape, int)


def image(conn: Connection, request: RequestParser) -> JsonObject:
    """``images.info`` by id."""
    number = request.number("id")
    return _shape(conn, find_images(conn, [number])[number])


def known_hashes(context: OperationContext, request: RequestParser) -> list[str]:
    """``images.internal.hashes.list``: the hashes whose bytes need not be uploaded; the request is a list.

    Their blobs get a lease, so that the client has time to name them.
    """
    hashes = [text for value in request.array("items") if (text := as_text(value)) is not None]
    with context.store.write(scope=(), count_change=False) as conn:
        stored = blobs.acquire_with_lease(conn, hashes)
    return [value for value in hashes if value in stored]


_BYTES = ("hash", "size", "mime", "width", "height")


def _content(conn: Connection, entries: list[RequestParser]) -> list[JsonObject]:
    """Return the content columns of new images: of the blobs or images that they name, or their links."""
    blob_rows = blobs.acquire(conn, [entry.text("hash") for entry in entries if entry.has("hash")])
    sources = find_images(conn, [entry.number("imageId") for entry in entries if _is_copy(entry)])
    contents: list[dict[str, Any]] = []
    for entry in entries:
        if _is_copy(entry):
            source = sources[entry.number("imageId")]
            contents.append({name: source[name] for name in (*_BYTES, "link")})
        elif entry.has("hash"):
            content = entry.text("hash")
            if content not in blob_rows:
                raise Invalid(f'"{entry.path}hash": {content} has not been uploaded')
            contents.append({name: blob_rows[content][name] for name in _BYTES})
        else:
            contents.append({"link": entry.long_text("link")})
    return contents


def _source(entry: RequestParser) -> FileRange | None:
    return FileRange.sent(entry) if entry.has("sourceBlob") else None


def _is_copy(request: RequestParser) -> bool:
    return request.has("imageId") and not request.has("hash")


def add(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``images.bulk.add``: images by hash, link or another image's number, answered in the order sent; all of them
    or none.

    Raises:
        ServerRefused: 400 with ``type`` NONUNIQUE and the names that are taken, as the SDK's conflict handling expects.
    """
    dataset = datasets.get(conn, request.number("datasetId"))
    with edit_project(conn, dataset["project_id"]) as edit:
        registry.check_images_project(edit.project)
        entries = list(request.objects("images"))
        names = [entry.text("title" if entry.has("title") else "name") for entry in entries]
        taken = items.ids_by_name(conn, dataset["id"], names)
        errors = [{"name": name, "id": taken[name]} for name in names if name in taken]
        if errors or len(set(names)) < len(names):
            details = {"type": "NONUNIQUE", "errors": errors}
            raise Invalid(
                f"dataset {dataset['id']} has images of these names already, or they are given twice", details
            )
        new = [
            {
                "name": name,
                "meta": ItemMeta(entry.mapping("meta"), {}, {}, _source(entry)).to_text(),
                "description": entry.text("description", ""),
                **content,
            }
            for entry, name, content in zip(entries, names, _content(conn, entries), strict=True)
        ]
        numbers = items.add_many(edit, dataset["id"], new)
    image_rows = items.find(conn, numbers)
    return [_shape(conn, image_rows[number]) for number in numbers]


def edit_image(conn: Connection, request: RequestParser) -> JsonObject:
    """``images.editInfo``: name, description, meta; of an item of any type, as the SDK renames videos by it.

    Raises:
        Conflict: the dataset has an image of that name.
    """
    number = request.number("id")
    row = items.find(conn, [number])[number]
    values: dict[str, Any] = {}
    if request.has("name"):
        values["name"] = request.text("name")
        if items.ids_by_name(conn, row["dataset_id"], [values["name"]]).get(values["name"], number) != number:
            raise Conflict(f"dataset {row['dataset_id']} has an image named {values['name']!r} already")
    if request.has("description"):
        values["description"] = request.text("description", "")
    if request.has("meta"):
        values["meta"] = ItemMeta.of(row)._replace(sent=request.mapping("meta")).to_text()
    attachments.check_name(values.get("name", ""))
    with edit_project(conn, row["project_id"]) as edit:
        if "name" in values:
            items.change_many(edit, ((image, {"name": name}) for image, name in _renamed(edit, row, values["name"])))
        items.change(edit, row, **values)
    return _shape(conn, items.find(conn, [number])[number])


def _renamed(edit: ProjectEdit, row: RowMapping, name: str) -> list[tuple[RowMapping, str]]:
    """Return the images that belong to an item, with the names that they have once it has another."""
    before = len(attachments.images_of(row["name"]))
    return [(image, attachments.image_name(name, image["name"][before:])) for image in _attached(edit, [row])]


def _by_project(image_rows: Mapping[int, RowMapping]) -> Iterator[tuple[int, list[RowMapping]]]:
    """Yield images by project, in the order of project ids: each project's row is locked."""
    for project_id in sorted({row["project_id"] for row in image_rows.values()}):
        yield project_id, [row for row in image_rows.values() if row["project_id"] == project_id]


def set_links(conn: Connection, request: RequestParser) -> Success:
    """``images.update.links``: replace the bytes or the link of images by a link."""
    links = {entry.number("id"): entry.long_text("link") for entry in request.objects("images")}
    for project_id, image_rows in _by_project(find_images(conn, list(links))):
        with edit_project(conn, project_id) as edit:
            items.change_many(edit, ((row, {"link": links[row["id"]], "hash": None}) for row in image_rows))
    return {"success": True}


def set_order(conn: Connection, request: RequestParser) -> Success:
    """``images.bulk.set-custom-sort``: set the member of their meta by which a list can be sorted."""
    texts = {entry.number("id"): entry.text(filters.BY_META, "") for entry in request.objects("images")}
    for project_id, image_rows in _by_project(find_images(conn, list(texts))):
        with edit_project(conn, project_id) as edit:
            items.change_many(edit, ((row, {"meta": _sorted_by(row, texts[row["id"]])}) for row in image_rows))
    return {"success": True}


def _sorted_by(row: RowMapping, text: str) -> str:
    meta = ItemMeta.of(row)
    return meta._replace(sent={**meta.sent, filters.BY_META: text}).to_text()


def remove(conn: Connection, request: RequestParser) -> Success:
    """``images.bulk.remove`` by ids, which may be of several projects, of items of any type."""
    for project_id, image_rows in _by_project(items.find(conn, request.unique_numbers("imageIds"))):
        with edit_project(conn, project_id) as edit:
            edit.delete_many(table, [*image_rows, *_attached(edit, image_rows)])
    return {"success": True}


def _attached(edit: ProjectEdit, item_rows: Sequence[RowMapping]) -> list[RowMapping]:
    """Return the images that belong to items which are no images."""
    if registry.find(edit.project["type"]) is IMAGES:
        return []
    return [row for rows in attachments.images(edit.conn, item_rows).values() for row in rows]


def upload(context: OperationContext, parts: Iterable[Part], _query: UploadQuery) -> list[JsonObject]:
    """``images.bulk.upload``: a hash for each file part, in order, or ``errors`` if it is not an image.

    The SDK uploads volumes and their slices by it, too.
    """
    return receive_items(context, parts, IMAGES, VOLUMES)


def download(context: OperationContext, request: RequestParser) -> Content:
    """``images.download`` by id."""
    number = request.number("id")
    with context.store.read() as conn:
        row = items.find(conn, [number])[number]
        if row["hash"] is None:
            raise Invalid(f"image {number} is a link; its bytes are at {row['link']}")
        blob_rows = blobs.find(conn, [row["hash"]])
    if row["hash"] not in blob_rows and not external_files.is_external(row):
        raise NotFound("content of image", number)
    return _bytes_of(context, row, blob_rows, row["name"])


def _bytes_of(context: OperationContext, row: RowMapping, blob_rows: Mapping[str, RowMapping], name: str) -> Content:
    """Return an image's bytes: of its blob, else of its external file."""
    return (
        _content_of(context, blob_rows[row["hash"]], name) if row["hash"] in blob_rows else external_files.content(row)
    )


def _content_of(context: OperationContext, blob_row: RowMapping, name: str) -> Content:
    return Content(context.blobs, blob_row["hash"], blob_row["generation"], blob_row["size"], name, blob_row["mime"])


def download_many(context: OperationContext, request: RequestParser) -> CompositeContent:
    """``images.bulk.download`` by ids: a multipart form whose parts are named by the ids, in order."""
    numbers = request.numbers("imageIds")
    with context.store.read() as conn:
        image_rows = find_images(conn, numbers)
        blob_rows = blobs.find(conn, [row["hash"] for row in image_rows.values() if row["hash"] is not None])
    for number in numbers:
        if image_rows[number]["hash"] not in blob_rows and not external_files.is_external(image_rows[number]):
            raise Invalid(f"the bytes of image {number} are not here, but at {image_rows[number]['link']}")
    contents = ((str(number), _bytes_of(context, image_rows[number], blob_rows, str(number))) for number in numbers)
    return composite_content.multipart_content(contents, "images")


def download_hashes(context: OperationContext, request: RequestParser) -> CompositeContent:
    """``images.bulk.download-by-hash``: a multipart form whose parts are the stored contents, named by hash."""
    hashes = list(dict.fromkeys(text for value in request.array("hashes") if (text := as_text(value)) is not None))
    with context.store.read() as conn:
        blob_rows = blobs.find(conn, hashes)
    contents = ((name, _content_of(context, blob_rows[name], name)) for name in hashes if name in blob_rows)
    return composite_content.multipart_content(contents, "images")


READS: Mapping[str, Operation] = {
    "images.list": list_images,
    "images.info": image,
}
WRITES: Mapping[str, Operation] = {
    "images.editInfo": edit_image,
    "images.update.links": set_links,
    "images.bulk.set-custom-sort": set_order,
    "images.bulk.remove": remove,
}
BATCHES: Mapping[str, Batch] = {"images.internal.hashes.list": known_hashes}
UPLOADS: Mapping[str, Upload] = {"images.bulk.upload": upload}
DOWNLOADS: Mapping[str, Download] = {
    "images.download": download,
    "images.bulk.download": download_many,
    "images.bulk.download-by-hash": download_hashes,
}
