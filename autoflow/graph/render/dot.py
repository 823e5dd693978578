"""The graph in DOT, the language of Graphviz; every text is a quoted string with quotes and backslashes escaped."""

from __future__ import annotations

from autoflow.graph.graph import Card, Graph
from autoflow.graph.render.labels import card_caption, omitted_count, printable, type_and_id
from autoflow.model.entity_types import ENTITY_TYPES

FILLS = {"finished": "#e3ecff", "running": "#e3ecff", "ended": "#e3ecff", "failed": "#ffe4e4", "lost": "#fff1d6"}


def render_dot(graph: Graph) -> str:
    """Return a ``digraph``, ending in a newline; nodes are numbered in the graph's order."""
    nodes = {card.key: f"n{number}" for number, card in enumerate(graph.cards)}
    lines = [
        "digraph workflow {",
        f"  graph [rankdir=LR, label={_quote(graph.title)}, labelloc=t, fontname=Helvetica]",
        '  node [style="filled,rounded", fillcolor="#ffffff", color="#8593a8", fontname=Helvetica]',
        '  edge [color="#1c2738"]',
    ]
    for card in graph.cards:
        options = [f"label={_label(card)}", f"shape={ENTITY_TYPES[card.type].shape}"]
        if card.state in FILLS:
            options.append(f'fillcolor="{FILLS[card.state]}"')
        if card.key == graph.entry:
            options.append('color="#2f6fd6", penwidth=2')
        lines.append(f"  {nodes[card.key]} [{', '.join(options)}]")
    for source, target, kind in dict.fromkeys((arrow.source, arrow.target, arrow.kind) for arrow in graph.arrows):
        if source in nodes and target in nodes:
            lines.append(
                f"  {nodes[source]} -> {nodes[target]}{' [style=dashed]' if kind in {'version', 'indirect'} else ''}"
            )
    return "\n".join([*lines, "}"]) + "\n"


def _label(card: Card) -> str:
    details = ", ".join([type_and_id(card), *([card.state] if card.state else []), *omitted_count(card)])
    return _quote(card_caption(card), details)


def _quote(*lines: str) -> str:
    """Quote lines of text; backslashes and entities in them keep their literal meaning in a label."""
    escaped = [printable(line).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(escaped) + '"'
