"""The graph as a Mermaid flowchart, for READMEs and issues; no text can end its label or open a directive."""

from __future__ import annotations

import re

from autoflow.graph.graph import Card, Graph
from autoflow.graph.render.labels import card_caption, omitted_count, printable, type_and_id
from autoflow.model.entity_types import ENTITY_TYPES, NodeShape

BRACKETS: dict[NodeShape, tuple[str, str]] = {
    "box": ("[", "]"),
    "cylinder": ("[(", ")]"),
    "hexagon": ("{{", "}}"),
    "note": ("(", ")"),
}
# Mermaid interprets these even when they are escaped: a line break, a formula, an icon.
_MARKUP_START = re.compile(r"\\(?=n)|\$(?=\$)|:(?=fa)")
ZERO_WIDTH_SPACE = "\u200b"
# A full stop before a space might begin a numbered list.
_UNSAFE = re.compile(r"[^\w ,:./]|\.(?!\w)")
CLASSES = {
    "run": "fill:#e3ecff,stroke:#2f6fd6,color:#1c2738",
    "failed": "fill:#ffe4e4,stroke:#c62828,color:#1c2738",
    "datum": "fill:#ffffff,stroke:#8593a8,color:#1c2738",
    "entry": "stroke:#2f6fd6,stroke-width:3px",
}


def render_mermaid(graph: Graph) -> str:
    """Return a ``flowchart LR``, ending in a newline; nodes are numbered in the graph's order."""
    nodes = {card.key: f"n{number}" for number, card in enumerate(graph.cards)}
    lines = ["flowchart LR"]
    for card in graph.cards:
        opening, closing = BRACKETS[ENTITY_TYPES[card.type].shape]
        lines.append(f'  {nodes[card.key]}{opening}"{_label(card)}"{closing}')
    for source, target, arrow_kind in dict.fromkeys((arrow.source, arrow.target, arrow.kind) for arrow in graph.arrows):
        if source in nodes and target in nodes:
            lines.append(
                f"  {nodes[source]} {'-.->' if arrow_kind in {'version', 'indirect'} else '-->'} {nodes[target]}"
            )
    members: dict[str, list[str]] = {}
    for card in graph.cards:
        class_name = ("failed" if card.state in ("failed", "lost") else "run") if card.type == "task" else "datum"
        members.setdefault(class_name, []).append(nodes[card.key])
    if graph.entry in nodes:
        members["entry"] = [nodes[graph.entry]]
    for class_name, class_nodes in members.items():
        lines += [f"  classDef {class_name} {CLASSES[class_name]}", f"  class {','.join(class_nodes)} {class_name}"]
    return "\n".join(lines) + "\n"


def _label(card: Card) -> str:
    details = ", ".join([type_and_id(card), *([card.state] if card.state else []), *omitted_count(card)])
    return f"{_escape(card_caption(card))}<br/>{_escape(details)}"


def _escape(text: str) -> str:
    """Escape all but letters, digits and a few harmless characters as Mermaid's entity codes (``#34;`` is a quote)."""
    return _UNSAFE.sub(
        lambda match: f"#{ord(match[0])};", _MARKUP_START.sub(f"\\g<0>{ZERO_WIDTH_SPACE}", printable(text))
    )
