"""The forms a graph is given in, by name; one place for the command line, the server and the page to ask."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timezone, tzinfo

from autoflow.graph.graph import Graph
from autoflow.graph.render.dot import render_dot
from autoflow.graph.render.html import render_html
from autoflow.graph.render.mermaid import render_mermaid
from autoflow.graph.render.svg import render_svg
from autoflow.graph.render.text import render_text


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """Who a form is written for; each form takes from it what concerns it.

    Args:
        color: a terminal that shows colours.
        unicode: a terminal that shows more than ASCII.
        zone: where the reader's clock stands.
        base_url: scheme and host of the server, for links; empty when the server itself serves the form;
            None when it may not be running.
    """

    color: bool = False
    unicode: bool = True
    zone: tzinfo = timezone.utc
    base_url: str | None = None


Renderer = Callable[[Graph, RenderOptions], str]

RENDERERS: dict[str, Renderer] = {
    "text": lambda graph, reader: render_text(graph, color=reader.color, unicode=reader.unicode, zone=reader.zone),
    "json": lambda graph, _: json.dumps(graph.to_json(), ensure_ascii=False, indent=2) + "\n",
    "mermaid": lambda graph, _: render_mermaid(graph),
    "dot": lambda graph, _: render_dot(graph),
    "svg": lambda graph, reader: render_svg(graph, base_url=reader.base_url, zone=reader.zone),
    "html": lambda graph, reader: render_html(graph, base_url=reader.base_url, zone=reader.zone),
}

# Where the eye has to find its way: like cards are taken together in them unless one asks for all.
PICTURE_FORMATS = frozenset({"mermaid", "dot", "svg", "html"})

MEDIA_TYPES: dict[str, str] = {
    "text": "text/plain; charset=utf-8",
    "json": "application/json",
    "mermaid": "text/vnd.mermaid; charset=utf-8",
    "dot": "text/vnd.graphviz; charset=utf-8",
    "svg": "image/svg+xml",
    "html": "text/html; charset=utf-8",
}


def render(graph: Graph, form: str, reader: RenderOptions | None = None) -> str:
    """Give `graph` in the form of that name, for `reader`.

    Raises:
        KeyError: there is no such form; `FORMS` has the names.
    """
    return RENDERERS[form](graph, reader or RenderOptions())
