"""How a card looks: the guide's classes and their rules."""

from __future__ import annotations

import logging

import pytest

from autoflow import WorkflowMeta, WorkflowSettings
from autoflow.wire.cards import NODE, RELATION, plain, valid_meta

pytestmark = pytest.mark.core

COMPLETE = {
    "title": "T",
    "icon": "archive",
    "icon_color": "#111111",
    "icon_bg_color": "#222222",
    "url": "/files/1/true",
    "url_title": "Open",
    "description": "D",
}


def test_settings_have_the_order_of_the_sdk():
    """Positional arguments mean the same as in the SDK."""
    assert WorkflowSettings("T", "archive", "#111111", "#222222", "/files/1/true", "Open", "D") == WorkflowSettings(
        **COMPLETE
    )


def test_settings_in_wire_form():
    """The tags, the prefix and the groups are those that the server shows."""
    assert WorkflowSettings(**COMPLETE).as_dict == {
        "title": "<h4>T</h4>",
        "description": "<small>D</small>",
        "icon": {"icon": "zmdi-archive", "color": "#111111", "backgroundColor": "#222222"},
        "mainLink": {"url": "/files/1/true", "title": "Open"},
    }


def test_the_icon_prefix_is_added_once():
    """An icon that has the prefix keeps it."""
    icon = WorkflowSettings(icon="zmdi-folder", icon_color="#1", icon_bg_color="#2").as_dict["icon"]
    assert icon["icon"] == "zmdi-folder"


@pytest.mark.parametrize("missing", ["icon", "icon_color", "icon_bg_color", "url", "url_title"])
def test_an_incomplete_group_is_dropped_and_logged(missing, caplog):
    """Half an icon or half a link is left out, as in the SDK."""
    with caplog.at_level(logging.INFO, logger="autoflow"):
        shown = WorkflowSettings(**{**COMPLETE, missing: None}).as_dict
    group = "mainLink" if missing.startswith("url") else "icon"
    assert group not in shown
    assert len(caplog.records) == 1
    assert set(shown) == {"title", "description", "icon", "mainLink"} - {group}


def test_meta_in_wire_form():
    """Each of the two cards has its own key."""
    meta = WorkflowMeta(relation_settings=WorkflowSettings(title="A"), node_settings=WorkflowSettings(title="B"))
    assert meta.as_dict == {RELATION: {"title": "<h4>A</h4>"}, NODE: {"title": "<h4>B</h4>"}}
    assert valid_meta(meta.as_dict)


def test_meta_can_be_made_as_a_dict():
    """`create_as_dict` returns `as_dict` of a new instance."""
    assert WorkflowMeta.create_as_dict(node_settings=WorkflowSettings(title="B")) == {NODE: {"title": "<h4>B</h4>"}}


def test_empty_meta_is_none(caplog):
    """Meta without settings is logged and left out of the wire."""
    with caplog.at_level(logging.INFO, logger="autoflow"):
        assert WorkflowMeta().as_dict is None
    assert len(caplog.records) == 1


def test_settings_are_read_back_from_the_wire():
    """Tags are removed, and the text between them is unchanged."""
    shown = plain(WorkflowSettings(**{**COMPLETE, "title": "<b>&amp;"}).as_dict)
    assert shown == {
        "title": "<b>&amp;",
        "description": "D",
        "icon": {"name": "archive", "color": "#111111", "background": "#222222"},
        "link": {"url": "/files/1/true", "title": "Open"},
    }
