"""The graph as one SVG that stands alone: cards, arrows, light and dark, nothing fetched and nothing run."""

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
HEAD = 9


def render_svg(
    graph: Graph, *, base_url: str | None = None, zone: tzinfo = timezone.utc, layout: Layout | None = None
) -> str:
    """Draw the graph, ending in a newline.

    A preview is shown if it is a ``data:image/…;base64,`` url; others are sketched, as nothing is fetched.

    Args:
        graph: what to draw.
        base_url: scheme and host of the server, for the cards' links; empty when the server itself
            serves the picture; None leaves links as words.
        zone: where the reader's clock stands.
        layout: the places, if they were computed before.
    """
    placed = layout or compute_layout(graph)
    look = CardContext(base_url, zone, graph.entry)
    width, height = placed.width + 2 * MARGIN, placed.height + 2 * MARGIN
    title = escape(printable(graph.title))
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="autoflow-graph" width="{width}" height="{height}"'
            f' viewBox="{-MARGIN} {-MARGIN} {width} {height}" role="group" aria-label="{title}">',
            f"<title>{title}</title><style>{stylesheet()}</style>",
            f'<rect class="ground" x="{-MARGIN}" y="{-MARGIN}" width="{width}" height="{height}"/>',
            *(_way(route) for route in placed.routes),
            *(render_card(card, placed.boxes[card.key], look) for card in graph.cards),
            "</svg>\n",
        )
    )


def arrow_path(route: Route) -> str:
    """Give the path of an arrow's line: level at both ends of every slope, ending at the back of its head."""
    (x, y), tip = route.points[0], route.points[-1]
    toward = 1 if tip[0] > route.points[-2][0] else -1
    end = (tip[0] - toward * (HEAD - 1), tip[1])
    steps = [f"M{x} {y}"]
    for (x, y), (right, low) in pairwise((*route.points[:-1], end)):
        middle = (x + right) / 2
        curve = f"C{middle:g} {y} {middle:g} {low} {right} {low}"
        steps.append(f"H{right}" if y == low else f"V{low}" if x == right else curve)
    return "".join(steps)


def _way(route: Route) -> str:
    (x, y), before = route.points[-1], route.points[-2][0]
    back = x - HEAD if x > before else x + HEAD
    kind = " back" if route.back else " version" if route.arrow.kind == "version" else ""
    return f'<path class="way{kind}" d="{arrow_path(route)}"/><path class="head" d="M{x} {y}L{back} {y - 5}V{y + 5}z"/>'
