"""Cards and arrows of a graph that was found: what the store knows, and over it what the last edge asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from autoflow.graph.graph import Arrow, Card
from autoflow.model.entity import EntityRef
from autoflow.server.db import json_codec
from autoflow.server.lineage.card_style import look
from autoflow.server.lineage.card_fields import plain_name, tell
from autoflow.server.lineage.walk import Found
from autoflow.wire import cards as wire

# The guide: customising these is ignored.
_FIXED = {"project", "project_version", "dataset"}


def _customised(found: Found) -> dict[str, dict[str, Any]]:
    """What the last edge with settings for its data card makes of that card, by key."""
    looks: dict[str, dict[str, Any]] = {}
    for row in sorted(found.edges, key=lambda row: row["touched"]):
        if row["type"] in _FIXED or not row["meta"]:
            continue
        changed = look(json_codec.load(row["meta"]).get(wire.RELATION))
        if changed:
            looks[row["card"]] = changed
    return looks


def _card(ref: EntityRef, told: Mapping[str, Any], changed: Mapping[str, Any], at: str | None, more: int) -> Card:
    name = told.get("name") or plain_name(ref)
    title = f"Folder {ref.id}" if ref.type == "folder" else name
    members = {"title": title, "at": at, **told, **changed, "name": name}
    return Card(key=ref.key, type=ref.type, id=ref.id, origin=ref.origin, more=more, **members)


def _arrow(row: Mapping[str, Any]) -> Arrow:
    if row["direction"] == "input":
        return Arrow(row["card"], row["task_card"], "input")
    return Arrow(row["task_card"], row["card"], "output")


def draw_cards(conn: Connection, found: Found) -> tuple[tuple[Card, ...], tuple[Arrow, ...]]:
    """Draw a graph's cards, in the order found, and its arrows, in the order recorded, versions' last."""
    told = tell(conn, found.cards.values(), {number: key for key, number in found.tasks.items()})
    changed = _customised(found)
    first: dict[str, str] = {}
    for row in found.edges:
        first[row["card"]] = min(row["at"], first.get(row["card"], row["at"]))
    cards = tuple(
        _card(ref, told.get(key, {}), changed.get(key, {}), first.get(key), found.more.get(key, 0))
        for key, ref in found.cards.items()
    )
    arrows = [_arrow(row) for row in found.edges]
    arrows += [Arrow(project, version, "version") for project, version in found.versions]
    return cards, tuple(dict.fromkeys(arrows))
