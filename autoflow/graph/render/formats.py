"""The output formats of a graph by name, for the command line, the server and the page."""

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
    """Options of all formats; each format uses those that concern it.

    Args:
        color: whether to write ANSI colors.
        unicode: whether the terminal shows more than ASCII.
        zone: the reader's time zone.
        base_url: scheme and host of the server, for links; empty when the server itself serves the output; None when
            it may not be running.
    """

    color: bool = False
    unicode: bool = True
    zone: tzinfo = timezone.utc
    base_url: str | None = None


Renderer = Callable[[Graph, RenderOptions], str]

RENDERERS: dict[str, Renderer] = {
    "text": lambda graph, options: render_text(graph, color=options.color, unicode=options.unicode, zone=options.zone),
    "json": lambda graph, _: json.dumps(graph.to_json(), ensure_ascii=False, indent=2) + "\n",
    "mermaid": lambda graph, _: render_mermaid(graph),
    "dot": lambda graph, _: render_dot(graph),
    "svg": lambda graph, options: render_svg(graph, base_url=options.base_url, zone=options.zone),
    "html": lambda graph, options: render_html(graph, base_url=options.base_url, zone=options.zone),
}

# Formats that show similar cards as one cluster unless the user asks for every card.
PICTURE_FORMATS = frozenset({"mermaid", "dot", "svg", "html"})

MEDIA_TYPES: dict[str, str] = {
    "text": "text/plain; charset=utf-8",
    "json": "application/json",
    "mermaid": "text/vnd.mermaid; charset=utf-8",
    "dot": "text/vnd.graphviz; charset=utf-8",
    "svg": "image/svg+xml",
    "html": "text/html; charset=utf-8",
}


def render(graph: Graph, format_name: str, options: RenderOptions | None = None) -> str:
    """Return a graph in the format of that name.

    Raises:
        KeyError: there is no such format; `RENDERERS` has the names.
    """
    return RENDERERS[format_name](graph, options or RenderOptions())
