"""Cards and arrows for the rows of a traversal: fields from the store, overridden by the last edge's settings."""

from __future__ import annotations

from operator import attrgetter

from sqlalchemy import Connection

from autoflow.graph.graph import Arrow, Card, CardOptions
from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.server.db import json_codec
from autoflow.server.lineage.card_fields import describe_cards
from autoflow.server.lineage.card_style import parse_style
from autoflow.server.lineage.model_cards import describe_models
from autoflow.server.lineage.walk import LineageEdge, LineageRows
from autoflow.wire import cards as wire


def _styles(rows: LineageRows) -> dict[str, CardOptions]:
    """Return the style of each data card by key, from the last edge with settings for it."""
    styles: dict[str, CardOptions] = {}
    for edge in sorted(rows.edges, key=attrgetter("updated_ns")):
        if not ENTITY_TYPES[edge.type].customizable or not edge.meta:
            continue
        style = parse_style(json_codec.load(edge.meta).get(wire.RELATION))
        if style:
            styles[edge.entity_key] = style
    return styles


def _card(ref: EntityRef, fields: CardOptions, style: CardOptions, at: str | None, more: int) -> Card:
    name = fields.get("name") or ref.default_name
    row = ENTITY_TYPES[ref.type]
    title = f"{row.label.capitalize()} {ref.id}" if row.by_path else name
    members: CardOptions = {"title": title, "at": at, **fields, **style, "name": name}
    return Card(key=ref.key, type=ref.type, id=ref.id, origin=ref.origin, more=more, **members)


def _arrow(edge: LineageEdge) -> Arrow:
    if edge.direction == "input":
        return Arrow(edge.entity_key, edge.task_key, "input")
    return Arrow(edge.task_key, edge.entity_key, "output")


def draw_cards(
    conn: Connection, rows: LineageRows, *, with_summaries: bool = True
) -> tuple[tuple[Card, ...], tuple[Arrow, ...]]:
    """Return a graph's cards, in order of discovery, and its arrows, in the order recorded, those of versions last."""
    task_keys = {task_id: key for key, task_id in rows.tasks.items()}
    fields = describe_cards(conn, rows.cards.values(), task_keys, with_summaries=with_summaries)
    drawn, fields = describe_models(conn, rows.cards, fields)
    styles = _styles(rows)
    first_used: dict[str, str] = {}
    for edge in rows.edges:
        first_used[edge.entity_key] = min(edge.at, first_used.get(edge.entity_key, edge.at))
    cards = tuple(
        _card(ref, fields.get(key, {}), styles.get(key, {}), first_used.get(key), rows.more.get(key, 0))
        for key, ref in drawn.items()
    )
    arrows = [_arrow(edge) for edge in rows.edges]
    arrows += [Arrow(source, target, "version") for source, target in rows.containments]
    return cards, tuple(dict.fromkeys(arrows))
