"""References to entities, as people write them: ``project:7``, ``project:7#3``, ``file:9``, ``/models/best.pt``.

A model's version is ``model:lemons@3``, or what an alias names, ``model:lemons@champion``, also at an earlier time:
``model:lemons@champion on 2026-06-01``; ``model:lemons`` is the latest version.

Where images are accepted, too: ``image:3``, ``dataset:4/a.png``, and the sha256 of an image or a file.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from autoflow.model.entity_types import ENTITY_TYPES, WireType
from autoflow.model.model_name import end_of, match_model

_NUMBER = re.compile(r"\d{1,16}", re.ASCII)
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.ASCII | re.IGNORECASE)
_IMAGE = re.compile(r"(?P<kind>image):(?P<id>\d{1,16})|dataset:(?P<dataset>\d{1,16})/(?P<name>.+)", re.ASCII)
_NUMBERED = re.compile(r"([a-z_]+):(\d{1,16})(?:#(\d{1,16}))?", re.ASCII)


class Reference(NamedTuple):
    """A parsed reference.

    Args:
        kind: one of `reference_types`, ``path``, ``model``, ``image`` or ``sha256``.
        id: the number; 0 for a path or a sha256; the dataset's for an image that is named.
        path: in Team Files, with its leading slash; empty for a numbered entity.
        version: the number of a project's version, as in ``project:7#3``, or of a model's; None without.
        name: of an image in its dataset, as in ``dataset:4/a.png``, or of a model; empty without.
        sha256: of the content, in hexadecimal digits; empty without.
        alias: of a model; empty without.
        on: the day or the time at which the alias is meant; empty for now.
    """

    kind: str
    id: int = 0
    path: str = ""
    version: int | None = None
    name: str = ""
    sha256: str = ""
    alias: str = ""
    on: str = ""

    def __str__(self) -> str:
        if self.kind == "model":
            which = self.alias or (str(self.version) if self.version is not None else "")
            return f"model:{self.name}" + (f"@{which}" if which else "") + (f" on {self.on}" if self.on else "")
        if self.name:
            return f"dataset:{self.id}/{self.name}"
        numbered = f"{self.kind}:{self.id}" + (f"#{self.version}" if self.version is not None else "")
        return self.path or self.sha256 or numbered


def reference_types() -> dict[str, WireType]:
    """Return the entity types by the word that a reference to them begins with; by a shared word, the first type."""
    types: dict[str, WireType] = {}
    for entity_type in ENTITY_TYPES.values():
        if not entity_type.by_path:
            types.setdefault(entity_type.reference, entity_type.name)
    return types


def parse_image(text: str) -> Reference | None:
    """Return the reference to an image or to content by its sha256, None for a text of another form."""
    stripped = text.strip()
    if content := _SHA256.fullmatch(stripped):
        return Reference("sha256", sha256=content[1].lower())
    if match := _IMAGE.fullmatch(stripped):
        return Reference("image", int(match["id"] or match["dataset"]), name=match["name"] or "")
    return None


def parse(text: str, default_kind: str | None = None) -> Reference:
    """Parse a reference.

    Args:
        text: as a person writes it; a type's wire name is accepted for its word, as ``project_version:12``.
        default_kind: the kind that a number alone means; None to refuse a number alone.

    Raises:
        ValueError: the text is not a reference; the message lists the accepted forms.
    """
    stripped = text.strip()
    if stripped.startswith("/"):
        return Reference("path", path=stripped)
    if default_kind is not None and _NUMBER.fullmatch(stripped):
        return Reference(default_kind, int(stripped))
    if model := match_model(stripped):
        return _model(model)
    words = reference_types()
    match = _NUMBERED.fullmatch(stripped)
    word = match[1] if match else ""
    kind = ENTITY_TYPES[word].reference if word in ENTITY_TYPES else word
    if match is None or kind not in words or (match[3] and kind != "project"):
        forms = ", ".join(f"{word}:N" for word in words)
        raise ValueError(
            f"{text!r} is not a reference: write {forms}, project:N#M for its version M, model:NAME@ALIAS or "
            "model:NAME@VERSION, or a path with a /"
        )
    return Reference(kind, int(match[2]), version=int(match[3]) if match[3] else None)


def _model(match: re.Match[str]) -> Reference:
    """Return the reference to a model.

    Raises:
        ValueError: the time after ``on`` is not one.
    """
    if on := match["on"] or "":
        end_of(on)
    version = int(match["version"]) if match["version"] else None
    return Reference("model", name=match["name"], version=version, alias=match["alias"] or "", on=on)
