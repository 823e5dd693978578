"""One table of forms, and what a notebook shows."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from autoflow.graph.graph import Graph
from autoflow.graph.render.formats import MEDIA_TYPES, RENDERERS, RenderOptions, render

pytestmark = pytest.mark.core


def test_the_names_of_the_command_line() -> None:
    """Exactly the six forms of the guide's command, each with a media type."""
    assert list(RENDERERS) == list(MEDIA_TYPES) == ["text", "json", "mermaid", "dot", "svg", "html"]


@pytest.mark.parametrize("form", list(RENDERERS))
def test_every_form_is_text_that_ends_its_line(form: str, demo: Graph) -> None:
    """Each can be written to a file or a pipe as it is, and holds the demo's names."""
    shown = render(demo, form, RenderOptions(base_url=""))
    assert shown.endswith("\n")
    assert "Evaluate digits" in shown


def test_json_is_read_back(demo: Graph) -> None:
    """The JSON form is the graph."""
    assert Graph.from_json(json.loads(render(demo, "json"))) == demo


def test_an_unknown_form_is_an_error(demo: Graph) -> None:
    """The name asked for is in the error."""
    with pytest.raises(KeyError, match="pdf"):
        render(demo, "pdf")


def test_a_reader_gets_what_concerns_it(demo: Graph) -> None:
    """Colours and plain signs reach the text, the address the pictures."""
    assert "\x1b[" in render(demo, "text", RenderOptions(color=True))
    assert render(demo, "text", RenderOptions(unicode=False)).isascii()
    assert 'href="https://flow.example/files/11/true"' in render(
        demo, "svg", RenderOptions(base_url="https://flow.example")
    )


def test_the_values_are_imported_without_the_forms() -> None:
    """Whoever only carries graphs about does not load layout and drawing."""
    code = (
        "import sys, autoflow.graph.graph; assert not [m for m in sys.modules if m.startswith('autoflow.graph.layout')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_cards_of_another_kind_of_server_are_shown_too(demo: Graph) -> None:
    """A graph whose arrows name cards that are not there is drawn in every form."""
    for form in RENDERERS:
        assert render(replace(demo, cards=demo.cards[:3]), form)
