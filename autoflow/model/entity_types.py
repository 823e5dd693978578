"""The registry of entity types: one row for each type of thing that a run reads or writes, or that a card shows.

Decorators, the wire, the store's lineage, all renderings of a graph and the page take what differs between types from
here. `docs/extending.md` shows how to add a type.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any, Literal

Direction = Literal["input", "output"]

# What an author names in a decorator; `app` is the run's own session.
Kind = Literal["project", "dataset", "file", "folder", "task", "job", "app"]

# The type of an edge's entity on the wire, and of a card.
WireType = Literal[
    "project", "project_version", "dataset", "file", "model_weight", "model", "folder", "task", "job", "app_session"
]

NodeShape = Literal["box", "cylinder", "hexagon", "note"]


@dataclass(frozen=True, slots=True)
class LinkTemplate:
    """The link of a card to a page of the server: a path and a title.

    Args:
        path: a format string over the entity's row in the store, as ``/projects/{id}``.
        title: the link's text.
    """

    path: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityType:
    """One type of entity.

    Args:
        name: the type on the wire and on cards.
        kind: what an author names in a decorator for it; several types may share a kind, see `option`.
        option: the option of the decorator that chooses this type among those of its kind; empty for the plain one.
        output_only: whether a run can write it only.
        card_type: the type in the key of its card; a model weight is a file, so both are one card.
        label: what texts call it, as ``model weight``.
        plural: of the label.
        reference: the word before the colon where a person names one, as ``version:12``.
        unnamed: the words before the number of one whose name is unknown; empty where the id itself is shown.
        is_task: whether its id is the number of a run's task.
        by_path: whether its id is a path instead of a number.
        has_path: whether an author may name it by a path.
        has_name: whether an author may name it by its name.
        parameters: names of parameters that hold it, beside those that follow from the kind (``project_id``).
        table: the store's table of it; empty for none.
        link: where its card leads; None for nowhere.
        workflow: the page's address of the graph around one, over its ``id``; empty for none.
        previews: whether its card shows images of it.
        compact: whether its card is a row of two lines.
        customizable: whether an edge may change how its card looks; the guide excludes projects and datasets.
        landmark: whether it tells runs apart, so that no two of it are drawn as one card.
        drawing: its icon as an SVG path of lines on a field of 24 x 24.
        color: of the icon, hexadecimal.
        background: of the icon's tile, hexadecimal.
        shape: its node in Mermaid and DOT.
    """

    name: WireType
    kind: Kind
    option: str = ""
    output_only: bool = False
    card_type: WireType
    label: str
    plural: str
    reference: str
    unnamed: str
    is_task: bool = False
    by_path: bool = False
    has_path: bool = False
    has_name: bool = False
    parameters: tuple[str, ...] = ()
    table: str = ""
    link: LinkTemplate | None = None
    workflow: str = ""
    previews: bool = False
    compact: bool = False
    customizable: bool = True
    landmark: bool = False
    drawing: str
    color: str
    background: str
    shape: NodeShape = "note"

    @property
    def is_specialized(self) -> bool:
        """True if the type is more specific than its card's type: a model weight is a specific kind of file."""
        return self.card_type != self.name


