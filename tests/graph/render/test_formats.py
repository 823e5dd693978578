"""The table of output formats."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from autoflow.graph.graph import Graph
from autoflow.graph.render.formats import MEDIA_TYPES, RENDERERS, RenderOptions, render

pytestmark = pytest.mark.core


def test_formats_are_those_of_the_command_line() -> None:
    """Each of the six has a media type."""
    assert list(RENDERERS) == list(MEDIA_TYPES) == ["text", "json", "mermaid", "dot", "svg", "html"]


@pytest.mark.parametrize("form", list(RENDERERS))
def test_every_format_ends_with_a_newline(form: str, demo: Graph) -> None:
    """Each can be written to a file or a pipe, and holds the demo's names."""
    shown = render(demo, form, RenderOptions(base_url=""))
    assert shown.endswith("\n")
    assert "Evaluate digits" in shown


def test_json_is_read_back(demo: Graph) -> None:
    """The JSON format is the graph."""
    assert Graph.from_json(json.loads(render(demo, "json"))) == demo


def test_an_unknown_format_is_an_error(demo: Graph) -> None:
    """The error names it."""
    with pytest.raises(KeyError, match="pdf"):
        render(demo, "pdf")


def test_formats_use_the_options_that_concern_them(demo: Graph) -> None:
    """Colors and ASCII affect the text, the base url the pictures."""
    assert "\x1b[" in render(demo, "text", RenderOptions(color=True))
    assert render(demo, "text", RenderOptions(unicode=False)).isascii()
    assert 'href="https://flow.example/files/11/true"' in render(
        demo, "svg", RenderOptions(base_url="https://flow.example")
    )


def test_graphs_are_imported_without_layout_and_rendering() -> None:
    """An app that only reads graphs does not load them."""
    code = (
        "import sys, autoflow.graph.graph; assert not [m for m in sys.modules if m.startswith('autoflow.graph.layout')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_arrows_to_absent_cards_do_not_break_a_format(demo: Graph) -> None:
    """A graph whose arrows name absent cards is rendered in every format."""
    for form in RENDERERS:
        assert render(replace(demo, cards=demo.cards[:3]), form)
