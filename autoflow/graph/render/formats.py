"""The forms a graph is given in, by name; one place for the command line, the server and the page to ask."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timezone, tzinfo

from autoflow.graph.graph import Graph
from autoflow.graph.render.dot import dot
from autoflow.graph.render.html import html
from autoflow.graph.render.mermaid import mermaid
from autoflow.graph.render.svg import svg
from autoflow.graph.render.text import text


@dataclass(frozen=True, slots=True)
class Reader:
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


Form = Callable[[Graph, Reader], str]

FORMS: dict[str, Form] = {
    "text": lambda graph, reader: text(graph, color=reader.color, unicode=reader.unicode, zone=reader.zone),
    "json": lambda graph, _: json.dumps(graph.to_json(), ensure_ascii=False, indent=2) + "\n",
    "mermaid": lambda graph, _: mermaid(graph),
    "dot": lambda graph, _: dot(graph),
    "svg": lambda graph, reader: svg(graph, base_url=reader.base_url, zone=reader.zone),
    "html": lambda graph, reader: html(graph, base_url=reader.base_url, zone=reader.zone),
}

# Where the eye has to find its way: like cards are taken together in them unless one asks for all.
PICTURES = frozenset({"mermaid", "dot", "svg", "html"})

MEDIA: dict[str, str] = {
    "text": "text/plain; charset=utf-8",
    "json": "application/json",
    "mermaid": "text/vnd.mermaid; charset=utf-8",
    "dot": "text/vnd.graphviz; charset=utf-8",
    "svg": "image/svg+xml",
    "html": "text/html; charset=utf-8",
}


def write(graph: Graph, form: str, reader: Reader | None = None) -> str:
    """Give `graph` in the form of that name, for `reader`.

    Raises:
        KeyError: there is no such form; `FORMS` has the names.
    """
    return FORMS[form](graph, reader or Reader())
