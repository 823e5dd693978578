"""Uploads of items' bytes, which later requests name by their hashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from autoflow.server.errors import Invalid
from autoflow.server.operations import OperationContext
from autoflow.server.project_types.base import ProjectType
from autoflow.server.uploads.upload_session import upload_session
from autoflow.wire.parts import Part


def receive_items(
    context: OperationContext, parts: Iterable[Part], project_type: ProjectType, *others: ProjectType
) -> list[dict[str, Any]]:
    """Store each file part; return ``hash``, ``size`` and the columns of its type for each, in order.

    A part that cannot be an item of this type, or of one of the others, is not stored; it has ``errors`` instead.
    """

    def read_info(file: BinaryIO | str) -> Mapping[str, Any] | None:
        info = project_type.read_info(file)
        for other in others:
            if info is None:
                if not isinstance(file, str):
                    file.seek(0)
                info = other.read_info(file)
        return info

    answers: list[dict[str, Any]] = []
    with upload_session(context) as session:
        items = []
        for part in parts:
            if isinstance(part.value, str):
                raise Invalid(f"part {part.field!r} must be a file")
            received = session.receive(part.value, read_info)
            if received.probed is None:
                session.discard(received)
                answers.append({"errors": [{"message": f"part {part.field!r} {project_type.refusal}"}]})
                continue
            info = dict(received.probed)
            answers.append({"hash": received.hash, "size": received.size, **info})
            items.append((received, info))
        if items:
            with session.transaction(()) as conn:
                session.register(conn, items)
    return answers
