"""Projects of files of any kind: each is its bytes and its path, and has no labels."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, BinaryIO, ClassVar

from autoflow.server.media.thumbnails import ThumbnailSpec, read_image_info, thumbnail
from autoflow.server.project_types.base import ProjectType


class _Files(ProjectType):
    name: ClassVar[str] = "files"
    item: ClassVar[str] = "file"
    columns: ClassVar[tuple[str, ...]] = ("width", "height")

    def read_info(self, file: BinaryIO | str) -> Mapping[str, Any] | None:
        """Return type and size in pixels of an image, nothing of other files: any file is an item."""
        if isinstance(file, str) and not (os.path.isfile(file) and os.access(file, os.R_OK)):
            return None
        # No type is guessed of other bytes: they may be uploaded as a video later, whose type is then stored.
        info = read_image_info(file)
        return {} if info is None else info._asdict()

    def preview(self, file: BinaryIO, spec: ThumbnailSpec) -> tuple[str, bytes]:
        return thumbnail(file, spec)


FILES: ProjectType = _Files()
