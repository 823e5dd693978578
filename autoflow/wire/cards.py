"""Settings of cards on the wire: validation, and conversion to plain text for display."""

from __future__ import annotations

import re
from typing import Any, Final, TypeGuard

from autoflow.model.card import WireMeta, WireSettings

RELATION: Final = "customRelationSettings"
NODE: Final = "customNodeSettings"

_ICON = {"icon", "color", "backgroundColor"}
_LINK = {"url", "title"}
_WRAPPED = {"title": re.compile(r"<h4>(.*)</h4>", re.S), "description": re.compile(r"<small>(.*)</small>", re.S)}


def _texts(value: Any, keys: set[str]) -> bool:
    return isinstance(value, dict) and set(value) == keys and all(isinstance(text, str) for text in value.values())


def valid_settings(value: Any) -> TypeGuard[WireSettings]:
    """Return whether a value is settings in wire form: texts, a complete icon, a complete link, nothing else."""
    if not isinstance(value, dict):
        return False
    return all(
        (key in {"title", "description"} and isinstance(part, str))
        or (key == "icon" and _texts(part, _ICON))
        or (key == "mainLink" and _texts(part, _LINK))
        for key, part in value.items()
    )


def valid_meta(value: Any) -> TypeGuard[WireMeta]:
    """Return whether a value is meta in wire form: one or both of the two settings, each valid, and nothing else.

    This is the schema that the SDK validates the meta of `api.app.workflow` with.
    """
    return (
        isinstance(value, dict)
        and bool(value)
        and set(value) <= {RELATION, NODE}
        and all(valid_settings(part) for part in value.values())
    )


def plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Return wire settings for display: ``title``, ``description``, ``icon`` (name, color, background), ``link``.

    The tags that the wire puts around texts are removed; the text between them is kept and is never markup.
    """
    shown: dict[str, Any] = {}
    for key, wrapped in _WRAPPED.items():
        if isinstance(text := settings.get(key), str):
            match = wrapped.fullmatch(text)
            shown[key] = match[1] if match else text
    if isinstance(icon := settings.get("icon"), dict):
        shown["icon"] = {
            "name": str(icon.get("icon", "")).removeprefix("zmdi-"),
            "color": icon.get("color"),
            "background": icon.get("backgroundColor"),
        }
    if isinstance(link := settings.get("mainLink"), dict):
        shown["link"] = {"url": link.get("url"), "title": link.get("title")}
    return shown
