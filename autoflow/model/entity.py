"""An entity by the server that numbered it, its type and its id."""

from __future__ import annotations

from typing import NamedTuple

from autoflow.model.entity_types import ENTITY_TYPES, WireType


class EntityRef(NamedTuple):
    """An entity by the server that issued its id, its type and that id.

    `origin` is empty for the server's own entities, else the other server's origin (scheme://host[:port]).
    `id` is a number, except for types known by a path, such as folders.
    """

    origin: str
    type: WireType
    id: int | str

    @property
    def key(self) -> str:
        """The key of the card that shows this entity: ``type:id``, with ``@origin`` for another server's.

        A file is one card however it is used: a model weight and the plain file of the same number share a key.
        """
        card_type = ENTITY_TYPES[self.type].card_type
        return f"{card_type}:{self.id}@{self.origin}" if self.origin else f"{card_type}:{self.id}"

    @property
    def reference(self) -> str:
        """The reference that a person types: ``version:12``, ``file:9@https://host``, a folder's path."""
        entity_type = ENTITY_TYPES[self.type]
        own = str(self.id) if entity_type.by_path else f"{entity_type.reference}:{self.id}"
        return f"{own}@{self.origin}" if self.origin else own

    @property
    def default_name(self) -> str:
        """The name of an entity of which only the id is known: ``project 7``; a folder's is its path."""
        unnamed = ENTITY_TYPES[self.type].unnamed
        return f"{unnamed} {self.id}" if unnamed else str(self.id)
