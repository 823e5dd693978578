"""The graph as a Mermaid flowchart, for READMEs and issues; no text of a card can end its label or open a directive."""

from __future__ import annotations

import re

from autoflow.graph.graph import Card, Graph
from autoflow.graph.render.labels import card_caption, omitted_count, printable, type_and_id
from autoflow.model.entity_types import ENTITY_TYPES, Shape

BRACKETS: dict[Shape, tuple[str, str]] = {
    "box": ("[", "]"),
    "cylinder": ("[(", ")]"),
    "hexagon": ("{{", "}}"),
    "note": ("(", ")"),
}
# A full stop before a space might begin a numbered list.
# Mermaid reads these even when they are escaped: a line break, a formula, an icon.
_BEGINS = re.compile(r"\\(?=n)|\$(?=\$)|:(?=fa)")
BREAK = "\u200b"
_UNSAFE = re.compile(r"[^\w ,:./]|\.(?!\w)")
CLASSES = {
    "run": "fill:#e3ecff,stroke:#2f6fd6,color:#1c2738",
    "failed": "fill:#ffe4e4,stroke:#c62828,color:#1c2738",
    "datum": "fill:#ffffff,stroke:#8593a8,color:#1c2738",
    "entry": "stroke:#2f6fd6,stroke-width:3px",
}


def render_mermaid(graph: Graph) -> str:
    """Give the text of a ``flowchart LR``, ending in a newline; nodes are numbered in the graph's order."""
    node = {card.key: f"n{number}" for number, card in enumerate(graph.cards)}
    lines = ["flowchart LR"]
    for card in graph.cards:
        opening, closing = BRACKETS[ENTITY_TYPES[card.type].shape]
        lines.append(f'  {node[card.key]}{opening}"{_label(card)}"{closing}')
    for source, target, way in dict.fromkeys((arrow.source, arrow.target, arrow.kind) for arrow in graph.arrows):
        if source in node and target in node:
            lines.append(f"  {node[source]} {'-.->' if way == 'version' else '-->'} {node[target]}")
    members: dict[str, list[str]] = {}
    for card in graph.cards:
        kind = ("failed" if card.state in ("failed", "lost") else "run") if card.type == "task" else "datum"
        members.setdefault(kind, []).append(node[card.key])
    if graph.entry in node:
        members["entry"] = [node[graph.entry]]
    for kind, nodes in members.items():
        lines += [f"  classDef {kind} {CLASSES[kind]}", f"  class {','.join(nodes)} {kind}"]
    return "\n".join(lines) + "\n"


def _label(card: Card) -> str:
    second = ", ".join([type_and_id(card), *([card.state] if card.state else []), *omitted_count(card)])
    return f"{_escaped(card_caption(card))}<br/>{_escaped(second)}"


def _escaped(text: str) -> str:
    """Write everything but letters, digits and a few harmless signs as Mermaid's entity codes (``#34;`` is a quote)."""
    return _UNSAFE.sub(lambda sign: f"#{ord(sign[0])};", _BEGINS.sub(f"\\g<0>{BREAK}", printable(text)))
