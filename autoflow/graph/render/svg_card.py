"""One card in SVG: picture or icon tile, title, link, date, badge, state.

Every text is escaped and cut to the space it has. Only a path on a known server becomes a link.
"""

from __future__ import annotations

import re
from datetime import timezone, tzinfo
from html import escape
from typing import NamedTuple

from autoflow.graph.graph import Card
from autoflow.graph.layout import Box
from autoflow.graph.layout.geometry import CARD_HEIGHT
from autoflow.graph.render.icons import icon_of, icon_path
from autoflow.graph.render.labels import (
    card_caption,
    format_time,
    is_server_url,
    printable,
    run_status,
    type_and_id,
    type_label,
)
from autoflow.graph.render.theme import STATES

LOCAL_PATH = re.compile(r"/(?![/\\])[^\s\x00-\x1f\x7f]*")
DATA_URL = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/=]+")
TILE = 54
ROW_TILE = 34
MARGIN = 14
CALENDAR = "M.6 2h9.8v8.4H.6zM.6 4.8h9.8M3 .4v2.4M8 .4v2.4"

# Advance widths of a sans-serif font in thousandths of its size, a little more than most fonts need.
_ADVANCE = {
    **dict.fromkeys("ijl'|.,:;! I", 310),
    **dict.fromkeys('frt()[]{}-/\\"*`', 410),
    **dict.fromkeys("mwMW@%", 930),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&#+=<>~", 720),
}


class CardContext(NamedTuple):
    """Options that the cards of one picture share.

    Args:
        base_url: scheme and host of the server; empty for the page's own server, None for no links.
        zone: the reader's time zone.
        entry: key of the card to outline.
    """

    base_url: str | None = None
    zone: tzinfo = timezone.utc
    entry: str | None = None


def truncate(text: str, max_width: float, size: float) -> str:
    """Cut a text with an ellipsis to about `max_width` pixels at a font size of `size`."""
    text = printable(" ".join(text.split()))
    width, fitting = 0.0, 0
    for index, character in enumerate(text):
        width += size * _advance(character) / 1000
        if width + size * 0.9 <= max_width:
            fitting = index + 1
    return text if width <= max_width else text[:fitting].rstrip() + "\u2026"


def text_width(text: str, size: float) -> float:
    """Return the estimated width of a text in pixels."""
    return sum(map(_advance, text)) * size / 1000


def _advance(character: str) -> int:
    return _ADVANCE.get(character, 590 if ord(character) < 0x1100 else 1050)


def link_url(card: Card, base_url: str | None) -> str | None:
    """Return the url that a card's link leads to, or None.

    A card of another server leads to that server; others need the url of this one.
    """
    base = card.origin or base_url
    if card.link is None or base is None or not LOCAL_PATH.fullmatch(card.link.url):
        return None
    return base.rstrip("/") + card.link.url if not base or is_server_url(base) else None


def tooltip(card: Card, context: CardContext) -> str:
    """Return a card's tooltip: the texts that may not fit on the card."""
    lines = [card_caption(card), type_and_id(card), card.origin]
    lines += [card.summary or "", card.description or "", format_time(card.at, context.zone)]
    lines += [run_status(card.state, card.seen, card.unattributed)]
    lines += [f"{card.link.title}: {card.link.url}" if card.link else ""]
    lines += [f"{card.more} more not shown" if card.more else ""]
    return "\n".join(escape(printable(" ".join(line.split()))) for line in lines if line.strip())


def render_card(card: Card, box: Box, context: CardContext) -> str:
    """Return the SVG of one card at its box."""
    has_picture = box.height > CARD_HEIGHT
    is_row = box.height < CARD_HEIGHT
    tile = ROW_TILE if is_row else TILE
    left = MARGIN if has_picture else MARGIN + tile + 12
    top = box.height - CARD_HEIGHT + 2 if has_picture else 0
    text_space = box.width - MARGIN - left
    title_space = text_space - (0 if has_picture or not card.badge else text_width(card.badge, 12) + 20)
    link_line = _link_line(card, text_space, context)
    lines = [f'<text class="name">{escape(truncate(card.title, title_space, 16.2))}</text>']
    lines += [link_line] if link_line and not is_row else []
    lines += [_row_line(card, text_space, context) if is_row else _date_line(card, text_space, context)]
    baselines = (24, 43) if is_row else (30, 50, 69) if len(lines) == 3 else (36, 58)
    # Each line has a frame that cuts it at the card's edge, in case the reader's font is wider than the estimate.
    frame = f'width="{text_space + 8}" height="24" viewBox="0 -16 {text_space + 8} 24"'
    text = "".join(
        f'<svg x="{left}" y="{top + y - 16}" {frame}>{line}</svg>' for line, y in zip(lines, baselines, strict=True)
    )
    picture = _picture(card, box) if has_picture else _tile(card, tile, box)
    entered = " entered" if card.key == context.entry else ""
    return (
        f'<g class="card{entered}" transform="translate({box.x} {box.y})"><title>{tooltip(card, context)}</title>'
        f"{_stack(box) if card.members else ''}"
        f'<rect class="box" width="{box.width}" height="{box.height}" rx="10"/>'
        f"{_edge(card, box)}{picture}{text}{_badge(card, box)}{_more(card, box)}</g>"
    )


