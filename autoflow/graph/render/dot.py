"""The graph in Graphviz's language; every text is a quoted string in which quotes and backslashes are escaped."""

from __future__ import annotations

from autoflow.graph.graph import Card, Graph
from autoflow.graph.render.labels import card_caption, omitted_count, printable, type_and_id
from autoflow.model.entity_types import ENTITY_TYPES

FILLS = {"finished": "#e3ecff", "running": "#e3ecff", "ended": "#e3ecff", "failed": "#ffe4e4", "lost": "#fff1d6"}


def render_dot(graph: Graph) -> str:
    """Give a ``digraph``, ending in a newline; nodes are numbered in the graph's order."""
    node = {card.key: f"n{number}" for number, card in enumerate(graph.cards)}
    lines = [
        "digraph workflow {",
        f"  graph [rankdir=LR, label={_quoted(graph.title)}, labelloc=t, fontname=Helvetica]",
        '  node [style="filled,rounded", fillcolor="#ffffff", color="#8593a8", fontname=Helvetica]',
        '  edge [color="#1c2738"]',
    ]
    for card in graph.cards:
        options = [f"label={_label(card)}", f"shape={ENTITY_TYPES[card.type].shape}"]
        if card.state in FILLS:
            options.append(f'fillcolor="{FILLS[card.state]}"')
        if card.key == graph.entry:
            options.append('color="#2f6fd6", penwidth=2')
        lines.append(f"  {node[card.key]} [{', '.join(options)}]")
    for source, target, kind in dict.fromkeys((arrow.source, arrow.target, arrow.kind) for arrow in graph.arrows):
        if source in node and target in node:
            lines.append(f"  {node[source]} -> {node[target]}{' [style=dashed]' if kind == 'version' else ''}")
    return "\n".join([*lines, "}"]) + "\n"


def _label(card: Card) -> str:
    second = ", ".join([type_and_id(card), *([card.state] if card.state else []), *omitted_count(card)])
    return _quoted(card_caption(card), second)


def _quoted(*rows: str) -> str:
    """Quote rows of text; in a label, backslashes and entities of the text's own mean themselves."""
    safe = [printable(row).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for row in rows]
    return '"' + "\\n".join(safe) + '"'
