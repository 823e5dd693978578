"""Graphs, traces and impacts that a notebook shows as pictures: what `Api.graph`, `trace` and `impact` return.

Layout and rendering are imported when a notebook asks, so that an app that only reads graphs never loads them.
"""

from __future__ import annotations

from autoflow.graph.graph import Graph
from autoflow.graph.impact import Impact
from autoflow.graph.trace import Trace

MAX_CARDS = 200


class NotebookGraph(Graph):
    """A graph that IPython shows as text and as a static picture."""

    __slots__ = ()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return the text and a picture without scripts, of at most `MAX_CARDS` cards; similar cards are clustered."""
        return _bundle(self)


class NotebookTrace(Trace):
    """A trace that IPython shows as a tree and as a static picture of its graph."""

    __slots__ = ()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return the tree and the picture of the graph."""
        from autoflow.graph.render.ancestry import render_trace

        return {**_bundle(self.graph), "text/plain": render_trace(self)}


class NotebookImpact(Impact):
    """An impact that IPython shows as a tree and as a static picture of its graph."""

    __slots__ = ()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return the tree and the picture of the graph."""
        from autoflow.graph.render.ancestry import render_impact

        return {**_bundle(self.graph), "text/plain": render_impact(self)}


def _bundle(graph: Graph) -> dict[str, str]:
    from autoflow.graph.clusters import cluster_cards
    from autoflow.graph.render.svg import render_svg
    from autoflow.graph.render.text import render_text
    from autoflow.graph.subgraph import nearest

    picture = render_svg(nearest(cluster_cards(graph), MAX_CARDS))
    html = f'<div style="overflow:auto">{picture}</div>'
    return {"text/plain": render_text(nearest(graph, MAX_CARDS)), "text/html": html, "image/svg+xml": picture}