_ROWS = (
    EntityType(
        name="project",
        kind="project",
        card_type="project",
        label="project",
        plural="projects",
        reference="project",
        unnamed="project",
        has_name=True,
        table="projects",
        link=LinkTemplate("/projects/{id}", "Open Project"),
        workflow="/project/{id}",
        previews=True,
        customizable=False,
        landmark=True,
        drawing="M4 4h16v16H4zM4 16l5-5 4 4 3-3 4 4M15 7.5a1 1 0 1 0 .1 0",
        color="#2f6fd6",
        background="#e3ecff",
        shape="cylinder",
    ),
    EntityType(
        name="project_version",
        kind="project",
        option="version",
        card_type="project_version",
        label="version",
        plural="versions",
        reference="version",
        unnamed="project version",
        table="versions",
        link=LinkTemplate("/projects/{project_id}/versions", "Open Project"),
        compact=True,
        customizable=False,
        drawing="M6 3h12v18l-6-4.5L6 21zM9 9l2.2 2.2L15.5 7",
        color="#6b4fd8",
        background="#ece8ff",
        shape="cylinder",
    ),
    EntityType(
        name="dataset",
        kind="dataset",
        card_type="dataset",
        label="dataset",
        plural="datasets",
        reference="dataset",
        unnamed="dataset",
        has_name=True,
        table="datasets",
        link=LinkTemplate("/projects/{project_id}/datasets/{id}", "Open Dataset"),
        previews=True,
        customizable=False,
        landmark=True,
        drawing="M4 6c0-4 16-4 16 0s-16 4-16 0v12c0 4 16 4 16 0V6M4 12c0 4 16 4 16 0",
        color="#0f7c8a",
        background="#dff5f7",
    ),
    EntityType(
        name="file",
        kind="file",
        card_type="file",
        label="file",
        plural="files",
        reference="file",
        unnamed="file",
        has_path=True,
        parameters=("file_path", "path", "remote_path"),
        table="files",
        link=LinkTemplate("/files/{id}/true", "Open Folder"),
        workflow="/file/{id}",
        drawing="M6 2.5h8.5L19 7v14.5H6zM14 2.5V7.5h5M9.5 12h6M9.5 16h6",
        color="#56700c",
        background="#eef4d8",
    ),
    EntityType(
        name="model_weight",
        kind="file",
        option="model_weight",
        card_type="file",
        label="model weight",
        plural="model weights",
        reference="file",
        unnamed="file",
        has_path=True,
        table="files",
        link=LinkTemplate("/files/{id}/true", "Open Folder"),
        workflow="/file/{id}",
        drawing=(
            "M5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 1 0 0 5M5 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 1 0 0 5"
            "M19 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 1 0 0 5M7.4 7.9l9.2 3.4M7.4 16.1l9.2-3.4"
        ),
        color="#b35900",
        background="#ffefdc",
        shape="hexagon",
    ),
    EntityType(
        name="model",
        kind="file",
        option="model",
        card_type="file",
        label="model",
        plural="models",
        reference="file",
        unnamed="file",
        table="files",
        link=LinkTemplate("/files/{id}/true", "Open Folder"),
        workflow="/file/{id}",
        drawing="M12 2.5l8.5 4.75v9.5L12 21.5l-8.5-4.75v-9.5zM3.5 7.25L12 12l8.5-4.75M12 12v9.5",
        color="#8a4b00",
        background="#ffe8c2",
        shape="hexagon",
    ),
    EntityType(
        name="folder",
        kind="folder",
        card_type="folder",
        label="folder",
        plural="folders",
        reference="folder",
        unnamed="",
        by_path=True,
        has_path=True,
        parameters=("folder_path", "path", "dir"),
        drawing="M3 5h6l2.5 3H21v11.5H3z",
        color="#9a6a00",
        background="#fff1cc",
    ),
    EntityType(
        name="task",
        kind="task",
        card_type="task",
        label="run",
        plural="runs",
        reference="task",
        unnamed="task",
        is_task=True,
        link=LinkTemplate("/apps/sessions/{number}", "Show Logs"),
        workflow="/task/{id}",
        drawing="M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 1 0 0-19M10 8l6 4-6 4z",
        color="#536177",
        background="#e9edf2",
        shape="box",
    ),
    EntityType(
        name="job",
        kind="job",
        card_type="job",
        label="labeling job",
        plural="labeling jobs",
        reference="job",
        unnamed="labeling job",
        table="jobs",
        link=LinkTemplate("/labeling/jobs/{id}", "Open Job"),
        landmark=True,
        drawing="M3 3h8.5L21.5 13 13 21.5 3 11.5zM7.5 7a.6.6 0 1 0 .1 0",
        color="#a8327f",
        background="#fde7f5",
    ),
    EntityType(
        name="app_session",
        kind="app",
        output_only=True,
        card_type="app_session",
        label="app session",
        plural="app sessions",
        reference="session",
        unnamed="session of task",
        is_task=True,
        link=LinkTemplate("/apps/sessions/{number}", "Show Results"),
        drawing="M2.5 4h19v16h-19zM2.5 9h19M5.5 6.5h.1M8.5 6.5h.1M7 13l2.5 2L7 17M12 17h4.5",
        color="#1b7f4b",
        background="#e0f5ea",
    ),
)

# By name, in the order in which pages and legends list them.
ENTITY_TYPES: dict[str, EntityType] = {row.name: row for row in _ROWS}


def kinds(direction: Direction) -> tuple[Kind, ...]:
    """Return the kinds that a run can read, or those that it can write."""
    rows = (row for row in ENTITY_TYPES.values() if direction == "output" or not row.output_only)
    return tuple(dict.fromkeys(row.kind for row in rows))


def type_of_kind(kind: str, options: Collection[str] = ()) -> EntityType:
    """Return the type that a kind means with these options of the decorator.

    Raises:
        KeyError: there is no such kind.
    """
    plain = ENTITY_TYPES.get(kind)
    if plain is not None and not options:
        return plain  # this runs at every recorded call
    rows = [row for row in ENTITY_TYPES.values() if row.kind == kind]
    if not rows:
        raise KeyError(kind)
    return next((row for row in rows if row.option and row.option in options), rows[0])


def names_where(condition: Callable[[EntityType], bool]) -> frozenset[WireType]:
    """Return the names of the types that a condition holds for."""
    return frozenset(row.name for row in ENTITY_TYPES.values() if condition(row))


def as_data() -> list[dict[str, Any]]:
    """Return all rows as JSON values, in order."""
    return [asdict(row) for row in ENTITY_TYPES.values()]
