"""What a run reads or writes, and the words for it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Direction = Literal["input", "output"]

# What an author names in a decorator; `app` is the run's own session and exists as an output only.
Kind = Literal["project", "dataset", "file", "folder", "task", "job", "app"]
INPUT_KINDS: tuple[Kind, ...] = ("project", "dataset", "file", "folder", "task", "job")
OUTPUT_KINDS: tuple[Kind, ...] = (*INPUT_KINDS, "app")

# What stands in an edge on the wire: a version and a model weight are types of their own there.
WireType = Literal[
    "project", "project_version", "dataset", "file", "model_weight", "folder", "task", "job", "app_session"
]
WIRE_TYPES: tuple[WireType, ...] = (
    "project",
    "project_version",
    "dataset",
    "file",
    "model_weight",
    "folder",
    "task",
    "job",
    "app_session",
)


class EntityRef(NamedTuple):
    """An entity by the server whose numbers these are, its type and its number there.

    `origin` is empty for the server's own entities, else the other server's origin (scheme://host[:port]).
    `id` is a number, but for folders: there it is the path.
    """

    origin: str
    type: WireType
    id: int | str

    @property
    def key(self) -> str:
        """The card this entity is drawn as: ``type:id``, with ``@origin`` when it is not the server's own.

        A file is one card however it is used, so that a model weight and the plain file of the same number
        meet in the graph.
        """
        card = "file" if self.type == "model_weight" else self.type
        return f"{card}:{self.id}@{self.origin}" if self.origin else f"{card}:{self.id}"
