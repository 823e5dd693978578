"""Classes, tags and labels in Supervisely's format, as far as the server reads them.

Clients may send further members and geometries of their own: what a label's geometry holds is declared as open.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from autoflow.model.json_object import JsonObject
from autoflow.wire.contract.method import Id


class _ClassOptions(TypedDict, total=False):
    shape: str | None
    color: str | None
    geometry_config: JsonObject | None


class LabelClass(_ClassOptions):
    """A class of labels; further members are as a client sent them.

    Args:
        shape: geometry of its labels, such as polygon or any.
        color: as #RRGGBB.
        geometry_config: of a skeleton, its nodes and edges.
    """

    id: Id
    title: str


class _TagOptions(TypedDict, total=False):
    value_type: str | None
    color: str | None


class TagDefinition(_TagOptions):
    """A tag that images and labels of a project may have; further members are as a client sent them.

    Args:
        value_type: none, any_string, any_number or oneof_string.
        color: as #RRGGBB.
    """

    id: Id
    name: str


MetaKind = Literal["classes", "tags"]


class LabelDefinitions(TypedDict):
    """Classes and tags of a project or a version."""

    classes: list[LabelClass]
    tags: list[TagDefinition]


class TagValue(TypedDict):
    """A tag of an image or a label.

    Args:
        tagId: number of the tag.
        value: text or number; null for a tag without one.
    """

    tagId: Id
    value: Any


class _LabelGeometry(TypedDict, total=False):
    geometryType: Any
    shape: Any
    points: Any
    bitmap: Any
    nodes: Any
    vertices: Any
    mask: Any


class Label(_LabelGeometry):
    """A label of an image; its geometry is as a client sent it, in pixels of the image.

    Args:
        id: number of the label in its image.
        classId: number of its class.
        geometryType: name of the geometry, such as polygon.
        shape: the same, of labels that are sent in an annotation.
        points: exterior, a list of [x, y], and interior, a list of such lists.
        bitmap: a mask: data, base64 of a deflated PNG, and origin, the position of its corner.
        nodes: nodes of a skeleton by name, each with its loc.
        vertices: corners of a cuboid.
        mask: a mask of another format.
    """

    id: Id
    classId: Id
    tags: list[TagValue]
