"""Settings of a card's title, icon and link: `WorkflowSettings` and `WorkflowMeta`, with the rules of the guide."""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from typing import Any, TypedDict

logger = logging.getLogger("autoflow")

ICON_PREFIX = "zmdi-"


class WireIcon(TypedDict):
    """The icon of a card on the wire."""

    icon: str
    color: str
    backgroundColor: str


class WireLink(TypedDict):
    """The link of a card on the wire."""

    url: str
    title: str


class WireSettings(TypedDict, total=False):
    """The settings of a card on the wire: those that are set."""

    title: str
    description: str
    icon: WireIcon
    mainLink: WireLink


class WireMeta(TypedDict, total=False):
    """The settings of the two cards of an edge on the wire: of the data, and of the app."""

    customRelationSettings: WireSettings
    customNodeSettings: WireSettings


@dataclass
class WorkflowSettings:
    """Settings of one card; each is optional.

    In a decorator's ``card=`` and ``node=`` each text may also be a template or a callable. An icon needs all three of
    its settings and a link both of its settings: an incomplete group is dropped with a log line, as in the SDK.

    Args:
        title: shown in the node's header, in ``<h4>``.
        icon: a Material Design Icons name; ``zmdi-`` is added in front if it is missing.
        icon_color: hexadecimal, as ``#33c94c``.
        icon_bg_color: hexadecimal.
        url: the link's target; starts with a slash, relative to the instance.
        url_title: the link's text.
        description: shown below the title, in ``<small>``.
    """

    title: Any = None
    icon: Any = None
    icon_color: Any = None
    icon_bg_color: Any = None
    url: Any = None
    url_title: Any = None
    description: Any = None

    def __post_init__(self) -> None:
        if bool(self.url) != bool(self.url_title):
            logger.info("Workflow card: 'url' and 'url_title' must be set together; the link is left out.")
            self.url = self.url_title = None
        icon = (self.icon, self.icon_color, self.icon_bg_color)
        if any(icon) and not all(icon):
            logger.info(
                "Workflow card: 'icon', 'icon_color' and 'icon_bg_color' must be set together; the icon is left out."
            )
            self.icon = self.icon_color = self.icon_bg_color = None

    @property
    def as_dict(self) -> WireSettings:
        """The wire form: those of ``{"title", "description", "icon": {...}, "mainLink": {...}}`` that are set."""
        wire: WireSettings = {}
        if self.title is not None:
            wire["title"] = f"<h4>{self.title}</h4>"
        if self.description is not None:
            wire["description"] = f"<small>{self.description}</small>"
        if self.icon is not None and self.icon_color is not None and self.icon_bg_color is not None:
            wire["icon"] = {
                "icon": ICON_PREFIX + self.icon.removeprefix(ICON_PREFIX) if isinstance(self.icon, str) else self.icon,
                "color": self.icon_color,
                "backgroundColor": self.icon_bg_color,
            }
        if self.url is not None and self.url_title is not None:
            wire["mainLink"] = {"url": self.url, "title": self.url_title}
        return wire


SETTING_NAMES: tuple[str, ...] = tuple(field.name for field in fields(WorkflowSettings))


@dataclass
class WorkflowMeta:
    """Settings for the two cards of an edge: the relation (the data card) and the node (the app's card)."""

    relation_settings: WorkflowSettings | None = None
    node_settings: WorkflowSettings | None = None

    def __post_init__(self) -> None:
        if self.relation_settings is None and self.node_settings is None:
            logger.info("Workflow card: WorkflowMeta without settings has no effect.")

    @property
    def as_dict(self) -> WireMeta | None:
        """The wire form, ``{"customRelationSettings": {...}, "customNodeSettings": {...}}``; None when empty."""
        wire: WireMeta = {}
        if self.relation_settings is not None:
            wire["customRelationSettings"] = self.relation_settings.as_dict
        if self.node_settings is not None:
            wire["customNodeSettings"] = self.node_settings.as_dict
        return wire or None

    @classmethod
    def create_as_dict(cls, **settings: WorkflowSettings | None) -> WireMeta | None:
        """Return the wire form of new settings."""
        return cls(**settings).as_dict
