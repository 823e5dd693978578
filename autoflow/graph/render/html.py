"""The graph as one HTML file that opens from disk: picture, legend and tables, without network.

Its content security policy lists the hashes of its own style sheets and script; nothing else may load or run, whatever
the cards contain. It is complete without its script, which adds zooming.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timezone, tzinfo
from html import escape
from importlib import resources

from autoflow.graph.graph import Card, Graph
from autoflow.graph.render.labels import (
    card_caption,
    count_runs_and_data,
    count_text,
    format_time,
    printable,
    type_and_id,
    type_label,
)
from autoflow.graph.render.svg import render_svg
from autoflow.graph.render.svg_card import LOCAL_PATH, link_url
from autoflow.graph.render.theme import STATES, stylesheet, variables
from autoflow.model.entity_types import ENTITY_TYPES

ARROW_TEXTS = {"input": "is read by", "output": "writes", "version": "contains", "indirect": "leads to"}


def render_html(
    graph: Graph, *, base_url: str | None = None, zone: tzinfo = timezone.utc, written: datetime | None = None
) -> str:
    """Return the page, ending in a newline.

    Args:
        graph: the graph to show.
        base_url: scheme and host of a server that will be up when the page is read; None shows links as text.
        zone: the reader's time zone.
        written: the time of writing that the page states; None for now.
    """
    now = (written or datetime.now(timezone.utc)).astimezone(zone)
    title = escape(printable(graph.title))
    style = variables(":root") + _asset("page.css")
    script = _asset("page.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)} {_hash(stylesheet())}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    runs, data = count_runs_and_data(graph)
    return "".join(
        (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">',
            f"<title>{title}</title><style>{style}</style></head><body><header><h1>{title}</h1>",
            f"<p>{count_text(runs, 'run')}, {count_text(data, 'data card')}. Written ",
            f'<time datetime="{now.isoformat(timespec="seconds")}">{format_time(now.isoformat(), zone)}</time>',
            f" {escape(now.tzname() or '')}.</p>{_legend(graph)}</header><main>",
            '<div class="tools" hidden><button type="button" data-zoom="in">Zoom in</button>'
            '<button type="button" data-zoom="out">Zoom out</button>'
            '<button type="button" data-zoom="fit">Fit</button></div>',
            '<div class="sheet" role="region" tabindex="0" aria-label="Picture of the workflow; scroll to move">',
            render_svg(graph, base_url=base_url, zone=zone),
            f"</div>{_card_table(graph, base_url, zone)}{_arrow_table(graph)}</main>",
            f"<script>{script}</script></body></html>\n",
        )
    )


def _asset(name: str) -> str:
    return resources.files("autoflow.graph.render").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _legend(graph: Graph) -> str:
    """Return a legend of the icons, states and lines that this graph has."""
    present = {card.type for card in graph.cards}
    entries = [
        '<li><svg viewBox="0 0 36 36" aria-hidden="true">'
        f'<rect width="36" height="36" rx="7" fill="{row.background}"/>'
        f'<path class="icon" stroke="{row.color}" transform="translate(6 6)" d="{row.drawing}"/></svg>'
        f"{row.label}</li>"
        for row in ENTITY_TYPES.values()
        if row.name in present
    ]
    states = [state for state in STATES if any(card.state == state for card in graph.cards)]
    entries += [f'<li class="{state}"><span class="dot" aria-hidden="true"></span>{state}</li>' for state in states]
    if any(arrow.kind == "version" for arrow in graph.arrows):
        entries.append('<li><span class="line version" aria-hidden="true"></span>contains</li>')
    return f'<ul class="legend" aria-label="Legend">{"".join(entries)}</ul>'


def _card_table(graph: Graph, base_url: str | None, zone: tzinfo) -> str:
    headings = ("Name", "Kind", "Number", "State", "Time", "Link", "Description")
    rows = "".join(
        f'<tr><th scope="row">{_text(card_caption(card))}</th>'
        f"<td>{type_label(card)}</td><td>{_text(_number(card))}</td>"
        f"<td>{_text(card.state or '')}</td><td>{format_time(card.at, zone)}</td>"
        f"<td>{_link(card, base_url)}</td><td>{_text(card.description or '')}</td></tr>"
        for card in graph.cards
    )
    return _table("Cards", headings, rows)


def _number(card: Card) -> str:
    number = type_and_id(card) if card.members else str(card.id)
    return f"{number} at {card.origin}" if card.origin else number


def _arrow_table(graph: Graph) -> str:
    names = {card.key: f"{card_caption(card)}, {type_and_id(card)}" for card in graph.cards}
    rows = "".join(
        f'<tr><th scope="row">{_text(names[arrow.source])}</th><td>{ARROW_TEXTS[arrow.kind]}</td>'
        f"<td>{_text(names[arrow.target])}</td></tr>"
        for arrow in graph.arrows
        if arrow.source in names and arrow.target in names
    )
    return _table("Arrows", ("From", "", "To"), rows)


def _table(caption: str, headings: tuple[str, ...], rows: str) -> str:
    columns = "".join(f'<th scope="col">{heading}</th>' if heading else "<td></td>" for heading in headings)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{caption}"><table><caption>{caption}</caption>'
        f"<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _link(card: Card, base_url: str | None) -> str:
    if card.link is None or not LOCAL_PATH.fullmatch(card.link.url):
        return ""
    url = link_url(card, base_url)
    if url is None:
        return f"{_text(card.link.title)}: <code>{_text(card.link.url)}</code>"
    return f'<a href="{escape(url)}" rel="noopener noreferrer">{_text(card.link.title)}</a>'


def _text(text: str) -> str:
    return escape(printable(text))
