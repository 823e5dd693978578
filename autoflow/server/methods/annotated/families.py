"""Families of methods: each type of projects has its own names for the same methods."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.db import datasets, items, projects
from autoflow.server.errors import Invalid
from autoflow.server.project_types.item_meta import ItemMeta
from autoflow.server.project_types.object_annotations import ObjectAnnotations


@dataclasses.dataclass(frozen=True)
class Family:
    """The methods of some types of projects.

    Args:
        prefix: the start of their names.
        types: the types, by their names.
        entries: the member of a request with new items.
        ids: the member of a request with the ids of items.
        owner: the member of a request with the item that tags are put on.
        shape: returns the members of an item on the wire that are the family's own.
        describe: returns what an item's meta says of its file, of the description of the whole file.
    """

    prefix: str
    types: Mapping[str, ObjectAnnotations]
    entries: str
    ids: str
    owner: str
    shape: Callable[[RowMapping, ItemMeta], JsonObject]
    describe: Callable[[JsonObject, JsonObject], JsonObject]

    @property
    def project_type(self) -> ObjectAnnotations:
        """The type that files are read by."""
        return next(iter(self.types.values()))

    def check(self, project: Mapping[str, object] | RowMapping) -> None:
        """Check that a project is of one of the types.

        Raises:
            Invalid: it is of another.
        """
        if project["type"] not in self.types:
            raise Invalid(
                f"project {project['id']} is of type {project['type']!r}: {self.prefix}.* are methods of projects of "
                f"type {' or '.join(map(repr, self.types))}"
            )

    def find(self, conn: Connection, numbers: Sequence[int]) -> dict[int, RowMapping]:
        """Return items by id.

        Raises:
            NotFound: naming the first that is unknown.
            Invalid: one is of a project of another type.
        """
        item_rows = items.find(conn, numbers, self.project_type.item)
        for project_id in sorted({row["project_id"] for row in item_rows.values()}):
            self.check(projects.get(conn, project_id))
        return item_rows

    def dataset(self, conn: Connection, number: int) -> RowMapping:
        """Return a dataset.

        Raises:
            NotFound: it is unknown.
            Invalid: it is of a project of another type.
        """
        row = datasets.get(conn, number)
        self.check(projects.get(conn, row["project_id"]))
        return row