def _stack(box: Box) -> str:
    """Return the edges of the cards below the top one of a cluster."""
    return "".join(
        f'<rect class="box" x="{inset}" y="{down}" width="{box.width - 2 * inset}" height="{box.height}" rx="10"/>'
        for inset, down in ((12, 9), (6, 5))
    )


def _edge(card: Card, box: Box) -> str:
    """Return the colored edge of a run's card, which shows its state."""
    if card.state not in STATES:
        return ""
    return f'<rect class="edge {card.state}" x="1" y="9" width="4" height="{box.height - 18}" rx="2"/>'


def _tile(card: Card, side: int, box: Box) -> str:
    icon = icon_of(card)
    y = (box.height - side) // 2
    inset = side * 14 / TILE
    transform = f"translate({MARGIN + inset:g} {y + inset:g}) scale({(side - 2 * inset) / 24:.3f})"
    return (
        f'<rect x="{MARGIN}" y="{y}" width="{side}" height="{side}" rx="8" fill="{icon.background}"/>'
        f'<path class="icon" stroke="{icon.color}" transform="{transform}" d="{icon_path(card)}"/>'
    )


def _picture(card: Card, box: Box) -> str:
    """Return the preview if it is embedded as data, else a sketch: the card's icon, enlarged."""
    width, height = box.width - 2 * 8, box.height - CARD_HEIGHT
    area = f'x="8" y="8" width="{width}" height="{height}"'
    if card.preview and DATA_URL.fullmatch(card.preview):
        return f'<image {area} href="{card.preview}" preserveAspectRatio="xMidYMid slice"/>'
    x, y = width / 2 + 8 - 36, height / 2 + 8 - 36
    sketch = f'<path class="sketch" transform="translate({x} {y}) scale(3)" d="{icon_path(card)}"/>'
    return f'<rect class="shade" {area} rx="6"/>{sketch}'


def _link_line(card: Card, space: float, context: CardContext) -> str:
    """Return the line of the link, followed by the description or the server that the card belongs to."""
    title = truncate(card.link.title, space, 13) if card.link and LOCAL_PATH.fullmatch(card.link.url) else ""
    description = card.summary or card.description or (card.origin.partition("://")[2] if card.origin else "")
    title_width = text_width(title, 13) + 14 if title else 0
    rest = truncate(description, space - title_width, 13) if description and space - title_width > 40 else ""
    url = link_url(card, context.base_url)
    link = f'<tspan class="link">{escape(title)}</tspan>' if url else f"<tspan>{escape(title)}</tspan>"
    if url:
        link = f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{link}</a>'
    parts = [link] if title else []
    parts += [f"<tspan>{escape(rest)}</tspan>"] if rest else []
    separator = "<tspan> \u00b7 </tspan>"
    return f"<text>{separator.join(parts)}</text>" if parts else ""


def _row_line(card: Card, space: float, context: CardContext) -> str:
    """Return the second line of a card that is a row: what tells it apart, and its date."""
    texts = [card.summary or card.description or "", format_time(card.at, context.zone)]
    text = truncate(" \u00b7 ".join(text for text in texts if text) or type_label(card), space, 12)
    return f'<text class="date">{escape(text)}</text>'


def _date_line(card: Card, space: float, context: CardContext) -> str:
    """Return the line of the date and a run's state; for a card with neither, of its type."""
    date = format_time(card.at, context.zone)
    line = ""
    if date:
        line += (
            f'<path class="glyph" transform="translate(0 -10)" d="{CALENDAR}"/><text class="date" x="17">{date}</text>'
        )
    if card.state in STATES:
        state = f"{card.state}, unattributed" if card.unattributed else card.state
        line += f'<text class="state {card.state}" x="{space}">\u25cf {state}</text>'
    return line or f'<text class="date">{type_label(card)}</text>'


def _badge(card: Card, box: Box) -> str:
    if not card.badge:
        return ""
    text = truncate(card.badge, 60, 12)
    width = max(26.0, text_width(text, 12) + 14)
    x, y = box.width - MARGIN - width + 4, 12
    return (
        f'<rect class="badge" x="{x:.1f}" y="{y}" width="{width:.1f}" height="24" rx="12"/>'
        f'<text class="on-badge" x="{x + width / 2:.1f}" y="{y + 16}">{escape(text)}</text>'
    )


def _more(card: Card, box: Box) -> str:
    if not card.more:
        return ""
    text = f"+{card.more} more"
    width = text_width(text, 11) + 16
    x, y = box.width - width - 16, box.height - 9
    return (
        f'<rect class="more" x="{x:.1f}" y="{y}" width="{width:.1f}" height="18" rx="9"/>'
        f'<text class="on-more" x="{x + width / 2:.1f}" y="{y + 13}">{text}</text>'
    )
