"""Validation of the settings that customise a card: unsafe values are left out.

Texts are plain text, never markup. A link must stay on the server: one leading slash and no control characters, as a
browser drops a tab and reads ``/<tab>/host`` as another host. A colour must be hexadecimal, an icon's name letters
and dashes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autoflow.graph.graph import CardOptions, Icon, Link
from autoflow.wire import cards

_LINK = re.compile(r"/(?![/\\])[^\x00-\x1f\x7f]*")
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}")
_ICON = re.compile(r"[a-z0-9-]+")


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def safe_link(link: Any) -> Link | None:
    """Return a link from ``{"url", "title"}``, None when it is malformed or unsafe."""
    if not isinstance(link, Mapping) or not _matches(_LINK, link.get("url")):
        return None
    title = link.get("title")
    return Link(link["url"], title if isinstance(title, str) else "")


def safe_icon(icon: Any) -> Icon | None:
    """Return an icon from ``{"name", "color", "background"}``, None when a member is missing, malformed or unsafe."""
    if not isinstance(icon, Mapping) or not _matches(_ICON, icon.get("name")):
        return None
    if not _matches(_COLOUR, icon.get("color")) or not _matches(_COLOUR, icon.get("background")):
        return None
    return Icon(icon["name"], icon["color"], icon["background"])


def parse_style(settings: Any) -> CardOptions:
    """Return the members of `graph.Card` that settings in wire form set: of title, description, icon and link."""
    if not isinstance(settings, Mapping):
        return {}
    values = cards.plain(dict(settings))
    style: CardOptions = {}
    if values.get("title"):
        style["title"] = values["title"]
    if values.get("description"):
        style["description"] = values["description"]
    if (icon := safe_icon(values.get("icon"))) is not None:
        style["icon"] = icon
    if (link := safe_link(values.get("link"))) is not None:
        style["link"] = link
    return style
