"""The graph as a self-contained SVG, light and dark; it fetches nothing and has no scripts."""

from __future__ import annotations

from datetime import timezone, tzinfo
from html import escape
from itertools import pairwise

from autoflow.graph.graph import Graph
from autoflow.graph.layout import Layout, Route, compute_layout
from autoflow.graph.render.labels import printable
from autoflow.graph.render.svg_card import CardContext, render_card
from autoflow.graph.render.theme import stylesheet

MARGIN = 40
ARROWHEAD_LENGTH = 9


def render_svg(
    graph: Graph, *, base_url: str | None = None, zone: tzinfo = timezone.utc, layout: Layout | None = None
) -> str:
    """Return the picture, ending in a newline.

    A preview is embedded if it is a ``data:image/…;base64,`` url; others are replaced by a sketch.

    Args:
        graph: the graph to draw.
        base_url: scheme and host of the server, for the cards' links; empty when the server itself
            serves the picture; None shows links as text.
        zone: the reader's time zone.
        layout: of this graph, if it was computed before.
    """
    layout = layout or compute_layout(graph)
    context = CardContext(base_url, zone, graph.entry)
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    title = escape(printable(graph.title))
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="autoflow-graph" width="{width}" height="{height}"'
            f' viewBox="{-MARGIN} {-MARGIN} {width} {height}" role="group" aria-label="{title}">',
            f"<title>{title}</title><style>{stylesheet()}</style>",
            f'<rect class="ground" x="{-MARGIN}" y="{-MARGIN}" width="{width}" height="{height}"/>',
            *(_arrow(route) for route in layout.routes),
            *(render_card(card, layout.boxes[card.key], context) for card in graph.cards),
            "</svg>\n",
        )
    )


def arrow_path(route: Route) -> str:
    """Return the path of an arrow's line: level at both ends of every slope, ending at the back of its head."""
    (x, y), tip = route.points[0], route.points[-1]
    direction = 1 if tip[0] > route.points[-2][0] else -1
    end = (tip[0] - direction * (ARROWHEAD_LENGTH - 1), tip[1])
    steps = [f"M{x} {y}"]
    for (x, y), (next_x, next_y) in pairwise((*route.points[:-1], end)):
        middle = (x + next_x) / 2
        curve = f"C{middle:g} {y} {middle:g} {next_y} {next_x} {next_y}"
        steps.append(f"H{next_x}" if y == next_y else f"V{next_y}" if x == next_x else curve)
    return "".join(steps)


def _arrow(route: Route) -> str:
    (x, y), previous_x = route.points[-1], route.points[-2][0]
    head_x = x - ARROWHEAD_LENGTH if x > previous_x else x + ARROWHEAD_LENGTH
    kind = " back" if route.back else f" {route.arrow.kind}" if route.arrow.kind in {"version", "indirect"} else ""
    return (
        f'<path class="way{kind}" d="{arrow_path(route)}"/><path class="head" d="M{x} {y}L{head_x} {y - 5}V{y + 5}z"/>'
    )
