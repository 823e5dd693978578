"""Cards of files that are versions of a model."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from autoflow.graph.graph import CardOptions
from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.server.db import models


def is_file(ref: EntityRef) -> bool:
    """Return whether an entity is a file, which a model's version may be."""
    return ENTITY_TYPES[ref.type].card_type == "file"


def describe_models(
    conn: Connection, cards: Mapping[str, EntityRef], fields: Mapping[str, CardOptions]
) -> tuple[dict[str, EntityRef], dict[str, CardOptions]]:
    """Return cards and their fields where the files that are models' versions are drawn as models.

    Args:
        conn: the transaction.
        cards: entities by the keys of their cards.
        fields: members of the cards.
    """
    named = models.named_versions(conn, [key for key, ref in cards.items() if is_file(ref)])
    drawn, described = dict(cards), dict(fields)
    for key, entries in named.items():
        last = entries[-1]
        drawn[key] = drawn[key]._replace(type="model")
        known = described.get(key, {})
        names = models.names_of(entries)
        path = known.get("description")
        described[key] = {
            **known,
            "title": f"{last.name} V{last.number}" + (f" ({', '.join(last.aliases)})" if last.aliases else ""),
            "badge": f"V{last.number}",
            "description": f"{names}: {path}" if path else names,
        }
    return drawn, described
