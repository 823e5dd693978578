"""``autoflow.impact``: everything that was made from an entity or an image, as `Impact.to_json`."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from autoflow.graph.graph import Graph
from autoflow.graph.impact import Impact
from autoflow.model.entity import EntityRef
from autoflow.model.graph_json import ImageHolding, ImpactData, ImpactJson, ImpactRun
from autoflow.model.reference import Reference, parse_image
from autoflow.server.db import jobs, tasks
from autoflow.server.db.access import visible
from autoflow.server.db.json_rows import among
from autoflow.server.db.schema import datasets, edges, files
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.errors import NotFound
from autoflow.server.lineage import details, image_spans
from autoflow.server.lineage.cards import draw_cards
from autoflow.server.lineage.downstream import Contents, DownstreamTraversal, ReadSpan, Step
from autoflow.server.methods.lineage.references import parse_reference, resolve
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.paging import chunks
from autoflow.wire.contract import lineage as contract

CAP = 1000  # cards of one impact
MAX_IMAGES = 100  # datasets with an image that are listed


class _Entry(NamedTuple):
    """The start of an impact.

    Args:
        ref: the reference that is shown.
        steps: the entities to follow.
        images: datasets that have the image.
        entities: the entities that are shown in any case.
        contained: the keys of containers and of what they contain, among the steps.
    """

    ref: str
    steps: Sequence[Step]
    images: list[ImageHolding]
    entities: Sequence[EntityRef]
    contained: Sequence[tuple[str, str]] = ()


@implements(contract.IMPACT)
def impact(conn: Connection, request: contract.ImpactRequest) -> ImpactJson:
    """Return everything downstream of ``ref``: at most `CAP` cards, the nearest ones."""
    traversal = DownstreamTraversal(conn, CAP)
    image = parse_image(request.ref)
    if image is not None:
        entry = _image_entry(conn, image)
    else:
        entry = _entity_entry(conn, resolve(conn, parse_reference(request.ref), request.team_id), traversal)
    traversal.follow(entry.steps, entry.contained)
    rows = traversal.rows([ref.key for ref in entry.entities])
    cards, arrows = draw_cards(conn, rows)
    shown_entry = entry.entities[0].key if len(entry.entities) == 1 else None
    graph = Graph(cards, arrows, shown_entry, f"Made from {entry.ref}")
    contained = {key for _, key in entry.contained}
    roots = [ref.key for ref, _ in entry.steps if ref.key in rows.cards and ref.key not in contained]
    return Impact(
        entry.ref,
        graph,
        list(dict.fromkeys(roots)),
        entry.images,
        _describe_runs(conn, rows.tasks),
        _describe_data(conn, [ref for ref in rows.cards.values() if ref.type != "task"], traversal.authors),
        not traversal.truncated,
        len(traversal.omitted),
    ).to_json()


def _image_entry(conn: Connection, image: Reference) -> _Entry:
    """Return the entry of an image's content, and of the files with the same."""
    file_refs: list[EntityRef] = []
    if image.sha256:
        content_hash = base64.b64encode(bytes.fromhex(image.sha256)).decode()
        rows = image_spans.rows_of_content(conn, content_hash)
        query = select(files.c.id).where(files.c.hash == content_hash, visible(conn, files)).order_by(files.c.id)
        file_refs = [EntityRef("", "file", number) for number in conn.execute(query.limit(CAP)).scalars()]
    elif image.name:
        rows = image_spans.rows_of_name(conn, image.id, image.name)
    else:
        rows = image_spans.rows_of_image(conn, image.id)
    if not rows and not file_refs:
        raise NotFound("image", str(image))
    holders = image_spans.Holders(conn, rows)
    steps = [*((ref, ReadSpan()) for ref in file_refs), *holders.steps()]
    return _Entry(str(image), steps, holders.images(MAX_IMAGES), file_refs)


def _entity_entry(conn: Connection, ref: EntityRef, traversal: DownstreamTraversal) -> _Entry:
    """Return the entry of an entity, with what it contains and, of a dataset, what contains it."""
    steps: list[Step] = [(ref, ReadSpan())]
    if ref.type == "project":
        query = select(datasets.c.id).where(datasets.c.project_id == ref.id, visible(conn, datasets))
        numbers = conn.execute(query.order_by(datasets.c.id).limit(CAP)).scalars()
        steps += [(EntityRef("", "dataset", number), ReadSpan(contents=Contents.NONE)) for number in numbers]
    elif ref.type == "dataset":
        holders = image_spans.Holders(conn, image_spans.rows_of_dataset(conn, int(ref.id)))
        steps = [(ref, ReadSpan(contents=Contents.NONE)), *holders.steps()]
    elif ref.type == "folder":
        steps += [(file, ReadSpan()) for file, _ in traversal.files_in(str(ref.id).rstrip("/"))]
    contained = [(ref.key, part.key) for part, _ in steps if part.key != ref.key]
    return _Entry(ref.reference, steps, [], [ref], contained)


def _describe_runs(conn: Connection, task_ids: Mapping[str, int]) -> dict[str, ImpactRun]:
    """Describe the runs of tasks, by the keys of their cards; without their facts, which are long."""
    keys = {task_id: key for key, task_id in task_ids.items()}
    logins = jobs.logins(conn)
    runs: dict[str, ImpactRun] = {}
    columns = ("id", "origin", "number", "name", "state", "error", "started_at", "finished_at", "created_by")
    for chunk in chunks(list(keys)):
        query = tasks.listing(conn).where(among(conn, task_table.c.id, chunk))
        query = query.with_only_columns(*(task_table.c[name] for name in columns), maintain_column_froms=True)
        for row in conn.execute(query).mappings():
            runs[keys[row["id"]]] = {
                "ref": EntityRef(row["origin"], "task", row["number"]).reference,
                "task": row["id"],
                "name": row["name"],
                "state": row["state"],
                "error": row["error"],
                "startedAt": row["started_at"],
                "finishedAt": row["finished_at"],
                "createdBy": logins.get(row["created_by"]),
            }
    return runs


def _describe_data(
    conn: Connection, refs: Sequence[EntityRef], authors: Mapping[str, int | None]
) -> dict[str, ImpactData]:
    """Describe data, with who wrote it and when it was last read."""
    logins = jobs.logins(conn)
    last_reads: dict[str, str] = {}
    for chunk in chunks([ref.key for ref in refs]):
        query = select(edges.c.entity_key, func.max(edges.c.at)).where(among(conn, edges.c.entity_key, chunk))
        query = query.where(edges.c.direction == "input", visible(conn, edges)).group_by(edges.c.entity_key)
        last_reads.update(conn.execute(query).all())
    descriptions: dict[str, Any] = dict(details.describe_data(conn, refs))
    for key, description in descriptions.items():
        author = authors.get(key)
        description["createdBy"] = logins.get(author) if author is not None else None
        description["lastUsedAt"] = last_reads.get(key)
    return descriptions


READS: Mapping[str, Operation] = by_name(impact)
WRITES: Mapping[str, Operation] = {}
