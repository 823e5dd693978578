"""How cards are customised: settings from the wire, taken only as far as they are harmless.

Texts are texts and never markup. A link stays on the server (one leading slash, no control characters: a browser
drops a tab and reads ``/<tab>/host`` as another host); a colour is hexadecimal, an icon's name letters and dashes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autoflow.graph.graph import Icon, Link
from autoflow.wire import cards

_LINK = re.compile(r"/(?![/\\])[^\x00-\x1f\x7f]*")
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}")
_ICON = re.compile(r"[a-z0-9-]+")


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def safe_link(link: Any) -> Link | None:
    """A link from ``{"url", "title"}``, None when it is none or not harmless."""
    if not isinstance(link, Mapping) or not _matches(_LINK, link.get("url")):
        return None
    title = link.get("title")
    return Link(link["url"], title if isinstance(title, str) else "")


def safe_icon(icon: Any) -> Icon | None:
    """An icon from ``{"name", "color", "background"}``, None when a part is missing or not harmless."""
    if not isinstance(icon, Mapping) or not _matches(_ICON, icon.get("name")):
        return None
    if not _matches(_COLOUR, icon.get("color")) or not _matches(_COLOUR, icon.get("background")):
        return None
    return Icon(icon["name"], icon["color"], icon["background"])


def look(settings: Any) -> dict[str, Any]:
    """What settings in wire form change of a card: those of title, description, icon and link that are set."""
    if not isinstance(settings, Mapping):
        return {}
    shown = cards.plain(dict(settings))
    changed: dict[str, Any] = {name: shown[name] for name in ("title", "description") if shown.get(name)}
    if (icon := safe_icon(shown.get("icon"))) is not None:
        changed["icon"] = icon
    if (link := safe_link(shown.get("link"))) is not None:
        changed["link"] = link
    return changed
